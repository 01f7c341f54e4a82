"""Backup and restore: what an operator does on the command line when something matters."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from httpstep.extensions import db
from httpstep.storage import catalogue
from httpstep.upkeep import backups, installation
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.server import Server

SQLITE_ONLY = "tests/test_nightly_postgresql.py has the backups of PostgreSQL"
VALUE = "sesame-open-7431"
STEP = document(headers=[{"name": "X-Token", "value": "{{secret.CRM}}"}])


def run(house: House, *arguments: str, text: str = "") -> Any:
    return house.app.test_cli_runner().invoke(args=list(arguments), input=text)


def furnish(house: House) -> None:
    account = house.account()
    with house.app.app_context():
        token = house.app.extensions["httpstep"].vault.encrypt(VALUE.encode())
        catalogue.put_secret(account, "CRM", token, hosts=("https://api.example",), now=0, new=True)
    house.put(STEP)


def sent_token(house: House, third: ThirdParty) -> str:
    assert house.execute().json["outcome"] == "success"
    return third.requests[-1].headers[0][1]


def test_a_backup_restores_everything_in_an_empty_folder(make_house: Callable[..., House], tmp_path: Path) -> None:
    house = make_house(ThirdParty())
    furnish(house)
    token = house.token()
    file = tmp_path / "backup.tar.gz"
    made = run(house, "backup", str(file))
    assert made.output.strip() == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    third = ThirdParty(answer(200, {"a": 1}))
    target = House(tmp_path / "other")
    restored = run(target, "restore", str(file))
    assert restored.exit_code == 0
    assert restored.output.startswith("Restored. There was no data until now; the keys that were here are in ")
    again = House(tmp_path / "other", third)
    again.tokens["default/manage"] = token
    assert sent_token(again, third) == VALUE
    for one in (target, again):
        with one.app.app_context():
            db.engine.dispose()


def test_a_backup_taken_while_others_write_is_whole(make_house: Callable[..., House], tmp_path: Path) -> None:
    house = make_house(ThirdParty())
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            house.put(document(f"step-{number % 20}"))
            number += 1

    house.token()
    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [run(house, "backup", str(tmp_path / f"{number}.tar.gz")).exit_code for number in range(3)]
    finally:
        done.set()
        writer.join()
    assert made == [0, 0, 0]
    for number in range(3):
        folder = tmp_path / f"unpacked-{number}"
        folder.mkdir()
        backups._unpack(tmp_path / f"{number}.tar.gz", folder)
        backups._check(folder / "httpstep.db")


def test_a_restore_keeps_what_was_there(make_house: Callable[..., House], tmp_path: Path) -> None:
    house = make_house(ThirdParty())
    furnish(house)
    run(house, "backup", str(tmp_path / "first.tar.gz"))
    house.put(document("made-later"))
    restored = run(house, "restore", str(tmp_path / "first.tar.gz"))
    assert restored.exit_code == 0
    assert [step["key"] for step in house.call("GET", "/steps").json["steps"]] == ["order-status"]
    assert restored.output.startswith("Restored. The data until now is in ")
    aside = Path(restored.output.strip().rpartition(" ")[2])
    assert run(house, "restore", str(aside)).exit_code == 0
    assert len(house.call("GET", "/steps").json["steps"]) == 2


def test_a_restore_without_room_for_an_upgrade_changes_nothing(
    make_house: Callable[..., House], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(ThirdParty())
    furnish(house)
    run(house, "backup", str(tmp_path / "b.tar.gz"))
    house.put(document("made-later"))

    def kept() -> list[Path]:
        return sorted(path for path in (tmp_path / "data").rglob("*") if path.suffix not in (".lock", ".key"))

    before = kept()
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 1000, 1000))
    refused = run(house, "restore", str(tmp_path / "b.tar.gz"))
    assert refused.exit_code == 1 and "Nothing was restored. An upgrade of the database needs" in refused.output
    assert kept() == before
    assert len(house.call("GET", "/steps").json["steps"]) == 2


def test_a_restore_is_refused_while_a_server_runs(make_house: Callable[..., House], tmp_path: Path) -> None:
    house = make_house()
    run(house, "backup", str(tmp_path / "b.tar.gz"))
    with installation.mark_served(tmp_path / "data"):
        for command in (("restore", str(tmp_path / "b.tar.gz")), ("secret", "rotate")):
            refused = run(house, *command)
            assert refused.exit_code == 1 and "Stop it first." in refused.output
    assert run(house, "restore", str(tmp_path / "b.tar.gz")).exit_code == 0


def test_secrets_that_no_key_reads_are_told_at_restore_and_at_start(
    make_house: Callable[..., House], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    house = make_house()
    furnish(house)
    run(house, "backup", str(tmp_path / "b.tar.gz"), "--without-keys")
    assert caplog.messages == [], "nothing to say where the key fits"
    target = House(tmp_path / "other")
    assert run(target, "restore", str(tmp_path / "b.tar.gz")).exit_code == 0
    assert [text.partition(" cannot")[0] for text in caplog.messages] == ["1 of the 1 stored secrets tried"]
    caplog.clear()
    with target.app.app_context():
        db.engine.dispose()
    with Server(tmp_path / "other") as server:
        pass
    assert server.log.read_text().count("1 of the 1 stored secrets tried cannot be decrypted") == 1


def packed(path: Path, **members: bytes) -> Path:
    with tarfile.open(path, "w:gz") as pack:
        for name, content in members.items():
            file = path.parent / "member"
            file.write_bytes(content)
            pack.add(file, arcname=name.replace("__", ".").replace("_up_", "../"))
    return path


def test_what_is_no_backup_changes_nothing(make_house: Callable[..., House], tmp_path: Path) -> None:
    house = make_house(ThirdParty())
    furnish(house)
    manifest = json.dumps({"format": "httpstep-backup/1", "keys": []}).encode()
    text = tmp_path / "text.tar.gz"
    text.write_text("no archive")
    files = [
        text,
        packed(tmp_path / "a.tar.gz", httpstep__db=b"x"),
        packed(tmp_path / "b.tar.gz", manifest__json=manifest, httpstep__db=b"this is no database" * 100),
        packed(tmp_path / "c.tar.gz", manifest__json=manifest, httpstep__db=b"", _up_evil=b"x"),
        packed(
            tmp_path / "d.tar.gz", manifest__json=b'{"format": "httpstep-backup/1", "keys": ["../x"]}', httpstep__db=b""
        ),
    ]
    before = (tmp_path / "data" / "vault.key").read_text()
    for file in files:
        refused = run(house, "restore", str(file))
        assert refused.exit_code == 1, file
        assert refused.output.startswith("Error: ") and "Traceback" not in refused.output
    assert (tmp_path / "data" / "vault.key").read_text() == before
    assert not (tmp_path / "evil").exists()
    assert house.call("GET", "/steps/order-status").status_code == 200


def test_a_backup_never_overwrites_and_can_leave_the_keys_out(make_house: Callable[..., House], tmp_path: Path) -> None:
    house = make_house()
    file = tmp_path / "b.tar.gz"
    made = run(house, "backup", str(file), "--without-keys")
    assert made.exit_code == 0 and "a restore needs the same key" in made.output
    with tarfile.open(file) as pack:
        assert sorted(pack.getnames()) == ["httpstep.db", "manifest.json"]
    refused = run(house, "backup", str(file))
    assert refused.exit_code == 1 and "exists already" in refused.output
    missing = run(house, "backup", str(tmp_path / "no" / "such" / "folder.tar.gz"))
    assert missing.exit_code == 1 and "could not be written" in missing.output


def test_a_copy_of_the_database_is_whole_and_its_owners_alone(make_house: Callable[..., House]) -> None:
    house = make_house()
    with house.app.app_context():
        copy = house.app.config["HTTPSTEP"].data / "copy.db"
        installation.copy_database(copy)
    assert copy.read_bytes().startswith(b"SQLite format 3")
    assert copy.stat().st_mode & 0o077 == 0


def test_a_backup_that_finds_no_room_says_so(
    make_house: Callable[..., House], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(ThirdParty())

    def full(_target: Path) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(installation, "copy_database", full)
    refused = run(house, "backup", str(tmp_path / "b.tar.gz"))
    assert (
        refused.exit_code == 1 and "Error: The backup could not be written: database or disk is full." in refused.output
    )
    assert not (tmp_path / "b.tar.gz").exists()


def test_a_command_that_cannot_reach_the_database_says_so(
    make_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(ThirdParty())

    def away(_app: object) -> None:
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    monkeypatch.setattr(installation, "prepare", away)
    refused = run(house, "key", "list")
    assert (refused.exit_code, refused.output) == (
        1, "Error: The database cannot be opened or written: connection refused\n"
    )  # fmt: skip
