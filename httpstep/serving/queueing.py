"""Which calls of bots a process works on, and which wait in its queue until there is a thread and a turn for them."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any, Final

FREE_THREADS: Final = 8
"""Of those that serve requests, never taken by calls of bots: pages and `/health` always find one."""
TURNS: Final = 4
"""Calls that are worked on at the same moment, beside those that wait for their third parties. Python runs one thread at a
time: more of them take the interpreter from each other, and a call costs a fourth more."""
TURN_SECONDS: Final = 0.25
"""A call waits so long for its turn, as long as it finds or has a thread: somebody may wait for what nobody tells of."""
QUEUE_SECONDS: Final = 30.0
"""And so long for a thread; then the application decides, which may refuse it."""

_NOTHING: Final = 0
_THREAD: Final = 1
_TURN: Final = 2
"""What a connection `holds`: a thread, or a thread and its turn."""


class CallQueue:
    """The threads that calls may take, of `threads` in all, and gunicorn's connections with a call that wait.

    `add` is for the loop alone; everything else is for any thread.
    """

    def __init__(self, threads: int) -> None:
        self._threads = deque(range(max(1, threads - FREE_THREADS)))
        self._turns = deque(range(TURNS))
        self._waiting: deque[Any] = deque()
        self._returning: deque[threading.Lock] = deque()

    def takes(self, conn: Any) -> bool:
        """Whether its call is worked on now."""
        if getattr(conn, "holds", _NOTHING):
            return True
        waited = time.monotonic() - getattr(conn, "queued_at", float("inf"))  # -inf where it has not
        if not _taken(self._threads):
            return waited > QUEUE_SECONDS
        if _taken(self._turns):
            conn.holds = _TURN
        elif waited > TURN_SECONDS:
            conn.holds = _THREAD
        else:
            self._threads.append(0)
        return bool(getattr(conn, "holds", _NOTHING))

    def waits(self, conn: Any) -> None:
        """For its third party: another call may have its turn."""
        if getattr(conn, "holds", _NOTHING) == _TURN:
            conn.holds = _THREAD
            self._pass_on()

    def goes_on(self, conn: Any) -> None:
        """Its third party has answered: wait for a turn again. Those who do so have theirs before calls that have not begun."""
        if getattr(conn, "holds", _NOTHING) != _THREAD:
            return
        if not _taken(self._turns):
            mine = threading.Lock()
            mine.acquire()
            self._returning.append(mine)
            self._hand_out()
            if not mine.acquire(timeout=TURN_SECONDS):
                with suppress(ValueError):  # it was given one at this moment
                    self._returning.remove(mine)
                    return
        conn.holds = _TURN

    def _pass_on(self) -> None:
        self._turns.append(0)
        self._hand_out()

    def _hand_out(self) -> None:
        while self._returning and _taken(self._turns):
            try:
                self._returning.popleft().release()
            except IndexError:
                self._turns.append(0)

    def let_go(self, conn: Any) -> int:
        """What it held, which is for whoever asks to give back."""
        held, conn.holds = getattr(conn, "holds", _NOTHING), _NOTHING
        return int(held)

    def give_back(self, held: int) -> None:
        if held:
            self._threads.append(0)
        if held == _TURN:
            self._pass_on()

    def next(self) -> Any | None:
        """The one that has waited longest, if there is a thread and a turn for it."""
        while True:
            try:
                conn = self._waiting.popleft()
            except IndexError:
                return None
            if self.takes(conn):
                return conn
            self._waiting.appendleft(conn)
            if self.is_full():  # else what somebody gave back meanwhile found nobody waiting
                return None

    def is_full(self) -> bool:
        """Whether a further call would have to wait."""
        return not (self._threads and self._turns)

    def is_empty(self) -> bool:
        return not self._waiting

    def add(self, conn: Any) -> None:
        conn.queued_at = getattr(conn, "queued_at", time.monotonic())
        self._waiting.append(conn)

    def forget(self, conn: Any) -> None:
        """What it waited is over: its next call waits as long as any other."""
        conn.__dict__.pop("queued_at", None)


def _taken(free: deque[int]) -> bool:
    try:
        free.pop()
    except IndexError:
        return False
    return True
