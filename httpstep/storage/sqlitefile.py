"""SQLite's file under a running application: whether what lies at its path is still what was opened.

An open file goes on answering after it was deleted, moved away or replaced, and what is written to it then nobody finds
again. So a process knows which file it opened, and gives up its connections where another one, or none, lies there now.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct
from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.exc import DisconnectionError

from httpstep.core.regex import regex
from httpstep.extensions import kept
from httpstep.storage.patience import as_sqlalchemy
from httpstep.storage.schema import creating

KEPT: Final = "httpstep_kept"
"""What an application keeps its `KeptConnections` under."""
_FILE = "httpstep_file"
_VALUE: Final = regex(r":([a-z_]+)")
_OF_THE_ROW: Final = r'NEW."\1"'
_WAL_PAGES: Final = 8000
"""32 MB are written before they are moved into the database, and waited for until they are on the disk. From there on every
commit does that, until one begins while no other is under way (docs/decisions/0041)."""
_MAX_KEPT: Final = 64
"""Connections of a process beside its pool, one for each thread that asks at the same moment."""
_OF_KEPT: Final = ("cache_size=-512", "temp_store=MEMORY")
"""What a call asks lies in few pages, and what its statements leave for it (`OneStep`) in one row."""

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


def open_in(engine: Engine, busy_seconds: float) -> KeptConnections:
    """How this engine opens SQLite, whose file is watched where it has one; and what is kept open of it."""
    set_up = partial(_set_up, busy_seconds)
    if (path := _path_of(engine)) is None:
        event.listen(engine, "connect", lambda connection, _record: set_up(connection))
        return KeptConnections(engine, None)
    file = SqliteFile(path)
    _watch_file(engine, file, set_up)
    return KeptConnections(engine, file)


def _set_up(busy_seconds: float, connection: Any) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        f"busy_timeout={busy_seconds * 1000:.0f}",
        "foreign_keys=ON",
        "synchronous=NORMAL",
        f"wal_autocheckpoint={_WAL_PAGES}",
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


class Kept:
    """A connection that is kept. driver: the driver's own. steps: the names of those that it knows (`OneStep`)."""

    __slots__ = ("_connection", "dialect", "driver", "opened", "steps")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.dialect = connection.dialect
        self.driver: Any = connection.connection.dbapi_connection
        self.opened: Identity | None = connection.info.get(_FILE)
        self.steps: set[str] = set()

    def close(self) -> None:
        self._connection.close()


class KeptConnections:
    """What every call asks of the database goes over connections that are kept open beside SQLAlchemy's pool: taking one
    from the pool and giving it back takes ten times as long as the question.

    file: None for a database in memory, which only the pool's own connection sees.
    """

    def __init__(self, engine: Engine, file: SqliteFile | None) -> None:
        self._engine, self._file = engine, file
        self._idle: deque[Kept] = deque()
        event.listen(engine, "engine_disposed", lambda _engine: self._close())

    def take(self) -> Kept:
        """A connection for whoever asks alone, to be given back whatever happens."""
        with suppress(IndexError):
            while self._file is not None:
                one = self._idle.pop()
                if one.opened is not None and self._file.is_still(one.opened):
                    return one
                one.close()
        connection = self._engine.connect()
        if self._file is not None:
            connection.detach()
        made = Kept(connection)
        if self._file is not None:
            for pragma in _OF_KEPT:
                made.driver.execute(f"PRAGMA {pragma}")
        return made

    def give_back(self, one: Kept) -> None:
        """It is kept after an error too: closing the last one of a file moves its WAL into the database."""
        if self._file is None or one.driver.in_transaction or len(self._idle) >= _MAX_KEPT:
            one.close()
        else:
            self._idle.append(one)

    def _close(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()


# ---------------------------------------------------------------- statements


def run(dialect: Dialect, driver: Any, statement: str, values: Mapping[str, Any]) -> list[Any]:
    """The rows that a statement gives. Errors are SQLAlchemy's."""
    by_place, names = _by_place(statement)
    try:
        cursor = driver.execute(by_place, [values[name] for name in names])
        return list(cursor.fetchall()) if cursor.description else []
    except dialect.loaded_dbapi.Error as error:
        raise as_sqlalchemy(dialect, statement, error) from error


@cache
def _by_place(statement: str) -> tuple[str, list[str]]:
    """The statement with its values by place, and their names. To ask SQLite where a name stands Python's driver lets go of
    the interpreter, once for each: 35 times a call."""
    return _VALUE.sub("?", statement), _VALUE.findall(statement)


class OneStep(Struct, frozen=True, dict=True):
    """Statements that SQLite does in one step, all or none, and without the interpreter between them, for which a thread
    would wait after each, and all who write for that thread (docs/decisions/0033). They name their values as :name, and
    are the body of a trigger on a view that only the connection at hand has. results: columns of its table <name>_result,
    whose row is given back; notes: further ones, for the statements alone.
    """

    name: str
    statements: tuple[str, ...]
    results: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def _values(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_VALUE.findall(";".join(self.statements))))

    @cached_property
    def _insert(self) -> str:
        return f"INSERT INTO {self.name} VALUES ({', '.join(f':{value}' for value in self._values)})"

    def _definitions(self) -> Iterator[str]:
        if self.results:  # of an attempt that an error ended some may be there: the connection is kept
            yield f"CREATE TEMP TABLE IF NOT EXISTS {self.name}_result ({', '.join(self.results + self.notes)})"
        columns = ", ".join(f'NULL AS "{value}"' for value in self._values)
        yield f"CREATE TEMP VIEW IF NOT EXISTS {self.name} AS SELECT {columns}"
        body = "".join(f"{_VALUE.sub(_OF_THE_ROW, statement)}; " for statement in self.statements)
        yield f"CREATE TEMP TRIGGER IF NOT EXISTS {self.name}_step INSTEAD OF INSERT ON {self.name} BEGIN {body}END"

    def do(self, values: Mapping[str, Any]) -> Any:
        """Committed as it returns. Gives the row of results, if it has any. Not inside `writing()`."""
        result = f"SELECT {', '.join(self.results)} FROM {self.name}_result"
        connections: KeptConnections = kept(KEPT)
        one = connections.take()
        try:
            if self.name not in one.steps:
                for definition in self._definitions():
                    run(one.dialect, one.driver, definition, {})
                one.steps.add(self.name)
            run(one.dialect, one.driver, self._insert, values)
            return run(one.dialect, one.driver, result, {})[0] if self.results else None
        finally:
            connections.give_back(one)
