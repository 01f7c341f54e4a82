"""The schema: which one the data has, and bringing it to this version's, its triggers included.

Triggers draw an account's edition anew with each edit of what calls read. A process keeps what it has read of an account
as long as its edition is the same (`execution/gathering.py`). Others number the hits of a budget, and count executions.
Each start puts back a trigger that is not there:
Alembic, which copies a table to change it on SQLite, drops a table's triggers without a word.
"""

from __future__ import annotations

import fcntl
import logging
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, Final

from flask import Flask
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from httpstep.config import StartError, folder_of
from httpstep.extensions import db
from httpstep.storage.patience import is_unavailable

creating: ContextVar[bool] = ContextVar("a database may be made", default=False)


class SchemaError(StartError):
    """The database's schema does not fit this version of the application. The text says what to do."""


@cache
def revisions() -> tuple[str, ...]:
    """Those that this version knows, the newest last, by the names of their files: a start needs no more, and without
    Alembic and all the migrations it is a tenth of a second shorter."""
    return tuple(
        sorted(file.name[:4] for file in (folder_of("migrations") / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))
    )


def _current() -> str | None:
    """The revision of the data, None where there is none yet."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


BEFORE_THE_FIRST_RELEASE = frozenset({"0001", "0002", "0003"})
"""Schemas that no release had and none reads. The first one that is read is 0004."""


def refuse_other_schema() -> None:
    """Raise SchemaError where this version cannot read the data. One not made yet is fine, and one that is away or
    damaged is found by whoever uses it."""
    try:
        current = _current()
    except SQLAlchemyError as error:
        if is_unavailable(error):
            return
        raise
    if current in BEFORE_THE_FIRST_RELEASE:
        raise SchemaError(
            "This data was written by a version of httpstep from before its first release. Export its steps with that "
            "version (step export), start anew with another HTTPSTEP_DATA, and import them there (step import)."
        )
    if current is not None and current not in revisions():
        raise SchemaError(
            "This data was written by a newer version of httpstep. Start that version, or restore a backup made by this one."
        )


def needs_upgrade() -> bool:
    """Whether there is data of an earlier version. Nothing of it is read; what is away or damaged is found later."""
    try:
        current = _current()
    except SQLAlchemyError:
        return False
    return current not in (None, revisions()[-1])


@contextmanager
def _may_create() -> Iterator[None]:
    """Inside, a SQLite file that is not there is made. Everywhere else its absence is an accident."""
    token = creating.set(True)
    try:
        yield
    finally:
        creating.reset(token)


def upgrade_schema(app: Flask, *, before: Any = None) -> bool:
    """Bring the schema to this version, once, under a lock. `before` is called if there is something to upgrade.

    Returns whether anything was done. Raises SchemaError where the data is newer than the program.
    """
    with one_at_a_time(app, "upgrade"), _may_create():
        current = _current()
        if current == revisions()[-1]:
            require_triggers()
            return False
        refuse_other_schema()
        if current is not None and before is not None:
            before()
        _migrate()
        require_triggers()
        return True


def _migrate() -> None:
    """From where the data is to the newest revision. Each migration is a transaction of its own."""
    from alembic import command  # few starts need it
    from alembic.config import Config

    logging.getLogger("alembic").setLevel(logging.WARNING)
    settings = Config()
    settings.set_main_option("script_location", str(folder_of("migrations")).replace("%", "%%"))
    command.upgrade(settings, "head")


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


# ---------------------------------------------------------------- triggers

_WATCHED: Final[Mapping[str, tuple[str, ...]]] = {
    "accounts": ("slug", "per_minute", "in_flight"),
    "api_keys": ("name", "scope", "prefix", "token_hash", "revoked_at"),
    "steps": ("key", "name", "document", "version"),
    "step_states": ("automatic", "structure", "odd", "drift"),
    "secrets": ("name", "token", "hosts"),
    "attributes": ("name", "default", "in_bot"),
}
"""The tables and columns that calls read. What calls write themselves each time, such as a key's last use, is not in it."""
_OWNER: Final = {"accounts": "{row}.id", "step_states": "(SELECT account_id FROM steps WHERE id = {row}.step_id)"}
"""The account of a row, where it is not its account_id."""
_PREFIX: Final = "httpstep_"


def require_triggers() -> None:
    """Make the triggers that are missing, and drop those of another version. Where any was missing, what processes have
    kept may be old, so every account gets a new edition. Under the lock of `upgrade_schema`."""
    wanted = _triggers(sqlite := db.engine.dialect.name == "sqlite")
    with db.engine.connect() as connection:
        found = {str(name): str(table) for name, table in connection.execute(text(_FOUND[sqlite]))}
        if found.keys() == wanted.keys():
            return
        if not sqlite:
            connection.exec_driver_sql(_FUNCTIONS)
        for name, table in found.items():
            if name not in wanted:
                connection.exec_driver_sql(f"DROP TRIGGER {name}" + ("" if sqlite else f" ON {table}"))
        for name, statement in wanted.items():
            if name not in found:
                connection.exec_driver_sql(statement)
        _draw_all(connection, sqlite)
        connection.commit()


_FOUND: Final = {
    True: f"SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '{_PREFIX}%'",
    False: "SELECT tgname, tgrelid::regclass::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
    f"WHERE tgname LIKE '{_PREFIX}%' AND relnamespace = current_schema()::regnamespace",
}
_DRAWN: Final = {
    True: "1000000000000000000 + abs(random() % 1000000000000000000)",
    False: "1000000000000000000 + floor(random() * 1000000000000000000)::bigint",
}
"""A new edition. Drawn and not counted: after a restore the same number would come to mean something else."""


def _draw_all(connection: Connection, sqlite: bool) -> None:
    drawn = _DRAWN[sqlite]
    connection.exec_driver_sql(
        f"INSERT INTO editions (account_id, edition) SELECT id, {drawn} FROM accounts WHERE true "
        f"ON CONFLICT (account_id) DO UPDATE SET edition = {drawn}"
    )


def _triggers(sqlite: bool) -> dict[str, str]:
    """The statements that make them, by their names, each with a checksum of its statement."""
    statements = [_NUMBER_ON_SQLITE, _COUNT_ON_SQLITE] if sqlite else [_NUMBER, _COUNT]
    for table, columns in _WATCHED.items():
        events = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}
        if table == "step_states":
            del events["DELETE"]  # with its step
        for event, row in events.items():
            make = _on_sqlite if sqlite else _on_postgresql
            statements.append(make(table, event, row, columns))
    named = {}
    for statement in statements:
        name = f"{_PREFIX}{zlib.crc32((statement + _FUNCTIONS).encode()):08x}"
        named[name] = statement.replace("<name>", name)
    return named


def _on_sqlite(table: str, event: str, row: str, columns: tuple[str, ...]) -> str:
    owner = _OWNER.get(table, "{row}.account_id").format(row=row)
    when, what = event, f"UPDATE editions SET edition = {_DRAWN[True]} WHERE account_id = {owner}"
    if (table, event) == ("accounts", "INSERT"):
        what = f"INSERT INTO editions (account_id, edition) VALUES (NEW.id, {_DRAWN[True]})"
    if event == "UPDATE":
        differs = " OR ".join(f'OLD."{name}" IS NOT NEW."{name}"' for name in columns)
        return f"CREATE TRIGGER <name> AFTER UPDATE ON {table} WHEN {differs} BEGIN {what}; END"
    return f"CREATE TRIGGER <name> AFTER {when} ON {table} BEGIN {what}; END"


def _on_postgresql(table: str, event: str, row: str, columns: tuple[str, ...]) -> str:
    """Deferred to the end of its transaction, which then waits for nobody while it holds the account's edition: drawn
    at once, edits and calls that learn would wait for each other in a circle."""
    differs = " OR ".join(f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in columns)
    when = f"WHEN ({differs}) " if event == "UPDATE" else ""
    return (
        f"CREATE CONSTRAINT TRIGGER <name> AFTER {event} ON {table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW {when}"
        "EXECUTE FUNCTION httpstep_draw_edition()"
    )


_NUMBER_ON_SQLITE: Final = (
    "CREATE TRIGGER <name> AFTER INSERT ON budget_hits WHEN NEW.number = 0 BEGIN UPDATE budget_hits SET number = "
    "1 + coalesce((SELECT number FROM budget_hits WHERE key = NEW.key AND id <> NEW.id ORDER BY at DESC, number DESC "
    "LIMIT 1), 0) WHERE id = NEW.id; END"
)
"""A row that nobody has numbered gets the number after its budget's newest."""
_NUMBER: Final = (
    "CREATE TRIGGER <name> BEFORE INSERT ON budget_hits FOR EACH ROW WHEN (NEW.number = 0) "
    "EXECUTE FUNCTION httpstep_number_hit()"
)
SHARDS: Final = 16
"""Rows among which a count is spread on PostgreSQL."""
_COUNTED: Final = """
    INSERT INTO call_counts (kind, account, source, outcome, shard, calls, milliseconds)
    SELECT 'execution', slug, NEW.source, NEW.outcome, {shard}, 1, coalesce(NEW.duration_ms, 0)
    FROM accounts WHERE id = NEW.account_id
    ON CONFLICT (kind, account, source, outcome, shard) DO UPDATE
    SET calls = call_counts.calls + 1, milliseconds = call_counts.milliseconds + excluded.milliseconds;
"""
"""The row of an execution is counted for /metrics as it ends, whoever ends it, and once: with the row or not at all."""
_COUNT_ON_SQLITE: Final = (
    "CREATE TRIGGER <name> AFTER UPDATE OF state ON logs WHEN OLD.state = 'running' AND NEW.state <> 'running' "
    f"BEGIN {_COUNTED.format(shard=0)} END"
)
_COUNT: Final = (
    "CREATE CONSTRAINT TRIGGER <name> AFTER UPDATE OF state ON logs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
    "WHEN (OLD.state = 'running' AND NEW.state <> 'running') EXECUTE FUNCTION httpstep_count_execution()"
)
"""At the end of its transaction, which then holds the count's row only while it commits."""
_FUNCTIONS: Final = f"""
CREATE OR REPLACE FUNCTION httpstep_count_execution() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN {_COUNTED.format(shard=f"floor(random() * {SHARDS})::int")} RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION httpstep_draw_edition() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE owner bigint; changed record;
BEGIN
    IF TG_OP = 'DELETE' THEN changed := OLD; ELSE changed := NEW; END IF;
    IF TG_TABLE_NAME = 'accounts' THEN
        owner := changed.id;
        IF TG_OP = 'INSERT' THEN
            INSERT INTO editions (account_id, edition) VALUES (owner, {_DRAWN[False]}) ON CONFLICT DO NOTHING;
            RETURN NULL;
        END IF;
    ELSIF TG_TABLE_NAME = 'step_states' THEN
        SELECT account_id INTO owner FROM steps WHERE id = changed.step_id;
    ELSE
        owner := changed.account_id;
    END IF;
    UPDATE editions SET edition = {_DRAWN[False]} WHERE account_id = owner;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION httpstep_number_hit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT 1 + coalesce((SELECT number FROM budget_hits WHERE key = NEW.key ORDER BY at DESC, number DESC LIMIT 1), 0)
        INTO NEW.number;
    RETURN NEW;
END $$;
"""
