"""One commit for all of a process that wait for one."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.exc import TimeoutError as PoolTimeout

from httpstep.storage.patience import is_unavailable

_LOOKS_EVERY: Final = 0.1
"""Seconds after which one who waits for a shared commit looks by itself whether anybody leads."""


@dataclass(eq=False)
class _Waiting:
    """One who waits for a commit that is shared. woken: told when the job is done, or when nobody leads any more."""

    job: Callable[[Connection], Any]
    result: Any = None
    error: Exception | None = None
    is_done: bool = False
    woken: SimpleQueue[None] = field(default_factory=SimpleQueue)

    def sleep(self, seconds: float) -> None:
        with suppress(Empty):
            self.woken.get(timeout=seconds)


class Sharing:
    """Who waits for the next shared commit of a process. One of them leads and does what all wait for; the others sleep,
    each on a queue of its own: on one lock for all they would wake one after the other, each only to see that its job
    is done.

    A fault of ours in whoever leads must hold up nobody: it is the lock that says whether somebody leads, each wakes now
    and then by itself, and a job that was taken is done or has an error.

    transaction: a transaction that writes, committed at its end. turn: of the threads that write, for so many seconds at
    most; it raises PoolTimeout.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Connection]],
        turn: Callable[[float], AbstractContextManager[None]],
    ) -> None:
        self._transaction, self._turn = transaction, turn
        self._waiting: deque[_Waiting] = deque()
        self._leading = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def do(self, job: Callable[[Connection], Any], seconds: float) -> Any:
        """What the job gives, committed. Raises what it raises, or PoolTimeout after so many seconds without a turn."""
        mine, ends = _Waiting(job), time.monotonic() + seconds
        self._waiting.append(mine)
        try:
            while not mine.is_done:
                self._lead_or_sleep(mine, ends)
        finally:
            if not mine.is_done:
                self._left(mine)
        if mine.error is not None:
            raise mine.error
        return mine.result

    def _lead_or_sleep(self, mine: _Waiting, ends: float) -> None:
        left = ends - time.monotonic()
        if not self._leading.acquire(blocking=False):
            if left < 0 and self._left(mine):
                raise PoolTimeout("database is locked")
            mine.sleep(_LOOKS_EVERY if left < 0 else min(_LOOKS_EVERY, left))  # past its time it is being done just now
            return
        try:
            if not mine.is_done:
                self._lead(max(left, 0))
        finally:
            self._leading.release()
            with suppress(IndexError):
                self._waiting[0].woken.put(None)  # after the release: whoever comes now leads by itself

    def _lead(self, patience: float) -> None:
        """Do all that wait, and wake them."""
        group: list[_Waiting] = []
        with self._turn(patience):
            try:
                with suppress(IndexError):
                    while True:
                        group.append(self._waiting.popleft())
                self._do_all(group)
            finally:
                for one in group:
                    if not one.is_done:
                        one.error = one.error or PoolTimeout("the transaction was broken off")
                        one.is_done = True
                    one.woken.put(None)

    def _do_all(self, group: list[_Waiting]) -> None:
        """Everybody's job in one transaction. Never raises what a job raised: that is for whoever asked for it."""
        try:
            with self._transaction() as connection:
                for one in group:
                    one.result = one.job(connection)
        except Exception as error:
            if len(group) > 1 and not is_unavailable(error):
                for one in group:
                    self._do_all([one])
                return
            for one in group:
                one.error = error
        for one in group:
            one.is_done = True

    def _left(self, one: _Waiting) -> bool:
        """Whether it waits no more. False: too late, it is being done just now."""
        try:
            self._waiting.remove(one)
        except ValueError:
            return False
        return True
