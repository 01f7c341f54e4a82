"""Servers that misbehave on a real socket, and what a test needs to call them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme

from httpstep.core.addresses import AddressPolicy
from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.transport import Transport


def wait_until(done: Callable[[], bool]) -> None:
    """However long a busy machine takes for it; what never comes is left to the assertion that follows."""
    ends = time.monotonic() + 30
    while not done() and time.monotonic() < ends:
        time.sleep(0.01)


LOOPBACK = AddressPolicy.parse("127.0.0.0/8, ::1")


class Peer:
    """The server's side of one connection."""

    def __init__(self, sock: socket.socket, number: int, server: RawServer) -> None:
        self.sock = sock
        self.number = number
        self.server = server

    def read_request(self) -> bytes:
        """The head of the next request and as much of its body as Content-Length says; b"" at the end."""
        data = b""
        while b"\r\n\r\n" not in data:
            block = self.sock.recv(65536)
            if not block:
                return b""
            data += block
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            body += self.sock.recv(65536)
        request = head + b"\r\n\r\n" + body
        self.server.requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(self, body: bytes = b"{}", status: str = "200 OK", headers: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        self.send(head.encode("latin-1") + body)

    def drip(self, data: bytes, pause: float = 0.05) -> None:
        """Byte by byte, until the other side is gone or the test is over."""
        for index in range(len(data)):
            self.send(data[index : index + 1])
            self.rest(pause)

    def rest(self, seconds: float) -> None:
        if self.server.closing.wait(seconds):
            raise ConnectionAbortedError

    def silence(self) -> None:
        self.rest(30)


class RawServer:
    """Runs `handler(peer)` in a thread for each connection and remembers what came."""

    def __init__(self, handler: Callable[[Peer], None], *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"):
        self.connections = 0
        self.requests: list[bytes] = []
        self.closing = threading.Event()
        self.host = host
        self.scheme = "https" if tls else "http"
        self._handler = handler
        self._tls = tls
        self._peers: list[socket.socket] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=256)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, path: str = "/", host: str = "") -> str:
        shown = host or (f"[{self.host}]" if ":" in self.host else self.host)
        return f"{self.scheme}://{shown}:{self.port}{path}"

    def close(self) -> None:
        """Shut down and leave the closing to each thread: a descriptor closed under a thread may be another's next."""
        self.closing.set()
        for sock in (self._listener, *self._peers):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                self._listener.close()
                return
            self.connections += 1
            self._peers.append(sock)
            threading.Thread(target=self._handle, args=(sock, self.connections), daemon=True).start()

    def _handle(self, sock: socket.socket, number: int) -> None:
        try:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._peers.append(sock)
            self._handler(Peer(sock, number, self))
        except (OSError, ValueError):
            pass
        finally:
            sock.close()


def answering(body: bytes = b"{}", status: str = "200 OK", headers: str = "") -> Callable[[Peer], None]:
    """A well-behaved keep-alive server that always gives the same answer."""

    def handler(peer: Peer) -> None:
        while peer.read_request():
            peer.answer(body, status, headers)

    return handler


def saying(data: bytes) -> Callable[[Peer], None]:
    """A server that answers any request with exactly these bytes and closes."""

    def handler(peer: Peer) -> None:
        peer.read_request()
        peer.send(data)

    return handler


@pytest.fixture
def serve() -> Iterator[Callable[..., RawServer]]:
    servers: list[RawServer] = []

    def start(handler: Callable[[Peer], None], **options: Any) -> RawServer:
        servers.append(RawServer(handler, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def make_transport() -> Iterator[Callable[..., Transport]]:
    made: list[Transport] = []

    def make(policy: AddressPolicy = LOOPBACK, **options: Any) -> Transport:
        made.append(Transport(policy, **options))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


@pytest.fixture(scope="session")
def shared_transport() -> Iterator[Transport]:
    """Loading the authorities takes 20 ms, so tests without wishes of their own share one."""
    transport = Transport(LOOPBACK)
    yield transport
    transport.close()


@pytest.fixture
def call(shared_transport: Transport) -> Callable[..., HttpResponse]:
    """call(url, …) through a transport that may reach the loopback; `timeout` in seconds from now."""

    def send(
        url: str,
        *,
        method: str = "GET",
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes | None = None,
        follow_redirects: bool = True,
        timeout: float = 30.0,
        transport: Transport | None = None,
        **options: Any,
    ) -> HttpResponse:
        request = RenderedRequest(method, url, headers, body, follow_redirects)
        return (transport or shared_transport).send(request, time.monotonic() + timeout, **options)

    return send


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> Callable[..., ssl.SSLContext]:
    """server_tls("localhost") -> a server's context with a certificate for those names."""

    def make(*names: str, **options: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names, **options).configure_cert(context)
        return context

    return make


@pytest.fixture
def peers() -> Any:
    """The handlers most tests use: peers.answering(...), peers.saying(...)."""

    class Peers:
        answering = staticmethod(answering)
        saying = staticmethod(saying)

    return Peers


@pytest.fixture
def resolving() -> Callable[[dict[str, list[str]]], Callable[..., Any]]:
    """resolving({"api.example": ["127.0.0.1"]}) -> a resolver; unknown names do not exist."""

    def make(names: dict[str, list[str]]) -> Callable[..., Any]:
        def getaddrinfo(host: str, port: int, *_: Any) -> list[Any]:
            if host not in names:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return [
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (ip, port, 0, 0))
                if ":" in ip
                else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))
                for ip in names[host]
            ]

        return getaddrinfo

    return make
