"""Objects used as dictionaries: their keys are data (dates, codes, ids), so a new key is no new field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct, field

from httpstep.core.jsontext import Json, Path, json_type
from httpstep.core.regex import regex

ANY: Final = "*"

_DATE: Final = regex(r"\d{4}-\d{2}(-\d{2}([T ][\d:.]+(Z|[+-]\d{2}:?\d{2})?)?)?|\d{4}/\d{2}/\d{2}|\d{2}\.\d{2}\.\d{4}")
_NUMBER: Final = regex(r"-?\d+(\.\d+)?")
_ID: Final = regex(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|(?=[a-f]*\d)[0-9a-f]{12,}|(?=[A-F]*\d)[0-9A-F]{12,}"
)
_NUMBERED: Final = regex(r"([A-Za-z]+[_-]?)\d{3,}")
_CODE: Final = regex(r"[A-Z]{2,3}|[a-z]{2}[-_][A-Z]{2}")
_ADDRESS: Final = regex(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LANGUAGE: Final = regex(
    "ar|bg|cs|da|de|el|en|es|et|fa|fi|fr|he|hi|hr|hu|it|ja|ko|lt|lv|nb|nl|pl|pt|ro|ru|sk|sl|sr|sv|th|tr|uk|ur|vi|zh"
)
_SKU: Final = regex(r"(?=.*\d)([A-Z0-9]+([-_./][A-Za-z0-9]+)+|[A-Z]+\d{2,}[A-Z0-9]*|[a-z]+-\d{2,})")
_HOST: Final = regex(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(:\d+)?")
_HASH: Final = regex(r"(?=.*\d)(?=.*[a-f])[0-9a-f]{6,}")
_THING: Final = regex(r"[^\W\d_a-z]\w*([ '&.,-]+\w+)*|\w+( \w+)+")
_CURRENCY: Final = regex(
    "aed|aud|bgn|brl|btc|cad|chf|clp|cny|cop|czk|dkk|egp|eth|eur|gbp|hkd|huf|idr|ils|inr|isk|jpy|krw|mxn|myr|ngn|nok|nzd|"
    "php|pln|ron|rub|sar|sek|sgd|thb|try|twd|uah|usd|vnd|zar"
)
_COUNTRY: Final = regex(
    "ae|ar|at|au|be|bg|br|ca|ch|cl|cn|co|cz|de|dk|eg|es|fi|fr|gb|gr|hr|hu|ie|il|in|it|jp|kr|lt|lu|lv|mx|nl|no|nz|pl|pt|ro|"
    "ru|se|sg|si|sk|th|tr|tw|ua|uk|us|vn|za"
)
_FEW: Final = 5
_MANY: Final = 10
"""From so many entries on, objects that all have the same fields are taken for records under a key."""


class DictionaryPaths(Struct):
    """The marked paths as a tree. `here`: this place is a dictionary."""

    here: bool = False
    children: dict[str, DictionaryPaths] = field(default_factory=dict)

    def below(self, part: str) -> DictionaryPaths | None:
        return self.children.get(part)


def dictionary_paths_of(dictionaries: Sequence[Path]) -> DictionaryPaths | None:
    """The tree of marked paths, None where nothing is marked. List indices count as "*"."""
    if not dictionaries:
        return None
    root = DictionaryPaths()
    for path in dictionaries:
        place = root
        for part in path:
            place = place.children.setdefault(ANY if isinstance(part, int) else part, DictionaryPaths())
        place.here = True
    return root


def is_inside(path: Path, dictionary: Path) -> bool:
    """Whether a path goes by a name into that object, whose own path has "*" for any item or name."""
    return len(path) > len(dictionary) and all(own in (ANY, part) for own, part in zip(dictionary, path, strict=False))


def differing(old: Json, new: Json, path: Path = ()) -> Iterator[Path]:
    """Paths of objects that are dictionaries by the evidence of two answers: some names went and others came, while all
    entries are objects with the same fields, or many plain values of one type."""
    if isinstance(old, list) and isinstance(new, list):
        if old and new:
            yield from differing(old[0], new[0], (*path, ANY))
    elif isinstance(old, dict) and isinstance(new, dict):
        if old.keys() - new.keys() and new.keys() - old.keys() and _are_alike([*old.values(), *new.values()]):
            yield path
            return
        for key in old.keys() & new.keys():
            yield from differing(old[key], new[key], (*path, key))


def _are_alike(entries: list[Json]) -> bool:
    if all(isinstance(entry, dict) and entry for entry in entries):
        return len({frozenset(entry) for entry in entries}) == 1
    types = {json_type(entry) for entry in entries} - {"null"}
    return len(entries) > _FEW and len(types) == 1 and not types & {"object", "array"}


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
    return _keys_are_data(keys) or _records(value) or _things(value)


def _things(value: dict[str, Json]) -> bool:
    """Two or more objects with the same two or more fields, under names written otherwise than those of the fields:
    `{"Blue lamp": {"price": 1, "stock": 2}, ...}`."""
    entries = list(value.values())
    if len(entries) < 2 or not all(isinstance(entry, dict) and len(entry) > 1 for entry in entries):
        return False
    fields = set(entries[0])
    alike = all(entry.keys() == fields for entry in entries)
    return alike and all(map(_THING.fullmatch, value)) and not any(map(_THING.fullmatch, fields))


def _keys_are_data(keys: list[str]) -> bool:
    if all(map(_DATE.fullmatch, keys)) or all(map(_NUMBER.fullmatch, keys)) or all(map(_ID.fullmatch, keys)):
        return True
    if all(map(_ADDRESS.fullmatch, keys)):
        return True
    if len(keys) < 2:
        return False
    if any(all(map(form.fullmatch, keys)) for form in (_CODE, _SKU, _HOST, _HASH, _CURRENCY)):
        return True
    numbered = [_NUMBERED.fullmatch(key) for key in keys]
    if all(numbered) and len({match.group(1) for match in numbered if match}) == 1:
        return True
    return len(keys) > 2 and any(all(map(form.fullmatch, keys)) for form in (_LANGUAGE, _COUNTRY))


def _records(value: dict[str, Json]) -> bool:
    """Many objects with the very same two or more fields."""
    entries = list(value.values())
    if len(entries) < _MANY or not all(isinstance(entry, dict) for entry in entries):
        return False
    fields = {frozenset(entry) for entry in entries}
    return len(fields) == 1 and len(next(iter(fields))) > 1
