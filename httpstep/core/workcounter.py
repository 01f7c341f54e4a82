"""Counts work, so that whoever has a clock can end it in time. Pure code reads no clock.

A step is about a tenth of a microsecond: a value looked at, a name compared, some ten bytes read or written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

CHECKED_EVERY: Final = 50_000
"""Steps: a few milliseconds. An answer of less work than that is never asked whether there is time for it."""
_BYTES_A_STEP: Final = 8


def _unlimited() -> None:
    """Work that nobody waits for."""


class WorkCounter(Struct):
    """`spent`: the steps so far. `check` is called now and then, and raises where the work must end."""

    check: Callable[[], None] = _unlimited
    spent: int = 0
    checked_at: int = 0

    def spend(self, steps: int) -> None:
        self.spent += steps
        if self.spent - self.checked_at >= CHECKED_EVERY:
            self.checked_at = self.spent
            self.check()

    def spend_bytes(self, count: int) -> None:
        """The same for text that is read or written as a whole."""
        self.spend(count // _BYTES_A_STEP + 1)
