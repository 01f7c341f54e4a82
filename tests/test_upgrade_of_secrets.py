"""Data of the version before secrets had lists of hosts: each gets those of the saved steps that send it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade

from app import create_app
from httpstep import config
from httpstep.core.inserting import secrethosts
from httpstep.extensions import db
from httpstep.storage import catalogue
from httpstep.storage.database import writing
from httpstep.storage.schema import _may_create
from httpstep.upkeep import installation
from tests.house import document
from tests.services import PostgreSQL

MIGRATIONS = str(Path(__file__).resolve().parents[1] / "migrations")
OAUTH = {
    "type": "oauth2_client_credentials", "token_url": "https://id.example/t", "client_id": "{{secret.id}}", "client_secret": "x",
}  # fmt: skip
STEPS = {
    "one": document("one", url="https://API.example/{{order.id}}", headers=[{"name": "A", "value": "{{secret.crm}}"}]),
    "two": document("two", url="http://b.example:8099/?k={{secret.crm}}"),
    "three": document("three", url="{{url}}", headers=[{"name": "A", "value": "{{secret.varies}} {{secret.both}}"}]),
    "four": document("four", url="https://a.example/", headers=[{"name": "A", "value": "{{secret.both}}"}]),
    "five": document("five", url="{{secret.base}}/x"),
    "six": document("six", url="https://c.example/", auth=OAUTH),
    "seven": document("seven", url="https://d.example/", body={"mode": "none", "text": "{{secret.idle}}"}),
    "eight": {"format": "httpstep/0", "was": "https://e.example/{{secret.odd}}"},
}
NAMES = ("crm", "varies", "both", "base", "id", "idle", "unused", "odd")


@pytest.fixture
def old(tmp_path: Path, database: dict[str, str], postgresql: PostgreSQL | None) -> Iterator[Flask]:
    """An application on a database of the version before, with steps and secrets of two accounts."""
    environ = {"HTTPSTEP_DATA": str(tmp_path / "data")}
    if database and postgresql is not None:
        environ["HTTPSTEP_DATABASE_URL"] = postgresql.new_database(empty=True)
    app = create_app(config.load(environ))
    with app.app_context():
        with _may_create():
            upgrade(directory=MIGRATIONS, revision="0004")
        with writing() as connection:
            for account, steps in (
                (1, STEPS),
                (2, {"one": document("one", url="https://theirs.example/{{secret.crm}}")}),
            ):
                _fill(connection, account, steps)
    yield app
    with app.app_context():
        db.session.close()
        db.engine.dispose()


def _fill(connection: Any, account: int, steps: dict[str, dict[str, Any]]) -> None:
    insert = "INSERT INTO accounts (slug, name, created_at) VALUES (:slug, '', 0)"
    connection.execute(db.text(insert), {"slug": f"a{account}"})
    insert = (
        "INSERT INTO steps (account_id, key, name, document, version, created_at, updated_at, updated_by) "
        "VALUES (:account, :key, :key, :document, 1, 0, 0, '')"
    )
    for key, step in steps.items():
        connection.execute(db.text(insert), {"account": account, "key": key, "document": json.dumps(step)})
    insert = "INSERT INTO secrets (account_id, name, token, updated_at) VALUES (:account, :name, :token, 7)"
    for name in NAMES:
        connection.execute(db.text(insert), {"account": account, "name": name, "token": f"{account}/{name}".encode()})


def hosts_of(account: int) -> dict[str, secrethosts.Hosts]:
    return {name: secrethosts.load(one.hosts) for name, one in catalogue.stored_secrets(account).items()}


def test_each_secret_gets_the_hosts_of_the_steps_that_send_it(old: Flask) -> None:
    installation.prepare(old)
    with old.app_context():
        assert hosts_of(1) == {
            "crm": ("https://api.example", "http://b.example:8099"),
            "varies": None,
            "both": None,
            "base": None,
            "id": ("https://c.example", "https://id.example"),
            "idle": (),
            "unused": (),
            "odd": None,
        }
        assert hosts_of(2) == {name: ("https://theirs.example",) if name == "crm" else () for name in NAMES}
        for account in (1, 2):
            stored = catalogue.stored_secrets(account)
            assert {name: bytes(one.token) for name, one in stored.items()} == {
                name: f"{account}/{name}".encode() for name in NAMES
            }
            assert {one.updated_at for one in stored.values()} == {7}


def test_what_is_stored_after_the_upgrade_without_a_list_goes_nowhere(old: Flask) -> None:
    installation.prepare(old)
    with old.app_context():
        with writing() as connection:
            insert = "INSERT INTO secrets (account_id, name, token, updated_at) VALUES (1, 'new', :token, 0)"
            connection.execute(db.text(insert), {"token": b"x"})
        assert hosts_of(1)["new"] == ()
