"""Storage that can be read and not written, and storage that goes away during a call."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests
from pytest_httpserver import HTTPServer
from sqlalchemy import event, update
from werkzeug import Request, Response

from app import create_app
from httpstep import config
from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.extensions import db
from httpstep.storage.database import editing
from httpstep.storage.sqlitefile import Kept, KeptConnections
from httpstep.storage.tables import ApiKey, Session
from tests.fakes import ThirdParty, answer
from tests.faults.test_storage import prepared, refused, third
from tests.house import House, document
from tests.server import Server
from tests.services import PostgreSQL
from tests.web.conftest import Web

__all__ = ["third"]


def test_a_read_only_sqlite_file_is_a_503_and_no_call(tmp_path: Path) -> None:
    """SQLite's own refusal (SQLITE_READONLY), as it comes for a file whose owner or file system has changed."""
    house = House(tmp_path / "data", ThirdParty())
    house.put(document())
    token = house.token()
    third = ThirdParty()
    url = f"sqlite:///file:{tmp_path / 'data/httpstep.db'}?mode=ro&uri=true"
    settings = config.load({"HTTPSTEP_DATA": str(tmp_path / "data"), "HTTPSTEP_DATABASE_URL": url})
    client = create_app(settings, send=third).test_client()
    bearer = {"Authorization": f"Bearer {token}"}
    for key in ({}, {"Idempotency-Key": "k"}):
        got = client.post("/api/v1/steps/order-status/execute", json={}, headers=bearer | key)
        assert (got.status_code, got.content_type) == (503, "application/problem+json")
        assert "No call was made" in got.json["detail"]
    assert client.get("/api/v1/steps", headers=bearer).status_code == 200
    assert client.get("/health").status_code == 200
    assert third.requests == []
    assert house.execute().json["outcome"] == "success"
    for app in (house.app, client.application):
        with app.app_context():
            db.engine.dispose()


def test_pages_of_a_read_only_file_can_be_read(tmp_path: Path) -> None:
    """Reading notes once a minute that the user was here; that note is not worth a page."""
    web = Web(House(tmp_path / "data"))
    cookie = web.as_("vera").client.get_cookie("httpstep_session")
    with web.house.app.app_context(), editing():
        db.session.execute(db.update(Session).values(last_seen_at=Session.last_seen_at - 100))
    url = f"sqlite:///file:{tmp_path / 'data/httpstep.db'}?mode=ro&uri=true"
    settings = config.load({"HTTPSTEP_DATA": str(tmp_path / "data"), "HTTPSTEP_DATABASE_URL": url})
    client = create_app(settings, send=ThirdParty()).test_client()
    client.set_cookie("httpstep_session", cookie.value if cookie else "")
    assert client.get("/steps").status_code == 200
    for app in (web.house.app, client.application):
        with app.app_context():
            db.engine.dispose()


def needed(postgresql: PostgreSQL | None) -> PostgreSQL:
    if postgresql is None:
        pytest.skip("PostgreSQL is not here; the summary names it")
    return postgresql


def test_a_database_server_that_became_a_replica_is_a_503_and_no_call(
    tmp_path: Path, third: HTTPServer, postgresql: PostgreSQL | None
) -> None:
    service = needed(postgresql)
    with Server(tmp_path / "data", DATABASE_URL=service.new_database()) as server:
        token = prepared(server, third)
        try:
            service.set_read_only("on")
            assert refused(server.execute("a", {}, token))
            assert refused(server.execute("a", {}, token, headers={"Idempotency-Key": "k"}))
            assert len(third.log) == 1
        finally:
            service.set_read_only("off")
        assert server.execute("a", {}, token, headers={"Idempotency-Key": "k"}).status_code == 200


@pytest.fixture
def slow(httpserver: HTTPServer) -> Iterator[tuple[HTTPServer, threading.Event, threading.Event]]:
    arrived, go = threading.Event(), threading.Event()

    def handler(_request: Request) -> Response:
        arrived.set()
        go.wait(30)
        return Response('{"a": 1}', content_type="application/json")

    httpserver.expect_request("/slow").respond_with_handler(handler)
    yield httpserver, arrived, go
    go.set()


def test_a_database_that_goes_during_a_call_delays_the_record_and_not_the_answer(
    tmp_path: Path,
    third: HTTPServer,
    slow: tuple[HTTPServer, threading.Event, threading.Event],
    postgresql: PostgreSQL | None,
) -> None:
    service = needed(postgresql)
    httpserver, arrived, go = slow
    with Server(tmp_path / "data", DATABASE_URL=service.new_database()) as server:
        token = prepared(server, third)
        step = document("slow", url=httpserver.url_for("/slow"), mapping=[{"path": ["a"], "attribute": "a"}])
        put_step(server, step, token)
        got: list[requests.Response] = []
        key = {"Idempotency-Key": "k"}
        call = threading.Thread(target=lambda: got.append(server.execute("slow", {}, token, headers=key)))
        call.start()
        assert arrived.wait(60)
        service.pause()
        go.set()
        call.join(90)
        service.resume()
        [kept] = got
        again = replayed(server, token, key)
        [log] = server.logs("slow", token)
    assert (kept.status_code, kept.json()["attributes"]) == (200, {"a": 1})
    assert (again.json(), log["state"]) == (kept.json(), "done")
    assert [request.path for request, _ in httpserver.log].count("/slow") == 1


KEY = {"Idempotency-Key": "k"}


@contextmanager
def locked_as_a_call_ends(
    server: Server, slow: tuple[HTTPServer, threading.Event, threading.Event]
) -> Iterator[tuple[str, requests.Response]]:
    """(token, answer) of a call of the step `slow`, under a lock that was taken after its start row."""
    httpserver, arrived, go = slow
    token = server.command("key", "create", "--name", "bot", "--scope", "manage")
    put_step(server, document("slow", url=httpserver.url_for("/slow")), token)
    with ThreadPoolExecutor(1) as beside:
        call = beside.submit(server.execute, "slow", {}, token, headers=KEY)
        assert arrived.wait(60)
        with closing(sqlite3.connect(server.folder / "httpstep.db", isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            go.set()
            yield token, call.result()


def test_a_sqlite_that_is_locked_during_a_call_delays_the_record_and_not_the_answer(
    tmp_path: Path, slow: tuple[HTTPServer, threading.Event, threading.Event]
) -> None:
    """The lock is let go after the answer, which each write before it gave up waiting for."""
    with Server(tmp_path / "data", WORKERS="1") as server:
        with locked_as_a_call_ends(server, slow) as (token, answer):
            [before] = server.logs("slow", token)
        again = replayed(server, token, KEY)
        [log] = server.logs("slow", token)
    assert (answer.status_code, answer.json()["outcome"], before["state"]) == (200, "success", "running")
    assert (again.headers["Idempotency-Replayed"], again.json(), log["state"]) == ("true", answer.json(), "done")
    assert len(slow[0].log) == 1


def test_a_server_that_is_stopped_while_the_database_is_away_still_writes_down_what_it_answered(
    tmp_path: Path, slow: tuple[HTTPServer, threading.Event, threading.Event]
) -> None:
    with Server(tmp_path / "data", WORKERS="1") as server, ThreadPoolExecutor(1) as beside:
        with locked_as_a_call_ends(server, slow) as (token, answer):
            ended = beside.submit(server.stop)
            time.sleep(4)  # longer than a worker without anything to do takes to end
            assert not ended.done()
        assert ended.result() == 0
        server.start()
        again = server.execute("slow", {}, token, headers=KEY)
        [log] = server.logs("slow", token)
    assert (again.headers["Idempotency-Replayed"], again.json(), log["state"]) == ("true", answer.json(), "done")
    assert len(slow[0].log) == 1


def test_a_key_not_used_for_a_while_waits_no_longer_for_a_locked_database_and_reads_as_ever(tmp_path: Path) -> None:
    house = House(tmp_path / "data", ThirdParty())
    house.put(document())
    with house.app.app_context(), editing():
        db.session.execute(update(ApiKey).values(last_used_at=0))
    with closing(sqlite3.connect(tmp_path / "data/httpstep.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        assert house.call("GET", "/steps/order-status").status_code == 200
        got = house.execute()
    assert (got.status_code, got.json["next"]) == (503, "stop")
    with house.app.app_context():
        db.engine.dispose()


def replayed(server: Server, token: str, key: dict[str, str]) -> requests.Response:
    """The stored answer, which is written once the database is back."""
    ends = time.monotonic() + 60
    while True:
        again = server.execute("slow", {}, token, headers=key)
        if again.status_code != 409 or time.monotonic() > ends:
            return again
        time.sleep(0.2)


def put_step(server: Server, step: dict[str, object], token: str) -> None:
    put = requests.put(
        f"{server.url}/api/v1/steps/{step['key']}", json=step, headers={"Authorization": f"Bearer {token}"}, timeout=30
    )
    assert put.status_code == 201, put.text


# ---------------------------------------------------------------- nothing is held while a third party is waited for


def test_forty_slow_calls_run_side_by_side_and_others_still_write(
    make_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No connection is in use, of the pool or of those kept beside it, and so no transaction open, while forty calls wait."""
    all_there, go = threading.Barrier(41), threading.Event()

    def wait(_request: RenderedRequest) -> HttpResponse:
        all_there.wait(90)
        go.wait(90)
        return answer(200, {"a": 1})

    house = make_house(ThirdParty(wait), IN_FLIGHT="100", THREADS="64")
    house.put(document())
    house.limit(1000)
    bearer = {"Authorization": f"Bearer {house.token()}"}
    out: list[int] = []
    take, give_back = KeptConnections.take, KeptConnections.give_back

    def taken(kept: KeptConnections) -> Kept:
        out.append(1)
        return take(kept)

    def given_back(kept: KeptConnections, one: Kept) -> None:
        give_back(kept, one)
        out.append(-1)

    monkeypatch.setattr(KeptConnections, "take", taken)
    monkeypatch.setattr(KeptConnections, "give_back", given_back)
    with house.app.app_context():
        event.listen(db.engine, "checkout", lambda *_: out.append(1))
        for back in ("checkin", "detach"):
            event.listen(db.engine, back, lambda *_: out.append(-1))
    statuses: list[int] = []

    def call() -> None:
        client = house.app.test_client()
        body = {"attributes": {"order.id": 1}}
        statuses.append(client.post("/api/v1/steps/order-status/execute", json=body, headers=bearer).status_code)

    calls = [threading.Thread(target=call) for _ in range(40)]
    for thread in calls:
        thread.start()
    all_there.wait(90)
    assert sum(out) == 0
    assert len(out) > 80, "each call asks before it goes out, and writes"
    assert house.put(document("another")).status_code == 201
    go.set()
    for thread in calls:
        thread.join()
    assert statuses == [200] * 40
