"""Regular expressions that are compiled when they are first used. To compile those of the house takes a twentieth of a
start, and a process uses few of them."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


def regex(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, for those of a module. What is wrong with one is said by its first use: a test uses them all."""
    return cast("re.Pattern[AnyStr]", Lazy(pattern, flags))


class Lazy:
    def __init__(self, pattern: Any, flags: int) -> None:
        self._compiled_of = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        """What is asked for is kept, and found from then on without this."""
        found = getattr(re.compile(*self._compiled_of), name)
        setattr(self, name, found)
        return found
