"""The record of executions: a row before the call, completed after it, the newest twenty kept per step.

The row of a running call is also its place among the calls in flight, so that two processes cannot both
take the last place. At the end: the calls that somebody keeps as test cases of their step.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Connection, Table, case, delete, func, select, update
from sqlalchemy.orm import defer
from sqlalchemy.orm.attributes import set_committed_value

from httpstep.extensions import db
from httpstep.storage.database import NOTE_SECONDS, ask, editing, look, writing
from httpstep.storage.schema import SHARDS
from httpstep.storage.sqlitefile import OneStep
from httpstep.storage.tables import RUNNING, Case, Idempotency, Log, Text

MAX_LOGS = 20
MAX_CASES = 20
MAX_CALL_SECONDS = 75.0
"""Seconds after which a running row cannot be running any more: 60 s of call, and time to write it down."""


class Start(NamedTuple):
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


_RUNNING = "SELECT count(*) FROM logs WHERE account_id = :account_id AND state = 'running' AND started_at > :oldest"
BEGIN = f"""
INSERT INTO logs (account_id, step_id, draft_id, step_version, request_id, source, actor, method, started_at, instance,
                  state, pid, structure_changed)
SELECT CAST(:account_id AS BIGINT), CAST(:step_id AS BIGINT), CAST(:draft_id AS TEXT), :step_version, :request_id,
       :source, :actor, :method, :started_at, :instance, 'running', :pid, false
WHERE ({_RUNNING}) < :in_flight
"""
"""The start row, where the account has room in flight."""
_HOMES = {True: "draft_id", False: "step_id"}
_TABLE = cast(Table, Log.__table__)


@cache
def _finishing(columns: tuple[str, ...]) -> str:
    changes = ", ".join(f"{column} = :{column}" for column in columns)
    return f"UPDATE logs SET state = 'done', {changes} WHERE id = :log_id AND state = 'running'"


@cache
def _trimming(draft: bool) -> str:
    """A row that still runs stays whatever its age: it is a place in flight, and goes when it is finished.

    Nor does it count among the twenty: it may be refused yet, and would have pushed out the row of a call. Which they are
    is asked of indexes alone: each row is as large as a page, and this is asked at the end of every call.
    """
    home = f"{_HOMES[draft]} = :home"
    runs = "SELECT id FROM logs WHERE account_id = :owner AND state = 'running' AND started_at >= :oldest"
    kept = f"SELECT id FROM logs WHERE {home} AND id NOT IN ({runs}) ORDER BY id DESC LIMIT 1 OFFSET {MAX_LOGS - 1}"
    ended = f"account_id = :owner AND {home} AND (state <> 'running' OR started_at < :oldest)"
    return f"DELETE FROM logs WHERE {ended} AND id < ({kept})"


_COLUMNS = (
    "duration_ms", "outcome", "next", "status", "message", "structure_changed", "detail", "request_body",
    "response_body", "structure",
)  # fmt: skip
_FINISH = OneStep("finish_call", (_finishing(_COLUMNS), _trimming(draft=False)))


def _without_nul(values: dict[str, Any]) -> dict[str, Any]:
    """As `tables.Text` writes them."""
    return {
        name: Text.kept(value) if isinstance(value, str) and "\0" in value else value for name, value in values.items()
    }


def _trim(connection: Connection, account_id: int, step_id: int | None, draft_id: str | None) -> None:
    """Keep the newest twenty of the row's step, or of its draft. One at a time: of two that end at the same moment,
    PostgreSQL would show neither to the other."""
    draft = step_id is None
    if connection.dialect.name == "postgresql":
        home = f"logs {account_id} {draft_id}" if draft else f"logs {step_id}"
        ask(connection, "SELECT pg_advisory_xact_lock(hashtextextended(:home, 0))", {"home": home})
    values = {"owner": account_id, "home": draft_id if draft else step_id, "oldest": time.time() - MAX_CALL_SECONDS}
    ask(connection, _trimming(draft), values)


def begin(start: Start, in_flight: int) -> int | None:
    """Write the start row and take a place in flight; None where the account has `in_flight` calls running."""
    with writing() as connection:
        if connection.dialect.name == "postgresql":
            ask(connection, "SELECT pg_advisory_xact_lock(1, :id)", {"id": start.account_id % 2**31})
        made = ask(connection, f"{BEGIN} RETURNING id", values_of(start, in_flight))
    return int(made[0][0]) if made else None


def values_of(start: Start, in_flight: int) -> dict[str, Any]:
    """What `BEGIN` wants."""
    values = start._asdict()
    values |= {"pid": os.getpid(), "in_flight": in_flight, "oldest": start.started_at - MAX_CALL_SECONDS}
    return _without_nul(values)


def forget(log_id: int) -> None:
    """Take back a start row whose call was refused."""
    with writing() as connection:
        connection.execute(delete(Log).where(Log.id == log_id))


def finish(connection: Connection, log_id: int, values: dict[str, Any]) -> bool:
    """Complete the row and trim its step (or draft) to the newest twenty. False where it was done before or is gone."""
    returning = f"{_finishing(tuple(values))} RETURNING account_id, step_id, draft_id"
    ended = ask(connection, returning, _without_nul(values) | {"log_id": log_id})
    for account_id, step_id, draft_id in ended:
        _trim(connection, account_id, step_id, draft_id)
    return bool(ended)


def finish_in_one_step(log_id: int, account_id: int, step_id: int, values: dict[str, Any]) -> None:
    """The same of a saved step's call, where nothing else is to be written with it. values: of all `_COLUMNS`."""
    where = {"log_id": log_id, "owner": account_id, "home": step_id, "oldest": time.time() - MAX_CALL_SECONDS}
    _FINISH.do(_without_nul(values) | where)


_ADD_REFUSALS = """
INSERT INTO call_counts (kind, account, source, outcome, shard, calls, milliseconds, last_at)
VALUES ('refusal', :account, '', :outcome, :shard, :calls, 0, :at)
ON CONFLICT (kind, account, source, outcome, shard)
DO UPDATE SET calls = call_counts.calls + excluded.calls, last_at = excluded.last_at
"""


def count_refusals(refusals: Mapping[tuple[str, str], int]) -> None:
    """Add refusals to the counts, by the account's slug and the reason. A trigger counts executions as they end."""
    with writing(patience=NOTE_SECONDS) as connection:
        shard = random.randrange(SHARDS) if connection.dialect.name == "postgresql" else 0
        for (account, reason), calls in sorted(refusals.items()):
            where = {"account": account, "outcome": reason, "shard": shard}
            ask(connection, _ADD_REFUSALS, {**where, "calls": calls, "at": time.time()})


def end(log_id: int, values: dict[str, Any]) -> None:
    """Complete the row where `finish` cannot."""
    with writing() as connection:
        mine = update(_TABLE).where(_TABLE.c.id == log_id, _TABLE.c.state == "running")
        connection.execute(mine.values(state="done", **values))


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


def detail_of_answer(account_id: int, step_id: int, body: bytes) -> str | None:
    """What is kept of the newest call of a step that got this very answer; None where none is kept."""
    query = select(Log.detail).where(_mine(account_id, step_id, None), Log.response_body == body)
    return db.session.scalar(query.order_by(Log.id.desc()).limit(1))


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
        for account_id, step_id, draft_id in ended:
            _trim(connection, account_id, step_id, draft_id)
    return len(ended)


def _left(table: Table, instance: str, pid: int | None) -> ColumnElement[bool]:
    mine = (table.c.state == RUNNING) & (table.c.instance == instance)
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
    return int(look(_RUNNING, {"account_id": account_id, "oldest": now - MAX_CALL_SECONDS})[0][0])


# ---------------------------------------------------------------- test cases


def cases(account_id: int, step_id: int) -> list[Case]:
    """Those of a step, in the order in which they were kept."""
    mine = (Case.account_id == account_id) & (Case.step_id == step_id)
    return list(db.session.scalars(select(Case).where(mine).order_by(Case.id)))


def get_case(account_id: int, case_id: int) -> Case | None:
    return db.session.scalar(select(Case).where(Case.account_id == account_id, Case.id == case_id))


def keep_case(new: Case) -> bool:
    """False where its step has as many as it may."""
    with editing():
        count = db.session.scalar(select(func.count()).where(Case.step_id == new.step_id)) or 0
        if count < MAX_CASES:
            db.session.add(new)
    return count < MAX_CASES


def change_case(account_id: int, case_id: int, **values: Any) -> None:
    """Another name or document, or what its last run gave."""
    with writing() as connection:
        connection.execute(update(Case).where(Case.account_id == account_id, Case.id == case_id).values(**values))


def remove_case(account_id: int, case_id: int) -> None:
    with writing() as connection:
        connection.execute(delete(Case).where(Case.account_id == account_id, Case.id == case_id))
