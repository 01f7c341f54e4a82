"""What a mapping rule may do to a value: text, whole number, number, yes/no, date, JSON and lists as text, phone number.

Nothing is guessed: what cannot be converted without doubt is refused with a sentence. Null stays null.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from msgspec import Struct

from httpstep.core import dates, jsontext, phones
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.jsontext import Json
from httpstep.core.regex import regex


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

_DECIMAL: Final = regex(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


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


# ---------------------------------------------------------------- values of which others know


def _date(value: Json) -> str:
    try:
        return dates.iso(value)
    except dates.NoDate as error:
        raise CannotConvert(f"{_shown(error.shown)} {error}.") from None


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


# ---------------------------------------------------------------- in sentences


def _shown(value: Json) -> str:
    """Never a part of a text: the part of a secret would not be known for one, and masked."""
    kind = jsontext.json_type(value)
    if kind in ("array", "object"):
        return "A list" if kind == "array" else "An object"
    text = as_text(value)
    return f"“{text}”" if len(text) <= 40 else f"A text of {len(text):,} characters"


# ---------------------------------------------------------------- the table


class Conversion(Struct, frozen=True):
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
