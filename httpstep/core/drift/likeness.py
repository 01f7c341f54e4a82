"""How much a place of one answer looks like a place of another: by value, name, kind, and what moved along with it."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from httpstep.core.drift import words
from httpstep.core.drift.places import CONTAINERS, DocumentNode
from httpstep.core.drift.words import GENERAL, QUALIFIERS
from httpstep.core.jsontext import Path

_NOTHING: Final = -7.0
_NOTHING_KNOWN: Final = -5.8
"""Where the old answer is not known there is nothing but the name."""
_NAME: Final = 5.0
_WAY: Final = 4.0
_VALUE: Final = 6.0
_KIND: Final = {True: 1.0, None: 0.0, False: -2.5}
_ANOTHER_VALUE: Final = -2.0
_EMPTY: Final = -1.5
_LISTS: Final = -0.5
_ODD_WORD: Final = -1.0
_SAME_PARENT: Final = 1.0
_NO_CHANCE: Final = 2.0
"""More for an equal value of a kind that is hardly ever equal by chance."""
UNLIKELY_EQUAL: Final = frozenset({"url", "mail", "id", "prose", "measure"})
_ALIKE: Final = {
    frozenset(pair)
    for pair in (
        ("id", "word"),
        ("id", "number"),
        ("word", "prose"),
        ("id", "prose"),
        ("number", "date"),
        ("id", "date"),
        ("id", "path"),
        ("number", "measure"),
        ("url", "path"),
    )
}


class Likeness(Struct, frozen=True):
    """score: log odds against "none of them", without what moved along. name, way: 0 to 1. equal: 1 the same value,
    0.9 in another spelling, 0 another. kind: of the values, whether they fit; None: cannot be told. in_place: the text
    became an object or list that the new place is in, or the other way round."""

    score: float
    name: float
    way: float
    equal: float
    kind: bool | None
    in_place: bool = False


def likeness(old: DocumentNode, new: DocumentNode, sameness: float, *, exactly: bool = False) -> Likeness:
    """sameness: the share of the old answer's telling values that the new one has: with 1, another value tells
    against a place, with 0 nothing. exactly: the very value is somewhere in the new answer, so that another spelling of
    it says half."""
    name, way = _name(old, new), words.likeness(old.way, new.way)
    if old.type in CONTAINERS and old.own[:1] == new.own[:1]:
        name = max(name, 0.96)
    equal, kind, in_place = _equal(old, new, exactly), kind_fits(old, new), _is_in_place(old.path, new.path)
    if in_place and kind:
        name = max(name, 0.6)
    score = (
        (_NOTHING if old.kind else _NOTHING_KNOWN)
        + _NAME * name
        + _WAY * way
        + _KIND[True if equal and old.information >= 0.5 else kind]
    )
    if equal:
        score += (_VALUE + _NO_CHANCE * (old.kind in UNLIKELY_EQUAL)) * equal * old.information
    elif new.type == "null":
        score += _EMPTY
    elif old.keys and new.keys:
        score += _ANOTHER_VALUE * sameness * old.information
    if _lists(old.path) != _lists(new.path):
        score += _LISTS
    score += _ODD_WORD * bool(odd_words(old, new)) + _SAME_PARENT * _parent_likeness(old, new)
    return Likeness(score, name, way, equal, kind, in_place)


def _name(old: DocumentNode, new: DocumentNode) -> float:
    """Of the names; or of one with the other and what is around it (`default_branch`, `defaultBranch.name`)."""
    crossed = max(words.likeness(old.own, new.joint), words.likeness(old.joint, new.own))
    joined = _joined(old) == _words(new) or _words(old) == _joined(new)
    return max(words.likeness(old.own, new.own), 0.95 if joined else 0.9 * crossed)


def _words(place: DocumentNode) -> frozenset[str]:
    return frozenset(word for word, _ in place.own)


def _joined(place: DocumentNode) -> frozenset[str]:
    """The words of its name and of the one around it."""
    return frozenset(word for word, _ in place.joint)


def _is_in_place(old: Path, new: Path) -> bool:
    shorter, longer = sorted((old, new), key=len)
    return bool(shorter) and longer[: len(shorter)] == shorter


def _equal(old: DocumentNode, new: DocumentNode, exactly: bool) -> float:
    if not old.keys or not new.keys:
        return 0.0
    if old.keys[0] == new.keys[0]:
        return 1.0
    return (0.5 if exactly else 0.9) if set(old.keys) & set(new.keys) else 0.0


def kind_fits(old: DocumentNode, new: DocumentNode) -> bool | None:
    """Whether the values may be of one meaning by their kinds; None where that cannot be told."""
    if not old.kind or "null" in (old.kind, new.kind):
        return None
    if old.kind == new.kind:
        return True
    return None if frozenset((old.kind, new.kind)) in _ALIKE else False


def _lists(path: Path) -> int:
    return sum(isinstance(part, int) for part in path)


def has_same_words(old: DocumentNode, new: DocumentNode) -> bool:
    """Whether their names are the same but for words that say little."""
    mine, theirs = _words(old) - GENERAL, _words(new) - GENERAL
    return bool(mine) and mine == theirs


def has_same_parent(old: DocumentNode, new: DocumentNode) -> bool:
    """Whether what is around both has one name, and that says something."""
    return _parent_likeness(old, new) == 1


def _parent_likeness(old: DocumentNode, new: DocumentNode) -> float:
    """0 to 1: the share of the telling words that what is around one has in common with what is around the other."""
    mine, theirs = _joined(old) - _words(old) - GENERAL, _joined(new) - _words(new) - GENERAL
    return 2 * len(mine & theirs) / (len(mine) + len(theirs)) if mine and theirs else 0.0


def odd_words(old: DocumentNode, new: DocumentNode) -> set[str]:
    """Words that make another value of a name, and stand in the name of one of the two only."""
    return _alone(old.own, new.joint) | _alone(new.own, old.joint)


def _alone(mine: words.Weighted, theirs: words.Weighted) -> set[str]:
    return {
        word
        for word, _ in mine
        if word in QUALIFIERS and not any(words.word_likeness(word, other) >= 0.75 for other, _ in theirs)
    }


def added_words(old: DocumentNode, new: DocumentNode) -> set[str]:
    """Telling words on the way to the new place that nothing on the old way is like."""
    known = [word for word, _ in old.way]
    return {
        word
        for word, _ in new.way
        if word not in GENERAL and not any(words.word_likeness(word, other) >= 0.6 for other in known)
    }


def reason(found: Likeness, moved_along: float) -> str:
    """A few words for a person."""
    told = []
    if found.name > 0.95:
        told.append("same name")
    elif found.name >= 0.5:
        told.append("similar name")
    if found.equal:
        told.append("same value" if found.equal == 1.0 else "same value in another spelling")
    if moved_along >= 0.5:
        told.append("same neighbours")
    if found.kind:
        told.append("same type")
    return ", ".join(told) or "new in the answer"
