"""docs/operating.md is run as a reader would: every `sh` block, in its order, in one scratch folder; every command and
option that its sentences name is one of the program's; every `nginx` block is read by nginx."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from contextlib import nullcontext
from pathlib import Path

import click
import pytest

from httpstep.__main__ import command as program
from tests import prepared
from tests.conftest import ABSENT
from tests.house import House, document
from tests.server import ROOT, Server

DOCUMENT = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
_INSTALLS, _DOCKER = "tests/test_documented_installs.py", "test_docker_is_told_what_it_knows_of_services_that_there_are"
ELSEWHERE = {
    "make run": "tests/test_operating_commands.py::test_make_run_starts_what_the_other_tests_start",
    "python3 -m venv /opt/httpstep": f"{_INSTALLS}::test_pip_installs_a_command_that_serves_what_was_built",
    'export PATH="/opt/httpstep/bin:$PATH"': f"{_INSTALLS}::test_pip_installs_a_command_that_serves_what_was_built",
    "useradd --system httpstep": f"{_INSTALLS}::test_the_steps_of_the_service_leave_a_command_with_its_variables",
    "docker compose up -d": f"{_INSTALLS}::{_DOCKER}",
    "docker compose exec httpstep httpstep backup httpstep.tar.gz": f"{_INSTALLS}::{_DOCKER}",
    "docker compose -f compose.yaml -f packaging/compose.postgresql.yaml up -d": f"{_INSTALLS}::{_DOCKER}",
    "docker compose -f compose.yaml -f packaging/compose.caddy.yaml up -d": f"{_INSTALLS}::{_DOCKER}",
    "tar -xzf nightly-20310510-020000.tar.gz": (
        "tests/test_nightly_postgresql.py::test_it_restores_by_the_documented_commands"
    ),
}
"""The first line of a block that needs more than a folder and a server, and the test that runs it."""
OTHERS = {"--require-hashes", "--no-deps", "--system", "--now", "--max-time"}
"""Options of other programs in those blocks."""
ADDRESS, TYPED = "127.0.0.1:8080", "correct horse battery staple\n" * 2
TOKEN = "a-token-of-sixteen-letters"


def blocks(language: str, text: str = DOCUMENT) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def first_line(block: str) -> str:
    return block.split("\n", 1)[0]


def spoken(text: str) -> list[str]:
    """The commands of httpstep in its sentences, tables and blocks, each from its name on."""
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))
    lines = [line for block in blocks("sh", text) for line in block.splitlines()]
    said = [re.search(r"^(?:.*[\s/])?httpstep (?=[a-z-])(.*)$", line) for line in (*inline, *lines)]
    return [one[1] for one in said if one]


def fault_of(said: str, top: click.Command) -> str | None:
    """What is wrong in `step from FILE --format X`: a command or an option that there is not."""
    words = [word.strip("[]") for word in shlex.split(said, comments=True)]
    command, context = top, click.Context(top)
    while words and isinstance(command, click.Group):
        if words[0].startswith("-"):
            break
        found = command.get_command(context, words[0])
        if found is None:
            return f"there is no command {words[0]} in: httpstep {said}"
        command = found
        words.pop(0)
    options = {name for parameter in command.get_params(context) for name in parameter.opts}
    wrong = [word for word in words if word.startswith("--") and word.split("=")[0] not in options]
    return f"there is no {', '.join(wrong)} in: httpstep {said}" if wrong else None


@pytest.fixture
def commands(tmp_path: Path) -> click.Group:
    """The program's tree: its own two and those of an application."""
    ours = House(tmp_path).app.cli
    ours.list_commands(click.Context(ours))  # makes them
    top = click.Group("httpstep", commands={**ours.commands}, params=list(program.params))
    for name in ("serve", "demo"):
        top.add_command(program.commands[name])
    return top


def test_every_command_and_option_that_is_named_is_one_of_the_program(commands: click.Group) -> None:
    assert len(spoken(DOCUMENT)) > 40
    assert [fault for fault in (fault_of(said, commands) for said in spoken(DOCUMENT)) if fault] == []
    every = {
        name
        for one in commands.commands.values()
        for command in (one, *(one.commands.values() if isinstance(one, click.Group) else ()))
        for name in (option for parameter in command.get_params(click.Context(command)) for option in parameter.opts)
    }
    alone = set(re.findall(r"`(--[a-z-]+)[^`]*`", DOCUMENT))
    assert alone <= every | OTHERS, "an option that no command has"


@pytest.mark.parametrize("wrong", ["backup --without-kyes f", "key craete --name x", "secret set x --hosts y"])
def test_a_misspelt_word_is_found(commands: click.Group, wrong: str) -> None:
    assert fault_of(wrong, commands) is not None
    assert spoken(f"Type `httpstep {wrong}` now.") == [wrong]


def test_what_is_run_elsewhere_is_there_and_names_files_that_are_there() -> None:
    all_of_it = {first_line(block): block for block in blocks("sh")}
    assert ELSEWHERE.keys() <= all_of_it.keys()
    for line, test in ELSEWHERE.items():
        file, _, name = test.partition("::")
        assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8")
        named = re.findall(r"(?<![/\w])((?:packaging/)?[\w.-]+\.(?:yaml|lock|service|sh))", all_of_it[line])
        assert [name for name in named if not (ROOT / name).exists()] == []


def test_make_run_starts_what_the_other_tests_start() -> None:
    """What it would do, from its own mouth: it would install packages first."""
    said = subprocess.run(
        ["make", "--no-print-directory", "-n", "-B", "run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert said.stdout.rstrip().splitlines()[-1].endswith("python app.py")


@pytest.mark.timeout(600)  # some thirty programs, one after the other
def test_the_year_of_an_installation(tmp_path: Path) -> None:
    """From the first user to the last secret. A block that asks the address has a server beside it."""
    work, data, programs = tmp_path / "work", tmp_path / "data", tmp_path / "bin"
    for folder in (work, programs):
        folder.mkdir()
    (work / "order-status.json").write_text(json.dumps(document()))
    (programs / "httpstep").write_text(prepared.script("httpstep"))
    (programs / "httpstep").chmod(0o755)
    server = Server(data, METRICS_TOKEN=TOKEN)
    environ = server.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "TOKEN": "t-1",
    }  # fmt: skip
    ran = 0
    for block in blocks("sh"):
        if first_line(block) in ELSEWHERE:
            continue
        asks = ADDRESS in block
        with server if asks else nullcontext():
            script = "set -e\n" + block.replace(ADDRESS, f"127.0.0.1:{server.port}")
            done = subprocess.run(
                ["/bin/bash", "-c", script], cwd=work, env=environ, input=TYPED, capture_output=True, text=True,
                timeout=170, check=False, start_new_session=True,
            )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        ran += 1
    assert ran > 12


def test_nginx_reads_every_block_for_it(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    if shutil.which("nginx") is None:
        pytestconfig.stash[ABSENT]["nginx's blocks of docs/operating.md"] = "nginx is not installed"
        pytest.skip("nginx is not here; the summary names it")
    for number, block in enumerate(blocks("nginx")):
        file = tmp_path / f"{number}.conf"
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
        file.write_text(
            f"pid {tmp_path}/pid; error_log stderr; events {{}}\n"
            f"http {{ access_log off; {places}\nserver {{ listen 127.0.0.1:8089;\n{block}\n}} }}\n"
        )
        read = subprocess.run(["nginx", "-t", "-c", str(file)], capture_output=True, text=True, timeout=60, check=False)
        assert read.returncode == 0, read.stderr
