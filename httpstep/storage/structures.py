"""The history of accepted structures. `storage.steps.accept_structure` writes it and keeps the newest five."""

from __future__ import annotations

from sqlalchemy import select

from httpstep.extensions import db
from httpstep.storage.tables import AcceptedStructure, StepState


def history(step_id: int) -> list[AcceptedStructure]:
    """The kept ones of a step, the newest first."""
    mine = select(AcceptedStructure).where(AcceptedStructure.step_id == step_id)
    return list(db.session.scalars(mine.order_by(AcceptedStructure.id.desc())))


def state_with_history(step_id: int) -> tuple[StepState | None, list[AcceptedStructure]]:
    """What the machine knows of a step and its history, by one question. (None, []) where the step is gone."""
    beside = AcceptedStructure.step_id == StepState.step_id
    query = select(StepState, AcceptedStructure).outerjoin(AcceptedStructure, beside)
    rows = db.session.execute(query.where(StepState.step_id == step_id).order_by(AcceptedStructure.id.desc())).all()
    return (rows[0][0] if rows else None), [kept for _, kept in rows if kept is not None]
