"""The budget kept in Redis: as exact as in the database, and by one clock for all hosts that share it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from httpstep.execution.budget import ratelimit
from httpstep.extensions import db
from httpstep.storage.tables import BudgetHit
from tests.contention import contend
from tests.fakes import ThirdParty
from tests.house import House, document
from tests.services import Redis

SQLITE_ONLY = "the counts are in Redis"
MakeHouse = Callable[..., House]


@pytest.fixture
def redis_house(make_house: MakeHouse, needed_redis: Redis) -> House:
    redis.Redis.from_url(needed_redis.url).flushall()
    return make_house(ThirdParty(), RATELIMIT_URL=needed_redis.url)


def test_eight_processes_of_eight_threads_spend_exactly_ten(
    redis_house: House, tmp_path: Path, needed_redis: Redis
) -> None:
    variables = {"DATA": str(tmp_path / "data"), "RATELIMIT_URL": needed_redis.url}
    assert contend("budget", variables) == 10
    with redis_house.app.app_context():
        budget = ratelimit.budget_of(1, None)
        assert (budget.remaining, db.session.query(BudgetHit).count()) == (0, 0)
        assert 30 <= budget.reset <= 60


def test_the_operators_figure_is_in_force_at_once(redis_house: House) -> None:
    house = redis_house
    house.put(document())
    house.limit(2)
    assert [house.execute().status_code for _ in range(3)] == [200, 200, 429]
    house.limit(4)
    assert [house.execute().status_code for _ in range(3)] == [200, 200, 429]
    house.limit(1)
    refused = house.execute()
    assert refused.status_code == 429
    assert 30 <= int(refused.headers["Retry-After"]) <= 60


def test_redis_counts_by_its_own_clock(redis_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host whose clock is late by ten minutes spends the same budget as the others."""
    real = time.time
    with redis_house.app.app_context():
        for _ in range(5):
            ratelimit.spend(1, None)
        monkeypatch.setattr(time, "time", lambda: real() - 600)
        for _ in range(5):
            ratelimit.spend(1, None)
        monkeypatch.undo()
        with pytest.raises(ratelimit.RateLimited) as caught:
            ratelimit.spend(1, None)
    assert 1 <= caught.value.budget.reset <= 60


def test_no_sixty_seconds_hold_more_than_the_limit(redis_house: House, needed_redis: Redis) -> None:
    """The edge burst that a fixed window lets through: 1 at 0 s, 9 at 40 s, 10 at 61 s."""
    server = redis.Redis.from_url(needed_redis.url)

    def pass_(seconds: float) -> None:
        """What was counted was that much longer ago."""
        [key] = server.keys()
        moved = [float(at) - seconds for at in server.lrange(key, 0, -1)]
        server.delete(key)
        server.rpush(key, *moved)

    def allowed(asked: int) -> int:
        got = 0
        for _ in range(asked):
            with suppress(ratelimit.RateLimited):
                ratelimit.spend(1, None)
                got += 1
        return got

    with redis_house.app.app_context():
        assert allowed(1) == 1
        pass_(40)
        assert (allowed(9), allowed(1)) == (9, 0)
        pass_(21)
        assert allowed(10) == 1
        assert 10 <= ratelimit.budget_of(1, None).reset <= 39, "until the nine leave"
