"""A request lost on a kept connection that the server was closing: what asks for nothing to be done goes out once more.

Nothing else ever goes out twice, on whatever connection and whenever it is lost.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from httpstep.core.errors import Cancelled, NetworkError, SendError, TimedOut
from httpstep.core.exchange import HttpResponse
from httpstep.core.step.spec import METHODS
from httpstep.transport import Transport
from tests.transport.conftest import RawServer

CallIt = Callable[..., HttpResponse]
SAFE = ("GET", "HEAD", "OPTIONS")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
NOTE = "127.0.0.1 closed the connection that was kept open, so the {} was sent again on a new one."


def reset(peer: Any) -> None:
    """Close with RST instead of FIN (socket(7), SO_LINGER)."""
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def closing_under_the_second(*, by_reset: bool = False, first_words: bytes = b"") -> Callable[[Any], None]:
    """Answers the first request of a connection, reads the second whole and closes without a word."""

    def handler(peer: Any) -> None:
        peer.read_request()
        peer.answer()
        if peer.read_request():
            peer.send(first_words)
            if by_reset:
                reset(peer)

    return handler


def closing_at_once(peer: Any) -> None:
    """Answers one request and closes, without saying that it will."""
    request = peer.read_request()
    if b" /old" in request:
        peer.answer(b"", "302 Found", "Location: /new\r\n")
    else:
        peer.answer()


def sent(server: RawServer, method: str) -> int:
    return sum(request.startswith(method.encode() + b" ") for request in server.requests)


@pytest.mark.parametrize("method", SAFE)
@pytest.mark.parametrize("by_reset", [False, True])
def test_a_safe_request_is_sent_again_on_a_new_connection(
    call: CallIt, serve: Any, method: str, by_reset: bool
) -> None:
    server = serve(closing_under_the_second(by_reset=by_reset))
    first, second = call(server.url("/a"), method=method), call(server.url("/b"), method=method)
    assert second.status == 200
    assert (server.connections, len(server.requests)) == (2, 3)
    assert server.requests[1] == server.requests[2]
    assert first.trace.notes == ()
    assert second.trace.notes == (NOTE.format(method),)
    (hop,) = second.trace.hops
    assert (hop.status, hop.address) == (200, f"127.0.0.1:{server.port}")
    assert second.trace.timings.connect_ms is not None


def test_it_is_sent_again_over_tls(
    call: CallIt, serve: Any, server_tls: Any, ca_file: str, make_transport: Callable[..., Transport]
) -> None:
    server = serve(closing_under_the_second(), tls=server_tls("127.0.0.1"))
    transport = make_transport(ca_file=ca_file)
    for _ in range(2):
        answer = call(server.url(), transport=transport)
    assert answer.trace.notes == (NOTE.format("GET"),)
    assert (server.connections, len(server.requests)) == (2, 3)


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("by_reset", [False, True])
def test_nothing_else_is_ever_sent_twice(call: CallIt, serve: Any, method: str, by_reset: bool) -> None:
    server = serve(closing_under_the_second(by_reset=by_reset))
    call(server.url())
    with pytest.raises(NetworkError, match="closed the connection without an answer") as raised:
        call(server.url(), method=method, body=b"order=1")
    assert "was not repeated" in raised.value.advice
    assert raised.value.trace is not None and raised.value.trace.notes == ()
    assert (server.connections, sent(server, method)) == (1, 1)


@pytest.mark.parametrize("method", METHODS)
def test_on_a_new_connection_nothing_is_sent_twice(call: CallIt, serve: Any, method: str) -> None:
    server = serve(lambda peer: peer.read_request())
    with pytest.raises(NetworkError, match="closed the connection without an answer"):
        call(server.url(), method=method)
    assert (server.connections, len(server.requests)) == (1, 1)


@pytest.mark.parametrize("first_words", [b"H", b"\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 2"])
def test_after_a_byte_of_the_answer_it_is_not_sent_again(call: CallIt, serve: Any, first_words: bytes) -> None:
    server = serve(closing_under_the_second(first_words=first_words))
    call(server.url())
    with pytest.raises(NetworkError) as raised:
        call(server.url())
    assert raised.value.trace is not None and raised.value.trace.notes == ()
    assert (server.connections, len(server.requests)) == (1, 2)


def test_a_new_connection_that_closes_too_is_the_ordinary_failure(call: CallIt, serve: Any) -> None:
    def handler(peer: Any) -> None:
        peer.read_request()
        if peer.number == 1:
            peer.answer()
            peer.read_request()

    server = serve(handler)
    call(server.url())
    with pytest.raises(NetworkError, match="closed the connection without an answer") as raised:
        call(server.url())
    assert raised.value.reason == "broken_answer"
    assert raised.value.advice == "It may be overloaded. A second request, on a new connection, met the same."
    assert raised.value.trace is not None and raised.value.trace.notes == (NOTE.format("GET"),)
    assert (server.connections, len(server.requests)) == (2, 3)


def test_the_second_time_goes_over_no_other_kept_connection(call: CallIt, serve: Any) -> None:
    """Of two kept ones that the server is done with, the second would lose the request once more."""

    def handler(peer: Any) -> None:
        peer.read_request()
        if peer.number <= 2:
            both.wait(30)
        peer.answer()
        if peer.number <= 2:
            peer.read_request()

    both, server = threading.Barrier(2), serve(handler)
    threads = [threading.Thread(target=call, args=(server.url(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.connections == 2
    assert call(server.url()).status == 200
    assert (server.connections, len(server.requests)) == (3, 4)


def test_each_hop_of_a_redirect_may_be_lost_once(call: CallIt, serve: Any) -> None:
    """Every connection gives one answer, says nothing of closing, and reads what it then leaves unanswered."""

    def handler(peer: Any) -> None:
        request = peer.read_request()
        number = int(request.split(b" ")[1].strip(b"/"))
        peer.answer(b"", "302 Found", f"Location: /{number + 1}\r\n") if number < 3 else peer.answer()
        peer.read_request()

    server = serve(handler)
    answer = call(server.url("/0"))
    assert [hop.status for hop in answer.trace.hops] == [302, 302, 302, 200]
    assert answer.trace.notes == (NOTE.format("GET"),) * 3
    assert len(server.requests) == 7


@pytest.mark.parametrize(("status", "method", "times"), [(303, "GET", 2), (302, "GET", 2), (307, "POST", 1)])
def test_after_a_redirected_post_it_is_the_new_method_that_counts(
    call: CallIt, serve: Any, status: int, method: str, times: int
) -> None:
    def handler(peer: Any) -> None:
        if b" /old" in peer.read_request():
            peer.answer(b"", f"{status} Moved", "Location: /new\r\n")
            peer.read_request()
        else:
            peer.answer()

    server = serve(handler)
    try:
        call(server.url("/old"), method="POST", body=b"order=1")
    except NetworkError:
        assert method == "POST"
    arrived = [request.split(b" HTTP")[0].decode() for request in server.requests]
    assert arrived == ["POST /old", *[f"{method} /new"] * times]


def test_the_deadline_holds_over_both(call: CallIt, serve: Any) -> None:
    def handler(peer: Any) -> None:
        peer.read_request()
        if peer.number == 1:
            peer.answer()
            peer.read_request()
            peer.rest(0.4)
        else:
            peer.silence()

    server = serve(handler)
    call(server.url())
    began = time.monotonic()
    with pytest.raises(TimedOut, match=r"No answer within 0\.8 seconds") as raised:
        call(server.url(), timeout=0.8)
    assert 0.8 <= time.monotonic() - began < 15
    assert raised.value.trace is not None and raised.value.trace.notes == (NOTE.format("GET"),)
    assert server.connections == 2


def test_it_is_not_sent_again_after_the_deadline(call: CallIt, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(closing_under_the_second())
    call(server.url())
    late = time.monotonic() + 3600
    monkeypatch.setattr("httpstep.transport.sending.lost_on_kept_connection",
                        lambda *_: monkeypatch.setattr(time, "monotonic", lambda: late) or True)  # fmt: skip
    with pytest.raises(TimedOut):
        call(server.url())
    assert (server.connections, len(server.requests)) == (1, 2)


def test_it_is_not_sent_again_for_a_caller_that_has_gone(call: CallIt, serve: Any) -> None:
    ours, callers = socket.socketpair()

    def handler(peer: Any) -> None:
        peer.read_request()
        peer.answer()
        if peer.read_request():
            callers.close()

    server = serve(handler)
    with ours:
        call(server.url(), hangup=ours.fileno())
        with pytest.raises(Cancelled):
            call(server.url(), hangup=ours.fileno())
    assert (server.connections, len(server.requests)) == (1, 2)


def test_a_caller_that_goes_while_it_is_out_again_ends_it(call: CallIt, serve: Any) -> None:
    ours, callers = socket.socketpair()

    def handler(peer: Any) -> None:
        peer.read_request()
        if peer.number == 1:
            peer.answer()
            peer.read_request()
        else:
            callers.close()
            peer.silence()

    server = serve(handler)
    with ours, pytest.raises(Cancelled):
        for _ in range(2):
            call(server.url(), hangup=ours.fileno(), timeout=60)
    assert (server.connections, len(server.requests)) == (2, 3)


def test_no_call_is_lost_to_a_server_that_closes_without_a_word(call: CallIt, serve: Any) -> None:
    server = serve(closing_at_once)
    for _ in range(300):
        assert call(server.url()).body == b"{}"
    for _ in range(200):
        assert call(server.url("/old")).body == b"{}"


def test_such_a_server_gets_nothing_else_twice(call: CallIt, serve: Any) -> None:
    """Some are lost, because the connection they went out on was gone; none arrives more often than it was sent."""
    server = serve(closing_at_once)
    for number in range(200):
        method = UNSAFE[number % 4]
        try:
            call(server.url(f"/{number}"), method=method, body=b"order=1")
        except SendError as error:
            assert error.reason in ("broken_answer", "incomplete")
    lines = [request.split(b"\r\n")[0] for request in server.requests]
    assert len(lines) == len(set(lines)) >= 100
