"""The success rule: which statuses count as a success, written as "200-299", "200, 201, 404" or "2xx"."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from httpstep.core.regex import regex

_PART: Final = regex(r"(?:([1-9][0-9]{2})(?:\s*-\s*([1-9][0-9]{2}))?|([1-5])xx)", re.IGNORECASE)
_MAX_CHARACTERS: Final = 200


def success(statuses: str, status: int) -> bool:
    """Whether `status` meets the rule. A rule that cannot be read (it is refused at save) means 200-299."""
    return any(first <= status <= last for first, last in _ranges(statuses) or ((200, 299),))


def fault_in(statuses: str) -> str | None:
    """What is wrong with a rule, as a sentence; None if nothing is. Statuses go from 100 to 599 (RFC 9110, 15)."""
    if len(statuses) > _MAX_CHARACTERS:
        return f"The success statuses are longer than {_MAX_CHARACTERS} characters."
    if not _ranges(statuses):
        return "Write the success statuses like 200-299 or 200, 201, 404 or 2xx, from 100 to 599."
    return None


@lru_cache(maxsize=256)
def _ranges(statuses: str) -> tuple[tuple[int, int], ...]:
    """First and last status of each part; empty if any part is wrong."""
    ranges: list[tuple[int, int]] = []
    for part in statuses.split(","):
        found = _PART.fullmatch(part.strip())
        if not found:
            return ()
        if found[3]:
            first = int(found[3]) * 100
            last = first + 99
        else:
            first, last = int(found[1]), int(found[2] or found[1])
        if first > last or last > 599:
            return ()
        ranges.append((first, last))
    return tuple(ranges)
