"""The hits of a budget: rows of the application's own database, counted in a moving window.

`limits` has no SQL storage, so here is one. It is exact: the hits are counted under the same lock that inserts. Nothing
in it depends on the process, so a restart does not give calls back.
"""

from __future__ import annotations

import time

from limits.storage import Storage
from limits.storage.base import MovingWindowSupport
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import DBAPIError

from httpstep.storage.database import ask, is_writing, note, reading, writing
from httpstep.storage.tables import BudgetHit

WINDOW = 60
KEPT = 3600.0
"""Seconds for which a hit is kept at least."""
AHEAD = 1.0
"""Seconds by which a hit may be later than now: it was counted by a clock that was ahead, and has been put right."""


NEWEST = "SELECT number, at FROM budget_hits WHERE key = :key ORDER BY at DESC, number DESC LIMIT 1"
OLDEST_COUNTED = "SELECT number, at FROM budget_hits WHERE key = :key AND at > :since ORDER BY at, number LIMIT 1"
_WINDOW = (
    "SELECT newest.number, newest.at, oldest.number, oldest.at "
    f"FROM ({NEWEST}) AS newest LEFT JOIN ({OLDEST_COUNTED}) AS oldest ON true"
)
"""Two look-ups in an index, whatever the limit: of rows numbered without gaps the ends tell how many there are."""
_WINDOW_BY_ITS_CLOCK = (
    "WITH clock AS MATERIALIZED (SELECT CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION) AS now) "
    "SELECT clock.now, newest.number, newest.at, oldest.number, oldest.at "
    f"FROM clock LEFT JOIN ({NEWEST}) AS newest ON true "
    f"LEFT JOIN ({OLDEST_COUNTED.replace(':since', '(SELECT now FROM clock) - :expiry')}) AS oldest ON true"
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
TIDIED_EVERY = 64


class Window(Struct, frozen=True):
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
            ask(connection, _FORGET_OF_OTHERS, {"before": _now(connection) - KEPT})
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
            if window.newest_at > now + AHEAD:
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
        if window.newest_at > now + AHEAD:
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
    if window.newest and (window.newest_at < now - KEPT or window.newest % TIDIED_EVERY == 0):
        ask(connection, _FORGET, {"key": key, "before": now - KEPT})
    free_at = window.free_at if window.count else by_our_clock(now, at)
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
        return now, Window(0, by_our_clock(now, now), newest or 0, newest_at or 0.0)
    count = newest - oldest + 1
    if count > limit > 0:  # the limit was lowered below what the window holds
        [(first,)] = ask(connection, _DECIDING, {"key": key, "since": now - expiry, "skip": limit - 1})
    return now, Window(count, by_our_clock(now, first), newest, newest_at)


def _now(connection: Connection) -> float:
    """The one clock: this machine's for SQLite, the database server's where several hosts share it."""
    if connection.dialect.name != "postgresql":
        return time.time()
    return float(ask(connection, "SELECT extract(epoch FROM clock_timestamp())", {})[0][0])


def by_our_clock(now: float, moment: float) -> float:
    """A moment of the clock that says it is `now`, as this machine's clock would tell it."""
    return time.time() - (now - moment)


def _lock(connection: Connection, key: str) -> None:
    if connection.dialect.name == "postgresql":
        ask(connection, "SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))", {"key": key})
