"""When a database is away, how long it is waited for, and the one commit for all of a process that wait for one.

PostgreSQL that accepts connections and never answers (a stopped process, a stalled disk) is given up after seconds: a
network time-out does not see it, because the server's kernel still acknowledges every packet.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

if TYPE_CHECKING:
    import psycopg
    from psycopg.abc import RV, PQGen

SECONDS = 5.0
CONNECT_SECONDS = 3
"""The least that libpq takes is 2."""
DAMAGED = ("file is not a database", "disk image is malformed")
_UNUSABLE = ("readonly", "read-only transaction", *DAMAGED)
"""What the drivers say of a database that cannot serve, in errors that are not OperationalError."""


def is_unavailable(error: BaseException) -> bool:
    """True for errors that mean the database cannot serve just now: locked, full, read-only, gone, another file."""
    if isinstance(error, (OperationalError, PoolTimeout)):
        return True
    said = str(error.orig) if isinstance(error, DBAPIError) else ""
    gone = isinstance(error, DBAPIError) and error.connection_invalidated
    return gone or any(words in said for words in _UNUSABLE)


def as_sqlalchemy(dialect: Dialect, statement: str, error: Exception) -> DBAPIError:
    """An error of the driver as `is_unavailable` knows it, without what was written."""
    ours = DBAPIError.instance(
        statement, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
    )
    assert isinstance(ours, DBAPIError)
    return ours


def _patient() -> type[psycopg.Connection[Any]]:
    """psycopg takes 9 MB and 0.1 s, and most installations use SQLite."""
    import psycopg

    class Patient(psycopg.Connection[Any]):
        def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
            try:
                return super().wait(gen, interval, SECONDS if timeout is None else timeout)
            except psycopg.errors._WaitTimeout:
                self.pgconn.finish()
                raise psycopg.OperationalError("the database server does not answer") from None

    return Patient


def limit_waiting(engine: Engine) -> None:
    """No statement on this engine takes longer than `SECONDS`. For serving, not for commands."""
    if engine.dialect.name != "postgresql":
        return
    patient = _patient()

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, given: list[Any], named: dict[str, Any]) -> Any:
        return patient.connect(*given, **({"connect_timeout": CONNECT_SECONDS} | named))

    engine.dispose()


# ---------------------------------------------------------------- shared commits

_LOOKS_EVERY: Final = 0.1
"""Seconds after which one who waits for a shared commit looks by itself whether anybody leads."""


@dataclass(eq=False)
class _Waiting:
    """One who waits for a commit that is shared. woken: told when the job is done, or when nobody leads any more."""

    job: Callable[[Connection], Any]
    result: Any = None
    error: Exception | None = None
    is_done: bool = False
    woken: SimpleQueue[None] = field(default_factory=SimpleQueue)

    def sleep(self, seconds: float) -> None:
        with suppress(Empty):
            self.woken.get(timeout=seconds)


class Sharing:
    """Who waits for the next shared commit of a process. One of them leads and does what all wait for; the others sleep,
    each on a queue of its own: on one lock for all they would wake one after the other, each only to see that its job
    is done.

    A fault of ours in whoever leads must hold up nobody: it is the lock that says whether somebody leads, each wakes now
    and then by itself, and a job that was taken is done or has an error.

    transaction: a transaction that writes, committed at its end. turn: held by the one thread that writes.
    """

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], turn: threading.Lock) -> None:
        self._transaction, self._turn = transaction, turn
        self._waiting: deque[_Waiting] = deque()
        self._leading = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def do(self, job: Callable[[Connection], Any], seconds: float) -> Any:
        """What the job gives, committed. Raises what it raises, or PoolTimeout after so many seconds without a turn."""
        mine, ends = _Waiting(job), time.monotonic() + seconds
        self._waiting.append(mine)
        try:
            while not mine.is_done:
                self._lead_or_sleep(mine, ends)
        finally:
            if not mine.is_done:
                self._left(mine)
        if mine.error is not None:
            raise mine.error
        return mine.result

    def _lead_or_sleep(self, mine: _Waiting, ends: float) -> None:
        left = ends - time.monotonic()
        if not self._leading.acquire(blocking=False):
            if left < 0 and self._left(mine):
                raise PoolTimeout("database is locked")
            mine.sleep(_LOOKS_EVERY if left < 0 else min(_LOOKS_EVERY, left))  # past its time it is being done just now
            return
        try:
            if not mine.is_done:
                self._lead(max(left, 0))
        finally:
            self._leading.release()
            with suppress(IndexError):
                self._waiting[0].woken.put(None)  # after the release: whoever comes now leads by itself

    def _lead(self, patience: float) -> None:
        """Do all that wait, and wake them."""
        group: list[_Waiting] = []
        if not self._turn.acquire(timeout=patience):
            raise PoolTimeout("database is locked")
        try:
            with suppress(IndexError):
                while True:
                    group.append(self._waiting.popleft())
            self._do_all(group)
        finally:
            self._turn.release()
            for one in group:
                if not one.is_done:
                    one.error = one.error or PoolTimeout("the transaction was broken off")
                    one.is_done = True
                one.woken.put(None)

    def _do_all(self, group: list[_Waiting]) -> None:
        """Everybody's job in one transaction. Never raises what a job raised: that is for whoever asked for it."""
        try:
            with self._transaction() as connection:
                for one in group:
                    one.result = one.job(connection)
        except Exception as error:
            if len(group) > 1 and not is_unavailable(error):
                for one in group:
                    self._do_all([one])
                return
            for one in group:
                one.error = error
        for one in group:
            one.is_done = True

    def _left(self, one: _Waiting) -> bool:
        """Whether it waits no more. False: too late, it is being done just now."""
        try:
            self._waiting.remove(one)
        except ValueError:
            return False
        return True
