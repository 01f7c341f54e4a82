"""What goes wrong where httpstep is installed for good: commands by root, from root's own folder, in another folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import create_app
from httpstep import config
from httpstep.extensions import db
from httpstep.upkeep import installation
from tests.fakes import ThirdParty
from tests.house import House
from tests.server import ROOT

SERVICE = 10001
SQLITE_ONLY = "what is looked at is the data folder"


@pytest.fixture
def of_a_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """Its data belongs to another user than root, who calls the commands."""
    house = House(tmp_path / "data", ThirdParty())
    if os.geteuid() == 0:
        os.chown(tmp_path / "data" / "instance", SERVICE, SERVICE)
    else:
        monkeypatch.setattr(installation.os, "geteuid", lambda: 0)  # type: ignore[attr-defined]
    return house


@pytest.mark.parametrize("command", [["key", "list"], ["backup", "b.tar.gz"], ["upgrade"], ["secret", "list"]])
def test_root_is_told_whose_data_it_is_and_makes_nothing_there(
    of_a_service: House, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    refused = of_a_service.app.test_cli_runner().invoke(args=command)
    assert refused.exit_code == 1, refused.output
    assert f"The data in {tmp_path / 'data'} belongs to the user " in refused.output and "sudo -u " in refused.output
    assert sorted(tmp_path.rglob("*")) == before


def test_the_owner_is_not(tmp_path: Path) -> None:
    house = House(tmp_path / "data", ThirdParty())
    assert house.app.test_cli_runner().invoke(args=["key", "list"]).exit_code == 0


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder into which nobody but root may look, with a `.env` of somebody else's."""
    folder = tmp_path / "of-root"
    folder.mkdir()
    (folder / ".env").write_text("HTTPSTEP_WORKERS=7\n")
    folder.chmod(0o000)
    yield folder
    folder.chmod(0o700)


def test_a_folder_that_may_not_be_looked_into_has_no_env_file(closed: Path) -> None:
    """`sudo -u httpstep` starts a command in the folder where root was."""
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(SERVICE)
                os.setuid(SERVICE)
            os._exit(0 if config.with_env_file({"A": "1"}, closed / ".env") == {"A": "1"} else 3)
        except BaseException:
            os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_command_says_that_it_made_a_new_installation(tmp_path: Path) -> None:
    app, data = create_app(config.load({"HTTPSTEP_DATA": str(tmp_path / "data")})), tmp_path / "data"
    first, second = (app.test_cli_runner().invoke(args=["key", "create", "--name", name]) for name in ("a", "b"))
    assert first.stderr == f"This is a new installation, its data is in {data}.\n" and first.stdout.startswith("hs_")
    assert (second.stderr, second.stdout[:3]) == ("", "hs_")
    with app.app_context():
        db.engine.dispose()


def test_make_leaves_no_half_of_an_environment(tmp_path: Path) -> None:
    """Debian's python3 without python3-venv says what to install; after that `make` has to begin anew."""
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    half = tmp_path / "python3"
    half.write_text('#!/bin/sh\n[ "$1" = -c ] && exit 0\nmkdir -p .venv/bin && touch .venv/bin/python\nexit 1\n')
    half.chmod(0o755)
    for _ in range(2):
        made = subprocess.run(
            ["make", "run", f"PYTHON={half}"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert made.returncode == 2 and "-m venv .venv" in made.stdout
        assert not (tmp_path / ".venv").exists()
