"""What an execution costs: `python -m benchmarks.execution [--calls 300]`.

CPU of the thread that serves the call, measured in turns and in one run, against a bare Flask route that makes the same
call with a pooled requests session and answers with the same value. The third party is a process of its own. Both go
through Flask's test client, so the server in front costs neither anything.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import requests
from flask import Flask, Response, jsonify, request
from sqlalchemy import update

from benchmarks.guard import listen, quick
from httpstep.extensions import db
from httpstep.storage.database import editing
from httpstep.storage.tables import Account
from tests.house import House, document

BLOCK: Final = 20
Call = Callable[[], None]


def serve(ports: Connection) -> None:
    ports.send(listen(quick))
    time.sleep(3600)


def bare(url: str) -> Call:
    app, session = Flask("bare"), requests.Session()

    @app.post("/execute/<key>")
    def execute(key: str) -> Response:
        asked = request.get_json()["attributes"]
        found = session.get(f"{url}/{key}/{asked['order.id']}", timeout=60).json()
        return jsonify({"attributes": {"order.status": found["order"]["status"]}})

    client = app.test_client()

    def call() -> None:
        answer = client.post("/execute/order", json={"attributes": {"order.id": 42}})
        assert answer.json["attributes"] == {"order.status": "shipped"}

    return call


def whole(folder: Path, url: str) -> Call:
    house = House(folder, ALLOW_NETWORKS="127.0.0.0/8")
    rules = [{"path": ["order", "status"], "attribute": "order.status"}]
    house.put(document("order", url=f"{url}/order/{{{{order.id}}}}", mapping=rules))
    with house.app.app_context(), editing():
        db.session.execute(update(Account).values(per_minute=100_000))

    def call() -> None:
        assert house.execute("order").json["attributes"] == {"order.status": "shipped"}

    return call


def cost_ms(call: Call) -> float:
    """CPU milliseconds of one call, of the calling thread."""
    began = time.thread_time()
    for _ in range(BLOCK):
        call()
    return (time.thread_time() - began) * 1000 / BLOCK


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    blocks = max(3, parser.parse_args().calls // BLOCK)
    ours, theirs = multiprocessing.Pipe()
    third = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    third.start()
    url = f"http://127.0.0.1:{ours.recv()}"
    with tempfile.TemporaryDirectory() as folder:
        calls = {"bare Flask and requests": bare(url), "httpstep": whole(Path(folder), url)}
        for call in calls.values():
            cost_ms(call)
        found: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(blocks):
            for name, call in calls.items():
                found[name].append(cost_ms(call))
    third.terminate()
    first, *_ = medians = {name: statistics.median(each) for name, each in found.items()}
    for name, median in medians.items():
        sys.stdout.write(f"{name:26} {median:6.2f} ms of CPU a call, {median / medians[first]:.2f} times the first\n")


if __name__ == "__main__":
    main()
