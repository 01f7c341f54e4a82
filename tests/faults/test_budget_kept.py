"""The budget over a kill of the server, and a Redis that counts it and is killed, stands still or goes during a call."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from pytest_httpserver import HTTPServer

from tests.faults.test_read_only import slow
from tests.faults.test_storage import prepared, put_step, refused, statuses, third
from tests.server import Server
from tests.services import PostgreSQL, Redis

__all__ = ["slow", "third"]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory, redis_server: Redis | None) -> Iterator[tuple[Server, str]]:
    """A server whose budget Redis counts, and an API key."""
    if redis_server is None:
        pytest.skip("Redis is not here; the summary names it")
    with Server(tmp_path_factory.mktemp("redis") / "data", WORKERS="1", RATELIMIT_URL=redis_server.url) as server:
        yield server, server.command("key", "create", "--name", "bot", "--scope", "manage")


@pytest.fixture
def served(counted: tuple[Server, str], needed_redis: Redis, third: HTTPServer) -> tuple[Server, str]:
    """The same with the step `a` and the whole budget."""
    server, token = counted
    redis.Redis.from_url(needed_redis.url).flushall()
    put_step(server, token, third.url_for("/a"))
    return server, token


def test_a_redis_that_stands_still_is_given_up_and_no_call_is_made(
    served: tuple[Server, str], third: HTTPServer, needed_redis: Redis
) -> None:
    server, token = served
    assert statuses(server, token, 1) == [200]
    took = []
    with needed_redis.frozen():
        while len(took) < 4 and not any(one < 3.7 for one in took):  # a machine that stood still delays one
            began = time.monotonic()
            answer = server.execute("a", {}, token)
            took.append(time.monotonic() - began)
            assert refused(answer) and answer.json()["next"] == "stop"
    assert min(took) < 3.7, f"given up after two seconds, and not tried again, but: {took}"
    assert len(third.log) == 1
    assert statuses(server, token, 1) == [200]


@pytest.mark.parametrize("way", ["stopped", "frozen"])
def test_a_redis_that_goes_during_a_call_takes_no_answer_with_it(
    served: tuple[Server, str], needed_redis: Redis, slow: tuple[HTTPServer, threading.Event, threading.Event], way: str
) -> None:
    server, token = served
    httpserver, arrived, go = slow
    key = {"Idempotency-Key": way}
    put_step(server, token, httpserver.url_for("/slow"), "slow")
    with ThreadPoolExecutor() as beside:
        call = beside.submit(server.execute, "slow", {}, token, headers=key)
        assert arrived.wait(60)
        if way == "stopped":
            needed_redis.stop()
            go.set()
            answer = call.result()
            needed_redis.start()
        else:
            with needed_redis.frozen():
                go.set()
                answer = call.result()
    assert (answer.status_code, answer.json()["outcome"]) == (200, "success")
    assert "r=" in answer.headers["RateLimit"], "what was left as the call spent its one"
    again = server.execute("slow", {}, token, headers=key)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (answer.json(), "true")
    assert [request.path for request, _ in httpserver.log].count("/slow") == 1


def spent_before_and_after_a_kill(server: Server, token: str) -> list[int]:
    before = statuses(server, token, 8)
    server.kill()
    server.start()
    return before + statuses(server, token, 4)


def test_a_killed_server_finds_its_budget_in_redis_as_it_was(served: tuple[Server, str], third: HTTPServer) -> None:
    assert spent_before_and_after_a_kill(*served) == [200] * 10 + [429] * 2
    assert len(third.log) == 10


def test_a_killed_server_finds_its_budget_in_postgresql_as_it_was(
    tmp_path: Path, third: HTTPServer, postgresql: PostgreSQL | None
) -> None:
    if postgresql is None:
        pytest.skip("PostgreSQL is not here; the summary names it")
    with Server(tmp_path / "data", WORKERS="1", DATABASE_URL=postgresql.new_database()) as server:
        token = prepared(server, third)
        assert spent_before_and_after_a_kill(server, token) == [200] * 9 + [429] * 3
    assert len(third.log) == 10
