"""What a Content-Type says against the body it is sent with, as sentences for the preview and the Test panel."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from functools import lru_cache
from typing import Final

from httpstep.core import jsontext
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.inserting.encoders import FORM_TYPE
from httpstep.core.inserting.xmlbodies import is_xml

_MADE_OF: Final = {"query": "a form", "json": "JSON", "graphql": "JSON"}
_UTF8: Final = frozenset({"", "utf-8", "utf8"})


def contradictions(mode: str, content_type: str, body: bytes) -> Iterator[str]:
    """mode: the body's, not `multipart`, whose type is never typed."""
    media, charset, boundary = _read(content_type)
    shown = content_type.partition(";")[0].strip()
    if mode in _MADE_OF and not (media == FORM_TYPE if mode == "query" else _is_json(media)):
        yield f"The Content-Type says “{shown}”, but the body is {_MADE_OF[mode]}. Remove the header, and the right one is sent."
    elif mode == "raw":
        yield from _of_raw(media, shown, boundary, body)
    if charset not in _UTF8 and not body.isascii():
        yield f"The Content-Type says “charset={charset}”, but the body is sent as UTF-8."


@lru_cache(64)
def _read(content_type: str) -> tuple[str, str, str]:
    """Media type, charset in small letters, boundary; "" where it has none."""
    said = Message()
    said["Content-Type"] = content_type
    charset, boundary = str(said.get_param("charset", "")).lower(), str(said.get_param("boundary", ""))
    return said.get_content_type(), charset, boundary


def _is_json(media: str) -> bool:
    return media in ("application/json", "text/json") or media.endswith("+json")


def _of_raw(media: str, shown: str, boundary: str, body: bytes) -> Iterator[str]:
    start = body.lstrip()[:1]
    if _is_json(media):
        try:
            jsontext.loads(body)
        except UnreadableAnswer:
            yield f"The Content-Type says “{shown}”, but the body is not valid JSON."
    elif is_xml(media) and start != b"<":
        yield f"The Content-Type says “{shown}”, but the body does not begin with “<”, as XML does."
    elif media == FORM_TYPE and start in (b"{", b"[", b"<"):
        yield f"The Content-Type says “{shown}”, but the body looks like {'XML' if start == b'<' else 'JSON'}."
    elif media.startswith("multipart/"):
        yield from _of_parts(boundary, body)


def _of_parts(boundary: str, body: bytes) -> Iterator[str]:
    if not boundary or f"--{boundary}".encode() not in body:
        yield "The Content-Type says the body has parts, but not with the boundary that is between them: choose Form Data."
    elif b"\r\n" not in body:
        yield "The lines between the parts of the body must end with CRLF. Choose Form Data, and httpstep writes them."
