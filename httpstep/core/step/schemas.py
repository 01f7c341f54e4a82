"""What is said of a member of a document, and the schemas of the contract that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from msgspec import Struct

from httpstep.core.documentreader import Reader
from httpstep.core.jsontext import Json

Schema = dict[str, Json]
"""A JSON Schema (2020-12), as OpenAPI 3.1 has it."""
Named = dict[str, Schema]
"""The schemas of the contract that have a name; one that refers to another puts it there."""

ALWAYS_THERE: Final = object()


class Kind(Protocol):
    """read: the value, or `default` and a fault noted in the reader. write: as JSON. schema: what the contract says, which
    may refer to schemas that it puts into `named`."""

    def read(self, reader: Reader, name: str, default: Any) -> Any: ...

    def write(self, value: Any) -> Json: ...

    def schema(self, named: Named) -> Schema: ...


class Member(Struct, frozen=True):
    """name: in the document. attribute: of the class. label: what people read. absent: the value that stands for a
    member that is not there, which is then not written; ALWAYS_THERE where it is. typed: the editor has an input for
    it; all others it keeps as they are. one_of: of the members so marked exactly one is there."""

    name: str
    attribute: str
    kind: Kind
    default: Any
    label: str
    required: bool
    absent: Any
    typed: bool
    one_of: bool


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def put(name: str, known: Sequence[Member], named: Named) -> Schema:
    """A reference to the schema of an object with these members, which is in `named` from then on."""
    if name not in named:
        named[name] = {}
        sources = [one.name for one in known if one.one_of]
        if sources:
            named[name] = {"oneOf": [_variant(name, known, source, named) for source in sources]}
        else:
            named[name] = _closed(known, named)
    return reference(name)


def _variant(name: str, known: Sequence[Member], source: str, named: Named) -> Schema:
    """The object with that one of the members of which exactly one is there."""
    variant = f"{name}By{source.capitalize()}"
    closed = _closed([one for one in known if one.name == source or not one.one_of], named)
    named[variant] = closed | {"required": [*closed.get("required", []), source]}
    return reference(variant)


def _closed(known: Sequence[Member], named: Named) -> Schema:
    """Closed, since unknown members are refused."""
    found: Schema = {"type": "object", "additionalProperties": False}
    if required := [one.name for one in known if one.required]:
        found["required"] = required
    found["properties"] = {one.name: _described(one, named) for one in known}
    return found


def _described(one: Member, named: Named) -> Schema:
    found = one.kind.schema(named)
    if "$ref" in found:
        return found
    labels = [one.label, *([found.pop("description")] if "description" in found else [])]
    if text := ". ".join(label for label in labels if label):
        found["description"] = text
    if not one.required and isinstance(one.default, (str, int, bool)) and one.default != "":
        found["default"] = one.default
    return found
