"""The database as a place: how connections are made and how a transaction begins.

SQLite is opened in WAL with a busy time-out of five seconds. The driver's own idea of transactions is
switched off: a transaction that will write says so before its first statement and takes the write lock
then (BEGIN IMMEDIATE), because one that reads first and writes later fails at once when somebody wrote between.
"""

from __future__ import annotations

import fcntl
import logging
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from sqlalchemy import Connection, Engine, Executable, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from httpstep.config import StartError, folder_of
from httpstep.extensions import db
from httpstep.storage.sqlitefile import SqliteFile

WRITE = "httpstep_write"
BUSY_SECONDS = 5
NOTE_SECONDS = 0.2
_FULL = "httpstep_full"
_PATIENCE = "httpstep_patience"
_TURN = "httpstep_turn"
_FILE = "httpstep_file"
_ONE_EDIT = text("SELECT pg_advisory_xact_lock(2, 0)")
_open: ContextVar[Connection | None] = ContextVar("open write transaction", default=None)
_read: ContextVar[Connection | None] = ContextVar("open read transaction", default=None)
_creating: ContextVar[bool] = ContextVar("a database may be made", default=False)
DAMAGED = ("file is not a database", "disk image is malformed")
_UNUSABLE = ("readonly", "read-only transaction", *DAMAGED)
"""What the drivers say of a database that cannot serve, in errors that are not OperationalError."""


class SchemaError(StartError):
    """The database's schema does not fit this version of the application. The text says what to do."""


def prepare_engine(engine: Engine) -> None:
    """Hook SQLite's connections; other databases need nothing."""
    if engine.dialect.name != "sqlite":
        return
    current_app.extensions[_TURN] = threading.Lock()

    if (path := _path_of(engine)) is None:
        event.listen(engine, "connect", _set_up)
    else:
        _watch_file(engine, SqliteFile(path))

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get(WRITE):
            # It takes no lock and cannot fail, so it needs none of what SQLAlchemy puts around a statement.
            connection.connection.driver_connection.execute("BEGIN")  # type: ignore[union-attr]
            return
        if options.get(_FULL):
            connection.info[_FULL] = True
            connection.exec_driver_sql("PRAGMA synchronous=FULL")
        if (patience := options.get(_PATIENCE, BUSY_SECONDS)) != BUSY_SECONDS:
            connection.info[_PATIENCE] = True
            connection.exec_driver_sql(f"PRAGMA busy_timeout={patience * 1000:.0f}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "checkin")
    def _checkin(connection: Any, record: Any) -> None:
        if connection is not None and record.info.pop(_FULL, False):
            connection.execute("PRAGMA synchronous=NORMAL")
        if connection is not None and record.info.pop(_PATIENCE, False):
            connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")


def _set_up(connection: Any, _record: Any = None) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        f"busy_timeout={BUSY_SECONDS * 1000}",
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


def _watch_file(engine: Engine, file: SqliteFile) -> None:
    """No connection is used whose file was deleted, moved away or replaced.

    The pool asks `checkout` each time: one `stat`.
    """

    @event.listens_for(engine, "do_connect")
    def _open_file(dialect: Any, record: Any, given: Any, named: Any) -> Any:
        file.require(may_create=_creating.get())
        connection = dialect.connect(*given, **named)
        try:
            _set_up(connection)
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


@contextmanager
def reading() -> Iterator[Connection]:
    """A short transaction that only reads. Inside another one it is a part of that, and sees what that sees."""
    outer = _read.get()
    if outer is not None:
        yield outer
        return
    with db.engine.connect() as connection:
        token = _read.set(connection)
        try:
            yield connection
        finally:
            _read.reset(token)


@contextmanager
def _turn(patience: float = BUSY_SECONDS) -> Iterator[None]:
    """The threads of a process write to SQLite in turn. Left to its busy time-out they poll for its one write lock
    without any order, and with 64 of them some wait for seconds. Raises PoolTimeout, as a pool without a place does."""
    if db.engine.dialect.name != "sqlite":
        yield
        return
    turn: threading.Lock = current_app.extensions[_TURN]
    if not turn.acquire(timeout=patience):
        raise PoolTimeout("database is locked")
    try:
        yield
    finally:
        turn.release()


@contextmanager
def writing(*, durable: bool = False, patience: float = BUSY_SECONDS) -> Iterator[Connection]:
    """A short transaction that writes and commits at the end. durable: on the disk before it returns, on SQLite too.
    patience: seconds to wait for whoever else writes to SQLite.

    Inside another one it is a part of that.
    """
    outer = _open.get()
    if outer is not None:
        yield outer
        return
    options = {WRITE: True, _FULL: durable, _PATIENCE: patience}
    with _turn(patience), db.engine.connect().execution_options(**options) as connection, connection.begin():
        token = _open.set(connection)
        try:
            yield connection
        finally:
            _open.reset(token)


def note(statement: Executable) -> None:
    """Write what may be missing, such as when something was last used: nobody waits for it long, and nothing fails."""
    try:
        with writing(patience=NOTE_SECONDS) as connection:
            connection.execute(statement)
    except SQLAlchemyError as error:
        if not is_unavailable(error):
            raise


def is_writing() -> bool:
    """Whether this is inside `writing()`."""
    return _open.get() is not None


@contextmanager
def editing() -> Iterator[None]:
    """The same for the ORM session of this request: what was read before is read anew, under the write lock.

    PostgreSQL has none, so edits take a lock of ours: of two that read the same version of a step each would replace it.
    """
    db.session.rollback()
    with _turn():
        try:
            connection = db.session.connection(execution_options={WRITE: True})
            if connection.dialect.name == "postgresql":
                connection.execute(_ONE_EDIT)
            yield
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise


def end_transaction() -> None:
    """Give back this request's connection: nothing may be open while a third party is waited for."""
    db.session.rollback()
    db.session.close()


def is_unavailable(error: BaseException) -> bool:
    """True for errors that mean the database cannot serve just now: locked, full, read-only, gone, another file."""
    if isinstance(error, (OperationalError, PoolTimeout)):
        return True
    said = str(error.orig) if isinstance(error, DBAPIError) else ""
    gone = isinstance(error, DBAPIError) and error.connection_invalidated
    return gone or any(words in said for words in _UNUSABLE)


@cache
def _migrations() -> ScriptDirectory:
    """Read once: a start asks for it three times, and each time every migration would be loaded again."""
    return ScriptDirectory(str(folder_of("migrations")))


def _revisions() -> tuple[str | None, str | None, ScriptDirectory]:
    script = _migrations()
    with db.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, script.get_current_head(), script


BEFORE_THE_FIRST_RELEASE = frozenset({"0001", "0002", "0003"})
"""Schemas that no release had and none reads. The first one that is read is 0004."""


def refuse_other_schema() -> None:
    """Raise SchemaError where this version cannot read the data. One not made yet is fine, and one that is away or
    damaged is found by whoever uses it."""
    try:
        current, head, script = _revisions()
    except SQLAlchemyError as error:
        if is_unavailable(error):
            return
        raise
    if current in BEFORE_THE_FIRST_RELEASE:
        raise SchemaError(
            "This data was written by a version of httpstep from before its first release. Export its steps with that "
            "version (step export), start anew with another HTTPSTEP_DATA, and import them there (step import)."
        )
    if current not in (None, head) and current not in {revision.revision for revision in script.walk_revisions()}:
        raise SchemaError(
            "This data was written by a newer version of httpstep. Start that version, or restore a backup made by this one."
        )


@contextmanager
def _may_create() -> Iterator[None]:
    """Inside, a SQLite file that is not there is made. Everywhere else its absence is an accident."""
    token = _creating.set(True)
    try:
        yield
    finally:
        _creating.reset(token)


def upgrade_schema(app: Flask, *, before: Any = None) -> bool:
    """Bring the schema to this version, once, under a lock. `before` is called if there is something to upgrade.

    Returns whether anything was done. Raises SchemaError where the data is newer than the program.
    """
    with one_at_a_time(app, "upgrade"), _may_create():
        current, head, script = _revisions()
        if current == head:
            return False
        refuse_other_schema()
        if current is not None and before is not None:
            before()
        logging.getLogger("alembic").setLevel(logging.WARNING)
        command.upgrade(current_app.extensions["migrate"].migrate.get_config(script.dir), "head")
        return True


@contextmanager
def one_at_a_time(app: Flask, name: str) -> Iterator[None]:
    """Only one process at a time, of all that share the database, is inside. Do not nest the same name."""
    if db.engine.dialect.name == "postgresql":
        number = {"lock": zlib.crc32(f"httpstep {name}".encode())}
        with db.engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), number)
            connection.commit()
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:lock)"), number)
                connection.commit()
        return
    with (Path(app.config["HTTPSTEP"].data) / f"{name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
