"""What a process gives back to the system. glibc keeps what an answer of a megabyte took for the next one, in each of
the arenas that it makes for threads that allocate at the same moment; of 64 threads that is hundreds of megabytes."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from typing import Final

ARENAS: Final = 2
EVERY: Final = 5.0
"""Seconds between two looks; one takes some milliseconds, in which other threads go on."""
_M_ARENA_MAX: Final = -8


def bound_arenas() -> None:
    """Before the first thread. What is no glibc has neither the fault nor the function."""
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)


class GivingBack:
    """Of one process. `worked`: something was answered since it was last done."""

    def __init__(self) -> None:
        self.worked = False
        self._due = 0.0
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)

    def when_due(self, now: float) -> None:
        """now: seconds of the monotonic clock."""
        if not self.worked or now < self._due or self._trim is None:
            return
        self.worked, self._due = False, now + EVERY
        self._trim(0)
