"""What is handed out: the lock file, the image's steps, the unit, the compose files, the version."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import pytest
import requests
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import httpstep
from httpstep import config
from tests.conftest import ABSENT
from tests.installed import FILES, FOLDERS, environ_of, install
from tests.server import ROOT, free_port

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINNED = dict(re.findall(r"^([\w.-]+)==(\S+)", LOCK, re.MULTILINE))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
UID = 10001
AS_USER = [
    "setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups",
    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
]  # fmt: skip
"""The user of the image, who may read everything: Python may lie in a folder of whoever runs the tests."""


def brought(requirement: Requirement, seen: dict[str, str]) -> None:
    """Into `seen`: the package and all it brings, with the versions installed here."""
    name = canonicalize_name(requirement.name)
    found = metadata.distribution(name)
    seen[name] = found.version
    for line in found.requires or ():
        one = Requirement(line)
        wanted = one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in requirement.extras | {""})
        if wanted and canonicalize_name(one.name) not in seen:
            brought(one, seen)


def test_the_lock_has_everything_that_the_requirements_bring_and_its_hashes() -> None:
    asked = [
        Requirement(line) for line in (ROOT / "requirements.txt").read_text().splitlines() if line[:1] not in ("#", "")
    ]
    for one in asked:
        assert str(one.specifier) == f"=={PINNED[canonicalize_name(one.name)]}"
        seen: dict[str, str] = {}
        brought(one, seen)
        assert seen.keys() <= PINNED.keys(), f"run `make lock`: {one.name} brings {seen.keys() - PINNED.keys()}"
    blocks = re.split(r"^(?=\S)", LOCK, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks) and "://" not in LOCK


def test_the_version_is_one_and_can_be_released() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", httpstep.__version__)
    assert 'version = {attr = "httpstep.__version__"}' in (ROOT / "pyproject.toml").read_text()
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased" and headings[1:] in ([], [httpstep.__version__, *headings[2:]])


def test_the_image_takes_what_the_distribution_is_built_from() -> None:
    taken = {name for line in re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()}
    assert taken == {*FOLDERS, *FILES, "requirements.lock"}
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_in == taken


def test_no_file_names_a_variable_that_there_is_not() -> None:
    known = {f"HTTPSTEP_{variable.name}" for variable in config.VARIABLES}
    for file in (ROOT / "Dockerfile", ROOT / "compose.yaml", *(ROOT / "packaging").iterdir()):
        assert set(re.findall(r"HTTPSTEP_[A-Z_]+", file.read_text(encoding="utf-8"))) <= known, file


class _Compose(yaml.SafeLoader):
    """YAML with the tag by which a later file takes away what an earlier one said."""


_Compose.add_constructor("!reset", lambda loader, node: None)


@pytest.mark.parametrize("name", ["compose.yaml", "packaging/compose.postgresql.yaml", "packaging/compose.caddy.yaml"])
def test_a_compose_file_says_nothing_twice_and_mounts_what_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    read = yaml.load(text, _Compose)
    assert read.keys() == {"services", "volumes"} and "httpstep" in read["services"]
    for service, one in read["services"].items():
        assert service == "httpstep" or re.fullmatch(r"[\w/]+:\d+", one["image"]), "a version is named"
        for source, _, _ in (volume.partition(":") for volume in one.get("volumes", [])):
            assert (ROOT / source).is_file() if source.startswith("./") else source in read["volumes"]
        assert set(one.get("depends_on", [])) <= read["services"].keys()
    asked = set(re.findall(r"\$\{(\w+)", text))
    document = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    assert [variable for variable in asked if f"`{variable}` in `.env`" not in document] == []


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may look into."""
    made = Path(tempfile.mkdtemp(prefix="httpstep-image-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def test_the_image_serves_as_a_user_who_may_write_nothing_but_the_data(folder: Path) -> None:
    """Its steps without Docker: built in a clean folder, served from elsewhere, looked at by its own health check."""
    source, site, data = folder / "source", folder / "site", folder / "data"
    source.mkdir()
    install(source, site)
    data.mkdir()
    as_user = AS_USER if os.geteuid() == 0 else []
    if as_user:
        os.chown(data, UID, UID)
    port = free_port()
    environ = environ_of(site, HTTPSTEP_DATA=str(data), HTTPSTEP_LISTEN=f"127.0.0.1:{port}")
    started = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert [json.loads(one) for one in started] == [["httpstep", "serve"]]
    check = json.loads(re.findall(r"^  CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[0].replace(":8080/", f":{port}/"))
    with subprocess.Popen(
        [*as_user, sys.executable, str(site / "bin/httpstep"), "serve"], cwd=data, env=environ, stderr=subprocess.PIPE
    ) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/health", server)
            assert subprocess.run([sys.executable, *check[1:]], timeout=30, check=False).returncode == 0
        finally:
            server.terminate()
            said = server.communicate(timeout=90)[1]
    assert server.returncode == 0, said
    assert (
        subprocess.run([sys.executable, *check[1:]], stderr=subprocess.DEVNULL, timeout=30, check=False).returncode == 1
    )
    assert {entry.name for entry in folder.iterdir()} == {"source", "site", "data"}


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends and server.poll() is None:
        with suppress(requests.RequestException):
            requests.get(address, timeout=5).raise_for_status()
            return
        time.sleep(0.1)
    server.kill()
    raise AssertionError(f"it does not serve: {server.communicate()[1]!r}")


def test_systemd_takes_the_unit(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    unit = (ROOT / "packaging/httpstep.service").read_text(encoding="utf-8")
    assert "TimeoutStopSec=80\n" in unit and "EnvironmentFile=-/etc/httpstep/env\n" in unit
    if shutil.which("systemd-analyze") is None:
        pytestconfig.stash[ABSENT]["the unit"] = "systemd-analyze is not installed"
        pytest.skip("systemd-analyze is not here; the summary names it")
    copy = tmp_path / "httpstep.service"
    copy.write_text(unit.replace("/opt/httpstep/bin/httpstep", "/bin/true"), encoding="utf-8")
    ran = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_hadolint_finds_nothing_in_the_dockerfile(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    beside = Path(sys.executable).with_name("hadolint")
    if (program := str(beside) if beside.exists() else shutil.which("hadolint")) is None:
        pytestconfig.stash[ABSENT]["the Dockerfile"] = "hadolint is not installed"
        pytest.skip("hadolint is not here; the summary names it")
    wrong = tmp_path / "Dockerfile"
    wrong.write_text(DOCKERFILE.replace("WORKDIR /data", "RUN cd data"))
    for file, code in ((ROOT / "Dockerfile", 0), (wrong, 1)):
        ran = subprocess.run([program, str(file)], capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == code, ran.stdout + ran.stderr


# ---------------------------------------------------------------- .env


def test_an_env_file_is_read_and_the_environment_comes_first(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "# a comment\n\nexport HTTPSTEP_LISTEN = 127.0.0.1:9000 # of ours\nHTTPSTEP_MAIL_FROM='a@example.com'\n"
        'HTTPSTEP_ADMIN_PASSWORD="with # and spaces "\nHTTPSTEP_SECRET_KEY=a#b#c\nHTTPSTEP_BASE_URL=\nOTHER=1\n'
        "HTTPSTEP_DATABASE_URL=sqlite:///x\n"
    )
    got = config.with_env_file({"HTTPSTEP_MAIL_FROM": "b@example.com", "HTTPSTEP_DATABASE_URL_FILE": "/f"}, file)
    assert got == {
        "HTTPSTEP_LISTEN": "127.0.0.1:9000", "HTTPSTEP_MAIL_FROM": "b@example.com", "HTTPSTEP_SECRET_KEY": "a#b#c",
        "HTTPSTEP_ADMIN_PASSWORD": "with # and spaces ", "HTTPSTEP_BASE_URL": "", "HTTPSTEP_DATABASE_URL_FILE": "/f",
    }  # fmt: skip
    assert config.with_env_file({}, tmp_path / "none") == {}


def test_a_start_reads_the_env_file_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HTTPSTEP_LISTEN=127.0.0.1:9100\nHTTPSTEP_MAIL_FROM=a@example.com\n")
    environ = environ_of(
        ROOT, PYTHONPATH=str(ROOT), HTTPSTEP_DATA=str(tmp_path / "data"), HTTPSTEP_LISTEN="127.0.0.1:9101"
    )
    shown = subprocess.run(
        [sys.executable, "-m", "httpstep", "config", "show"], cwd=tmp_path, env=environ, capture_output=True, text=True,
        timeout=60, check=True,
    ).stdout  # fmt: skip
    assert "a@example.com" in shown and "127.0.0.1:9101" in shown and "127.0.0.1:9100" not in shown
    (tmp_path / ".env").write_text("HTTPSTEP_LISTEN=nowhere\n")
    del environ["HTTPSTEP_LISTEN"]
    refused = subprocess.run(
        [sys.executable, "-m", "httpstep", "serve"], cwd=tmp_path, env=environ, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert refused.returncode != 0 and "HTTPSTEP_LISTEN" in refused.stderr and "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    "line", ["hunter2", 'HTTPSTEP_SECRET_KEY="hunter2', "HTTPSTEP SECRET=hunter2", "A='b' hunter2"]
)
def test_a_line_that_is_none_is_named_by_its_number_alone(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(f"A=1\n{line}\n")
    with pytest.raises(config.ConfigError, match="line 2: this is no line of the form NAME=value") as raised:
        config.with_env_file({}, tmp_path / ".env")
    assert "hunter2" not in str(raised.value)
    (tmp_path / ".env").write_bytes(b"A=\xff\n")
    with pytest.raises(config.ConfigError, match="cannot be read"):
        config.with_env_file({}, tmp_path / ".env")
