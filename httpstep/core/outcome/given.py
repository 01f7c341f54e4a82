"""The attributes a call came with, out of what is kept of it, without reading the rest of that."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Final

from httpstep.core import jsontext
from httpstep.core.jsontext import Json
from httpstep.core.regex import regex

MAX_CHARACTERS: Final = 16 * 1024
_TEXT: Final = r'"(?:[^"\\]|\\.)*+"'
_BEFORE: Final = regex(rf'\{{"key":{_TEXT},"name":{_TEXT},"given":\{{')
_NAME: Final = regex(rf",?{_TEXT}:")
_decoder: Final = json.JSONDecoder(parse_int=str, parse_float=str)


def given_in(detail: str) -> dict[str, Json]:
    """As `record.record_of` keeps them, masked; those that are whole in the first 16 KB. detail: its text, whose
    beginning they are: a page lists twenty calls, and of each only that is read."""
    text = detail[:MAX_CHARACTERS]
    before = _BEFORE.match(text)
    if before is None:
        return {}
    start = end = before.end()
    with suppress(ValueError, RecursionError):  # cut, or deeper than this reader goes
        while name := _NAME.match(text, end):
            after = _decoder.raw_decode(text, name.end())[1]
            if after == len(text):
                break  # a number may have had more digits
            end = after
    found: dict[str, Json] = jsontext.read_back(f"{{{text[start:end]}}}")
    return found
