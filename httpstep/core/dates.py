"""Dates as APIs write them, put in ISO 8601. What could be two dates is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from httpstep.core import writtendates
from httpstep.core.jsontext import Json
from httpstep.core.regex import regex

_SECONDS: Final = regex(r"\d{9,10}\.\d{1,9}", re.ASCII)
"""Seconds since 1970 as text, as Slack writes them."""
_WHOLE: Final = regex(r"[+-]?\d+", re.ASCII)
_ISO: Final = regex(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,12})?)?)\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII | re.IGNORECASE,
)
_BASIC: Final = regex(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)
_YEAR_FIRST: Final = regex(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})", re.ASCII)
_DAY_FIRST: Final = regex(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)
_SLASHED: Final = regex(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})", re.ASCII)
_TICKS: Final = regex(r"/Date\((-?\d{1,14})(?:[+-]\d{4})?\)/", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class NoDate(ValueError):
    """`str` is the rest of a sentence for a person, which begins with the value as it is `shown`."""

    def __init__(self, shown: Json, why: str) -> None:
        super().__init__(why)
        self.shown = shown


def iso(value: Json) -> str:
    """The date in ISO 8601: of a text, or of a number of seconds or milliseconds since 1970. Raises NoDate."""
    if isinstance(value, str) and len(value) <= 100:
        text = value.strip()
        for read in (_iso8601, _basic, _written, _ticks, _spelt_out, writtendates.of_mail):
            found = read(text)
            if found is not None:
                return found
        if _WHOLE.fullmatch(text):
            value = int(text)
        elif _SECONDS.fullmatch(text):
            value = Decimal(text)
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return _from_number(value)
    raise NoDate(value, "is not a date that can be read")


def _iso8601(text: str) -> str | None:
    """ISO 8601 and RFC 3339. The text stays, to the last digit; only "T", "." and "Z" are put in their form."""
    match = _ISO.fullmatch(text)
    if not match:
        return None
    day, time, zone = match.groups()
    if time is None:
        return _real(day, day)
    clean = f"{day}T{time.replace(',', '.')}"
    offset = (zone or "").upper()
    if len(offset) in (3, 5):
        offset = f"{offset[:3]}:{offset[3:] or '00'}"
    return _real(clean + offset, text)


def _basic(text: str) -> str | None:
    match = _BASIC.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    written = f"{year}-{month}-{day}"
    if hour is None:
        return _real(written, text) if 1900 <= int(year) <= 2100 else None
    return _iso8601(f"{written}T{hour}:{minute}:{second or '00'}{zone or ''}")


def _written(text: str) -> str | None:
    if match := _YEAR_FIRST.fullmatch(text):
        year, month, day = match.groups()
        return _calendar(year, month, day, text)
    if match := _DAY_FIRST.fullmatch(text):
        day, month, year = match.groups()
        return _calendar(year, month, day, text)
    if match := _SLASHED.fullmatch(text):
        first, second, year = match.groups()
        return _slashed(first, second, year, text)
    return None


def _slashed(first: str, second: str, year: str, text: str) -> str:
    """Day and month change places between countries: only what can be one thing alone is taken."""
    if int(first) <= 12 and int(second) <= 12 and int(first) != int(second):
        raise NoDate(text, "could be day and month or month and day, so it is not taken for a date")
    day, month = (first, second) if int(second) <= 12 else (second, first)
    return _calendar(year, month, day, text)


def _calendar(year: str, month: str, day: str, text: str) -> str:
    return _real(f"{year}-{month:0>2}-{day:0>2}", text)


def _real(written: str, shown: str) -> str:
    """`written` if the calendar has that day and the clock that time."""
    try:
        datetime.fromisoformat(written)
    except ValueError:
        raise NoDate(shown, "is not a day in the calendar or not a time of day") from None
    return written


def _spelt_out(text: str) -> str | None:
    if written := writtendates.day_of(text) or writtendates.digits(text):
        return _real(written, text)
    parts = writtendates.split(text)
    if parts is None:
        return None
    day, time = parts
    for read in (_iso8601, _written, writtendates.day_of):
        if (found := read(day)) is not None and len(found) == len("2026-11-28"):
            return _real(f"{found}T{time}", text)
    return None


def _ticks(text: str) -> str | None:
    match = _TICKS.fullmatch(text)
    return _moment(Decimal(match.group(1)) / 1000) if match else None


def _from_number(value: int | Decimal) -> str:
    """Seconds or milliseconds since 1970, told apart by their size (both 1973 to 5138)."""
    if isinstance(value, int) and (written := writtendates.digits(str(value)) if value < 10**14 else None):
        return _real(written, str(value))
    size = abs(Decimal(value))
    if 10**8 <= size < 10**11:
        return _moment(Decimal(value))
    if 10**11 <= size < 10**14:
        return _moment(Decimal(value) / 1000)
    if isinstance(value, int) and 19000101 <= value <= 21001231:
        return _basic(str(value)) or ""
    raise NoDate(value, "is not a date: a number must be seconds or milliseconds since 1970")


def _moment(seconds: Decimal) -> str:
    whole = seconds // 1
    moment = _EPOCH + timedelta(seconds=int(whole), microseconds=int((seconds - whole) * 1_000_000))
    return moment.isoformat().replace("+00:00", "Z")
