"""What is released: tag, version and changelog say the same, and the source distribution builds what the checkout does."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import httpstep
from tests.conftest import ABSENT
from tests.installed import FILES, FOLDERS
from tests.server import ROOT

SQLITE_ONLY = "no data is looked at"
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"


def faults(version: str, changelog: str, tags: list[str]) -> list[str]:
    """What does not fit together. tags: those of this commit."""
    headings = re.findall(r"^## \[(.+?)\](?: - (\S+))?$", changelog, re.MULTILINE)
    found = [] if headings and headings[0] == ("Unreleased", "") else ["the changelog does not begin with [Unreleased]"]
    found += [f"[{name}] has no date" for name, date in headings[1:] if not re.fullmatch(r"\d{4}-\d\d-\d\d", date)]
    for tag in tags:
        if tag != f"v{version}":
            found.append(f"{tag} is a tag of version {version}")
        if [name for name, _ in headings[1:2]] != [tag[1:]]:
            found.append(f"the newest release of the changelog is not {tag[1:]}")
        if changelog.partition("## [Unreleased]")[2].partition("\n## [")[0].strip():
            found.append("something is unreleased in the release")
    return found


def test_a_tag_fits_version_and_changelog(pytestconfig: pytest.Config) -> None:
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "tag", "--points-at", "HEAD", "--list", "v*"]
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytestconfig.stash[ABSENT]["the release's tag"] = "this is no checkout of git"
        pytest.skip("the summary says why")
    tags = subprocess.run(git, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    assert faults(httpstep.__version__, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), tags) == []


def test_what_does_not_fit_is_found() -> None:
    good = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2031-05-10\n\n- A.\n\n## [1.1.0] - 2031-01-01\n"
    assert faults("1.2.0", good, ["v1.2.0"]) == [] and faults("1.3.0", good, []) == []
    assert faults("1.2.0", good, ["v1.3.0"]) == [
        "v1.3.0 is a tag of version 1.2.0", "the newest release of the changelog is not 1.3.0",
    ]  # fmt: skip
    assert faults("1.2.0", good.replace("[Unreleased]\n", "[Unreleased]\n\n- B.\n"), ["v1.2.0"]) == [
        "something is unreleased in the release"
    ]
    assert faults("1.2.0", good.replace(" - 2031-05-10", ""), ["v1.2.0"]) == ["[1.2.0] has no date"]
    assert faults("1.2.0", good.replace("## [Unreleased]\n", ""), []) == [
        "the changelog does not begin with [Unreleased]"
    ]


def test_the_source_distribution_asks_for_the_packages_that_the_checkout_asks_for(tmp_path: Path) -> None:
    source, made = tmp_path / "source", tmp_path / "made"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "packaging", source / "packaging")
    for name in (*FILES, "MANIFEST.in", "requirements.lock", ".env.example", "CHANGELOG.md"):
        shutil.copy(ROOT / name, source)
    build(source, "build_sdist", made)
    with tarfile.open(made / f"httpstep-{httpstep.__version__}.tar.gz") as pack:
        pack.extractall(tmp_path / "unpacked", filter="data")
    [unpacked] = (tmp_path / "unpacked").iterdir()
    ours = {
        str(file.relative_to(source)) for file in source.rglob("*") if file.is_file() and "egg-info" not in str(file)
    }
    assert ours - {str(file.relative_to(unpacked)) for file in unpacked.rglob("*")} == set()
    build(unpacked, "prepare_metadata_for_build_wheel", made)
    [metadata] = made.glob("*.dist-info/METADATA")
    asked = re.findall(r"^Requires-Dist: (.+)$", metadata.read_text(encoding="utf-8"), re.MULTILINE)
    wanted = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line[:1] not in ("", "#")]
    assert sorted(one.replace(" ", "") for one in asked) == sorted(wanted)


def build(source: Path, what: str, into: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", BUILD, what, str(into)], cwd=source, capture_output=True, timeout=120, check=True
    )
