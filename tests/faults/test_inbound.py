"""What arrives at the real server broken on purpose: requests that smuggle another, and clients that never finish."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests

from tests.server import ROOT, Server

SECOND = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Of two processes: 200 slow clients are more than all their threads, whatever the machine has of cores."""
    with Server(tmp_path_factory.mktemp("inbound") / "data", WORKERS="2", THREADS="64") as server:
        yield server


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    """A key whose account has the step `a`, which is switched off: it needs no third party."""
    token = server.command("key", "create", "--name", "bot", "--scope", "manage")
    request = {"method": "GET", "url": "https://api.example/"}
    step = {"format": "httpstep/1", "name": "A", "enabled": False, "request": request}
    put = requests.put(
        f"{server.url}/api/v1/steps/a", json=step, headers={"Authorization": f"Bearer {token}"}, timeout=30
    )
    assert put.status_code == 201
    return token


def everything_said(server: Server, sent: bytes, seconds: float = 10) -> bytes:
    """All that comes back on one connection until the server closes it, or `seconds` have passed."""
    said = b""
    with socket.create_connection(("127.0.0.1", server.port), seconds) as wire:
        wire.sendall(sent)
        wire.settimeout(seconds)
        try:
            while block := wire.recv(65536):
                said += block
        except ConnectionResetError:
            pass
        except TimeoutError:
            raise AssertionError(f"still open after {seconds} s, and said {said!r}") from None
    return said


def problem(said: bytes) -> dict[str, Any]:
    """The members of a refusal, which has the one form that the contract names."""
    head, _, body = said.partition(b"\r\n\r\n")
    assert b"Content-Type: application/problem+json" in head, head
    assert b"Content-Security-Policy: default-src 'none'" in head, head
    members: dict[str, Any] = json.loads(body)
    assert members["status"] == int(said.split()[1])
    assert set(members) == {"type", "title", "status", "detail", "request_id"}
    return members


def posting(*headers: bytes, body: bytes = b"") -> bytes:
    head = (b"POST /api/v1/steps/a/execute HTTP/1.1", b"Host: a", b"Content-Type: application/json", *headers)
    return b"\r\n".join(head) + b"\r\n\r\n" + body


REFUSED = {
    "two equal lengths": posting(b"Content-Length: 5", b"Content-Length: 5", body=b"12345" + SECOND),
    "two equal lengths in one line": posting(b"Content-Length: 5, 5", body=b"12345" + SECOND),
    "an empty length": posting(b"Content-Length: ", body=SECOND),
    "one bare line feed": b"POST / HTTP/1.1\r\nHost: a\nContent-Length: 0\r\n\r\n" + SECOND,
    "a coding after a tab": posting(b"Transfer-Encoding:\tchunked", b"Content-Length: 4", body=b"0\r\n\r\n" + SECOND),
    "a coding after a vertical tab": posting(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n" + SECOND),
    "a coding before a vertical tab": posting(
        b"Transfer-Encoding: chunked\x0b", b"Content-Length: 4", body=b"0\r\n\r\n" + SECOND
    ),
    "a tab before the colon": posting(
        b"Transfer-Encoding\t: chunked", b"Content-Length: 4", body=b"0\r\n\r\n" + SECOND
    ),
    "two hosts": posting(b"Host: b", b"Content-Length: 0", body=SECOND),
    "no host": b"POST /api/v1/steps/a/execute HTTP/1.1\r\nContent-Length: 0\r\n\r\n" + SECOND,
    "both lengths": posting(b"Content-Length: 4", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SECOND),
    "both, the other order": posting(b"Transfer-Encoding: chunked", b"Content-Length: 4", body=b"0\r\n\r\n" + SECOND),
    "two lengths": posting(b"Content-Length: 0", b"Content-Length: %d" % len(SECOND), body=SECOND),
    "two lengths in one line": posting(b"Content-Length: 0, %d" % len(SECOND), body=SECOND),
    "an unknown coding": posting(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + SECOND),
    "a coding after chunked": posting(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n" + SECOND),
    "chunked twice": posting(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SECOND),
    "a folded header": posting(b"X-A: 1\r\n Transfer-Encoding: chunked", b"Content-Length: 0", body=SECOND),
    "a space before the colon": posting(b"Content-Length : 5", body=b"12345" + SECOND),
    "a space before the name": posting(b" Content-Length: 5", body=b"12345" + SECOND),
    "a length with a plus": posting(b"Content-Length: +5", body=b"12345" + SECOND),
    "a length in hex": posting(b"Content-Length: 0x5", body=b"12345" + SECOND),
    "a negative length": posting(b"Content-Length: -5", body=b"12345" + SECOND),
    "bare line feeds": b"POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n" + SECOND,
    "a bare carriage return": posting(b"X-A: 1\rTransfer-Encoding: chunked", b"Content-Length: 0", body=SECOND),
    "a NUL in a header": posting(b"X-A: 1\0", b"Content-Length: 0", body=SECOND),
    "no version": b"GET /smuggled\r\n\r\n" + SECOND,
    "a strange version": b"GET / HTTP/9.9\r\nHost: a\r\n\r\n" + SECOND,
}
"""Heads that two parsers could read in two ways (RFC 9112, 6.3 and 11.2)."""


@pytest.mark.parametrize("name", REFUSED)
def test_an_ambiguous_request_is_refused_and_what_follows_is_never_served(server: Server, name: str) -> None:
    said = everything_said(server, REFUSED[name])
    assert said.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 ", b"HTTP/1.1 505 ")), said
    assert said.count(b"HTTP/1.1 ") == 1, said
    assert b"onnection: close" in said
    assert problem(said)["title"]


CHUNKS = {
    "a size in 0x": b"0x1\r\nA\r\n0\r\n\r\n",
    "a size with a plus": b"+1\r\nA\r\n0\r\n\r\n",
    "a negative size": b"-1\r\nA\r\n0\r\n\r\n",
    "a size with an underscore": b"1_0\r\nA\r\n0\r\n\r\n",
    "a chunk that is longer": b"1\r\nAB\r\n0\r\n\r\n",
    "no line end after a chunk": b"1\r\nA0\r\n\r\n",
    "a bare line feed": b"1\nA\n0\n\n",
    "a bare line feed in an extension": b"1;a\nA\r\n0\r\n\r\n",
    "a bare line feed after a chunk": b"1\r\nA\n0\r\n\r\n",
    "a trailer that frames": b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n",
}


@pytest.mark.parametrize("key", ["valid", "wrong"])
@pytest.mark.parametrize("name", CHUNKS)
def test_a_broken_chunk_ends_the_connection(server: Server, token: str, name: str, key: str) -> None:
    """Whether the body is read by a view (400) or only passed over (401): one answer, and the connection is over."""
    bearer = b"Authorization: Bearer " + (token.encode() if key == "valid" else b"wrong")
    said = everything_said(server, posting(bearer, b"Transfer-Encoding: chunked", body=CHUNKS[name] + SECOND))
    assert said.startswith(b"HTTP/1.1 400 " if key == "valid" else b"HTTP/1.1 401 "), said
    assert said.count(b"HTTP/1.1 ") == 1, said
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("trailer", [b"", b"X-Sum: 1\r\n"])
def test_a_good_chunked_body_is_read(server: Server, token: str, trailer: bytes) -> None:
    chunks = b"12\r\n" + b'{"attributes": {}}' + b"\r\n0\r\n" + trailer + b"\r\n"
    bearer = b"Authorization: Bearer " + token.encode()
    said = everything_said(server, posting(bearer, b"Transfer-Encoding: chunked", b"Connection: close", body=chunks))
    assert said.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("size", [257 * 1024, 5 * 1024 * 1024])
@pytest.mark.parametrize("line", [b"POST /api/v1/steps/a/execute", b"PUT /api/v1/steps/big"])
def test_a_body_without_a_length_may_not_be_larger_either(server: Server, token: str, line: bytes, size: int) -> None:
    body = b'{"attributes": {"a": "' + b"x" * size + b'"}}'
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in _parts(body)) + b"0\r\n\r\n"
    bearer = b"Authorization: Bearer " + token.encode()
    sent = posting(bearer, b"Transfer-Encoding: chunked", b"Connection: close", body=chunks)
    said = everything_said(server, line + sent.removeprefix(b"POST /api/v1/steps/a/execute"))
    assert said.startswith(b"HTTP/1.1 413 "), said
    members = json.loads(said.partition(b"\r\n\r\n")[2])
    assert "256 KB" in members["detail"]
    assert members.get("next") == ("stop" if line.startswith(b"POST") else None)
    steps = requests.get(f"{server.url}/api/v1/steps", headers={"Authorization": f"Bearer {token}"}, timeout=10).json()
    assert [step["key"] for step in steps["steps"]] == ["a"]


def _parts(body: bytes) -> list[bytes]:
    return [body[at : at + 50_000] for at in range(0, len(body), 50_000)]


def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one(server: Server, token: str) -> None:
    bearer = b"Authorization: Bearer " + token.encode()
    for length in (b"Content-Length: 500", b"Transfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", server.port), 10) as wire:
            wire.sendall(posting(bearer, length, body=b"2\r\n{}\r\n"))
            wire.shutdown(socket.SHUT_WR)
            said = b""
            while block := wire.recv(65536):
                said += block
        assert said.startswith(b"HTTP/1.1 400 "), said
        assert json.loads(said.partition(b"\r\n\r\n")[2])["next"] == "stop", "the step is known"


def test_a_body_of_sound_json_that_breaks_off_is_refused(server: Server, token: str) -> None:
    bearer = b"Authorization: Bearer " + token.encode()
    with socket.create_connection(("127.0.0.1", server.port), 10) as wire:
        wire.sendall(posting(bearer, b"Content-Length: 7", body=b"{}"))
        wire.shutdown(socket.SHUT_WR)
        assert wire.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_a_head_without_end_is_refused_at_32_kb(server: Server) -> None:
    said = everything_said(server, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-A: " + b"a" * 40_000)
    assert problem(said)["status"] == 431


TOO_LONG = {
    "a header": (posting(b"X-A: " + b"a" * 9000), 431),
    "a list of headers": (posting(*(b"X-%d: a" % number for number in range(101))), 431),
    "an address": (b"GET /api/v1/steps?q=" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
}


@pytest.mark.parametrize("name", TOO_LONG)
def test_what_is_too_long_is_refused_as_a_problem(server: Server, name: str) -> None:
    sent, status = TOO_LONG[name]
    assert problem(everything_said(server, sent))["status"] == status


def test_a_refused_head_leaves_no_key_in_the_log(server: Server) -> None:
    everything_said(server, posting(b"Authorization: Bearer hs_the-key\x01"))
    assert "hs_the-key" not in server.log.read_text()


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v2", "/health/", "/health/more"])
def test_an_address_that_is_not_there_is_a_problem_for_bots(server: Server, path: str) -> None:
    answer = requests.get(server.url + path, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_two_good_requests_on_one_connection_get_two_answers(server: Server) -> None:
    """The proof that the refusals above refuse something."""
    health = b"GET /health HTTP/1.1\r\nHost: a\r\n"
    said = everything_said(server, health + b"\r\n" + health + b"Connection: close\r\n\r\n")
    assert said.count(b"HTTP/1.1 200 OK") == 2


def test_a_request_in_pieces_is_served_whole(server: Server) -> None:
    body = b'{"attributes": {}}'
    whole = posting(b"Content-Length: %d" % len(body), b"Connection: close", body=body)
    with socket.create_connection(("127.0.0.1", server.port), 10) as wire:
        for at in range(0, len(whole), 7):
            wire.sendall(whole[at : at + 7])
            time.sleep(0.005)
        assert wire.recv(65536).startswith(b"HTTP/1.1 401 ")


def test_a_client_that_asks_before_it_sends_is_told_to(server: Server) -> None:
    """Expect: 100-continue (RFC 9110, 10.1.1), as curl sends it with a larger body."""
    body = b'{"attributes": {}}'
    with socket.create_connection(("127.0.0.1", server.port), 10) as wire:
        wire.sendall(posting(b"Content-Length: %d" % len(body), b"Expect: 100-continue", b"Connection: close"))
        said = wire.recv(65536)
        wire.sendall(body)
        while block := wire.recv(65536):
            said += block
    assert b"HTTP/1.1 401 " in said


FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
SLOW = {
    "says nothing": b"",
    "sends its head by bytes": b"GET /health HTTP/1.1\r\nHost: a\r\nX-A: ",
    "sends its body by bytes": posting(b"Content-Length: 5000"),
    "sends a chunk by bytes": posting(b"Transfer-Encoding: chunked", body=b"a"),
    "sends a chunk by bytes to a page": b"POST /login HTTP/1.1\r\nHost: a\r\n"
    + FORM
    + b"Transfer-Encoding: chunked\r\n\r\na",
    "sends a form by bytes that it asked for": b"POST /login HTTP/1.1\r\nHost: a\r\n"
    + FORM
    + b"Content-Length: 5000\r\nExpect: 100-continue\r\n\r\n",
    "sends the end of a long form by bytes": b"POST /login HTTP/1.1\r\nHost: a\r\n"
    + FORM
    + b"Content-Length: 99000\r\n\r\n"
    + b"a" * 70_000,
}


@pytest.mark.parametrize("name", SLOW)
def test_two_hundred_slow_clients_do_not_delay_the_others(server: Server, token: str, name: str) -> None:
    """Neither a probe, nor a page, nor a bot."""
    asks = (
        lambda: requests.get(f"{server.url}/health", timeout=20).status_code == 200,
        lambda: requests.get(f"{server.url}/login", timeout=20).status_code == 200,
        lambda: server.execute("a", {}, token).json()["outcome"] == "disabled",
    )
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    stopped = threading.Event()

    def drip() -> None:
        while not stopped.wait(0.5):
            for one in slow:
                with suppress(OSError):  # one that was refused or given up
                    one.send(b"a" if SLOW[name] else b"")

    for one in slow:
        one.sendall(SLOW[name])
    dripping = threading.Thread(target=drip)
    dripping.start()
    time.sleep(0.7)
    took: tuple[list[float], ...] = ([], [], [])
    try:
        for number in range(12):
            began = time.monotonic()
            assert asks[number % 3]()
            took[number % 3].append(time.monotonic() - began)
            time.sleep(0.1)
    finally:
        stopped.set()
        dripping.join()
        for one in slow:
            one.close()
    assert all(sorted(of_one_kind)[2] < 1 for of_one_kind in took), took  # a machine that stood still delays one


def test_two_hundred_clients_that_read_no_answer_do_not_hold_the_threads(server: Server, token: str) -> None:
    """Each asks for much on one connection; what a client does not read must wait in the kernel, not in a thread."""
    largest = max((ROOT / "static").rglob("*.*"), key=lambda file: file.stat().st_size).relative_to(ROOT)
    asked = f"GET /{largest} HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 60
    slow = [socket.socket() for _ in range(200)]
    try:
        for one in slow:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            one.connect(("127.0.0.1", server.port))
            one.sendall(asked)
        time.sleep(2)
        for _ in range(5):
            assert requests.get(f"{server.url}/health", timeout=10).status_code == 200
            assert server.execute("a", {}, token).json()["outcome"] == "disabled"
    finally:
        for one in slow:
            one.close()


def test_an_answer_larger_than_every_buffer_reaches_a_client_that_reads_slowly(server: Server, token: str) -> None:
    bearer = {"Authorization": f"Bearer {token}"}
    step = {"format": "httpstep/1", "name": "Large", "request": {"method": "POST", "url": "https://api.example/"}}
    step["request"]["body"] = {"mode": "raw", "text": "x" * 200_000}  # type: ignore[index]
    requests.put(f"{server.url}/api/v1/steps/large", json=step, headers=bearer, timeout=30).raise_for_status()
    asked = f"GET /api/v1/steps/large HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    with socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        wire.settimeout(20)
        wire.connect(("127.0.0.1", server.port))
        for _ in range(2):  # the second on the same connection, once the first was read
            wire.sendall(asked)
            said = wire.recv(65536)
            length = int(said.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
            while len(said.partition(b"\r\n\r\n")[2]) < length:
                block = wire.recv(65536)
                assert block, "the connection ended before the answer did"
                said += block
            assert json.loads(said.partition(b"\r\n\r\n")[2])["key"] == "large"
    requests.delete(f"{server.url}/api/v1/steps/large", headers=bearer, timeout=30).raise_for_status()


def test_clients_that_do_not_hang_up_after_their_answer_delay_nobody(server: Server) -> None:
    """More than a minute's worth of lingering, if it were done one after the other."""
    asked = [socket.create_connection(("127.0.0.1", server.port), 30) for _ in range(100)]
    for one in asked:
        one.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    began = time.monotonic()
    for _ in range(5):
        assert requests.get(f"{server.url}/health", timeout=30).status_code == 200
    assert time.monotonic() - began < 30
    for one in asked:
        assert one.recv(65536).startswith(b"HTTP/1.1 200 ")
        one.close()


def test_an_answer_reaches_a_client_that_still_sends(server: Server) -> None:
    """Closing on unread bytes would be a reset, which takes back the answer before it is read."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as wire:
        wire.sendall(posting(b"Content-Length: 3000000", b"Connection: close", body=b"a" * 200_000))
        for _ in range(20):
            time.sleep(0.02)
            wire.sendall(b"a" * 10_000)
        assert wire.recv(65536).startswith(b"HTTP/1.1 4")
