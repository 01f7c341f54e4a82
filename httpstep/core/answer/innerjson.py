"""JSON that an answer holds as a text, for paths that go on below it."""

from __future__ import annotations

from functools import lru_cache

from httpstep.core import jsontext
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.jsontext import Json
from httpstep.core.workcounter import WorkCounter


def inside(text: str, work: WorkCounter) -> Json:
    """The object or list in a text, else the text."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    work.spend_bytes(len(text))
    return _read(text)


def forget() -> None:
    """The text that was read last: with what was read it may be a hundred megabytes."""
    _read.cache_clear()


@lru_cache(maxsize=1)
def _read(text: str) -> Json:
    """The rules that read one text follow one another, so it is read once."""
    try:
        return jsontext.loads(text)
    except UnreadableAnswer:
        return text
