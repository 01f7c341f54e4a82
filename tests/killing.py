"""Kill a process that executes steps as fast as it can, again and again, and look at what it had acknowledged.

`main(FOLDER, ROUNDS, VARIABLES)`, in a process of its own, prints one JSON object: what was acknowledged, what of it is missing.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select, text

from httpstep.extensions import db
from httpstep.storage import logs
from httpstep.storage.database import reading
from httpstep.storage.tables import BudgetHit, Idempotency, Log
from tests.fakes import ThirdParty, answer
from tests.house import House, document

THREADS: Final = 8


def load(house: House, pipe: int, round_: int) -> None:
    """Execute for ever; write "key log_id" of each answer into the pipe once it is there."""
    token = house.token()

    def run(worker: int) -> None:
        client = house.app.test_client()
        for number in itertools.count():
            key = f"{round_}-{worker}-{number}"
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
            body = {"attributes": {"order.id": key}}
            got = client.post("/api/v1/steps/order-status/execute", json=body, headers=headers)
            if got.status_code == 200:
                os.write(pipe, f"{key} {got.json['log_id']}\n".encode())

    for worker in range(THREADS):
        threading.Thread(target=run, args=(worker,), daemon=True).start()
    time.sleep(60)


def one_kill(house: House, round_: int) -> list[tuple[str, int]]:
    """What a process had acknowledged when it was killed."""
    with house.app.app_context():
        db.engine.dispose()
    outcome, pipe = os.pipe()
    child = os.fork()
    if child == 0:
        load(house, pipe, round_)
        os._exit(0)
    os.close(pipe)
    with os.fdopen(outcome) as said:
        first = said.readline()  # however long it takes to come to work
        time.sleep(random.uniform(0.15, 0.35))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        lines = [line.split() for line in (first, *said) if line.endswith("\n")]
    return [(key, int(log_id)) for key, log_id in lines]


def settle(house: House) -> None:
    """PostgreSQL goes on with what a killed process had asked for, and finds out later that nobody listens."""
    busy = text(
        "select count(*) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'"
    )
    ends = time.monotonic() + 30
    with house.app.app_context():
        while time.monotonic() < ends:
            with reading() as connection:
                if connection.dialect.name == "sqlite" or not connection.execute(busy).scalar_one():
                    return
            time.sleep(0.05)


def is_sound(house: House) -> bool:
    with house.app.app_context(), reading() as connection:
        if connection.dialect.name != "sqlite":
            return True
        return bool(connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok")


def missing(house: House, acknowledged: list[tuple[str, int]]) -> list[str]:
    """Acknowledged answers whose log row (of the newest twenty) or stored answer is not there."""
    with house.app.app_context(), reading() as connection:
        ids = set(connection.execute(select(Log.id)).scalars())
        done = set(connection.execute(select(Idempotency.key).where(Idempotency.state == "done")).scalars())
        highest = connection.execute(select(func.max(Log.id))).scalar_one()
    newest = highest - logs.MAX_LOGS
    return [key for key, log_id in acknowledged if key not in done or (log_id > newest and log_id not in ids)]


def main(folder: str, rounds: str, variables: str) -> None:
    house = House(Path(folder), ThirdParty(answer(200, {"a": 1})), IN_FLIGHT="100", **json.loads(variables))
    house.put(document(mapping=[{"path": ["a"], "attribute": "a"}]))
    house.limit(1_000_000)
    result: dict[str, Any] = {"acknowledged": 0, "missing": [], "unsound": 0, "most_rows": 0, "unknown": 0}
    for round_ in range(int(rounds)):
        acknowledged = one_kill(house, round_)
        settle(house)
        result["unsound"] += not is_sound(house)
        with house.app.app_context():
            logs.interrupt(house.app.extensions["httpstep"].instance)
            rows = db.session.scalar(select(func.count()).select_from(Log))
            running = db.session.scalar(select(func.count()).select_from(Log).where(Log.state == "running"))
        result["acknowledged"] += len(acknowledged)
        result["missing"] += missing(house, acknowledged)
        result["most_rows"] = max(result["most_rows"], rows or 0, 1000 if running else 0)
    with house.app.app_context():
        result["unknown"] = db.session.scalar(
            select(func.count()).select_from(Idempotency).where(Idempotency.state == "unknown")
        )
        result["uncounted"] = result["acknowledged"] > (
            db.session.scalar(select(func.count()).select_from(BudgetHit)) or 0
        )
    result["works"] = house.execute().status_code == 200
    sys.stdout.write(f"{json.dumps(result)}\n")
