"""No transaction is open while third parties are waited for: 64 calls of 5 s wait side by side, and others write."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import requests

from tests.server import Server, free_port


def test_sixty_four_calls_wait_at_once_on_sqlite_and_others_still_write(tmp_path: Path) -> None:
    port = free_port()
    with Server(tmp_path / "data", "--demo", str(port), WORKERS="1", THREADS="80", IN_FLIGHT="64") as server:
        token = server.log.read_text().split("API key of the demo:")[1].split()[0]
        server.command("account", "limit", "default", "200")
        bearer = {"Authorization": f"Bearer {token}"}
        step = {"format": "httpstep/1", "name": "S", "request": {"url": f"http://127.0.0.1:{port}/slow/5"}}

        def put(key: str) -> requests.Response:
            return requests.put(f"{server.url}/api/v1/steps/{key}", json=step, headers=bearer, timeout=30)

        assert put("slow").status_code == 201
        outcomes: list[str] = []
        calls = [
            threading.Thread(target=lambda: outcomes.append(server.execute("slow", {}, token).json()["outcome"]))
            for _ in range(64)
        ]
        began = time.monotonic()
        for call in calls:
            call.start()
        time.sleep(2)
        assert put("written-meanwhile").status_code == 201
        assert outcomes == [], "the write came back while all 64 were still waiting"
        for call in calls:
            call.join(60)
        assert outcomes == ["success"] * 64
        assert time.monotonic() - began < 30, "one after the other they would take more than five minutes"


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
        time.sleep(1.5)
        assert server.stop() == 0
        call.join(10)
    assert answers[0]["attributes"] == {"waited": "40"}
