"""urllib3 and requests, wired so that every connection is ours: `Dialer` opens it, the current `Call` rules it.

The hooks used are semi-private names of urllib3 2.8 and requests 2.34 (`_new_conn`, `_get_conn`, `_put_conn`,
`_new_pool`, `pool_classes_by_scheme`, `response_class`, `_read_status`, `init_poolmanager`). The versions are pinned, and
tests/transport/test_hooks.py fails when one of the hooks is gone.
"""

from __future__ import annotations

import http.client
import queue
import re
import socket
import ssl
from typing import Any, cast

import urllib3
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import is_connection_dropped
from urllib3.util.response import assert_header_parsing

from httpstep.transport.call import current_call
from httpstep.transport.dialing import Dialer, address_text
from httpstep.transport.idle import IdleConnections
from httpstep.transport.limits import Limits


class AnswerHead(http.client.HTTPResponse):
    """Status line and headers, read more strictly than the library does."""

    def _read_status(self) -> tuple[str, int, str]:
        """Skip interim answers such as 103 Early Hints (RFC 9110, 15.2); the library knows only 100."""
        library = cast(Any, super())
        line: tuple[str, int, str] = library._read_status()
        while 101 < line[1] < 200:
            http.client.parse_headers(self.fp)
            line = library._read_status()
        return line

    def begin(self) -> None:
        super().begin()
        assert_header_parsing(self.headers)
        # Where the end of an answer is in doubt, the next must not come over the same connection (RFC 9112, 6.3).
        if self.status == 101 or (self.headers.get("Transfer-Encoding") and self.headers.get("Content-Length")):
            self.will_close = True


class GuardedHTTPConnection(HTTPConnection):
    """A connection that is dialed under guard and sends the request target exactly as it was rendered."""

    response_class = AnswerHead
    dialer: Dialer
    keep_alive: float | None = None
    _last = False

    def _new_conn(self) -> socket.socket:
        call = current_call()
        sock = self.dialer.dial(call, self._dns_host, self.port)
        call.note(address=address_text(sock))
        return sock

    def connect(self) -> None:
        super().connect()
        current_call().connected()

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any) -> None:
        call = current_call()
        if self.sock is not None:
            call.note(address=address_text(self.sock))
            call.enter("sending")
        self._last = "close" in (headers or {}).get("Connection", "").lower()
        # `url` went through urllib3's normalisation, which rewrites some characters.
        super().request(method, call.request_target, body, headers, **options)

    def getresponse(self) -> Any:
        call = current_call()
        call.enter("waiting")
        answer = super().getresponse()
        call.head_complete()
        # RFC 9112, 9.6: after a request that says "close" there is no other, whatever the answer says.
        self.keep_alive = 0.0 if self._last else _promised_seconds(answer.headers.get("Keep-Alive", ""))
        return answer


class GuardedHTTPSConnection(GuardedHTTPConnection, HTTPSConnection):
    """The same over TLS; names and certificates are checked by `ssl`."""


class _GuardedPool(HTTPConnectionPool):
    """The idle connections of one account to one origin, and nothing that repeats a request.

    A taken connection is new, or was silent and open a moment ago. Whether a request that is lost on it all the same
    may be sent again is for `sending` to decide.
    """

    dialer: Dialer
    idle: IdleConnections

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        connection.dialer = self.dialer
        return connection

    def _get_conn(self, timeout: float | None = None) -> Any:
        """A connection at rest that is still open, else a new one. A pool closed meanwhile has none at rest.

        New for certain where the call is sent again.
        """
        call, pool = current_call(), self.pool
        try:
            connection: Any = pool.get(block=False) if pool is not None else None
        except queue.Empty:
            connection = None
        if connection is None:
            return self._new_conn()
        # Taken out of the book it is ours alone; before that it might be closed at any moment.
        if not self.idle.take(connection) or call.again or is_connection_dropped(connection):
            connection.close()
        call.reused = connection.sock is not None
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None and conn.sock is not None:
            self.idle.rest(conn, conn.keep_alive)
        super()._put_conn(conn)


class GuardedHTTPPool(_GuardedPool):
    ConnectionCls = GuardedHTTPConnection


class GuardedHTTPSPool(_GuardedPool, HTTPSConnectionPool):
    ConnectionCls = GuardedHTTPSConnection


class _GuardedPools(urllib3.PoolManager):
    """Hands the dialer to each pool it makes."""

    def __init__(self, dialer: Dialer, idle: IdleConnections, **options: Any) -> None:
        super().__init__(**options)
        self.pool_classes_by_scheme = {"http": GuardedHTTPPool, "https": GuardedHTTPSPool}
        self._dialer = dialer
        self._idle = idle

    def _new_pool(self, *arguments: Any, **names: Any) -> HTTPConnectionPool:
        pool: Any = super()._new_pool(*arguments, **names)
        pool.dialer, pool.idle = self._dialer, self._idle
        made: HTTPConnectionPool = pool
        return made


class GuardedAdapter(HTTPAdapter):
    """requests' adapter for one account. `send` neither follows redirects nor reads a body.

    No proxies, .netrc, cookies or environment: those belong to requests' session, which is not used.
    """

    def __init__(self, dialer: Dialer, idle: IdleConnections, context: ssl.SSLContext, limits: Limits) -> None:
        self._dialer = dialer
        self._idle = idle
        self._context = context
        super().__init__(limits.hosts_per_account, limits.connections_per_host)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        self.poolmanager = _GuardedPools(
            self._dialer, self._idle, num_pools=connections, maxsize=maxsize, block=block, ssl_context=self._context
        )

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        """The origin that was judged, not a second reading of the URL."""
        scheme, host, port = current_call().origin
        return {"scheme": scheme, "host": host, "port": port}, {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the shared context verifies, always. requests would load the authorities anew per connection."""

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        """Only the raw answer: no cookie jar is filled, no charset guessed."""
        response = Response()
        response.raw = resp
        return response


def _promised_seconds(keep_alive: str) -> float | None:
    """How long the server keeps an idle connection, from "timeout=5, max=100"; None if it does not say."""
    promised = re.search(r"timeout\s*=\s*(\d{1,6})", keep_alive, re.ASCII | re.IGNORECASE)
    return float(promised[1]) if promised else None
