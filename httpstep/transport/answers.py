"""The body of an answer, read to its end or to its limit, and decoded."""

from __future__ import annotations

from collections.abc import Iterator

import urllib3

from httpstep.core.errors import NetworkError
from httpstep.core.exchange import HttpResponse
from httpstep.transport.call import OutgoingCall
from httpstep.transport.codings import Coding, coding_of

_BLOCK = 64 * 1024


def read_answer(raw: urllib3.BaseHTTPResponse, call: OutgoingCall, url: str) -> HttpResponse:
    """The whole answer. Raises TooLarge, TimedOut, Cancelled, NetworkError (broken_answer), and what urllib3 raises.

    At most the wire's limit and the decoded body's are in memory. Where the body is not what the headers say, the
    trace has a note.
    """
    coding = coding_of(raw.headers.get("Content-Encoding", ""), raw.headers.get("Content-Type", ""))
    _check_transfer_coding(raw.headers.get("Transfer-Encoding", ""))
    if raw.length_remaining and raw.length_remaining > call.limits.wire:
        raise call.too_large("wire", call.limits.wire)
    limit = call.limits.decoded
    body, notes = coding.decoded(_received(raw, call, coding), limit)
    if len(body) > limit:
        raise call.too_large("decoded", limit)
    for note in notes:
        call.remark(note)
    return HttpResponse(raw.status, raw.reason or "", tuple(raw.headers.iteritems()), body, url, call.trace())


def _received(raw: urllib3.BaseHTTPResponse, call: OutgoingCall, coding: Coding) -> bytes:
    """The body as it came. Given up as soon as it is seen to stand for too much; packed, that is looked at now and then."""
    data, limit, looked_at = bytearray(), call.limits.decoded, _BLOCK
    for block in _blocks(raw, call, coding, data):
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
    return bytes(data)


def _blocks(raw: urllib3.BaseHTTPResponse, call: OutgoingCall, coding: Coding, data: bytearray) -> Iterator[bytes]:
    """The blocks as they come, each to be added to `data`. Some servers state the length before they compress: gzip knows
    its own end, so fewer bytes than stated are no loss where it is reached."""
    try:
        yield from raw.stream(_BLOCK, decode_content=False)
    except urllib3.exceptions.ProtocolError as error:
        is_short = isinstance(error.__cause__, urllib3.exceptions.IncompleteRead)
        if not (is_short and coding.is_whole(bytes(data), call.limits.decoded)):
            raise
        call.remark("The answer has fewer bytes than its Content-Length says; what is compressed in it is whole.")


def _check_transfer_coding(transfer_encoding: str) -> None:
    if transfer_encoding.strip().lower() not in ("", "chunked", "identity"):
        advice = "This is a fault of the server; its operator can tell more."
        what = "The answer is transferred in a way that was not asked for."
        raise NetworkError(what, reason="broken_answer", advice=advice)
