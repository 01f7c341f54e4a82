"""Reads and writes all JSON there is: requests, answers, what is stored. One rule for every odd case.

Read: a byte order mark, UTF-16 and UTF-32 are accepted; a lone surrogate becomes U+FFFD; the last of two
equal names wins (RFC 8259, 4 leaves it open); more than 200 levels are refused, and so are the numbers that
`core.jsonnumbers` cannot keep, unless the text is an API's answer: there one of them is not the whole answer.

These limits are for foreign text, which `loads` reads. What `dumps` wrote is read by `read_back` whatever its depth: the
structure of an answer nests twice as deep as the answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import Any, Final, NamedTuple

import msgspec

from httpstep.core import jsonnumbers
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.jsonnumbers import UnkeptNumber
from httpstep.core.jsonnumbers import WrittenNumber as WrittenNumber
from httpstep.core.regex import regex

Json = Any
"""None | bool | int | Decimal (its text kept digit for digit) | str | list[Json] | dict[str, Json]. Never float."""

Path = tuple[str | int, ...]
"""Keys and indices from the root of a document; () is the root itself."""

MAX_DEPTH: Final = 200


def loads(data: bytes | str, *, bad_numbers: bool = False) -> Json:
    """The value of a JSON text from elsewhere. Raises UnreadableAnswer: empty, encoding, syntax, number or too_deep.

    bad_numbers: one that cannot be kept is an UnkeptNumber and refuses nothing.
    """
    text = _without_mark(data)
    if not text or text.isspace():
        raise UnreadableAnswer("There is nothing to read: the text is empty.", reason="empty")
    try:
        value = _read(text, MAX_DEPTH, _forgiving if bad_numbers else _strict)
    except RecursionError:
        raise _too_deep() from None
    _check_depth(value, _openings(text))
    return value


def read_back(data: bytes | str) -> Json:
    """The value of a text that `dumps` wrote, of any depth that it could write. Raises UnreadableAnswer where the text
    was changed by something else."""
    return _read(data, None, _strict)


def size_of(value: Json) -> int:
    """Bytes of the value as `dumps` writes it. Raises jsonnumbers.NotKept where a number in it cannot be kept."""
    return len(dumps(value, _keeping))


def dumps(value: Json, encoder: msgspec.json.Encoder | None = None) -> bytes:
    """Compact UTF-8. Always valid JSON: a lone surrogate becomes U+FFFD, a number that is none (NaN) becomes null."""
    encoder = encoder or _encoder
    try:
        data = encoder.encode(value)
    except UnicodeEncodeError:
        data = encoder.encode(_scrubbed(value))
    if b"NaN" in data or b"Infinity" in data:
        return encoder.encode(_scrubbed(value))
    return data


def dumps_text(value: Json) -> str:
    """Like `dumps`, as text."""
    return dumps(value).decode()


def pretty(value: Json) -> str:
    """JSON for people: two spaces of indent, digits and Unicode as they are."""
    return msgspec.json.format(dumps(value), indent=2).decode()


def value_at(document: Json, path: Path) -> Json:
    """The value at a place; None where there is none."""
    for part in path:
        try:
            document = document[part]
        except (LookupError, TypeError):
            return None
    return document


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
    UnkeptNumber: "number",
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


_BYTE_ORDER_MARKS: Final = regex("(?:[ \t\r\n]*\ufeff)+")
_MARKS_UTF8: Final = regex(rb"(?:[ \t\r\n]*\xef\xbb\xbf)+")


def _without_mark(data: bytes | str) -> bytes | str:
    """The text without the byte order marks before it, which are two where two files were joined; bytes stay bytes where
    they are UTF-8."""
    if isinstance(data, str):
        return _BYTE_ORDER_MARKS.sub("", data, count=1) if _BYTE_ORDER_MARKS.match(data) else data
    if data[:1] in (b"{", b"[") and data[1:2] != b"\0":
        return data  # as nearly all begin, and neither a mark nor a text in UTF-16 or UTF-32 does
    if found := _MARKS_UTF8.match(data):
        return data[found.end() :]
    encoding = json.detect_encoding(data)
    if encoding in ("utf-8", "utf-8-sig"):
        return data
    try:
        return _without_mark(data.decode(encoding, "surrogatepass"))
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


class _Readers(NamedTuple):
    """fast: takes -0 for 0, refuses lone surrogates and NaN, and does not say where a mistake is. careful: knows it all."""

    fast: msgspec.json.Decoder[Json]
    careful: json.JSONDecoder


def _readers(otherwise: Callable[[str], Decimal]) -> _Readers:
    """otherwise: what becomes of a number that cannot be kept."""
    numbers, whole_numbers = jsonnumbers.numbers_or(otherwise), jsonnumbers.whole_numbers_or(otherwise)
    return _Readers(
        msgspec.json.Decoder(float_hook=numbers),
        json.JSONDecoder(parse_float=numbers, parse_int=whole_numbers, parse_constant=cache(otherwise)),
    )


_strict: Final = _readers(jsonnumbers.refused)
_forgiving: Final = _readers(jsonnumbers.unkept)


def _read(text: bytes | str, max_depth: int | None, readers: _Readers) -> Json:
    if jsonnumbers.may_have_negative_zero(text):
        return _read_with_care(text, max_depth, readers)
    try:
        return readers.fast.decode(text)
    except (msgspec.MsgspecError, UnicodeError, ValueError):
        return _read_with_care(text, max_depth, readers)


def _read_with_care(text: bytes | str, max_depth: int | None, readers: _Readers) -> Json:
    """Slower: gives the line and column of what is wrong."""
    characters = _as_text(text)
    try:
        value = readers.careful.decode(characters)
    except json.JSONDecodeError as error:
        raise _syntax(error) from None
    if max_depth is not None:
        _check_depth(value, _openings(characters))
    return _scrubbed(value) if _SURROGATE.search(characters) else value


_SURROGATE: Final = regex(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
"""Written as an escape, which may be a part of a pair, or come through `_as_text`."""

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


def _openings(text: bytes | str) -> int:
    """How many lists and objects there can be in it; brackets inside of texts count too."""
    if isinstance(text, str):
        return text.count("[") + text.count("{")
    return text.count(b"[") + text.count(b"{")


def _check_depth(value: Json, openings: int) -> None:
    """Level by level, so that neither depth nor width costs a call per value. Each level needs a list or an object: when
    fewer are left than levels, it ends, and the values of a list of records are never looked at."""
    below: Iterable[Any] = [value]
    for levels in range(MAX_DEPTH, 0, -1):
        if openings <= levels:
            return
        values = list(below)
        kinds = set(map(type, values))
        if dict not in kinds and list not in kinds:
            return
        objects, lists = _of_kind(dict, values, kinds), _of_kind(list, values, kinds)
        openings -= len(objects) + len(lists)
        inside = filter(None, objects)  # of a megabyte of {} nothing is inside
        below = chain(chain.from_iterable(map(dict.values, inside)), chain.from_iterable(lists))
    if any(type(child) is dict or type(child) is list for child in below):
        raise _too_deep()


def _of_kind(kind: type, values: list[Any], kinds: set[type]) -> list[Any]:
    """Those of the values that are of the kind. kinds: of all of them."""
    if kind not in kinds:
        return []
    return values if len(kinds) == 1 else [value for value in values if type(value) is kind]


def _too_deep() -> UnreadableAnswer:
    return UnreadableAnswer(f"The JSON is nested deeper than {MAX_DEPTH} levels.", reason="too_deep")


# ---------------------------------------------------------------- writing


def _write_other(value: object) -> msgspec.Raw:
    if type(value) is WrittenNumber:
        return msgspec.Raw(value.text)
    if isinstance(value, UnkeptNumber):
        return msgspec.Raw(b"null")
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _write_kept(value: object) -> msgspec.Raw:
    if type(value) is WrittenNumber:
        return msgspec.Raw(value.text)  # and no second call for each of 100,000
    if isinstance(value, UnkeptNumber):
        raise jsonnumbers.NotKept(value.why)
    return _write_other(value)


_encoder = msgspec.json.Encoder(enc_hook=_write_other, decimal_format="number")
_keeping = msgspec.json.Encoder(enc_hook=_write_kept, decimal_format="number")


def _scrubbed(value: Json) -> Json:
    """The value with lone surrogates replaced and pairs of them joined; numbers that are none become null."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_scrubbed(key): _scrubbed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_scrubbed(item) for item in value]
    if isinstance(value, Decimal) and not isinstance(value, UnkeptNumber) and not value.is_finite():
        return None
    return value
