"""What a member of the step document can be: how a member of each kind is read, written and described.

A document's object is a frozen Struct whose fields are annotated by `member(...)`. From them come reading, writing and the
schema of the contract; the editor's form asks them for labels and for what may be shown to whom. A new scalar member is
one line in `core.step.spec`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar, get_type_hints

from msgspec import Struct
from msgspec.structs import fields, replace

from httpstep.core.documentreader import Fault, Reader
from httpstep.core.jsontext import Json
from httpstep.core.step import schemas
from httpstep.core.step.schemas import ALWAYS_THERE, Kind, Member, Named, Schema

T = TypeVar("T")
_KNOWN: Final[dict[type, tuple[Member, ...]]] = {}
"""Worked out once for each class."""


def member(
    kind: Kind, *, name: str = "", label: str = "", required: bool = False, absent: Any = ALWAYS_THERE,
    typed: bool = False, one_of: bool = False,
) -> Member:  # fmt: skip
    """What is said of a field of a document's class. name: where it differs from the field's. required: in the contract;
    reading takes the default all the same, and what is wrong with that is said by the checks of `core.document.stepdocument`."""
    return Member(name, "", kind, None, label, required, absent, typed, one_of)


def members_of(described: type) -> tuple[Member, ...]:
    """The members of a document's class, in the document's order."""
    if described not in _KNOWN:
        _KNOWN[described] = tuple(_members_of(described))
    return _KNOWN[described]


def _members_of(described: type) -> Iterator[Member]:
    said = get_type_hints(described, include_extras=True)
    for one in fields(described):
        (about,) = said[one.name].__metadata__
        yield replace(about, name=about.name or one.name, attribute=one.name, default=one.default)


def read(described: type[T], reader: Reader) -> T:
    """The object a document describes; faults are noted in the reader, those of unknown members included."""
    values = {one.attribute: one.kind.read(reader, one.name, one.default) for one in members_of(described)}
    reader.end()
    return described(**values)


def write(value: Any) -> dict[str, Json]:
    """The object as its document. `read` gives the same value back."""
    return {
        one.name: one.kind.write(held)
        for one in members_of(type(value))
        if not _is_absent(held := getattr(value, one.attribute), one.absent)
    }


def schema_of(described: type, named: Named) -> Schema:
    """A reference to the object's schema, which is in `named` from then on, with those it refers to."""
    return schemas.put(described.__name__.removesuffix("Spec"), members_of(described), named)


def _is_absent(held: Any, absent: Any) -> bool:
    """A text is the same whoever wrote it; any other value that stands for absence is one of its own."""
    return held is absent or (isinstance(absent, str) and held == absent)


# ---------------------------------------------------------------- kinds


class Text(Struct, frozen=True):
    """strip: white space around it is no part of it. pattern: for the contract; the checks say it in words."""

    strip: bool = False
    pattern: str = ""

    def read(self, reader: Reader, name: str, default: str) -> str:
        text = reader.text(name, default)
        return text.strip() if self.strip else text

    def write(self, value: str) -> Json:
        return value

    def schema(self, named: Named) -> Schema:
        return {"type": "string", "pattern": self.pattern} if self.pattern else {"type": "string"}


class Word(Struct, frozen=True):
    """One of some words, each with the label that a page shows for it."""

    labels: Mapping[str, str]

    def read(self, reader: Reader, name: str, default: str) -> str:
        word: str = reader.word(name, tuple(self.labels), default)
        return word

    def write(self, value: str) -> Json:
        return value

    def schema(self, named: Named) -> Schema:
        found: Schema = {"type": "string", "enum": list(self.labels)}
        told = "; ".join(f"`{word}`: {label}" for word, label in self.labels.items() if label != word)
        return found | ({"description": told} if told else {})


class Flag(Struct, frozen=True):
    def read(self, reader: Reader, name: str, default: bool) -> bool:
        return reader.flag(name, default)

    def write(self, value: bool) -> Json:
        return value

    def schema(self, named: Named) -> Schema:
        return {"type": "boolean"}


class Number(Struct, frozen=True):
    """more_than and at_most: the limits. whole: no decimals. sentence: said of any other number."""

    at_most: int
    sentence: str
    more_than: int | None = None
    at_least: int | None = None
    whole: bool = False

    def read(self, reader: Reader, name: str, default: Any) -> Any:
        value = reader.take(name, "number", default)
        low = (self.more_than is None or value > self.more_than) and (self.at_least is None or value >= self.at_least)
        if low and value <= self.at_most and not (self.whole and not isinstance(value, int)):
            return value
        reader.fault(name, self.sentence)
        return default

    def write(self, value: Any) -> Json:
        return value

    def schema(self, named: Named) -> Schema:
        found: Schema = {"type": "integer" if self.whole else "number", "maximum": self.at_most}
        if self.more_than is not None:
            found["exclusiveMinimum"] = self.more_than
        if self.at_least is not None:
            found["minimum"] = self.at_least
        return found


class Texts(Struct, frozen=True):
    """A list of texts, white space around each no part of it. sentence: said of a list with anything else in it."""

    sentence: str
    max_items: int

    def read(self, reader: Reader, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        values: list[Json] = reader.take(name, "array", list(default))
        if not all(isinstance(value, str) for value in values):
            reader.fault(name, self.sentence)
            return ()
        return tuple(value.strip(" \t") for value in values)

    def write(self, value: tuple[str, ...]) -> Json:
        return list(value)

    def schema(self, named: Named) -> Schema:
        return {"type": "array", "maxItems": self.max_items, "items": {"type": "string"}}


class PathToValue(Struct, frozen=True):
    """Keys and places in lists from the root of an answer."""

    def read(self, reader: Reader, name: str, default: Any) -> Any:
        return path_at(reader.raw(name), reader.at(name), reader.faults) if reader.has(name) else default

    def write(self, value: Any) -> Json:
        return list(value)

    def schema(self, named: Named) -> Schema:
        return {"type": "array", "items": {"type": ["string", "integer"], "minimum": 0}}


def path_at(value: Json, place: str, faults: list[Fault]) -> tuple[str | int, ...]:
    if not isinstance(value, list) or not all(_is_path_part(part) for part in value):
        faults.append(Fault(place, "A path is a list of names and of places in lists, counted from 0."))
        return ()
    return tuple(value)


def _is_path_part(part: Json) -> bool:
    return isinstance(part, str) or (isinstance(part, int) and not isinstance(part, bool) and part >= 0)


class Paths(Struct, frozen=True):
    max_items: int

    def read(self, reader: Reader, name: str, default: Any) -> Any:
        return reader.each(name, path_at, self.max_items)

    def write(self, value: Any) -> Json:
        return [list(path) for path in value]

    def schema(self, named: Named) -> Schema:
        return {"type": "array", "maxItems": self.max_items, "items": PathToValue().schema(named)}


class AnyValue(Struct, frozen=True):
    """Any JSON value, null too; not written where it is absent."""

    def read(self, reader: Reader, name: str, default: Any) -> Any:
        return reader.raw(name) if reader.has(name) else default

    def write(self, value: Json) -> Json:
        return value

    def schema(self, named: Named) -> Schema:
        return {}


class Object(Struct, frozen=True):
    described: type
    nullable: bool = False

    def read(self, reader: Reader, name: str, default: Any) -> Any:
        never_set = self.nullable and reader.raw(name) is None
        return None if never_set else read(self.described, reader.object(name))

    def write(self, value: Any) -> Json:
        return write(value)

    def schema(self, named: Named) -> Schema:
        found = schema_of(self.described, named)
        return {"anyOf": [found, {"type": "null"}]} if self.nullable else found


class Objects(Struct, frozen=True):
    """A list of objects. nullable, as of one: null stands for what was never set, and so does its absence."""

    described: type
    max_items: int
    nullable: bool = False

    def read(self, reader: Reader, name: str, default: Any) -> Any:
        if self.nullable and reader.raw(name) is None:
            return None
        return reader.each(name, self._item, self.max_items)

    def _item(self, value: Json, place: str, faults: list[Fault]) -> Any:
        return read(self.described, Reader(value, place, faults))

    def write(self, value: Any) -> Json:
        return [write(item) for item in value]

    def schema(self, named: Named) -> Schema:
        kind: Json = ["array", "null"] if self.nullable else "array"
        return {"type": kind, "maxItems": self.max_items, "items": schema_of(self.described, named)}
