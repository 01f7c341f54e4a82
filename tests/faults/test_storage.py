"""Storage that is locked, full or gone: a 503 in the documented form, no call made, and recovery without a restart."""

from __future__ import annotations

import resource
import sqlite3
import time
from pathlib import Path

import pytest
import requests
from pytest_httpserver import HTTPServer

from tests.server import Server
from tests.services import PostgreSQL, Redis


@pytest.fixture
def third(httpserver: HTTPServer) -> HTTPServer:
    httpserver.expect_request("/a").respond_with_json({"a": 1})
    return httpserver


def prepared(server: Server, third: HTTPServer) -> str:
    token = server.command("key", "create", "--name", "bot", "--scope", "manage")
    step = {"format": "httpstep/1", "name": "A", "request": {"method": "GET", "url": third.url_for("/a")}}
    bearer = {"Authorization": f"Bearer {token}"}
    requests.put(f"{server.url}/api/v1/steps/a", json=step, headers=bearer, timeout=30)
    assert server.execute("a", {}, token).json()["attributes"] == {"a": 1}
    return token


def refused(answer: requests.Response) -> bool:
    """Whether an answer is the documented refusal for storage that is away."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "No call was made" in answer.json()["detail"]
    return True


def test_a_locked_database_is_a_503_and_no_call(tmp_path: Path, third: HTTPServer) -> None:
    with Server(tmp_path / "data") as server:
        token = prepared(server, third)
        holder = sqlite3.connect(tmp_path / "data/httpstep.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        assert refused(server.execute("a", {}, token))
        assert time.monotonic() - began < 12
        assert len(third.log) == 1
        holder.execute("ROLLBACK")
        holder.close()
        assert server.execute("a", {}, token).status_code == 200


def limit_files(server: Server, size: int) -> None:
    """Let no file of the server and its workers grow beyond that size: what a full disk looks like from inside."""
    assert server.process is not None
    parent = server.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for process in (parent, *map(int, children)):
        resource.prlimit(process, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_full_disk_is_a_503_and_no_call(tmp_path: Path, third: HTTPServer) -> None:
    with Server(tmp_path / "data") as server:
        token = prepared(server, third)
        limit_files(server, 1)
        assert refused(server.execute("a", {}, token))
        assert requests.get(f"{server.url}/health", timeout=10).status_code in (200, 503)
        assert len(third.log) == 1
        limit_files(server, resource.RLIM_INFINITY)
        assert server.execute("a", {}, token).status_code == 200
        check = sqlite3.connect(tmp_path / "data/httpstep.db")
        assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        check.close()


def test_a_data_folder_that_is_moved_away_is_no_good_health(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        (tmp_path / "data").rename(tmp_path / "elsewhere")
        answer = requests.get(f"{server.url}/health", timeout=10)
        assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
        (tmp_path / "elsewhere").rename(tmp_path / "data")
        assert requests.get(f"{server.url}/health", timeout=10).status_code == 200


def test_a_database_server_that_goes_and_comes_back(
    tmp_path: Path, third: HTTPServer, postgresql: PostgreSQL | None
) -> None:
    if postgresql is None:
        pytest.skip("PostgreSQL is not here; the summary names it")
    with Server(tmp_path / "data", DATABASE_URL=postgresql.new_database()) as server:
        token = prepared(server, third)
        postgresql.pause()
        assert refused(server.execute("a", {}, token))
        assert requests.get(f"{server.url}/health", timeout=10).status_code == 503
        postgresql.resume()
        assert len(third.log) == 1
        assert server.execute("a", {}, token).status_code == 200


def test_a_database_server_that_stands_still_is_given_up(
    tmp_path: Path, third: HTTPServer, postgresql: PostgreSQL | None
) -> None:
    if postgresql is None:
        pytest.skip("PostgreSQL is not here; the summary names it")
    with Server(tmp_path / "data", DATABASE_URL=postgresql.new_database()) as server:
        token = prepared(server, third)
        with postgresql.frozen():
            assert refused(server.execute("a", {}, token))
            assert requests.get(f"{server.url}/health", timeout=50).status_code == 503
        assert len(third.log) == 1
        assert server.execute("a", {}, token).status_code == 200


def test_redis_away_is_a_503_and_never_uncounted(tmp_path: Path, third: HTTPServer, needed_redis: Redis) -> None:
    with Server(tmp_path / "data", RATELIMIT_URL=needed_redis.url) as server:
        token = prepared(server, third)
        needed_redis.stop()
        assert refused(server.execute("a", {}, token))
        assert len(third.log) == 1
        needed_redis.start()
        assert [server.execute("a", {}, token).status_code for _ in range(11)] == [200] * 10 + [429]
