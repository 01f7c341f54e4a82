"""Steps deleted, for good or so that it can be undone within the hour."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from sqlalchemy import Connection, delete, select

from httpstep.core import jsontext
from httpstep.core.document import stepdocument
from httpstep.core.step import stepkey
from httpstep.extensions import db
from httpstep.storage import flows, steps
from httpstep.storage.database import editing
from httpstep.storage.tables import Step


class InUse(Exception):
    """The step is part of flows, whose names these are."""

    def __init__(self, flows: tuple[str, ...], step: str = "") -> None:
        names = ", ".join(f"“{name}”" for name in flows)
        which = f"“{step}”" if step else "This step"
        super().__init__(f"{which} is part of {names}. Take it out there before you delete it.")


UNDO_SECONDS = 3600
"""How long a deleted step is kept for an undo."""
_SET_ASIDE = "~"  # no key begins so


def remove(account_id: int, key: str, version: int | None = None) -> bool:
    """Delete a step with its logs, state and idempotency records. False where there is none; raises InUse, and steps.Conflict
    where it is not in that version any more."""
    with editing():
        step = steps.find(account_id, key)
        if step is None:
            return False
        if version is not None and step.version != version:
            raise steps.Conflict(step)
        if used_by := flows.with_step(account_id, step.id):
            raise InUse(tuple(row.name for row in used_by))
        db.session.delete(step)
        return True


def set_aside(account_id: int, step_ids: Sequence[int], now: float) -> list[Step]:
    """Delete steps so that `bring_back` can undo it within the hour, all or none.

    Their keys are free at once, and no bot can run them. Ids that the account does not have are left out. Raises InUse.
    """
    with editing():
        forget_set_aside(db.session.connection(), now)
        mine = select(Step).where(Step.account_id == account_id, steps.THERE, Step.id.in_(step_ids)).order_by(Step.id)
        found, used = list(db.session.scalars(mine)), flows.by_step(account_id)
        for step in found:
            if used_by := used.get(step.id):
                raise InUse(tuple(row.name for row in used_by), step.name if len(found) > 1 else "")
            step.key, step.deleted_at, step.draft_id = f"{_SET_ASIDE}{step.id}", now, None
        return found


def forget_set_aside(connection: Connection, now: float) -> None:
    """Delete for good, with their logs, the steps whose hour is over."""
    connection.execute(delete(Step).where(Step.deleted_at < now - UNDO_SECONDS))


def set_aside_now(account_id: int, now: float) -> list[tuple[int, str]]:
    """Id and name of what `bring_back` can bring back, the newest deletion first."""
    kept = (Step.account_id == account_id, Step.deleted_at >= now - UNDO_SECONDS)
    newest = select(Step.id, Step.name).where(*kept).order_by(Step.deleted_at.desc(), Step.id)
    return [(step_id, name) for step_id, name in db.session.execute(newest)]


def bring_back(account_id: int, step_ids: Sequence[int], now: float) -> list[tuple[Step, bool]]:
    """Undo `set_aside`, with logs, structure and keys of idempotent calls; what is gone for good is left out. With each
    step: whether it has its key again. One that was taken meanwhile gets a number."""
    with editing():
        kept = (Step.deleted_at >= now - UNDO_SECONDS, Step.id.in_(step_ids))
        back = []
        for step in db.session.scalars(select(Step).where(Step.account_id == account_id, *kept).order_by(Step.id)):
            spec, taken = steps.document_of(step), steps.keys_taken(account_id)
            key = spec.key if spec.key and spec.key not in taken else stepkey.key_from_name(spec.name, taken)
            step.key, step.deleted_at = key, None
            if key != spec.key:
                step.document = jsontext.dumps_text(stepdocument.dump(replace(spec, key=key)))
                step.version += 1
            db.session.flush()
            back.append((step, key == spec.key))
        return back
