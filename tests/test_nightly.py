"""The nightly backup: one of all processes makes it, old ones go only after a new one is complete, and a failure is told."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import tarfile
import threading
import time
from calendar import timegm
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from httpstep import config
from httpstep.upkeep import backups, nightly
from tests.fakes import ThirdParty
from tests.house import House, document
from tests.mailbox import Inbox
from tests.server import Server
from tests.web.conftest import Web

SQLITE_ONLY = "tests/test_nightly_postgresql.py has those of PostgreSQL"
MakeHouse = Callable[..., House]
DAY = 24 * 3600.0
NIGHT = float(timegm((2031, 5, 10, 2, 0, 0)))


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def settings_of(house: House) -> config.Config:
    return house.app.config["HTTPSTEP"]  # type: ignore[no-any-return]


def born(house: House, at: float) -> None:
    os.utime(settings_of(house).data / "instance", (at, at))


@pytest.fixture
def house(make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch) -> House:
    house = make_house(ThirdParty(), BACKUP_KEEP="2")
    house.put(document())
    born(house, NIGHT - 3600)
    monkeypatch.setattr(nightly.time, "time", lambda: NIGHT + 9 * DAY)  # type: ignore[attr-defined]
    return house


def names(house: House) -> list[str]:
    return sorted(file.name for file in settings_of(house).backup_folder.glob("*"))


def test_it_is_due_once_a_night_and_a_night_that_was_slept_through_is_made_up_for(house: House) -> None:
    settings = settings_of(house)
    assert not nightly.is_due(settings, NIGHT - 1)
    assert nightly.is_due(settings, NIGHT) and nightly.is_due(settings, NIGHT + 5 * DAY + 7777)
    assert nightly.make_if_due(house.app, NIGHT + 7777) is not None
    assert not nightly.is_due(settings, NIGHT + 7778) and not nightly.is_due(settings, NIGHT + DAY - 1)
    assert nightly.is_due(settings, NIGHT + DAY)


def test_it_restores(house: House, tmp_path: Path) -> None:
    made = nightly.make_if_due(house.app, NIGHT)
    assert made is not None and made.file.name == "nightly-20310510-020000.tar.gz"
    other = House(tmp_path / "other")
    assert other.app.test_cli_runner().invoke(args=["restore", str(made.file)]).exit_code == 0
    assert other.app.test_cli_runner().invoke(args=["step", "export", "order-status"]).exit_code == 0


def test_so_many_are_kept_and_nothing_else_is_touched(house: House) -> None:
    (settings_of(house).backup_folder).mkdir(exist_ok=True)
    (settings_of(house).backup_folder / "before-upgrade-20310101-000000.db").write_text("x")
    for night in range(4):
        assert nightly.make_if_due(house.app, NIGHT + night * DAY) is not None
    assert names(house) == [
        "before-upgrade-20310101-000000.db", "nightly-20310512-020000.tar.gz", "nightly-20310513-020000.tar.gz",
    ]  # fmt: skip


def test_one_from_the_future_does_not_stop_the_next_and_goes_first(house: House) -> None:
    """A clock that was ahead and is put right."""
    folder = settings_of(house).backup_folder
    folder.mkdir(exist_ok=True)
    (folder / "nightly-20990101-020000.tar.gz").write_text("x")
    for night in range(2):
        assert nightly.make_if_due(house.app, NIGHT + night * DAY) is not None
    assert names(house) == ["nightly-20310510-020000.tar.gz", "nightly-20310511-020000.tar.gz"]


def without_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - 1000, 1000))


def test_without_room_nothing_is_written_and_no_older_one_is_removed(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for night in range(2):
        nightly.make_if_due(house.app, NIGHT + night * DAY)
    before = names(house)
    with monkeypatch.context() as full:
        without_room(full)
        assert nightly.make_if_due(house.app, NIGHT + 2 * DAY) is None
        assert "nightly backup failed" in caplog.text and "MB free in" in caplog.text
        assert names(house) == before
        assert not list(settings_of(house).data.glob(f"{backups.DRAFT}*"))
        assert not nightly.is_due(settings_of(house), NIGHT + 2 * DAY + 3599), "tried again in an hour and no sooner"
    assert nightly.make_if_due(house.app, NIGHT + 2 * DAY + 3600) is not None
    assert nightly.failure(settings_of(house)) is None
    assert names(house) == [before[1], "nightly-20310512-030000.tar.gz"]


def test_a_damaged_database_does_not_push_out_the_good_ones(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    nightly.make_if_due(house.app, NIGHT)

    def damaged(target: Path) -> None:
        with sqlite3.connect(target) as copy:
            copy.execute("CREATE TABLE a (b)")
            copy.executemany("INSERT INTO a VALUES (?)", [("x" * 1000,)] * 100)
        copy.close()
        content = bytearray(target.read_bytes())
        content[8192:16384] = b"\xff" * 8192
        target.write_bytes(content)

    monkeypatch.setattr(backups.installation, "copy_database", damaged)  # type: ignore[attr-defined]
    assert nightly.make_if_due(house.app, NIGHT + DAY) is None
    failed = nightly.failure(settings_of(house))
    assert failed is not None and "The database is damaged" in failed.why
    assert names(house) == ["nightly-20310510-020000.tar.gz"]


def test_what_a_killed_process_left_goes_with_the_next(house: House) -> None:
    settings = settings_of(house)
    settings.backup_folder.mkdir(exist_ok=True)
    (settings.backup_folder / ".nightly-20310509-020000.tar.gz.77").write_text("half")
    old, young = settings.data / f"{backups.DRAFT}old", settings.data / f"{backups.DRAFT}young"
    for folder, at in ((old, NIGHT - 2 * DAY), (young, NIGHT - 60)):
        folder.mkdir()
        os.utime(folder, (at, at))
    nightly.make_if_due(house.app, NIGHT)
    assert names(house) == ["nightly-20310510-020000.tar.gz"]
    assert (old.exists(), young.exists()) == (False, True), "a command may be making that one"


def test_a_failure_is_mailed_to_operators_once_and_told_on_page_and_health(
    make_house: MakeHouse, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = Web(make_house(ThirdParty(), SMTP_URL=f"smtp://127.0.0.1:{inbox.port}", MAIL_FROM="httpstep@example.com"))
    born(web.house, NIGHT - 3600)
    alice = web.as_("alice")
    assert alice.get("/health").json["backup"] == {"on": True, "kept": 0, "last": None, "failed": None}
    with monkeypatch.context() as full:
        without_room(full)
        for hours in range(3):
            assert nightly.make_if_due(web.house.app, NIGHT + hours * 3601) is None
    assert inbox.to == ["alice@example.com"], "Bob and Charlie are no operators"
    assert "MB free in" in alice.get("/health").json["backup"]["failed"]
    assert "The nightly backup failed" in alice.get("/settings/backup").text
    for name in ("bob", "charlie"):
        assert "backup" not in web.as_(name).get("/health").json
    assert "The nightly backup failed" not in web.as_("charlie").get("/settings/backup").text
    assert nightly.make_if_due(web.house.app, NIGHT + 5 * 3600) is not None
    told = alice.get("/health").json["backup"]
    assert (told["kept"], told["last"]["at"], told["failed"]) == (1, "2031-05-10T07:00:00Z", None)
    assert "nightly-20310510-070000.tar.gz" in alice.get("/settings/backup").text
    assert "nightly-2031" not in web.as_("charlie").get("/settings/backup").text


def test_where_and_with_what_is_the_operators_choice(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house(
        ThirdParty(), BACKUP_FOLDER=str(tmp_path / "away" / "nights"), BACKUP_KEYS="no", BACKUP_AT="04:30"
    )
    born(house, NIGHT)
    assert nightly.make_if_due(house.app, NIGHT + 8999) is None
    made = nightly.make_if_due(house.app, NIGHT + 9000)
    assert made is not None and made.file.parent == tmp_path / "away" / "nights"
    with tarfile.open(made.file) as pack:
        assert pack.getnames() == ["manifest.json", "httpstep.db"]
    assert (made.file.stat().st_mode & 0o777, made.file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_off_is_off(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(), BACKUP_AT="off")
    born(house, NIGHT - 9 * DAY)
    assert nightly.make_if_due(house.app, NIGHT) is None


def test_of_eight_at_once_one_makes_it(house: House) -> None:
    """Each opens the lock by itself, which is what the lock knows them by, in one process or in several."""
    together, made = threading.Barrier(8), list[nightly.Kept | None]()

    def one() -> None:
        together.wait()
        made.append(nightly.make_if_due(house.app, NIGHT))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8 and len([kept for kept in made if kept]) == 1
    assert names(house) == ["nightly-20310510-020000.tar.gz"]


def test_the_server_makes_it_while_it_serves(tmp_path: Path) -> None:
    server, instance = Server(tmp_path / "data", WORKERS="2"), tmp_path / "data" / "instance"
    instance.parent.mkdir()
    instance.write_text("of three days ago")
    os.utime(instance, (time.time() - 3 * DAY,) * 2)
    with server:
        ends = time.monotonic() + 60
        while "nightly backup:" not in server.log.read_text() and time.monotonic() < ends:
            time.sleep(0.2)
        assert server.stop() == 0
    assert len(list((tmp_path / "data" / "backups").iterdir())) == 1, server.log.read_text()
    assert server.log.read_text().count("nightly backup:") == 1
    assert logging.getLevelName(logging.INFO) in server.log.read_text()
