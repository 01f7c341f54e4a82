"""The connections of a transport, each of them ours: `Dialer` opens it, the current `Call` rules it.

They are urllib3's and carry what requests prepared, without the pools, adapters and answers of either: those took longer
than all else that a call does to be sent.

The hooks used are semi-private names of urllib3 2.8 (`_new_conn`, `_dns_host`). The version is pinned, and tests/transport/test_hooks.py fails when one of the hooks is gone.
"""

from __future__ import annotations

import socket
import ssl
import weakref
from contextlib import suppress
from typing import cast

from requests import PreparedRequest
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import is_connection_dropped

from httpstep.transport.answers import Answer, AnswerHead
from httpstep.transport.call import OutgoingCall, current_call
from httpstep.transport.dialing import Dialer, address_text
from httpstep.transport.idle import IdleConnections
from httpstep.transport.limits import Limits


class GuardedHTTPConnection(HTTPConnection):
    """A connection that is dialed under guard and sends a request exactly as it was rendered."""

    dialer: Dialer
    address = ""

    def _new_conn(self) -> socket.socket:
        call = current_call()
        sock = self.dialer.dial(call, self._dns_host, self.port)
        self.address = address_text(sock)
        call.note(address=self.address)
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
            call.note(address=self.address)
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
            return Answer(self, head)
        except BaseException:
            head.close()
            raise


class GuardedHTTPSConnection(GuardedHTTPConnection, HTTPSConnection):
    """The same over TLS; names and certificates are checked by `ssl`."""


class GuardedConnections:
    """Those of a transport, kept for one account and one origin; nothing that repeats a request, follows a redirect or
    reads a body.

    No proxies, .netrc, cookies or environment: those belong to requests' session, which is not used. A taken connection
    is new, or was silent and open a moment ago. Whether a request that is lost on it all the same may be sent again is
    for `sending` to decide.
    """

    def __init__(self, dialer: Dialer, context: ssl.SSLContext, limits: Limits) -> None:
        self._dialer, self._context = dialer, context
        self._idle: IdleConnections[GuardedHTTPConnection] = IdleConnections(
            limit=limits.idle_connections, per_owner=limits.connections_per_host, seconds=limits.idle_seconds,
            unpromised=limits.idle_unpromised,
        )  # fmt: skip
        weakref.finalize(self, self._idle.close)

    def send(self, request: PreparedRequest) -> Answer:
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
            self._idle.rest((call.account, *call.origin), answer.connection, answer.promised())
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
