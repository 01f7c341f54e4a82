"""HttpResponse -> document, or UnreadableAnswer that says in words what came instead.

The body decides, not the content type: JSON under `text/html` is JSON. The content type only helps to
name what is none, and to decode it for showing.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Set
from typing import Final

from httpstep.core import jsontext
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.exchange import HttpResponse
from httpstep.core.jsontext import Json
from httpstep.core.masking.masking import masked_start
from httpstep.core.masking.redaction import margin

NOT_MAPPED: Final = "Response Mapping Not Done, Only JSON can be mapped as Response"

_SHOWN: Final = 80
_LOOKED_AT: Final = 4096
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_TITLE: Final = re.compile(r"<title[^>]{0,200}>([^<]{0,200})", re.IGNORECASE)
_HTML: Final = re.compile(r"\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_XML: Final = re.compile(r"\s*<(?:\?xml|[A-Za-z_][\w.:-]*[\s/>])")
_CALLBACK: Final = re.compile(r"\s*[\w$.]{1,100}\s*\(\s*[\[{\"]")
_NO_CHARSET: Final = frozenset({"idna", "punycode", "unicode-escape", "unicode_escape", "raw-unicode-escape", "utf-7"})


def read(response: HttpResponse, secrets: Set[str] = frozenset()) -> Json:
    """The document of an answer. Raises UnreadableAnswer; its message begins with NOT_MAPPED, `advice` says what came,
    secrets masked: it repeats a part of the answer, which may be a part of one.

    reason: empty, html, xml, csv, text, binary, syntax, encoding, number or too_deep.
    """
    try:
        return _document(response)
    except UnreadableAnswer as error:
        raise _refusal(response, error, secrets) from None


def media_type(response: HttpResponse) -> str:
    """The content type in lower case without parameters, "" where there is none."""
    return (response.header("Content-Type") or "").partition(";")[0].strip().lower()


def text_of(response: HttpResponse) -> str:
    """The body as text for showing: by the declared charset, else UTF-8; what cannot be read becomes U+FFFD."""
    body = response.body
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    try:
        return body.decode(_charset(response) or "utf-8", "replace")
    except (UnicodeError, LookupError, ValueError):
        return body.decode("utf-8", "replace")


def describe(response: HttpResponse) -> str:
    """What came, in a few words: "JSON", "HTML: Sign in", "an empty answer", "binary data (image/png, 9 bytes)"."""
    try:
        _document(response)
    except UnreadableAnswer as error:
        return _described(_kind(response, error), response)
    return "JSON"


# ---------------------------------------------------------------- reading


_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def _document(response: HttpResponse) -> Json:
    """JSON is UTF-8 (RFC 8259, 8.1); a body that is not, but declares what it is, is read as that."""
    try:
        return jsontext.loads(response.body)
    except UnreadableAnswer as error:
        charset = _charset(response)
        if error.reason != "encoding" or charset is None:
            raise
        try:
            text = response.body.decode(charset)
        except (UnicodeError, LookupError, ValueError):
            raise error from None
        return jsontext.loads(text)


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
        b"".decode(name)
    except (UnicodeError, LookupError, ValueError):
        return None
    return None if codecs.lookup(name).name in _NO_CHARSET else name


# ---------------------------------------------------------------- naming what came


def _refusal(response: HttpResponse, error: UnreadableAnswer, secrets: Set[str]) -> UnreadableAnswer:
    kind = _kind(response, error)
    if kind in ("syntax", "number", "too_deep", "encoding"):
        advice = error.message
    else:
        advice = f"Received {_described(kind, response, secrets)}"
    return UnreadableAnswer(NOT_MAPPED, reason=kind, advice=advice if advice.endswith(".") else advice + ".")


def _kind(response: HttpResponse, error: UnreadableAnswer) -> str:
    if error.reason in ("empty", "number", "too_deep"):
        return error.reason
    declared = media_type(response)
    start = text_of(response)[:_LOOKED_AT]
    return (
        _markup(declared, start)
        or _broken_json(declared, start, error)
        or _binary(declared, start)
        or _table(declared, start)
        or "text"
    )


def _markup(declared: str, start: str) -> str:
    if _HTML.match(start):
        return "html"
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


_NAMES: Final = {"html": "HTML", "xml": "XML", "csv": "CSV", "text": "text", "syntax": "broken JSON"}


def _described(kind: str, response: HttpResponse, secrets: Set[str] = frozenset()) -> str:
    if kind == "empty":
        return "an empty answer"
    if kind == "binary":
        return f"binary data ({media_type(response) or 'no content type'}, {len(response.body):,} bytes)"
    if kind in ("number", "too_deep", "encoding"):
        return "JSON that cannot be used"
    whole, needed = text_of(response), _LOOKED_AT + margin(secrets)
    text = masked_start(whole[:needed], len(whole) > needed, _LOOKED_AT, secrets)
    if kind == "text" and _CALLBACK.match(text):
        return f"JavaScript that calls a function (JSONP): {_first_line(text)}"
    title = _TITLE.search(text) if kind == "html" else None
    return f"{_NAMES[kind]}: {_first_line(title.group(1)) if title else _first_line(text)}"


def _first_line(text: str) -> str:
    """The first line with anything in it, at most 80 characters."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    words = " ".join(_CONTROL.sub("\ufffd", line).split())
    return words if len(words) <= _SHOWN else words[: _SHOWN - 1] + "…"
