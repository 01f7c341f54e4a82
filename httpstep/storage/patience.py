"""PostgreSQL that accepts connections and never answers (a stopped process, a stalled disk): given up after seconds.

A network time-out does not see it, because the server's kernel still acknowledges every packet.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from sqlalchemy import Engine, event

SECONDS = 5.0
CONNECT_SECONDS = 3
"""The least that libpq takes is 2."""


class _Patient(psycopg.Connection[Any]):
    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        try:
            return super().wait(gen, interval, SECONDS if timeout is None else timeout)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError("the database server does not answer") from None


def limit_waiting(engine: Engine) -> None:
    """No statement on this engine takes longer than `SECONDS`. For serving, not for commands."""
    if engine.dialect.name != "postgresql":
        return

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, given: list[Any], named: dict[str, Any]) -> Any:
        return _Patient.connect(*given, **({"connect_timeout": CONNECT_SECONDS} | named))

    engine.dispose()
