"""The budget of calls: a moving window kept in the application's own database, or in Redis where the operator says so.

`limits` has no SQL storage, so here is one. It is exact: the clock is read and the hits are counted under the
same lock that inserts. Nothing in it depends on the process, so a restart does not give calls back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import RedisStorage, Storage
from limits.storage.base import MovingWindowSupport
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from httpstep.extensions import limiter
from httpstep.storage.database import (
    ask,
    is_writing,
    note,
    reading,
    writing,
)
from httpstep.storage.tables import BudgetHit

PER_MINUTE = 10
WINDOW = 60
AWAY = (SQLAlchemyError, StorageError)
"""What everything here raises where the place of the counts cannot be reached."""
_OLDEST = 3600.0
_AHEAD = 1.0
"""Seconds by which a hit may be later than now: it was counted by a clock that was ahead, and has been put right."""


_NEWEST = "SELECT number, at FROM budget_hits WHERE key = :key ORDER BY at DESC, number DESC LIMIT 1"
_OLDEST_COUNTED = "SELECT number, at FROM budget_hits WHERE key = :key AND at > :since ORDER BY at, number LIMIT 1"
_WINDOW = (
    "SELECT newest.number, newest.at, oldest.number, oldest.at "
    f"FROM ({_NEWEST}) AS newest LEFT JOIN ({_OLDEST_COUNTED}) AS oldest ON true"
)
"""Two look-ups in an index, whatever the limit: of rows numbered without gaps the ends tell how many there are."""
_WINDOW_BY_ITS_CLOCK = (
    "WITH clock AS MATERIALIZED (SELECT CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION) AS now) "
    "SELECT clock.now, newest.number, newest.at, oldest.number, oldest.at "
    f"FROM clock LEFT JOIN ({_NEWEST}) AS newest ON true "
    f"LEFT JOIN ({_OLDEST_COUNTED.replace(':since', '(SELECT now FROM clock) - :expiry')}) AS oldest ON true"
)
"""The same on PostgreSQL, whose clock counts: told by the same question."""
_DECIDING = (
    "SELECT at FROM budget_hits WHERE key = :key AND at > :since ORDER BY at DESC, number DESC LIMIT 1 OFFSET :skip"
)
_ADD = "INSERT INTO budget_hits (key, at, number) VALUES (:key, :at, :number)"
_HEAL = "UPDATE budget_hits SET at = :now WHERE key = :key AND at > :now"
_FORGET = (
    "DELETE FROM budget_hits WHERE id IN "
    "(SELECT id FROM budget_hits WHERE key = :key AND at < :before ORDER BY at, number LIMIT 1000)"
)
"""The oldest first, so that no gap comes to be."""
_FORGET_OF_OTHERS = (
    "DELETE FROM budget_hits WHERE id IN (SELECT id FROM budget_hits WHERE at < :before ORDER BY id LIMIT 50)"
)
_TIDIED_EVERY = 64


@dataclass(frozen=True, slots=True)
class Window:
    """The hits of a key inside the window. free_at: when the one leaves that has to before a full window takes another,
    by this machine's clock; now where there are none. newest, newest_at: the newest row of all, by the counting clock."""

    count: int
    free_at: float
    newest: int = 0
    newest_at: float = 0.0


class SqlStorage(Storage, MovingWindowSupport):
    """A `limits` storage over the database of the current application.

    The rows of a key are numbered 1, 2, 3 … in the order of their times, so the newest number minus the oldest inside
    the window, plus one, is the count. That holds while a row's time is never before its predecessor's, and while only
    the oldest rows go.
    """

    STORAGE_SCHEME = ["httpstep-database"]  # noqa: RUF012  declared so by the base class

    @property
    def base_exceptions(self) -> type[Exception]:
        return DBAPIError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        if not self.take(key, limit, expiry, amount)[0]:
            return False
        with writing() as connection:  # keys that are no account's may never come back to clear their own
            ask(connection, _FORGET_OF_OTHERS, {"before": _now(connection) - _OLDEST})
        return True

    def take(self, key: str, limit: int, expiry: int, amount: int = 1) -> tuple[bool, Window]:
        """Count and insert as one: whether there was room, and the window then.

        A full window is refused by a read alone, so a flood takes no write lock.
        """
        if not is_writing() and (window := self.window(key, limit, expiry)).count + amount > limit:
            return False, window
        with writing() as connection:
            _lock(connection, key)
            now, window = _window(connection, key, limit, expiry)
            if window.newest_at > now + _AHEAD:
                ask(connection, _HEAL, {"key": key, "now": now})
                now, window = _window(connection, key, limit, expiry)
            if window.count + amount > limit:
                return False, window
            return True, _add(connection, key, now, window, amount)

    def window(self, key: str, limit: int, expiry: int) -> Window:
        """A read, but where a clock was ahead: that must not close the budget until the time it showed, so what it
        counted counts as made now."""
        with reading() as connection:
            now, window = _window(connection, key, limit, expiry)
        if window.newest_at > now + _AHEAD:
            note(update(BudgetHit).where(BudgetHit.key == key, BudgetHit.at > now).values(at=now))
            return replace(window, free_at=min(time.time(), window.free_at))
        return window

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        window = self.window(key, limit, expiry)
        return window.free_at, window.count

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        with writing() as connection:
            _lock(connection, key)
            now, window = _window(connection, key, 0, expiry)
            return _add(connection, key, now, window, amount).count

    def get(self, key: str) -> int:
        return self.window(key, 0, WINDOW).count

    def get_expiry(self, key: str) -> float:
        return self.window(key, 0, WINDOW).free_at + WINDOW

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


def _add(connection: Connection, key: str, now: float, window: Window, amount: int) -> Window:
    """The window with that many hits more. Now and then the key's rows go that nobody counts any more."""
    at = max(now, window.newest_at)
    for number in range(window.newest + 1, window.newest + 1 + amount):
        ask(connection, _ADD, {"key": key, "at": at, "number": number})
    if window.newest and (window.newest_at < now - _OLDEST or window.newest % _TIDIED_EVERY == 0):
        ask(connection, _FORGET, {"key": key, "before": now - _OLDEST})
    free_at = window.free_at if window.count else _by_our_clock(now, at)
    return Window(window.count + amount, free_at, window.newest + amount, at)


def _window(connection: Connection, key: str, limit: int, expiry: int) -> tuple[float, Window]:
    """The counting clock, and the window by it."""
    if connection.dialect.name == "postgresql":
        [(now, *ends)] = ask(connection, _WINDOW_BY_ITS_CLOCK, {"key": key, "expiry": expiry})
    else:
        now = time.time()
        [ends] = ask(connection, _WINDOW, {"key": key, "since": now - expiry}) or [(None, None, None, None)]
    newest, newest_at, oldest, first = ends
    if oldest is None:
        return now, Window(0, _by_our_clock(now, now), newest or 0, newest_at or 0.0)
    count = newest - oldest + 1
    if count > limit > 0:  # the limit was lowered below what the window holds
        [(first,)] = ask(connection, _DECIDING, {"key": key, "since": now - expiry, "skip": limit - 1})
    return now, Window(count, _by_our_clock(now, first), newest, newest_at)


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
        return (_by_our_clock(now, float(window[0])), int(window[1])) if window else (_by_our_clock(now, now), 0)


def _now(connection: Connection) -> float:
    """The one clock: this machine's for SQLite, the database server's where several hosts share it."""
    if connection.dialect.name != "postgresql":
        return time.time()
    return float(ask(connection, "SELECT extract(epoch FROM clock_timestamp())", {})[0][0])


def _by_our_clock(now: float, moment: float) -> float:
    """A moment of the clock that says it is `now`, as this machine's clock would tell it."""
    return time.time() - (now - moment)


def _lock(connection: Connection, key: str) -> None:
    if connection.dialect.name == "postgresql":
        ask(connection, "SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))", {"key": key})


class _PerMinute(RateLimitItemPerMinute):
    """One counter per account whatever its figure is: a changed limit must not begin a new window."""

    def key_for(self, *identifiers: bytes | str | int | float) -> str:
        return "/".join(("budget", *map(str, identifiers)))


@dataclass(frozen=True, slots=True)
class Budget:
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
    return isinstance(limiter.limiter.storage, SqlStorage)


def spend(account_id: int, per_minute: int | None) -> Budget:
    """Count one call, and tell what is left then. Raises RateLimited where the window is full, and has written nothing."""
    item, storage = _PerMinute(per_minute or PER_MINUTE), limiter.limiter.storage
    if isinstance(storage, SqlStorage):
        taken, window = storage.take(item.key_for(str(account_id)), item.amount, WINDOW)
        budget = _budget(item.amount, window.count, window.free_at)
    else:
        taken = limiter.limiter.hit(item, str(account_id))
        budget = budget_of(account_id, per_minute)
    if not taken:
        raise RateLimited(budget)
    return budget


def give_back(connection: Connection, account_id: int) -> None:
    """Undo a `spend` of the transaction at hand: its row is the newest, so no gap comes to be."""
    newest = "DELETE FROM budget_hits WHERE key = :key AND number = (SELECT number FROM newest)"
    key = _PerMinute(PER_MINUTE).key_for(str(account_id))
    ask(connection, f"WITH newest AS ({_NEWEST}) {newest}", {"key": key})


def forget(account_id: int) -> None:
    """Drop what is counted for an account."""
    limiter.limiter.clear(_PerMinute(PER_MINUTE), str(account_id))
