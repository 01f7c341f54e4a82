"""Eight processes of eight threads that want the same thing at the same moment.

`main(JOB, VARIABLES)`, in a process of its own, prints how often the 64 got it between them.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from flask import Flask
from sqlalchemy import select

from app import create_app
from httpstep import config
from httpstep.alerts import alerts
from httpstep.core.exchange import HttpResponse, RenderedRequest, Send
from httpstep.execution import idempotency
from httpstep.execution.budget import ratelimit
from httpstep.extensions import db
from httpstep.storage import keys, logs
from httpstep.storage.database import editing, writing
from httpstep.storage.tables import Step
from tests import prepared

PROCESSES: Final = 8
THREADS: Final = 8
CALLS: Final = 10
ROWS: Final = 3
FAILED: Final = 255
"""Exit status of a process with a thread that raised."""


def spend(_app: Flask) -> int:
    """Ten calls each on the budget of account 1."""
    won = 0
    for _ in range(CALLS):
        try:
            ratelimit.spend(1, None)
            won += 1
        except ratelimit.RateLimited:
            pass
    return won


def write_logs(app: Flask) -> int:
    """Three executions each of step 1, from start row to end row."""
    won = 0
    for _ in range(ROWS):
        start = logs.Start(1, 1, None, 1, "r", "bot", "key k", "GET", time.time(), app.extensions["httpstep"].instance)
        log_id = logs.begin(start, 1000)
        if log_id is not None:
            with writing() as connection:
                logs.finish(connection, log_id, {"outcome": "success", "next": "continue", "duration_ms": 1})
            won += 1
    return won


def claim_alert(app: Flask) -> int:
    """One failure each of step 1, and the mail that follows from it."""
    to = ("ops@shop.example",)
    occasion = alerts.Occasion(1, "A", "It failed.", "https://a", "GET", to, time.time(), "http://x/steps/1")
    with writing() as connection:
        alerts.count_failure(connection, 1, occasion.at)
        won = alerts.claim(connection, occasion)
    app.extensions["httpstep"].alerts.kick()
    return int(won)


def claim_key(app: Flask) -> int:
    """One execution each of step 1 under one Idempotency-Key."""
    try:
        found = idempotency.claim(app.extensions["httpstep"].vault, 1, 1, "key", "hash", time.time())
    except idempotency.Running:
        return 0
    return int(found.answer is None)


def upstream(folder: Path) -> Path:
    """The file in which `call_once` counts what reached the third party: a byte a call."""
    return folder / "upstream"


def third_party(folder: Path) -> Send:
    """A third party for all processes; slow enough for every contender to arrive while it is asked."""

    def send(_request: RenderedRequest, _deadline: float) -> HttpResponse:
        with upstream(folder).open("ab", buffering=0) as file:
            file.write(b".")
        time.sleep(0.3)
        return HttpResponse(200, "OK", (("Content-Type", "application/json"),), b"{}")

    return send


def call_once(app: Flask) -> int:
    """One execute each of step 1 under one Idempotency-Key, as a bot; won by whoever got an answer that was not stored."""
    headers = {"Authorization": f"Bearer {app.config['CONTENDER']}", "Idempotency-Key": "call"}
    path = f"/api/v1/steps/{app.config['STEP']}/execute"
    got = app.test_client().post(path, json={"attributes": {"order.id": 1}}, headers=headers)
    if got.status_code not in (200, 409):
        raise AssertionError(got.text)
    return int(got.status_code == 200 and "Idempotency-Replayed" not in got.headers)


JOBS: Final[Mapping[str, Callable[[Flask], int]]] = {
    "budget": spend, "logs": write_logs, "alerts": claim_alert, "idempotency": claim_key, "calls": call_once,
}  # fmt: skip


def contend(job: str, variables: Mapping[str, str]) -> int:
    """Run a job 64 times at once against that data; returns how often it was won. AssertionError where one failed."""
    done = prepared.run(["tests.contention", job, json.dumps(dict(variables))], dict(os.environ), 170)
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout)


def _process(app: Flask, job: Callable[[Flask], int], begins: float) -> int:
    won: list[int] = []

    def run() -> None:
        time.sleep(max(0.0, begins - time.time()))
        with app.app_context():
            won.append(job(app))

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    app.extensions["httpstep"].alerts.finish()
    return sum(won) if len(won) == THREADS else FAILED


def main(job: str, variables: str) -> None:
    environ = {f"HTTPSTEP_{name}": value for name, value in json.loads(variables).items()}
    app = create_app(config.load(environ), send=third_party(Path(environ["HTTPSTEP_DATA"])))
    with app.app_context():
        with editing():
            app.config["CONTENDER"] = keys.create(1, "contender", "execute", time.time())[1]
        app.config["STEP"] = db.session.scalar(select(Step.key).where(Step.id == 1))
        db.session.close()
        db.engine.dispose()
    begins, children = time.time() + 0.3, []
    for _ in range(PROCESSES):
        child = os.fork()
        if child == 0:
            os._exit(_process(app, JOBS[job], begins))
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    if not all(0 <= code < FAILED for code in codes):
        sys.exit(f"a contender failed: {codes}")
    sys.stdout.write(f"{sum(codes)}\n")
