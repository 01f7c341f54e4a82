"""SQLite's file under a running application: whether what lies at its path is still what was opened.

An open file goes on answering after it was deleted, moved away or replaced, and what is written to it then nobody finds
again. So every connection knows which file it opened, and is given up where another one, or none, lies there now.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Final

Identity = tuple[int, int]
"""Device and number of a file: what stays the same when it is renamed, and differs in a copy."""

_BESIDE: Final = ("-wal", "-shm")
_log = logging.getLogger(__name__)


def identity(path: str) -> Identity | None:
    """Of the file that lies there now; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  asked on every use of a connection, and pathlib doubles its price
    except OSError:
        return None
    return found.st_dev, found.st_ino


class _Pin:
    """A file that was seen. While it is pinned its number is given to no other file, also where it is deleted."""

    def __init__(self, path: str) -> None:
        self.identity = identity(path)
        with suppress(OSError, AttributeError):
            # Where there is no O_PATH nothing is pinned: closing a file opened in another way drops SQLite's locks on it.
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
            weakref.finalize(self, os.close, handle)
            found = os.fstat(handle)
            self.identity = found.st_dev, found.st_ino

    @property
    def number(self) -> int:
        return self.identity[1] if self.identity else 0


class SqliteFile:
    """The file at `path` and what SQLite keeps beside it, as this process opened them last."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._pins: dict[str, _Pin] = {}

    def before_opening(self, *, may_create: bool) -> Identity | None:
        """The file that is about to be opened. Raises sqlite3.OperationalError where it is gone: SQLite would begin an
        empty one. Where it is another than before, the old one's WAL is put aside, which SQLite would apply to it."""
        found = identity(self.path)
        if found is None and not may_create:
            raise sqlite3.OperationalError("the database's file is gone")
        with self._lock:
            if found is not None and self._pins and self._pins[""].identity != found:
                self._put_aside()
        return found

    def after_opening(self, expected: Identity | None) -> Identity:
        """The file that was opened; raises where another one came to its path meanwhile."""
        found = identity(self.path)
        if found is None or expected not in (None, found):
            raise sqlite3.OperationalError("the database's file was moved or replaced while it was opened")
        return found

    def opened(self) -> None:
        """Remember the files. Called when SQLite has made those that lie beside."""
        with self._lock:
            for ending in ("", *_BESIDE):
                pin = self._pins.get(ending)
                if pin is None or pin.identity != identity(self.path + ending):
                    self._pins[ending] = _Pin(self.path + ending)

    def is_still(self, opened: Identity) -> bool:
        return identity(self.path) == opened

    def leave(self, connection: sqlite3.Connection) -> None:
        """Before a connection to the old file is closed: bring what was committed from its WAL into it, wherever it is
        now. SQLite itself does not do that at closing for a file that was moved."""
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def forget(self) -> None:
        with self._lock:
            self._pins.clear()

    def _put_aside(self) -> None:
        """Other processes notice the same; under the lock of the folder nobody takes away what another one made anew."""
        aside = f"-of-replaced-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{self._pins[''].number}"
        folder = os.open(Path(self.path).parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            if self._is_ours("-shm"):
                Path(f"{self.path}-shm").unlink()
            if self._is_ours("-wal"):
                Path(f"{self.path}-wal").rename(f"{self.path}-wal{aside}")
                _log.warning("the database's file was replaced; what was not yet in the old one is in *-wal%s", aside)
        finally:
            os.close(folder)

    def _is_ours(self, ending: str) -> bool:
        known = self._pins[ending].identity
        return known is not None and identity(self.path + ending) == known
