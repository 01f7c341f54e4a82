"""SQLite's file under a running application: whether what lies at its path is still what was opened.

An open file goes on answering after it was deleted, moved away or replaced, and what is written to it then nobody finds
again. So a process knows which file it opened, and gives up its connections where another one, or none, lies there now.
And the queue of those of a process that wait for its next commit.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from httpstep.storage.patience import is_unavailable
from httpstep.storage.schema import creating

_FILE = "httpstep_file"
_LOOKS_EVERY: Final = 0.1
"""Seconds after which one who waits for a shared commit looks by itself whether anybody leads."""

Identity = tuple[int, int]
"""Device and number of a file: what stays the same when it is renamed, and differs in a copy."""

GONE = "the database's file is gone"
REPLACED = (
    "the database's file was replaced while httpstep was running: put the old one back, or stop httpstep, delete the "
    "-wal and -shm files beside it and start again"
)


def identity(path: str) -> Identity | None:
    """Of the file that lies there now; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  asked on every use of a connection, and pathlib doubles its price
    except OSError:
        return None
    return found.st_dev, found.st_ino


class _Pin:
    """A file that was seen. While it is pinned its number is given to no other file, also where it is deleted."""

    def __init__(self, path: str) -> None:
        self.identity = identity(path)
        with suppress(OSError, AttributeError):
            # Where there is no O_PATH nothing is pinned: closing a file opened in another way drops SQLite's locks on it.
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
            weakref.finalize(self, os.close, handle)
            found = os.fstat(handle)
            self.identity = found.st_dev, found.st_ino


class SqliteFile:
    """The file at `path`, which is one and the same from the first connection of this process on."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._pin: _Pin | None = None

    def require(self, *, may_create: bool) -> None:
        """Before a connection is opened. Raises sqlite3.OperationalError where the file is gone (SQLite would begin an
        empty one) or is another one (SQLite would apply the old one's WAL to it)."""
        found = identity(self.path)
        if found is None and may_create:
            self._make()
        elif found is None or not self._is_known(found):
            raise sqlite3.OperationalError(REPLACED if found else GONE)

    def opened(self) -> Identity:
        """Which file a new connection has opened. Raises sqlite3.OperationalError where it changed meanwhile."""
        found = identity(self.path)
        if found is None or not self._is_known(found):
            raise sqlite3.OperationalError(REPLACED if found else GONE)
        self._pin = self._pin or _Pin(self.path)
        return found

    def is_still(self, opened: Identity) -> bool:
        return identity(self.path) == opened

    def forget(self) -> None:
        self._pin = None

    def _is_known(self, found: Identity) -> bool:
        return self._pin is None or self._pin.identity == found

    def _make(self) -> None:
        """Empty, and for its owner alone whatever the folder lets others read; SQLite gives its WAL the same rights."""
        with suppress(OSError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def open_in(engine: Engine, busy_seconds: float) -> None:
    """How this engine opens SQLite, whose file is watched where it has one."""
    set_up = partial(_set_up, busy_seconds)
    if (path := _path_of(engine)) is None:
        event.listen(engine, "connect", lambda connection, _record: set_up(connection))
    else:
        _watch_file(engine, SqliteFile(path), set_up)


def _set_up(busy_seconds: float, connection: Any) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        f"busy_timeout={busy_seconds * 1000:.0f}",
        "foreign_keys=ON",
        "synchronous=NORMAL",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _path_of(engine: Engine) -> str | None:
    """Where SQLite's file lies, None for a database in memory."""
    name = engine.url.database or ""
    if name in ("", ":memory:") or engine.url.query.get("mode") == "memory":
        return None
    return str(Path(unquote(urlsplit(name).path) if name.startswith("file:") else name).absolute())


def _watch_file(engine: Engine, file: SqliteFile, set_up: Callable[[Any], None]) -> None:
    """No connection is used whose file was deleted, moved away or replaced.

    The pool asks `checkout` each time: one `stat`.
    """

    @event.listens_for(engine, "do_connect")
    def _open_file(dialect: Any, record: Any, given: Any, named: Any) -> Any:
        file.require(may_create=creating.get())
        connection = dialect.connect(*given, **named)
        try:
            set_up(connection)
            record.info[_FILE] = file.opened()
        except BaseException:
            connection.close()
            raise
        return connection

    @event.listens_for(engine, "checkout")
    def _checkout(connection: Any, record: Any, _proxy: Any) -> None:
        if not file.is_still(record.info[_FILE]):
            raise DisconnectionError("the database's file is not the one that was opened")

    @event.listens_for(engine, "engine_disposed")
    def _disposed(_engine: Engine) -> None:
        file.forget()


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

    transaction: a transaction that writes, committed at its end. turn: of the threads that write, for so many seconds at
    most; it raises PoolTimeout.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Connection]],
        turn: Callable[[float], AbstractContextManager[None]],
    ) -> None:
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
        with self._turn(patience):
            try:
                with suppress(IndexError):
                    while True:
                        group.append(self._waiting.popleft())
                self._do_all(group)
            finally:
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
