"""No transaction is open while third parties are waited for: 64 calls wait side by side, and others write."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from pathlib import Path

import requests

from tests.server import Server, free_port
from tests.transport.conftest import Peer, RawServer


def test_sixty_four_calls_wait_at_once_on_sqlite_and_others_still_write(tmp_path: Path) -> None:
    go, outcomes = threading.Event(), list[str]()

    def third(peer: Peer) -> None:
        peer.read_request()
        go.wait(50)
        peer.answer()

    with (
        closing(RawServer(third)) as api,
        Server(tmp_path / "data", WORKERS="1", THREADS="80", IN_FLIGHT="64") as server,
    ):
        token = server.command("key", "create", "--name", "bot", "--scope", "manage")
        server.command("account", "limit", "default", "200")
        bearer = {"Authorization": f"Bearer {token}"}
        step = {"format": "httpstep/1", "name": "S", "request": {"url": api.url()}}

        def put(key: str) -> requests.Response:
            return requests.put(f"{server.url}/api/v1/steps/{key}", json=step, headers=bearer, timeout=30)

        assert put("slow").status_code == 201
        calls = [
            threading.Thread(target=lambda: outcomes.append(server.execute("slow", {}, token).json()["outcome"]))
            for _ in range(64)
        ]
        for call in calls:
            call.start()
        ends = time.monotonic() + 40
        while len(api.requests) < 64:
            assert time.monotonic() < ends, f"only {len(api.requests)} wait side by side"
            time.sleep(0.05)
        assert put("written-meanwhile").status_code == 201
        assert outcomes == [], "the write came back while all 64 were still waiting"
        go.set()
        for call in calls:
            call.join(90)
        assert outcomes == ["success"] * 64


def test_a_call_for_which_no_thread_is_free_waits_for_one(tmp_path: Path) -> None:
    """One thread may wait for third parties, and a call of another account has it. Pages go on meanwhile."""
    go = threading.Event()

    def third(peer: Peer) -> None:
        peer.read_request()
        go.wait(50)
        peer.answer()

    with closing(RawServer(third)) as api, Server(tmp_path / "data", WORKERS="1", THREADS="9") as server:
        token = server.command("key", "create", "--name", "bot", "--scope", "manage")
        server.command("account", "create", "b")
        others = server.command("key", "create", "--name", "bot", "--scope", "manage", "--account", "b")
        step = {"format": "httpstep/1", "name": "S", "fallback": "continue", "request": {"url": api.url()}}
        for one in (token, others):
            bearer = {"Authorization": f"Bearer {one}"}
            put = requests.put(f"{server.url}/api/v1/steps/slow", json=step, headers=bearer, timeout=30)
            assert put.status_code == 201
        first = threading.Thread(target=lambda: server.execute("slow", {}, others))
        first.start()
        ends = time.monotonic() + 30
        while not api.requests:
            assert time.monotonic() < ends
            time.sleep(0.05)
        answered: list[str] = []
        waiting = [
            threading.Thread(target=lambda: answered.append(server.execute("slow", {}, token).json()["outcome"]))
            for _ in range(3)
        ]
        for one in waiting:
            one.start()
        time.sleep(1)
        assert requests.get(f"{server.url}/health", timeout=30).status_code == 200
        assert (answered, server.logs("slow", token), len(api.requests)) == ([], [], 1)
        go.set()
        for one in (first, *waiting):
            one.join(60)
        assert answered == ["success"] * 3


def test_a_call_of_forty_seconds_is_finished_after_sigterm(tmp_path: Path) -> None:
    """gunicorn's own grace time of 30 s would cut it."""
    port = free_port()
    with Server(tmp_path / "data", "--demo", str(port)) as server:
        token = server.log.read_text().split("API key of the demo:")[1].split()[0]
        step = {"format": "httpstep/1", "name": "S", "request": {"url": f"http://127.0.0.1:{port}/slow/40"}}
        bearer = {"Authorization": f"Bearer {token}"}
        requests.put(f"{server.url}/api/v1/steps/slow", json=step, headers=bearer, timeout=30)
        answers: list[dict[str, object]] = []
        call = threading.Thread(target=lambda: answers.append(server.execute("slow", {}, token).json()))
        call.start()
        ends = time.monotonic() + 20
        while not server.logs("slow", token):
            assert time.monotonic() < ends, "the call has not begun"
            time.sleep(0.05)
        assert server.stop() == 0
        call.join(90)
    assert answers[0]["attributes"] == {"waited": "40"}
