"""What a process remembers of refusals, so that whoever is refused again does not hold up who has room; and how many."""

from __future__ import annotations

import threading
import time
from collections import Counter

from httpstep.execution.budget.ratelimit import Budget, RateLimited, budget_of, in_database

_CROWDED = 1.0
"""Seconds after a refusal for want of a place in which a read comes before the transaction that writes."""


class Refused:
    """What this process knows of accounts that were refused, so that a flood costs a read and no transaction that writes."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}
        self._full_at: dict[int, float] = {}
        self._counted: Counter[tuple[str, str]] = Counter()
        self._written_at = time.monotonic()
        self._lock = threading.Lock()

    def note_full(self, account_id: int) -> None:
        """All places of the account were taken just now."""
        self._full_at[account_id] = time.monotonic()

    def was_full(self, account_id: int) -> bool:
        """Whether they were within the last second."""
        return time.monotonic() - self._full_at.get(account_id, -_CROWDED) < _CROWDED

    def is_clear(self, account_id: int) -> bool:
        """Whether nothing is known against a call of the account."""
        return self._until.get(account_id, 0.0) <= time.monotonic() and not self.was_full(account_id)

    def require(self, account_id: int, per_minute: int | None) -> None:
        """Raises RateLimited where the budget was seen spent until now, and a read says that it still is."""
        if self._until.get(account_id, 0.0) > time.monotonic():
            budget = budget_of(account_id, per_minute)
            if not budget.remaining:
                raise RateLimited(budget)

    def note(self, account_id: int, budget: Budget) -> None:
        """After a refusal by the rows."""
        if in_database():
            self._until[account_id] = time.monotonic() + budget.exactly

    def count(self, account: str, reason: str) -> None:
        """One refusal more, in memory: written down with what is written next, since a flood must not write."""
        with self._lock:
            self._counted[account, reason] += 1

    def take(self, *, older_than: float = 0.0) -> Counter[tuple[str, str]]:
        """What is not written yet, for the caller to write; nothing where the last was taken fewer seconds ago."""
        with self._lock:
            if not self._counted or time.monotonic() - self._written_at < older_than:
                return Counter()
            taken, self._counted, self._written_at = self._counted, Counter(), time.monotonic()
            return taken

    def give_back(self, taken: Counter[tuple[str, str]]) -> None:
        """What could not be written after all."""
        with self._lock:
            self._counted += taken
