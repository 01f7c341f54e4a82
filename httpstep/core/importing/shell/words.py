"""The words of a pasted command, by whatever shell it was written for; never raises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from httpstep.core.regex import regex

_SECRET_NAME: Final = regex(r"TOKEN|KEY|SECRET|PASS|PWD|CREDENTIAL|AUTH", re.IGNORECASE)


class Words(Struct):
    """`closed` is False where a quote was opened and never closed. `rest`: the text behind the command, as it stands.
    `stdin`: what the command reads there, None where the text does not say. `commands`: parts that a shell would run
    first ("$(date)"), left in the words as they stand. `redirected`: where the output goes."""

    words: list[str] = field(default_factory=list)
    closed: bool = True
    rest: str = ""
    stdin: str | None = None
    commands: list[str] = field(default_factory=list)
    redirected: list[str] = field(default_factory=list)


def placeholder(name: str, known: Mapping[str, str]) -> str:
    """What stands for a variable of the shell: its value where the text gives one, else a placeholder of the step."""
    if name in known:
        return known[name]
    return f"{{{{secret.{name}}}}}" if _SECRET_NAME.search(name) else f"{{{{{name}}}}}"


_ANSI: Final = regex(
    r"\\(?:([abeEfnrtv\\'\"?])|([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8}))"
)
_ANSI_LETTERS: Final = dict(zip("abeEfnrtv\\'\"?", "\a\b\x1b\x1b\f\n\r\t\v\\'\"?", strict=True))


def ansi_c(text: str) -> str:
    """The text of a $'…'."""
    return _ANSI.sub(_ansi_character, text)


def _ansi_character(found: re.Match[str]) -> str:
    if found[1]:
        return _ANSI_LETTERS[found[1]]
    code = int(found[2], 8) if found[2] else int(found[3] or found[4] or found[5], 16)
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "\ufffd"


def closing(text: str, at: int, pair: str, limit: int) -> int:
    """Where the second character of `pair` closes what its first opened before `at`, further pairs inside it counted; -1
    where it does not within `limit` characters."""
    depth = 1
    for found in re.compile(f"[{re.escape(pair)}]").finditer(text, at, at + limit):
        depth += 1 if found[0] == pair[0] else -1
        if depth == 0:
            return found.start()
    return -1
