"""Each way of installing in docs/operating.md, run block by block. What would change the machine or needs Docker is run
with stand-ins for those programs, which know what they may be told and look at the files that they are told of."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

from httpstep import __version__
from tests import prepared
from tests.conftest import ABSENT
from tests.installed import FILES, FOLDERS, environ_of
from tests.server import ROOT
from tests.test_operating_commands import blocks, first_line
from tests.test_packaging import _Compose

SQLITE_ONLY = "no installation has to be on PostgreSQL"
SCRIPT = ROOT / "packaging/httpstep.sh"

NOTE = '#!/bin/sh\necho "$(basename "$0")" "$@" >> "$CALLS"\n'
"""A stand-in that does nothing but write down what it was told, one word after the other."""

DOCKER = """#!/bin/sh
{ printf '%s ' docker "$@"; echo; } >> "$CALLS"
"""

SYSTEMD_RUN = f"""#!{sys.executable}
import os, re, shlex, sys
given, command = sys.argv[1 : sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1 :]
environ = {{"PATH": os.environ["PATH"]}} | {{k: v for k, v in os.environ.items() if k.startswith("PYTHON")}}
for one in given:
    name, _, value = one.partition("=")
    if value.startswith("EnvironmentFile=-"):
        lines = open(value.partition("-")[2]).read().splitlines()
        environ |= dict(line.split("=", 1) for line in lines)
    elif name == "--setenv":
        environ |= [value.split("=", 1)]
    elif name == "--working-directory":
        os.chdir(value)
os.execve(command[0], command, environ)
"""
"""What systemd-run would do, but for the user: it begins with an empty environment."""


def block_of(beginning: str) -> str:
    [block] = [one for one in blocks("sh") if first_line(one).startswith(beginning)]
    return block


def stand_ins(folder: Path, **programs: str) -> Path:
    folder.mkdir()
    for name, text in programs.items():
        (folder / name.replace("_", "-")).write_text(text)
        (folder / name.replace("_", "-")).chmod(0o755)
    return folder


def run(block: str, folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", "-c", f"set -e\n{block}"], cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=240, check=False,
    )  # fmt: skip


# ---------------------------------------------------------------- pip


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip needs of one."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (*FILES, "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.mark.timeout(300)
def test_pip_installs_a_command_that_serves_what_was_built(
    checkout: Path, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """The packages are those that the tests run with, where they are of the lock's versions; else a registry's."""
    opt = tmp_path / "opt"
    make, lock, install = block_of("python3 -m venv /opt/httpstep").replace("/opt/httpstep", str(opt)).splitlines()
    environ = environ_of(checkout) | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PIP_NO_COMPILE": "1",
    }
    del environ["PYTHONPATH"]
    stale = checkout / "build/lib/httpstep/of_an_earlier_version.py"
    stale.parent.mkdir(parents=True)
    stale.touch()
    made = run(make, checkout, environ)
    assert made.returncode == 0, made.stderr
    [site] = opt.glob("lib/python*/site-packages")
    shared = site / "shared.pth"
    shared.write_text(sysconfig.get_paths()["purelib"])
    if run(lock, checkout, environ | {"PIP_NO_INDEX": "1"}).returncode != 0:
        shared.unlink()
        if run(lock, checkout, environ).returncode != 0:
            pytestconfig.stash[ABSENT]["pip with requirements.lock"] = "the lock's packages cannot be had here"
            pytest.skip("the summary says why")
        shared.write_text(sysconfig.get_paths()["purelib"])  # with what builds the distribution
    done = run(install, checkout, environ | {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"})
    assert done.returncode == 0, done.stderr
    assert (site / "httpstep/templates").is_dir() and not (site / "httpstep" / stale.name).exists()
    asked = run(block_of('export PATH="/opt/httpstep/bin').replace("/opt/httpstep", str(opt)), tmp_path, environ)
    assert asked.returncode == 0, asked.stderr
    assert (
        asked.stdout.startswith(f"httpstep {__version__}\n")
        and f"HTTPSTEP_DATA={tmp_path}/data  # default" in asked.stdout
    )


# ---------------------------------------------------------------- systemd


def test_the_steps_of_the_service_leave_a_command_with_its_variables(tmp_path: Path) -> None:
    etc, units, local, data = (tmp_path / name for name in ("etc", "units", "local", "data"))
    for folder in (units, local, data):
        folder.mkdir()
    program = tmp_path / "httpstep"
    program.write_text(prepared.script("httpstep"))
    program.chmod(0o755)
    programs = stand_ins(tmp_path / "bin", useradd=NOTE, systemctl=NOTE, systemd_run=SYSTEMD_RUN)
    places = {
        "/etc/httpstep": etc, "/etc/systemd/system": units, "/usr/local/bin": local, "/var/lib/httpstep": data,
        "/opt/httpstep/bin/httpstep": program,
    }  # fmt: skip
    environ = environ_of(ROOT, CALLS=str(tmp_path / "calls"), PATH=f"{programs}:{os.environ['PATH']}")

    def moved(text: str) -> str:
        return re.sub("|".join(map(re.escape, places)), lambda found: str(places[found[0]]), text)

    done = run(moved(block_of("useradd --system httpstep")), ROOT, environ)
    assert done.returncode == 0, done.stderr
    told = (tmp_path / "calls").read_text().splitlines()
    assert told == ["useradd --system httpstep", "systemctl daemon-reload", "systemctl enable --now httpstep"]
    unit = (units / "httpstep.service").read_text()
    assert "User=httpstep\n" in unit and (etc / "env").stat().st_mode & 0o777 == 0o600
    command = local / "httpstep"
    assert command.stat().st_mode & 0o777 == 0o755
    command.write_text(moved(command.read_text()))
    (etc / "env").write_text("HTTPSTEP_MAIL_FROM=of@the.service\n")
    shown = run(f"{command} config show", tmp_path, environ | {"HTTPSTEP_MAIL_FROM": "of@the.caller"})
    assert shown.returncode == 0, shown.stderr
    assert "MAIL_FROM=of@the.service" in shown.stdout and f"HTTPSTEP_DATA={data}  # set" in shown.stdout
    key = run(f"{command} key create --name 'my bot'", tmp_path, environ)
    assert key.stdout.startswith("hs_") and (data / "httpstep.db").exists(), key.stderr


def test_a_command_of_the_service_has_what_its_unit_has(pytestconfig: pytest.Config) -> None:
    given = shlex.split(SCRIPT.read_text().partition("exec ")[2].replace("\\\n", " "))
    unit = (ROOT / "packaging/httpstep.service").read_text()
    members = dict(re.findall(r"^(\w+)=(.+)$", unit, re.MULTILINE))
    assert f"--uid={members['User']}" in given and f"--gid={members['Group']}" in given
    assert f"--property=EnvironmentFile={members['EnvironmentFile']}" in given
    assert f"--working-directory={members['WorkingDirectory']}" in given
    assert f"--setenv={members['Environment'].split()[0]}" in given
    assert given[-2:] == [members["ExecStart"].split()[0], "$@"]
    if shutil.which("systemd-run") is None:
        pytestconfig.stash[ABSENT]["packaging/httpstep.sh"] = "systemd-run is not installed"
        pytest.skip("systemd-run is not here; the summary names it")
    known = subprocess.run(["systemd-run", "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
    options = [word.partition("=")[0] for word in given[1 : given.index("--")]]
    assert [one for one in options if not re.search(rf"{one}\b", known)] == []


# ---------------------------------------------------------------- Docker

MAY = {"up": {"-d", "--build"}, "logs": set(), "exec": set(), "run": {"--rm"}, "cp": set(), "stop": set()}
"""What of `docker compose` is in the document, with the options used there."""


def compose(words: list[str]) -> tuple[list[str], str, list[str]]:
    """The files, the command and what follows it, of `docker compose …`."""
    files, rest = [], words[2:]
    while rest[0] == "-f":
        files.append(rest[1])
        rest = rest[2:]
    return files or ["compose.yaml"], rest[0], rest[1:]


def services(files: list[str]) -> set[str]:
    """Of the files together, each of which has to be there."""
    found: set[str] = set()
    for name in files:
        found |= yaml.load((ROOT / name).read_text(encoding="utf-8"), _Compose)["services"].keys()
    return found


def test_docker_is_told_what_it_knows_of_services_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "calls").touch()
    programs = stand_ins(tmp_path / "bin", docker=DOCKER)
    environ = {"CALLS": str(tmp_path / "calls"), "PATH": f"{programs}:{os.environ['PATH']}"}
    ran = [block for block in blocks("sh") if first_line(block).startswith("docker ")]
    for block in ran:
        assert run(block, ROOT, environ).returncode == 0
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(ran) >= 4 and len(calls) == sum(len(block.splitlines()) for block in ran)
    for call in calls:
        assert call.startswith("docker compose ")
        files, command, rest = compose(call.split())
        options = {word for word in rest[: 2 if command != "exec" else 0] if word.startswith("-")}
        assert options <= MAY[command], call
        named = [word for word in rest if word not in options]
        if command != "up":
            assert named[0].partition(":")[0] in services(files), call
        if command in ("exec", "run"):
            assert named[1] == "httpstep", call
    assert {name for call in calls for name in compose(call.split())[0]} == {
        "compose.yaml", "packaging/compose.postgresql.yaml", "packaging/compose.caddy.yaml",
    }  # fmt: skip


def test_what_is_run_in_the_container_is_run_in_the_order_of_the_document(tmp_path: Path) -> None:
    """A backup of what serves, and its restore once that is stopped: the commands themselves, without Docker."""
    program = tmp_path / "httpstep"
    program.write_text(prepared.script("httpstep"))
    program.chmod(0o755)
    environ = environ_of(ROOT, HTTPSTEP_DATA=str(tmp_path / "data"), PATH=f"{tmp_path}:{os.environ['PATH']}")
    commands = [compose(line.split())[2] for line in block_of("docker compose exec httpstep").splitlines()]
    inside = [" ".join(words[words.index("httpstep") + 1 :]) for words in commands if words.count("httpstep") > 1]
    assert [one.split()[1] for one in inside] == ["backup", "restore"]
    for one in inside:
        done = run(one, tmp_path, environ)
        assert done.returncode == 0, done.stderr
