"""The body of an answer, read to its end or to its limit, and decoded."""

from __future__ import annotations

import zlib
from typing import Protocol

import urllib3

from httpstep.core.errors import NetworkError
from httpstep.core.exchange import HttpResponse
from httpstep.transport.call import Call

_BLOCK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"
# Concatenated gzip members are legal (RFC 1952, 2.2); thousands of empty ones are an attack on the processor.
_MEMBERS = 100


def read_answer(raw: urllib3.BaseHTTPResponse, call: Call, url: str) -> HttpResponse:
    """The whole answer. Raises TooLarge, TimedOut, Cancelled, NetworkError (broken_answer), and what urllib3 raises."""
    decoder = _decoder(raw.headers.get("Content-Encoding", ""))
    _check_transfer_coding(raw.headers.get("Transfer-Encoding", ""))
    if raw.length_remaining and raw.length_remaining > call.limits.wire:
        raise call.too_large("wire", call.limits.wire)
    most = call.limits.decoded
    pieces: list[bytes] = []
    size = 0
    for block in raw.stream(_BLOCK, decode_content=False):
        piece = decoder.decode(block, most - size + 1)
        size += len(piece)
        if size > most:
            raise call.too_large("decoded", most)
        pieces.append(piece)
    decoder.finish()
    headers = tuple(raw.headers.iteritems())
    return HttpResponse(raw.status, raw.reason or "", headers, b"".join(pieces), url, call.trace())


class _Decoder(Protocol):
    def decode(self, data: bytes, most: int) -> bytes:
        """At most `most` bytes of what `data` stands for."""

    def finish(self) -> None:
        """Raises NetworkError when the data ended in the middle."""


class _Identity:
    def decode(self, data: bytes, most: int) -> bytes:
        return data

    def finish(self) -> None:
        return None


class _Inflating:
    """gzip (RFC 1952) or deflate (RFC 1950, and the bare RFC 1951 that some servers send under that name)."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._stream = zlib.decompressobj(wbits)
        self._members = 0
        self._begun = False

    def decode(self, data: bytes, most: int) -> bytes:
        if not self._begun and self._wbits != _GZIP and (data[0] & 0x0F) != 8:
            self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._begun = True
        out = bytearray()
        while data and len(out) < most:
            if self._stream.eof and not self._next_member(data):
                break
            out += self._stream.decompress(data, most - len(out))
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
        return bytes(out)

    def finish(self) -> None:
        if self._begun and not self._stream.eof:
            raise NetworkError("The answer was cut off before its end.", reason="incomplete", advice="Try again later.")

    def _next_member(self, data: bytes) -> bool:
        """Begin the next gzip member; False for padding after the last, which is ignored as gzip itself does."""
        self._members += 1
        if self._wbits != _GZIP or not _GZIP_MAGIC.startswith(data[:2]):
            return False
        if self._members > _MEMBERS:
            raise _unreadable("is compressed in too many parts")
        self._stream = zlib.decompressobj(_GZIP)
        return True


def _decoder(content_encoding: str) -> _Decoder:
    codings = [coding for part in content_encoding.split(",") if (coding := part.strip().lower())]
    codings = [coding for coding in codings if coding != "identity"]
    if not codings:
        return _Identity()
    if len(codings) > 1:
        raise _unreadable("is compressed more than once")
    if codings[0] in ("gzip", "x-gzip"):
        return _Inflating(_GZIP)
    if codings[0] == "deflate":
        return _Inflating(zlib.MAX_WBITS)
    raise _unreadable("is compressed in a way that was not asked for")


def _check_transfer_coding(transfer_encoding: str) -> None:
    if transfer_encoding.strip().lower() not in ("", "chunked", "identity"):
        raise _unreadable("is transferred in a way that was not asked for")


def _unreadable(what: str) -> NetworkError:
    advice = "This is a fault of the server; its operator can tell more."
    return NetworkError(f"The answer {what}.", reason="broken_answer", advice=advice)
