"""Backups of an installation on PostgreSQL, nightly and by command: pg_dump's copy and the keys, restored as documented."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from httpstep import config
from httpstep.extensions import db
from httpstep.upkeep import nightly, nights
from tests.conftest import ABSENT
from tests.fakes import ThirdParty, answer
from tests.house import House
from tests.server import Server
from tests.services import PostgreSQL
from tests.test_nightly import DAY, NIGHT, born, settings_of
from tests.test_operating_commands import blocks, first_line
from tests.test_storage_commands import VALUE, furnish, run, sent_token
from tests.web.conftest import Web

FAKE = """#!/bin/sh
{ echo "$@"; env; } > "$0.asked"
echo "pg_dump: error: server version: 99; version: 15.
Aborting" >&2
exit 1
"""
ADDRESS = {"HTTPSTEP_DATABASE_URL": "postgresql+psycopg://u:p@127.0.0.1/x"}
MakeHouse = Callable[..., House]


@pytest.fixture
def service(postgresql: PostgreSQL | None, pytestconfig: pytest.Config) -> PostgreSQL:
    if postgresql is None:
        pytest.skip("PostgreSQL is not here; the summary names it")
    if shutil.which("pg_dump") is None:
        pytestconfig.stash[ABSENT]["backups of PostgreSQL"] = "pg_dump is not installed"
        pytest.skip("pg_dump is not here; the summary names it")
    return postgresql


@pytest.fixture
def make(service: PostgreSQL, tmp_path: Path) -> Iterator[MakeHouse]:
    """make(send, url, folder): an application on that database, whose connections end with the test."""
    made: list[House] = []

    def one(third: ThirdParty, url: str = "", folder: str = "data", **variables: str) -> House:
        made.append(House(tmp_path / folder, third, DATABASE_URL=url or service.new_database(), **variables))
        return made[-1]

    yield one
    for house in made:
        with house.app.app_context():
            db.session.remove()
            db.engine.dispose()


def restored(service: PostgreSQL, file: Path, work: Path, keys_to: Path) -> str:
    """The address of a database to which docs/operating.md brings the backup."""
    (block,) = [block for block in blocks("sh") if first_line(block).startswith("tar -xzf nightly-")]
    name = f"restored_{time.monotonic_ns()}"
    script = block.replace("nightly-20310510-020000.tar.gz", str(file)).replace("httpstep_restored", name)
    environ = os.environ | {"PGHOST": "127.0.0.1", "PGPORT": str(service.port), "PGUSER": "test"}
    script = "set -e\n" + script.replace("/var/lib/httpstep/", f"{keys_to}/")
    done = subprocess.run(
        ["/bin/bash", "-c", script], cwd=work, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return f"postgresql+psycopg://test@127.0.0.1:{service.port}/{name}"


def test_it_restores_by_the_documented_commands(service: PostgreSQL, make: MakeHouse, tmp_path: Path) -> None:
    third = ThirdParty(answer(200, {"a": 1}))
    house = make(third)
    furnish(house)
    born(house, NIGHT - 3600)
    sent = sent_token(house, third)
    made = nightly.make_if_due(house.app, NIGHT)
    assert made is not None and made.file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(made.file) as pack:
        assert pack.getnames() == ["manifest.json", "httpstep.pgdump", "vault.key", "session.key"]
    work, other = tmp_path / "work", tmp_path / "other"
    work.mkdir()
    other.mkdir()
    house.put(
        {"format": "httpstep/1", "key": "later", "name": "Later", "request": {"method": "GET", "url": "https://b.c/"}}
    )
    new = make(third, restored(service, made.file, work, other), "other")
    assert VALUE in sent and sent_token(new, third) == sent, "the secret is read with the key of the backup"
    assert len(new.logs()) == 2
    assert run(new, "step", "export", "later").exit_code == 1, "it is of before that"


def test_so_many_are_kept_and_a_failure_is_told_and_removes_none(
    make: MakeHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly.time, "time", lambda: NIGHT + 9 * DAY)  # type: ignore[attr-defined]
    house = make(ThirdParty(), BACKUP_KEEP="2")
    web = Web(house)
    born(house, NIGHT - 3600)
    for night in range(3):
        assert nightly.make_if_due(house.app, NIGHT + night * DAY) is not None
    kept = [one.file.name for one in nightly.kept(settings_of(house))]
    assert kept == ["nightly-20310512-020000.tar.gz", "nightly-20310511-020000.tar.gz"]
    page = web.as_("alice").get("/settings/backup").text
    assert "Made by <code>pg_dump</code>" in page and kept[0] in page and "httpstep restore" not in page
    fake_pg_dump(tmp_path / "fake", monkeypatch)
    assert nightly.make_if_due(house.app, NIGHT + 3 * DAY) is None
    failed = nightly.failure(settings_of(house))
    assert failed is not None and failed.why == "pg_dump failed: error: server version: 99; version: 15. Aborting."
    assert [one.file.name for one in nightly.kept(settings_of(house))] == kept
    assert "server version: 99" in web.as_("alice").get("/settings/backup").text


def fake_pg_dump(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that fails. Returns where it writes down what it was asked."""
    folder.mkdir()
    (folder / "pg_dump").write_text(FAKE)
    (folder / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder / "pg_dump.asked"


def test_the_password_is_no_argument_and_no_variable_of_ours_goes_along(
    service: PostgreSQL, make: MakeHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPSTEP_SECRET_KEY", "what signs the sessions, 9471")
    url = service.new_database().replace("test@", "test:hunter2 %25@")
    house = make(ThirdParty(), url)
    asked = fake_pg_dump(tmp_path / "fake", monkeypatch)
    failed = run(house, "backup", str(tmp_path / "b.tar.gz"))
    assert failed.exit_code == 1 and "pg_dump failed" in failed.output and "hunter2" not in failed.output
    assert not (tmp_path / "b.tar.gz").exists()
    arguments, _, variables = asked.read_text().partition("\n")
    assert "hunter2" not in arguments and "***" not in arguments and "HTTPSTEP_" not in variables
    assert "PGPASSWORD=hunter2 %\n" in variables


@pytest.fixture
def with_password(service: PostgreSQL) -> Iterator[str]:
    """The address of a database whose user has to send a password."""
    name = f"guarded_{time.monotonic_ns()}"
    service.run(f"CREATE ROLE {name} SUPERUSER LOGIN PASSWORD 'hunter2 %@/:'")
    file = Path(str(service.asked("SHOW hba_file")))
    before = file.read_text()
    file.write_text(f"host all {name} 127.0.0.1/32 scram-sha-256\n{before}")
    service.run("SELECT pg_reload_conf()")
    yield service.new_database().replace("test@", f"{name}:{quote('hunter2 %@/:', safe='')}@")
    file.write_text(before)
    service.run("SELECT pg_reload_conf()")


def test_a_server_that_wants_a_password_gets_it(make: MakeHouse, with_password: str, tmp_path: Path) -> None:
    made = run(make(ThirdParty(), with_password), "backup", str(tmp_path / "b.tar.gz"))
    assert made.exit_code == 0, made.output
    with pytest.raises(OperationalError, match="password authentication failed"):
        create_engine(re.sub(r":[^:@]+@", ":wrong@", with_password)).connect()


def test_a_command_makes_one_and_a_restore_says_how(make: MakeHouse, tmp_path: Path) -> None:
    house, file = make(ThirdParty()), tmp_path / "b.tar.gz"
    assert run(house, "backup", str(file)).exit_code == 0
    refused = run(house, "restore", str(file))
    assert refused.exit_code == 1 and "pg_restore" in refused.output and "docs/operating.md" in refused.output


def test_the_server_makes_it_while_it_serves(service: PostgreSQL, tmp_path: Path) -> None:
    instance = tmp_path / "data" / "instance"
    instance.parent.mkdir()
    instance.write_text("of three days ago")
    os.utime(instance, (time.time() - 3 * DAY,) * 2)
    with Server(tmp_path / "data", WORKERS="2", DATABASE_URL=service.new_database()) as server:
        ends = time.monotonic() + 60
        while "nightly backup:" not in server.log.read_text() and time.monotonic() < ends:
            time.sleep(0.2)
        assert server.stop() == 0
    assert len(list((tmp_path / "data" / "backups").iterdir())) == 1, server.log.read_text()


def test_a_database_that_is_away_is_told_and_tried_again(service: PostgreSQL, make: MakeHouse) -> None:
    house = make(ThirdParty())
    born(house, NIGHT - 3600)
    with house.app.app_context():
        db.session.remove()
        db.engine.dispose()
    service.pause()
    try:
        assert nightly.make_if_due(house.app, NIGHT) is None
    finally:
        service.resume()
    failed = nightly.failure(settings_of(house))
    assert failed is not None and failed.why == "The database is away."
    assert nightly.make_if_due(house.app, NIGHT + 3601) is not None


def test_without_pg_dump_it_is_off_and_refused_with_a_sentence_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(config.shutil, "which", lambda _: None)  # type: ignore[attr-defined]
    assert config.load(ADDRESS).backup_at == "off"
    assert config.load({}).backup_at == "02:00", "SQLite needs nothing"
    with pytest.raises(config.ConfigError, match=r"^HTTPSTEP_BACKUP_AT needs pg_dump, .*postgresql-client"):
        config.load(ADDRESS | {"HTTPSTEP_BACKUP_AT": "02:00"})
    monkeypatch.setattr(config.shutil, "which", lambda _: "/usr/bin/pg_dump")  # type: ignore[attr-defined]
    assert config.load(ADDRESS).backup_at == "02:00"
    assert config.load(ADDRESS | {"HTTPSTEP_BACKUP_AT": "off"}).backup_at == "off"


# ---------------------------------------------------------------- several hosts


@pytest.fixture
def hosts(service: PostgreSQL, make: MakeHouse) -> tuple[House, House]:
    """Two on one database, each with a data folder of its own."""
    url, third = service.new_database(), ThirdParty()
    pair = make(third, url, "one", BACKUP_KEEP="3"), make(third, url, "two", BACKUP_KEEP="3")
    for house in pair:
        born(house, NIGHT - 3600)
    return pair


def numbers(*pair: House) -> list[int]:
    return [len(list(settings_of(house).backup_folder.glob("nightly-*"))) for house in pair]


def test_of_two_hosts_at_once_one_makes_it_and_goes_on_doing_so(hosts: tuple[House, House]) -> None:
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda house: nightly.make_if_due(house.app, NIGHT), hosts))
    assert sorted(one is not None for one in made) == [False, True]
    maker, other = hosts if made[0] else hosts[::-1]
    for later in (30, 3600, DAY - 60):
        assert [nightly.make_if_due(house.app, NIGHT + later) for house in hosts] == [None, None]
    assert nightly.make_if_due(other.app, NIGHT + DAY + 1) is None, "it is the other's turn"
    assert nightly.make_if_due(maker.app, NIGHT + DAY + 30) is not None
    assert nightly.make_if_due(other.app, NIGHT + DAY + 7200) is None
    assert numbers(maker, other) == [2, 0]


def test_another_host_makes_up_for_one_that_is_gone_and_goes_on_from_there(hosts: tuple[House, House]) -> None:
    one, two = hosts
    assert nightly.make_if_due(one.app, NIGHT) is not None
    assert nightly.make_if_due(two.app, NIGHT + DAY + 899) is None
    assert nightly.make_if_due(two.app, NIGHT + DAY + 901) is not None
    assert nightly.make_if_due(one.app, NIGHT + DAY + 902) is None, "it is back"
    assert nightly.make_if_due(one.app, NIGHT + 2 * DAY + 1) is None
    assert nightly.make_if_due(two.app, NIGHT + 2 * DAY + 1) is not None
    assert numbers(one, two) == [1, 2]


def test_what_failed_on_one_host_is_made_by_another_and_is_no_failure_then(
    hosts: tuple[House, House], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly.time, "time", lambda: NIGHT + 9 * DAY)  # type: ignore[attr-defined]
    one, two = hosts
    assert nightly.make_if_due(one.app, NIGHT) is not None
    with monkeypatch.context() as broken:
        fake_pg_dump(tmp_path / "fake", broken)
        assert nightly.make_if_due(one.app, NIGHT + DAY) is None
    assert nightly.failure(settings_of(one)) is not None
    assert nightly.make_if_due(two.app, NIGHT + DAY + 901) is not None
    alice = Web(one).as_("alice")
    page = alice.get("/settings/backup").text
    assert "Another host made the newest" in page and "nightly backup failed" not in page
    told = alice.get("/health").json["backup"]
    assert (told["kept"], told["last"]["at"], told["failed"]) == (1, "2031-05-10T02:00:00Z", None)
    assert told["elsewhere"] == "2031-05-11T02:15:01Z"
    assert nightly.make_if_due(one.app, NIGHT + DAY + 3601) is None
    assert nightly.failure(settings_of(one)) is None
    with two.app.app_context():
        assert nightly.made_elsewhere(two.app) is None


def test_a_host_that_is_killed_while_it_makes_one_keeps_no_other_from_it(
    hosts: tuple[House, House], service: PostgreSQL
) -> None:
    one, two = hosts
    with one.app.app_context(), nights.alone() as is_ours:
        assert is_ours and nightly.make_if_due(two.app, NIGHT) is None
        service.run("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        ends = time.monotonic() + 60
        while service.asked("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") and time.monotonic() < ends:
            time.sleep(0.05)
        assert nightly.make_if_due(two.app, NIGHT + 30) is not None
