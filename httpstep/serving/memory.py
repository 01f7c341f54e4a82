"""What a process gives back to the system of what large answers took.

glibc keeps what an answer of a megabyte took for the next one, in each of the arenas that it makes for threads that
allocate at the same moment: hence few arenas, and what is free in them given back now and then. Python gives back its
blocks of a megabyte where nothing is left in them; a hundred of them stay for a few hundred objects, which cannot be
moved. That only goes with the process, so one that has grown is replaced in a moment in which nobody needs it
(docs/decisions/0032).
"""

from __future__ import annotations

import ctypes
import logging
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

ARENAS: Final = 2
EVERY: Final = 5.0
"""Seconds between two looks; one takes some milliseconds, in which other threads go on."""
LEAST_SECONDS: Final = 60.0
"""A process that is younger is not replaced: the next answers may be like those that made it grow."""
GROWN_BYTES: Final = 16 * 1024 * 1024
_M_ARENA_MAX: Final = -8
_log = logging.getLogger("httpstep")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def bound_arenas() -> None:
    """Before the first thread. What is no glibc has neither the fault nor the function."""
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)


def own_bytes() -> int:
    """Bytes of this process in memory that are of no file; 0 where the system does not tell (proc(5), statm)."""
    with suppress(OSError, ValueError, IndexError):
        _, resident, of_files, *_ = Path("/proc/self/statm").read_text().split()
        return (int(resident) - int(of_files)) * _PAGE
    return 0


class GivingBack:
    """Of one process. worked: something was answered since it was last done. grown: the process should be replaced."""

    def __init__(self) -> None:
        self.worked = self.grown = False
        self._began, self._due = time.monotonic(), 0.0
        self._at_first = own_bytes()
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)

    def when_due(self, now: float) -> None:
        """now: seconds of the monotonic clock."""
        if not self.worked or now < self._due:
            return
        is_young = now < self._began + LEAST_SECONDS
        self._due = now + EVERY
        self.worked = is_young  # then it is looked at once more, also where nobody asks
        if self._trim is not None:
            self._trim(0)
        if not (self.grown or is_young):
            grown_by = own_bytes() - self._at_first
            self.grown = grown_by > GROWN_BYTES
            if self.grown:
                _log.info(
                    "this worker has grown by %d MB: another takes its place when nobody needs it", grown_by >> 20
                )
