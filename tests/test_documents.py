"""A document that says what is tested names tests that are there, and links lead to files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.server import ROOT

NAMED = re.compile(r"`(tests/[\w./-]+\.py)(?:::(\w+))?`")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def not_there(text: str) -> list[str]:
    """The tests that it names and that there are not."""
    gone = []
    for file, test in NAMED.findall(text):
        path = ROOT / file
        if not path.is_file() or (test and f"\ndef {test}(" not in path.read_text(encoding="utf-8")):
            gone.append(f"{file}::{test}" if test else file)
    return gone


def rows(name: str) -> list[list[str]]:
    """The cells of the tables, without their heads."""
    lines = [line for line in (ROOT / "docs" / name).read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] not in ("promise", "convention")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_a_document_names_is_there(document: Path) -> None:
    assert not_there(document.read_text(encoding="utf-8")) == []


def test_one_that_is_not_there_is_found() -> None:
    named = "`tests/test_documents.py::test_one_that_is_not_there_is_found` `tests/test_documents.py` "
    assert not_there(named + "`tests/test_nothing.py` `tests/test_documents.py::test_nothing`") == [
        "tests/test_nothing.py",
        "tests/test_documents.py::test_nothing",
    ]


def test_every_promise_has_a_test() -> None:
    assert len(rows("security.md")) > 30
    assert [row[0] for row in rows("security.md") if not NAMED.search(row[1])] == []


def test_every_convention_has_a_test_or_is_said_not_to_be_kept() -> None:
    table = rows("conventions.md")
    assert len(table) >= 23
    for convention, kept, how, tests in table:
        assert kept in ("yes", "in part", "no") and how, convention
        assert kept == "no" or (NAMED.search(tests) and "::" in tests), convention


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_or_a_heading_leads_somewhere(document: Path) -> None:
    lost = []
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", document.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        if not path.exists() or (anchor and anchor not in headings(path)):
            lost.append(target)
    assert lost == []


def headings(document: Path) -> set[str]:
    """Their anchors, as the pages of repositories make them."""
    found = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}
