"""What an answer says of its compression need not be so: whatever can be read is read, within the limits, with a note."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from httpstep.core.errors import NetworkError, TooLarge
from httpstep.core.exchange import HttpResponse

CallIt = Callable[..., HttpResponse]
MB = 1024 * 1024
BODY = '{"order": {"status": "verschickt, wie gewünscht"}}'.encode()
gzipped = partial(gzip.compress, mtime=0)
raw_deflated = zlib.compress(BODY)[2:-4]
# The same JSON by brotli (one uncompressed block, RFC 7932) and by Zstandard (one raw block, RFC 8878).
BROTLI = b"\x0b\x01\x80{}}\x03"
ZSTD = b"\x28\xb5\x2f\xfd\x20\x02\x11\x00\x00{}"


def coded(name: str) -> str:
    return f"Content-Encoding: {name}\r\n"


def says(name: str) -> str:
    return f"The answer says Content-Encoding: {name}, "


@pytest.mark.parametrize(
    "name",
    ["utf-8", "UTF-8", "none", "null", "binary", "json", "application/json", "aws-chunked", "8bit", "ascii", "charset=utf-8"],
)  # fmt: skip
@pytest.mark.parametrize("body", [BODY, b"[]", b"80", "ÿ".encode("latin-1"), bytes(range(256))])
def test_what_is_no_coding_is_read_as_plain(call: CallIt, serve: Any, peers: Any, name: str, body: bytes) -> None:
    answer = call(serve(peers.answering(body, headers=coded(name))).url())
    assert answer.body == body
    assert answer.trace.notes == (f"{says(name)}which is not a coding: read as plain.",)


@pytest.mark.parametrize("name", ["identity", "Identity", "", ",", "identity, identity"])
def test_a_plain_answer_that_says_so_needs_no_note(call: CallIt, serve: Any, peers: Any, name: str) -> None:
    answer = call(serve(peers.answering(BODY, headers=coded(name))).url())
    assert (answer.body, answer.trace.notes) == (BODY, ())


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("", BODY),
        (coded("gzip"), gzipped(BODY)),
        (coded("X-GZIP"), gzipped(BODY)),
        (coded("gzip, identity"), gzipped(BODY)),
        (coded("deflate"), zlib.compress(BODY)),
        (coded("deflate"), zlib.compress(BODY, 1)),
        (coded("deflate"), raw_deflated),
    ],
)
def test_a_coding_that_is_as_it_says_needs_no_note(
    call: CallIt, serve: Any, peers: Any, headers: str, body: bytes
) -> None:
    answer = call(serve(peers.answering(body, headers=headers)).url())
    assert (answer.body, answer.trace.notes) == (BODY, ())


@pytest.mark.parametrize("name", ["gzip", "x-gzip", "deflate", "br", "zstd", "gzip, gzip", "gzip, deflate"])
@pytest.mark.parametrize("body", [BODY, b"{}", b"80", b"x", b"<html>", b"\xef\xbb\xbf[1]"])
def test_a_plain_text_is_read_whatever_it_is_said_to_be(
    call: CallIt, serve: Any, peers: Any, name: str, body: bytes
) -> None:
    answer = call(serve(peers.answering(body, headers=coded(name))).url())
    assert answer.body == body
    assert answer.trace.notes == (f"{says(name)}but is not compressed: read as plain.",)


@pytest.mark.parametrize("body", [bytes(range(256)), "größer".encode("latin-1"), "{}".encode("utf-16")])
def test_what_is_no_gzip_is_read_as_it_is(call: CallIt, serve: Any, peers: Any, body: bytes) -> None:
    answer = call(serve(peers.answering(body, headers=coded("gzip"))).url())
    assert answer.body == body
    assert answer.trace.notes == (f"{says('gzip')}but is not compressed with it: read as plain.",)


@pytest.mark.parametrize(
    "headers",
    ["", coded("identity"), "Content-Type: application/json\r\n", "Content-Type: application/octet-stream\r\n",
     "Content-Type: text/plain; charset=utf-8\r\n"],
)  # fmt: skip
def test_gzip_that_does_not_say_so_is_unpacked(call: CallIt, serve: Any, peers: Any, headers: str) -> None:
    answer = call(serve(peers.answering(gzipped(BODY), headers=headers)).url())
    assert answer.body == BODY
    assert answer.trace.notes == ("The answer is compressed with gzip without saying so: unpacked.",)


def test_gzip_under_a_name_that_is_no_coding_is_unpacked(call: CallIt, serve: Any, peers: Any) -> None:
    answer = call(serve(peers.answering(gzipped(BODY), headers=coded("utf-8"))).url())
    assert answer.body == BODY
    assert answer.trace.notes == (
        f"{says('utf-8')}which is not a coding: passed over.",
        "The answer is compressed with gzip without saying so: unpacked.",
    )


@pytest.mark.parametrize("headers", [coded("aws-chunked, gzip"), coded("aws-chunked") + coded("gzip")])
def test_a_coding_beside_what_is_none_is_undone(call: CallIt, serve: Any, peers: Any, headers: str) -> None:
    answer = call(serve(peers.answering(gzipped(BODY), headers=headers)).url())
    assert answer.body == BODY
    assert answer.trace.notes == ("The answer says something in Content-Encoding that is not a coding: passed over.",)


def test_gzip_that_is_said_to_be_deflate_is_unpacked(call: CallIt, serve: Any, peers: Any) -> None:
    answer = call(serve(peers.answering(gzipped(BODY), headers=coded("deflate"))).url())
    assert answer.body == BODY
    assert answer.trace.notes == (f"{says('deflate')}but is compressed with gzip: unpacked.",)


@pytest.mark.parametrize(
    "media_type", ["application/gzip", "application/x-gzip", "Application/X-Tar", "application/x-tgz; name=a.tgz",
                   "application/x-compressed-tar", "application/tar+gzip"]
)  # fmt: skip
def test_the_download_of_an_archive_stays_one(call: CallIt, serve: Any, peers: Any, media_type: str) -> None:
    archive = gzipped(BODY)
    answer = call(serve(peers.answering(archive, headers=f"Content-Type: {media_type}\r\n")).url())
    assert (answer.body, answer.trace.notes) == (archive, ())


@pytest.mark.parametrize("body", [gzipped(BODY)[:-9], gzipped(BODY)[:2], b"\x1f\x8b no gzip", b"\x1f"])
def test_what_only_begins_like_gzip_is_read_as_it_is(call: CallIt, serve: Any, peers: Any, body: bytes) -> None:
    answer = call(serve(peers.answering(body)).url())
    assert (answer.body, answer.trace.notes) == (body, ())


def stating(body: bytes, length: int, peers: Any) -> Any:
    """A server that states that length and closes after the body."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{coded('gzip')}\r\n"
    return peers.saying(head.encode() + body)


def test_whole_gzip_is_read_though_its_length_is_stated_as_that_of_the_plain_body(
    call: CallIt, serve: Any, peers: Any
) -> None:
    packed = gzipped(BODY * 100)
    answer = call(serve(stating(packed, len(BODY) * 100, peers)).url())
    assert answer.body == BODY * 100
    assert answer.trace.notes == (
        "The answer has fewer bytes than its Content-Length says; what is compressed in it is whole.",
    )


@pytest.mark.parametrize("body", [gzipped(BODY)[:-1], gzipped(BODY) + gzipped(BODY)[:9], BODY, b""])
def test_less_than_stated_that_is_not_whole_by_itself_is_incomplete(
    call: CallIt, serve: Any, peers: Any, body: bytes
) -> None:
    with pytest.raises(NetworkError) as raised:
        call(serve(stating(body, 9999, peers)).url())
    assert raised.value.reason == "incomplete"


@pytest.mark.parametrize("length", [1, 2, 5, 20, -9, -1])
def test_gzip_that_says_so_and_is_cut_off_is_incomplete(call: CallIt, serve: Any, peers: Any, length: int) -> None:
    with pytest.raises(NetworkError) as raised:
        call(serve(peers.answering(gzipped(BODY)[:length], headers=coded("gzip"))).url())
    assert raised.value.reason == "incomplete"
    assert raised.value.message == "The answer was cut off before its end."


@pytest.mark.parametrize(
    ("name", "body"), [("br", BROTLI), ("zstd", ZSTD), ("BR", BROTLI), ("compress", b"\x1f\x9d\x90\x00"), ("br, utf-8", BROTLI)]
)  # fmt: skip
def test_a_coding_that_was_not_asked_for_is_refused_by_its_name(
    call: CallIt, serve: Any, peers: Any, name: str, body: bytes
) -> None:
    with pytest.raises(NetworkError) as raised:
        call(serve(peers.answering(body, headers=coded(name))).url())
    assert raised.value.reason == "broken_answer"
    coding = name.lower().partition(",")[0]
    assert raised.value.message == f"The answer is compressed with {coding}, which was not asked for."


def test_what_is_compressed_twice_is_refused(call: CallIt, serve: Any, peers: Any) -> None:
    with pytest.raises(NetworkError, match="compressed more than once"):
        call(serve(peers.answering(gzipped(gzipped(BODY)), headers=coded("gzip, gzip"))).url())


@pytest.mark.parametrize(
    ("name", "body"), [("gzip", b"\x1f\x8b\x08 damaged"), ("deflate", b"\x78\x9c damaged"), ("deflate", b"\xff\xfe\x00")]
)  # fmt: skip
def test_what_is_damaged_says_by_what_it_could_not_be_read(
    call: CallIt, serve: Any, peers: Any, name: str, body: bytes
) -> None:
    with pytest.raises(NetworkError) as raised:
        call(serve(peers.answering(body, headers=coded(name))).url())
    assert raised.value.message == f"The answer is said to be compressed with {name}, but cannot be unpacked."


@pytest.mark.parametrize("name", ["utf-8", "gzip", "br", "gzip, gzip"])
@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "200 OK")])
def test_nothing_is_not_compressed(call: CallIt, serve: Any, peers: Any, name: str, method: str, status: str) -> None:
    answer = call(serve(peers.answering(b"", status, coded(name))).url(), method=method)
    assert (answer.body, answer.trace.notes) == (b"", ())


@pytest.mark.parametrize("headers", ["", coded("utf-8"), coded("deflate"), coded("gzip")])
def test_a_bomb_is_refused_under_every_name(call: CallIt, serve: Any, peers: Any, headers: str) -> None:
    with pytest.raises(TooLarge) as raised:
        call(serve(peers.answering(gzipped(bytes(100 * MB)), headers=headers)).url())
    assert raised.value.reason == "too_large_decoded"


@pytest.mark.parametrize("headers", ["", coded("utf-8"), coded("gzip"), coded("deflate"), coded("br")])
@pytest.mark.parametrize("begin", [b"{", b"\x1f\x8b\x08"])
def test_an_endless_body_is_cut_under_every_name(call: CallIt, serve: Any, headers: str, begin: bytes) -> None:
    def handler(peer: Any) -> None:
        peer.read_request()
        peer.send(f"HTTP/1.1 200 OK\r\n{headers}\r\n".encode() + begin)
        while True:
            peer.send(b"x" * 65536)

    with pytest.raises(TooLarge):
        call(serve(handler).url(), timeout=20)


@pytest.mark.parametrize("name", ["utf-8", "gzip", "deflate"])
@pytest.mark.parametrize("size", [MB, MB + 1])
def test_the_limit_of_a_plain_body_is_the_same_under_every_name(
    call: CallIt, serve: Any, peers: Any, name: str, size: int
) -> None:
    server = serve(peers.answering(b"x" * size, headers=coded(name)))
    if size == MB:
        assert len(call(server.url()).body) == MB
    else:
        with pytest.raises(TooLarge, match="more than 1 MB"):
            call(server.url())


def test_it_does_not_matter_how_the_bytes_come(call: CallIt, serve: Any) -> None:
    for body, headers in ((BODY, coded("gzip")), (gzipped(BODY), ""), (gzipped(BODY), coded("gzip"))):

        def handler(peer: Any, body: bytes = body, headers: str = headers) -> None:
            peer.read_request()
            peer.send(f"HTTP/1.1 200 OK\r\n{headers}Transfer-Encoding: chunked\r\n\r\n".encode())
            for octet in body:
                peer.send(b"1\r\n%c\r\n" % octet)
            peer.send(b"0\r\n\r\n")

        assert call(serve(handler).url()).body == BODY


@pytest.mark.parametrize("value", ["y" * 41, "<b> x", "a,b", "utf-8, a", "gr\xf6\xdfe"])
def test_what_cannot_be_repeated_whole_is_not_repeated(call: CallIt, serve: Any, peers: Any, value: str) -> None:
    """It may be a secret that the server echoes, and a part of one would not be masked."""
    answer = call(serve(peers.answering(BODY, headers=coded(value))).url())
    assert answer.body == BODY
    assert answer.trace.notes == ("The answer says something in Content-Encoding that is not a coding: read as plain.",)


@pytest.mark.parametrize("name", ["a", "identity", "gzip", "br"])
@pytest.mark.parametrize("times", [6, 6_000])
def test_many_codings_cost_neither_time_nor_room(call: CallIt, serve: Any, peers: Any, name: str, times: int) -> None:
    server = serve(peers.answering(BODY, headers=coded(",".join([name] * times))))
    if name in ("gzip", "br"):
        with pytest.raises(NetworkError, match=r"The answer is compressed more than once\."):
            call(server.url(), timeout=5)
    else:
        answer = call(server.url(), timeout=5)
        assert answer.body == BODY
        assert len("".join(answer.trace.notes)) < 200
