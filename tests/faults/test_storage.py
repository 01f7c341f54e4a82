"""Storage that is locked, full or gone: a 503 in the documented form, no call made, and recovery without a restart."""

from __future__ import annotations

import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
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


def put_step(server: Server, token: str, url: str, key: str = "a") -> None:
    step = {"format": "httpstep/1", "name": key, "request": {"method": "GET", "url": url}}
    bearer = {"Authorization": f"Bearer {token}"}
    requests.put(f"{server.url}/api/v1/steps/{key}", json=step, headers=bearer, timeout=30)


def prepared(server: Server, third: HTTPServer) -> str:
    token = server.command("key", "create", "--name", "bot", "--scope", "manage")
    put_step(server, token, third.url_for("/a"))
    assert server.execute("a", {}, token).json()["attributes"] == {"a": 1}
    return token


def refused(answer: requests.Response) -> bool:
    """Whether an answer is the documented refusal for storage that is away."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "No call was made" in answer.json()["detail"]
    return True


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server on SQLite and an API key, for all that is done to the file: each test leaves it serving."""
    with Server(tmp_path_factory.mktemp("sqlite") / "data", WORKERS="2") as server:
        token = server.command("key", "create", "--name", "bot", "--scope", "manage")
        server.command("account", "limit", "default", "1000")
        yield server, token


@pytest.fixture
def served(sqlite: tuple[Server, str], third: HTTPServer) -> tuple[Server, str, Path]:
    """The server, the key of its account, which has the step `a`, and its database's file."""
    server, token = sqlite
    requests.delete(f"{server.url}/api/v1/steps/a", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    put_step(server, token, third.url_for("/a"))
    assert statuses(server, token, 1) == [200]
    return server, token, server.folder / "httpstep.db"


def statuses(server: Server, token: str, calls: int) -> list[int]:
    """Enough calls come to every worker."""
    return [server.execute("a", {}, token).status_code for _ in range(calls)]


def test_a_locked_database_is_a_503_and_no_call(served: tuple[Server, str, Path], third: HTTPServer) -> None:
    server, token, file = served
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        assert refused(server.execute("a", {}, token))
        assert time.monotonic() - began < 20
        assert len(third.log) == 1
    assert statuses(server, token, 1) == [200]


def workers_of(server: Server) -> set[int]:
    assert server.process is not None
    master = server.process.pid
    return set(map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split()))


def limit_files(server: Server, size: int) -> None:
    """Let no file of the server and its workers grow beyond that size: what a full disk looks like from inside."""
    assert server.process is not None
    for process in (server.process.pid, *workers_of(server)):
        resource.prlimit(process, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_files_that_cannot_grow_are_a_503_and_no_call(served: tuple[Server, str, Path], third: HTTPServer) -> None:
    server, token, file = served
    limit_files(server, 1)
    assert refused(server.execute("a", {}, token))
    assert health(server) in (200, 503)
    assert len(third.log) == 1
    limit_files(server, resource.RLIM_INFINITY)
    assert statuses(server, token, 1) == [200]
    assert integrity(file) == "ok"


def integrity(file: Path) -> str:
    with closing(sqlite3.connect(file)) as check:
        return str(check.execute("PRAGMA integrity_check").fetchone()[0])


def health(server: Server) -> int:
    return requests.get(f"{server.url}/health", timeout=50).status_code


@pytest.mark.parametrize("what", ["the folder", "the file"])
def test_a_database_that_is_moved_away_is_a_503_and_nothing_goes_to_a_file_that_nobody_has(
    served: tuple[Server, str, Path], third: HTTPServer, what: str
) -> None:
    """An open file goes on answering: what was acknowledged then would be lost."""
    server, token, file = served
    moved = file.parent if what == "the folder" else file
    away = moved.rename(server.folder.parent / "elsewhere")
    assert all(refused(server.execute("a", {}, token)) for _ in range(6))
    assert health(server) == 503
    assert not file.exists(), "an empty database would hide the loss"
    assert len(third.log) == 1
    away.rename(moved)
    assert statuses(server, token, 6) == [200] * 6
    assert (health(server), len(server.logs("a", token)), integrity(file)) == (200, 7, "ok")


def rows(file: Path) -> int:
    with closing(sqlite3.connect(file)) as beside:
        return int(beside.execute("SELECT count(*) FROM logs").fetchone()[0])


def test_a_database_that_is_replaced_under_the_server_is_not_used_until_somebody_decides(
    served: tuple[Server, str, Path], third: HTTPServer
) -> None:
    """SQLite finds the old one's WAL by its name, and would apply it to the new one."""
    server, token, file = served
    copy, old = file.with_name("copy.db"), file.with_name("old.db")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    assert statuses(server, token, 4) == [200] * 4
    file.rename(old)
    copy.rename(file)
    before = file.read_bytes()
    assert all(refused(server.execute("a", {}, token)) for _ in range(6))
    assert (health(server), len(third.log), file.read_bytes()) == (503, 5, before)
    assert "was replaced while httpstep was running" in server.log.read_text()
    file.unlink()
    old.rename(file)
    assert statuses(server, token, 6) == [200] * 6
    assert (health(server), len(server.logs("a", token)), rows(file), integrity(file)) == (200, 11, 11, "ok")


def test_a_file_that_is_no_database_is_a_503_and_no_call(served: tuple[Server, str, Path], third: HTTPServer) -> None:
    server, token, file = served
    kept = file.rename(file.with_name("kept.db"))
    file.write_bytes(b"not a database at all" * 1000)
    assert all(refused(server.execute("a", {}, token)) for _ in range(3))
    assert (health(server), len(third.log)) == (503, 1)
    kept.rename(file)
    assert statuses(server, token, 3) == [200] * 3
    assert len(server.logs("a", token)) == 4


def test_a_database_server_that_goes_and_comes_back(
    tmp_path: Path, third: HTTPServer, postgresql: PostgreSQL | None
) -> None:
    if postgresql is None:
        pytest.skip("PostgreSQL is not here; the summary names it")
    with Server(tmp_path / "data", DATABASE_URL=postgresql.new_database()) as server:
        token = prepared(server, third)
        postgresql.pause()
        assert refused(server.execute("a", {}, token))
        assert requests.get(f"{server.url}/health", timeout=50).status_code == 503
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
