"""After drift: where a rule's value may have gone, and which rules can be moved there without doubt.

A place of the old answer that is gone is compared with the places that are new. Only a move that nothing else
competes with is made: same name with its neighbours or its value, or a part of the name with the value. A value
alone never moves a rule (a total equals a price, a day of creation a day of change); it only ranks a candidate, and
with its neighbours and something of the name makes it likely, to be chosen beforehand where a person looks on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from httpstep.core.answer import jsonpath
from httpstep.core.drift.likeness import (
    Likeness,
    Place,
    likeness,
    places_in,
)
from httpstep.core.drift.structure import Structure, shape_of
from httpstep.core.jsontext import Json, Path
from httpstep.core.step.spec import MappingRule

_MAX_CANDIDATES = 5
_LEAST_SCORE = 0.3
_MARGIN = 0.04
_SOME_NAME = 0.3
_CLEARLY = 0.1
"""By so much the likely place scores more than the next one."""
_MAX_COMPARED = 1500
"""More new places than this are compared only where name or value agree."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that may be meant. score: 0 to 1. reason: a few words ("same name, same value")."""

    path: Path
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Move:
    """What became of one broken rule. path: where it reads now, None if it stays broken. candidates: for people.

    likely: the one of them that a person would try first, where there is no doubtless `path`.
    """

    index: int
    rule: MappingRule
    path: Path | None
    reason: str
    candidates: tuple[Candidate, ...] = ()
    likely: Path | None = None


def candidates(rule: MappingRule, old_document: Json, new_document: Json) -> list[Candidate]:
    """The best places for a rule that finds nothing any more, best first. old_document None: not known."""
    return _Comparison(old_document, new_document).candidates(rule)


def remap(
    rules: Sequence[MappingRule], old_document: Json, new_document: Json
) -> tuple[tuple[MappingRule, ...], list[Move]]:
    """The rules, those moved whose new place is beyond doubt, and a Move for every broken one.

    A rule whose path still exists is left alone, name and all; so is one that an empty list or a null hides.
    """
    comparison = _Comparison(old_document, new_document)
    moves = [comparison.move(index, rule) for index, rule in enumerate(rules) if comparison.is_broken(rule)]
    moves = _without_collisions(moves)
    moved = {move.index: move.path for move in moves if move.path is not None}
    result = tuple(
        replace(rule, path=moved[index], jsonpath=None) if index in moved else rule for index, rule in enumerate(rules)
    )
    return result, moves


def _without_collisions(moves: list[Move]) -> list[Move]:
    """Two rules that read different places before never end at one place."""
    sources: dict[Path, set[Path]] = defaultdict(set)
    for move in moves:
        if move.path is not None:
            sources[move.path].add(_path_of(move.rule) or ())
    moves = [
        replace(move, path=None, reason="two rules would read the same place")
        if move.path is not None and len(sources[move.path]) > 1
        else move
        for move in moves
    ]
    for move in moves:
        if move.likely is not None:
            sources[move.likely].add(_path_of(move.rule) or ())
    return [
        replace(move, likely=None) if move.likely is not None and len(sources[move.likely]) > 1 else move
        for move in moves
    ]


def _path_of(rule: MappingRule) -> Path | None:
    """The path a rule reads: its own, or that of a query that names one place."""
    if rule.path is not None or rule.jsonpath is None or jsonpath.check_query(rule.jsonpath):
        return rule.path
    return jsonpath.singular_path(rule.jsonpath)


# ---------------------------------------------------------------- two documents


class _Comparison:
    """The places of both documents, and those that are gone or new. A place is known by its path with every index 0."""

    def __init__(self, old: Json, new: Json) -> None:
        self.new_document = new
        self.shape = shape_of(new)
        self.old = {place.path: place for place in places_in(old)} if old is not None else {}
        self.new = {place.path: place for place in places_in(new)}
        self._last: tuple[Path, list[tuple[Place, Likeness]]] | None = None
        self.gone = _Index(place for path, place in self.old.items() if path not in self.new)
        self.added = _Index(place for path, place in self.new.items() if path not in self.old)

    def is_broken(self, rule: MappingRule) -> bool:
        path = _path_of(rule)
        if path is not None:
            return not _may_hold(self.shape, path)
        if rule.jsonpath is None or jsonpath.check_query(rule.jsonpath):
            return False
        return not _may_hold(self.shape, jsonpath.searched_path(rule.jsonpath))

    def candidates(self, rule: MappingRule) -> list[Candidate]:
        path = _path_of(rule)
        if path is None:
            return []
        ranked = self._ranked(self._gone_place(path))
        found = [(self._with_indices(place.path, path), like) for place, like in ranked if like.score >= _LEAST_SCORE]
        return [
            Candidate(place or (), round(like.score, 3), like.reason)
            for place, like in found[:_MAX_CANDIDATES]
            if place is not None
        ]

    def move(self, index: int, rule: MappingRule) -> Move:
        found = tuple(self.candidates(rule))
        path = _path_of(rule)
        if path is None:
            return Move(index, rule, None, "a query is moved by hand", found)
        target, reason = self._target(self._gone_place(path))
        placed = self._with_indices(target.path, path) if target else None
        if placed is None:
            likely = self._likely(self._gone_place(path))
            where = self._with_indices(likely.path, path) if likely else None
            why = reason if target is None else "its place in the list is not there"
            return Move(index, rule, None, why, found, where)
        return Move(index, rule, placed, reason, found)

    def _gone_place(self, path: Path) -> Place:
        generic = _generic(path)
        return self.old.get(generic) or Place.unknown(generic)

    def _ranked(self, gone: Place) -> list[tuple[Place, Likeness]]:
        """The new places by how much they look like it. Asked twice for each broken rule."""
        if self._last is None or self._last[0] != gone.path:
            self._last = (gone.path, self._compared(gone))
        return self._last[1]

    def _compared(self, gone: Place) -> list[tuple[Place, Likeness]]:
        near = self.added.near(gone)
        others = self.added.places if len(self.added.places) <= _MAX_COMPARED else []
        places = {place.path: place for place in (*near[:_MAX_COMPARED], *others)}
        ranked = [(place, likeness(gone, place)) for place in places.values()]
        return sorted(ranked, key=lambda pair: (-pair[1].score, len(pair[0].path)))

    def _target(self, gone: Place) -> tuple[Place | None, str]:
        """The only place this can have gone to, or None and why not."""
        rivals = self.added.near(gone)
        if len(rivals) > _MAX_COMPARED:
            return None, "too many places have this name"
        sure = sorted(
            ((place, likeness(gone, place)) for place in rivals), key=lambda pair: pair[1].score, reverse=True
        )
        if not sure or not sure[0][1].convincing:
            return None, "nothing in the answer is surely the same"
        best, like = sure[0]
        if not all(like.beats(other, _MARGIN) for _, other in sure[1:]):
            return None, "several places may be meant"
        if self._wanted_elsewhere(gone, best, like):
            return None, "another field may have gone there"
        return best, like.reason

    def _likely(self, gone: Place) -> Place | None:
        """The lone or clearly best place with the same value, neighbours, and something of the name."""
        ranked = self._ranked(gone)[:2]
        if not ranked:
            return None
        best, like = ranked[0]
        strong = min(like.value, like.around) >= 0.5 and like.name >= _SOME_NAME
        alone = len(ranked) == 1 or like.score - ranked[1][1].score >= _CLEARLY
        return best if strong and alone and not self._wanted_elsewhere(gone, best, like) else None

    def _wanted_elsewhere(self, gone: Place, best: Place, like: Likeness) -> bool:
        """Whether another place that is gone fits the new one as well."""
        others = self.gone.near(best)
        if len(others) > _MAX_COMPARED:
            return True
        return not all(like.beats(likeness(other, best), _MARGIN) for other in others if other.path != gone.path)

    def _with_indices(self, generic: Path, path: Path) -> Path | None:
        """The new place with the rule's own indices, counted from the end; None where a list is too short for them."""
        own = [part for part in path if isinstance(part, int)]
        if not any(own):
            return generic
        placed = list(generic)
        for place in reversed(range(len(placed))):
            if own and isinstance(placed[place], int):
                placed[place] = own.pop()
        return tuple(placed) if not any(own) and _resolves(tuple(placed), self.new_document) else None


class _Index:
    """Places by the words of their name and by their value."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.places = list(places)
        self._by_word: dict[str, list[Place]] = defaultdict(list)
        self._by_value: dict[str, list[Place]] = defaultdict(list)
        for place in self.places:
            for word in {*place.words, place.name}:
                self._by_word[word].append(place)
            if place.weight > 0:
                self._by_value[place.text].append(place)

    def near(self, other: Place) -> list[Place]:
        """All that share a word of the name or the value with the other place, each once; of more than are compared,
        not all."""
        found = {
            place.path: place
            for word in {*other.words, other.name}
            for place in self._by_word.get(word, ())[: _MAX_COMPARED + 1]
        }
        if other.weight > 0:
            found |= {place.path: place for place in self._by_value.get(other.text, ())[: _MAX_COMPARED + 1]}
        return list(found.values())


def _generic(path: Path) -> Path:
    return tuple(0 if isinstance(part, int) else part for part in path)


def _resolves(path: Path, document: Json) -> bool:
    value = document
    for part in path:
        if isinstance(part, int):
            there = isinstance(value, list) and part < len(value)
        else:
            there = isinstance(value, dict) and part in value
        if not there:
            return False
        value = value[part]
    return True


def _may_hold(shape: Structure, path: Path) -> bool:
    """Whether a path exists in a shape, or may exist behind a null or an empty list."""
    for part in path:
        if shape["types"] == ["null"]:
            return True
        if isinstance(part, int):
            if "array" not in shape["types"]:
                return False
            if "items" not in shape:
                return True
            shape = shape["items"]
        else:
            shape = shape.get("fields", {}).get(part)
            if shape is None:
                return False
    return True
