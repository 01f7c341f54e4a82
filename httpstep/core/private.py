"""Values that hold what is a customer's: no log, no traceback and no failed test may write them."""

from __future__ import annotations

from msgspec import Struct


class Private(Struct, frozen=True):
    """Written as the name of its class alone. Whoever holds it compares, hashes and copies it as any other value."""

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}(…)"
