"""What has come of a request, looked at and not read: whether all of it is there, and whether it is a bot's call."""

from __future__ import annotations

import re
from typing import Final

from gunicorn.http.errors import LimitRequestHeaders

from httpstep.core.regex import regex

MAX_HEAD_BYTES: Final = 32 * 1024
MAX_WAITED_BYTES: Final = 64 * 1024
_CALL: Final = regex(rb"[\r\n]*POST /api/v1/[^ ?]+/execute[ ?]")
_HEAD: Final = regex(rb"[\r\n]*[^\r\n].*?\n\r?\n", re.DOTALL)
_LENGTH: Final = regex(rb"^content-length:[ \t]*([0-9]{1,9})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_READ_AT_ONCE: Final = regex(rb"^(transfer-encoding|expect):", re.IGNORECASE | re.MULTILINE)


class HeadTooLarge(LimitRequestHeaders):  # type: ignore[misc]
    """More bytes than any head of ours, and it has not ended."""


def bytes_wanted(data: bytes) -> int:
    """How many bytes must be there before a thread should read the request that `data` begins; 0: they are there.

    What is no proper request is left to the parser, which refuses it. Raises HeadTooLarge.
    """
    head = _HEAD.match(data)
    if head is None:
        if len(data) >= MAX_HEAD_BYTES:
            raise HeadTooLarge("no end within 32 KB")
        return len(data) + 1
    lengths = _LENGTH.findall(head[0])
    if len(lengths) != 1 or _READ_AT_ONCE.search(head[0]):
        return 0
    wanted = min(head.end() + int(lengths[0]), MAX_WAITED_BYTES)
    return wanted if len(data) < wanted else 0


def is_call(data: bytes) -> bool:
    """Whether it begins an execute call whose body the kernel keeps until it is whole."""
    return _CALL.match(data) is not None and not _READ_AT_ONCE.search(data)
