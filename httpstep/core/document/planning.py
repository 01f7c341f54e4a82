"""What has to be done so that an account is what documents say: values in, a plan out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from httpstep.core import jsontext
from httpstep.core.document.documents import KINDS, STEP, Document, Named, Unusable, told
from httpstep.core.document.flowdocument import FLOW, unknown_steps
from httpstep.core.jsontext import Json

Doing = Literal["create", "change", "delete"]
DONE: Final[dict[Doing, str]] = {"create": "created", "change": "changed", "delete": "deleted"}
Present = Mapping[Named, Sequence[Mapping[str, Json]]]
"""What the account has: of each thing the documents that say no more and no less than what is."""


class PlannedChange(Struct, frozen=True):
    """members: of its document, that a change is in."""

    doing: Doing
    what: str
    name: str
    members: tuple[str, ...] = ()


class Plan(Struct, frozen=True):
    """changes: in the order in which they can be made. unchanged: how many of the documents are so already."""

    changes: tuple[PlannedChange, ...]
    unchanged: int

    def count(self, doing: Doing) -> int:
        return sum(1 for one in self.changes if one.doing == doing)


def planned(wanted: Mapping[Named, Document], present: Present, *, delete: bool) -> Plan:
    """delete: what the account has and no document says goes. Raises Unusable where a flow would lack a step."""
    _refuse_lacking(wanted, present, delete)
    changes = list(_written(wanted, present))
    if delete:
        gone = [named for what in reversed(KINDS) for named in present if named[0] == what and named not in wanted]
        changes += (PlannedChange("delete", what, name) for what, name in gone)
    written = sum(1 for one in changes if one.doing != "delete")
    return Plan(tuple(changes), len(wanted) - written)


def _written(wanted: Mapping[Named, Document], present: Present) -> Iterator[PlannedChange]:
    for what in KINDS:
        for named, one in sorted(wanted.items()):
            if named[0] != what:
                continue
            if named not in present:
                yield PlannedChange("create", *named)
                continue
            text = jsontext.dumps(one.written)
            if all(text != jsontext.dumps(document) for document in present[named]):
                yield PlannedChange("change", *named, members=_different(one.written, present[named][0]))


def _different(new: Mapping[str, Json], old: Mapping[str, Json]) -> tuple[str, ...]:
    """The members that differ, digits of numbers included."""
    return tuple(
        name
        for name in {**new, **old}
        if (name in new) != (name in old) or jsontext.dumps(new.get(name)) != jsontext.dumps(old.get(name))
    )


def _refuse_lacking(wanted: Mapping[Named, Document], present: Present, delete: bool) -> None:
    steps = {name for what, name in (wanted if delete else {**present, **wanted}) if what == STEP.what}
    sentences = [
        f"{one.where}: {told(fault)}"
        for one in wanted.values()
        if one.what == FLOW.what
        for fault in unknown_steps(one.value, dict.fromkeys(steps))
    ]
    if sentences:
        raise Unusable(sentences)
