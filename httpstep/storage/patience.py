"""PostgreSQL that accepts connections and never answers (a stopped process, a stalled disk): given up after seconds.

A network time-out does not see it, because the server's kernel still acknowledges every packet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, event

if TYPE_CHECKING:
    import psycopg
    from psycopg.abc import RV, PQGen

SECONDS = 5.0
CONNECT_SECONDS = 3
"""The least that libpq takes is 2."""


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
