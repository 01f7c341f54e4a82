"""The difference of two structures (`core.drift.structure`): what is gone, what changed its type, what is new.

The rules are asked as one tree of the places they read, walked beside the two structures, so that the work grows with
the structures and not with their differences times the rules. Of each kind 200 differences are listed at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import islice
from typing import Final

from msgspec import Struct, field

from httpstep.core.answer.dictionaries import ANY
from httpstep.core.jsontext import Json, Path
from httpstep.core.query import jsonpath
from httpstep.core.step.execution import NO_DRIFT, Change, Drift
from httpstep.core.step.spec import MappingRule
from httpstep.core.workcounter import WorkCounter

MAX_LISTED: Final = 200
"""Changes of one kind in a Drift; what is mapped goes first."""


def compare(accepted: Json, latest: Json, rules: Sequence[MappingRule] = (), work: WorkCounter | None = None) -> Drift:
    """What is gone, what changed its type and what is new in `latest`.

    No drift: null instead of a value or a value instead of null, an empty list, what shows behind one, an empty object for a list and an empty
    list for an object (PHP), an optional field that is away, a field that only some items of a list still have. `mapped` is set where a rule that is on reads that path or below.
    """
    if accepted == latest:
        return NO_DRIFT  # as of nearly every call: told apart in C, without the rules
    comparison = _Comparison(work or WorkCounter())
    comparison.place(accepted, latest, (), _reads_of(rules))
    return comparison.drift()


def types_of(node: Json) -> str:
    """The types at a place in words: "number", "number or string", "null"."""
    return " or ".join(sorted(_solid(node))) or "null"


def _solid(node: Json) -> set[str]:
    """The types at a place without null, which stands for any of them."""
    return set(node["types"]) - {"null"}


def is_hollow(node: Json) -> bool:
    """Whether a list or an object at the place was never seen with anything in it."""
    return not node.get("items") and not node.get("fields") and not node.get("values")


def solid(node: Json) -> set[str]:
    """The types that say something: without null, and without a list or an object that was always empty."""
    types = _solid(node)
    if "array" in types and not node.get("items"):
        types.discard("array")
    if "object" in types and not node.get("fields") and not node.get("values"):
        types.discard("object")
    return types


def holds_something(node: Json) -> bool:
    """Whether there is any value in it: not where it is `[]`, `{}`, null, or holds nothing but these."""
    if node.get("fields"):
        return any(map(holds_something, node["fields"].values()))
    inside = node.get("items") or node.get("values")
    return holds_something(inside) if inside else bool(solid(node))


def possible(node: Json) -> set[str]:
    """The types that are no change at a place: an empty list may be an object and an empty object a list."""
    types = _solid(node)
    return types | {"array", "object"} if types & {"array", "object"} and is_hollow(node) else types


def _is_compatible(accepted: Json, latest: Json) -> bool:
    """Whether types that differ are no change: an empty list or object stands for the other."""
    was = possible(accepted)
    now = solid(latest) if was & {"array", "object"} else _solid(latest)
    return now <= was


# ---------------------------------------------------------------- what the rules read


class _Reads:
    """What rules read at a place and below it. searches: a query searches the place, so that all below is read."""

    __slots__ = ("_anywhere", "_below", "searches")

    def __init__(self) -> None:
        self.searches = False
        self._below: dict[str | int, list[_Reads]] = {}
        self._anywhere: _Reads | None = None

    def add(self, path: Path, *, searches: bool) -> None:
        place = self
        for part in path:
            place = place._below.setdefault(part, [_Reads()])[0]
        place.searches |= searches

    def at(self, part: str) -> _Reads | None:
        """Of a place inside, "*" for any of them; None where nothing is read there."""
        if self.searches:
            return _EVERYTHING
        if part == ANY:
            if self._anywhere is None:
                self._anywhere = _united([one for below in self._below.values() for one in below])
            return self._anywhere if self._below else None
        found = self._below.get(part)
        if found is None:
            return None
        if len(found) > 1:
            found[:] = [_united(found)]
        return found[0]

    def among(self, names: Mapping[str, Json]) -> Set[str]:
        """Those of the names in this place at which something is read."""
        if self.searches:
            return names.keys()
        anywhere = {ANY} if self._below else set()
        return {name for name in names if name in self._below or name in anywhere}

    @classmethod
    def united(cls, places: Iterable[_Reads]) -> _Reads:
        """All of them as one, by their first level only: what is below that is united when somebody looks."""
        whole = cls()
        for place in places:
            whole.searches |= place.searches
            for part, below in place._below.items():
                whole._below.setdefault(part, []).extend(below)
        return whole


def _united(places: list[_Reads]) -> _Reads:
    return places[0] if len(places) == 1 else _Reads.united(places)


_EVERYTHING: Final = _Reads()
_EVERYTHING.searches = True


def _reads_of(rules: Sequence[MappingRule]) -> _Reads | None:
    """The places that rules read, as a tree. A query that searches a place may read everything below it."""
    root, any_ = _Reads(), False
    for rule in rules:
        if not rule.on:
            continue
        if rule.path is not None:
            root.add(rule.path, searches=False)
        elif rule.jsonpath is not None and jsonpath.check_query(rule.jsonpath) is None:
            root.add(jsonpath.searched_path(rule.jsonpath), searches=jsonpath.singular_path(rule.jsonpath) is None)
        else:
            continue
        any_ = True
    return root if any_ else None


# ---------------------------------------------------------------- what differs


class _ListedChanges(Struct):
    """The changes of one kind, each with its number in the order they were found."""

    total: int = 0
    mapped: list[tuple[int, Change]] = field(default_factory=list)
    others: list[tuple[int, Change]] = field(default_factory=list)

    def add(self, path: Path, was: Json, now: Json, mapped: bool) -> None:
        self.total += 1
        kept = self.mapped if mapped else self.others
        if len(kept) < MAX_LISTED:
            kept.append((self.total, Change(path, types_of(was), types_of(now), mapped)))

    def add_fields(self, path: Path, fields: Mapping[str, Json], reads: _Reads | None, *, gone: bool) -> None:
        """These fields of the path are gone, or new. reads: what the rules read there. What is not listed is only counted."""
        read = reads.among(fields) if reads is not None else frozenset()
        wanted = [(self.mapped, True)] if read else []
        if len(self.others) < MAX_LISTED:
            wanted.append((self.others, False))
        for kept, mapped in wanted:
            found = (one for one in enumerate(fields, self.total + 1) if (one[1] in read) is mapped)
            for number, key in islice(found, MAX_LISTED - len(kept)):
                types = types_of(fields[key])
                kept.append((number, Change((*path, key), types if gone else "", "" if gone else types, mapped)))
        self.total += len(fields)

    def changes(self) -> tuple[Change, ...]:
        kept = [*self.mapped, *self.others[: MAX_LISTED - len(self.mapped)]]
        return tuple(change for _, change in sorted(kept, key=lambda one: one[0]))


class _Comparison:
    def __init__(self, work: WorkCounter) -> None:
        self._work = work
        self._missing, self._changed, self._new = _ListedChanges(), _ListedChanges(), _ListedChanges()
        self._reveals = False

    def drift(self) -> Drift:
        missing, changed, new = (one.changes() for one in (self._missing, self._changed, self._new))
        return Drift(
            missing, changed, new,
            more_missing=self._missing.total - len(missing),
            more_changed=self._changed.total - len(changed),
            more_new=self._new.total - len(new),
            reveals=self._reveals,
        )  # fmt: skip

    def place(self, accepted: Json, latest: Json, path: Path, reads: _Reads | None) -> None:
        """Compare two nodes. reads: of this place."""
        was, now = _solid(accepted), _solid(latest)
        hidden = (not was or is_hollow(accepted)) and not solid(accepted)
        self._reveals = self._reveals or (hidden and bool(solid(latest)))
        if was and not now <= was and not _is_compatible(accepted, latest):
            self._changed.add(path, accepted, latest, reads is not None)
        if "object" in was and "object" in now and not hidden:
            self._objects(accepted, latest, path, reads)
        elif "array" in was and latest.get("items") and not accepted.get("items"):
            self._reveals = True
        if accepted.get("items") and latest.get("items"):
            self._work.spend(2)
            self.place(accepted["items"], latest["items"], (*path, ANY), reads and reads.at(ANY))

    def _objects(self, accepted: Json, latest: Json, path: Path, reads: _Reads | None) -> None:
        if "values" in accepted or "values" in latest:
            if accepted.get("values") and latest.get("values"):
                self.place(accepted["values"], latest["values"], (*path, ANY), reads and reads.at(ANY))
            return
        old, new = accepted.get("fields", {}), latest.get("fields", {})
        self._work.spend(4 + 4 * len(old) + 4 * len(new))
        may_be_away = set(accepted.get("optional", ()))
        gone: dict[str, Json] = {}
        for key, node in old.items():
            other = new.get(key)
            if other is None:
                if key not in may_be_away:
                    gone[key] = node
            elif len(node) > 1 or len(other) > 1 or node["types"] != other["types"]:
                if gone:  # they are listed in the order of the answer
                    self._missing.add_fields(path, gone, reads, gone=True)
                    gone = {}
                self.place(node, other, (*path, key), reads and reads.at(key))
        self._missing.add_fields(path, gone, reads, gone=True)
        came = {key: node for key, node in new.items() if key not in old}
        self._new.add_fields(path, came, reads, gone=False)
