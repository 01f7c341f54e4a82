"""Dates as people and programs write them out: with the month's name, with a time behind them, with am and pm.

Names are English. A zone is UTC or an offset: other abbreviations mean different things in different places.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Final

from httpstep.core.regex import regex

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\.?"
_GAP: Final = r"(?:\s*[-/,]\s*|\s+)"
_WEEKDAY: Final = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
_FORMS: Final = tuple(
    regex(_WEEKDAY + form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"{_DAY}(?:{_GAP}|\s+of\s+){_MONTH}{_GAP}(?P<year>\d{{4}})",
        rf"{_MONTH}{_GAP}{_DAY}{_GAP}(?P<year>\d{{4}})",
        rf"(?P<year>\d{{4}}){_GAP}{_MONTH}{_GAP}{_DAY}",
    )
)
_TIMED: Final = regex(
    r"(?P<day>.{6,40}?)(?:,?\s+(?:at\s+)?|,|T)"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<fraction>[.,]\d{1,12})?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?"
    r"(?:\s*(?P<zone>Z|UTC|GMT|(?:UTC|GMT)?[+-]\d{2}:?\d{2})(?:\s+UTC)?)?"
    r"(?:\s*(?:\([^()]*\)|\[[^\[\]]*\]))?(?P<year>\s+\d{4})?",
    re.IGNORECASE | re.ASCII,
)
_MAIL_DATE: Final = regex(
    r"(?:[a-z]{3,9},?\s+)?\d{1,2}[ -][a-z]{3}[ -]\d{2,4}\s+\d{1,2}:\d{2}(?::\d{2})?"
    r"(?:\s+(?:[+-]\d{4}|UTC?|GMT|Z|[ECMP][SD]T))?(?:\s+\([^()]*\))?",
    re.ASCII | re.IGNORECASE,
)
"""RFC 5322, 3.3 and 4.3; RFC 9110, 5.6.7."""
_DIGITS: Final = regex(
    r"((?:19|20)\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])([0-5]\d)([0-5]\d)", re.ASCII
)


def day_of(text: str) -> str | None:
    """ "28 Nov 2026", "Saturday, November 28th, 2026", "2026-Nov-28" as 2026-11-28; None for any other text."""
    for form in _FORMS:
        if match := form.fullmatch(text):
            month = _MONTHS.index(match["month"][:3].lower()) + 1
            return f"{match['year']}-{month:02}-{int(match['day']):02}"
    return None


def split(text: str) -> tuple[str, str] | None:
    """(the day as it is written, the time in ISO 8601), None where no time is behind a day."""
    match = _TIMED.fullmatch(text)
    if match is None:
        return None
    hour = _hour(int(match["hour"]), match["half"])
    if hour is None:
        return None
    fraction = (match["fraction"] or "").replace(",", ".")
    time = f"{hour:02}:{match['minute']}:{match['second'] or '00'}{fraction}{_zone(match['zone'])}"
    return match["day"] + (match["year"] or ""), time


def _hour(hour: int, half: str | None) -> int | None:
    if half is None:
        return hour
    return hour % 12 + (12 if half in "pP" else 0) if 1 <= hour <= 12 else None


def _zone(zone: str | None) -> str:
    """-0000 is a time without a known zone (RFC 5322, 3.3)."""
    offset = re.sub(r"\A(?:UTC|GMT)(?=.)", "", (zone or "").upper())
    if offset in ("UTC", "GMT", "Z", "+0000", "+00:00"):
        return "Z"
    if offset in ("", "-0000", "-00:00"):
        return ""
    return f"{offset[:3]}:{offset[-2:]}"


def digits(text: str) -> str | None:
    """20261128070000 as 2026-11-28T07:00:00; as milliseconds it would be in the 27th century."""
    match = _DIGITS.fullmatch(text)
    return "{}-{}-{}T{}:{}:{}".format(*match.groups()) if match else None


def of_mail(text: str) -> str | None:
    """The form of HTTP and mail: "Tue, 05 Nov 2024 08:49:37 GMT", and no other: what the parser does not know, such as
    PM or a zone behind it, it passes over without a word."""
    if not _MAIL_DATE.fullmatch(text):
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.isoformat().replace("+00:00", "Z")
