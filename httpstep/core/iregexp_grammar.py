"""Reads an I-Regexp (RFC 9485, 3) into the states of a nondeterministic automaton.

Beyond the RFC \\d, \\w and \\s and their opposites are read, as people write them. `^` and `$`, ordinary characters
in the RFC, are refused where they were surely meant as anchors.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

Test = Callable[[str], bool]

MAX_PATTERN: Final = 500
MAX_STATES: Final = 2000


class BadPattern(ValueError):
    """`str` says in a sentence what is wrong with the pattern."""


@dataclass(slots=True)
class State:
    """`test` guards the step to `then`; without it the state steps to all of `free` at no cost."""

    test: Test | None = None
    then: int = -1
    free: list[int] = field(default_factory=list)


_ESCAPED: Final = frozenset("()*+-.?[\\]^{|}$/")
_NAMED: Final = {"n": "\n", "r": "\r", "t": "\t"}
_CATEGORY: Final = re.compile(r"L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|Z[lps]?|S[ckmo]?|C[cfno]?")
_SHORT: Final[dict[str, Test]] = {
    "d": lambda character: "0" <= character <= "9",
    "w": lambda character: character == "_" or character.isalnum(),
    "s": lambda character: character in " \t\n\r\f\v",
}
_Part = tuple[int, int]
"""Where a piece of the automaton begins and ends."""


class Parser:
    """`states`, and `whole()`: where the automaton begins and ends. Raises BadPattern."""

    def __init__(self, pattern: str) -> None:
        if len(pattern) > MAX_PATTERN:
            raise BadPattern(f"A pattern has at most {MAX_PATTERN} characters.")
        if pattern.startswith("^") or (pattern.endswith("$") and not pattern.endswith("\\$")):
            raise BadPattern("Patterns have no “^” and “$”: match() looks at the whole text, search() at any part.")
        self.pattern = pattern
        self.place = 0
        self.states: list[State] = []
        self.depth = 0

    def whole(self) -> _Part:
        part = self._alternatives()
        if self.place < len(self.pattern):
            raise BadPattern(f"“{self.pattern[self.place]}” stands alone at character {self.place + 1}.")
        return part

    def _peek(self) -> str:
        return self.pattern[self.place : self.place + 1]

    def _take(self, what: str) -> str:
        if self.place >= len(self.pattern):
            raise BadPattern(f"The pattern ends where {what} should stand.")
        self.place += 1
        return self.pattern[self.place - 1]

    def _new(self, test: Test | None = None) -> int:
        if len(self.states) >= MAX_STATES:
            raise BadPattern("The pattern is too large: its repetitions multiply.")
        self.states.append(State(test))
        return len(self.states) - 1

    def _alternatives(self) -> _Part:
        self.depth += 1
        if self.depth > 50:
            raise BadPattern("The pattern has more than 50 brackets within each other.")
        start, end = self._new(), self._new()
        while True:
            first, last = self._branch()
            self.states[start].free.append(first)
            self.states[last].free.append(end)
            if self._peek() != "|":
                self.depth -= 1
                return start, end
            self.place += 1

    def _branch(self) -> _Part:
        start = end = self._new()
        while self._peek() not in ("", "|", ")"):
            first, end_of_piece = self._piece()
            self.states[end].free.append(first)
            end = end_of_piece
        return start, end

    def _piece(self) -> _Part:
        begin = self.place
        part = self._atom()
        after_atom = self.place
        least, most = self._quantifier()
        if (least, most) == (1, 1):
            return part
        after = self.place
        copies = [part]
        for _ in range(max(least, most or 0, 1) - 1):
            self.place = begin
            copies.append(self._atom())
        assert self.place == after_atom or len(copies) == 1
        self.place = after
        return self._repeated(copies, least, most)

    def _repeated(self, copies: list[_Part], least: int, most: int | None) -> _Part:
        """The copies in a row; from the `least`-th on one may leave, and without `most` the last one may go round."""
        start, end = self._new(), self._new()
        at = start
        for number, (first, last) in enumerate(copies):
            if number >= least:
                self.states[at].free.append(end)
            if most == 0:
                break
            self.states[at].free.append(first)
            at = last
        self.states[at].free.append(end)
        if most is None:
            self.states[copies[-1][1]].free.append(copies[-1][0])
        return start, end

    def _quantifier(self) -> tuple[int, int | None]:
        sign = self._peek()
        if sign in ("*", "+", "?") and sign:
            self.place += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        if sign != "{":
            return 1, 1
        inside, closed, _ = self.pattern[self.place + 1 :].partition("}")
        least, comma, most = inside.partition(",")
        if not (closed and least.isascii() and least.isdigit() and (not most or (most.isascii() and most.isdigit()))):
            raise BadPattern("“{” must be followed by numbers, as in {2}, {2,} or {2,5}.")
        self.place += len(inside) + 2
        return _bounds(least, comma, most)

    def _atom(self) -> _Part:
        if self._peek() == "(":
            self.place += 1
            part = self._alternatives()
            if self._take("“)”") != ")":
                raise BadPattern("A “(” is never closed.")
            return part
        start = self._new(self._single())
        end = self._new()
        self.states[start].then = end
        return start, end

    def _single(self) -> Test:
        character = self._take("a character")
        if character == ".":
            return lambda other: other not in "\r\n"
        if character == "\\":
            return self._escape()
        if character == "[":
            return self._class()
        if character in "*+?{}])":
            raise BadPattern(f"“{character}” has nothing before it to repeat or to close, at character {self.place}.")
        return character.__eq__

    def _escape(self) -> Test:
        character = self._take("an escaped character")
        if character in "pP":
            return self._category(negated=character == "P")
        if character.lower() in _SHORT:
            test = _SHORT[character.lower()]
            return test if character.islower() else lambda other: not test(other)
        return self._escaped(character).__eq__

    def _escaped(self, character: str) -> str:
        if character in _NAMED:
            return _NAMED[character]
        if character in _ESCAPED:
            return character
        raise BadPattern(f"“\\{character}” is not known in patterns.")

    def _category(self, *, negated: bool) -> Test:
        inside, closed, _ = self.pattern[self.place :].partition("}")
        name = inside.removeprefix("{")
        if not closed or inside == name or not _CATEGORY.fullmatch(name):
            raise BadPattern("“\\p” must be followed by a Unicode category, as in \\p{L} or \\p{Nd}.")
        self.place += len(inside) + 1
        return lambda character: unicodedata.category(character).startswith(name) is not negated

    def _class(self) -> Test:
        negated = self._peek() == "^"
        self.place += negated
        tests: list[Test] = []
        while self._peek() != "]" or not tests:
            tests.append(self._member())
        self.place += 1
        return lambda character: any(test(character) for test in tests) is not negated

    def _member(self) -> Test:
        first = self._take("“]”")
        if first == "\\":
            if self._peek().lower() in ("p", *_SHORT) and self._peek():
                return self._escape()
            first = self._escaped(self._take("an escaped character"))
        elif first in "[]":
            raise BadPattern(f"“{first}” must be written “\\{first}” inside square brackets.")
        if self._peek() != "-" or self.pattern[self.place + 1 : self.place + 2] in ("]", ""):
            return first.__eq__
        self.place += 1
        last = self._take("the end of a range")
        if last == "\\":
            last = self._escaped(self._take("an escaped character"))
        if last < first:
            raise BadPattern(f"The range “{first}-{last}” runs backwards.")
        return lambda character: first <= character <= last


def _bounds(least: str, comma: str, most: str) -> tuple[int, int | None]:
    if len(least) > 4 or len(most) > 4:
        raise BadPattern("A repetition counts to 9999 at most.")
    low = int(least)
    high = low if not comma else int(most) if most else None
    if high is not None and high < low:
        raise BadPattern(f"The repetition {{{low},{high}}} runs backwards.")
    return low, high
