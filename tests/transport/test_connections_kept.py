"""Connections are used again where that is safe, and within an account."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from httpstep.core.exchange import HttpResponse
from httpstep.transport import Limits, Transport
from tests.transport.conftest import wait_until

CallIt = Callable[..., HttpResponse]


def test_a_connection_is_used_again(call: CallIt, serve: Any, peers: Any) -> None:
    server = serve(peers.answering())
    first, second = call(server.url()), call(server.url())
    assert server.connections == 1
    assert first.trace.timings.connect_ms is not None
    assert second.trace.timings.connect_ms is None
    assert second.trace.timings.dns_ms is None
    assert second.trace.hops[0].address == first.trace.hops[0].address


def test_accounts_never_share_a_connection(call: CallIt, serve: Any, peers: Any) -> None:
    server = serve(peers.answering())
    for account in ("a", "b", "a", "b"):
        call(server.url(), account=account)
    assert server.connections == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_the_server_closed_is_not_used_again(call: CallIt, serve: Any, method: str) -> None:
    def handler(peer: Any) -> None:
        peer.read_request()
        peer.answer()

    server = serve(handler)
    for _ in range(3):
        assert call(server.url(), method=method).status == 200
        wait_until(lambda: all(sock.fileno() == -1 for sock in server._peers))
    assert server.connections == 3


def test_bytes_after_an_answer_never_become_the_next_answer(call: CallIt, serve: Any) -> None:
    def handler(peer: Any) -> None:
        peer.read_request()
        peer.answer(b"first")
        peer.answer(b"smuggled")
        peer.rest(0.1)
        peer.answer(b"late")
        all_said.set()
        peer.silence()

    all_said, server = threading.Event(), serve(handler)
    assert call(server.url()).body == b"first"
    assert all_said.wait(30)
    assert call(server.url()).body == b"first"
    assert server.connections == 2


@pytest.mark.parametrize("header", ["Connection: close\r\n", "Transfer-Encoding: chunked\r\n"])
def test_an_answer_whose_end_is_in_doubt_ends_its_connection(call: CallIt, serve: Any, header: str) -> None:
    def handler(peer: Any) -> None:
        while peer.read_request():
            peer.answer(b"2\r\n{}\r\n0\r\n\r\n" if "chunked" in header else b"{}", headers=header)

    server = serve(handler)
    for _ in range(2):
        assert call(server.url()).body == b"{}"
    assert server.connections == 2


def test_a_request_that_says_close_is_the_last_on_its_connection(call: CallIt, serve: Any, peers: Any) -> None:
    server = serve(peers.answering())
    for _ in range(2):
        call(server.url(), headers=(("connection", "Close"),))
    assert server.connections == 2


@pytest.mark.parametrize("promise", ["timeout=1", "timeout=0", "max=5, Timeout=1"])
def test_a_connection_is_not_kept_longer_than_the_server_promised(
    call: CallIt, serve: Any, peers: Any, promise: str
) -> None:
    server = serve(peers.answering(headers=f"Keep-Alive: {promise}\r\n"))
    call(server.url())
    call(server.url())
    assert server.connections == 2


@pytest.mark.parametrize(("promise", "connections"), [("", 2), ("Keep-Alive: timeout=60\r\n", 1)])
def test_a_connection_that_no_server_promised_to_keep_is_left_alone_sooner(
    call: CallIt, serve: Any, peers: Any, make_transport: Callable[..., Transport], promise: str, connections: int
) -> None:
    server = serve(peers.answering(headers=promise))
    transport = make_transport(limits=Limits(idle_unpromised=0.2))
    call(server.url(), transport=transport)
    time.sleep(0.25)
    call(server.url(), transport=transport)
    assert server.connections == connections


def test_an_idle_connection_grows_too_old(
    call: CallIt, serve: Any, peers: Any, make_transport: Callable[..., Transport]
) -> None:
    server = serve(peers.answering(headers="Keep-Alive: timeout=60\r\n"))
    for seconds, connections in ((50, 1), (0.2, 2)):
        server.connections = 0
        transport = make_transport(limits=Limits(idle_seconds=seconds))
        call(server.url(), transport=transport)
        time.sleep(0.25)
        call(server.url(), transport=transport)
        assert server.connections == connections


def open_connections(server: Any) -> int:
    """How many clients have not closed yet: a closed one has its end of stream waiting."""
    still_open = 0
    for sock in server._peers:
        try:
            sock.setblocking(False)
            still_open += sock.recv(1, 2) != b""  # MSG_PEEK
        except BlockingIOError:
            still_open += 1
        except OSError:
            pass
    return still_open


def test_idle_connections_are_bounded_over_all_accounts(
    call: CallIt, serve: Any, make_transport: Callable[..., Transport]
) -> None:
    def handler(peer: Any) -> None:
        peer.read_request()
        peer.answer()
        peer.silence()

    server = serve(handler)
    transport = make_transport(limits=Limits(idle_connections=5))
    for account in range(20):
        call(server.url(), transport=transport, account=str(account))
    wait_until(lambda: open_connections(server) == 5)
    assert open_connections(server) == 5


def test_connections_to_one_place_are_bounded_and_leave_nothing_behind(
    call: CallIt, serve: Any, make_transport: Callable[..., Transport]
) -> None:
    def handler(peer: Any) -> None:
        peer.read_request()
        everybody.wait(30)
        peer.answer()
        peer.silence()

    everybody, server = threading.Barrier(10), serve(handler)
    transport = make_transport(limits=Limits(connections_per_host=3))
    threads = [threading.Thread(target=call, args=(server.url(),), kwargs={"transport": transport}) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: open_connections(server) == 3)
    assert open_connections(server) == 3
    assert {len(kept) for kept in transport._connections._idle._of.values()} == {3}
    transport.close()
    assert not transport._connections._idle._of


def test_close_ends_the_idle_connections(call: CallIt, serve: Any, make_transport: Callable[..., Transport]) -> None:
    def handler(peer: Any) -> None:
        while peer.read_request():
            peer.answer()
            peer.silence()

    server = serve(handler)
    transport = make_transport()
    call(server.url(), transport=transport)
    assert open_connections(server) == 1
    transport.close()
    wait_until(lambda: open_connections(server) == 0)
    assert open_connections(server) == 0
    assert call(server.url(), transport=transport).status == 200


def test_a_failed_call_leaves_no_connection_open(call: CallIt, serve: Any) -> None:
    def handler(peer: Any) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n")
        peer.silence()

    server = serve(handler)
    with pytest.raises(Exception, match="too large"):
        call(server.url())
    wait_until(lambda: open_connections(server) == 0)
    assert open_connections(server) == 0


def test_fifty_threads_never_get_each_others_answer_or_deadline(
    call: CallIt, serve: Any, make_transport: Callable[..., Transport]
) -> None:
    def handler(peer: Any) -> None:
        while request := peer.read_request():
            head, _, body = request.partition(b"\r\n\r\n")
            path = head.split(b" ")[1]
            if path.startswith(b"/slow"):
                peer.rest(2)
            wanted = next(line for line in head.split(b"\r\n") if line.startswith(b"X-Caller"))
            peer.answer(path + b"|" + wanted + b"|" + body)

    server = serve(handler)
    transport = make_transport()
    wrong: list[str] = []
    done: list[int] = []

    def work(number: int) -> None:
        for turn in range(20):
            slow = (number + turn) % 4 == 0
            path = f"/{'slow' if slow else 'quick'}/{number}/{turn}"
            headers, body = (("X-Caller", f"{number}-{turn}"),), f"{number}.{turn}".encode() * 100
            began = time.monotonic()
            try:
                answer = call(server.url(path), method="POST", headers=headers, body=body, transport=transport,
                              timeout=0.1 if slow else 20, account=str(number % 3))  # fmt: skip
            except Exception as error:
                took = time.monotonic() - began
                if not slow or "0.1 seconds" not in str(error) or took > 15:
                    wrong.append(f"{path} {error!r} after {took}")
            else:
                if slow or answer.body != f"{path}|X-Caller: {number}-{turn}|".encode() + body:
                    wrong.append(f"{path} {answer}")
            done.append(turn)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1000
    assert wrong == []
