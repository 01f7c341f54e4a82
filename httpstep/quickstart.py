"""How a start imports the application: a third of it goes by where nothing is done about that."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Around the import of the application. Of what imports make nothing is garbage, and Python does not look for it,
    then or later; the certificates of the authorities that are trusted are read meanwhile."""
    gc.disable()
    try:
        from httpstep.transport.tls import read_ahead

        read_ahead()
        yield
    finally:
        gc.freeze()
        gc.enable()
