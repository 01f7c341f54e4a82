"""Counts of what 64 contenders in eight processes get between them: `python -m benchmarks.exactness`.

On SQLite, and where they can be started on PostgreSQL and Redis. Every figure has one right value; a wrong one
ends the run with status 1.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import redis
from sqlalchemy import func, select

from httpstep.extensions import db
from httpstep.storage.tables import (
    Alert,
    BudgetHit,
    Idempotency,
    Log,
)
from tests.contention import CALLS, PROCESSES, ROWS, THREADS, contend, upstream
from tests.fakes import ThirdParty
from tests.house import House, document
from tests.mailbox import Inbox, open_inbox
from tests.services import Absent, PostgreSQL, Redis

ROUNDS: Final = 3
CONTENDERS: Final = PROCESSES * THREADS
Row = tuple[str, int, int, str]
"""What was counted, how many there are, how many there must be, and a remark."""


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def one_round(folder: Path, inbox: Inbox, variables: dict[str, str]) -> list[Row]:
    """All five jobs on an empty installation."""
    house = House(folder, ThirdParty(), **variables)
    house.put(document())
    more = {"DATA": str(folder), "SMTP_URL": f"smtp://127.0.0.1:{inbox.port}", "MAIL_FROM": "a@b.example"} | variables
    began, before = time.perf_counter(), len(inbox.to)
    allowed = contend("budget", more)
    took = time.perf_counter() - began
    claimed = contend("alerts", more)
    written = contend("logs", more)
    keys = contend("idempotency", more)
    with house.app.app_context():
        rows = [row for (row,) in db.session.execute(select(Log.id).order_by(Log.id))]
        hits = _hits(variables)
        due = db.session.scalar(select(func.count()).select_from(Alert))
        kept = db.session.scalar(select(func.count()).select_from(Idempotency))
        db.engine.dispose()
    house.limit(1000)
    answered = contend("calls", more)
    calls = len(upstream(folder).read_bytes())
    newest = rows == list(range(written - 19, written + 1))
    return [
        ("calls allowed", allowed, 10, f"of {CONTENDERS * CALLS} asked for in {took:.1f} s, start included"),
        ("hits counted", hits, 10, "in Redis" if "RATELIMIT_URL" in variables else "rows"),
        ("alert hours claimed", claimed, 1, f"by {CONTENDERS} failures"),
        ("alert rows", due or 0, 1, ""),
        ("mails received", len(inbox.to) - before, 1, ""),
        ("log rows written", written, CONTENDERS * ROWS, ""),
        ("log rows kept", len(rows), 20, "the newest" if newest else "NOT the newest"),
        ("keys claimed", keys, 1, f"by {CONTENDERS} calls with one Idempotency-Key"),
        ("key rows", kept or 0, 1, ""),
        ("upstream calls", calls, 1, f"for {CONTENDERS} executes with one Idempotency-Key"),
        ("duplicates", max(0, calls - 1), 0, f"answered by the call itself: {answered}"),
    ]


def _hits(variables: dict[str, str]) -> int:
    """Calls counted on the budget of account 1, where they are counted."""
    if "RATELIMIT_URL" in variables:
        return int(redis.Redis.from_url(variables["RATELIMIT_URL"]).llen("LIMITS:budget/1"))  # type: ignore[arg-type]
    return db.session.scalar(select(func.count()).select_from(BudgetHit)) or 0


def installations(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """(name, variables), again and again with fresh data; a service that is not there is named."""
    for _ in range(ROUNDS):
        yield "SQLite", {}
    try:
        postgresql, shared = PostgreSQL(), Redis()
    except Absent as absent:
        say(f"NOT RUN HERE: PostgreSQL and Redis, because {absent}")
        return
    first = House(folder / "first", DATABASE_URL=postgresql.new_database())
    with first.app.app_context():
        db.engine.dispose()
    try:
        for _ in range(ROUNDS):
            redis.Redis.from_url(shared.url).flushall()
            yield (
                "PostgreSQL and Redis",
                {"DATABASE_URL": postgresql.new_database(), "RATELIMIT_URL": shared.url},
            )
        for _ in range(ROUNDS):
            yield "PostgreSQL", {"DATABASE_URL": postgresql.new_database()}
    finally:
        shared.stop()
        postgresql.stop()


def main() -> int:
    say(f"{PROCESSES} processes x {THREADS} threads, {os.cpu_count()} cores, {ROUNDS} rounds each\n")
    wrong = 0
    with tempfile.TemporaryDirectory() as name, open_inbox() as inbox:
        found: dict[str, list[list[Row]]] = {}
        for number, (title, variables) in enumerate(installations(Path(name))):
            found.setdefault(title, []).append(one_round(Path(name) / str(number), inbox, variables))
        for title, rounds in found.items():
            say(f"{title}\n")
            for rows in zip(*rounds, strict=True):
                counts, right = sorted({row[1] for row in rows}), rows[0][2]
                good = sum(row[1] == right and "NOT" not in row[3] for row in rows)
                wrong += good < len(rows)
                seen = "/".join(map(str, counts))
                say(f"  {rows[0][0]:22}{seen:>6}  must be {right:<5} right in {good} of {len(rows)}  {rows[-1][3]}")
            say("")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
