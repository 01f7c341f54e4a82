"""What is refused before anything is served, and what a probe from outside learns."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from httpstep import config
from httpstep.extensions import db
from tests import prepared
from tests.house import House, document
from tests.server import ROOT, Server, free_port

OLDEST = {
    "requests": "2.33", "urllib3": "2.7", "flask": "3.1.1", "werkzeug": "3.0.6", "gunicorn": "23",
    "jinja2": "3.1.6", "sqlalchemy": "2.0", "cryptography": "44",
}  # fmt: skip
"""The first versions without the faults that matter here."""


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


@pytest.mark.parametrize("name", OLDEST)
def test_no_dependency_is_older_than_its_floor(name: str) -> None:
    assert numbers(importlib.metadata.version(name)) >= numbers(OLDEST[name])


def test_the_list_of_dependencies_allows_none_below_the_floors() -> None:
    """Whatever an installation resolves, the file it resolves from names exact or high enough versions."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").lower().splitlines()
    for line in lines:
        name = line.split("[")[0].split("=")[0].split("~")[0].split(">")[0].strip()
        if name in OLDEST:
            version = line.split("==")[-1].split("~=")[-1].split(">=")[-1].split(",")[0].split("#")[0].strip()
            assert numbers(version) >= numbers(OLDEST[name]), line


def environment(tmp_path: Path, variables: dict[str, str]) -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("HTTPSTEP_", "FLASK_"))}
    return environ | {"HTTPSTEP_DATA": str(tmp_path / "data")} | variables


def started(tmp_path: Path, *command: str, **variables: str) -> tuple[int, str]:
    """(exit status, what it said) of a start from nothing that is refused."""
    environ = environment(tmp_path, variables)
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=90, check=False
    )
    return done.returncode, done.stdout + done.stderr


def refused(tmp_path: Path, *command: str, **variables: str) -> tuple[int, str]:
    """The same of a start for which everything is imported: to import takes a second, and tells nothing new here."""
    done = prepared.run([*command], environment(tmp_path, variables), 90)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        (("app.py",), {"FLASK_DEBUG": "1"}),
        (("-m", "flask", "--app", "app", "--debug", "run", "--port", "1"), {}),
        (("-m", "flask", "--app", "app", "run", "--debug", "--port", "1"), {}),
    ],
)
def test_debug_mode_is_refused(tmp_path: Path, command: tuple[str, ...], variables: dict[str, str]) -> None:
    status, said = started(tmp_path, *command, **variables)
    assert status == 1
    assert said.strip() == "httpstep cannot start. Debug mode is on: unset FLASK_DEBUG and leave --debug out."


@pytest.mark.parametrize("key", ["short", "change-me-please", "a" * 15])
def test_a_short_or_well_known_key_is_refused(tmp_path: Path, key: str) -> None:
    status, said = refused(tmp_path, "app.py", HTTPSTEP_SECRET_KEY=key)
    assert (status, key in said) == (1, False)
    assert said.startswith("httpstep cannot start. HTTPSTEP_SECRET_KEY: ")


def test_a_database_that_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/no/such/folder/x.db", "postgresql+psycopg://u:hunter2@127.0.0.1:1/x"):
        status, said = refused(tmp_path, "app.py", HTTPSTEP_DATABASE_URL=url)
        assert status == 1
        assert said.splitlines()[-1].startswith("httpstep cannot start. ")
        assert "Traceback" not in said and "hunter2" not in said


def test_every_line_of_a_json_log_is_json_and_of_a_text_log_begins_with_its_time_in_utc(tmp_path: Path) -> None:
    """Those of the server below too, at its start, of a malformed request and at its end."""
    for form in ("json", "text"):
        with Server(tmp_path / form, LOG_FORMAT=form) as server:
            with socket.create_connection(("127.0.0.1", server.port), 20) as wire:
                wire.sendall(b"GET / HTTP/1.1\r\n\r\n")  # without a Host
                assert b" 400 " in wire.recv(65536)
            assert server.stop() == 0
        lines = server.log.read_text().splitlines()
        assert any("InvalidHeader" in line for line in lines) and any("gunicorn" in line for line in lines)
        times = [json.loads(line)["time"] if form == "json" else line.split()[0] for line in lines]
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", one) for one in times), lines


def test_the_log_has_the_reference_that_a_page_names_and_no_traceback_of_an_outage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(tmp_path / "data")
    with house.app.app_context():
        db.engine.dispose()
    (tmp_path / "data" / "httpstep.db").rename(tmp_path / "away.db")
    page = house.client.get("/login", headers={"X-Request-Id": "r-4711"})
    assert page.status_code == 503 and "r-4711" in page.text
    [record] = [one for one in caplog.records if "r-4711" in one.getMessage()]
    assert record.exc_info is None and "the database's file is gone" in record.getMessage()


def test_the_demo_writes_into_no_data_but_its_own(tmp_path: Path) -> None:
    house = House(tmp_path / "data")
    house.put(document())
    with house.app.app_context():
        db.engine.dispose()
    status, said = started(tmp_path, "app.py", "--demo", HTTPSTEP_LISTEN=f"127.0.0.1:{free_port()}")
    assert status == 1 and "Set HTTPSTEP_DATA to a new folder." in said and "Traceback" not in said
    assert [one["key"] for one in house.call("GET", "/steps").json["steps"]] == ["order-status"]
    with house.app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("command", [("app.py",), ("flask", "--app", "app", "config", "show")])
def test_a_path_that_cannot_be_used_is_a_sentence(tmp_path: Path, command: tuple[str, ...]) -> None:
    file = tmp_path / "file"
    file.write_text("no certificate")
    for name, path in (("CA_FILE", file), ("CA_FILE", tmp_path), ("DATA", file), ("DATA", file / "data")):
        status, said = refused(tmp_path, *command, **{f"HTTPSTEP_{name}": str(path)})
        assert (status, said.count("\n")) == (1, 1), said
        assert said.startswith(f"httpstep cannot start. HTTPSTEP_{name}: ") and "Accepted: the path of a" in said


def test_a_data_folder_in_which_nothing_can_be_made_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, _mode: path != tmp_path)  # whoever runs as root may write anywhere
    with pytest.raises(config.ConfigError, match=f"^HTTPSTEP_DATA: {tmp_path} cannot be written"):
        config.load({"HTTPSTEP_DATA": str(tmp_path / "new" / "data")})


def test_health_says_nothing_of_the_inside_and_is_never_too_often(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        answers = [requests.get(f"{server.url}/health", timeout=30) for _ in range(60)]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.text.strip() for answer in answers} == {'{"status":"ok"}'}
    assert {answer.headers["Server"] for answer in answers} == {"gunicorn"}
    assert not any(name.startswith(("RateLimit", "X-Powered")) for name in answers[0].headers)


def test_health_is_a_503_where_the_tables_are_gone(tmp_path: Path) -> None:
    house = House(tmp_path / "data")
    assert house.client.get("/health").status_code == 200
    with house.app.app_context():
        db.session.execute(db.text("ALTER TABLE accounts RENAME TO gone"))
        db.session.commit()
        got = house.client.get("/health")
        db.engine.dispose()
    assert (got.status_code, got.json) == (503, {"status": "unavailable"})
