"""The budget of calls: a moving window kept in the application's own database, or in Redis where the operator says so.

`limits` has no SQL storage, so here is one. It is exact: the clock is read and the hits are counted under the
same lock that inserts. Nothing in it depends on the process, so a restart does not give calls back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import RedisStorage, Storage
from limits.storage.base import MovingWindowSupport
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry
from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from httpstep.extensions import limiter
from httpstep.storage.database import (
    is_writing,
    note,
    reading,
    writing,
)
from httpstep.storage.tables import BudgetHit

PER_MINUTE = 10
WINDOW = 60
AWAY = (SQLAlchemyError, StorageError, RedisError)
"""What everything here raises where the place of the counts cannot be reached."""
_OLDEST = 3600.0
_AHEAD = 1.0
"""Seconds by which a hit may be later than now: it was counted by a clock that was ahead, and has been put right."""


# Built once: these run three times on every call, and building a statement costs more than running it.
_MINE = (BudgetHit.key == bindparam("hit_key"), BudgetHit.at > bindparam("since"))
_WINDOW = select(func.min(BudgetHit.at), func.count(), func.max(BudgetHit.at)).where(*_MINE)
_DECIDING = select(BudgetHit.at).where(*_MINE).order_by(BudgetHit.at.desc()).offset(bindparam("before_it")).limit(1)
_ADD = insert(BudgetHit.__table__)  # type: ignore[arg-type]
_STALE = (
    select(BudgetHit.id)
    .where(BudgetHit.at < bindparam("before"))
    .order_by(BudgetHit.id)
    .limit(50)
    .with_for_update(skip_locked=True)
)
_FORGET = delete(BudgetHit).where(BudgetHit.id.in_(_STALE.scalar_subquery()))


class SqlStorage(Storage, MovingWindowSupport):
    """A `limits` storage over the database of the current application."""

    STORAGE_SCHEME = ["httpstep-database"]  # noqa: RUF012  declared so by the base class

    @property
    def base_exceptions(self) -> type[Exception]:
        return DBAPIError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count and insert as one. A full window is refused by a read alone, so a flood takes no write lock."""
        if not is_writing() and self.get_moving_window(key, limit, expiry)[1] + amount > limit:
            return False
        with writing() as connection:
            now = _locked_now(connection, key)
            if _window(connection, key, now - expiry)[1] + amount > limit:
                return False
            connection.execute(_ADD, [{"key": key, "at": now}] * amount)
            connection.execute(_FORGET, {"before": now - _OLDEST})
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """(time of the hit that has to leave before a full window takes another, hits in it). Without hits: (now, 0).
        The time is told by this machine's clock, which the caller compares it with, whichever clock counted it.

        That is the oldest hit, but a later one where the limit was lowered below what the window holds.
        A clock that was ahead must not close the budget until the time it showed: its hits count as made now.
        """
        with reading() as connection:
            now = _now(connection)
            first, count, last = _window(connection, key, now - expiry)
            if last is not None and last > now + _AHEAD:
                note(update(BudgetHit).where(BudgetHit.key == key, BudgetHit.at > now).values(at=now))
                first = min(now, first or now)
            elif count > limit > 0:
                asked = {"hit_key": key, "since": now - expiry, "before_it": limit - 1}
                first = connection.execute(_DECIDING, asked).scalar_one()
        return _by_our_clock(now, now if first is None else float(first)), count

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        with writing() as connection:
            now = _locked_now(connection, key)
            connection.execute(insert(BudgetHit), [{"key": key, "at": now}] * amount)
            return _window(connection, key, now - expiry)[1]

    def get(self, key: str) -> int:
        with reading() as connection:
            return _window(connection, key, _now(connection) - WINDOW)[1]

    def get_expiry(self, key: str) -> float:
        return self.get_moving_window(key, 0, WINDOW)[0] + WINDOW

    def check(self) -> bool:
        with reading() as connection:
            connection.execute(select(1))
        return True

    def reset(self) -> int | None:
        with writing() as connection:
            return connection.execute(delete(BudgetHit)).rowcount

    def clear(self, key: str) -> None:
        with writing() as connection:
            connection.execute(delete(BudgetHit).where(BudgetHit.key == key))


class SharedRedis(RedisStorage):
    """Redis of `limits`, counting by Redis' own clock: the clocks of the hosts that share it may differ.

    One that does not answer is given up after two seconds; the caller then refuses (503). A connection that was lost
    since its last use is made anew, once.
    """

    STORAGE_SCHEME = ["httpstep-redis", "httpstep-rediss"]  # noqa: RUF012  declared so by the base class
    SCRIPT_ACQUIRE_MOVING_WINDOW = RedisStorage.SCRIPT_ACQUIRE_MOVING_WINDOW.replace(
        b"local timestamp = tonumber(ARGV[1])",
        b"local moment = redis.call('TIME')\nlocal timestamp = tonumber(moment[1]) + tonumber(moment[2]) / 1000000",
    )

    def __init__(self, uri: str, **options: Any) -> None:
        lost_once = Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
        waits: dict[str, Any] = {"socket_timeout": 2, "socket_connect_timeout": 2, "retry": lost_once}
        super().__init__(uri.removeprefix("httpstep-"), **(waits | options))

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        seconds, micros = self.storage.time()
        now = seconds + micros / 1_000_000
        window = self.lua_moving_window([self.prefixed_key(key)], [now - expiry, limit])
        return (_by_our_clock(now, float(window[0])), int(window[1])) if window else (_by_our_clock(now, now), 0)


def _now(connection: Connection) -> float:
    """The one clock: this machine's for SQLite, the database server's where several hosts share it."""
    if connection.dialect.name != "postgresql":
        return time.time()
    return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())


def _by_our_clock(now: float, moment: float) -> float:
    """A moment of the clock that says it is `now`, as this machine's clock would tell it."""
    return time.time() - (now - moment)


def _locked_now(connection: Connection, key: str) -> float:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})
    return _now(connection)


def _window(connection: Connection, key: str, since: float) -> tuple[float | None, int, float | None]:
    """The hits after that moment: (time of the oldest, how many, time of the newest)."""
    first, count, last = connection.execute(_WINDOW, {"hit_key": key, "since": since}).one()
    return first, int(count), last


class _PerMinute(RateLimitItemPerMinute):
    """One counter per account whatever its figure is: a changed limit must not begin a new window."""

    def key_for(self, *identifiers: bytes | str | int | float) -> str:
        return "/".join(("budget", *map(str, identifiers)))


@dataclass(frozen=True, slots=True)
class Budget:
    """What an account has left. reset: seconds until the oldest counted call leaves the window, at least 1 if none is left."""

    limit: int
    remaining: int
    reset: int


class RateLimited(Exception):
    """Over the budget. The budget tells how long to wait."""

    def __init__(self, budget: Budget) -> None:
        super().__init__("Rate Limit Exceeded")
        self.budget = budget


def budget_of(account_id: int, per_minute: int | None) -> Budget:
    """A read only."""
    item = _PerMinute(per_minute or PER_MINUTE)
    stats = limiter.limiter.get_window_stats(item, str(account_id))
    remaining = max(0, stats.remaining)
    wait = min(WINDOW, int(stats.reset_time - time.time()) + 1) if remaining < item.amount else 0
    return Budget(item.amount, remaining, max(wait, 0 if remaining else 1))


def require(account_id: int, per_minute: int | None) -> None:
    """Refuse early, without a write, what `spend` would refuse. Raises RateLimited."""
    budget = budget_of(account_id, per_minute)
    if budget.remaining == 0:
        raise RateLimited(budget)


def in_database() -> bool:
    """Whether `spend` can be part of the transaction around it."""
    return isinstance(limiter.limiter.storage, SqlStorage)


def spend(account_id: int, per_minute: int | None) -> None:
    """Count one call. Raises RateLimited where the window is full."""
    if not limiter.limiter.hit(_PerMinute(per_minute or PER_MINUTE), str(account_id)):
        raise RateLimited(budget_of(account_id, per_minute))


def forget(account_id: int) -> None:
    """Drop what is counted for an account."""
    limiter.limiter.clear(_PerMinute(PER_MINUTE), str(account_id))
