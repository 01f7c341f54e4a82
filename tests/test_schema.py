"""The migrations make exactly the tables that the models describe, and newer data is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from httpstep import installation
from httpstep.extensions import db
from httpstep.models import database
from tests.house import House

MakeHouse = Callable[..., House]


def test_the_migrations_make_the_tables_of_the_models(make_house: MakeHouse) -> None:
    house = make_house()
    with house.app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, db.metadata) == []


def test_preparing_twice_changes_nothing(make_house: MakeHouse) -> None:
    house = make_house()
    installation.prepare(house.app)
    with house.app.app_context():
        assert database.upgrade_schema(house.app) is False


def test_data_of_a_newer_version_is_refused_with_a_sentence(make_house: MakeHouse) -> None:
    house = make_house()
    with house.app.app_context(), database.writing() as connection:
        connection.execute(db.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SystemExit, match="newer version"):
        make_house()


def test_an_upgrade_makes_a_backup_first(make_house: MakeHouse) -> None:
    house = make_house()
    made = []
    with house.app.app_context():
        with database.writing() as connection:
            connection.execute(db.text("DELETE FROM alembic_version"))
        with pytest.raises(Exception, match="already exists"):
            database.upgrade_schema(house.app, before=lambda: made.append(1))
        assert made == []  # no revision at all is a new database, not an old one
        folder = house.app.config["HTTPSTEP"].data / "copy.db"
        installation.copy_database(folder)
        assert folder.read_bytes().startswith(b"SQLite format 3")
        assert folder.stat().st_mode & 0o077 == 0
