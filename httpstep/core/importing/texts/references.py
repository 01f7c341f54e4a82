"""`$ref` inside a document of OpenAPI: JSON Pointers (RFC 6901) into the same document, and no further."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from httpstep.core.jsontext import Json

MAX_STEPS: Final = 20
"""A reference that leads to a reference, and so on: a circle ends here."""


class References:
    """`elsewhere`: references that lead out of the document, or nowhere."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self.elsewhere: dict[str, None] = {}

    def resolve(self, value: Json) -> Json:
        """The value itself, or what its `$ref` leads to; {} where that is not in the document."""
        first = value.get("$ref") if isinstance(value, dict) else None
        for _ in range(MAX_STEPS):
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                return value
            value = self._at(value["$ref"])
        self.elsewhere[str(first)] = None
        return {}

    def _at(self, reference: str) -> Json:
        if not reference.startswith("#"):
            self.elsewhere[reference] = None
            return {}
        value = self._document
        for part in reference.lstrip("#").split("/")[1:]:
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict) and key in value:
                value = value[key]
            elif isinstance(value, list) and key.isdigit() and len(key) < 7 and int(key) < len(value):
                value = value[int(key)]
            else:
                self.elsewhere[reference] = None
                return {}
        return value
