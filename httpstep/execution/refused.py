"""What a process remembers of refusals, so that whoever is refused again does not hold up who has room."""

from __future__ import annotations

import time

from httpstep.execution.ratelimit import PER_MINUTE, Budget, RateLimited, in_database

_CROWDED = 1.0
"""Seconds after a refusal for want of a place in which a read comes before the transaction that writes."""


class Refused:
    """What this process knows of accounts that were refused, so that a flood costs no transaction that writes.

    No call leaves a window earlier than its time, and a limit that was changed is another one, so that what is refused
    here would be refused by the rows too. When a place in flight becomes free nobody can know: there a read tells.
    """

    def __init__(self) -> None:
        self._until: dict[int, tuple[int, float]] = {}
        self._full_at: dict[int, float] = {}

    def note_full(self, account_id: int) -> None:
        """All places of the account were taken just now."""
        self._full_at[account_id] = time.monotonic()

    def was_full(self, account_id: int) -> bool:
        """Whether they were within the last second."""
        return time.monotonic() - self._full_at.get(account_id, -_CROWDED) < _CROWDED

    def require(self, account_id: int, per_minute: int | None) -> None:
        """Raises RateLimited where the budget is known to be spent."""
        limit, until = self._until.get(account_id, (0, 0.0))
        left = until - time.monotonic()
        if limit == (per_minute or PER_MINUTE) and left > 0:
            raise RateLimited(Budget(limit, 0, int(left) + 1, left))

    def note(self, account_id: int, budget: Budget) -> None:
        """After a refusal by the rows. Redis, which may be emptied, is asked each time."""
        if in_database():
            self._until[account_id] = budget.limit, time.monotonic() + budget.exactly
