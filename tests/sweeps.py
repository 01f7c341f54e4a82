"""Sweeps: one thing tried in every place where it could go wrong, such as a kill before each statement of an upgrade.

`make test` runs a fixed portion of each, which is the same in every run of the same code, and says in the last lines how
much that was. `make test SWEEP=whole` (pytest's `--whole-sweeps`) runs all of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

Case = TypeVar("Case")


class Sweep:
    """The sweep of one test. told: test -> "7 of 21", for the summary."""

    def __init__(self, test: str, told: dict[str, str], *, whole: bool) -> None:
        self._test, self._told, self.whole = test, told, whole

    def portion(self, cases: Iterable[Case], every: int, first: int = 0) -> list[Case]:
        """Of the cases every so manieth, beginning with the one at `first`; all of them in a whole sweep."""
        listed = list(cases)
        chosen = listed if self.whole else listed[first::every]
        self.tell(len(chosen), len(listed))
        return chosen

    def count(self, portion: int, whole: int) -> int:
        """How many are made of what has no end."""
        self.tell(whole if self.whole else portion, whole)
        return whole if self.whole else portion

    def tell(self, run: int, whole: int) -> None:
        """So many were run of so many."""
        if run < whole:
            self._told[self._test] = f"{run} of {whole}"
