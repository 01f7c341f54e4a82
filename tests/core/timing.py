"""Time that work takes, on a machine that others use too."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time


def within(seconds: float, work: Callable[[], object]) -> bool:
    """Whether the work takes no longer than that, in one of three tries."""
    for _ in range(3):
        begun = process_time()
        work()
        if process_time() - begun < seconds:
            return True
    return False
