"""What a browser keeps of a form that is not saved is judged by the rule by which the server masks: one rule, written twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from httpstep.core.masking import redaction

SCRIPT = (Path(__file__).resolve().parent.parent / "static/drafts.js").read_text(encoding="utf-8")
KINDS = ("api", "access", "auth", "client", "private", "security", "session", "sort", "x")
LAST = ("key", "token", "secret", "password", "id", "sig", "monkey", "name")
NAMES = [
    *(f"{kind}{between}{last}" for kind in KINDS for last in LAST for between in ("", "-", "_")),
    *LAST, *redaction._ALWAYS, "X-Authorization", "cookies", "Set-Cookie2", "x-token", "x-tokens",
]  # fmt: skip


def pattern(name: str) -> str:
    found = re.search(rf"const {name} = /(.+)/i?;", SCRIPT)
    assert found is not None, name
    return found[1]


@pytest.mark.parametrize(
    ("name", "own"), [("CREDENTIALS", redaction._CREDENTIALS), ("KINDS_OF_KEY", redaction._KINDS_OF_KEY)]
)
def test_the_words_are_the_same(name: str, own: re.Pattern[str]) -> None:
    assert pattern(name) == f"^({own.pattern})$"


def test_the_names_that_are_always_masked_are_the_same() -> None:
    always = re.compile(pattern("ALWAYS"), re.IGNORECASE)
    assert [one for one in NAMES if (always.search(one) is not None) != redaction.is_credential_header(one)] == []
