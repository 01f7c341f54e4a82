"""An upgrade that might fill the disk is refused with figures, before anything is written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from flask_migrate import upgrade
from sqlalchemy import text

from app import create_app
from httpstep import config
from httpstep.config import StartError
from httpstep.extensions import db
from httpstep.storage.database import reading
from httpstep.storage.schema import _may_create
from httpstep.upkeep import installation

MIGRATIONS = str(Path(__file__).resolve().parents[1] / "migrations")


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize("free, refused", [(35_999_999, True), (36_000_000, False)])
def test_an_upgrade_needs_twice_the_database_and_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, refused: bool
) -> None:
    file = tmp_path / "httpstep.db"
    file.write_bytes(bytes(10_000_000))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - free, free))
    if not refused:
        installation.check_room(file, tmp_path)
        return
    with pytest.raises(StartError, match=r"needs 36 MB free .* there are 36 MB. Make room"):
        installation.check_room(file, tmp_path)


def test_a_command_on_an_older_database_without_room_says_so_and_leaves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(config.load({"HTTPSTEP_DATA": str(tmp_path / "data")}))
    with app.app_context(), _may_create():
        upgrade(directory=MIGRATIONS, revision="0004")
        db.session.close()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - 1000, 1000))
    refused = app.test_cli_runner().invoke(args=["key", "list"])
    assert (refused.exit_code, type(refused.exception)) == (1, SystemExit)
    assert "An upgrade of the database needs" in refused.output
    with app.app_context():
        with reading() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "0004"
        db.engine.dispose()
