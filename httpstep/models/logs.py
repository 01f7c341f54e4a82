"""The record of executions: a row before the call, completed after it, the newest twenty kept per step.

The row of a running call is also its place among the calls in flight, so that two processes cannot both
take the last place.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, literal, select, text, update
from sqlalchemy.orm import defer

from httpstep.extensions import db
from httpstep.models.database import reading, writing
from httpstep.models.tables import Log

KEPT = 20
LONGEST = 75.0
"""Seconds after which a running row cannot be running any more: 60 s of call, and time to write it down."""


@dataclass(frozen=True, slots=True)
class Start:
    """What is known before the call."""

    account_id: int
    step_id: int | None
    draft_id: str | None
    step_version: int
    request_id: str
    source: str
    actor: str
    method: str
    started_at: float
    instance: str


def begin(start: Start, in_flight: int) -> int | None:
    """Write the start row and take a place in flight; None where the account has `in_flight` calls running."""
    values = {name: getattr(start, name) for name in Start.__slots__} | {"state": "running", "pid": os.getpid()}
    running = (
        select(func.count())
        .select_from(Log)
        .where(Log.account_id == start.account_id, Log.state == "running", Log.started_at > start.started_at - LONGEST)
        .scalar_subquery()
    )
    columns = [Log.__table__.c[name] for name in values]
    row = select(*(literal(value, column.type) for value, column in zip(values.values(), columns, strict=True)))
    with writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(1, :id)"), {"id": start.account_id % 2**31})
        made = connection.execute(
            insert(Log).from_select(columns, row.where(running < in_flight)).returning(Log.id)
        ).one_or_none()
    return None if made is None else int(made[0])


def forget(log_id: int) -> None:
    """Take back a start row whose call was refused."""
    with writing() as connection:
        connection.execute(delete(Log).where(Log.id == log_id))


def finish(connection: Connection, log_id: int, values: dict[str, Any]) -> None:
    """Complete the row and trim its step (or draft) to the newest twenty."""
    connection.execute(update(Log).where(Log.id == log_id).values(state="done", **values))
    home = connection.execute(select(Log.step_id, Log.draft_id).where(Log.id == log_id)).one_or_none()
    if home is None:
        return
    mine = Log.step_id == home[0] if home[0] is not None else Log.draft_id == home[1]
    oldest_kept = select(Log.id).where(mine).order_by(Log.id.desc()).offset(KEPT - 1).limit(1).scalar_subquery()
    connection.execute(delete(Log).where(mine, Log.id < oldest_kept))


def _mine(account_id: int, step_id: int | None, draft_id: str | None) -> Any:
    home = Log.step_id == step_id if step_id is not None else (Log.step_id.is_(None) & (Log.draft_id == draft_id))
    return (Log.account_id == account_id) & home


def newest(
    account_id: int, *, step_id: int | None = None, draft_id: str | None = None, bodies: bool = False
) -> list[Log]:
    """The newest twenty of a step or a draft, newest first, without their bodies unless asked for."""
    left_out = () if bodies else (defer(Log.request_body), defer(Log.response_body))
    query = (
        select(Log)
        .options(*left_out, defer(Log.structure))
        .where(_mine(account_id, step_id, draft_id))
        .order_by(Log.id.desc())
        .limit(KEPT)
    )
    return list(db.session.scalars(query))


def get(account_id: int, log_id: int) -> Log | None:
    return db.session.scalar(select(Log).where(Log.account_id == account_id, Log.id == log_id))


def is_interrupted(log: Log, now: float) -> bool:
    """A row still running long after any call has ended: its process was killed."""
    return log.state == "interrupted" or (log.state == "running" and now - log.started_at > LONGEST)


def interrupt(instance: str, *, pid: int | None = None) -> int:
    """Mark what this installation's dead processes (or one of them) left running. Returns how many rows."""
    dead = (Log.state == "running") & (Log.instance == instance)
    if pid is not None:
        dead &= Log.pid == pid
    with writing() as connection:
        return connection.execute(
            update(Log)
            .where(dead)
            .values(
                state="interrupted",
                outcome="interrupted",
                message="The call was interrupted: httpstep was stopped while it ran.",
            )
        ).rowcount


def adopt(connection: Connection, account_id: int, draft_id: str, step_id: int) -> None:
    """The tests of a draft become the step's, at its first save."""
    connection.execute(
        update(Log)
        .where(Log.account_id == account_id, Log.draft_id == draft_id, Log.step_id.is_(None))
        .values(step_id=step_id)
    )


def forget_old_drafts(connection: Connection, before: float) -> None:
    """Tests of drafts that were never saved go after a day, a few at a time."""
    old = select(Log.id).where(Log.step_id.is_(None), Log.started_at < before).limit(50)
    connection.execute(delete(Log).where(Log.id.in_(old.scalar_subquery())))


def running(account_id: int, now: float) -> int:
    query = select(func.count()).select_from(Log).where(
        Log.account_id == account_id, Log.state == "running", Log.started_at > now - LONGEST
    )  # fmt: skip
    with reading() as connection:
        return int(connection.execute(query).scalar_one())
