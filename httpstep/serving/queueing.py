"""Calls of bots for which no thread of the process is free: their connections wait in the worker's loop."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

FREE_THREADS: Final = 8
"""Of those that serve requests, never taken by calls of bots: pages and `/health` always find one."""
QUEUE_SECONDS: Final = 30.0
"""A call of a bot waits so long for a thread; then the application decides, which may refuse it."""


class CallQueue:
    """The threads that calls may take, of `threads` in all, and gunicorn's connections with a call that wait for one.

    `takes` is for the thread that has such a connection; everything else is the loop's.
    """

    def __init__(self, threads: int) -> None:
        self._free = threading.Semaphore(max(1, threads - FREE_THREADS))
        self._waiting: deque[Any] = deque()

    def takes(self, conn: Any) -> bool:
        """Whether a thread is free for it, which it then holds; or it has waited for one long enough."""
        conn.holds = self._free.acquire(blocking=False)
        return conn.holds or time.monotonic() > getattr(conn, "queued_until", float("inf"))

    def give_back(self, conn: Any) -> None:
        """The thread that it held, if it held one."""
        if getattr(conn, "holds", False):
            conn.holds = False
            self._free.release()

    def is_full(self) -> bool:
        """Whether a call would find no thread."""
        free = self._free.acquire(blocking=False)
        if free:
            self._free.release()
        return not free

    def add(self, conn: Any) -> None:
        conn.queued_until = getattr(conn, "queued_until", time.monotonic() + QUEUE_SECONDS)
        self._waiting.append(conn)

    def forget(self, conn: Any) -> None:
        """What it waited is over: its next call waits as long as any other."""
        conn.__dict__.pop("queued_until", None)

    def ready(self) -> Iterator[Any]:
        """The one that has waited longest, if there is a thread for it, and those that have waited long enough."""
        if self._waiting and not self.is_full():
            yield self._waiting.popleft()
        while self._waiting and self._waiting[0].queued_until <= time.monotonic():
            yield self._waiting.popleft()
