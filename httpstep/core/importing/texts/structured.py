"""A JSON or YAML document from elsewhere as a value, within limits; what is wrong is one sentence with the place.

YAML by PyYAML's safe loader, with the scalars of YAML 1.2's core schema: `no` is a text and `1.10` keeps its digits.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Final

import yaml

from httpstep.core import jsontext
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.jsontext import Json

MAX_BYTES: Final = 5 * 1024 * 1024
BYTES_A_VALUE: Final = 10
"""A YAML document may have one value for so many bytes that it may be long: making them takes the time, not reading."""
MAX_DEPTH: Final = 100
MAX_ALIASES: Final = 1000


class DocumentFault(Exception):
    """A document that is not taken: one sentence for a person."""


def load(text: str, max_bytes: int = MAX_BYTES) -> Json:
    """The value of the document. Raises DocumentFault."""
    if len(text) > max_bytes or len(text.encode("utf-8", "replace")) > max_bytes:
        raise DocumentFault(f"This document is larger than {max_bytes // 1024 // 1024} MB.")
    if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        try:
            return jsontext.loads(text)
        except UnreadableAnswer as error:
            raise DocumentFault(f"This document is no JSON. {error.message}") from None
    return _load_yaml(text.lstrip("\ufeff"), max_bytes // BYTES_A_VALUE)


def _load_yaml(text: str, max_values: int) -> Json:
    try:
        _check(text, max_values)
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise DocumentFault(f"This document is no YAML: {error.problem or error.context}{where}.") from None
    except yaml.YAMLError:
        raise DocumentFault("This document is no YAML: it has characters that cannot stand in a text.") from None
    except (ValueError, InvalidOperation, TypeError, RecursionError):
        raise DocumentFault("This document is no YAML that can be read here: a value in it is not right.") from None


def _check(text: str, max_values: int) -> None:
    """Count what the text makes before anything is made of it; an alias counts as all that it stands for."""
    nodes = aliases = 0
    open_: list[tuple[str | None, int]] = []
    sizes: dict[str | None, int] = {}
    for event in yaml.parse(text, Loader=_BASE):
        line = event.start_mark.line + 1 if event.start_mark else 0
        nodes += isinstance(event, yaml.NodeEvent)
        if isinstance(event, yaml.AliasEvent):
            aliases += 1
            nodes += sizes.get(event.anchor, 0)
            if any(anchor == event.anchor for anchor, _ in open_):
                raise DocumentFault(f"This document has an alias that contains itself, at line {line}.")
        elif isinstance(event, yaml.CollectionStartEvent):
            open_.append((event.anchor, nodes))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_.pop()
            sizes[anchor] = nodes - before
        for count, limit, what in (
            (len(open_), MAX_DEPTH, "levels"),
            (nodes, max_values, "values"),
            (aliases, MAX_ALIASES, "aliases"),
        ):
            if count > limit:
                raise DocumentFault(f"This document has more than {limit} {what}, at line {line}.")


_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BASE):  # type: ignore[misc]
    """PyYAML's safe loader with the scalars of JSON."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


def _number(_: _Loader, node: yaml.ScalarNode) -> Json:
    text = node.value.removeprefix("+")
    return int(text) if re.fullmatch(r"-?[0-9]+", text) else Decimal(text)


_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]{1,300}$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?$", list("-+.0123456789")),
    ("merge", r"^<<$", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)
