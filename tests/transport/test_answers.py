"""What comes back is what was sent: whole, decoded once, or a failure that says what is wrong with it."""

from __future__ import annotations

import gzip
import logging
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from httpstep.core.errors import NetworkError
from httpstep.core.exchange import HttpResponse

CallIt = Callable[..., HttpResponse]
OK = b"HTTP/1.1 200 OK\r\n"
GZIP = "Content-Encoding: gzip\r\n"
BODY = b'{"order": {"status": "shipped"}}'
gzipped = partial(gzip.compress, mtime=0)
"""The same at any time: these bytes are in names of tests, which the processes of tests compare."""


def test_an_answer_has_status_reason_headers_body_url_and_trace(call: CallIt, serve: Any, peers: Any) -> None:
    server = serve(peers.answering(BODY, "201 Created", "X-One: 1\r\nx-one: 2\r\nContent-Type: application/json\r\n"))
    answer = call(server.url("/orders?x=1"))
    assert (answer.status, answer.reason, answer.body) == (201, "Created", BODY)
    assert ("Content-Type", "application/json") in answer.headers
    assert answer.header("content-type") == "application/json"
    assert sorted(value for name, value in answer.headers if name.lower() == "x-one") == ["1", "2"]
    assert answer.url == server.url("/orders?x=1")
    (hop,) = answer.trace.hops
    assert (hop.method, hop.url, hop.status) == ("GET", server.url("/orders?x=1"), 200 + 1)
    assert hop.address == f"127.0.0.1:{server.port}"
    timings = answer.trace.timings
    assert timings.connect_ms is not None
    assert timings.first_byte_ms is not None
    assert timings.tls_ms is None
    assert timings.total_ms >= timings.connect_ms + timings.first_byte_ms


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 32\r\n\r\n" + BODY,
        OK + b"Content-Length: 32, 32\r\n\r\n" + BODY,
        OK + b"\r\n" + BODY,
        OK + b"Transfer-Encoding: chunked\r\n\r\n20\r\n" + BODY + b"\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n1;x=y\r\n{\r\n1F\r\n" + BODY[1:] + b"\r\n0\r\nX-Trailer: y\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
        b"HTTP/1.1 200\r\n\r\n" + BODY,
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 32\r\n\r\n" + BODY,
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK + b"\r\n" + BODY,
        OK + b"Content-Encoding: gzip\r\n\r\n" + gzipped(BODY),
        OK + b"Content-Encoding: gzip\r\n\r\n" + gzipped(BODY[:5]) + gzipped(BODY[5:]),
        OK + b"Content-Encoding: gzip\r\n\r\n" + gzipped(BODY) + bytes(100),
        OK + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(BODY),
        OK + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(BODY)[2:-4],
        OK + b"Content-Encoding: identity\r\n\r\n" + BODY,
        OK + b"Content-Encoding: \r\n\r\n" + BODY,
    ],
)
def test_every_proper_way_to_send_a_body_is_understood(call: CallIt, serve: Any, peers: Any, answer: bytes) -> None:
    assert call(serve(peers.saying(answer)).url()).body == BODY


def test_a_gzip_stream_that_comes_byte_by_byte_is_decoded(call: CallIt, serve: Any) -> None:
    def handler(peer: Any) -> None:
        peer.read_request()
        peer.send(OK + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
        for octet in gzipped(BODY[:9]) + gzipped(BODY[9:]):
            peer.send(b"1\r\n%c\r\n" % octet)
        peer.send(b"0\r\n\r\n")

    assert call(serve(handler).url()).body == BODY


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 100\r\n\r\nabc",
        OK + b"Content-Length: 1\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n",
        OK + b"Content-Encoding: gzip\r\n\r\n" + gzipped(BODY)[:-9],
        OK + b"Content-Encoding: gzip\r\n\r\n" + gzipped(BODY)[:5],
        OK + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(BODY)[:10],
    ],
)
def test_an_answer_that_is_cut_off_is_incomplete(call: CallIt, serve: Any, peers: Any, answer: bytes) -> None:
    with pytest.raises(NetworkError) as raised:
        call(serve(peers.saying(answer)).url())
    assert raised.value.reason == "incomplete"
    assert raised.value.message == "The answer was cut off before its end."


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"220 smtp.example ESMTP\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"HTTP/1.1 1000 High\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello",
        OK + b"Content-Length: 5\r\nno colon here\r\n\r\nhello",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip\r\n\r\nhello",
        OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08 and no gzip after it",
        OK + b"Content-Encoding: deflate\r\n\r\n\x78\x9c and no deflate after it",
    ],
)
def test_an_answer_that_is_not_http_is_broken(call: CallIt, serve: Any, peers: Any, answer: bytes) -> None:
    with pytest.raises(NetworkError) as raised:
        call(serve(peers.saying(answer)).url(), timeout=2)
    assert raised.value.reason in ("broken_answer", "incomplete")
    assert raised.value.message.endswith(".")
    assert raised.value.trace is not None


@pytest.mark.parametrize(
    ("method", "status"), [("GET", "204 No Content"), ("GET", "304 Not Modified"), ("HEAD", "200 OK")]
)
@pytest.mark.parametrize("headers", ["", GZIP])
def test_an_answer_that_cannot_have_a_body_has_none(
    call: CallIt, serve: Any, peers: Any, method: str, status: str, headers: str
) -> None:
    server = serve(peers.answering(BODY, status, headers))
    assert call(server.url(), method=method).body == b""
    assert call(server.url(), method=method).body == b""


@pytest.mark.parametrize("headers", ["", GZIP, "Content-Type: application/json\r\n"])
def test_an_empty_body_is_empty(call: CallIt, serve: Any, peers: Any, headers: str) -> None:
    assert call(serve(peers.answering(b"", headers=headers)).url()).body == b""


def test_a_server_that_hangs_up_without_answering_is_not_called_again(call: CallIt, serve: Any) -> None:
    server = serve(lambda peer: peer.read_request())
    with pytest.raises(NetworkError, match="closed the connection without an answer") as raised:
        call(server.url(), method="POST", body=b"order=1")
    assert raised.value.reason == "broken_answer"
    assert server.connections == 1


def test_a_server_that_resets_is_a_failure(call: CallIt, serve: Any) -> None:
    def handler(peer: Any) -> None:
        peer.sock.recv(1)
        peer.sock.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # SO_LINGER 0: close with RST

    with pytest.raises(NetworkError):
        call(serve(handler).url())


def test_an_answer_given_before_the_upload_ends_is_read(call: CallIt, serve: Any) -> None:
    def handler(peer: Any) -> None:
        peer.sock.recv(65536)
        peer.answer(b"too much", "413 Content Too Large", "Connection: close\r\n")
        peer.sock.shutdown(1)
        while peer.sock.recv(1 << 20):
            pass

    answer = call(serve(handler).url(), method="POST", body=bytes(8_000_000))
    assert (answer.status, answer.body) == (413, b"too much")


def test_any_status_is_an_answer(call: CallIt, serve: Any, peers: Any) -> None:
    for status in ("401 Unauthorized", "404 Not Found", "429 Too Many Requests", "500 Oops", "599 X", "999 Odd"):
        assert call(serve(peers.answering(b"x", status)).url()).status == int(status[:3])


def test_a_redirect_that_is_not_followed_is_the_answer(call: CallIt, serve: Any, peers: Any) -> None:
    server = serve(peers.answering(b"moved", "302 Found", "Location: /elsewhere\r\n"))
    answer = call(server.url(), follow_redirects=False)
    assert (answer.status, answer.body, answer.header("location")) == (302, b"moved", "/elsewhere")
    assert answer.trace.hops[0].location == "/elsewhere"


@pytest.mark.parametrize(
    ("status", "headers"), [("302 Found", ""), ("300 Multiple Choices", "Location: /x\r\n"), ("304 Not Modified", "")]
)
def test_a_redirect_that_leads_nowhere_is_the_answer(
    call: CallIt, serve: Any, peers: Any, status: str, headers: str
) -> None:
    assert call(serve(peers.answering(b"", status, headers)).url()).status == int(status[:3])


def test_no_secret_of_the_url_is_logged_or_carried_by_the_failure(
    call: CallIt, serve: Any, peers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for answer in (b"", OK + b"no colon\r\n\r\n", OK + b"Content-Length: 9\r\n\r\nx", b"HTTP/1.1 x\r\n\r\n"):
        with pytest.raises(NetworkError) as raised:
            call(serve(peers.saying(answer)).url("/?token=s3cret"))
        assert raised.value.__cause__ is None
        assert raised.value.__context__ is None
        assert "s3cret" not in f"{raised.value!r}{raised.value.advice}"
    assert "s3cret" not in caplog.text
