"""kill -9 in the middle of a call, and what the next start knows of it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.server import Server
from tests.services import PostgreSQL


@pytest.fixture
def slow(httpserver: HTTPServer) -> Iterator[Any]:
    """A third party that answers when it is told to."""
    arrived, go = threading.Event(), threading.Event()

    def handler(_request: Request) -> Response:
        arrived.set()
        go.wait(30)
        return Response('{"a": 1}', content_type="application/json")

    httpserver.expect_request("/slow").respond_with_handler(handler)
    yield httpserver, arrived, go
    go.set()


def prepared(server: Server, httpserver: HTTPServer) -> str:
    token = server.command("key", "create", "--name", "bot", "--scope", "manage")
    request = {"method": "POST", "url": httpserver.url_for("/slow")}
    step = {"format": "httpstep/1", "name": "A", "request": request}
    bearer = {"Authorization": f"Bearer {token}"}
    put = requests.put(f"{server.url}/api/v1/steps/a", json=step, headers=bearer, timeout=30)
    assert put.status_code == 201, put.text
    return token


def in_background(server: Server, token: str, **headers: str) -> tuple[threading.Thread, list[Any]]:
    got: list[Any] = []

    def call() -> None:
        try:
            got.append(server.execute("a", {}, token, headers=headers))
        except requests.ConnectionError as error:
            got.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    return thread, got


def test_a_killed_call_reads_as_interrupted_and_its_key_as_unknown(tmp_path: Path, slow: Any) -> None:
    httpserver, arrived, _ = slow
    with Server(tmp_path / "data") as server:
        token = prepared(server, httpserver)
        thread, got = in_background(server, token, **{"Idempotency-Key": "k"})
        assert arrived.wait(10)
        running = server.logs("a", token)
        server.kill()
        thread.join(10)
        server.start()
        [row] = server.logs("a", token)
        again = server.execute("a", {}, token, headers={"Idempotency-Key": "k"})
    assert [row["state"] for row in running] == ["running"]
    assert isinstance(got[0], requests.ConnectionError)
    assert (row["state"], row["outcome"]) == ("interrupted", "interrupted")
    assert "interrupted" in row["message"]
    assert (again.status_code, again.json()["title"]) == (409, "Outcome Unknown")
    assert len(httpserver.log) <= 1


def test_sigterm_lets_the_running_call_finish(tmp_path: Path, slow: Any) -> None:
    httpserver, arrived, go = slow
    with Server(tmp_path / "data") as server:
        token = prepared(server, httpserver)
        thread, got = in_background(server, token)
        assert arrived.wait(10)
        assert server.process is not None
        server.process.terminate()
        time.sleep(0.5)
        go.set()
        thread.join(20)
        assert server.process.wait(20) == 0
        server.start()
        [row] = server.logs("a", token)
    assert got[0].json()["attributes"] == {"a": 1}
    assert row["outcome"] == "success"


def workers_of(server: Server) -> set[int]:
    assert server.process is not None
    master = server.process.pid
    return set(map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split()))


def kill_workers(server: Server) -> None:
    """kill -9, and wait until others have taken their places."""
    before = workers_of(server)
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    ends = time.monotonic() + 20
    while len(workers_of(server) - before) < len(before):
        assert time.monotonic() < ends, "the killed workers are not replaced"
        time.sleep(0.05)


def test_the_call_of_a_killed_worker_reads_as_interrupted(tmp_path: Path, slow: Any) -> None:
    httpserver, arrived, _ = slow
    with Server(tmp_path / "data") as server:
        token = prepared(server, httpserver)
        thread, got = in_background(server, token)
        assert arrived.wait(10)
        kill_workers(server)
        thread.join(10)
        ends = time.monotonic() + 20
        while (row := server.logs("a", token)[0])["state"] == "running" and time.monotonic() < ends:
            time.sleep(0.05)
    assert isinstance(got[0], requests.ConnectionError)
    assert (row["state"], row["outcome"]) == ("interrupted", "interrupted")


def test_a_killed_worker_is_replaced_while_the_database_is_frozen(
    tmp_path: Path, postgresql: PostgreSQL | None
) -> None:
    if postgresql is None:
        pytest.skip("PostgreSQL is not here; the summary names it")
    with Server(tmp_path / "data", DATABASE_URL=postgresql.new_database()) as server, postgresql.frozen():
        kill_workers(server)


def refuses(server: Server) -> bool:
    """Whether the port is closed within ten seconds, and not merely unanswered."""
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        try:
            requests.get(f"{server.url}/health", timeout=1)
        except requests.ReadTimeout:
            pass
        except requests.ConnectionError as error:
            if "refused" in str(error):
                return True
        time.sleep(0.05)
    return False


def test_a_stopping_server_refuses_new_clients_while_a_call_runs(tmp_path: Path, slow: Any) -> None:
    httpserver, arrived, go = slow
    with Server(tmp_path / "data") as server:
        token = prepared(server, httpserver)
        thread, got = in_background(server, token)
        assert arrived.wait(10)
        assert server.process is not None
        server.process.terminate()
        assert refuses(server)
        assert not got
        go.set()
        thread.join(20)
        assert server.process.wait(20) == 0
    assert got[0].json()["attributes"] == {"a": 1}


def test_a_killed_master_leaves_the_port_to_the_next_and_its_workers_their_calls(tmp_path: Path, slow: Any) -> None:
    httpserver, arrived, go = slow
    with Server(tmp_path / "data") as server:
        token = prepared(server, httpserver)
        thread, got = in_background(server, token)
        assert arrived.wait(10)
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        assert refuses(server)
        server.start()
        assert not got
        go.set()
        thread.join(20)
    assert got[0].json()["attributes"] == {"a": 1}


def test_a_caller_that_hangs_up_cancels_its_call(tmp_path: Path, slow: Any) -> None:
    httpserver, arrived, _ = slow
    with Server(tmp_path / "data") as server:
        token = prepared(server, httpserver)
        with pytest.raises(requests.ReadTimeout):
            requests.post(
                f"{server.url}/api/v1/steps/a/execute", json={}, headers={"Authorization": f"Bearer {token}"}, timeout=1
            )
        assert arrived.is_set()
        ends = time.monotonic() + 3
        while (row := server.logs("a", token)[0])["state"] == "running" and time.monotonic() < ends:
            time.sleep(0.05)
    assert row["outcome"] == "cancelled"


def test_the_health_page_answers_while_every_place_is_taken(tmp_path: Path, slow: Any) -> None:
    httpserver, arrived, go = slow
    with Server(tmp_path / "data", WORKERS="1", THREADS="12", IN_FLIGHT="4") as server:
        token = prepared(server, httpserver)
        calls = [in_background(server, token) for _ in range(5)]
        assert arrived.wait(10)
        began = time.monotonic()
        assert requests.get(f"{server.url}/health", timeout=5).status_code == 200
        assert time.monotonic() - began < 5
        time.sleep(0.5)
        go.set()
        for thread, _ in calls:
            thread.join(20)
    statuses = sorted(got[0].status_code for _, got in calls)
    assert statuses == [200, 200, 200, 200, 429]
