"""Whatever keeps httpstep from starting is one sentence that says what to do, at once; a danger is a line in the log."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from httpstep import config
from httpstep.extensions import db
from httpstep.upkeep import backups
from tests import prepared
from tests.house import House, document
from tests.server import Server


def started(tmp_path: Path, *command: str, **variables: str) -> tuple[int, str]:
    """(exit status, what it said) of a start that is refused. What a Python that begins from nothing says is held by
    test_start.py."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("HTTPSTEP_", "FLASK_"))}
    done = prepared.run([*command], environ | {"HTTPSTEP_DATA": str(tmp_path / "data")} | variables, 90)
    return done.returncode, done.stdout + done.stderr


def refused(tmp_path: Path, *words: str, **variables: str) -> None:
    began = time.monotonic()
    status, said = started(tmp_path, "app.py", **{f"HTTPSTEP_{name}": value for name, value in variables.items()})
    assert status == 1 and time.monotonic() - began < 60
    assert "Traceback" not in said and "hunter2" not in said, said
    last = said.strip().splitlines()[-1]
    assert last.startswith("httpstep cannot start. ") and all(word in last for word in words), said


# ---------------------------------------------------------------- the port


def test_a_port_that_is_taken_is_said_and_not_tried_for_long(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        refused(tmp_path, f"HTTPSTEP_LISTEN: {listen} cannot be listened on: another program", LISTEN=listen)
    assert not (tmp_path / "data" / "httpstep.db").exists(), "nothing was made for a server that cannot serve"


@pytest.mark.parametrize(
    ("listen", "words"),
    [("192.0.2.1:8080", "this machine has no such address"), ("no-such-host.invalid:8080", "cannot be listened on: ")],
)
def test_an_address_that_is_not_here_is_said(tmp_path: Path, listen: str, words: str) -> None:
    refused(tmp_path, f"HTTPSTEP_LISTEN: {listen} ", words, LISTEN=listen)


def test_a_star_is_every_address(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    server.environ["HTTPSTEP_LISTEN"] = f"*:{server.port}"
    with server:
        with socket.create_connection((socket.gethostbyname(socket.gethostname()), server.port), 5):
            pass
        assert "serving plain HTTP beyond this machine" in server.log.read_text()


def test_who_listens_everywhere_is_told_an_address_that_a_browser_opens(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", ready=False)
    server.environ["HTTPSTEP_LISTEN"] = f"0.0.0.0:{server.port}"
    with server:
        assert f"no user yet: open http://127.0.0.1:{server.port}/setup and enter" in server.log.read_text()


# ---------------------------------------------------------------- the data


def closed(house: House) -> Path:
    with house.app.app_context():
        db.engine.dispose()
    return Path(house.app.config["HTTPSTEP"].data)


@pytest.mark.parametrize("damage", [b"no database " * 1000, None])
def test_a_damaged_database_is_said_and_the_way_back_works(tmp_path: Path, damage: bytes | None) -> None:
    house = House(tmp_path / "data")
    house.put(document())
    with house.app.app_context():
        backups.make(house.app, tmp_path / "kept.tar.gz")
    data = closed(house)
    for name in ("httpstep.db-wal", "httpstep.db-shm"):
        (data / name).unlink(missing_ok=True)
    whole = (data / "httpstep.db").read_bytes()
    (data / "httpstep.db").write_bytes(damage or whole[:100] + os.urandom(3996) + whole[4096:])
    refused(tmp_path, "The database is damaged (", "Move its file away", "`restore FILE`")
    for command in (["key", "list"], ["restore", str(tmp_path / "kept.tar.gz")]):
        status, said = started(tmp_path, "flask", "--app", "app", *command)
        assert status == 1 and "The database is damaged (" in said and "Traceback" not in said
    (data / "httpstep.db").rename(tmp_path / "damaged.db")
    status, said = started(tmp_path, "flask", "--app", "app", "restore", str(tmp_path / "kept.tar.gz"))
    assert status == 0, said
    assert "order-status" in started(tmp_path, "flask", "--app", "app", "step", "export")[1]


def no_key(file: Path) -> None:
    file.write_text("this is no key\n")


def no_text(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("name", ["vault.key", "session.key", "instance"])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda file: file.write_text(" \n"), "is empty. Put back the one of a backup."),
        (no_text, "cannot be read or made: it is no text."),
        (a_folder, "cannot be read or made: Is a directory."),
    ],
)
def test_a_key_file_that_cannot_be_read_is_said(
    tmp_path: Path, name: str, spoil: Callable[[Path], object], words: str
) -> None:
    data = closed(House(tmp_path / "data"))
    spoil(data / name)
    refused(tmp_path, f"The key file {data / name} {words}")


def test_a_key_file_without_a_key_is_said_and_left_as_it_is(tmp_path: Path) -> None:
    data = closed(House(tmp_path / "data"))
    no_key(data / "vault.key")
    refused(tmp_path, "vault.key holds no key of httpstep. Put back the one of a backup.")
    assert (data / "vault.key").read_text() == "this is no key\n"


def test_a_key_of_forms_that_anybody_could_guess_is_said(tmp_path: Path) -> None:
    data = closed(House(tmp_path / "data"))
    (data / "session.key").write_text("a\n")
    refused(tmp_path, f"The key file {data / 'session.key'} is too short for a key. Put back the one of a backup")


@pytest.mark.parametrize("name", ["what?mode=memory", "a#b", "50%20", "a b", "ä", "file:x", "-n", "postgres"])
def test_a_folder_of_any_name_holds_the_data(tmp_path: Path, name: str) -> None:
    house = House(tmp_path / name, migrate=True)
    house.put(document())
    with closing(sqlite3.connect(closed(house) / "httpstep.db")) as connection:
        assert connection.execute("SELECT count(*) FROM steps").fetchone() == (1,)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    refused(tmp_path, "HTTPSTEP_DATA: “~” is a shell's word", DATA="~/data")
    refused(tmp_path, "HTTPSTEP_DATA: the path is too long.", DATA=str(tmp_path / ("x" * 256)))
    refused(tmp_path, "HTTPSTEP_DATA: the path has characters that cannot be shown.", DATA=str(tmp_path / "a\nb"))
    (tmp_path / "data" / "httpstep.db").mkdir(parents=True)
    refused(tmp_path, "The database cannot be opened or written: ")
    shutil.rmtree(tmp_path / "data")
    (tmp_path / "data" / "prepare.lock").mkdir(parents=True)
    refused(tmp_path, "prepare.lock: Is a directory")


# ---------------------------------------------------------------- values


RANDOM = base64.urlsafe_b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LISTEN", "8080"), ("LISTEN", "::1:8080"), ("LISTEN", "[::1:8080"), ("LISTEN", "127.0.0.1:٣"), ("LISTEN", "a b:1"),
        ("BASE_URL", "https://user:hunter2@steps.example.com"), ("BASE_URL", "https://steps.example.com/a b"),
        ("BASE_URL", "https://steps. example.com"), ("BASE_URL", "https://steps.example.com:x"),
        ("BASE_URL", "https://steps.example.com/../x"), ("BASE_URL", "https://steps.example.com//x"),
        ("BASE_URL", "https://steps.example.com/?a=1"), ("BASE_URL", "https://[::1"),
        ("ADMIN_EMAIL", "a@@b"), ("ADMIN_EMAIL", "a b@c.example"), ("ADMIN_EMAIL", "@b"), ("ADMIN_EMAIL", "a@b..c"),
        ("ADMIN_EMAIL", "a@"), ("MAIL_FROM", "a@@b"), ("MAIL_FROM", "httpstep <a@@b>"),
        ("SECRET_KEY", "a" * 16), ("SECRET_KEY", "ab" * 20), ("SECRET_KEY", "0123" * 9), ("VAULT_KEYS", RANDOM),
        ("DATABASE_URL", "postgresql+psycopg://u:hunter2@db:54x2/x"), ("DATABASE_URL", "postgresql+psycopg://u@db:99999/x"),
        ("DATABASE_URL", "postgresql+psycopg://u:hunter2@/x"), ("DATABASE_URL", "postgresql+psycopg://u:hunter2@db"),
        ("RATELIMIT_URL", "redis://:hunter2@db:63x9/0"), ("RATELIMIT_URL", "redis://"), ("RATELIMIT_URL", "redis://db:99999"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_right_is_refused(name: str, value: str) -> None:
    with pytest.raises(config.ConfigError, match=f"^HTTPSTEP_{name}: .*Accepted: ") as raised:
        config.load({f"HTTPSTEP_{name}": value, "HTTPSTEP_ADMIN_PASSWORD": "correct horse"})
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LISTEN", "[::1]:8080"), ("LISTEN", "localhost:80"), ("LISTEN", "0.0.0.0:8080"), ("BASE_URL", "http://[::1]:8080/a"),
        ("MAIL_FROM", "httpstep <a@localhost>"), ("MAIL_FROM", "a@bücher.example"), ("SECRET_KEY", "3f9c01a27be4d856"),
        ("DATABASE_URL", "postgresql+psycopg://u:p%40x@/x?host=/run/postgresql"), ("DATABASE_URL", "sqlite:///x.db"),
        ("RATELIMIT_URL", "rediss://:p@db:6380/2"),
    ],
)  # fmt: skip
def test_a_value_that_may_be_right_is_taken(name: str, value: str) -> None:
    assert f"HTTPSTEP_{name}" in config.load({f"HTTPSTEP_{name}": value}).given


def test_what_is_dangerous_is_a_line_in_the_log(tmp_path: Path) -> None:
    with Server(tmp_path / "data", ALLOW_NETWORKS="127.0.0.1, 0.0.0.0/0, ::/0") as server:
        lines = [line for line in server.log.read_text().splitlines() if "WARNING" in line and "ALLOW_NETWORKS" in line]
    assert [line.partition("ALLOW_NETWORKS has ")[2].split(":  ")[0].split(": ")[0] for line in lines] == [
        "0.0.0.0/0",
        "::/0",
    ]
    risky = {
        "HTTPSTEP_SMTP_URL": "smtp://u:hunter2@mail.example?tls=none", "HTTPSTEP_MAIL_FROM": "a@b.example",
        "HTTPSTEP_BASE_URL": "http://steps.example.com",
    }  # fmt: skip
    said = config.dangers(config.load(risky))
    assert [one.split()[0] for one in said] == ["HTTPSTEP_SMTP_URL", "HTTPSTEP_BASE_URL"] and "hunter2" not in str(said)
    assert config.dangers(config.load({"HTTPSTEP_ALLOW_NETWORKS": "10.0.0.0/8, fc00::/7, crm.internal"})) == []
