"""kill -9 in the middle of a call, and what the next start knows of it."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from httpstep.serving import server as gunicorn_server
from tests.faults.test_storage import put_step, workers_of
from tests.faults.visiting import SIGN_IN, Visitor
from tests.house import House
from tests.mailbox import Inbox
from tests.server import Server
from tests.services import PostgreSQL


@pytest.fixture
def slow(httpserver: HTTPServer) -> Iterator[Any]:
    """A third party that answers when it is told to."""
    arrived, go = threading.Event(), threading.Event()
    came: list[Request] = []

    def handler(request: Request) -> Response:
        came.append(request)
        arrived.set()
        go.wait(30)
        return Response('{"a": 1}', content_type="application/json")

    httpserver.expect_request("/slow").respond_with_handler(handler)
    yield httpserver, arrived, go
    go.set()
    ends = time.monotonic() + 30
    while len(httpserver.log) < len(came) and time.monotonic() < ends:
        time.sleep(0.01)  # written down later, a request whose caller was killed would be counted by the next test


def prepared(server: Server, httpserver: HTTPServer, **members: Any) -> str:
    token = server.command("key", "create", "--name", "bot", "--scope", "manage")
    request = {"method": "POST", "url": httpserver.url_for("/slow")}
    step = {"format": "httpstep/1", "name": "A", "request": request} | members
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
        assert arrived.wait(60)
        running = server.logs("a", token)
        server.kill()
        thread.join(90)
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
        assert arrived.wait(60)
        assert server.process is not None
        server.process.terminate()
        time.sleep(0.5)
        go.set()
        thread.join(90)
        assert server.process.wait(50) == 0
        server.start()
        [row] = server.logs("a", token)
    assert got[0].json()["attributes"] == {"a": 1}
    assert row["outcome"] == "success"


def kill_workers(server: Server) -> None:
    """kill -9, and wait until others have taken their places."""
    before = workers_of(server)
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    ends = time.monotonic() + 60
    while len(workers_of(server) - before) < len(before):
        assert time.monotonic() < ends, "the killed workers are not replaced"
        time.sleep(0.05)


def test_the_call_of_a_killed_worker_reads_as_interrupted(tmp_path: Path, slow: Any) -> None:
    httpserver, arrived, _ = slow
    with Server(tmp_path / "data") as server:
        token = prepared(server, httpserver)
        thread, got = in_background(server, token)
        assert arrived.wait(60)
        kill_workers(server)
        thread.join(90)
        ends = time.monotonic() + 60
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
    """Whether the port is closed while the call still has its time, and not merely unanswered."""
    ends = time.monotonic() + 25
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
        assert arrived.wait(60)
        assert server.process is not None
        server.process.terminate()
        assert refuses(server)
        assert not got
        go.set()
        thread.join(90)
        assert server.process.wait(50) == 0
    assert got[0].json()["attributes"] == {"a": 1}


def test_a_new_request_on_an_open_connection_of_a_stopping_server_is_no_work_half_done(
    tmp_path: Path, slow: Any
) -> None:
    """It is closed without an answer, or answered whole and then closed; the count of calls says which."""
    httpserver, arrived, go = slow
    with Server(tmp_path / "data", WORKERS="1") as server:
        token = prepared(server, httpserver)
        thread, got = in_background(server, token)
        assert arrived.wait(60)
        with socket.create_connection(("127.0.0.1", server.port), 20) as wire:
            wire.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            answered = b""
            while b'"ok"}' not in answered:
                answered += wire.recv(65536)
            assert server.process is not None
            server.process.terminate()
            assert refuses(server)
            said = b""
            head = f"POST /api/v1/steps/a/execute HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n"
            with suppress(OSError):
                wire.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}".encode())
                said = wire.recv(65536)
            go.set()
            thread.join(90)
            assert server.process.wait(50) == 0
            server.start()
            rows = server.logs("a", token)
    assert said == b"" and len(httpserver.log) == 1, "no new work"
    assert [row["outcome"] for row in rows] == ["success"]
    assert got[0].json()["attributes"] == {"a": 1}


def test_a_stopping_server_waits_for_the_mail_under_way(tmp_path: Path, httpserver: HTTPServer, inbox: Inbox) -> None:
    """One that is cut off is not known to be sent, and would come a second time."""
    came, go = threading.Event(), threading.Event()

    def hold() -> None:
        came.set()
        go.wait(9)

    inbox.on_mail = hold
    httpserver.expect_request("/slow").respond_with_data("", 500)
    mail = {"SMTP_URL": f"smtp://127.0.0.1:{inbox.port}", "MAIL_FROM": "httpstep@here.example"}
    with Server(tmp_path / "data", **mail) as server:
        token = prepared(server, httpserver, alert_emails=["ops@shop.example"])
        server.execute("a", {}, token)
        assert came.wait(20) and server.process is not None
        server.process.terminate()
        time.sleep(1)  # it would have ended by now
        go.set()
        assert server.process.wait(60) == 0
    with sqlite3.connect(tmp_path / "data" / "httpstep.db") as kept:
        assert kept.execute("SELECT state FROM alerts").fetchall() == [("sent",)]
    kept.close()


def test_the_grace_time_exceeds_the_longest_call(tmp_path: Path) -> None:
    house = House(tmp_path / "data")
    made = gunicorn_server.Server(house.app)
    assert min(made.cfg.timeout, made.cfg.graceful_timeout) > 65


def test_a_flow_that_is_killed_between_its_steps_calls_none_of_them_twice(tmp_path: Path, slow: Any) -> None:
    httpserver, arrived, _ = slow
    httpserver.expect_request("/first").respond_with_json({"b": 1})
    body = {"attributes": {}}
    with Server(tmp_path / "data", WORKERS="1", **SIGN_IN) as server:
        token = prepared(server, httpserver)
        put_step(server, token, httpserver.url_for("/first"), "first")
        bearer = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
        visitor = Visitor(server)
        form = {"csrf_token": visitor.token("/flows/new"), "name": "F", "key": "f", "op": "save"}
        columns = {"step": ["2", "1"], "when": ["", ""], "attribute": ["", ""], "value": ["", ""]}
        made = visitor.post("/flows/new", form | columns)
        assert made.status_code == 303, made.text
        url = f"{server.url}/api/v1/flows/f/execute"
        with ThreadPoolExecutor() as beside:
            call = beside.submit(requests.post, url, json=body, headers=bearer, timeout=30)
            assert arrived.wait(60)
            server.kill()
            assert isinstance(call.exception(), requests.ConnectionError)
        server.start()
        again = requests.post(url, json=body, headers=bearer, timeout=30)
        outcomes = [server.logs(key, token)[0]["outcome"] for key in ("first", "a")]
    assert (again.status_code, again.json()["title"]) == (409, "Outcome Unknown")
    assert outcomes == ["success", "interrupted"]
    assert [request.path for request, _ in httpserver.log].count("/first") == 1
    assert [request.path for request, _ in httpserver.log].count("/slow") <= 1


def test_a_killed_master_leaves_the_port_to_the_next_and_its_workers_their_calls(tmp_path: Path, slow: Any) -> None:
    httpserver, arrived, go = slow
    with Server(tmp_path / "data") as server:
        token = prepared(server, httpserver)
        thread, got = in_background(server, token)
        assert arrived.wait(60)
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        assert refuses(server)
        server.start()
        assert not got
        go.set()
        thread.join(90)
    assert got[0].json()["attributes"] == {"a": 1}


def test_a_caller_that_hangs_up_cancels_its_call(tmp_path: Path, slow: Any) -> None:
    httpserver, arrived, _ = slow
    with Server(tmp_path / "data") as server:
        token = prepared(server, httpserver)
        head = f"POST /api/v1/steps/a/execute HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n"
        with socket.create_connection(("127.0.0.1", server.port), 20) as wire:
            wire.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}".encode())
            assert arrived.wait(60)
        ends = time.monotonic() + 20
        while (row := server.logs("a", token)[0])["state"] == "running" and time.monotonic() < ends:
            time.sleep(0.05)
    assert row["outcome"] == "cancelled"


def test_the_health_page_answers_while_every_place_is_taken(tmp_path: Path, slow: Any) -> None:
    httpserver, _, go = slow
    with Server(tmp_path / "data", WORKERS="1", THREADS="12", IN_FLIGHT="4") as server:
        token = prepared(server, httpserver)
        calls = [in_background(server, token) for _ in range(4)]
        ends = time.monotonic() + 20
        while len(server.logs("a", token)) != 4:
            assert time.monotonic() < ends, "four calls are taken"
            time.sleep(0.05)
        calls.append(in_background(server, token))
        assert requests.get(f"{server.url}/health", timeout=20).status_code == 200
        assert not any(got for _, got in calls), "the fifth waits for a thread, and the others for their answers"
        go.set()
        for thread, _ in calls:
            thread.join(90)
    assert [got[0].status_code for _, got in calls] == [200] * 5
