"""requests' transport adapter, wired so that every connection is ours: `Dialer` opens it, the current `Call` rules it.

Below it are urllib3's connections and answers without its pools, which took longer than all else that a call does to be
sent.

The hooks used are semi-private names of urllib3 2.8 and Python (`_new_conn`, `_dns_host`, `_read_status`). The version is
pinned, and tests/transport/test_hooks.py fails when one of the hooks is gone.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import weakref
from contextlib import suppress
from io import BytesIO
from typing import Any, Final, cast

import urllib3
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import is_connection_dropped
from urllib3.util.response import assert_header_parsing

from httpstep.transport.call import OutgoingCall, current_call
from httpstep.transport.dialing import Dialer, address_text
from httpstep.transport.idle import IdleConnections
from httpstep.transport.limits import Limits

_TIMEOUT: Final = re.compile(r"timeout\s*=\s*(\d{1,6})", re.ASCII | re.IGNORECASE)
_PLAIN: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)\r\n")


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
        self._frame(self.headers.get("Transfer-Encoding", ""), self.headers.get("Content-Length", ""))

    def _frame(self, coding: str, length: str) -> None:
        """How the end of the body is found (RFC 9112, 6.3). Where it is in doubt, the next answer must not come over the
        same connection."""
        library = cast(Any, self)
        self.chunked, self.chunk_left = coding.lower() == "chunked", None
        self.length = None
        if not self.chunked:
            with suppress(ValueError):
                self.length = int(length)
        if self.length is not None and self.length < 0:
            self.length = None
        if self.status in (101, 204, 304) or library._method == "HEAD":
            self.length = 0
        self.will_close = (
            library._check_close()
            or (self.length is None and not self.chunked)
            or self.status == 101
            or bool(coding and length)
        )


def _fields(stream: Any) -> Any:
    """The headers. What is not plain is for the library: names that are there twice, folded lines, other line ends."""
    lines = _head_lines(stream)
    fields = urllib3.HTTPHeaderDict()
    for plain in map(_PLAIN.fullmatch, lines[:-1]):
        if plain is not None:
            fields[plain[1].decode()] = plain[2].decode("latin-1")
    if len(fields) == len(lines) - 1 and lines[-1] == b"\r\n":
        return fields
    parsed = http.client.parse_headers(BytesIO(b"".join(lines)))
    assert_header_parsing(parsed)
    return parsed


def _head_lines(stream: Any) -> list[bytes]:
    """Up to the empty line, bounded in length and number."""
    lines: list[bytes] = cast(Any, http.client)._read_headers(stream)
    return lines


class GuardedHTTPConnection(HTTPConnection):
    """A connection that is dialed under guard and sends a request exactly as it was rendered."""

    dialer: Dialer

    def _new_conn(self) -> socket.socket:
        call = current_call()
        sock = self.dialer.dial(call, self._dns_host, self.port)
        call.note(address=address_text(sock))
        return sock

    def exchange(self, request: PreparedRequest) -> Answer:
        """Send the request and read the head of its answer; the connection is closed where that fails."""
        try:
            self._send(request)
            return self._answer(request)
        except BaseException:
            self.close()
            raise

    def _send(self, request: PreparedRequest) -> None:
        call = current_call()
        if self.sock is None:
            self.connect()
            call.connected()
        else:
            call.note(address=address_text(self.sock))
            call.enter("sending")
        lines = [f"{request.method} {call.request_target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        # A server that refuses a body answers and closes before it has read all of it: then its answer is there.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.sock.sendall("\r\n".join((*lines, "\r\n")).encode("latin-1") + cast(bytes, request.body or b""))

    def _answer(self, request: PreparedRequest) -> Answer:
        call = current_call()
        call.enter("waiting")
        head = AnswerHead(self.sock, method=request.method)
        try:
            head.begin()
            call.head_complete()
            # RFC 9112, 9.6: after a request that says "close" there is no other, whatever the answer says.
            if any(
                name.lower() == "connection" and "close" in value.lower() for name, value in request.headers.items()
            ):
                head.will_close = True
            return Answer(self, head, request)
        except BaseException:
            head.close()
            raise


class GuardedHTTPSConnection(GuardedHTTPConnection, HTTPSConnection):
    """The same over TLS; names and certificates are checked by `ssl`."""


class Answer(Response):
    """requests' answer, of which the head was read, and the connection that the rest of it comes on.

    raw: reads the body, bounded by what the head says of its length, and undoes no coding. No cookie jar is filled, no
    charset guessed.
    """

    def __init__(self, connection: GuardedHTTPConnection, head: AnswerHead, request: PreparedRequest) -> None:
        super().__init__()
        self.guarded = connection
        self._head = head
        fields = head.headers
        if not isinstance(fields, urllib3.HTTPHeaderDict):
            fields = urllib3.HTTPHeaderDict(fields.items())
        self.raw = urllib3.HTTPResponse(
            head, fields, head.status, reason=head.reason, preload_content=False,
            decode_content=False, original_response=head, request_method=request.method,
        )  # fmt: skip

    def promised(self) -> float | None:
        """Seconds for which the server keeps the idle connection, from "timeout=5, max=100"; None if it does not say."""
        found = _TIMEOUT.search(self.raw.headers.get("Keep-Alive", ""))
        return float(found[1]) if found else None

    def close(self) -> None:
        self.raw.close()
        self.guarded.close()

    def is_whole(self) -> bool:
        """Whether it was read to its end, which is certain, so that the connection may be used again."""
        if self.raw.length_remaining == 0 and not self.raw.chunked and not self._head.isclosed():
            self.raw.read(decode_content=False)
        return self._head.isclosed() and not self.raw.length_remaining and not self._head.will_close


class GuardedAdapter(BaseAdapter):
    """The connections of a transport: kept for one account and one origin, and nothing that repeats a request, follows a
    redirect or reads a body.

    No proxies, .netrc, cookies or environment: those belong to requests' session, which is not used. A taken connection
    is new, or was silent and open a moment ago. Whether a request that is lost on it all the same may be sent again is
    for `sending` to decide.
    """

    def __init__(self, dialer: Dialer, context: ssl.SSLContext, limits: Limits) -> None:
        super().__init__()
        self._dialer, self._context = dialer, context
        self._idle: IdleConnections[GuardedHTTPConnection] = IdleConnections(
            limit=limits.idle_connections, per_owner=limits.connections_per_host, seconds=limits.idle_seconds,
            unpromised=limits.idle_unpromised,
        )  # fmt: skip
        weakref.finalize(self, self._idle.close)

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Answer:
        """One request of the current call, sent once to the origin that was judged; the body is left unread."""
        return self._take(current_call()).exchange(request)

    def _take(self, call: OutgoingCall) -> GuardedHTTPConnection:
        """One at rest that is still open, else a new one; new for certain where the call is sent again."""
        resting = None if call.again else self._idle.take((call.account, *call.origin))
        if resting is not None and is_connection_dropped(resting):
            resting.close()
            resting = None
        call.reused = resting is not None
        return resting or self._new(*call.origin)

    def let_go(self, call: OutgoingCall, answer: Answer) -> None:
        """The connection to rest where the answer was read to its end, else closed."""
        if answer.is_whole():
            self._idle.rest((call.account, *call.origin), answer.guarded, answer.promised())
        else:
            answer.close()

    def close(self) -> None:
        self._idle.close()

    def _new(self, scheme: str, host: str, port: int) -> GuardedHTTPConnection:
        made = (
            GuardedHTTPSConnection(host, port, ssl_context=self._context)
            if scheme == "https"
            else GuardedHTTPConnection(host, port)
        )
        made.dialer = self._dialer
        return made
