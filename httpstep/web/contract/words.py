"""The few words in which the schemas of the contract are written (JSON Schema 2020-12)."""

from __future__ import annotations

from typing import Final

from httpstep.core.jsontext import Json
from httpstep.core.step.schemas import Schema

TEXT: Final[Schema] = {"type": "string"}
WORDS_OF_PATH: Final[Schema] = {"type": ["string", "integer"]}


def object_of(required: list[str], /, **properties: Json) -> Schema:
    """An object that may have further members."""
    return {"type": "object", "required": required, "properties": properties} if required else {
        "type": "object", "properties": properties,
    }  # fmt: skip


def closed(**properties: Json) -> Schema:
    """An object that has all of these members, and no other."""
    return object_of(list(properties), **properties) | {"additionalProperties": False}


def but(schema: Schema, *optional: str) -> Schema:
    """The same where some members need not be there."""
    return schema | {"required": [name for name in schema["required"] if name not in optional]}


def nullable(kind: str) -> Schema:
    return {"type": [kind, "null"]}


def list_of(items: Json) -> Schema:
    return {"type": "array", "items": items}


def content(schema: Json, media_type: str = "application/json") -> Schema:
    """The body of a request or of an answer."""
    return {"content": {media_type: {"schema": schema}}}


def parameter(name: str) -> Schema:
    """A part of the path."""
    return {"name": name, "in": "path", "required": True, "schema": TEXT}
