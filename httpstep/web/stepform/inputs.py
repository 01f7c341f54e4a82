"""The inputs of the form, from the one table of members: what each is called, what it shows, what is read from it.

A new member of a kind that is known here needs nothing in this room. The name of an input is the last part of the
member's place in the document (docs/decisions/0023).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from msgspec import Struct

from httpstep.core import jsontext
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.jsontext import Json, Path
from httpstep.core.query.jsonpath import check_query, normalized, parse_normalized, singular_path
from httpstep.core.regex import regex
from httpstep.core.step import members
from httpstep.core.step.schemas import Kind, Member
from httpstep.core.step.spec import NO_DEFAULT

BODY_TEXT: Final = ("request", "body", "text")
ABSENT: Final = object()
"""What is typed for a member that is then not in the document."""
_STAR: Final = regex(r"\[\*\]")


class NotTyped(ValueError):
    """What was typed is no value of that kind, with a sentence about it."""


# ---------------------------------------------------------------- a value in an input


def typed_text(value: Json) -> str:
    """A JSON value as one types it into one line: texts plain, unless they would be read as something else."""
    plain = isinstance(value, str) and value.strip() == value and value and not {"\n", "\r"} & set(value)
    if plain and typed_value(value) == value:
        return str(value)
    return jsontext.dumps_text(value)


def typed_value(text: str) -> Json:
    """What was typed: a number, true, false, null, a list, an object or a text in quotes, where it is written as
    JSON; else the text itself."""
    try:
        return jsontext.loads(text)
    except UnreadableAnswer:
        return text


def path_of(text: str) -> Path | None:
    """The path of a normalized path or of a query that names one place ($.data[0].id)."""
    try:
        return parse_normalized(text)
    except ValueError:
        return None if not text.startswith("$") or check_query(text) else singular_path(text)


def starred(path: Path) -> str:
    """The path as the form writes it: "$['items'][*]['rates']"."""
    return "$" + "".join("[*]" if part == "*" else normalized((part,))[1:] for part in path)


def listed(text: str) -> list[str]:
    """The texts of a list in one input."""
    return [part for part in (piece.strip() for piece in re.split(r"[,;\n]", text)) if part]


def lines_of(text: str) -> Iterator[str]:
    """One path a line."""
    return filter(None, map(str.strip, text.splitlines()))


def line_path(line: str) -> Path | None:
    """[*] stands for every item of a list."""
    return path_of(_STAR.sub("['*']", line))


def _number(kind: members.Number, text: str) -> Json:
    value = typed_value(text.strip() or "-")
    if isinstance(value, (str, bool, list, dict)) or value is None:
        raise NotTyped(kind.sentence)
    return value


def _paths(_: members.Paths, text: str) -> Json:
    for line in lines_of(text):
        if line_path(line) is None:
            raise NotTyped(f"“{line[:60]}” is not a path like $['rates'].")
    return [list(line_path(line) or ()) for line in lines_of(text)]


def _as_it_is(_: Any, value: Any) -> Any:
    return value


_SHOWN: Final[Mapping[type, Callable[[Any], str | bool]]] = {
    members.Text: str,
    members.Word: str,
    members.Flag: bool,
    members.Number: str,
    members.Texts: ", ".join,
    members.Paths: lambda paths: "\n".join(map(starred, paths)),
    members.AnyValue: lambda value: "" if value is NO_DEFAULT else typed_text(value),
}
_READ: Final[Mapping[type, Callable[[Any, Any], Any]]] = {
    members.Text: _as_it_is,
    members.Word: _as_it_is,
    members.Flag: _as_it_is,
    members.Number: _number,
    members.Texts: lambda _, text: listed(text),
    members.Paths: _paths,
    members.AnyValue: lambda _, text: typed_value(text) if text.strip() else ABSENT,
}


# ---------------------------------------------------------------- the inputs of an object


class Input(Struct, frozen=True):
    """name: of the field in the form. way: attributes and, alike, members that lead to it from its object."""

    name: str
    way: tuple[str, ...]
    kind: Kind
    default: Any

    @property
    def place(self) -> str:
        return ".".join(self.way)

    def shown(self, value: Any) -> str | bool:
        return _SHOWN[type(self.kind)](value)

    def shown_of(self, described: Any) -> str | bool:
        """What it shows of an object."""
        for attribute in self.way:
            described = getattr(described, attribute)
        return self.shown(described)

    def read(self, typed: str | bool) -> Any:
        """The JSON value, or ABSENT. Raises NotTyped."""
        return _READ[type(self.kind)](self.kind, typed)

    def sent(self, text: str | None, *, has_flags: bool) -> str | bool:
        """What stands in it, from the text that was sent. A box that is not ticked is not sent: has_flags tells that
        the form has it."""
        if isinstance(self.kind, members.Flag):
            return text == "1" or (text is None and self.default is True and not has_flags)
        return self.shown(self.default) if text is None else text


@cache
def inputs_of(described: type) -> tuple[Input, ...]:
    """The inputs of a class of the table and of the objects in it. Not among them is what the form shows in a way of
    its own: rows, the authentication, where a rule reads, and the text of a body, of which the screen has two."""
    found: dict[str, Input] = {}
    for way, one in sorted(_typed(described), key=lambda item: len(item[0])):
        # "mode" says nothing alone, and a name that is taken stays with who is nearer to the root.
        name = "_".join(way[-2:]) if way[-1] in found or way[-1] == "mode" else way[-1]
        found[name] = Input(name, way, one.kind, one.default)
    return tuple(found.values())


def _typed(described: type, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Member]]:
    for one in members.members_of(described):
        way = (*above, one.name)
        if isinstance(one.kind, members.Object) and not one.kind.nullable:
            yield from _typed(one.kind.described, way)
        elif one.typed and type(one.kind) in _READ and one.default is not None and way != BODY_TEXT:
            yield way, one


def untyped(value: Any) -> dict[str, Json]:
    """The members of an object that no input is there for, as its document has them; those of rows apart."""
    document, found = members.write(value), dict[str, Json]()
    for one in members.members_of(type(value)):
        if isinstance(one.kind, members.Object) and not one.kind.nullable:
            inner = untyped(getattr(value, one.attribute))
            found |= {one.name: inner} if inner else {}
        elif one.name in document and not one.typed:
            found[one.name] = document[one.name]
    return found
