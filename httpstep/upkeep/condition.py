"""How an installation is: what /health tells its operator and /metrics whoever watches it."""

from __future__ import annotations

import shutil
from pathlib import Path

from msgspec import Struct
from sqlalchemy import func, select, text

from httpstep.config import Config
from httpstep.extensions import db, limiter
from httpstep.storage.database import reading
from httpstep.storage.tables import Alert


class InstallationState(Struct, frozen=True):
    """schema: the revision of the data. free_bytes: of the disk of the data folder. mails_waiting: alerts that are due
    and not delivered yet; mail_failed: of them, those that were refused at least once."""

    schema: str
    database: str
    database_bytes: int
    free_bytes: int
    total_bytes: int
    mails_waiting: int
    mails_failed: int


def condition_of(settings: Config) -> InstallationState:
    """As it is now. Raises SQLAlchemyError where the database is away."""
    with reading() as connection:
        schema = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())
        due = select(func.count(), func.count().filter(Alert.tries > 0)).where(Alert.state == "due")
        waiting, failed = connection.execute(due).one()
        dialect, size = connection.dialect.name, 0
        if dialect == "postgresql":
            size = int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    if dialect == "sqlite":
        size = size_of(Path(str(db.engine.url.database)))
    disk = shutil.disk_usage(settings.data)
    return InstallationState(schema, dialect, size, disk.free, disk.total, waiting, failed)


def size_of(file: Path) -> int:
    """Of a SQLite file with what is not in it yet."""
    beside = (file, file.with_name(f"{file.name}-wal"))
    return sum(one.stat().st_size for one in beside if one.exists())


REDIS_AWAY = (
    "HTTPSTEP_RATELIMIT_URL: Redis does not answer. Until it does every call and every sign-in is refused (503), since "
    "none goes uncounted"
)


def is_counting() -> bool:
    """Whether the place of the budgets, Redis or the database, answers."""
    try:
        return bool(limiter.limiter.storage.check())
    except Exception:
        return False


def warning_at_start() -> str | None:
    """What a start has to say of Redis. No connection to it stays open, which a fork would carry over."""
    counting = is_counting()
    pool = getattr(getattr(limiter.limiter.storage, "storage", None), "connection_pool", None)
    if pool is not None:
        pool.disconnect()
    return None if counting else REDIS_AWAY
