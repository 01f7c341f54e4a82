"""A worker that large answers made grow is replaced in a moment in which nobody needs it, and nobody notices."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest
import requests

from httpstep.serving import memory
from httpstep.serving.memory import own_bytes
from tests import prepared
from tests.server import ROOT, Server
from tests.transport.conftest import Peer, RawServer

_EAGER = """
from httpstep.serving import memory
memory.EVERY, memory.LEAST_SECONDS, memory.GROWN_BYTES = 0.1, 1.0, -(1 << 40)
from httpstep.application import main
main([])
"""


@pytest.fixture
def eager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Its one worker counts as grown as soon as it is a second old and has answered something."""

    def start(
        _: list[str], environ: dict[str, str], out: IO[bytes], error: IO[bytes], data: None
    ) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", _EAGER]
        return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=error, start_new_session=True)

    monkeypatch.setattr(prepared, "start", start)
    server = Server(tmp_path / "data", WORKERS="1")
    with server:
        monkeypatch.undo()
        yield server
        assert server.stop() == 0


def workers(server: Server) -> list[int]:
    assert server.process is not None
    pid = server.process.pid
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_who_asks_while_workers_are_replaced_gets_answers(eager: Server) -> None:
    seen, statuses, ends = set[int](), list[int](), time.monotonic() + 60
    while len(seen) < 4:
        assert time.monotonic() < ends, f"only {seen} in a minute"
        statuses.append(requests.get(f"{eager.url}/health", timeout=30).status_code)
        seen.update(workers(eager))
        time.sleep(0.1)  # a moment in which nobody asks
    assert set(statuses) == {200}


def test_a_worker_stays_for_the_call_that_it_waits_for(eager: Server) -> None:
    go, ended = threading.Event(), list[str]()

    def third(peer: Peer) -> None:
        peer.read_request()
        go.wait(50)
        peer.answer()

    with closing(RawServer(third)) as api:
        token = eager.command("key", "create", "--name", "bot", "--scope", "manage")
        step = {"format": "httpstep/1", "name": "S", "request": {"url": api.url()}}
        put = requests.put(
            f"{eager.url}/api/v1/steps/slow", json=step, headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
        assert put.status_code == 201
        call = threading.Thread(target=lambda: ended.append(eager.execute("slow", {}, token).json()["outcome"]))
        call.start()
        before, now = _waiting(eager, api), time.monotonic()
        while time.monotonic() < now + 4:
            assert requests.get(f"{eager.url}/health", timeout=30).status_code == 200
            assert workers(eager) == before
        go.set()
        call.join(60)
    assert ended == ["success"]


def _waiting(server: Server, api: RawServer) -> list[int]:
    """The workers, as soon as the third party has the call."""
    ends = time.monotonic() + 30
    while not api.requests:
        assert time.monotonic() < ends
        time.sleep(0.05)
    return workers(server)


def test_a_worker_that_has_not_grown_stays(tmp_path: Path) -> None:
    with Server(tmp_path / "data", WORKERS="1") as server:
        before = workers(server)
        for _ in range(50):
            assert requests.get(f"{server.url}/health", timeout=30).status_code == 200
        time.sleep(1.5)
        assert workers(server) == before


def test_what_a_process_has_for_itself_is_told() -> None:
    before = own_bytes()
    taken = bytearray(b"x") * (64 << 20)
    assert own_bytes() - before > len(taken) / 2


def test_one_that_was_too_young_is_looked_at_again_where_nobody_asks_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "GROWN_BYTES", -(1 << 40))
    giving, began = memory.GivingBack(), time.monotonic()
    giving.worked = True
    giving.when_due(began + 1)
    assert not giving.grown
    giving.when_due(began + memory.LEAST_SECONDS + 1)
    assert giving.grown and not giving.worked
