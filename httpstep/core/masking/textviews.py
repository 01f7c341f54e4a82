"""A text as it reads once letters are decoded or lines are joined, and where a place in that is in the text itself."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

Span = tuple[int, int]
_Meaning = Callable[[re.Match[str]], str]


@dataclass(slots=True)
class View:
    """A text in which some pieces were replaced by what they mean, and the way back to the text it was made from.

    The way is worked out when something was found: of most texts only `text` is ever needed.
    """

    text: str
    before: View | None = None
    depth: int = 0
    pieces: re.Pattern[str] | None = None
    meaning: _Meaning | None = None
    ends: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)

    def read(self, pieces: re.Pattern[str], meaning: _Meaning) -> View:
        text = pieces.sub("" if meaning is _nothing else meaning, self.text)
        return View(text, self, self.depth + 1, pieces, meaning)

    def back(self, span: Span) -> Span:
        """Where a span of this view is in the first text."""
        if self.before is None or self.pieces is None or self.meaning is None:
            return span
        if not self.ends:
            self._measure(self.pieces.finditer(self.before.text), self.meaning)
        start, end = (at + (self.lost[place - 1] if (place := bisect_right(self.ends, at)) else 0) for at in span)
        return self.before.back((start, end))

    def _measure(self, found: Iterable[re.Match[str]], meaning: _Meaning) -> None:
        """ends: where each replaced piece ends in `text`; lost: how much shorter it is from there on than before."""
        lost = 0
        for piece in found:
            lost += len(piece[0]) - len(meaning(piece))
            self.ends.append(piece.end() - lost)
            self.lost.append(lost)


def with_plain_letters(view: View) -> View | None:
    """The view with one layer of encoding taken off its ASCII letters, digits and backslashes; None where none has one.

    An encoder leaves them alone as a rule; some encode every character. The others have spellings in `redaction`.
    """
    text = view.text
    if not ("%" in text or "\\" in text or "&" in text):
        return None
    return view.read(_ENCODED_LETTER, _letter) if _ENCODED_LETTER.search(text) else None


def without_line_breaks(view: View) -> View | None:
    """The view in one line, line breaks gone in any spelling of theirs; None where it has none."""
    return view.read(_LINE_BREAK, _nothing) if _LINE_BREAK.search(view.text) else None


def _letter(found: re.Match[str]) -> str:
    return _letter_of(found[0])


@lru_cache(maxsize=4096)
def _letter_of(piece: str) -> str:
    """The letter, digit or backslash. Of a run of backslashes before it a power of two is the escape in so many layers
    of JSON; others have backslashes of the text in them (`a\\\\\\u0062` is `a\\b`)."""
    found = _ENCODED_LETTER.fullmatch(piece)
    if found is None:
        return piece
    run = piece.count("\\")
    digits = found[found.lastindex or 0]
    return "\\" * (run // 2 if run & (run - 1) else 0) + chr(int(digits, 10 if found.lastgroup else 16))


def _nothing(_: re.Match[str]) -> str:
    return ""


# Each alternative begins with a character of its own, which makes the search for them some ten times faster.
_LETTER: Final = "(3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[cC])"
_ENCODED_LETTER: Final = re.compile(
    rf"%(?:25){{0,2}}{_LETTER}|\\\\{{0,7}}+(?:u00|x){_LETTER}|&(?:amp;)?#(?:[xX]0{{0,6}}{_LETTER};"
    r"|0{0,6}(?P<decimal>4[89]|5[0-7]|6[5-9]|[78][0-9]|9[0279]|98|1[01][0-9]|12[0-2]);)"
)
_LINE_BREAK: Final = re.compile(r"(?:\n|\r|\\\\{0,7}+[rn]|%(?:25){0,2}0[AaDd]|&(?:amp;)?#(?:1[03]|[xX][AaDd]);)[ \t]*+")
