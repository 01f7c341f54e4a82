"""Objects used as dictionaries: their keys are data (dates, codes, ids), so a new key is no new field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from httpstep.core.jsontext import Json, Path, json_type

ANY: Final = "*"

_DATE: Final = re.compile(
    r"\d{4}-\d{2}(-\d{2}([T ][\d:.]+(Z|[+-]\d{2}:?\d{2})?)?)?|\d{4}/\d{2}/\d{2}|\d{2}\.\d{2}\.\d{4}"
)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_ID: Final = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|(?=[a-f]*\d)[0-9a-f]{12,}|(?=[A-F]*\d)[0-9A-F]{12,}"
)
_NUMBERED: Final = re.compile(r"([A-Za-z]+[_-]?)\d{3,}")
_CODE: Final = re.compile(r"[A-Z]{2,3}|[a-z]{2}[-_][A-Z]{2}")
_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LANGUAGE: Final = re.compile(
    "ar|bg|cs|da|de|el|en|es|et|fa|fi|fr|he|hi|hr|hu|it|ja|ko|lt|lv|nb|nl|pl|pt|ro|ru|sk|sl|sr|sv|th|tr|uk|ur|vi|zh"
)
_MANY: Final = 10
"""From so many entries on, objects that all have the same fields are taken for records under a key."""


@dataclass(slots=True)
class Marks:
    """The marked paths as a tree. `here`: this place is a dictionary."""

    here: bool = False
    children: dict[str, Marks] = field(default_factory=dict)

    def below(self, part: str) -> Marks | None:
        return self.children.get(part)


def marks_of(dictionaries: Sequence[Path]) -> Marks | None:
    """The tree of marked paths, None where nothing is marked. List indices count as "*"."""
    if not dictionaries:
        return None
    root = Marks()
    for path in dictionaries:
        place = root
        for part in path:
            place = place.children.setdefault(ANY if isinstance(part, int) else part, Marks())
        place.here = True
    return root


def suggest_dictionaries(document: Json) -> tuple[Path, ...]:
    """Paths of objects that look like dictionaries; "*" stands for list items and for keys of an outer dictionary."""
    return tuple(dict.fromkeys(_looked_up(document, ())))


_ITEMS_LOOKED_AT: Final = 20


def _looked_up(value: Json, path: Path) -> Iterator[Path]:
    if isinstance(value, list):
        for item in value[:_ITEMS_LOOKED_AT]:
            yield from _looked_up(item, (*path, ANY))
    elif isinstance(value, dict):
        if _is_dictionary(value):
            yield path
            for entry in list(value.values())[:_ITEMS_LOOKED_AT]:
                yield from _looked_up(entry, (*path, ANY))
        else:
            for key, entry in value.items():
                if type(entry) is dict or type(entry) is list:
                    yield from _looked_up(entry, (*path, key))


def _is_dictionary(value: dict[str, Json]) -> bool:
    keys = list(value)
    if not keys or len({json_type(entry) for entry in value.values() if entry is not None}) > 1:
        return False
    return _keys_are_data(keys) or _records(value)


def _keys_are_data(keys: list[str]) -> bool:
    if all(map(_DATE.fullmatch, keys)) or all(map(_NUMBER.fullmatch, keys)) or all(map(_ID.fullmatch, keys)):
        return True
    if all(map(_ADDRESS.fullmatch, keys)):
        return True
    if len(keys) < 2:
        return False
    if all(map(_CODE.fullmatch, keys)):
        return True
    numbered = [_NUMBERED.fullmatch(key) for key in keys]
    if all(numbered) and len({match.group(1) for match in numbered if match}) == 1:
        return True
    return len(keys) > 2 and all(map(_LANGUAGE.fullmatch, keys))


def _records(value: dict[str, Json]) -> bool:
    """Many objects with the very same two or more fields."""
    entries = list(value.values())
    if len(entries) < _MANY or not all(isinstance(entry, dict) for entry in entries):
        return False
    fields = {frozenset(entry) for entry in entries}
    return len(fields) == 1 and len(next(iter(fields))) > 1
