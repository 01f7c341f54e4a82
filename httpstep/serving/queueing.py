"""Calls of bots for which no thread of the process is free: their connections wait until there is one."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

FREE_THREADS: Final = 8
"""Of those that serve requests, never taken by calls of bots: pages and `/health` always find one."""
QUEUE_SECONDS: Final = 30.0
"""A call of a bot waits so long for a thread; then the application decides, which may refuse it."""


class CallQueue:
    """The threads that calls may take, of `threads` in all, and gunicorn's connections with a call that wait for one.

    `takes`, `let_go`, `next_of_thread` and `forget` are for the thread that has such a connection; the rest is the loop's.
    """

    def __init__(self, threads: int) -> None:
        self._free = threading.Semaphore(max(1, threads - FREE_THREADS))
        self._waiting: deque[Any] = deque()

    def takes(self, conn: Any) -> bool:
        """Whether a thread is free for it, which it then holds; or it has waited for one long enough."""
        conn.holds = getattr(conn, "holds", False) or self._free.acquire(blocking=False)
        return conn.holds or time.monotonic() > getattr(conn, "queued_until", float("inf"))

    def let_go(self, conn: Any) -> bool:
        """Whether it held a thread, which is for whoever asks to give back or to hand on."""
        held, conn.holds = getattr(conn, "holds", False), False
        return bool(held)

    def next_of_thread(self) -> Any | None:
        """The one that has waited longest, which has that thread now; None where none waits, and the thread is free."""
        try:
            conn = self._waiting.popleft()
        except IndexError:
            self._free.release()
            return None
        conn.holds = True
        return conn

    def give_back(self, conn: Any) -> None:
        """The thread that it held, if it held one."""
        if self.let_go(conn):
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
        """The one that has waited longest, if there is a thread for it, and those that have waited long enough.

        A thread that becomes free right before `add` takes nobody, so this is asked once more in the same turn of the loop.
        """
        with suppress(IndexError):  # a thread may take the last one meanwhile
            if self._waiting and not self.is_full():
                yield self._waiting.popleft()
            while self._waiting[0].queued_until <= time.monotonic():
                yield self._waiting.popleft()
