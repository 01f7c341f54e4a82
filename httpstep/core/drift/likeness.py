"""How much a place of one document looks like a place of another: by name, type, neighbours and value."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from httpstep.core.jsontext import Json, Path, dumps_text, json_type

_MAX_PLACES: Final = 20_000
_MAX_VALUE_CHARACTERS: Final = 200
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A place of a document, list items by the first one.

    words: those of its own name in lower case; name: them joined. outer: the names around it. siblings: the names
    beside it. text: its value as JSON. weight: how much an equal value says, 0 (null, lists, objects) to 1.
    many: it is in a list of more than one item, which stands for its first.
    """

    path: Path
    type: str
    words: tuple[str, ...]
    name: str
    outer: tuple[str, ...] = ()
    siblings: frozenset[str] = frozenset()
    text: str = ""
    weight: float = 0.0
    many: bool = False

    @classmethod
    def unknown(cls, path: Path) -> Place:
        """A place of which only the path is known."""
        words, name, outer = _names(path)
        return cls(path, "", words, name, outer)


def places_in(document: Json) -> Iterator[Place]:
    """All places below the root, level by level, at most 20,000."""
    waiting: deque[tuple[Path, Json, frozenset[str], bool]] = deque([((), document, frozenset(), False)])
    for _ in range(_MAX_PLACES):
        if not waiting:
            return
        path, value, beside, many = waiting.popleft()
        if path:
            yield _place(path, value, beside, many)
        if isinstance(value, dict):
            names = frozenset(map(_plain, value)) if len(value) <= 200 else frozenset()
            waiting.extend(((*path, key), child, names, many) for key, child in value.items())
        elif isinstance(value, list) and value:
            waiting.append(((*path, 0), value[0], frozenset(), many or len(value) > 1))


def _place(path: Path, value: Json, beside: frozenset[str], many: bool) -> Place:
    words, name, outer = _names(path)
    kind = json_type(value)
    plain = kind not in ("array", "object", "null")
    text = dumps_text(value) if plain else ""
    if len(text) > _MAX_VALUE_CHARACTERS:
        text = f"{text[:_MAX_VALUE_CHARACTERS]}{len(text)}"
    weight = _weight(value) if plain else 0.0
    return Place(path, kind, words, name, outer, beside - {name}, text, weight, many)


def _names(path: Path) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """The words of the own name, the name, and the names around it; an item of a list has its list's name and "[]"."""
    keys = [part for part in path if isinstance(part, str)]
    own = keys[-1] if keys else ""
    items = "[]" * next((count for count, part in enumerate(reversed(path)) if isinstance(part, str)), len(path))
    return _words(own), _plain(own) + items, tuple(_plain(key) for key in keys[:-1])


def _words(key: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORDS.findall(key[:100])) or (key[:100].lower(),)


def _plain(key: str) -> str:
    """The name without its spelling: `orderStatus`, `order_status` and `ORDER-STATUS` are one."""
    return "".join(_words(key))


def _weight(value: Json) -> float:
    if isinstance(value, bool):
        return 0.1
    if isinstance(value, int):
        return min(1.0, 0.2 * len(str(abs(value)))) if abs(value) < 10**6 else 1.0
    if isinstance(value, Decimal):
        return 0.8
    return min(1.0, 0.15 * len(value))


# ---------------------------------------------------------------- likeness


@dataclass(frozen=True, slots=True)
class Likeness:
    """score, name, around, value: 0 to 1. convincing: enough for a move, if nothing else competes. reason: a few words.

    name, around: how alike name and surroundings are; value: how much the value says, 0 where it is another.
    """

    score: float
    name: float
    around: float
    value: float
    convincing: bool
    reason: str

    def beats(self, other: Likeness, margin: float) -> bool:
        """Clearly better, and in no respect worse: where neighbours and value point to two places, neither is taken."""
        if other.convincing and (self.around < other.around or self.value < other.value):
            return False
        return self.score - other.score >= margin


def likeness(old: Place, new: Place) -> Likeness:
    """How much `new` looks like `old`."""
    name = _name_likeness(old, new)
    type_fits = old.type == new.type or not old.type
    same_value = old.weight > 0 and old.text == new.text and old.type == new.type
    value = old.weight if same_value else 0.0
    around = _surroundings(old, new)
    return Likeness(
        score=0.4 * name + 0.1 * type_fits + 0.25 * around + 0.25 * value,
        name=name,
        around=around,
        value=value,
        convincing=_convincing(old, new, name, around, value),
        reason=_reason(name, type_fits, around, same_value, old),
    )


def _name_likeness(old: Place, new: Place) -> float:
    if old.name.endswith("[]") != new.name.endswith("[]"):
        return 0.0
    if old.name == new.name:
        return 1.0 if old.path[-1:] == new.path[-1:] else 0.97
    mine, other = set(old.words), set(new.words)
    if mine <= other or other <= mine:
        return 0.5 + 0.3 * min(len(mine), len(other)) / max(len(mine), len(other))
    return 0.7 * _dice(_pairs(old.name), _pairs(new.name))


@lru_cache(maxsize=4096)
def _pairs(name: str) -> frozenset[str]:
    return frozenset(name[place : place + 2] for place in range(len(name) - 1))


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 0.0


def _surroundings(old: Place, new: Place) -> float:
    return 0.55 * _dice(old.siblings, new.siblings) + 0.45 * _common_outer(old, new)


def _common_outer(old: Place, new: Place) -> float:
    """The part of the names around that is the same, counted from the inside."""
    if not old.outer and not new.outer:
        return 1.0
    return _common_tail(old, new) / max(len(old.outer), len(new.outer))


def _common_tail(old: Place, new: Place) -> int:
    count = 0
    for one, other in zip(reversed(old.outer), reversed(new.outer), strict=False):
        if one != other:
            break
        count += 1
    return count


def _convincing(old: Place, new: Place, name: float, around: float, value: float) -> bool:
    """What a person would call the same field on sight."""
    if not old.type:
        return name > 0.9 and _common_tail(old, new) >= 1
    if old.type != new.type and "null" not in (old.type, new.type):
        return False
    if new.many and not old.many and value < 0.5:
        return False
    if name > 0.9:
        return value >= 0.5 or _moved_together(old, new)
    return name >= 0.5 and value >= 0.5 and (_dice(old.siblings, new.siblings) >= 0.5 or around > 0.6)


def _moved_together(old: Place, new: Place) -> bool:
    """Whether the neighbours came along; with no neighbours, whether the way to it only grew or shrank outside."""
    if old.siblings or new.siblings:
        return _dice(old.siblings, new.siblings) >= 0.6
    return _common_tail(old, new) == min(len(old.outer), len(new.outer))


def _reason(name: float, type_fits: bool, around: float, same_value: bool, old: Place) -> str:
    words = []
    if name > 0.9:
        words.append("same name")
    elif name >= 0.5:
        words.append("similar name")
    if same_value:
        words.append("same value")
    if around >= 0.5:
        words.append("same neighbours")
    if type_fits and old.type:
        words.append("same type")
    return ", ".join(words) or "new in the answer"
