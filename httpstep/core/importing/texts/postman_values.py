"""What stands in a Postman collection (v2.1) as texts: rows, addresses, variables.

The shapes are those of the published schema, https://schema.postman.com/collection/json/v2.1.0/ ; the address that Postman
sends is made of the parts, and `raw` is what people see of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl, unquote

from httpstep.core import jsontext
from httpstep.core.jsontext import Json
from httpstep.core.regex import regex

_VARIABLE: Final = regex(r"\{\{([^{}]{1,100})\}\}")
_NOT_IN_NAMES: Final = regex(r"[^A-Za-z0-9_.-]")
_PATH: Final = regex(r"[^?#]*")
_SEGMENT: Final = regex(r"(?<=/):([^/?#]{1,100})(?=[/?#]|$)")
OFF: Final = "switched off in the collection"
MAX_ROUNDS: Final = 5
MAX_GROWTH: Final = 100_000
"""Variables may hold variables: so often they are filled in, and a text grows by so many characters at most each time."""


def objects(found: Json) -> Sequence[dict[str, Json]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def switched_on(rows: Json) -> list[dict[str, Json]]:
    return [one for one in objects(rows) if not one.get("disabled")]


def text(value: Json) -> str:
    return value if isinstance(value, str) else "" if value is None else jsontext.dumps_text(value)


def given(rows: Json) -> Iterator[tuple[str, str]]:
    """(name, value) of variables and of attributes of authentication, a list of rows or, in v2.0, an object. A variable
    without a key goes by its id."""
    if isinstance(rows, dict):
        yield from ((name, text(value)) for name, value in rows.items())
    for one in switched_on(rows):
        if isinstance(name := one.get("key", one.get("id")), str):
            yield name.strip(), text(one.get("value"))


# ---------------------------------------------------------------- addresses


def address(url: Json, unknown_host: str) -> str:
    """As the collection writes it; put together from its parts where there is no `raw`. The rows of the query say what is
    sent: `raw` may be older, or have what is switched off."""
    if not isinstance(url, dict):
        return url if isinstance(url, str) else ""
    written = text(url.get("raw")) or _joined(url, unknown_host)
    rows = objects(url.get("query"))
    head, mark, fragment = written.partition("#")
    base, _, query = head.partition("?")
    wanted = [_row(one) for one in rows if not one.get("disabled")]
    known = {unquote(text(one.get("key"))) for one in rows}
    wanted += [one for one in query.split("&") if rows and one and unquote(one.partition("=")[0]) not in known]
    joined = "&".join(one for one in wanted if one)
    if not rows or parse_qsl(joined, keep_blank_values=True) == parse_qsl(query, keep_blank_values=True):
        return written
    return base + (f"?{joined}" if joined else "") + mark + fragment


def _row(one: dict[str, Json]) -> str:
    """Without an equals sign where the value is null."""
    name = text(one.get("key")).replace("&", "%26").replace("#", "%23").replace("=", "%3D")
    value = one.get("value")
    return name if value is None else f"{name}={text(value).replace('&', '%26').replace('#', '%23')}"


def _joined(url: dict[str, Json], unknown_host: str) -> str:
    host = ".".join(_texts(url.get("host"))) or unknown_host
    path = "/".join(_texts(url.get("path"))).removeprefix("/")
    port, scheme = text(url.get("port")), text(url.get("protocol")).rstrip(":/")
    start = f"{scheme}://" if scheme and "://" not in host else ""
    end = f"#{url['hash']}" if isinstance(url.get("hash"), str) and url["hash"] else ""
    return f"{start}{host}{f':{port}' if port else ''}/{path}{end}"


def _texts(value: Json) -> list[str]:
    """A host or a path: a text, or a list of texts and of objects with a `value`."""
    if isinstance(value, str):
        return [value]
    parts = value if isinstance(value, list) else []
    return [text(one.get("value")) if isinstance(one, dict) else text(one) for one in parts]


def with_path_variables(url: str, values: Mapping[str, str]) -> str:
    """/:name as the attribute of that name, or as the placeholders that the collection gives for it."""

    def one(found: re.Match[str]) -> str:
        value = values.get(found[1])
        return found[0] if value is None else value if "{{" in value else f"{{{{{name_of(found[1])}}}}}"

    path = _PATH.match(url)
    end = path.end() if path else 0
    return _SEGMENT.sub(one, url[:end]) + url[end:]


# ---------------------------------------------------------------- variables


def name_of(key: str) -> str:
    """A name of the collection as the name of an attribute."""
    name = _NOT_IN_NAMES.sub("_", key.strip().lstrip("$"))[:100]
    return name if name[:1].isalpha() or name[:1] == "_" else f"_{name}"


def resolved(written: str, variables: Mapping[str, str]) -> str:
    """{{name}} is the value that the collection gives, else an attribute of that name."""
    for _ in range(MAX_ROUNDS):
        filled = _resolved_once(written, variables)
        if filled == written:
            break
        written = filled
    return written


def _resolved_once(written: str, variables: Mapping[str, str]) -> str:
    growth = sum(len(variables.get(found[1].strip(), "")) for found in _VARIABLE.finditer(written))
    known = variables if growth <= MAX_GROWTH else {}

    def one(found: re.Match[str]) -> str:
        return known.get(found[1].strip(), f"{{{{{name_of(found[1])}}}}}")

    return _VARIABLE.sub(one, written)


def worked_out(written: str) -> Iterator[str]:
    """The names of Postman's own variables in a text: {{$guid}}, {{$timestamp}}."""
    return (found[1].strip() for found in _VARIABLE.finditer(written) if found[1].strip().startswith("$"))
