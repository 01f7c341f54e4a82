"""Reads and writes all JSON there is: requests, answers, what is stored. One rule for every odd case.

Read: a byte order mark, UTF-16 and UTF-32 are accepted; a lone surrogate becomes U+FFFD; the last of two
equal names wins (RFC 8259, 4 leaves it open); NaN, Infinity, numbers beyond a double's range (1e400), more than
4,300 digits and more than 200 levels are refused. Numbers keep their digits: whole numbers are int, all others
Decimal, and one whose text a Decimal would rewrite (1e5, 0.0000001, -0) is a WrittenNumber.

These limits are for foreign text, which `loads` reads. What `dumps` wrote is read by `read_back` whatever its depth: the
structure of an answer nests twice as deep as the answer.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from decimal import Decimal
from typing import Any, Final, NoReturn

import msgspec

from httpstep.core.errors import UnreadableAnswer

Json = Any
"""None | bool | int | Decimal (its text kept digit for digit) | str | list[Json] | dict[str, Json]. Never float."""

Path = tuple[str | int, ...]
"""Keys and indices from the root of a document; () is the root itself."""

MAX_DEPTH: Final = 200
MAX_DIGITS: Final = 4300


_decimal: Final = Decimal.__new__


class WrittenNumber(Decimal):
    """A number that remembers how it was written; `str` gives exactly that text."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> WrittenNumber:
        number = _decimal(cls, text)
        number.text = text
        return number

    def __str__(self) -> str:
        return self.text

    def __format__(self, specifier: str, /, *_: object) -> str:
        return super().__format__(specifier) if specifier else self.text

    def __reduce__(self) -> tuple[type[WrittenNumber], tuple[str]]:
        return WrittenNumber, (self.text,)


def loads(data: bytes | str) -> Json:
    """The value of a JSON text from elsewhere. Raises UnreadableAnswer: empty, encoding, syntax, number or too_deep."""
    text = _without_mark(data)
    if not text.strip():
        raise UnreadableAnswer("There is nothing to read: the text is empty.", reason="empty")
    try:
        value = _read(text, MAX_DEPTH)
    except RecursionError:
        raise _too_deep() from None
    if _may_be_deep(text):
        _check_depth(value)
    return value


def read_back(data: bytes | str) -> Json:
    """The value of a text that `dumps` wrote, of any depth that it could write. Raises UnreadableAnswer where the text
    was changed by something else."""
    return _read(data, None)


def dumps(value: Json) -> bytes:
    """Compact UTF-8. Always valid JSON: a lone surrogate becomes U+FFFD, a number that is none (NaN) becomes null."""
    try:
        data = _encoder.encode(value)
    except UnicodeEncodeError:
        data = _encoder.encode(_scrubbed(value))
    if b"NaN" in data or b"Infinity" in data:
        return _encoder.encode(_scrubbed(value))
    return data


def dumps_text(value: Json) -> str:
    """Like `dumps`, as text."""
    return dumps(value).decode()


def pretty(value: Json) -> str:
    """JSON for people: two spaces of indent, digits and Unicode as they are."""
    return msgspec.json.format(dumps(value), indent=2).decode()


def json_type(value: Json) -> str:
    """ "null", "boolean", "number", "string", "array" or "object"."""
    return JSON_TYPES.get(type(value)) or _inherited_type(value)


# ---------------------------------------------------------------- types

JSON_TYPES: Final[dict[type, str]] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    Decimal: "number",
    WrittenNumber: "number",
    str: "string",
    list: "array",
    tuple: "array",
    dict: "object",
}


def _inherited_type(value: object) -> str:
    for kind, name in JSON_TYPES.items():
        if isinstance(value, kind):
            return name
    raise TypeError(f"{type(value).__name__} is no JSON type")


# ---------------------------------------------------------------- bytes to text


def _without_mark(data: bytes | str) -> bytes | str:
    """The text without byte order mark; bytes stay bytes where they are UTF-8."""
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    if data.startswith(codecs.BOM_UTF8):
        return data[3:]
    encoding = json.detect_encoding(data)
    if encoding in ("utf-8", "utf-8-sig"):
        return data
    try:
        return data.decode(encoding, "surrogatepass").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise _wrong_encoding(f"It looks like {encoding.upper()}, but not all of it can be read so.") from None


def _as_text(text: bytes | str) -> str:
    """Text of UTF-8 bytes; surrogates that were encoded one by one come through and are dealt with later."""
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise _wrong_encoding(f"Byte {error.start + 1} is not UTF-8.") from None


def _wrong_encoding(detail: str) -> UnreadableAnswer:
    return UnreadableAnswer(f"The characters of this JSON text cannot be read. {detail}", reason="encoding")


# ---------------------------------------------------------------- reading


def _number(text: str) -> Decimal:
    """The hook for every number with a fraction or an exponent."""
    if len(text) > MAX_DIGITS and sum(map(str.isdigit, text)) > MAX_DIGITS:
        raise _too_many_digits()
    if "e" in text or "E" in text:
        if len(text) > _NEVER_TOO_LARGE:
            _check_exponent(text)
        number = _decimal(WrittenNumber, text)
        number.text = text
        return number
    if "0.000000" in text:  # str(Decimal("0.0000001")) is "1E-7"
        return WrittenNumber(text)
    return Decimal(text)


_NEVER_TOO_LARGE: Final = 4
"""So many characters have no room for an exponent beyond 99."""


def _check_exponent(text: str) -> None:
    exponent = text.lower().partition("e")[2].lstrip("+-0")
    if len(exponent) > 4 or int(exponent or "0") > MAX_DIGITS or math.isinf(float(text)):
        raise UnreadableAnswer(f"The number {_short(text)} is outside the range that can be kept.", reason="number")


def _whole_number(text: str) -> int | Decimal:
    if len(text) > MAX_DIGITS and len(text.lstrip("-")) > MAX_DIGITS:
        raise _too_many_digits()
    return WrittenNumber(text) if text == "-0" else int(text)


def _no_number(name: str) -> NoReturn:
    raise UnreadableAnswer(f"{name} stands where a value should be; JSON has no such number.", reason="number")


def _too_many_digits() -> UnreadableAnswer:
    return UnreadableAnswer(f"A number has more than {MAX_DIGITS:,} digits.", reason="number")


def _short(text: str) -> str:
    return text if len(text) <= 20 else text[:17] + "..."


_decoder = msgspec.json.Decoder(float_hook=_number)
_careful = json.JSONDecoder(parse_float=_number, parse_int=_whole_number, parse_constant=_no_number)
_negative_zero = re.compile(r"-0(?=[\s,\]}]|\Z)(?<![^\s:,\[]-0)")
_negative_zero_bytes = re.compile(_negative_zero.pattern.encode())


def _has_negative_zero(text: bytes | str) -> bool:
    """Whether -0 may stand in it as a number. The fast reader makes 0 of it."""
    found = _negative_zero.search(text) if isinstance(text, str) else _negative_zero_bytes.search(text)
    return found is not None


def _read(text: bytes | str, max_depth: int | None) -> Json:
    if _has_negative_zero(text):
        return _read_with_care(text, max_depth)
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, ValueError):
        return _read_with_care(text, max_depth)


def _read_with_care(text: bytes | str, max_depth: int | None) -> Json:
    """Slower: knows lone surrogates and -0, and the line and column of what is wrong."""
    characters = _as_text(text)
    try:
        value = _careful.decode(characters)
    except json.JSONDecodeError as error:
        raise _syntax(error) from None
    if max_depth is not None:
        _check_depth(value)
    return _scrubbed(value)


_WRONG: Final = {
    "Expecting value": "a value is missing or is not written as JSON",
    "Expecting property name enclosed in double quotes": "a name in double quotes should stand here",
    "Expecting ',' delimiter": "a comma is missing or the text ends too early",
    "Expecting ':' delimiter": "a colon is missing",
    "Extra data": "there is more text after the end of the JSON",
    "Unterminated string starting at": "a text begins that is never closed with a quote",
    "Invalid control character at": "a line break or another control character stands inside a text",
}


def _syntax(error: json.JSONDecodeError) -> UnreadableAnswer:
    what = _WRONG.get(error.msg, "a backslash is followed by something JSON does not know")
    message = f"This is not valid JSON: at line {error.lineno}, column {error.colno}, {what}."
    return UnreadableAnswer(message, reason="syntax")


# ---------------------------------------------------------------- depth


def _may_be_deep(text: bytes | str) -> bool:
    if isinstance(text, str):
        return text.count("[") + text.count("{") > MAX_DEPTH
    return text.count(b"[") + text.count(b"{") > MAX_DEPTH


def _check_depth(value: Json) -> None:
    """Level by level, so that neither depth nor width costs a call per value. What is empty holds no further level."""
    below: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for child in below if (type(child) is dict or type(child) is list) and child]
        if not level:
            return
        below = []
        for container in level:
            below += container.values() if type(container) is dict else container
    if any(type(child) is dict or type(child) is list for child in below):
        raise _too_deep()


def _too_deep() -> UnreadableAnswer:
    return UnreadableAnswer(f"The JSON is nested deeper than {MAX_DEPTH} levels.", reason="too_deep")


# ---------------------------------------------------------------- writing


def _write_other(value: object) -> msgspec.Raw:
    if isinstance(value, WrittenNumber):
        return msgspec.Raw(value.text.encode())
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


_encoder = msgspec.json.Encoder(enc_hook=_write_other, decimal_format="number")


def _scrubbed(value: Json) -> Json:
    """The value with lone surrogates replaced and pairs of them joined; numbers that are none become null."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_scrubbed(key): _scrubbed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_scrubbed(item) for item in value]
    if isinstance(value, Decimal) and not value.is_finite():
        return None
    return value
