"""What a mapping rule may do to a value: text, whole number, number, yes/no, date, JSON and lists as text, phone number.

Nothing is guessed: what cannot be converted without doubt is refused with a sentence. Null stays null.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from httpstep.core import jsontext, phones, writtendates
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.jsontext import Json


class CannotConvert(ValueError):
    """`str` is a sentence for a person. It shows the value's type or a short beginning of it, nothing more."""


def convert(value: Json, conversion: str, option: str = "") -> Json:
    """The value as the rule wants it. option: the text of the rule's member that the conversion names. Raises CannotConvert."""
    if value is None:
        return None
    made = CONVERSIONS[conversion]
    return made.convert(value, option) if made.option else made.convert(value)


def as_text(value: Json) -> str:
    """Text as it is, numbers digit for digit, true/false, lists and objects as compact JSON."""
    return value if isinstance(value, str) else jsontext.dumps_text(value)


# ---------------------------------------------------------------- numbers

_SECONDS: Final = re.compile(r"\d{9,10}\.\d{1,9}", re.ASCII)
"""Seconds since 1970 as text, as Slack writes them."""
_WHOLE: Final = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def _integer(value: Json) -> int:
    number = _number(value)
    if isinstance(number, int):
        return number
    if number != number.to_integral_value():
        raise CannotConvert(f"{_shown(value)} is not a whole number.")
    return int(number)


def _number(value: Json) -> int | Decimal:
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if not _DECIMAL.fullmatch(text):
        raise CannotConvert(f"{_shown(value)} is not a number.")
    try:
        number = jsontext.loads(_as_json_number(text))
    except UnreadableAnswer as error:
        raise CannotConvert(error.message) from None
    return number if isinstance(number, (int, Decimal)) else 0


def _as_json_number(text: str) -> str:
    """JSON knows no leading plus or zeros and wants digits on both sides of the point (RFC 8259, 6)."""
    sign = "-" if text.startswith("-") else ""
    mantissa, e, exponent = text.lstrip("+-").replace("E", "e").partition("e")
    whole, point, fraction = mantissa.partition(".")
    return sign + (whole.lstrip("0") or "0") + (point + fraction if fraction else "") + e + exponent


# ---------------------------------------------------------------- yes or no

_YES: Final = frozenset({"true", "yes", "y", "on", "1", "t"})
_NO: Final = frozenset({"false", "no", "n", "off", "0", "f"})


def _boolean(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    word = as_text(value).strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise CannotConvert(f"{_shown(value)} is neither yes nor no.")


# ---------------------------------------------------------------- dates

_ISO: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,12})?)?)\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII | re.IGNORECASE,
)
_BASIC: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)
_YEAR_FIRST: Final = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})", re.ASCII)
_DAY_FIRST: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)
_SLASHED: Final = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})", re.ASCII)
_TICKS: Final = re.compile(r"/Date\((-?\d{1,14})(?:[+-]\d{4})?\)/", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _date(value: Json) -> str:
    if isinstance(value, str) and len(value) <= 100:
        text = value.strip()
        for read in (_iso, _basic, _written, _ticks, _spelt_out, writtendates.of_mail):
            found = read(text)
            if found is not None:
                return found
        if _WHOLE.fullmatch(text):
            value = int(text)
        elif _SECONDS.fullmatch(text):
            value = Decimal(text)
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return _from_number(value)
    raise CannotConvert(f"{_shown(value)} is not a date that can be read.")


def _iso(text: str) -> str | None:
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
    return _iso(f"{written}T{hour}:{minute}:{second or '00'}{zone or ''}")


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
        raise CannotConvert(f"{_shown(text)} could be day and month or month and day, so it is not taken for a date.")
    day, month = (first, second) if int(second) <= 12 else (second, first)
    return _calendar(year, month, day, text)


def _calendar(year: str, month: str, day: str, text: str) -> str:
    return _real(f"{year}-{month:0>2}-{day:0>2}", text)


def _real(written: str, shown: str) -> str:
    """`written` if the calendar has that day and the clock that time."""
    try:
        datetime.fromisoformat(written)
    except ValueError:
        raise CannotConvert(f"{_shown(shown)} is not a day in the calendar or not a time of day.") from None
    return written


def _spelt_out(text: str) -> str | None:
    if written := writtendates.day_of(text) or writtendates.digits(text):
        return _real(written, text)
    parts = writtendates.split(text)
    if parts is None:
        return None
    day, time = parts
    for read in (_iso, _written, writtendates.day_of):
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
    raise CannotConvert(f"{_shown(value)} is not a date: a number must be seconds or milliseconds since 1970.")


def _moment(seconds: Decimal) -> str:
    whole = seconds // 1
    moment = _EPOCH + timedelta(seconds=int(whole), microseconds=int((seconds - whole) * 1_000_000))
    return moment.isoformat().replace("+00:00", "Z")


# ---------------------------------------------------------------- texts with more in them


def _parsed(value: Json) -> Json:
    """What is no text is JSON already."""
    if not isinstance(value, str):
        return value
    try:
        return jsontext.loads(value)
    except UnreadableAnswer as error:
        raise CannotConvert(f"The text is not JSON: {error.message}") from None


def _joined(value: Json, separator: str) -> str:
    """The items in one text; null is none of them."""
    items = value if isinstance(value, list) else [value]
    return separator.join(as_text(item) for item in items if item is not None)


def _phone(value: Json, region: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise CannotConvert(f"{_shown(value)} is no phone number.")
    try:
        return phones.e164(value, region)
    except phones.NoPhoneNumber as error:
        raise CannotConvert(f"{_shown(value)} {error}.") from None


# ---------------------------------------------------------------- table


def _shown(value: Json) -> str:
    """Never a part of a text: the part of a secret would not be known for one, and masked."""
    kind = jsontext.json_type(value)
    if kind in ("array", "object"):
        return "A list" if kind == "array" else "An object"
    text = as_text(value)
    return f"“{text}”" if len(text) <= 40 else f"A text of {len(text):,} characters"


# ---------------------------------------------------------------- the table


@dataclass(frozen=True, slots=True)
class Conversion:
    """label: in the editor. convert: raises CannotConvert. whole_lists: takes a list as it is, and not item by item.
    option: the rule's member that it takes as well; example: of it, for its input."""

    label: str
    convert: Callable[..., Json]
    whole_lists: bool = False
    option: str = ""
    example: str = ""


def _as_it_is(value: Json) -> Json:
    return value


CONVERSIONS: Final[dict[str, Conversion]] = {
    "none": Conversion("as it is", _as_it_is, whole_lists=True),
    "text": Conversion("text", as_text),
    "integer": Conversion("whole number", _integer),
    "number": Conversion("number", _number),
    "boolean": Conversion("true or false", _boolean),
    "date": Conversion("date", _date),
    "json": Conversion("JSON text", jsontext.dumps_text, whole_lists=True),
    "parse": Conversion("value of a JSON text", _parsed),
    "join": Conversion("one text of a list", _joined, whole_lists=True, option="separator"),
    "phone": Conversion("phone number (+49…)", _phone, option="region", example="like DE"),
}
