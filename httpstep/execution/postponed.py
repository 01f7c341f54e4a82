"""What has to be written after a call, however long the database is away: the end of its log row, the stored answer.

The call was made and cannot be unmade, so the bot gets its answer; what follows from it waits here, in memory, until
the database takes it. A process that is killed before loses it, and its rows then read as interrupted.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from flask import Flask

from httpstep.core.errors import place_of
from httpstep.storage.database import is_unavailable

Write = Callable[[], object]
AGAIN_AFTER = 0.5
GIVEN_UP_AFTER = 3600.0
MAX_WAITING = 2000
THREAD = "httpstep-postponed"


class Postponed:
    """The writes of this process that wait, in their order."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._waiting: deque[tuple[float, Write]] = deque(maxlen=MAX_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def write(self, write: Write) -> bool:
        """Do it now or, where the database is away, as soon as it answers again. Returns whether it was done.

        It must be one transaction, and right also where it is done twice: a commit whose answer was lost is repeated.
        Behind one that waits it waits too, untried: a locked database costs an answer five seconds once, not each time.
        """
        if self._waiting:
            self.later(write)
            return False
        try:
            write()
        except Exception as error:
            if not is_unavailable(error):
                raise
            self._app.logger.warning("a write waits until the database answers again: %s", type(error).__name__)
            self.later(write)
            return False
        return True

    def write_first_of(self, *writes: Write) -> None:
        """Do the first of them that can be done, now or as soon as the database answers again. Never raises: a fault of
        ours in one costs what only that one would have written, and is told to the application's log.
        """

        def first() -> None:
            for one in writes:
                try:
                    one()
                    return
                except Exception as error:
                    if is_unavailable(error):
                        raise
                    self._app.logger.error("a write after a call failed\n%s", place_of(error))

        for attempt in (lambda: self.write(first), first):
            try:
                attempt()
                return
            except Exception as error:
                self._app.logger.error("the writes after a call could not be done\n%s", place_of(error))

    def later(self, write: Write) -> None:
        with self._lock:
            self._waiting.append((time.monotonic() + GIVEN_UP_AFTER, write))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
                self._thread.start()

    def finish(self, seconds: float) -> int:
        """Wait until nothing waits any more, at most so many seconds, before the process ends. Returns what is lost."""
        ends = time.monotonic() + seconds
        while self._waiting and time.monotonic() < ends:
            time.sleep(0.05)
        return len(self._waiting)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                ends, write = self._waiting[0]
            if self._is_settled(write) or time.monotonic() > ends:
                with self._lock:
                    self._waiting.popleft()
            else:
                time.sleep(AGAIN_AFTER)

    def _is_settled(self, write: Write) -> bool:
        """Done, or failed for a reason that waiting does not mend."""
        try:
            with self._app.app_context():
                write()
        except Exception as error:
            if is_unavailable(error):
                return False
            self._app.logger.exception("a postponed write failed")
        return True
