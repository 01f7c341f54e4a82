"""After drift: where the value of a broken rule may be now, and which place is chosen beforehand.

A rule is broken where its path is gone, or yields an object or a list where it gave a plain value. The places that went
are matched with those that came (`matching`). Chosen is only what is clearly the best of them and what no doubt speaks
against; everything else is offered, the best first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from httpstep.core.drift.likeness import UNLIKELY_EQUAL, added_words, has_same_parent, has_same_words, odd_words
from httpstep.core.drift.matching import TELLING, Match, Matching
from httpstep.core.drift.places import CONTAINERS, DocumentNode, generic
from httpstep.core.jsontext import Json, Path
from httpstep.core.query import jsonpath
from httpstep.core.step.spec import MappingRule

_MAX_CANDIDATES: Final = 5
_LEAST_SCORE: Final = -6.0
"""In log odds. Below it a place is not worth a look."""
_LIKELY: Final = 0.7
_SURE: Final = 0.95
_LONG: Final = 28
"""Characters of a value and the name of its type."""
_HALF_NAMED: Final = 0.6
"""Names less alike share a general word, as `creator_id` and `user_id` do."""
_TIMES: Final = 5.0


class Candidate(Struct, frozen=True):
    """A place that may be meant. score: 0 to 1. reason: a few words ("same name, same value")."""

    path: Path
    score: float
    reason: str


class Move(Struct, frozen=True):
    """What became of one broken rule. path: the place that is meant beyond doubt, None where there is none; likely: the
    place to choose beforehand where there is no `path`. reason: why it is chosen, or why not. candidates: for people."""

    index: int
    rule: MappingRule
    path: Path | None
    reason: str
    candidates: tuple[Candidate, ...] = ()
    likely: Path | None = None

    @property
    def chosen(self) -> Path | None:
        """What is chosen beforehand where a person looks on."""
        return self.path or self.likely


def candidates(rule: MappingRule, old_document: Json, new_document: Json) -> list[Candidate]:
    """The best places for a rule that finds nothing any more, best first. old_document None: not known."""
    return list(_Comparison([rule], old_document, new_document).move(0, rule).candidates)


def remap(
    rules: Sequence[MappingRule], old_document: Json, new_document: Json
) -> tuple[tuple[MappingRule, ...], list[Move]]:
    """The rules, those moved whose new place is beyond doubt, and a Move for every broken one.

    A rule whose path still gives what it gave is left alone, name and all; so is one that an empty list or a null hides.
    """
    comparison = _Comparison(rules, old_document, new_document)
    moves = [comparison.move(index, rule) for index, rule in enumerate(rules) if comparison.is_broken(rule)]
    moves = _without_collisions([move for move in moves if comparison.is_told(move)])
    return moved(rules, {move.index: move.path for move in moves if move.path is not None}), moves


def moved(rules: Sequence[MappingRule], paths: dict[int, Path]) -> tuple[MappingRule, ...]:
    """The rules, those with these indices reading from these paths."""
    return tuple(
        replace(rule, path=paths[index], jsonpath=None) if index in paths else rule for index, rule in enumerate(rules)
    )


def _without_collisions(moves: list[Move]) -> list[Move]:
    """Two rules that read different places before never end at one place."""
    sources: dict[Path, set[Path]] = defaultdict(set)
    for move in moves:
        if move.chosen is not None:
            sources[move.chosen].add(_path_of(move.rule) or ())
    return [
        replace(move, path=None, likely=None, reason="two rows would read the same place")
        if move.chosen is not None and len(sources[move.chosen]) > 1
        else move
        for move in moves
    ]


def _path_of(rule: MappingRule) -> Path | None:
    """The path a rule reads: its own, or that of a query that names one place."""
    if rule.path is not None or rule.jsonpath is None or jsonpath.check_query(rule.jsonpath):
        return rule.path
    return jsonpath.singular_path(rule.jsonpath)


# ---------------------------------------------------------------- two documents


class _Comparison:
    def __init__(self, rules: Sequence[MappingRule], old: Json, new: Json) -> None:
        self.new_document = new
        paths = [generic(path) for path in map(_path_of, rules) if path is not None]
        self.matching = Matching(old, new, paths)

    def is_broken(self, rule: MappingRule) -> bool:
        """Whether it may find nothing, or something else, from now on."""
        path = _path_of(rule)
        if path is not None:
            place = generic(path)
            told = place in self.matching.changed or place in self.matching.retyped
            return told or not _may_hold(self.new_document, path)
        if rule.jsonpath is None or jsonpath.check_query(rule.jsonpath):
            return False
        return not _may_hold(self.new_document, jsonpath.searched_path(rule.jsonpath))

    def is_told(self, move: Move) -> bool:
        """A plain value of another kind at its old place is a matter only where a better place is chosen."""
        path = _path_of(move.rule)
        if path is None or generic(path) not in self.matching.retyped:
            return True
        return move.chosen not in (None, path)

    def move(self, index: int, rule: MappingRule) -> Move:
        path = _path_of(rule)
        if path is None:
            return Move(index, rule, None, "a query is moved by hand")
        matches = self.matching.of(generic(path))
        offered = [(match, self._with_indices(match.new.path, path)) for match in matches]
        found = tuple(
            Candidate(placed, max(round(match.chance, 3), 0.001), match.reason)
            for match, placed in offered
            if placed is not None and match.score >= _LEAST_SCORE
        )[:_MAX_CANDIDATES]
        if not offered:
            return Move(index, rule, None, "nothing in the answer looks like it", found)
        best, placed = offered[0]
        doubt = self._doubt(matches) if placed is not None else "its place in the list is not there"
        if doubt:
            return Move(index, rule, None, doubt, found)
        sure = best.chance >= _SURE and _is_told_by_name(best)
        return Move(index, rule, placed if sure else None, best.reason, found, None if sure else placed)

    def _doubt(self, matches: list[Match]) -> str:
        """Why the best of them is not chosen; "" where it is. In the order of how much a person can do with it."""
        best, others = matches[0], matches[1:]
        if others and 0.2 < best.chance < _times(best, others[0]) * others[0].chance:
            return "several places look like it"
        if best.chance < _LIKELY:
            return "nothing in the answer is surely the same"
        if self.matching.is_wanted(best):
            return "another value may have gone there"
        told = self.matching.sameness >= 0.5 and self._is_told_by_value(best)
        if not told and any(_points_elsewhere(other, best) for other in others[:_MAX_CANDIDATES]):
            return "its value is in one place, its neighbours in another"
        if best.like.equal:
            twin = best.like.name < _HALF_NAMED and any(other.like.equal >= best.like.equal for other in others)
            return "its value is in several places" if twin else _doubt_of_equal(best, self.matching)
        return _doubt_of_other(best, self.matching)

    def _is_told_by_value(self, best: Match) -> bool:
        """Whether the value alone tells: one that is hardly ever equal by chance, and once in each of the answers."""
        telling = best.old.kind in UNLIKELY_EQUAL and best.old.information >= 1
        return bool(best.like.equal) and telling and not self.matching.has_twin(best.old, best.new)

    def _with_indices(self, place: Path, path: Path) -> Path | None:
        """The new place with the rule's own indices, counted from the end; None where a list is too short for them."""
        own = [part for part in path if isinstance(part, int)]
        if not any(own):
            return place
        placed = list(place)
        for position in reversed(range(len(placed))):
            if own and isinstance(placed[position], int):
                placed[position] = own.pop()
        return tuple(placed) if not any(own) and _resolves(tuple(placed), self.new_document) else None


def _times(best: Match, other: Match) -> float:
    """So many times likelier than the next one is clearly the best; half for the same name and value beside another
    name."""
    return _TIMES / 2 if best.like.equal and best.like.name > 0.95 > other.like.name else _TIMES


def _points_elsewhere(other: Match, best: Match) -> bool:
    """Whether what is around another place tells as clearly for it as the value tells for the best."""
    named = other.like.name >= best.like.name and other.like.kind is not False
    return named and other.along >= best.along and other.like.way > best.like.way + 0.1


def _is_told_by_name(best: Match) -> bool:
    """The same name, or a word of it with the same value: a synonym is likely at most."""
    shared = {word for word, _ in best.old.own} & {word for word, _ in best.new.own}
    return best.like.name > 0.95 or bool(best.like.equal and best.like.name >= 0.5 and shared)


def _doubt_of_equal(best: Match, matching: Matching) -> str:
    """What speaks against a place that has the same value."""
    old, new, like = best.old, best.new, best.like
    if old.kind == "flag" and (like.name < 0.95 or best.along < 0.5):
        return "a yes or no may be equal by chance"
    if like.name >= 0.5 or ((like.way >= 0.5 or like.in_place) and old.information >= TELLING):
        return ""
    if old.information < TELLING:
        return "a short value may be equal by chance"
    telling = old.kind in UNLIKELY_EQUAL and old.information >= 1 and not matching.has_twin(old, new)
    if telling and (_is_long(old) or not matching.stayed_beside(old)):
        return ""
    return "the value is the same, the name is another"


def _is_long(old: DocumentNode) -> bool:
    """Whether it is a sentence or a long address, which is nowhere twice by chance."""
    return old.kind in ("prose", "url") and len(old.keys[0]) >= _LONG


def _doubt_of_other(best: Match, matching: Matching) -> str:
    """What speaks against a place that has another value, or whose old value is not known."""
    old, new, like = best.old, best.new, best.like
    if not old.kind:
        told = like.name > 0.95 and like.way > 0.9 and sum(isinstance(part, str) for part in old.path) > 1
        return "" if told else "the accepted answer is not known"
    if like.kind is False:
        return "another kind of value"
    if new.type == "null":
        return "it is empty in this answer"
    if odd_words(old, new):
        return "the name says something else"
    if new.many and not old.many:
        return "one of several in a list"
    if old.kind == "flag" and (like.name < 0.95 or matching.sameness >= 0.5):
        return "a yes or no is not told by its name alone"
    if matching.sameness >= 0.5 and old.information >= TELLING and new.keys:
        named = like.name > 0.95 or (like.in_place and has_same_words(old, new))
        moved_whole = named and best.along >= 0.5 and not matching.is_elsewhere(old)
        return "" if moved_whole else "another value"
    moved_along = best.along >= 0.5 or has_same_parent(old, new)
    if not moved_along and old.kind not in CONTAINERS and added_words(old, new):
        return "nothing else moved there"
    return ""


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


def _may_hold(document: Json, path: Path) -> bool:
    """Whether a path exists in a document, in any item of a list, or may exist behind a null or an empty list."""
    found = [document]
    for part in path:
        if any(value is None or value == [] or value == {} for value in found):
            return True
        if isinstance(part, int):
            found = [item for value in found if isinstance(value, list) for item in value]
        else:
            found = [value[part] for value in found if isinstance(value, dict) and part in value]
    return bool(found)
