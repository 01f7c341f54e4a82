"""The distribution, built from what is in the repository and installed into a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.server import ROOT

FOLDERS = ("httpstep", "templates", "static", "migrations")
FILES = ("pyproject.toml", "setup.py", "requirements.txt", "README.md", "LICENSE", "httpstep_client.py")


def install(source: Path, target: Path) -> None:
    """source: an empty folder that gets what the distribution is built from. Asks no registry."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-build-isolation", "--target", str(target), str(source)], check=True, timeout=170)


def environ_of(site: Path, **more: str) -> dict[str, str]:
    """For a program that is to find the one installed there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HTTPSTEP_", "FLASK_"))}
    return kept | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"} | more
