"""What varies from answer to answer: learned from an odd answer once a later one goes back.

A field that is away is optional, and a place is one of two types, only after it was seen to go back: before that it may
be a change for good. Names that are others each time over entries that are alike are data: their object is a dictionary.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from httpstep.core.answer.dictionaries import ANY
from httpstep.core.drift.comparison import is_hollow, possible, solid
from httpstep.core.drift.marking import with_dictionaries
from httpstep.core.drift.structure import Structure, merge
from httpstep.core.jsontext import Path

MAX_NAMES: Final = 2_000
"""A structure grows by what is learned to so many at the most, a long one counted as several. One with more was accepted
with them."""
_LONG: Final = 50


def dictionaries_in(structure: Structure) -> tuple[Path, ...]:
    """The paths of all objects in it whose names are data."""
    found: list[Path] = []
    waiting: list[tuple[Path, Structure]] = [((), structure)]
    while waiting:
        path, node = waiting.pop()
        if "values" in node:
            found.append(path)
        inside = [*node.get("fields", {}).items(), (ANY, node.get("items")), (ANY, node.get("values"))]
        waiting.extend(((*path, part), one) for part, one in inside if one and len(one) > 1)
    return tuple(found)


def filled(accepted: Structure, latest: Structure) -> Structure:
    """The accepted structure with what `latest` shows behind its nulls and empty lists and objects; else unchanged."""
    if not solid(accepted):
        return merge(accepted, latest)
    node: dict[str, Any] = dict(accepted)
    if not accepted.get("items") and latest.get("items"):
        node["items"] = latest["items"]
    for member in ("items", "values"):
        if accepted.get(member) and latest.get(member):
            node[member] = filled(accepted[member], latest[member])
    old, new = accepted.get("fields"), latest.get("fields")
    if old and new:
        node["fields"] = {key: filled(one, new[key]) if key in new else one for key, one in old.items()}
    return node


def learned(accepted: Structure, odd: Structure, latest: Structure) -> Structure:
    """The accepted structure with what was odd in `odd` and has gone back in `latest`; the same object where nothing
    has. With something gone back, what else was new in `odd` was told once, and comes and goes too.

    Of an odd answer with more names than MAX_NAMES nothing is learned: every later call would read and compare them.
    """
    back = _Return()
    node = back.place(accepted, odd, with_dictionaries(latest, dictionaries_in(accepted)))
    if not back.seen:
        return accepted
    grown = _with_new(node, odd)
    return grown if _names(grown) <= max(MAX_NAMES, _names(accepted)) else accepted


def _names(structure: Structure) -> int:
    """How many fields there are in it; one more for every _LONG characters of a name."""
    count, waiting = 0, [structure]
    while waiting:
        node = waiting.pop()
        fields = node.get("fields", {})
        count += sum(1 + len(name) // _LONG for name in fields)
        inside = (*fields.values(), node.get("items"), node.get("values"))
        waiting.extend(one for one in inside if one and len(one) > 1)
    return count


def sides(accepted: Structure, odd: Structure | None, latest: Structure) -> tuple[Structure, Structure]:
    """What is compared: the accepted structure with what is `learned`, and the latest with its dictionaries."""
    if not odd:
        return accepted, latest
    accepted = learned(accepted, odd, latest)
    return accepted, with_dictionaries(latest, dictionaries_in(accepted))


class _Return:
    """seen: something has gone back."""

    def __init__(self) -> None:
        self.seen = False

    def place(self, accepted: Structure, odd: Structure, latest: Structure) -> Structure:
        told = solid(odd) - possible(accepted)
        if told and solid(accepted) and solid(latest) and not solid(latest) & told:
            self.seen = True
            return merge(accepted, odd)
        node: dict[str, Any] = dict(accepted)
        for member in ("items", "values"):
            if accepted.get(member) and odd.get(member) and latest.get(member):
                node[member] = self.place(accepted[member], odd[member], latest[member])
        if all("object" in one["types"] and "values" not in one for one in (accepted, odd, latest)):
            self._fields(node, accepted, odd, latest)
        return node

    def _fields(self, node: dict[str, Any], accepted: Structure, odd: Structure, latest: Structure) -> None:
        old, other, new = (one.get("fields", {}) for one in (accepted, odd, latest))
        if new.keys() - old.keys() - other.keys() and other.keys() - old.keys() and _are_alike([old, other, new]):
            self.seen = True
            node.pop("fields"), node.pop("optional", None)
            node["values"] = _merged([*old.values(), *other.values(), *new.values()])
            return
        came = {key: one for key, one in other.items() if key not in old and key not in new and not is_hollow(latest)}
        went = {key for key in old if key not in other and key in new} - set(accepted.get("optional", ()))
        self.seen |= bool(came or went)
        fields = {
            key: self.place(one, other[key], new[key]) if key in other and key in new else one
            for key, one in old.items()
        }
        if old or came:
            node["fields"] = fields | came
        if optional := {*accepted.get("optional", ()), *came, *went}:
            node["optional"] = sorted(optional)


def _with_new(accepted: Structure, odd: Structure) -> Structure:
    """With all that only `odd` has, as what may be away."""
    node: dict[str, Any] = dict(accepted)
    for member in ("items", "values"):
        if accepted.get(member) and odd.get(member):
            node[member] = _with_new(accepted[member], odd[member])
    if "values" in accepted or "object" not in accepted["types"] or "fields" not in odd:
        return node
    old, other = accepted.get("fields", {}), odd["fields"]
    fields = {key: _with_new(one, other[key]) if key in other else one for key, one in old.items()}
    came = other.keys() - old.keys()
    node["fields"] = fields | {key: other[key] for key in other if key in came}
    if came:
        node["optional"] = sorted({*accepted.get("optional", ()), *came})
    return node


def _are_alike(sides: list[dict[str, Structure]]) -> bool:
    """Whether all entries of them have one type, and those that are objects the same fields."""
    entries = [node for side in sides for node in side.values()]
    forms = {(tuple(sorted(solid(node))), tuple(sorted(node.get("fields", ())))) for node in entries}
    return len(forms) == 1 and all(sides)


def _merged(nodes: Iterable[Structure]) -> Structure:
    whole, *others = nodes
    for node in others:
        whole = merge(whole, node)
    return whole
