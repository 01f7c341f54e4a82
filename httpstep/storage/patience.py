"""When a database is away, and how long it is waited for.

PostgreSQL that accepts connections and never answers (a stopped process, a stalled disk) is given up after seconds: a
network time-out does not see it, because the server's kernel still acknowledges every packet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Dialect, Engine, event
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
