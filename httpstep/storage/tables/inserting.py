"""How a row goes in that may be there already."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from httpstep.extensions import Base


def insert_into(connection: Connection, table: type[Base]) -> Any:
    """An INSERT that may say what to do ON CONFLICT, of the database at hand. The other one's dialect is not loaded."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        return insert(table)
    from sqlalchemy.dialects.sqlite import insert as insert_in_sqlite

    return insert_in_sqlite(table)
