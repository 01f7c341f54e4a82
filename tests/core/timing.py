"""Time that work takes, on a machine that others use too."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

SLACK = 8
"""These tests notice work that explodes with its input. How fast it is, the benchmarks say."""


def within(seconds: float, work: Callable[[], object]) -> bool:
    """Whether the work takes about that long and not a multiple of it, in one of three tries."""
    for _ in range(3):
        begun = process_time()
        work()
        if process_time() - begun < seconds * SLACK:
            return True
    return False
