"""What people's JSON has in it that JSON does not know, named: blanks nobody sees, other quotes, a comma too many."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from httpstep.core.regex import regex

_OUTSIDE_STRINGS: Final = regex(
    r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|(?P<comma>,)(?=\s*[}\]])|(?P<odd>[^\x00-\x7f]|\')', re.DOTALL
)
_QUOTES: Final = frozenset("'‘’‚‛“”„‟«»′″`´")


def json_hint(text: str) -> str:
    """A sentence about the first such thing, "" where there is none."""
    for found in _OUTSIDE_STRINGS.finditer(text):
        if found["comma"]:
            return f"At {_place(text, found.start())} is a comma after the last item; remove it."
        if odd := found["odd"]:
            return _of(odd, _place(text, found.start()))
    return ""


def _of(odd: str, place: str) -> str:
    if odd in _QUOTES:
        return f'At {place} is {odd}: JSON wants straight double quotes (").'
    if unicodedata.category(odd) in ("Zs", "Cf"):
        name = unicodedata.name(odd, "a blank").lower()
        return f"At {place} is a character that nobody sees ({name}, U+{ord(odd):04X}); type a plain space or nothing there."
    return ""


def _place(text: str, index: int) -> str:
    return f"line {text.count(chr(10), 0, index) + 1}, column {index - text.rfind(chr(10), 0, index)}"
