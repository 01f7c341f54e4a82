"""The database as a place: how connections are made and how a transaction begins.

SQLite is opened in WAL with a busy time-out of five seconds. The driver's own idea of transactions is
switched off: a transaction that will write says so before its first statement and takes the write lock
then (BEGIN IMMEDIATE), because one that reads first and writes later fails at once when somebody wrote between.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from flask import current_app
from sqlalchemy import Connection, Dialect, Engine, Executable, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from httpstep.extensions import db, kept
from httpstep.storage import sqlitefile
from httpstep.storage.patience import as_sqlalchemy, is_unavailable
from httpstep.storage.schema import (
    BEFORE_THE_FIRST_RELEASE,
    SchemaError,
    one_at_a_time,
    refuse_other_schema,
    upgrade_schema,
)

__all__ = [
    "BEFORE_THE_FIRST_RELEASE", "SchemaError", "ask", "can_do_one_step", "editing", "end_transaction",
    "is_unavailable", "is_writing", "look", "note", "one_at_a_time", "prepare_engine", "reading",
    "refuse_other_schema", "snapshot", "upgrade_schema", "writing",
]  # fmt: skip

WRITE = "httpstep_write"
BUSY_SECONDS = 5
NOTE_SECONDS = 0.2
_FULL = "httpstep_full"
_PATIENCE = "httpstep_patience"
_TURN = "httpstep_turn"
_ONE_EDIT = text("SELECT pg_advisory_xact_lock(2, 0)")
_open: ContextVar[Connection | None] = ContextVar("open write transaction", default=None)
_read: ContextVar[Connection | None] = ContextVar("open read transaction", default=None)
_edits: ContextVar[bool] = ContextVar("open edit", default=False)


def prepare_engine(engine: Engine) -> None:
    """Hook SQLite's connections; other databases need nothing."""
    if engine.dialect.name != "sqlite":
        return
    current_app.extensions[_TURN] = threading.Lock()
    current_app.extensions[sqlitefile.KEPT] = sqlitefile.open_in(engine, BUSY_SECONDS)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get(WRITE):
            # It takes no lock and cannot fail, so it needs none of what SQLAlchemy puts around a statement.
            _driver(connection).execute("BEGIN")
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
    turn: threading.Lock = kept(_TURN)
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


def can_do_one_step() -> bool:
    """Whether the database is one that does `OneStep`, and nothing is being written that it would wait for."""
    return kept(sqlitefile.KEPT) is not None and not is_writing()


def ask(connection: Connection, statement: str, values: Mapping[str, Any]) -> list[Any]:
    """The rows that a statement gives, prepared once and run by the driver (SQLAlchemy takes ten times as long as SQLite
    itself). It names its values as :name; errors are SQLAlchemy's."""
    return _run(connection.dialect, _driver(connection), statement, values)


def look(statement: str, values: Mapping[str, Any]) -> list[Any]:
    """The same for a statement that only reads, in a transaction of its own."""
    connections: sqlitefile.KeptConnections | None = kept(sqlitefile.KEPT)
    if connections is not None:
        one = connections.take()
        try:
            return _run(one.dialect, one.driver, statement, values)
        finally:
            connections.give_back(one)
    dialect = db.engine.dialect
    try:
        pooled = db.engine.raw_connection()
    except dialect.loaded_dbapi.Error as error:
        raise as_sqlalchemy(dialect, statement, error) from error
    try:
        return _run(dialect, pooled.driver_connection, statement, values)
    finally:
        pooled.close()


def _run(dialect: Dialect, driver: Any, statement: str, values: Mapping[str, Any]) -> list[Any]:
    if dialect.name == "sqlite":
        return sqlitefile.run(dialect, driver, statement, values)
    statement = _for_psycopg(statement)
    try:
        cursor = driver.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []
    except dialect.loaded_dbapi.Error as error:
        raise as_sqlalchemy(dialect, statement, error) from error


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


@cache
def _for_psycopg(statement: str) -> str:
    return re.sub(r"(?<!:):([a-z_]+)", r"%(\1)s", statement)


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
    Inside another one it is a part of that.
    """
    if _edits.get():
        yield
        return
    db.session.rollback()
    with _turn():
        token = _edits.set(True)
        try:
            connection = db.session.connection(execution_options={WRITE: True})
            if connection.dialect.name == "postgresql":
                connection.execute(_ONE_EDIT)
            yield
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise
        finally:
            _edits.reset(token)


@contextmanager
def snapshot() -> Iterator[None]:
    """What is read inside, by the session and by `reading()`, is of one moment, whatever is written meanwhile.

    It ends the session's transaction, but inside `editing()`, where nothing else is edited.
    """
    if _edits.get():
        yield
        return
    end_transaction()
    is_sqlite = db.engine.dialect.name == "sqlite"  # whose transactions are so by themselves
    options = {} if is_sqlite else {"isolation_level": "REPEATABLE READ"}
    token = _read.set(db.session.connection(execution_options=options))
    try:
        yield
    finally:
        _read.reset(token)
        end_transaction()


def end_transaction() -> None:
    """Give back this request's connection: nothing may be open while a third party is waited for."""
    if db.session.registry.has():
        db.session.rollback()
        db.session.close()
