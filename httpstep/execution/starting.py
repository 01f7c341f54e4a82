"""What is written before a call: its start row and its one of the budget, both or neither.

On SQLite one statement begins nearly every call. Which it does not begin, a transaction decides, and tells why; so it is
on PostgreSQL. Redis has no part in either: there the row goes first, so that a call that is one too many in flight
spends nothing.
"""

from __future__ import annotations

import time
from contextlib import suppress

from httpstep.execution.budget import hits, ratelimit
from httpstep.execution.calls import Call, NotBegun, Parts, Tenant, TooManyInFlight
from httpstep.storage import logs
from httpstep.storage.database import can_do_one_step, writing
from httpstep.storage.sqlitefile import OneStep

Begun = tuple[int, ratelimit.Budget | None]
"""The id of the start row, and what is left of the budget where that call was counted."""

_BEGIN = OneStep(
    "begin_call",
    (
        "DELETE FROM begin_call_result",
        "INSERT INTO begin_call_result (newest, newest_at, count, oldest_at) "
        "SELECT coalesce(newest.number, 0), coalesce(newest.at, 0), coalesce(newest.number - oldest.number + 1, 0), "
        f"oldest.at FROM (SELECT 1) LEFT JOIN ({hits.NEWEST}) AS newest LEFT JOIN ({hits.OLDEST_COUNTED}) AS oldest",
        f"{logs.BEGIN} AND (:edition IS NULL OR EXISTS "
        "(SELECT 1 FROM editions WHERE editions.account_id = :account_id AND editions.edition = :edition)) AND EXISTS "
        f"(SELECT 1 FROM begin_call_result WHERE NOT :counts OR count < :limit AND newest_at <= :now + {hits.AHEAD})",
        "UPDATE begin_call_result SET log_id = last_insert_rowid() WHERE changes() > 0",
        "INSERT INTO budget_hits (key, at, number) SELECT :key, max(:now, newest_at), newest + 1 "
        "FROM begin_call_result WHERE :counts AND log_id IS NOT NULL",
        "DELETE FROM budget_hits WHERE id IN (SELECT old.id FROM begin_call_result CROSS JOIN budget_hits AS old "
        f"WHERE (newest_at < :before OR newest % {hits.TIDIED_EVERY} = 0) AND log_id IS NOT NULL "
        "AND old.key = :key AND old.at < :before "
        "ORDER BY old.at, old.number LIMIT 1000)",
    ),
    results=("log_id", "count", "oldest_at"),
    notes=("newest", "newest_at"),
)  # fmt: skip


def begin(parts: Parts, call: Call) -> Begun:
    """Raises RateLimited or TooManyInFlight, or NotBegun where the call's edition is to be looked at, and has written
    nothing then."""
    start = logs.Start(
        account_id=call.tenant.account_id, step_id=call.step.id if call.step else None,
        draft_id=None if call.step else call.draft_id, step_version=call.step.version if call.step else 0,
        request_id=call.request_id, source=call.source, actor=call.actor, method=call.spec.request.method,
        started_at=time.time(), instance=parts.instance,
    )  # fmt: skip
    in_flight = call.tenant.in_flight or parts.in_flight
    counted = call.spec.enabled and ratelimit.in_database()
    begun = _in_one_step(call, start, in_flight, counted) if can_do_one_step() else None
    if begun is None and call.edition is not None:
        raise NotBegun
    log_id, budget = begun or _in_transaction(parts, call.tenant, start, in_flight, counted)
    if call.spec.enabled and not counted:
        try:
            budget = ratelimit.spend(start.account_id, call.tenant.per_minute)
        except BaseException:
            parts.postponed.write(lambda: logs.forget(log_id))
            raise
    return log_id, budget


def may_believe() -> bool:
    """Whether a call may have an unread edition: what begins it looks at that too."""
    return can_do_one_step() and ratelimit.in_database()


def _in_one_step(call: Call, start: logs.Start, in_flight: int, counted: bool) -> Begun | None:
    now, per_minute = start.started_at, call.tenant.per_minute
    log_id, count, oldest_at = _BEGIN.do(
        logs.values_of(start, in_flight) | {
            "key": ratelimit.key_of(start.account_id), "limit": per_minute or ratelimit.PER_MINUTE, "now": now,
            "since": now - hits.WINDOW, "before": now - hits.KEPT, "counts": counted, "edition": call.edition,
        }
    )  # fmt: skip
    if log_id is None:
        return None
    budget = None
    with suppress(Exception):  # the row is there: what fails from here on must not look as if it were not
        budget = ratelimit.budget_in(count + 1, oldest_at if count else now, per_minute) if counted else None
    return log_id, budget


def _in_transaction(parts: Parts, tenant: Tenant, start: logs.Start, in_flight: int, counted: bool) -> Begun:
    try:
        with writing():
            budget = ratelimit.spend(start.account_id, tenant.per_minute) if counted else None
            log_id = logs.begin(start, in_flight)
            if log_id is None:
                raise TooManyInFlight
            return log_id, budget
    except ratelimit.RateLimited as refused:
        parts.refused.note(start.account_id, refused.budget)
        raise
    except TooManyInFlight:
        parts.refused.note_full(start.account_id)
        raise
