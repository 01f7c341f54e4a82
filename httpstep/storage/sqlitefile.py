"""SQLite's file under a running application: whether what lies at its path is still what was opened.

An open file goes on answering after it was deleted, moved away or replaced, and what is written to it then nobody finds
again. So a process knows which file it opened, and gives up its connections where another one, or none, lies there now.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from contextlib import suppress

Identity = tuple[int, int]
"""Device and number of a file: what stays the same when it is renamed, and differs in a copy."""

GONE = "the database's file is gone"
REPLACED = (
    "the database's file was replaced while httpstep was running: put the old one back, or stop httpstep, delete the "
    "-wal and -shm files beside it and start again"
)


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


class SqliteFile:
    """The file at `path`, which is one and the same from the first connection of this process on."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._pin: _Pin | None = None

    def require(self, *, may_create: bool) -> None:
        """Before a connection is opened. Raises sqlite3.OperationalError where the file is gone (SQLite would begin an
        empty one) or is another one (SQLite would apply the old one's WAL to it)."""
        found = identity(self.path)
        if found is None and may_create:
            self._make()
        elif found is None or not self._is_known(found):
            raise sqlite3.OperationalError(REPLACED if found else GONE)

    def opened(self) -> Identity:
        """Which file a new connection has opened. Raises sqlite3.OperationalError where it changed meanwhile."""
        found = identity(self.path)
        if found is None or not self._is_known(found):
            raise sqlite3.OperationalError(REPLACED if found else GONE)
        self._pin = self._pin or _Pin(self.path)
        return found

    def is_still(self, opened: Identity) -> bool:
        return identity(self.path) == opened

    def forget(self) -> None:
        self._pin = None

    def _is_known(self, found: Identity) -> bool:
        return self._pin is None or self._pin.identity == found

    def _make(self) -> None:
        """Empty, and for its owner alone whatever the folder lets others read; SQLite gives its WAL the same rights."""
        with suppress(OSError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
