"""SQLite's file under a running application: whether what lies at its path is still what was opened.

An open file goes on answering after it was deleted, moved away or replaced, and what is written to it then nobody finds
again. So every connection knows which file it opened, and is given up where another one, or none, lies there now.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

Identity = tuple[int, int]
"""Device and number of a file: what stays the same when it is renamed, and differs in a copy."""
Opened = tuple[Identity, Identity | None]
"""The file that a connection opened, and the WAL it writes to (None where it keeps none)."""

_WAITED: Final = 5.0
"""Seconds to wait for another process that opens the file just now."""
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


class SqliteFile:
    """The file at `path`, and the WAL beside it: which SQLite finds by name and applies to whatever file lies there.

    A note beside them says whose the WAL is, for all processes: one that slept may have missed a whole file between.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._pin: _Pin | None = None

    @contextmanager
    def opening(self, *, may_create: bool) -> Iterator[Callable[[], Opened]]:
        """Around the opening of a connection, one after the other in all processes. Yields what is to be called when
        SQLite has made its WAL; it gives what was opened. A WAL of another file is put aside before.

        Raises sqlite3.OperationalError where the file is gone (SQLite would begin an empty one), or was replaced
        meanwhile.
        """
        with self._alone():
            found = identity(self.path)
            if found is None and not may_create:
                raise sqlite3.OperationalError("the database's file is gone")
            if found is not None:
                self._put_aside_a_wal_of_another(found)
            else:
                self._make()
            yield partial(self._opened, found)

    def _make(self) -> None:
        """Empty, and for its owner alone whatever the folder lets others read; SQLite gives its WAL the same rights."""
        with suppress(OSError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    def _opened(self, expected: Identity | None) -> Opened:
        found = identity(self.path)
        if found is None or expected not in (None, found):
            raise sqlite3.OperationalError("the database's file was moved or replaced while it was opened")
        if self._pin is None or self._pin.identity != found:
            self._pin = _Pin(self.path)
        opened = found, identity(self._wal)
        note = json.dumps(opened)
        with suppress(OSError):  # no place, or not to be written: then the file is as safe as without a note
            if self._note.read_text(encoding="ascii") == note:
                return opened
        with suppress(OSError):
            draft = self._note.with_name(f"{self._note.name}.new")
            draft.write_text(note, encoding="ascii")
            draft.replace(self._note)
        return opened

    def is_still(self, opened: Opened) -> bool:
        """Also of the WAL: where the file was away and came back while this process slept, another one put its WAL
        aside and began the next; who writes on into the old one writes for nobody."""
        file, wal = opened
        return identity(self.path) == file and (wal is None or identity(self._wal) == wal)

    def leave(self, connection: sqlite3.Connection, opened: Opened) -> None:
        """Before a connection to the old file is closed: bring what was committed from its WAL into it, wherever it is
        now. SQLite itself does not do that at closing for a file that was moved. Where the file lies there again with
        another WAL, nothing is brought: others have written since, and their pages are newer."""
        if identity(self.path) == opened[0]:
            return
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def forget(self) -> None:
        self._pin = None

    @property
    def _wal(self) -> str:
        return f"{self.path}-wal"

    @property
    def _note(self) -> Path:
        return Path(f"{self.path}-wal-of")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            folder = os.open(Path(self.path).parent, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise sqlite3.OperationalError(f"unable to open the database's folder: {error.strerror}") from None
        ends = time.monotonic() + _WAITED
        try:
            while True:
                try:
                    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > ends:
                        raise sqlite3.OperationalError("another process opens the database and does not end") from None
                    time.sleep(0.005)
            yield
        finally:
            os.close(folder)

    def _put_aside_a_wal_of_another(self, found: Identity) -> None:
        wal = identity(self._wal)
        try:
            of, noted = (None if each is None else tuple(each) for each in json.loads(self._note.read_text("ascii")))
        except (OSError, ValueError, TypeError):
            return
        if of == found or wal is None or wal != noted:
            return
        aside = f"{self.path}-wal-of-replaced-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{wal[1]}"
        Path(f"{self.path}-shm").unlink(missing_ok=True)
        Path(self._wal).rename(aside)
        _log.warning("the database's file was replaced; what was not yet in the old one is in %s", Path(aside).name)
