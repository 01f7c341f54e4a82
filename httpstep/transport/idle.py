"""Connections at rest: which may be taken up again, and how many there are in all."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Protocol

# A server closes at the moment it announced; a request must not meet it there.
_MARGIN = 1.0


class Closable(Protocol):
    def close(self) -> None: ...


class IdleConnections:
    """The book of all resting connections of a transport. Over `limit`, the one that rests longest is closed.

    seconds: how long one may rest at most; unpromised: how long where the server did not say that it keeps it.
    A connection is closed only under the lock and while it is in the book, so never while a call uses it.
    """

    def __init__(self, *, limit: int, seconds: float, unpromised: float) -> None:
        self._most = limit
        self._seconds = seconds
        self._unpromised = min(unpromised, seconds)
        self._until: OrderedDict[Closable, float] = OrderedDict()
        self._lock = threading.Lock()

    def rest(self, connection: Closable, promised: float | None) -> None:
        """`promised`: seconds the server said it keeps the connection, if it said so."""
        now = time.monotonic()
        seconds = self._unpromised if promised is None else min(self._seconds, promised - _MARGIN)
        with self._lock:
            self._until[connection] = now + seconds
            while len(self._until) > self._most or self._oldest_is_over(now):
                self._until.popitem(last=False)[0].close()

    def take(self, connection: Closable) -> bool:
        """Whether the connection was at rest and may still be used. Either way it is not at rest any more."""
        with self._lock:
            return self._until.pop(connection, 0.0) > time.monotonic()

    def _oldest_is_over(self, now: float) -> bool:
        return bool(self._until) and next(iter(self._until.values())) <= now
