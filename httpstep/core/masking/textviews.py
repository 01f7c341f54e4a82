"""A text as it reads once letters are decoded or lines are joined, and where a place in that is in the text itself."""

from __future__ import annotations

import operator
import re
import string
from bisect import bisect_right
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from itertools import accumulate
from typing import Final

from msgspec import Struct, field

from httpstep.core.regex import regex

Span = tuple[int, int]
_Parts = tuple[list[str], list[str]]
"""A text cut before and behind each run, so that every second part is one, and the parts as they read then."""


class View(Struct):
    """A text in which some runs of pieces were replaced by what they mean, and the way back to the text it was made from.

    The way is worked out when something was found, inside a run only where it was found there: of most texts only `text`
    is ever needed.
    """

    text: str
    before: View | None = None
    depth: int = 0
    cut: Callable[[], _Parts] | None = None
    ends: list[int] = field(default_factory=list)
    """Where each run ends in `text`."""
    lost: list[int] = field(default_factory=list)
    """How much longer the text before is up to there."""
    parts: list[str] = field(default_factory=list)
    inside: dict[int, tuple[list[int], list[int]]] = field(default_factory=dict)

    def next(self, text: str, cut: Callable[[], _Parts]) -> View:
        """What this one reads as. cut: gives the parts of this one."""
        return View(text, self, self.depth + 1, cut)

    def back(self, span: Span) -> Span:
        """Where a span of this view is in the first text."""
        if self.before is None or self.cut is None:
            return span
        if not self.ends:
            self.parts, read = self.cut()
            self.ends, self.lost = _measured(self.parts, read)
        return self.before.back((self._before(span[0]), self._before(span[1])))

    def _before(self, at: int) -> int:
        place = bisect_right(self.ends, at)
        begun = at + (self.lost[place - 1] if place else 0)
        if place == len(self.ends):
            return begun
        run = self.parts[2 * place + 1]
        lost_with_it = self.lost[place] - (self.lost[place - 1] if place else 0)
        inside = at - (self.ends[place] - (len(run) - lost_with_it))
        return begun + self._lost_inside(place, run, inside) if inside > 0 else begun

    def _lost_inside(self, place: int, run: str, at: int) -> int:
        """How much longer the run is than what it means, up to there."""
        if place not in self.inside:
            self.inside[place] = _measured(*_read(_ENCODED_LETTER.split(run), _letters))
        ends, lost = self.inside[place]
        passed = bisect_right(ends, at)
        return lost[passed - 1] if passed else 0


def _measured(parts: list[str], read: list[str]) -> tuple[list[int], list[int]]:
    """Where each run ends in what is read, and how much shorter that is from there on."""
    before = list(accumulate(map(len, parts)))[1::2]
    ends = list(accumulate(map(len, read)))[1::2]
    return ends, list(map(operator.sub, before, ends))


def _read(parts: list[str], meaning: Callable[[list[str]], list[str]]) -> _Parts:
    """The parts and what they read as. meaning: what each of the runs does."""
    read = parts.copy()
    read[1::2] = meaning(parts[1::2])
    return parts, read


def with_plain_letters(view: View) -> View | None:
    """The view with one layer of encoding taken off its ASCII letters, digits and backslashes; None where none has one.

    An encoder leaves them alone as a rule; some encode every character. The others have spellings in `redaction`.
    """
    marks = _marks(_LETTERS, view.text)
    if not marks:
        return None
    runs, meaning = (_runs_of_letters(marks), _letters_of) if marks in ("%", "\\") else (_one_letter(marks), _letters)
    parts = runs.split(view.text)
    if len(parts) == 1:
        return None
    read = _read(parts, meaning)
    return view.next("".join(read[1]), lambda: read)


def letters_said_by(text: str, layers: int) -> set[str]:
    """The ASCII letters and digits that are in the text, and those that it has the digits to encode in so many layers: no
    view of it has any other."""
    said = {letter for letter in _ALPHANUMERIC if letter in text}
    for _ in range(layers):
        said |= {letter for letter, codes in _CODES.items() if any(map(said.issuperset, codes))}
    return said


def without_line_breaks(view: View) -> View | None:
    """The view in one line, line breaks gone in any spelling of theirs; None where it has none."""
    marks = _marks(_LINE_BREAKS, view.text)
    if not marks:
        return None
    breaks = _line_breaks(marks)
    text = breaks.sub("", view.text)
    return view.next(text, lambda: _read(breaks.split(view.text), _nothing)) if len(text) < len(view.text) else None


def _nothing(runs: list[str]) -> list[str]:
    return [""] * len(runs)


def _letters(spellings: list[str]) -> list[str]:
    """Of one letter each."""
    return list(map(_letter_of, spellings))


def _letters_of(runs: list[str]) -> list[str]:
    """What each run of encoded letters says. A text may be hundreds of thousands of runs, or one of hundreds of thousands
    of letters, so all are read as one text. Usual spellings are made `%41`, or are decimal entities: both are read as a
    whole."""
    if len(runs) == 1 and len(runs[0]) <= _MAX_CACHED:
        return [_letters_of_run(runs[0])]
    whole = _BETWEEN.join(runs)
    for usual, plainer in _USUAL:
        if usual in whole:
            whole = whole.replace(usual, plainer)
    if whole.count("%") * 3 == len(whole):
        return bytes.fromhex(whole.replace("%", "")).decode("ascii").split("\0")
    parts = _ENCODED_LETTER.split("\0".join(runs))
    parts[1::2] = _letters(parts[1::2])
    return "".join(parts).split("\0")


@lru_cache(maxsize=4096)
def _letters_of_run(run: str) -> str:
    return "".join(map(_letter_of, _ENCODED_LETTER.findall(run)))


_BETWEEN: Final = "%00"
_USUAL: Final = (
    ("%2525", "%"), ("%25", "%"), ("\\" * 4 + "u00", "%"), ("\\" * 2 + "u00", "%"), ("\\u00", "%"),
    ("\\" * 4 + "x", "%"), ("\\" * 2 + "x", "%"), ("\\x", "%"),
)  # fmt: skip
"""Spellings of one letter before its two digits, the longer ones first. Of any other number of backslashes one is left,
and a decimal entity stays one: then it is not all `%41`."""
_ALPHANUMERIC: Final = string.ascii_letters + string.digits
_CODES: Final = {letter: (f"{ord(letter):x}", f"{ord(letter):X}", f"{ord(letter)}") for letter in _ALPHANUMERIC}
"""Each letter's code as it is written in escapes and entities."""
_MAX_CACHED: Final = 32
"""Characters."""


@cache  # of 64 letters there are some thousand spellings
def _letter_of(piece: str) -> str:
    """The letter, digit or backslash. Of a run of backslashes before it a power of two is the escape in so many layers
    of JSON; others have backslashes of the text in them (`a\\\\\\u0062` is `a\\b`)."""
    found = _SPELLING.fullmatch(piece)
    if found is None:
        return piece
    run = piece.count("\\")
    digits = found[found.lastindex or 0]
    return "\\" * (run // 2 if run & (run - 1) else 0) + chr(int(digits, 10 if found.lastgroup else 16))


# ---------------------------------------------------------------- patterns


def _letters_spelled(hexadecimal: str, decimal: str) -> dict[str, str]:
    """The spellings of a letter by the character that each begins with. What is usual, a letter that was encoded once, is
    no repetition of anything in them, which makes a run of them half the work."""
    return {
        "%": rf"%(?:{hexadecimal}|25(?:25)?{hexadecimal})",
        "\\": rf"\\\\{{0,7}}+(?:u00|x){hexadecimal}",
        "&": rf"&(?:amp;)?+#(?:[xX]0{{0,6}}+{hexadecimal}|0{{0,6}}+{decimal});",
    }


_HEXADECIMAL: Final = "3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[cC]"
_DECIMAL: Final = "4[89]|5[0-7]|6[5-9]|[78][0-9]|9[0279]|98|1[01][0-9]|12[0-2]"
_LETTERS: Final = _letters_spelled(f"(?:{_HEXADECIMAL})", f"(?:{_DECIMAL})")
_ENCODED_LETTER: Final = regex(f"({'|'.join(_LETTERS.values())})")
_SPELLING: Final = regex("|".join(_letters_spelled(f"({_HEXADECIMAL})", f"(?P<decimal>{_DECIMAL})").values()))
_LINE_BREAKS: Final = {
    "\n": r"\n",
    "\r": r"\r",
    "\\": r"\\\\{0,7}+[rn]",
    "%": "%(?:25){0,2}0[AaDd]",
    "&": "&(?:amp;)?#(?:1[03]|[xX][AaDd]);",
}


def _marks(spellings: Mapping[str, str], text: str) -> str:
    """Those of the characters with which a spelling begins that are in the text. Most texts have none, many have one, and
    a pattern that begins with one character is looked for ten times faster than one that begins with several."""
    return "".join(mark for mark in spellings if mark in text)


@lru_cache
def _runs_of_letters(marks: str) -> re.Pattern[str]:
    letter = "|".join(_LETTERS[mark] for mark in marks)
    return re.compile(f"((?:{letter})(?:{letter})*+)")


@lru_cache
def _one_letter(marks: str) -> re.Pattern[str]:
    """Where spellings of several kinds may follow one another, a run is seldom of one, and is read letter by letter."""
    return re.compile(f"({'|'.join(_LETTERS[mark] for mark in marks)})")


@lru_cache
def _line_breaks(marks: str) -> re.Pattern[str]:
    return re.compile(rf"((?:{'|'.join(_LINE_BREAKS[mark] for mark in marks)})[ \t]*+)")
