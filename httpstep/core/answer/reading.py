"""HttpResponse -> document, or UnreadableAnswer that says in words what came instead.

The body decides, not the content type: JSON under `text/html` is JSON. The content type only helps to
name what is none, and to decode it for showing.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Set
from contextlib import suppress
from typing import Final

from httpstep.core import jsontext
from httpstep.core.answer import wrappings
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.exchange import HttpResponse
from httpstep.core.jsontext import Json
from httpstep.core.masking.masking import masked_start
from httpstep.core.masking.redaction import margin
from httpstep.core.regex import regex

NOT_MAPPED: Final = "Response Mapping Not Done, Only JSON can be mapped as Response"

_SHOWN: Final = 80
_LOOKED_AT: Final = 4096
_CONTROL: Final = regex(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_TITLE: Final = regex(r"<title[^>]{0,200}>([^<]{0,200})", re.IGNORECASE)
_HTML: Final = regex(r"\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_XML: Final = regex(r"\s*<(?:\?xml|[A-Za-z_][\w.:-]*[\s/>])")
_NO_CHARSET: Final = frozenset({"idna", "punycode", "unicode-escape", "unicode_escape", "raw-unicode-escape", "utf-7"})


def read(response: HttpResponse, secrets: Set[str] = frozenset()) -> Json:
    """The document of an answer. Raises UnreadableAnswer; its message begins with NOT_MAPPED, `advice` says what came,
    secrets masked: it repeats a part of the answer, which may be a part of one.

    reason: empty, html, xml, csv, text, binary, syntax, encoding, number, too_deep, or one of `wrappings`.
    """
    try:
        return _document(response)
    except UnreadableAnswer as error:
        raise _refusal(response, error, secrets) from None


def media_type(response: HttpResponse) -> str:
    """The content type in lower case without parameters, "" where there is none."""
    return (response.header("Content-Type") or "").partition(";")[0].strip().lower()


def text_of(response: HttpResponse) -> str:
    """The body as text for showing: by the declared charset, else as a document is read; what cannot be read becomes U+FFFD."""
    body, charset = response.body, _charset(response)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    if charset is not None:
        with suppress(UnicodeError, LookupError, ValueError):
            return body.decode(charset, "replace")
    return _decoded(response)[0].encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def notes_on(response: HttpResponse) -> tuple[str, ...]:
    """What was not in order in a body that was read as JSON, a sentence each."""
    body = response.body
    if body.isascii() or body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in body:
        return ()
    note = _decoded(response)[1]
    return (note,) if note else ()


# ---------------------------------------------------------------- reading


_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def _document(response: HttpResponse) -> Json:
    """JSON is UTF-8 (RFC 8259, 8.1). A body that is not is read as what it declares or most likely is."""
    try:
        return jsontext.loads(response.body, bad_numbers=True)
    except UnreadableAnswer as error:
        if error.reason != "encoding" or (b"\x00" in response.body and _charset(response) is None):
            raise
        return jsontext.loads(_decoded(response)[0], bad_numbers=True)


def _decoded(response: HttpResponse) -> tuple[str, str]:
    """The body as text, and a note where it is not UTF-8: then it is read as what it declares. Of one that declares
    nothing and has no character of UTF-8 in it, windows-1252 is the likeliest by far. In all others a byte that cannot be
    read is one character that is lost, and not the whole answer."""
    body = response.body
    try:
        return body.decode("utf-8", "surrogatepass"), ""
    except UnicodeDecodeError as error:
        place = error.start + 1
    charset = _charset(response)
    for name in _likely(charset, body):
        with suppress(UnicodeError, LookupError, ValueError):
            says = "as it says" if charset else "the likeliest, since it does not say what it is"
            return body.decode(name), f"The answer is not UTF-8, as JSON should be. It was read as {name}, {says}."
    return body.decode("utf-8", "replace"), (
        f"Byte {place} of the answer is not UTF-8. What cannot be read stands as \ufffd; the rest is as it came."
    )


def _likely(charset: str | None, body: bytes) -> tuple[str, ...]:
    if charset is None:
        return () if _UTF8_CHARACTER.search(body) else (_WINDOWS,)
    name = codecs.lookup(charset).name
    if name == "utf-8":
        return ()
    return (_WINDOWS, charset) if name in ("ascii", "iso8859-1") else (charset,)


_WINDOWS: Final = "windows-1252"
"""What browsers take US-ASCII and ISO-8859-1 for too (WHATWG Encoding, 4.2)."""
_UTF8_CHARACTER: Final = regex(
    rb"[\x80-\xbf](?:(?<=[\xc2-\xdf].)|[\x80-\xbf](?<=[\xe0-\xef]..)|[\x80-\xbf]{2}(?<=[\xf0-\xf4]...))", re.DOTALL
)
"""From the second byte on, which is no letter of any Latin charset and one thing to look for: several take ten times as long."""


def _charset(response: HttpResponse) -> str | None:
    """The declared charset, if it is one that Python knows as an encoding of text."""
    parameters = (response.header("Content-Type") or "").split(";")[1:]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return _known_charset(value.strip().strip("\"'").lower())
    return None


def _known_charset(name: str) -> str | None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.:-]{0,39}", name) or name in _NO_CHARSET:
        return None
    try:
        known = codecs.lookup(name).name
        b"-".decode(name)
    except (UnicodeError, LookupError, ValueError):
        return None
    return None if known in _NO_CHARSET else name


# ---------------------------------------------------------------- naming what came


def _refusal(response: HttpResponse, error: UnreadableAnswer, secrets: Set[str]) -> UnreadableAnswer:
    kind = _kind(response, error)
    if kind in ("syntax", "number", "too_deep", "encoding"):
        advice = error.message
    elif kind in wrappings.KINDS:
        advice = wrappings.words_for(kind, _start(response, secrets))
    else:
        advice = f"Received {_described(kind, response, secrets)}"
    return UnreadableAnswer(NOT_MAPPED, reason=kind, advice=advice if advice.endswith(".") else advice + ".")


def _kind(response: HttpResponse, error: UnreadableAnswer) -> str:
    if error.reason in ("empty", "number", "too_deep"):
        return error.reason
    declared = media_type(response)
    text = text_of(response)
    start = text[:_LOOKED_AT]
    return (
        ("html" if _HTML.match(start) else wrappings.wrapping_of(declared, text))
        or _markup(declared, start)
        or _broken_json(declared, start, error)
        or _binary(declared, start)
        or _table(declared, start)
        or "text"
    )


def _markup(declared: str, start: str) -> str:
    if not start.lstrip().startswith("<"):
        return ""
    if declared in ("text/html", "application/xhtml+xml"):
        return "html"
    return "xml" if _XML.match(start) or declared.endswith(("/xml", "+xml")) else ""


def _binary(declared: str, start: str) -> str:
    if declared.startswith(("image/", "audio/", "video/", "font/", "application/pdf", "application/zip")):
        return "binary"
    unreadable = len(_CONTROL.findall(start))
    return "binary" if "\x00" in start or unreadable * 10 > len(start) else ""


def _broken_json(declared: str, start: str, error: UnreadableAnswer) -> str:
    looks_like_it = start.lstrip("\ufeff \t\r\n").startswith(("{", "[")) or declared.endswith(("/json", "+json"))
    return error.reason if looks_like_it else ""


def _table(declared: str, start: str) -> str:
    """CSV by its type, or by two or more lines that are cut by the same separator the same number of times."""
    if declared in ("text/csv", "application/csv", "text/tab-separated-values"):
        return "csv"
    lines = [line for line in start.splitlines()[:5] if line.strip()]
    for separator in (",", ";", "\t"):
        counts = {line.count(separator) for line in lines}
        if len(lines) > 1 and len(counts) == 1 and counts != {0}:
            return "csv"
    return ""


_NAMES: Final = {"html": "HTML", "xml": "XML", "csv": "CSV", "text": "text", "syntax": "broken JSON"} | wrappings.KINDS


def _described(kind: str, response: HttpResponse, secrets: Set[str]) -> str:
    if kind == "empty":
        return "an empty answer"
    if kind == "binary":
        return f"binary data ({media_type(response) or 'no content type'}, {len(response.body):,} bytes)"
    if kind in ("number", "too_deep", "encoding"):
        return "JSON that cannot be used"
    text = _start(response, secrets)
    title = _TITLE.search(text) if kind == "html" else None
    return f"{_NAMES[kind]}: {_first_line(title.group(1)) if title else _first_line(text)}"


def _start(response: HttpResponse, secrets: Set[str]) -> str:
    """The beginning of the body, masked."""
    whole, needed = text_of(response), _LOOKED_AT + margin(secrets)
    return masked_start(whole[:needed], len(whole) > needed, _LOOKED_AT, secrets)


def _first_line(text: str) -> str:
    """The first line with anything in it, at most 80 characters."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    words = " ".join(_CONTROL.sub("\ufffd", line).split())
    return words if len(words) <= _SHOWN else words[: _SHOWN - 1] + "…"
