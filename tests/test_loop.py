"""The developer's loop is as CONTRIBUTING.md says: its targets are there, and a test of the core starts at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

from tests.conftest import LONGEST
from tests.server import ROOT
from tests.sweeps import Sweep

DERANDOMIZED = hypothesis.settings.default.derandomize

HEAVY = ("flask", "sqlalchemy", "alembic", "requests", "redis", "psycopg", "hypothesis", "app", "httpstep.web")


def make(*arguments: str) -> str:
    """What make prints, or would do (-n), in the checkout; also where a make runs these tests, which tells its folders."""
    alone = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    command = ["make", "--no-print-directory", *arguments]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True, env=alone)
    return made.stdout


def listed() -> dict[str, str]:
    """target -> its line in `make help`."""
    return dict(re.split(r" {2,}|\t", line, maxsplit=1) for line in make("help").splitlines())


def test_every_target_has_a_line_in_make_help() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert phony and set(phony[1].split()) == listed().keys()
    assert all(listed().values())


def test_the_targets_that_the_documents_name_are_there() -> None:
    named = set()
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"), ROOT / ".ci" / "run"):
        text = path.read_text()
        named |= set(re.findall(r"`make ([a-z]+)", text)) | set(re.findall(r"^make ([a-z]+)", text, re.M))
    assert {"run", "test", "check", "help", "demo", "screens"} <= named <= listed().keys()


def test_a_single_file_runs_alone_in_one_process() -> None:
    lines = make("-n", "test", "ONLY=tests/core/test_mapping.py").splitlines()
    assert lines[-1].endswith("-m pytest tests/core/test_mapping.py")
    assert "-n 4" in make("-n", "test").splitlines()[-1]


def test_a_sweep_runs_in_part_and_says_so_or_whole() -> None:
    assert "--whole-sweeps" in make("-n", "test", "SWEEP=whole") and "sweeps" not in make("-n", "test").splitlines()[-1]
    told: dict[str, str] = {}
    in_part, whole = Sweep("a", told, whole=False), Sweep("b", told, whole=True)
    assert in_part.portion("abcdefg", 3) == ["a", "d", "g"] and told == {"a": "3 of 7"}
    assert in_part.count(8, 25) == 8 and told == {"a": "8 of 25"}
    assert whole.portion("abcdefg", 3) == list("abcdefg") and whole.count(8, 25) == 25 and "b" not in told


SWEPT = """
def test_one(sweep):
    assert sweep.portion("abcd", 2) == ["a", "c"]
"""


def test_what_was_run_in_part_stands_in_the_last_lines(tmp_path: Path) -> None:
    """Where several processes run the tests as well."""
    (tmp_path / "test_swept.py").write_text(SWEPT)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "--rootdir", str(tmp_path), "-c", os.devnull]
    for processes in ([], ["-n", "1"]):
        ran = subprocess.run(
            [*command, *processes, str(tmp_path / "test_swept.py")],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "RUN IN PART, and whole with `make test SWEEP=whole`: test_one 2 of 4" in ran.stdout


def test_the_files_that_are_begun_first_are_there() -> None:
    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []


def test_the_files_that_contributing_names_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"(?:httpstep|tests|docs|benchmarks|templates)/[\w./-]*\w", text))
    assert {"tests/house.py", "tests/core"} <= named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_a_test_of_the_core_imports_nothing_large() -> None:
    """Flask, SQLAlchemy and hypothesis were imported before every run: three seconds for a test of 20 ms."""
    code = (
        "import sys, pytest; status = pytest.main(['-p', 'no:cacheprovider', 'tests/core/test_mapping.py']); "
        f"print('LARGE', [name for name in {HEAVY!r} if name in sys.modules]); sys.exit(status)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0 and "LARGE []" in ran.stdout, ran.stdout + ran.stderr


def test_chance_is_the_same_every_time(pytestconfig: pytest.Config) -> None:
    """This module has the word hypothesis in it, so the profile was loaded before its first line was run."""
    assert DERANDOMIZED or pytestconfig.getoption("--hypothesis-profile")
