"""However much the other side sends, little is read and less is kept."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from httpstep.core.errors import NetworkError, TooLarge
from httpstep.core.exchange import HttpResponse
from httpstep.transport import Limits, Transport

CallIt = Callable[..., HttpResponse]
MB = 1024 * 1024


def endless(head: bytes, block: bytes) -> Callable[[Any], None]:
    def handler(peer: Any) -> None:
        peer.read_request()
        peer.send(head)
        while True:
            peer.send(block)

    return handler


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


ZEROS = bytes(65536)
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("head", "block", "reason"),
    [
        (OK + b"\r\n", ZEROS, "too_large_decoded"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", chunk(ZEROS), "too_large_decoded"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", chunk(b"x"), "too_large_wire"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: y\r\n", "too_large_wire"),
        (OK, b"X-Endless: " + b"y" * 1000 + b"\r\n", "too_large_headers"),
        (OK + b"X-Long: ", ZEROS.replace(b"\0", b"y"), "too_large_headers"),
        (b"HTTP/1.1 200 ", ZEROS.replace(b"\0", b"y"), "too_large_headers"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", "too_large_headers"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", "too_large_headers"),
    ],
)
def test_an_endless_answer_is_cut_at_the_limit(
    call: CallIt, serve: Any, head: bytes, block: bytes, reason: str
) -> None:
    with pytest.raises(TooLarge) as raised:
        call(serve(endless(head, block)).url(), timeout=10)
    assert raised.value.reason == reason
    assert raised.value.advice


def test_a_body_of_exactly_the_limit_is_read(call: CallIt, serve: Any, peers: Any) -> None:
    assert call(serve(peers.answering(bytes(MB))).url()).body == bytes(MB)


def test_a_body_one_byte_over_the_limit_is_refused(call: CallIt, serve: Any, peers: Any) -> None:
    with pytest.raises(TooLarge, match="more than 1 MB") as raised:
        call(serve(peers.answering(bytes(MB + 1))).url())
    assert raised.value.reason == "too_large_decoded"
    assert raised.value.trace is not None
    assert raised.value.trace.hops[0].status == 200


def test_a_length_over_the_limit_is_refused_before_the_body(call: CallIt, serve: Any) -> None:
    def handler(peer: Any) -> None:
        peer.read_request()
        peer.send(OK + b"Content-Length: 999999999999\r\n\r\n")
        peer.silence()

    with pytest.raises(TooLarge) as raised:
        call(serve(handler).url(), timeout=2)
    assert raised.value.reason == "too_large_wire"


def test_an_announced_length_does_not_matter_for_head(call: CallIt, serve: Any, peers: Any) -> None:
    server = serve(peers.saying(OK + b"Content-Length: 999999999999\r\n\r\n"))
    assert call(server.url(), method="HEAD").body == b""


def test_a_zipped_body_of_exactly_the_limit_is_read(call: CallIt, serve: Any, peers: Any) -> None:
    server = serve(peers.answering(gzip.compress(bytes(MB)), headers="Content-Encoding: gzip\r\n"))
    assert call(server.url()).body == bytes(MB)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "deflate"])
def test_a_bomb_is_refused(call: CallIt, serve: Any, peers: Any, coding: str) -> None:
    squeeze = zlib.compress if coding == "deflate" else gzip.compress
    bomb = squeeze(bytes(100 * MB))
    with pytest.raises(TooLarge) as raised:
        call(serve(peers.answering(bomb, headers=f"Content-Encoding: {coding}\r\n")).url())
    assert raised.value.reason == "too_large_decoded"


@pytest.mark.parametrize(
    "header",
    [
        "Content-Encoding: gzip, gzip\r\n",
        "Content-Encoding: gzip,gzip,gzip,gzip,gzip,gzip\r\n",
        "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n",
        "Content-Encoding: identity, gzip, deflate\r\n",
        "Content-Encoding: br\r\n",
        "Content-Encoding: zstd\r\n",
        "Content-Encoding: compress\r\n",
    ],
)
def test_a_coding_that_was_not_asked_for_is_refused(call: CallIt, serve: Any, peers: Any, header: str) -> None:
    twice = gzip.compress(gzip.compress(bytes(MB)))
    with pytest.raises(NetworkError) as raised:
        call(serve(peers.answering(twice, headers=header)).url())
    assert raised.value.reason == "broken_answer"


def test_thousands_of_empty_gzip_members_are_refused(call: CallIt, serve: Any, peers: Any) -> None:
    members = gzip.compress(b"") * 50_000
    with pytest.raises(NetworkError, match="too many parts"):
        call(serve(peers.answering(members, headers="Content-Encoding: gzip\r\n")).url(), timeout=2)


def test_101_headers_are_refused(call: CallIt, serve: Any, peers: Any) -> None:
    lines = "".join(f"X-{number}: y\r\n" for number in range(101))
    with pytest.raises(TooLarge) as raised:
        call(serve(peers.answering(headers=lines)).url())
    assert raised.value.reason == "too_large_headers"


def test_a_header_line_over_64_kb_is_refused(call: CallIt, serve: Any, peers: Any) -> None:
    with pytest.raises(TooLarge) as raised:
        call(serve(peers.answering(headers=f"X-Long: {'y' * 65536}\r\n")).url())
    assert raised.value.reason == "too_large_headers"


def test_a_chunk_size_line_without_end_is_refused(call: CallIt, serve: Any) -> None:
    server = serve(endless(OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 65536))
    with pytest.raises((NetworkError, TooLarge)) as raised:
        call(server.url())
    assert raised.value.reason in ("broken_answer", "too_large_wire")


def test_the_wire_limit_is_for_the_whole_call(
    call: CallIt, serve: Any, make_transport: Callable[..., Transport]
) -> None:
    def handler(peer: Any) -> None:
        while peer.read_request():
            peer.answer(b"", "302 Found", f"Location: /x\r\nX-Fill: {'y' * 5000}\r\n")

    with pytest.raises(TooLarge) as raised:
        call(serve(handler).url(), transport=make_transport(limits=Limits(wire=12_000)))
    assert raised.value.reason == "too_large_wire"


def one_gigabyte_of_zeros() -> bytes:
    """A gzip stream of about 1 MB. After a full flush deflate knows no past, so one block can be repeated."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    begin = squeeze.compress(bytes(MB)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    block = squeeze.compress(bytes(MB)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    return begin + block * 1023 + squeeze.flush()


# A process of its own, so that neither the servers' memory nor other tests' is measured. Not `ru_maxrss`, which a
# process inherits from the one that started it: VmHWM begins anew, and writing 5 to clear_refs sets it back (proc(5)).
MEASURED = """
import json, sys, time
from httpstep.core.addresses import AddressPolicy
from httpstep.core.errors import SendError
from httpstep.core.exchange import RenderedRequest
from httpstep.transport import Transport

def kilobytes(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))

urls = json.load(sys.stdin)
transport = Transport(AddressPolicy.parse("127.0.0.0/8"))
transport.send(RenderedRequest("GET", urls.pop(0), ()), time.monotonic() + 60)
grown = []
for url in urls:
    open("/proc/self/clear_refs", "w").write("5")
    before = kilobytes("VmRSS")
    try:
        answer = transport.send(RenderedRequest("GET", url, ()), time.monotonic() + 60)
    except SendError as error:
        reason = error.reason
    else:
        reason = answer.body.decode()
    grown.append([reason, (kilobytes("VmHWM") - before) / 1024])
json.dump(grown, sys.stdout)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory of one call is read from /proc")
def test_no_hostile_answer_costs_more_than_16_mb(serve: Any, peers: Any) -> None:
    bomb = one_gigabyte_of_zeros()
    assert MB < len(bomb) < 2 * MB
    head = OK + b"Content-Encoding: gzip\r\n"
    moved = head.replace(b"200 OK", b"302 Found") + b"Location: /end\r\n\r\n" + bomb
    cases = [
        ("too_large_decoded", peers.saying(head + b"\r\n" + bomb)),
        ("too_large_decoded", peers.saying(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(bomb))),
        ("arrived", lambda peer: peer.send(OK + b"\r\narrived" if b" /end " in peer.read_request() else moved)),
        ("too_large_decoded", endless(OK + b"\r\n", ZEROS)),
        ("too_large_decoded", endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"7fffffff\r\n" + ZEROS)),
        ("broken_answer", endless(OK + b"Transfer-Encoding: chunked\r\n\r\n1;", ZEROS.replace(b"\0", b"x"))),
        ("too_large_headers", endless(OK + b"X-Long: ", ZEROS.replace(b"\0", b"y"))),
        ("too_large_headers", endless(OK, b"X-Endless: y\r\n")),
    ]
    servers = [serve(peers.answering()), *(serve(handler) for _, handler in cases)]
    urls = json.dumps([server.url() for server in servers])
    done = subprocess.run([sys.executable, "-c", MEASURED], input=urls, capture_output=True, text=True, check=True)
    measured = json.loads(done.stdout)
    assert [reason for reason, _ in measured] == [reason for reason, _ in cases]
    assert max(megabytes for _, megabytes in measured) < 16, measured
