"""One encoder for each place a value can go: plain text, URL, form, header, JSON string, JSON value.

Values are JSON values (`core.jsontext.Json`). Every encoder takes any text, lone surrogates included.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

from httpstep.core import jsontext
from httpstep.core.jsontext import Json
from httpstep.core.regex import regex

FORM_TYPE: Final = "application/x-www-form-urlencoded"
_TYPED_SAFE: Final = "!$&'()*+,;=:@/?%"
"""What may stand unencoded in a path or query (RFC 3986, 3.3 and 3.4), and `%`, which is looked at apart."""
_STRAY_PERCENT: Final = regex(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE: Final = regex(r"%[0-9a-f]{2}", re.IGNORECASE)
_HEADER_CONTROL: Final = regex(r"[\x00-\x08\x0a-\x1f\x7f]")


def text_of(value: Json) -> str:
    """A value outside JSON: text as it is, numbers as they came, null as nothing, the rest compact JSON."""
    if isinstance(value, str):
        return encodable(value)
    if value is None:
        return ""
    return jsontext.dumps_text(value)


def encodable(text: str) -> str:
    """`text` with each lone surrogate replaced by U+FFFD, so that it can be encoded."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def percent(text: str) -> str:
    """For one path segment, or one name or value of a query: everything but letters, digits and `_.-~` is encoded."""
    return quote(encodable(text), safe="")


def form(pairs: Iterable[tuple[str, str]]) -> str:
    """application/x-www-form-urlencoded (WHATWG URL, 5.2): spaces as `+`."""
    return "&".join(f"{quote_plus(encodable(name))}={quote_plus(encodable(value))}" for name, value in pairs)


def typed_url_text(text: str) -> str:
    """Path or query text as an editor typed it: escapes stay (in upper case), what a URL cannot hold is encoded."""
    encoded = quote(_STRAY_PERCENT.sub("%25", encodable(text)), safe=_TYPED_SAFE)
    return _ESCAPE.sub(lambda escape: escape[0].upper(), encoded) if "%" in encoded else encoded


def json_string(value: Json) -> str:
    """The inside of a JSON string whose text is `text_of(value)`."""
    return jsontext.dumps_text(text_of(value))[1:-1]


def json_value(value: Json) -> str:
    """The value itself as JSON; numbers keep their digits."""
    return jsontext.dumps_text(value)


def header_fault(value: str) -> str | None:
    """Why `value` cannot be a header's value (RFC 9110, 5.5), as the end of a sentence; None if it can."""
    if value.isascii() and value.isprintable():
        return None  # as nearly all are
    if found := _HEADER_CONTROL.search(value):
        return f"has {_control_name(found[0])} in it, which a header cannot carry"
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return "has characters in it that a header cannot carry, such as emoji or Cyrillic letters"
    return None


def _control_name(char: str) -> str:
    return {"\r": "a line break", "\n": "a line break", "\0": "a NUL character"}.get(char, "a control character")
