"""Which of several hosts on one PostgreSQL makes the nightly backup: a lock while it is made, and a row when it was.

SQLite has one host, whose own files tell (`upkeep.nightly`): there the lock is everybody's and there is no row.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from httpstep.extensions import db
from httpstep.storage.database import reading, writing
from httpstep.storage.tables import NightlyBackup, insert_into

_LOCK: Final = {"lock": zlib.crc32(b"httpstep nightly")}


class Night(Struct, frozen=True):
    """The last backup that any host made. at: seconds since the epoch; instance: of which data folder."""

    at: float
    instance: str


@contextmanager
def alone() -> Iterator[bool]:
    """Whether no other host is making one. The lock goes with its connection, however that ends. Raises SQLAlchemyError."""
    if not _are_several():
        yield True
        return
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_ours = bool(connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), _LOCK).scalar_one())
        try:
            yield is_ours
        finally:
            if is_ours:
                with suppress(SQLAlchemyError):
                    connection.execute(text("SELECT pg_advisory_unlock(:lock)"), _LOCK)


def last() -> Night | None:
    if not _are_several():
        return None
    with reading() as connection:
        row = connection.execute(select(NightlyBackup.at, NightlyBackup.instance)).one_or_none()
    return Night(*row) if row else None


def note(night: Night) -> None:
    """In the place of the one before."""
    if not _are_several():
        return
    values: dict[str, Any] = {"at": night.at, "instance": night.instance}
    with writing() as connection:
        add = insert_into(connection, NightlyBackup).values(id=1, **values)
        connection.execute(add.on_conflict_do_update(index_elements=["id"], set_=values))


def _are_several() -> bool:
    """Whether there may be other hosts."""
    return db.engine.dialect.name == "postgresql"
