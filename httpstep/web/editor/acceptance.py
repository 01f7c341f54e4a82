"""Accepted structures: the one that Save will accept, the one in force, and the history."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from httpstep.core import jsontext
from httpstep.core.drift import structure
from httpstep.core.drift.marking import with_dictionaries
from httpstep.core.drift.structure import Structure
from httpstep.core.jsontext import Json, Path
from httpstep.core.outcome import record
from httpstep.storage.tables import AcceptedStructure, Log, StepState
from httpstep.web.editor import documents
from httpstep.web.editor.documents import AnswerDocument


class Accepted(Struct, frozen=True):
    """A structure with the form's dictionaries marked, and its answer where that is known; sample is the answer's body."""

    structure: Structure
    document: AnswerDocument | None
    sample: bytes | None


def of_log(log: Log, dictionaries: Sequence[Path]) -> Accepted | None:
    """What a test saw. None where its answer has no structure."""
    if not log.structure:
        return None
    detail = jsontext.read_back(log.detail) if log.detail else {}
    whole = not (detail.get("response") or {}).get("cut")
    sample = log.response_body if whole else None
    return Accepted(_structure(log.structure, dictionaries), documents.of_log(log), sample)


def of_kept(kept: StepState | AcceptedStructure, dictionaries: Sequence[Path]) -> Accepted | None:
    """The structure in force, or one of the history. None where nothing was ever accepted."""
    if not kept.structure:
        return None
    return Accepted(_structure(kept.structure, dictionaries), documents.of_body(kept.sample), kept.sample)


def _structure(text: str, dictionaries: Sequence[Path]) -> Structure:
    return with_dictionaries(jsontext.read_back(text), dictionaries)


# ---------------------------------------------------------------- the history


class Past(Struct, frozen=True):
    """One of the history. changes: against the one before it, as core.record writes them; None where it is the oldest
    that is kept. fields: how many named fields it has."""

    id: int
    at: float
    by: str
    fields: int
    in_force: bool
    first: bool
    changes: dict[str, Json] | None

    @property
    def summary(self) -> str:
        """ "2 new, 1 gone, 1 of another type" """
        if self.changes is None:
            return "the same structure" if not self.first else ""
        words = (("new", "new"), ("missing", "gone"), ("changed", "of another type"))
        return ", ".join(f"{self._count(group):,} {word}" for group, word in words if self._count(group))

    @property
    def unlisted(self) -> int:
        """How many changes there are beside those listed."""
        return sum(self.changes.get("more", {}).values()) if self.changes else 0

    def _count(self, group: str) -> int:
        return len(self.changes[group]) + self.changes.get("more", {}).get(group, 0) if self.changes else 0


def history_of(rows: Sequence[AcceptedStructure]) -> list[Past]:
    """The history as it is shown, the newest first, from rows in that order."""
    shapes = [jsontext.read_back(row.structure) for row in rows]
    return [
        Past(
            row.id, row.accepted_at, row.accepted_by, _fields(shapes[place]), place == 0, place + 1 == len(rows),
            record.drift_json(structure.compare(shapes[place + 1], shapes[place])) if place + 1 < len(rows) else None,
        )
        for place, row in enumerate(rows)
    ]  # fmt: skip


def _fields(node: Structure) -> int:
    named = node.get("fields", {})
    inside = [*named.values(), *filter(None, (node.get("items"), node.get("values")))]
    return len(named) + sum(map(_fields, inside))
