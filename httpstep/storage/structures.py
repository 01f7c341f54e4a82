"""The history of accepted structures. `storage.steps.accept_structure` writes it and keeps the newest five."""

from __future__ import annotations

from sqlalchemy import select

from httpstep.extensions import db
from httpstep.storage.tables import AcceptedStructure


def history(step_id: int) -> list[AcceptedStructure]:
    """The kept ones of a step, the newest first."""
    mine = select(AcceptedStructure).where(AcceptedStructure.step_id == step_id)
    return list(db.session.scalars(mine.order_by(AcceptedStructure.id.desc())))


def accepted_before(step_id: int | None, structure_id: int | None) -> AcceptedStructure | None:
    """One of them by its id; None where the step has no such."""
    if step_id is None or structure_id is None:
        return None
    mine = select(AcceptedStructure).where(AcceptedStructure.step_id == step_id, AcceptedStructure.id == structure_id)
    return db.session.scalar(mine)
