"""An upgrade from the oldest data that is read, ended at each of its statements, is finished by the next start."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, event, inspect, text

from app import create_app
from httpstep import config
from httpstep.extensions import db
from httpstep.storage.database import writing
from httpstep.storage.schema import _may_create, revisions
from httpstep.storage.vault import Vault, new_key, secret_place
from httpstep.upkeep import installation
from tests.house import document
from tests.services import PostgreSQL
from tests.sweeps import Sweep

MIGRATIONS = str(Path(__file__).resolve().parents[2] / "migrations")
KILLED = 9
KEY = new_key()
SECRETS = {("inn", "crm"): "one", ("shop", "crm"): "two"}
STEP = document("one", url="https://api.example/{{order.id}}", headers=[{"name": "A", "value": "{{secret.crm}}"}])
FLOW = {"format": "httpstep-flow/1", "key": "both", "name": "Both", "steps": [{"step": "one"}]}
ROWS = {
    "accounts": {"name": "", "created_at": 0},
    "steps": {"key": "one", "name": "One", "document": json.dumps(STEP), "version": 3, "created_at": 0, "updated_at": 0, "updated_by": ""},
    "flows": {"key": "both", "name": "Both", "document": json.dumps(FLOW), "version": 2, "created_at": 0, "updated_at": 0, "updated_by": ""},
    "secrets": {"name": "crm", "updated_at": 7},
}  # fmt: skip


def old_data(environ: dict[str, str]) -> None:
    """Two accounts, each with a step, a flow and a secret, as the oldest version that is read wrote them."""
    app = create_app(config.load(environ))
    with app.app_context():
        with _may_create():
            upgrade(directory=MIGRATIONS, revision=revisions()[0])
        with writing() as connection:
            for number, (slug, name) in enumerate(SECRETS, 1):
                for table, row in ROWS.items():
                    values = row | ({"slug": slug} if table == "accounts" else {"account_id": number})
                    if table == "secrets":
                        values |= {"token": Vault([KEY]).encrypt(SECRETS[slug, name].encode())}
                    names = ", ".join(values)
                    add = f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{one}' for one in values)})"
                    connection.execute(text(add), values)
        db.session.close()
        db.engine.dispose()


def start(environ: dict[str, str], killed_at: int | None = None) -> int:
    """What a start does before it serves, in a process of its own that ends itself before its statement of that number.
    Returns how the process ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        app = create_app(config.load(environ))
        if killed_at is not None:
            _end_before(app, killed_at)
        installation.prepare(app)
    except BaseException:
        os._exit(1)
    os._exit(0)


def _end_before(app: Flask, number: int) -> None:
    seen = 0

    def count(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            os._exit(KILLED)

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", count)
        event.listen(db.engine, "commit", count)


def state_of(environ: dict[str, str]) -> dict[str, Any]:
    """The schema with its triggers' number, and what is in the tables."""
    url = environ.get("HTTPSTEP_DATABASE_URL") or f"sqlite:///{environ['HTTPSTEP_DATA']}/httpstep.db"
    engine, vault = create_engine(url), Vault([KEY])
    triggers = (
        "sqlite_master WHERE type = 'trigger'"
        if engine.dialect.name == "sqlite"
        else "pg_trigger WHERE NOT tgisinternal"
    )
    with engine.connect() as connection:
        look = inspect(connection)
        found: dict[str, Any] = {
            table: sorted((column["name"], str(column["type"])) for column in look.get_columns(table))
            for table in look.get_table_names()
        }
        found["triggers"] = connection.execute(text(f"SELECT count(*) FROM {triggers}")).scalar()
        found["revision"] = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
        found["editions"] = connection.execute(text("SELECT count(*) FROM editions")).scalar()
        for table in ("steps", "flows"):
            kept = f"SELECT account_id, key, name, document, version FROM {table} ORDER BY id"
            found[f"rows of {table}"] = [tuple(row) for row in connection.execute(text(kept))]
        secrets = "SELECT slug, secrets.name, token, hosts FROM secrets JOIN accounts ON accounts.id = account_id ORDER BY slug"
        found["secrets"] = [
            (vault.decrypt(token, secret_place(slug, name)), hosts)
            for slug, name, token, hosts in connection.execute(text(secrets))
        ]
    engine.dispose()
    return found


@pytest.mark.timeout(900)
def test_an_upgrade_that_is_killed_at_any_statement_is_finished_by_the_next_start(
    tmp_path: Path, database: dict[str, str], postgresql: PostgreSQL | None, sweep: Sweep
) -> None:
    def fresh(name: str) -> dict[str, str]:
        """The environment of a copy of the old data."""
        if postgresql is not None and database:
            made = {"HTTPSTEP_DATABASE_URL": postgresql.new_database(template=template)}
        else:
            made = {}
            shutil.copytree(tmp_path / "old", tmp_path / name)
        return {"HTTPSTEP_DATA": str(tmp_path / name), "HTTPSTEP_VAULT_KEYS": KEY} | made

    template = ""
    first = {"HTTPSTEP_DATA": str(tmp_path / "old"), "HTTPSTEP_VAULT_KEYS": KEY}
    if postgresql is not None and database:
        first["HTTPSTEP_DATABASE_URL"] = postgresql.new_database(empty=True)
        template = first["HTTPSTEP_DATABASE_URL"].rpartition("/")[2]
    old_data(first)
    whole = fresh("whole")
    assert start(whole) == 0
    wanted = state_of(whole)
    assert wanted["revision"] == [revisions()[-1]]
    assert [value for value, _ in wanted["secrets"]] == [b"one", b"two"]
    assert len(wanted["rows of flows"]) == len(wanted["rows of steps"]) == 2
    every = 1 if sweep.whole else 21 if template else 7  # there a start is slow, and a migration is one transaction
    for number in range(1, 1000, every):
        environ = fresh(str(number))
        ended = start(environ, killed_at=number)
        if ended == 0:
            break
        assert ended == KILLED, number
        assert start(environ) == 0, number
        assert state_of(environ) == wanted, number
        shutil.rmtree(tmp_path / str(number), ignore_errors=True)
    assert number > 60
    sweep.tell(number // every, number)
