"""A kind of document: a class of members with its format, and what its members' types do not say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from httpstep.core.documentreader import Fault, Reader
from httpstep.core.jsontext import Json
from httpstep.core.step import members, schemas
from httpstep.core.step.schemas import Named

T = TypeVar("T")


class DocumentError(Exception):
    """A document that cannot be taken. `faults`: all of them, in the document's order."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(" ".join(f"{fault.place}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)


class DocumentKind(Struct, Generic[T], frozen=True):
    """what: the word for such a thing, as "flow". format: its member `format`, which may be left out. described: a
    class of members. check: the faults of a value whose types are right."""

    what: str
    format: str
    described: type[T]
    check: Callable[[T], Iterable[Fault]]

    def read(self, document: Json, check: Callable[[T], Iterable[Fault]] | None = None) -> T:
        """The value that a document describes. Raises DocumentError with every fault of it.

        check: in the place of the kind's own.
        """
        root = Reader(document, "", [], what=self.what)
        if root.faults:
            raise DocumentError(root.faults)
        if root.text("format", self.format) != self.format:
            root.fault("format", f"This is not a document of format {self.format}.")
        value = members.read(self.described, root)
        found = root.faults
        faults = found + [fault for fault in (check or self.check)(value) if not _is_covered(fault.place, found)]
        if faults:
            raise DocumentError(faults)
        return value

    def write(self, value: T) -> dict[str, Json]:
        """The whole document, members in the documented order. `read(write(value)) == value`."""
        return {"format": self.format, **members.write(value)}

    def schemas(self) -> Named:
        """The schemas of the contract: the document's, under the word for it, and all that it refers to."""
        named, name = Named(), self.what.capitalize()
        schemas.put(name, members.members_of(self.described), named)
        own = named[name]
        own["required"] = ["format", *own.get("required", [])]
        own["properties"] = {"format": {"const": self.format}, **own["properties"]}
        return named


def _is_covered(place: str, faults: Sequence[Fault]) -> bool:
    """Whether a fault was found there or around it already, so that a default stands there that nobody wrote."""
    return any(place == fault.place or place.startswith((f"{fault.place}.", f"{fault.place}[")) for fault in faults)
