"""The answer: its head, read strictly; its body, to its end or to its limit, and decoded.

`AnswerHead` leans on semi-private names of Python's `http.client`; tests/transport/test_hooks.py fails when one is gone.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, cast

from urllib3.util.response import assert_header_parsing

from httpstep.core.errors import NetworkError
from httpstep.core.exchange import HttpResponse
from httpstep.core.regex import regex
from httpstep.transport.call import OutgoingCall
from httpstep.transport.codings import Coding, coding_of

if TYPE_CHECKING:
    from httpstep.transport.connections import GuardedHTTPConnection

_BLOCK: Final = 64 * 1024
_CHUNK_LINE: Final = 64 * 1024
_TIMEOUT: Final = regex(r"timeout\s*=\s*(\d{1,6})", re.ASCII | re.IGNORECASE)
# Possessive: a long line that is not plain must not be tried with each of its blanks as the first of the value.
_PLAIN: Final = regex(r"^([!#$%&'*+.^_`|~0-9A-Za-z-]++):[ \t]*+([\t\x20-\x7e\x80-\xff]*+)\r\n", re.MULTILINE)


class Fields:
    """The headers of an answer: `rows` in their order, those of one name together; and by name, in lower case."""

    __slots__ = ("_values", "rows")

    def __init__(self, rows: Iterable[tuple[str, str]]) -> None:
        self.rows = tuple(rows)
        self._values = {name.lower(): value for name, value in self.rows}
        if len(self._values) < len(self.rows):
            self._put_together()

    def __len__(self) -> int:
        """How many names there are."""
        return len(self._values)

    def get(self, name: str, default: str = "") -> str:
        """What all rows of that name say, with commas between (RFC 9110, 5.3)."""
        return self._values.get(name, default)

    def items(self) -> tuple[tuple[str, str], ...]:
        return self.rows

    def _put_together(self) -> None:
        """The rows of one name where the first of them stands, under its spelling."""
        same: dict[str, list[tuple[str, str]]] = {}
        for name, value in self.rows:
            rows = same.setdefault(name.lower(), [])
            rows.append((rows[0][0] if rows else name, value))
        self.rows = tuple(row for rows in same.values() for row in rows)
        self._values = {name: ", ".join(value for _, value in rows) for name, rows in same.items()}


class AnswerHead(http.client.HTTPResponse):
    """Status line and headers, read more strictly than the library does, and where they are plain in a third of its time."""

    headers: Any

    def begin(self) -> None:
        """What `http.client` does here, past interim answers such as 103 Early Hints (RFC 9110, 15.2): it knows only 100."""
        library = cast(Any, self)
        version, status, reason = library._read_status()
        while 100 <= status < 200 and status != 101:
            _head_lines(self.fp)
            version, status, reason = library._read_status()
        if not version.startswith(("HTTP/1.", "HTTP/0.9")):
            raise http.client.UnknownProtocol(version)
        self.code = self.status = status
        self.reason, self.version = reason.strip(), 10 if version in ("HTTP/1.0", "HTTP/0.9") else 11
        self.headers = self.msg = _fields(self.fp)
        self._frame(self.headers.get("transfer-encoding", ""), self.headers.get("content-length", ""))

    def _frame(self, coding: str, length: str) -> None:
        """How the end of the body is found (RFC 9112, 6.3). Where it is in doubt, the next answer must not come over the
        same connection."""
        library = cast(Any, self)
        self.chunked, self.chunk_left = coding.lower() == "chunked", None
        self.length = None
        if length and not self.chunked:
            with suppress(ValueError):
                self.length = int(length)
        if self.length is not None and self.length < 0:
            self.length = None
        if self.has_no_body():
            self.length = 0
        self.will_close = (
            library._check_close()
            or (self.length is None and not self.chunked)
            or self.status == 101
            or bool(coding and length)
        )

    def is_for_head(self) -> bool:
        return bool(cast(Any, self)._method == "HEAD")

    def has_no_body(self) -> bool:
        """Whatever its headers say (RFC 9112, 6.3)."""
        return self.status in (101, 204, 304) or self.is_for_head()


def _fields(stream: Any) -> Any:
    """The headers. What is not plain is for the library: names that are there twice, folded lines, other line ends."""
    lines = _head_lines(stream)
    plain = _PLAIN.findall(b"".join(lines[:-1]).decode("latin-1"))
    if len(plain) == len(lines) - 1 and lines[-1] == b"\r\n":
        fields = Fields(plain)
        if len(fields) == len(plain):
            return fields
    parsed = http.client.parse_headers(BytesIO(b"".join(lines)))
    assert_header_parsing(parsed)
    return parsed


def _head_lines(stream: Any) -> list[bytes]:
    """Up to the empty line, bounded in length and number."""
    lines: list[bytes] = cast(Any, http.client)._read_headers(stream)
    return lines


class Answer:
    """The answer to one request, of which the head was read, and the connection that the rest of it comes on.

    remaining: bytes of the body that are still to come; None where the head does not say how many.
    """

    __slots__ = ("_head", "_in_chunk", "chunked", "connection", "fields", "reason", "remaining", "status")

    def __init__(self, connection: GuardedHTTPConnection, head: AnswerHead) -> None:
        """Raises HTTPException where the head says several lengths."""
        self.connection, self._head = connection, head
        self.status, self.reason = head.status, head.reason
        fields = head.headers
        self.fields = fields if isinstance(fields, Fields) else Fields(fields.items())
        coding = self.fields.get("transfer-encoding").lower()
        self.chunked = "chunked" in (coding and [one.strip() for one in coding.split(",")])
        self._in_chunk = 0
        self.remaining = self._length(self.fields.get("content-length"))

    def _length(self, stated: str) -> int | None:
        """What Content-Length says, which may be there several times as long as it says the same (RFC 9110, 8.6)."""
        if stated and self.chunked:
            return None
        lengths: set[int] = set()
        with suppress(ValueError):
            lengths = {int(one) for one in stated.split(",")} if stated else lengths
        if len(lengths) > 1:
            raise http.client.HTTPException("several lengths")
        if self._head.has_no_body():
            return 0
        return next((length for length in lengths if length >= 0), None)

    def block(self) -> bytes:
        """The next of the body, undecoded and at most 64 KB; b"" at its end, or where the server ends it early."""
        if self.chunked:
            return self._block_of_chunks()
        data = self._head.read(_BLOCK)
        if self.remaining is not None:
            self.remaining -= len(data)
        return data

    def _block_of_chunks(self) -> bytes:
        """RFC 9112, 7.1. What is wrong with the framing is raised: no byte after it can be trusted."""
        head = cast(Any, self._head)
        if self._head.is_for_head():
            head.close()
        if head.isclosed():
            return b""
        if not self._in_chunk:
            self._in_chunk = _chunk_size(head.fp)
            if not self._in_chunk:
                _pass_trailers(head.fp)
                head.close()
                return b""
        size = min(self._in_chunk, _BLOCK)
        data: bytes = head._safe_read(size)
        self._in_chunk -= size
        if not self._in_chunk:
            head._safe_read(2)
        return data

    def promised(self) -> float | None:
        """Seconds for which the server keeps the idle connection, from "timeout=5, max=100"; None if it does not say."""
        found = _TIMEOUT.search(self.fields.get("keep-alive"))
        return float(found[1]) if found else None

    def is_whole(self) -> bool:
        """Whether it was read to its end, which is certain, so that the connection may be used again."""
        head = self._head
        if self.remaining == 0 and not self.chunked and not head.isclosed():
            head.read(_BLOCK)
        return head.isclosed() and not self.remaining and not head.will_close

    def close(self) -> None:
        self._head.close()
        self.connection.close()


def _chunk_size(stream: Any) -> int:
    """Of the chunk that begins; 0 is the last one."""
    line: bytes = stream.readline(_CHUNK_LINE + 1)
    if len(line) > _CHUNK_LINE:
        raise http.client.HTTPException("the line of a chunk's size is too long")
    size = line.partition(b";")[0]
    if not size:
        raise http.client.IncompleteRead(b"")
    try:
        return int(size, 16)
    except ValueError:
        raise http.client.HTTPException("a chunk's size is no number") from None


def _pass_trailers(stream: Any) -> None:
    """Up to the empty line, which some servers leave out."""
    line = b"-"
    while line not in (b"\r\n", b""):
        line = stream.readline(_CHUNK_LINE + 1)
        if len(line) > _CHUNK_LINE:
            raise http.client.HTTPException("a trailer is too long")


def read_answer(answer: Answer, call: OutgoingCall, url: str) -> HttpResponse:
    """The whole answer. Raises TooLarge, TimedOut, Cancelled, NetworkError (broken_answer), and what the library raises.

    At most the wire's limit and the decoded body's are in memory. Where the body is not what the headers say, the
    trace has a note.
    """
    fields, limits = answer.fields, call.limits
    coding = coding_of(fields.get("content-encoding"), fields.get("content-type"))
    _check_transfer_coding(fields.get("transfer-encoding"))
    if answer.remaining and answer.remaining > limits.wire:
        raise call.too_large("wire", limits.wire)
    body, notes = coding.decoded(_received(answer, call, coding), limits.decoded)
    if len(body) > limits.decoded:
        raise call.too_large("decoded", limits.decoded)
    for note in notes:
        call.remark(note)
    return HttpResponse(answer.status, answer.reason, fields.rows, body, url, call.trace())


def _received(answer: Answer, call: OutgoingCall, coding: Coding) -> bytes:
    """The body as it came. Given up as soon as it is seen to stand for too much; packed, that is looked at now and then."""
    data, limit, looked_at = bytearray(), call.limits.decoded, _BLOCK
    while block := answer.block():
        data += block
        if coding.may_be_packed(data):
            if len(data) <= 2 * looked_at:
                continue
            looked_at = len(data)
            is_over = coding.is_over(bytes(data), limit)
        else:
            is_over = len(data) > limit
        if is_over:
            raise call.too_large("decoded", limit)
    body = bytes(data)
    if answer.remaining:
        # Some servers state the length before they compress: gzip knows its own end, so nothing is lost where it came.
        if not coding.is_whole(body, limit):
            raise http.client.IncompleteRead(b"")
        call.remark("The answer has fewer bytes than its Content-Length says; what is compressed in it is whole.")
    return body


def _check_transfer_coding(transfer_encoding: str) -> None:
    if transfer_encoding.strip().lower() not in ("", "chunked", "identity"):
        advice = "This is a fault of the server; its operator can tell more."
        what = "The answer is transferred in a way that was not asked for."
        raise NetworkError(what, reason="broken_answer", advice=advice)
