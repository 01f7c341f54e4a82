"""The record of executions: a row before the call, completed after it, the newest twenty kept per step.

The row of a running call is also its place among the calls in flight, so that two processes cannot both
take the last place.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Row,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import defer
from sqlalchemy.orm.attributes import set_committed_value

from httpstep.extensions import db
from httpstep.storage.database import reading, writing
from httpstep.storage.tables import Idempotency, Log

MAX_LOGS = 20
MAX_CALL_SECONDS = 75.0
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


# Built once: these run on every call, and building a statement costs more than running it.
_TABLE = cast(Table, Log.__table__)
_BEGUN = (*Start.__slots__, "state", "pid")
_RUNNING = (
    select(func.count())
    .select_from(_TABLE)
    .where(
        _TABLE.c.account_id == bindparam("account_id"),
        _TABLE.c.state == "running",
        _TABLE.c.started_at > bindparam("oldest"),
    )
)
_BEGIN = (
    insert(_TABLE)
    .from_select(
        _BEGUN,
        select(*(bindparam(name, type_=_TABLE.c[name].type) for name in _BEGUN)).where(
            _RUNNING.scalar_subquery() < bindparam("in_flight")
        ),
    )
    .returning(_TABLE.c.id)
)
_FINISH = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("log_id"), _TABLE.c.state == "running")
    .returning(_TABLE.c.account_id, _TABLE.c.step_id, _TABLE.c.draft_id)
)


def _trimming(home: ColumnElement[Any]) -> Delete:
    """A row that still runs stays whatever its age: it is a place in flight, and goes when it is finished.

    Nor does it count among the twenty: it may be refused yet, and would have pushed out the row of a call.
    """
    mine = and_(_TABLE.c.account_id == bindparam("owner"), home == bindparam("home"))
    ended = or_(_TABLE.c.state != "running", _TABLE.c.started_at < bindparam("oldest"))
    oldest_kept = select(_TABLE.c.id).where(mine, ended).order_by(_TABLE.c.id.desc()).offset(MAX_LOGS - 1).limit(1)
    return delete(_TABLE).where(mine, ended, _TABLE.c.id < oldest_kept.scalar_subquery())


_TRIM_STEP = _trimming(_TABLE.c.step_id)
_TRIM_DRAFT = _trimming(_TABLE.c.draft_id)


def _trim(connection: Connection, row: Row[Any]) -> None:
    """Keep the newest twenty of the row's step, or of its draft. One at a time: of two that end at the same moment,
    PostgreSQL would show neither to the other."""
    draft = row.step_id is None
    if connection.dialect.name == "postgresql":
        home = f"logs {row.account_id} {row.draft_id}" if draft else f"logs {row.step_id}"
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:home, 0))"), {"home": home})
    values = {
        "owner": row.account_id,
        "home": row.draft_id if draft else row.step_id,
        "oldest": time.time() - MAX_CALL_SECONDS,
    }
    connection.execute(_TRIM_DRAFT if draft else _TRIM_STEP, values)


def begin(start: Start, in_flight: int) -> int | None:
    """Write the start row and take a place in flight; None where the account has `in_flight` calls running."""
    values = {name: getattr(start, name) for name in Start.__slots__}
    values |= {
        "state": "running",
        "pid": os.getpid(),
        "in_flight": in_flight,
        "oldest": start.started_at - MAX_CALL_SECONDS,
    }
    with writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(1, :id)"), {"id": start.account_id % 2**31})
        made = connection.execute(_BEGIN, values).one_or_none()
    return None if made is None else int(made[0])


def forget(log_id: int) -> None:
    """Take back a start row whose call was refused."""
    with writing() as connection:
        connection.execute(delete(Log).where(Log.id == log_id))


def finish(connection: Connection, log_id: int, values: dict[str, Any]) -> bool:
    """Complete the row and trim its step (or draft) to the newest twenty. False where it was done before or is gone."""
    row = connection.execute(_FINISH, values | {"state": "done", "log_id": log_id}).one_or_none()
    if row is not None:
        _trim(connection, row)
    return row is not None


def end(log_id: int, values: dict[str, Any]) -> None:
    """Complete the row where `finish` cannot, and nothing besides."""
    with writing() as connection:
        connection.execute(
            update(_TABLE).where(_TABLE.c.id == log_id, _TABLE.c.state == "running").values(state="done", **values)
        )


def _mine(account_id: int, step_id: int | None, draft_id: str | None) -> Any:
    home = Log.step_id == step_id if step_id is not None else (Log.step_id.is_(None) & (Log.draft_id == draft_id))
    return (Log.account_id == account_id) & home


_HEAVY = (Log.request_body, Log.response_body, Log.structure)


def newest(
    account_id: int, *, step_id: int | None = None, draft_id: str | None = None, whole: Collection[int] = ()
) -> list[Log]:
    """The newest twenty of a step or a draft, newest first, without their bodies; those with an id in `whole` have them."""
    query = (
        select(Log, *(case((Log.id.in_(whole), column)) for column in _HEAVY))
        .options(*map(defer, _HEAVY))
        .where(_mine(account_id, step_id, draft_id))
        .order_by(Log.id.desc())
        .limit(MAX_LOGS)
    )
    found = []
    for log, *values in db.session.execute(query):
        found.append(log)
        for column, value in zip(_HEAVY, values, strict=True):
            if log.id in whole:
                set_committed_value(log, column.key, value)
    return found


def get(account_id: int, log_id: int) -> Log | None:
    return db.session.scalar(select(Log).where(Log.account_id == account_id, Log.id == log_id))


def details(account_id: int, log_ids: Sequence[int]) -> list[str]:
    """What is kept of these executions, in their order, by one question."""
    query = select(Log.detail).where(Log.account_id == account_id, Log.id.in_(log_ids), Log.detail.is_not(None))
    return [detail for detail in db.session.scalars(query.order_by(Log.id)) if detail is not None]


def is_interrupted(log: Log, now: float) -> bool:
    """A row still running long after any call has ended: its process was killed."""
    return log.state == "interrupted" or (log.state == "running" and now - log.started_at > MAX_CALL_SECONDS)


def interrupt(instance: str, *, pid: int | None = None) -> int:
    """Mark what this installation's dead processes (or one of them) left running. Returns how many rows.

    What of the calls came to the third parties is not known, so the keys of idempotent ones say so from now on.
    """
    with writing() as connection:
        ended = connection.execute(
            update(_TABLE)
            .where(_left(_TABLE, instance, pid))
            .values(
                state="interrupted",
                outcome="interrupted",
                message="The call was interrupted: httpstep was stopped while it ran.",
            )
            .returning(_TABLE.c.account_id, _TABLE.c.step_id, _TABLE.c.draft_id)
        ).all()
        keys = cast(Table, Idempotency.__table__)
        now = time.time()
        claimed = case((keys.c.created_at > now, now), else_=keys.c.created_at)  # by a clock that was ahead
        connection.execute(update(keys).where(_left(keys, instance, pid)).values(state="unknown", created_at=claimed))
        for row in ended:
            _trim(connection, row)
    return len(ended)


def _left(table: Table, instance: str, pid: int | None) -> ColumnElement[bool]:
    mine = (table.c.state == "running") & (table.c.instance == instance)
    return mine if pid is None else mine & (table.c.pid == pid)


def adopt(connection: Connection, account_id: int, draft_id: str, step_id: int) -> None:
    """The tests of a draft become the step's, at its first save."""
    connection.execute(
        update(Log)
        .where(Log.account_id == account_id, Log.draft_id == draft_id, Log.step_id.is_(None))
        .values(step_id=step_id)
    )


def forget_old_drafts(connection: Connection, before: float) -> None:
    """Tests of drafts that were never saved go after a day, a few at a time."""
    old = (
        select(Log.id).where(Log.step_id.is_(None), Log.started_at < before).limit(50).with_for_update(skip_locked=True)
    )
    connection.execute(delete(Log).where(Log.id.in_(old.scalar_subquery())))


def running(account_id: int, now: float) -> int:
    query = select(func.count()).select_from(Log).where(
        Log.account_id == account_id, Log.state == "running", Log.started_at > now - MAX_CALL_SECONDS
    )  # fmt: skip
    with reading() as connection:
        return int(connection.execute(query).scalar_one())
