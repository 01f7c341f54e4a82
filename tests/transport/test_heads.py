"""The head of an answer is read by our own lines where it is plain. What they find is what the library finds in it."""

from __future__ import annotations

import http.client
from io import BytesIO
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3.util.response import assert_header_parsing

from httpstep.transport.connections import AnswerHead

NAMES = st.sampled_from(
    ["Content-Type", "content-length", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "X-A", "Set-Cookie"]
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(
        ["", "0", "5", "-1", "1_0", " 7", "5, 5", "chunked", "Chunked", "gzip, chunked", "close", "keep-alive", "a:b"]
    ),
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=8),
)
LINES = st.builds(
    lambda name, between, value, end: f"{name}{between}{value}{end}".encode("latin-1"),
    NAMES, st.sampled_from([":", ": ", ":\t ", " : "]), VALUES, st.sampled_from(["\r\n"] * 8 + ["\n", "\r\n folded\r\n"]),
)  # fmt: skip
FIRST = st.sampled_from(
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 204\r\n", b"HTTP/0.9 200 \n", b"HTTP/1.1 304 Not Modified\r\n",
     b"HTTP/1.1 101 Switching Protocols\r\n", b"HTTP/2.0 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 x\r\n"]
)  # fmt: skip


class Stream:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> BytesIO:
        return BytesIO(self._data)


def read(kind: type[http.client.HTTPResponse], data: bytes, method: str) -> Any:
    head: Any = kind(Stream(data), method=method)  # type: ignore[arg-type]
    try:
        head.begin()
        if kind is http.client.HTTPResponse:
            assert_header_parsing(head.headers)  # what the library passes over and urllib3 does not
    except Exception as error:
        return type(error)
    coding, length = head.headers.get("transfer-encoding"), head.headers.get("content-length")
    # These two are ours alone: after such an answer no other is read from the connection.
    closes = head.will_close or head.status == 101 or bool(coding and length)
    return (
        head.status,
        head.reason,
        head.version,
        head.length,
        head.chunked,
        closes,
        list(head.headers.items()),
        head.fp.read(),
    )


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@given(first=FIRST, lines=st.lists(LINES, max_size=5))
@example(first=b"HTTP/1.1 200 OK\r\n", lines=[b"Content-Length: 2\r\n", b"Bad Name: x\r\n"])
@example(first=b"HTTP/1.1 200 OK\r\n", lines=[b"X-A: 1\r\n", b"x-a: 2\r\n", b"Content-Length: 2\r\n"])
def test_a_head_says_what_the_library_finds_in_it(method: str, first: bytes, lines: list[bytes]) -> None:
    data = b"".join((first, *lines, b"\r\n")) + b"ok"
    ours, theirs = read(AnswerHead, data, method), read(http.client.HTTPResponse, data, method)
    assert ours == theirs
