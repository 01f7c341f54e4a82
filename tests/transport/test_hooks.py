"""The guard hangs on semi-private names of pinned libraries. When one is gone, this fails before the guard is open."""

from __future__ import annotations

import http.client
import inspect
import ssl
from importlib.metadata import version
from pathlib import Path

from urllib3.connection import HTTPConnection, HTTPSConnection

from httpstep.transport import tls
from httpstep.transport.connections import GuardedHTTPConnection, GuardedHTTPSConnection
from httpstep.transport.sockets import DeadlineSocket, DeadlineTLSSocket

ROOT = Path(__file__).parents[2]


def test_the_versions_are_pinned() -> None:
    requirements = (ROOT / "requirements.txt").read_text().split()
    for package in ("urllib3", "requests"):
        assert f"{package}=={version(package)}" in requirements


def test_urllib3_opens_its_connections_through_new_conn() -> None:
    for connection in (HTTPConnection, HTTPSConnection):
        assert "self._new_conn()" in inspect.getsource(connection.connect)
    assert not issubclass(GuardedHTTPConnection, HTTPSConnection)
    assert GuardedHTTPSConnection._new_conn is GuardedHTTPConnection._new_conn
    assert GuardedHTTPSConnection.connect is HTTPSConnection.connect


def test_the_library_reads_a_head_by_what_ours_calls_too() -> None:
    source = inspect.getsource(http.client.HTTPResponse.begin) + inspect.getsource(http.client.parse_headers)
    for called in ("self._read_status()", "_read_headers(", "self._check_close()"):
        assert called in source


def test_ssl_makes_our_sockets_and_shakes_hands_through_them() -> None:
    assert "self.sslsocket_class._create(" in inspect.getsource(ssl.SSLContext.wrap_socket)
    assert "self.do_handshake()" in inspect.getsource(ssl.SSLSocket)
    context = tls.trusting_context(None, DeadlineTLSSocket)
    assert context.sslsocket_class is DeadlineTLSSocket
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_every_way_to_move_bytes_obeys_the_deadline() -> None:
    for sock in (DeadlineSocket, DeadlineTLSSocket):
        for name in ("recv", "recv_into", "send", "sendall", "settimeout", "gettimeout"):
            assert getattr(sock, name) is getattr(DeadlineSocket, name)


def test_authorities_that_were_read_ahead_are_those_of_the_next_context_alone() -> None:
    """With whatever is set on it, so two must not share it."""
    tls.read_ahead()
    ahead, other = (tls.trusting_context(None, DeadlineTLSSocket) for _ in range(2))
    assert ahead is not other
    assert ahead.cert_store_stats() == other.cert_store_stats()
    assert ahead.cert_store_stats()["x509_ca"] > 100
    for context in (ahead, other):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
        assert context.sslsocket_class is DeadlineTLSSocket
