"""The migrations make exactly the tables that the models describe, and newer data is refused."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from app import create_app
from httpstep import config
from httpstep.extensions import db
from httpstep.storage import database as schema
from httpstep.storage.tables import Account, User
from httpstep.upkeep import installation
from tests.house import House
from tests.services import PostgreSQL

MakeHouse = Callable[..., House]


def test_the_migrations_make_the_tables_of_the_models(make_house: MakeHouse) -> None:
    house = make_house(migrate=True)
    with house.app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, db.metadata) == []


def test_a_copied_database_is_the_one_that_the_migrations_make(tmp_path: Path) -> None:
    """Most tests run on a copy (tests/house.py): of the newest schema, with the same rows."""
    found = []
    for name, migrate in (("copied", False), ("migrated", True)):
        house = House(tmp_path / name, migrate=migrate)
        with closing(sqlite3.connect(tmp_path / name / "httpstep.db")) as connection:
            dump = re.sub(r"\b1\.?\d{9,}\.?\d*(e\+09)?", "A TIME", "\n".join(connection.iterdump()))
        # Alembic writes the constraints of a table that it copies in no certain order.
        found.append(sorted(line.rstrip(",") for line in dump.splitlines()))
        with house.app.app_context():
            assert schema.upgrade_schema(house.app) is False
            db.engine.dispose()
    assert found[0] == found[1]


def test_preparing_twice_changes_nothing(make_house: MakeHouse) -> None:
    house = make_house(migrate=True)
    installation.prepare(house.app)
    with house.app.app_context():
        assert schema.upgrade_schema(house.app) is False


def test_data_of_a_newer_version_is_refused_with_a_sentence(make_house: MakeHouse) -> None:
    house = make_house()
    with house.app.app_context(), schema.writing() as connection:
        connection.execute(db.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SystemExit, match="newer version"):
        make_house()


@pytest.mark.parametrize("schema_of_then", ["0001", "0002", "0003"])
def test_data_from_before_the_first_release_is_refused_with_a_sentence(
    make_house: MakeHouse, schema_of_then: str
) -> None:
    house = make_house()
    with house.app.app_context(), schema.writing() as connection:
        connection.execute(db.text("UPDATE alembic_version SET version_num = :then"), {"then": schema_of_then})
    with pytest.raises(SystemExit, match="before its first release"):
        make_house()


def test_several_hosts_may_start_at_the_same_moment(
    tmp_path: Path, database: dict[str, str], postgresql: PostgreSQL | None
) -> None:
    """Four first starts at once on one empty database: one schema, one account, one admin."""
    environ = {"HTTPSTEP_DATA": str(tmp_path / "data"), "HTTPSTEP_ADMIN_EMAIL": "ana@example.com"}
    environ |= {"HTTPSTEP_ADMIN_PASSWORD": "correct horse"}
    if database and postgresql is not None:
        environ["HTTPSTEP_DATABASE_URL"] = postgresql.new_database(empty=True)
    apps = [create_app(config.load(environ)) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(installation.prepare, apps))
    with apps[0].app_context():
        found = [db.session.query(table).count() for table in (Account, User)]
    for app in apps:
        with app.app_context():
            db.engine.dispose()
    assert found == [1, 1]
