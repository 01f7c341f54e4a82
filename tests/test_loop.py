"""The developer's loop is as CONTRIBUTING.md says: its targets are there, and a test of the core starts at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import hypothesis
import pytest

from tests.conftest import LONGEST
from tests.server import ROOT

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
