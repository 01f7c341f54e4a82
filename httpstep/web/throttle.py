"""Counting tries at something that could be guessed, in the same storage as the budget of calls."""

from __future__ import annotations

import time

from limits import RateLimitItem
from werkzeug.exceptions import TooManyRequests

from httpstep.extensions import limiter


def count_try(item: RateLimitItem, *names: str) -> None:
    """Count one. Raises the 429, with the seconds to wait, where `item` is used up for these names."""
    if not limiter.limiter.hit(item, *names):
        reset = limiter.limiter.get_window_stats(item, *names).reset_time
        wait = max(1, int(reset - time.time()) + 1)
        raise TooManyRequests("There were too many tries. Wait a minute, then try again.", retry_after=wait)
