"""However slow the other side is, the call ends when its time is up. How exactly: `python -m benchmarks.guard`."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from httpstep.core.errors import NetworkError, TimedOut
from httpstep.core.exchange import HttpResponse
from httpstep.transport import Limits, Transport

CallIt = Callable[..., HttpResponse]
DEADLINE = 0.5
LATE = 5
"""Seconds that tell an end at the deadline from an end by the other side, on a machine that has much else to do."""


def assert_ends_in_time(reason: str, act: Callable[[], object]) -> None:
    """A machine that stands still for a moment makes a call late, or ends it before it came to where it was to end. So
    one such end of four is enough, while no call may ever end early, with an answer, or with another sentence."""
    seen: list[tuple[str, float]] = []
    while len(seen) < 4 and not (seen and seen[-1][0] == reason and seen[-1][1] < DEADLINE + LATE):
        began = time.monotonic()
        with pytest.raises(TimedOut) as raised:
            act()
        seen.append((raised.value.reason, time.monotonic() - began))
        assert raised.value.message == "No answer within 0.5 seconds."
        assert raised.value.advice
        assert raised.value.trace is not None
        assert raised.value.trace.timings.total_ms >= DEADLINE * 900, (
            "counted from where the call begins, a little later"
        )
        assert seen[-1][1] >= DEADLINE
    assert seen[-1][0] == reason and seen[-1][1] < DEADLINE + LATE, seen


def dripping_body(peer: Any) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    peer.drip(b"x" * 1000)


def dripping_chunks(peer: Any) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        peer.send(b"1\r\nx\r\n")
        peer.rest(0.05)


def dripping_chunk_extension(peer: Any) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;")
    peer.drip(b"x" * 1000)


def dripping_trailer(peer: Any) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    peer.drip(b"X: y\r\n" * 200)


def dripping_headers(peer: Any) -> None:
    peer.read_request()
    peer.drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000)


def dripping_status_line(peer: Any) -> None:
    peer.read_request()
    peer.drip(b"HTTP/1.1 200 " + b"x" * 1000)


def endless_100_continue(peer: Any) -> None:
    peer.read_request()
    while True:
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        peer.rest(0.02)


def endless_103_early_hints(peer: Any) -> None:
    peer.read_request()
    while True:
        peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        peer.rest(0.02)


@pytest.mark.parametrize(
    "handler",
    [
        dripping_body,
        dripping_chunks,
        dripping_chunk_extension,
        dripping_trailer,
        dripping_headers,
        dripping_status_line,
        endless_100_continue,
        endless_103_early_hints,
    ],
)
def test_a_dripping_answer_ends_at_the_deadline(call: CallIt, serve: Any, handler: Any) -> None:
    server = serve(handler)
    assert_ends_in_time("timeout_reading", lambda: call(server.url(), timeout=DEADLINE))


def test_a_silent_server_ends_at_the_deadline(call: CallIt, serve: Any) -> None:
    def handler(peer: Any) -> None:
        peer.read_request()
        peer.silence()

    assert_ends_in_time("timeout_waiting", lambda: call(serve(handler).url(), timeout=DEADLINE))


def test_an_upload_that_nobody_reads_ends_at_the_deadline(call: CallIt, serve: Any) -> None:
    server = serve(lambda peer: peer.silence())
    assert_ends_in_time(
        "timeout_sending", lambda: call(server.url(), method="POST", body=bytes(30_000_000), timeout=DEADLINE)
    )


def test_an_upload_over_tls_that_nobody_reads_ends_at_the_deadline(
    call: CallIt, serve: Any, make_transport: Callable[..., Transport], server_tls: Any, ca_file: str
) -> None:
    server = serve(lambda peer: peer.silence(), tls=server_tls("localhost"))
    transport = make_transport(ca_file=ca_file)
    assert_ends_in_time(
        "timeout_sending",
        lambda: call(
            server.url(host="localhost"), method="POST", body=bytes(30_000_000), timeout=DEADLINE, transport=transport
        ),
    )


def test_a_dripping_body_over_tls_ends_at_the_deadline(
    call: CallIt, serve: Any, make_transport: Callable[..., Transport], server_tls: Any, ca_file: str
) -> None:
    server = serve(dripping_body, tls=server_tls("localhost"))
    transport = make_transport(ca_file=ca_file)
    assert_ends_in_time(
        "timeout_reading", lambda: call(server.url(host="localhost"), timeout=DEADLINE, transport=transport)
    )


def test_a_silent_handshake_ends_at_the_deadline(call: CallIt, serve: Any) -> None:
    server = serve(lambda peer: peer.silence())
    assert_ends_in_time("timeout_tls", lambda: call(server.url().replace("http:", "https:"), timeout=DEADLINE))


def test_a_dripping_handshake_ends_at_the_deadline(call: CallIt, serve: Any) -> None:
    server = serve(lambda peer: peer.drip(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03" + bytes(1000)))
    assert_ends_in_time("timeout_tls", lambda: call(server.url().replace("http:", "https:"), timeout=DEADLINE))


def test_a_connection_that_is_not_accepted_ends_at_the_deadline(call: CallIt) -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = [socket.socket() for _ in range(3)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
    try:
        assert_ends_in_time(
            "timeout_connect", lambda: call(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=DEADLINE)
        )
    finally:
        for sock in (listener, *fillers):
            sock.close()


def test_the_deadline_holds_over_redirects(call: CallIt, serve: Any) -> None:
    def handler(peer: Any) -> None:
        while peer.read_request():
            peer.rest(DEADLINE / 2.5)
            peer.answer(b"", "302 Found", "Location: /again\r\n")

    assert_ends_in_time("timeout_waiting", lambda: call(serve(handler).url(), timeout=DEADLINE))


def test_a_used_connection_obeys_the_next_calls_deadline(call: CallIt, serve: Any) -> None:
    def handler(peer: Any) -> None:
        peer.read_request()
        peer.answer()
        peer.read_request()
        peer.silence()

    servers: list[Any] = []

    def used_again() -> None:
        servers.append(serve(handler))
        call(servers[-1].url(), timeout=30)
        with pytest.raises(TimedOut) as raised:
            call(servers[-1].url(), timeout=DEADLINE)
        assert raised.value.message == "No answer within 0.5 seconds."
        assert servers[-1].connections == 1
        raise raised.value

    assert_ends_in_time("timeout_waiting", used_again)


def test_a_deadline_in_the_past_makes_no_connection(call: CallIt, serve: Any, peers: Any) -> None:
    server = serve(peers.answering())
    with pytest.raises(TimedOut):
        call(server.url(), timeout=-1)
    assert server.connections == 0


@pytest.mark.parametrize(("seconds", "words"), [(60, "60 seconds"), (1, "1 second"), (2.5, "2.5 seconds")])
def test_the_sentence_has_the_figure_the_user_knows(call: CallIt, serve: Any, seconds: float, words: str) -> None:
    with pytest.raises(TimedOut) as raised:
        call(serve(lambda peer: peer.silence()).url(), timeout=0.05, seconds=seconds)
    assert raised.value.message == f"No answer within {words}."


# ---------------------------------------------------------------- look-ups


class StuckResolver:
    """Names under .slow never resolve until `release`; all others are the loopback."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.stuck = 0

    def __call__(self, host: str, port: int, *_: Any) -> list[Any]:
        if host.endswith(".slow"):
            self.stuck += 1
            self.release.wait(60)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.fixture
def stuck() -> Iterator[StuckResolver]:
    resolver = StuckResolver()
    yield resolver
    resolver.release.set()


def test_a_look_up_that_hangs_ends_at_the_deadline(
    call: CallIt, make_transport: Callable[..., Transport], stuck: StuckResolver
) -> None:
    assert_ends_in_time(
        "timeout_dns", lambda: call("http://name.slow/", timeout=DEADLINE, transport=make_transport(getaddrinfo=stuck))
    )


def test_twenty_stuck_look_ups_do_not_hold_up_another_account(
    call: CallIt, make_transport: Callable[..., Transport], stuck: StuckResolver, serve: Any, peers: Any
) -> None:
    transport = make_transport(getaddrinfo=stuck)
    failures: list[str] = []

    def stuck_call(number: int) -> None:
        try:
            call(f"http://{number}.slow/", timeout=7.0, transport=transport, account="slow")
        except TimedOut as error:
            failures.append(error.reason)

    threads = [threading.Thread(target=stuck_call, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    while stuck.stuck < 4:
        time.sleep(0.01)
    server = serve(peers.answering())
    call(server.url(host="quick.example"), timeout=6, transport=transport, account="other")
    assert not failures
    for thread in threads:
        thread.join()
    assert stuck.stuck == 4
    assert failures == ["timeout_dns"] * 20


def test_a_place_is_free_again_when_its_look_up_returns(
    call: CallIt, make_transport: Callable[..., Transport], stuck: StuckResolver, serve: Any, peers: Any
) -> None:
    transport = make_transport(getaddrinfo=stuck)
    while stuck.stuck < 4:
        with pytest.raises(TimedOut):
            call("http://name.slow/", timeout=0.05, transport=transport)
    server = serve(peers.answering())
    with pytest.raises(TimedOut):
        call(server.url(host="quick.example"), timeout=0.1, transport=transport)
    stuck.release.set()
    assert call(server.url(host="quick.example"), timeout=30, transport=transport).status == 200


def test_many_look_ups_of_one_account_at_once_all_succeed(
    call: CallIt, make_transport: Callable[..., Transport], serve: Any, peers: Any
) -> None:
    at_once = most = 0
    lock = threading.Lock()

    def slowish(host: str, port: int, *_: Any) -> list[Any]:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.02)
        with lock:
            at_once -= 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    server = serve(peers.answering())
    transport = make_transport(getaddrinfo=slowish)
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(call(server.url(host="a.example"), transport=transport).status))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 20
    assert most <= 4


def test_a_resolver_that_fails_in_an_unforeseen_way_gives_its_place_back(
    call: CallIt, make_transport: Callable[..., Transport]
) -> None:
    def failing(*_: Any) -> Any:
        raise OSError("resolv.conf is gone")

    transport = make_transport(getaddrinfo=failing)
    for _ in range(10):
        with pytest.raises(NetworkError):
            call("http://a.example/", transport=transport, timeout=0.5)


def test_look_ups_are_bounded_over_all_accounts(
    call: CallIt, make_transport: Callable[..., Transport], stuck: StuckResolver, serve: Any, peers: Any
) -> None:
    transport = make_transport(getaddrinfo=stuck, limits=Limits(lookups=2))
    for wanted, account in ((1, "a"), (2, "b"), (2, "c")):
        again = True
        while again or stuck.stuck < wanted:
            again = False
            with pytest.raises(TimedOut) as raised:
                call("http://name.slow/", timeout=0.05, transport=transport, account=account)
            assert raised.value.reason == "timeout_dns"
    assert stuck.stuck == 2
    assert call(serve(peers.answering()).url(), transport=transport, account="d").status == 200


def test_a_machine_without_threads_left_is_a_failure_and_keeps_its_places(
    call: CallIt, make_transport: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    transport = make_transport()
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    for _ in range(6):
        with pytest.raises(NetworkError) as raised:
            call("http://name.example/", transport=transport, timeout=0.2)
        assert raised.value.reason == "dns"


def test_a_look_up_is_never_lost_between_threads_that_come_and_go(
    call: CallIt, make_transport: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("httpstep.transport.resolving._PATIENCE", 0.002)

    def missing(*_: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    transport = make_transport(getaddrinfo=missing)
    reasons: list[str] = []

    def work() -> None:
        for turn in range(50):
            with pytest.raises((NetworkError, TimedOut)) as raised:
                call("http://name.example/", transport=transport, timeout=30)
            reasons.append(raised.value.reason)
            time.sleep(turn % 5 / 1000)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reasons == ["dns"] * 300
