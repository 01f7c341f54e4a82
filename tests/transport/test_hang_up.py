"""When the caller goes, its call ends at once, and the third party sees the connection close."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from httpstep.core.errors import Cancelled
from httpstep.core.exchange import HttpResponse
from httpstep.transport import Transport

CallIt = Callable[..., HttpResponse]


@pytest.fixture
def caller() -> Iterator[tuple[socket.socket, socket.socket]]:
    """(the caller's end, our end)"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    yield theirs, ours
    theirs.close()
    ours.close()


def hanging_up(theirs: socket.socket, reached: threading.Event, how: str = "close") -> threading.Thread:
    """A moment after the call has come to where it is to be cancelled."""

    def go() -> None:
        reached.wait(20)
        time.sleep(0.2)
        if how == "reset":
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        theirs.close()

    thread = threading.Thread(target=go)
    thread.start()
    return thread


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("stage", ["waiting", "reading", "sending", "tls", "dns", "connecting"])
def test_a_hang_up_ends_the_call_at_once(
    call: CallIt, serve: Any, make_transport: Callable[..., Transport], caller: Any, stage: str, how: str
) -> None:
    gone, reached, over = threading.Event(), threading.Event(), threading.Event()

    def handler(peer: Any) -> None:
        if stage == "reading":
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
        reached.set()
        if stage in ("sending", "tls"):
            peer.silence()
        try:
            while peer.sock.recv(65536):
                pass
        finally:
            gone.set()

    def slow_resolver(host: str, port: int, *_: Any) -> list[Any]:
        if stage == "dns":
            reached.set()
            over.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    theirs, ours = caller
    server = serve(handler)
    full = [socket.socket() for _ in range(4)]
    url = server.url(host="api.example")
    if stage == "connecting":
        full[0].bind(("127.0.0.1", 0))
        full[0].listen(0)
        reached.set()
        for filler in full[1:]:
            filler.setblocking(False)
            filler.connect_ex(full[0].getsockname())
        url = f"http://127.0.0.1:{full[0].getsockname()[1]}/"
    if stage == "tls":
        url = url.replace("http:", "https:")
    caller_goes = hanging_up(theirs, reached, how)
    began = time.monotonic()
    try:
        with pytest.raises(Cancelled) as raised:
            call(url, method="POST", body=bytes(30_000_000 if stage == "sending" else 10), timeout=30,
                 hangup=ours.fileno(), transport=make_transport(getaddrinfo=slow_resolver))  # fmt: skip
    finally:
        over.set()
        caller_goes.join()
        for sock in full:
            sock.close()
    assert time.monotonic() - began < 25
    assert raised.value.reason == "cancelled"
    assert raised.value.trace is not None
    if stage in ("waiting", "reading"):
        assert gone.wait(20)


def test_a_caller_that_stays_gets_its_answer(call: CallIt, serve: Any, peers: Any, caller: Any) -> None:
    theirs, ours = caller
    theirs.sendall(b"the next request, sent early")
    assert call(serve(peers.answering()).url(), hangup=ours.fileno()).status == 200


def test_a_caller_that_is_gone_before_makes_no_request(call: CallIt, serve: Any, peers: Any, caller: Any) -> None:
    theirs, ours = caller
    theirs.close()
    server = serve(peers.answering())
    with pytest.raises(Cancelled):
        call(server.url(), hangup=ours.fileno())
    assert server.requests == []
