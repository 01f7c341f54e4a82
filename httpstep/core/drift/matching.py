"""The places that went from an answer, matched as a whole with those that came.

Each pair has log odds by itself (`likeness`). Then the pairs speak for each other: values that moved from one parent to
another make it likelier that a further one did, and a new place that another old one has a claim on is less likely.
The weights are from what APIs really changed (benchmarks/api_changes.json).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from httpstep.core.drift.likeness import Likeness, kind_fits, likeness, reason
from httpstep.core.drift.places import CONTAINERS, DocumentNode, places_in
from httpstep.core.drift.words import meanings
from httpstep.core.jsontext import Json, Path

TELLING: Final = 0.6
"""Of a value that says this much, an equal one is hardly a chance."""
_ROUNDS: Final = 4
_ABOUT: Final = 0.7
"""Log odds that are no difference."""
_DENSE: Final = 10_000
"""Up to so many pairs all are compared; of more, those that share a word or a value."""
_NEAR: Final = 20
_ONE_BUCKET: Final = 200
_SIBLINGS: Final = 10
_ALONG: Final = 2.5
"""Log odds that the parents which moved together add, at most."""


class Match(Struct):
    """A new place for an old one. along: 0 to 1, how much of what was beside it went there too. score: log odds against
    no place at all, chance: against all others too, 0 to 1."""

    old: DocumentNode
    new: DocumentNode
    like: Likeness
    score: float
    alone: float = 0.0
    along: float = 0.0
    chance: float = 0.0

    @property
    def reason(self) -> str:
        """A few words for a person."""
        return reason(self.like, self.along)


class Matching:
    """gone: the old places by their path with every index 0: those that are not there any more, and those with a list,
    an object (`changed`) or another kind of value now (`retyped`). sameness: the share of the old answer's telling
    values that the new one has. wanted: paths that rules read, which are asked for by `of`."""

    def __init__(self, old: Json, new: Json, wanted: Sequence[Path]) -> None:
        before = {place.path: place for place in places_in(old)} if old is not None else {}
        after = {place.path: place for place in places_in(new)}
        both = before.keys() & after.keys()
        changed = self.changed = {path for path in both if _is_another(before[path], after[path])}
        self.retyped = {path for path in both if _is_retyped(before[path], after[path])}
        self.gone = {path: place for path, place in before.items() if path not in after or path in changed}
        self.gone |= {path: before[path] for path in self.retyped}
        self.gone |= {path: DocumentNode.unknown(path) for path in wanted if path not in before and path not in after}
        came = changed | self.retyped
        self._added = _Index(place for path, place in after.items() if path not in before or path in came)
        self._values = Counter(key for place in after.values() for key in place.keys)
        self._old_values = Counter(place.keys[0] for place in before.values() if place.keys)
        telling = [place for place in before.values() if place.information >= TELLING]
        self.sameness = sum(map(self.is_elsewhere, telling)) / len(telling) if telling else 0.0
        self._matches = self._compared(set(wanted))
        self._stayed = Counter(parent_of(path) for path in both - self.gone.keys())
        self._decide()
        self._claimed = self._claims()

    def of(self, path: Path) -> list[Match]:
        """The new places for one that is gone, the likeliest first."""
        return self._matches.get(path, [])

    def is_elsewhere(self, old: DocumentNode) -> bool:
        """Whether the value is anywhere in the new answer."""
        return any(key in self._values for key in old.keys)

    def is_wanted(self, match: Match) -> bool:
        """Whether another old place fits the new one about as well."""
        return any(
            other.alone > match.alone - _ABOUT and other.like.name >= match.like.name
            for other in self._claimed[match.new.path]
            if other is not match and not _is_twin(other.old, match.old)
        )

    def stayed_beside(self, old: DocumentNode) -> bool:
        """Whether something that was beside it is still at its place."""
        return self._stayed[parent_of(old.path)] > 0

    def has_twin(self, old: DocumentNode, new: DocumentNode) -> bool:
        """Whether the value is more than once in one of the answers."""
        return self._old_values[old.keys[0]] > 1 or self._values[new.keys[0]] > 1

    # ------------------------------------------------------------ pairs

    def _compared(self, wanted: set[Path]) -> dict[Path, list[Match]]:
        dense = len(self.gone) * len(self._added.places) <= _DENSE
        found = {}
        for path, old in (self.gone if dense else self._around(wanted)).items():
            near = self._added.places if dense else self._added.near(old)
            exactly = bool(old.keys) and old.keys[0] in self._values
            pairs = [(new, likeness(old, new, self.sameness, exactly=exactly)) for new in near if _comparable(old, new)]
            found[path] = [Match(old, new, like, like.score) for new, like in pairs]
        return found

    def _around(self, wanted: set[Path]) -> dict[Path, DocumentNode]:
        """Of very many places those that rules read, with some that went from beside them."""
        found = {path: self.gone[path] for path in wanted if path in self.gone}
        room = Counter({parent_of(path): _SIBLINGS for path in wanted})
        for path, place in self.gone.items():
            if room[parent_of(path)] > 0:
                room[parent_of(path)] -= 1
                found[path] = place
        return found

    # ------------------------------------------------------------ as a whole

    def _decide(self) -> None:
        self._spread()
        for _ in range(2):
            votes = self._votes()
            for match in self._all():
                match.along = _went_along(match, votes)
                match.alone = match.score = match.like.score + _ALONG * match.along
            self._spread()
        for _ in range(_ROUNDS):
            self._exclude()
        for matches in self._matches.values():
            matches.sort(key=lambda match: (-match.score, len(match.new.path)))

    def _exclude(self) -> None:
        """A new place is for one old one: what another one has a claim on is less likely."""
        for claims in self._claims().values():
            for match in claims:
                others = [one.chance for one in claims[:4] if one is not match and not _is_twin(one.old, match.old)]
                free = math.log(max(1 - max(others, default=0.0), 0.01))
                match.score = (match.score + match.alone + free) / 2
        self._spread()

    def _claims(self) -> dict[Path, list[Match]]:
        """The matches of each new place, the likeliest first."""
        claims: dict[Path, list[Match]] = defaultdict(list)
        for match in self._all():
            claims[match.new.path].append(match)
        for found in claims.values():
            found.sort(key=lambda match: -match.chance)
        return claims

    def _all(self) -> Iterator[Match]:
        for matches in self._matches.values():
            yield from matches

    def _spread(self) -> None:
        """The chances of each old place over the new ones and over none of them."""
        for matches in self._matches.values():
            odds = [math.exp(min(match.score, 50.0)) for match in matches]
            total = 1.0 + sum(odds)
            for match, one in zip(matches, odds, strict=True):
                match.chance = one / total

    def _votes(self) -> dict[tuple[Path, Path], float]:
        """How much went from one parent to another; what stayed, from one to itself."""
        votes: dict[tuple[Path, Path], float] = defaultdict(float)
        for path, count in self._stayed.items():
            votes[path, path] += count
        for match in self._all():
            for pair, part in _parents(match):
                votes[pair] += part * _vote(match)
        return votes


def _parents(match: Match) -> list[tuple[tuple[Path, Path], float]]:
    """The parents of the two places, whole, and those around them, half, where they are others now."""
    old, new = parent_of(match.old.path), parent_of(match.new.path)
    around = parent_of(old), parent_of(new)
    return [((old, new), 1.0), *([(around, 0.5)] if old and around[0] != around[1] else [])]


def _went_along(match: Match, votes: dict[tuple[Path, Path], float]) -> float:
    """The votes of others for this move, at most 1; of an object or list, those of what is in it."""
    mine = sum(part * (votes[pair] - part * _vote(match)) for pair, part in _parents(match))
    if match.old.type in CONTAINERS:
        mine += votes[match.old.path, match.new.path] + votes[(*match.old.path, 0), (*match.new.path, 0)]
    return max(0.0, min(1.0, mine))


def _vote(match: Match) -> float:
    return match.chance if match.chance >= 0.5 else 0.0


def parent_of(path: Path) -> Path:
    """The object around a place: of an item of a list, the one around the list."""
    end = len(path)
    while end and isinstance(path[end - 1], int):
        end -= 1
    return path[: max(end - 1, 0)]


def _comparable(old: DocumentNode, new: DocumentNode) -> bool:
    return new.type == old.type or not (new.type in CONTAINERS or old.type in CONTAINERS)


def _is_twin(one: DocumentNode, other: DocumentNode) -> bool:
    """Whether they hold the same telling value, so that both may have become one (`id`, `id_str`)."""
    return one.information >= TELLING and bool(set(one.keys) & set(other.keys))


def _is_another(old: DocumentNode, new: DocumentNode) -> bool:
    """Whether a plain value became a list or an object, or the other way round; nothing, and an empty one, hides it."""
    if "null" in (old.type, new.type) or new.empty or old.empty:
        return False
    return (old.type in CONTAINERS) != (new.type in CONTAINERS)


def _is_retyped(old: DocumentNode, new: DocumentNode) -> bool:
    return bool(old.keys and new.keys) and kind_fits(old, new) is False and not set(old.keys) & set(new.keys)


class _Index:
    """Places by the words of their name, by their value and by the end of their path."""

    def __init__(self, places: Iterable[DocumentNode]) -> None:
        self.places = list(places)
        self._by: dict[object, list[DocumentNode]] = defaultdict(list)
        for place in self.places:
            for mark in _marks(place):
                self._by[mark].append(place)

    def near(self, other: DocumentNode) -> list[DocumentNode]:
        """Those that have most in common with the other place; what very many have in common does not count."""
        shared: Counter[Path] = Counter()
        known: dict[Path, DocumentNode] = {}
        for mark in _marks(other):
            bucket = self._by.get(mark, ())
            if len(bucket) <= _ONE_BUCKET:
                known |= {place.path: place for place in bucket}
                shared.update(place.path for place in bucket)
        return [known[path] for path, _ in shared.most_common(_NEAR)]


def _marks(place: DocumentNode) -> set[object]:
    words = {meaning for word, _ in place.own for meaning in meanings(word)}
    return {*words, *place.keys, ("end", place.path[-2:])}
