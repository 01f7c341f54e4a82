"""I-Regexp (RFC 9485), matched in linear time: no pattern and no text can make it hang.

A pattern becomes a nondeterministic automaton (`iregexp_grammar`), and that a deterministic one, state by state, only
as far as texts need it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from httpstep.core.iregexp_grammar import BadPattern, Parser

__all__ = ["BadPattern", "Pattern", "Spend"]

Spend = Callable[[int], None]
"""Takes the work that is about to be done; raises when there was too much."""

_MAX_KNOWN: Final = 500


class _Row(dict[str, "_Row"]):
    """A state of the deterministic automaton: the steps from it that are known. `over`: no text changes it any more."""

    __slots__ = ("fits", "over", "states")

    def __init__(self, states: frozenset[int], fits: bool, over: bool) -> None:
        super().__init__()
        self.states = states
        self.fits = fits
        self.over = over


_Rows = dict[frozenset[int], _Row]


class Pattern:
    """A compiled pattern. Raises BadPattern."""

    def __init__(self, pattern: str) -> None:
        parser = Parser(pattern)
        self._states = parser.states
        self._start, self._end = parser.whole()
        self._first = self._closure([self._start])
        self._rows: dict[bool, _Rows] = {True: {}, False: {}}

    def matches(self, text: str, spend: Spend) -> bool:
        """Whether the whole text fits (RFC 9535, 2.4.6)."""
        return self._run(text, spend, anywhere=False)

    def found_in(self, text: str, spend: Spend) -> bool:
        """Whether any part of the text fits (RFC 9535, 2.4.7)."""
        return self._run(text, spend, anywhere=True)

    def _run(self, text: str, spend: Spend, *, anywhere: bool) -> bool:
        spend(len(text) // 2 + 1)
        rows = self._known(anywhere)
        row = self._row(rows, self._first, anywhere)
        for character in text:
            if row.over:
                break
            after = row.get(character)
            row = self._step(rows, row, character, spend, anywhere) if after is None else after
        return row.fits

    def _known(self, anywhere: bool) -> _Rows:
        """What is known is dropped when it grew large; a run that holds it goes on with it."""
        rows = self._rows[anywhere]
        if len(rows) > _MAX_KNOWN or sum(map(len, rows.values())) > _MAX_KNOWN * 20:
            rows = self._rows[anywhere] = {}
        return rows

    def _row(self, rows: _Rows, states: frozenset[int], anywhere: bool) -> _Row:
        row = rows.get(states)
        if row is None:
            fits = self._end in states
            row = rows[states] = _Row(states, fits, over=fits if anywhere else not states)
        return row

    def _step(self, rows: _Rows, row: _Row, character: str, spend: Spend, anywhere: bool) -> _Row:
        spend(len(row.states) * 4 + 10)
        after = [self._states[state].then for state in row.states if self._fits(state, character)]
        if anywhere:
            after.append(self._start)
        row[character] = known = self._row(rows, self._closure(after), anywhere)
        return known

    def _fits(self, state: int, character: str) -> bool:
        test = self._states[state].test
        return test is not None and test(character)

    def _closure(self, states: list[int]) -> frozenset[int]:
        seen = set(states)
        waiting = list(states)
        while waiting:
            for state in self._states[waiting.pop()].free:
                if state not in seen:
                    seen.add(state)
                    waiting.append(state)
        return frozenset(seen)
