"""Connections at rest: which may be taken up again, and how many there are in all."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Generic, Protocol, TypeVar

# A server closes at the moment it announced; a request must not meet it there.
_MARGIN = 1.0


class Closable(Protocol):
    def close(self) -> None: ...


Owner = tuple[str, str, str, int]
"""The account whose connection it is, and the origin it leads to: no answer and no TLS session may cross over."""
_C = TypeVar("_C", bound=Closable)


class IdleConnections(Generic[_C]):
    """The book of all resting connections of a transport. Over `limit`, and over `per_owner`, the one that rests longest
    is closed.

    seconds: how long one may rest at most; unpromised: how long where the server did not say that it keeps it.
    A connection is in the book or belongs to one call; it is closed here only under the lock, while it is in the book.
    """

    def __init__(self, *, limit: int, per_owner: int, seconds: float, unpromised: float) -> None:
        self._most, self._most_of_one = limit, per_owner
        self._seconds = seconds
        self._unpromised = min(unpromised, seconds)
        self._until: OrderedDict[_C, tuple[float, Owner]] = OrderedDict()
        self._of: dict[Owner, list[_C]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._until)

    def rest(self, owner: Owner, connection: _C, promised: float | None) -> None:
        """`promised`: seconds the server said it keeps the connection, if it said so."""
        now = time.monotonic()
        seconds = self._unpromised if promised is None else min(self._seconds, promised - _MARGIN)
        with self._lock:
            mine = self._of.setdefault(owner, [])
            mine.append(connection)
            self._until[connection] = now + seconds, owner
            if len(mine) > self._most_of_one:
                self._drop(mine[0])
            while len(self._until) > self._most or self._oldest_is_over(now):
                self._drop(next(iter(self._until)))

    def take(self, owner: Owner) -> _C | None:
        """The one that came to rest last, if it may still be used. It is the caller's alone from now on."""
        with self._lock:
            while mine := self._of.get(owner):
                connection = mine[-1]
                if self._until[connection][0] > time.monotonic():
                    self._forget(connection)
                    return connection
                self._drop(connection)
        return None

    def close(self) -> None:
        with self._lock:
            while self._until:
                self._drop(next(iter(self._until)))

    def _drop(self, connection: _C) -> None:
        self._forget(connection)
        connection.close()

    def _forget(self, connection: _C) -> None:
        _, owner = self._until.pop(connection)
        self._of[owner].remove(connection)
        if not self._of[owner]:
            del self._of[owner]

    def _oldest_is_over(self, now: float) -> bool:
        return bool(self._until) and next(iter(self._until.values()))[0] <= now
