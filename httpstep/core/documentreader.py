"""Reads an object of a JSON document member by member, and notes every fault instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from msgspec import Struct

from httpstep.core.jsontext import Json, json_type

_SENTENCE_TYPES: Final = {
    "string": "a text",
    "boolean": "true or false",
    "number": "a number",
    "array": "a list",
    "object": "an object",
}
Item = TypeVar("Item")


class Fault(Struct, frozen=True):
    """`place` is like "request.headers[2].name", "" for the document itself; `message` is a sentence for a person."""

    place: str
    message: str


class Reader:
    """One object of the document: takes members out by type, notes faults, and at the end what nobody knows."""

    def __init__(self, value: Json, place: str, faults: list[Fault], *, what: str = "step") -> None:
        """what: the word for what the document describes."""
        self.place = place
        self._what = what
        self.faults = faults
        self._members: dict[str, Json] = value if isinstance(value, dict) else {}
        self._known: set[str] = set()
        if not isinstance(value, dict):
            self.fault("", f"{place or self._whole('a').capitalize()} must be an object, not {_type_in_words(value)}.")

    def at(self, member: str) -> str:
        return ".".join(part for part in (self.place, member) if part)

    def fault(self, member: str, message: str) -> None:
        self.faults.append(Fault(self.at(member), message))

    def has(self, member: str) -> bool:
        self._known.add(member)
        return member in self._members

    def take(self, member: str, type_name: str, default: Any) -> Any:
        """The member if it is there and of that JSON type, else the default."""
        if not self.has(member):
            return default
        value = self._members[member]
        if json_type(value) != type_name:
            wanted = _SENTENCE_TYPES[type_name]
            self.fault(member, f"“{member}” must be {wanted}, not {_type_in_words(value)}.")
            return default
        return value

    def raw(self, member: str) -> Json:
        """The member whatever its type, null if it is not there."""
        return self._members[member] if self.has(member) else None

    def text(self, member: str, default: str = "") -> str:
        value: str = self.take(member, "string", default)
        return value

    def flag(self, member: str, default: bool) -> bool:
        value: bool = self.take(member, "boolean", default)
        return value

    def word(self, member: str, words: tuple[str, ...], default: str) -> Any:
        """One of `words`; Any because each member's Literal is narrower than str."""
        value = self.text(member, default)
        if value not in words:
            self.fault(member, f"“{member}” must be one of: {', '.join(words)}.")
            return default
        return value

    def each(self, member: str, read: Callable[[Json, str, list[Fault]], Item], limit: int) -> tuple[Item, ...]:
        """The items of a list, each read by `read(value, place, faults)`."""
        values: list[Json] = self.take(member, "array", [])
        if len(values) > limit:
            self.fault(member, f"“{member}” has {len(values)} items; at most {limit} are allowed.")
            return ()
        place = self.at(member)
        return tuple(read(value, f"{place}[{index}]", self.faults) for index, value in enumerate(values))

    def object(self, member: str) -> Reader:
        return Reader(self._members[member] if self.has(member) else {}, self.at(member), self.faults)

    def _whole(self, article: str) -> str:
        return f"{article}{'n' if article == 'a' and self._what[0] in 'aeiou' else ''} {self._what}"

    def end(self) -> None:
        """Every member that was not asked for is unknown."""
        where = f"in {self.place}" if self.place else f"in {self._whole('the')}"
        for member in self._members:
            if member not in self._known:
                shown = member if len(member) <= 60 else member[:57] + "…"
                self.fault(shown, f'Unknown member "{shown}" {where}.')


def _type_in_words(value: Json) -> str:
    return _SENTENCE_TYPES.get(json_type(value), "null")
