"""The budget of calls: a moving window kept in the application's own database, or in Redis where the operator says so."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import RedisStorage
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from httpstep.execution.budget.hits import WINDOW, SqlStorage, by_our_clock
from httpstep.extensions import LIMITER, kept, limiter

PER_MINUTE = 10
AWAY = (SQLAlchemyError, StorageError)
"""What everything here raises where the place of the counts cannot be reached."""


class SharedRedis(RedisStorage):
    """Redis of `limits`, counting by Redis' own clock: the clocks of the hosts that share it may differ.

    One that does not answer is given up after two seconds, with a StorageError; the caller then refuses (503). A
    connection that was lost since its last use is made anew, once.
    """

    STORAGE_SCHEME = ["httpstep-redis", "httpstep-rediss"]  # noqa: RUF012  declared so by the base class
    SCRIPT_ACQUIRE_MOVING_WINDOW = RedisStorage.SCRIPT_ACQUIRE_MOVING_WINDOW.replace(
        b"local timestamp = tonumber(ARGV[1])",
        b"local moment = redis.call('TIME')\nlocal timestamp = tonumber(moment[1]) + tonumber(moment[2]) / 1000000",
    )

    def __init__(self, uri: str, **options: Any) -> None:
        from redis.backoff import NoBackoff  # as `limits` does: most installations have none, and it is 5 MB
        from redis.exceptions import ConnectionError as RedisConnectionError
        from redis.retry import Retry

        lost_once = Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
        waits: dict[str, Any] = {"socket_timeout": 2, "socket_connect_timeout": 2, "retry": lost_once}
        super().__init__(uri.removeprefix("httpstep-"), wrap_exceptions=True, **(waits | options))

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        seconds, micros = self.storage.time()
        now = seconds + micros / 1_000_000
        window = self.lua_moving_window([self.prefixed_key(key)], [now - expiry, limit])
        return (by_our_clock(now, float(window[0])), int(window[1])) if window else (by_our_clock(now, now), 0)


class _PerMinute(RateLimitItemPerMinute):
    """One counter per account whatever its figure is: a changed limit must not begin a new window."""

    def key_for(self, *identifiers: bytes | str | int | float) -> str:
        return "/".join(("budget", *map(str, identifiers)))


class Budget(Struct, frozen=True):
    """What an account has left. reset: seconds until the oldest counted call leaves the window, at least 1 if none is left;
    exactly: the same, not rounded."""

    limit: int
    remaining: int
    reset: int
    exactly: float = 0.0


class RateLimited(Exception):
    """Over the budget. The budget tells how long to wait."""

    def __init__(self, budget: Budget) -> None:
        super().__init__("Rate Limit Exceeded")
        self.budget = budget


def budget_of(account_id: int, per_minute: int | None) -> Budget:
    """A read only."""
    item = _PerMinute(per_minute or PER_MINUTE)
    stats = limiter.limiter.get_window_stats(item, str(account_id))
    return _budget(item.amount, item.amount - max(0, stats.remaining), stats.reset_time - WINDOW)


def _budget(limit: int, count: int, free_at: float) -> Budget:
    remaining, left = max(0, limit - count), free_at + WINDOW - time.time()
    wait = min(WINDOW, int(left) + 1) if count else 0
    return Budget(limit, remaining, max(wait, 0 if remaining else 1), left)


def in_database() -> bool:
    """Whether `spend` can be part of the transaction around it."""
    return type(kept(LIMITER).storage) is SqlStorage  # an ABC's isinstance takes ten times as long


@lru_cache(1000)
def key_of(account_id: int) -> str:
    """Whose hits a row counts."""
    return _PerMinute(PER_MINUTE).key_for(str(account_id))


def budget_in(count: int, free_at: float, per_minute: int | None) -> Budget:
    """What is left in a window of the database (`hits.Window`)."""
    return _budget(per_minute or PER_MINUTE, count, free_at)


def spend(account_id: int, per_minute: int | None) -> Budget:
    """Count one call, and tell what is left then. Raises RateLimited where the window is full, and has written nothing."""
    item, storage = _PerMinute(per_minute or PER_MINUTE), limiter.limiter.storage
    if isinstance(storage, SqlStorage):
        taken, window = storage.take(item.key_for(str(account_id)), item.amount, WINDOW)
        budget = budget_in(window.count, window.free_at, per_minute)
    else:
        taken = limiter.limiter.hit(item, str(account_id))
        budget = budget_of(account_id, per_minute)
    if not taken:
        raise RateLimited(budget)
    return budget


def forget(account_id: int) -> None:
    """Drop what is counted for an account."""
    limiter.limiter.clear(_PerMinute(PER_MINUTE), str(account_id))
