"""A value that fits a schema of an OpenAPI document, from its examples where it has some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from httpstep.core.jsontext import Json

MAX_VALUES: Final = 500
MAX_DEPTH: Final = 12
MAX_OPTIONAL: Final = 20
Resolve = Callable[[Json], Json]
"""An object without the `$ref` it may be; {} where it leads nowhere."""

_TEXTS: Final = {
    "date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z", "time": "12:00:00Z", "email": "ada@shop.example",
    "uuid": "3fa85f64-5717-4562-b3fc-2c963f66afa6", "uri": "https://shop.example/", "url": "https://shop.example/",
    "hostname": "shop.example", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "byte": "VGV4dA==", "password": "text",
}  # fmt: skip


class Sampling:
    """Makes samples within one budget of values, so that no document makes it long. optional: the names of members
    that were left out of the outermost object."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._values = 0
        self._open: set[int] = set()
        self.optional: list[str] = []

    def sample(self, schema: Json, depth: int = 0) -> Json:
        """A value that fits; None where the schema does not say, or would repeat itself."""
        self._values += 1
        schema = self._resolve(schema)
        if not isinstance(schema, dict) or depth > MAX_DEPTH or self._values > MAX_VALUES or id(schema) in self._open:
            return None
        self._open.add(id(schema))
        made = self._made(schema, depth)
        self._open.discard(id(schema))
        return made

    def _made(self, schema: dict[str, Json], depth: int) -> Json:
        if isinstance(schema.get("allOf"), list):
            schema = self._merged(schema)
        for name in ("example", "default", "const"):
            if name in schema:
                return schema[name]
        for name in ("examples", "enum"):
            if isinstance(schema.get(name), list) and schema[name]:
                return schema[name][0]
        for name in ("oneOf", "anyOf"):
            if isinstance(schema.get(name), list) and schema[name] and "properties" not in schema:
                return self.sample(schema[name][0], depth + 1)
        return self._of_type(schema, depth)

    def _merged(self, schema: dict[str, Json]) -> dict[str, Json]:
        """The parts of an allOf as one object."""
        found: dict[str, Json] = {**schema, "properties": {}, "required": []}
        for part in [*schema["allOf"][:50], {name: value for name, value in schema.items() if name != "allOf"}]:
            part = self._resolve(part)
            if not isinstance(part, dict):
                continue
            if isinstance(part.get("allOf"), list) and self._values < MAX_VALUES:
                self._values += 1
                part = self._merged(part)
            found |= {name: value for name, value in part.items() if name not in ("properties", "required", "allOf")}
            found["properties"] |= part["properties"] if isinstance(part.get("properties"), dict) else {}
            found["required"] += part["required"] if isinstance(part.get("required"), list) else []
        return {name: value for name, value in found.items() if name != "allOf" and (value or name != "properties")}

    def _of_type(self, schema: dict[str, Json], depth: int) -> Json:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), None)
        if kind == "object" or isinstance(schema.get("properties"), dict):
            return self._object(schema, depth)
        if kind == "array" or "items" in schema:
            item = self.sample(schema.get("items"), depth + 1)
            return [] if item is None else [item]
        if kind in ("integer", "number"):
            least = schema.get("minimum")
            return least if isinstance(least, int) and not isinstance(least, bool) and least > 1 else 1
        if kind == "boolean":
            return True
        return _TEXTS.get(str(schema.get("format")), "text") if kind == "string" else None

    def _object(self, schema: dict[str, Json], depth: int) -> dict[str, Json]:
        properties = schema.get("properties")
        found: dict[str, Json] = {}
        if not isinstance(properties, dict):
            return found
        required = [one for one in schema.get("required") or () if isinstance(one, str) and one in properties]
        names = required or list(properties)[:MAX_OPTIONAL]
        for name in names:
            member = self._resolve(properties[name])
            if isinstance(member, dict) and member.get("readOnly"):
                continue
            value = self.sample(member, depth + 1)
            if value is not None or name in required:
                found[name] = value
        if depth == 0:
            self.optional = [name for name in properties if name not in names]
        return found
