"""The tour that a newcomer is sent on: its files are there, and short enough for an afternoon."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_FILES, MAX_LINES, MAX_LINES_IN_ALL = 13, 340, 3400


def files_of(document: str) -> list[Path]:
    return [ROOT / name for name in re.findall(r"^\| \d+ \| `([^`]+)` \|", document, re.MULTILINE)]


def test_the_tour_is_an_afternoon() -> None:
    files = files_of((ROOT / "docs/tour.md").read_text(encoding="utf-8"))
    assert 10 <= len(files) <= MAX_FILES
    assert [str(file) for file in files if not file.is_file()] == []
    lengths = {file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}
    assert sum(lengths.values()) <= MAX_LINES_IN_ALL


def test_every_path_that_the_documents_name_is_there() -> None:
    """A document that leads to a file that was moved is worse than none."""
    gone = []
    for document in (ROOT / "CONTRIBUTING.md", ROOT / "docs/architecture.md", ROOT / "docs/tour.md"):
        for name in re.findall(r"`([\w./-]+\.py)`", document.read_text(encoding="utf-8")):
            places = (ROOT / name, ROOT / "httpstep" / name, ROOT / "httpstep/core" / name)
            if not any(place.is_file() for place in places) and "/" in name:
                gone.append(f"{document.name}: {name}")
    assert gone == []
