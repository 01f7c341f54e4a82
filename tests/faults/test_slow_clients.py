"""Clients that send slowly, read nothing or say nothing, at the real server: pages, probes and bots go on."""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
import requests

from httpstep.serving import clients
from httpstep.serving.clients import ClientSocket, WaitingSlots
from httpstep.serving.refusals import NoFreeSlot
from tests.faults.visiting import SIGN_IN, Visitor
from tests.server import Server

MANY = 140


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Of one process, with four places to wait for bodies in and as many for answers."""
    with Server(tmp_path_factory.mktemp("slow") / "data", WORKERS="1", THREADS="8", **SIGN_IN) as server:
        yield server


@pytest.fixture(scope="module")
def tokens(server: Server) -> list[str]:
    """Four keys of an account with the steps `a`, which is switched off, and `large`, whose document has 250 KB."""
    made = [server.command("key", "create", "--name", f"bot {number}", "--scope", "manage") for number in range(4)]
    off = {"format": "httpstep/1", "name": "A", "enabled": False, "fallback": "continue"}
    off["request"] = {"method": "GET", "url": "https://api.example/"}
    large = {"format": "httpstep/1", "name": "Large"}
    body = {"mode": "raw", "text": "x" * 250_000}
    large["request"] = {"method": "POST", "url": "https://api.example/", "body": body}  # type: ignore[assignment]
    for key, step in (("a", off), ("large", large)):
        bearer = {"Authorization": f"Bearer {made[0]}"}
        requests.put(f"{server.url}/api/v1/steps/{key}", json=step, headers=bearer, timeout=30).raise_for_status()
    return made


def asking(line: str, token: str = "", *headers: str) -> bytes:
    key = [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([f"{line} HTTP/1.1", "Host: a", *key, *headers, "", ""]).encode()


def executing(token: str) -> bytes:
    return asking("POST /api/v1/steps/a/execute", token, "Content-Type: application/json", "Transfer-Encoding: chunked")


FORM = "Content-Type: application/x-www-form-urlencoded"
LOGIN = asking("POST /login", "", FORM, "Transfer-Encoding: chunked")


@contextmanager
def connected(server: Server, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """So many clients that have sent this, and that hardly take anything into their own buffers."""
    with ExitStack() as stack:
        wires = [stack.enter_context(socket.socket()) for _ in range(count)]
        for wire in wires:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            wire.settimeout(30)
            wire.connect(("127.0.0.1", server.port))
            wire.sendall(sent)
        yield wires


@contextmanager
def dripping(wires: list[socket.socket], piece: bytes = b"1\r\na\r\n") -> Iterator[None]:
    """A chunk of one byte from each, several times a second."""
    ended = threading.Event()

    def drip() -> None:
        while not ended.wait(0.3):
            for wire in wires:
                with suppress(OSError):  # one that was refused
                    wire.send(piece)

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def answered(wire: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by their lower-case names, and body, read until the length that was announced."""
    said = b""
    while b"\r\n\r\n" not in said:
        block = wire.recv(65536)
        assert block, said
        said += block
    head, _, body = said.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    while len(body) < int(headers["content-length"]):
        block = wire.recv(65536)
        assert block, f"cut off after {len(body)} of {headers['content-length']}"
        body += block
    return int(lines[0].split()[1]), headers, body


def everybody_is_served(server: Server, token: str, seconds: float = 5) -> None:
    """A probe, a page and a bot. seconds: far below how long a slow client may take."""
    asks: tuple[Callable[[], bool], ...] = (
        lambda: requests.get(f"{server.url}/health", timeout=20).status_code == 200,
        lambda: requests.get(f"{server.url}/login", timeout=20).status_code == 200,
        lambda: server.execute("a", {}, token).json()["outcome"] == "disabled",
    )
    for ask in asks * 2:
        began = time.monotonic()
        assert ask()
        assert time.monotonic() - began < seconds


@pytest.mark.parametrize("of", ["a key", "a session"])
def test_readers_that_read_nothing_harm_nobody(server: Server, tokens: list[str], of: str) -> None:
    """Those who find no place are cut off, and a caller with another key has its answer whole."""
    asked = asking("GET /api/v1/steps/large", tokens[0])
    if of == "a session":
        cookies = Visitor(server).session.cookies
        asked = asking("GET /steps/2", "", "Cookie: " + "; ".join(f"{one.name}={one.value}" for one in cookies))
    with connected(server, MANY, asked):
        time.sleep(1)
        # each of their pages is drawn before anybody reads it or does not
        everybody_is_served(server, tokens[1], seconds=5 if of == "a key" else 12)
        with connected(server, 1, asking("GET /api/v1/steps/large", tokens[1])) as (honest,):
            time.sleep(0.5)
            status, _, body = answered(honest)
        assert status == 200 and len(json.loads(body)["request"]["body"]["text"]) == 250_000


def test_anonymous_slow_bodies_take_no_place_of_a_callers_own(server: Server, tokens: list[str]) -> None:
    with connected(server, 48, LOGIN) as wires, dripping(wires):
        time.sleep(1)
        everybody_is_served(server, tokens[0])
        assert slow_call(server, tokens[0])[0] == 200


def slow_call(server: Server, token: str) -> tuple[int, dict[str, str], bytes]:
    """What a call is told whose body comes in two parts."""
    with connected(server, 1, executing(token) + b'9\r\n{"attribu\r\n') as (wire,):
        time.sleep(0.7)
        with suppress(ConnectionError):  # it was answered before
            wire.sendall(b'9\r\ntes": {}}\r\n0\r\n\r\n')
        return answered(wire)


def test_a_full_pool_is_a_503_that_says_when_to_come_again_and_other_keys_are_heard(
    server: Server, tokens: list[str]
) -> None:
    with connected(server, 1, executing(tokens[0])) as wires, dripping(wires):
        time.sleep(1)
        status, headers, body = slow_call(server, tokens[0])
        said = json.loads(body)
        assert (status, headers["retry-after"], said["title"], said["next"]) == (503, "1", "Server Busy", "continue")
        assert headers["content-type"] == "application/problem+json" and "Send it again" in said["detail"]
        assert slow_call(server, tokens[1])[0] == 200


def test_a_page_says_too_that_the_server_is_busy(server: Server) -> None:
    with connected(server, 8, LOGIN) as wires, dripping(wires):
        time.sleep(1)
        with connected(server, 1, LOGIN + b"1\r\na\r\n") as (wire,):
            status, headers, body = answered(wire)
        assert (status, headers["retry-after"]) == (503, "1")
        assert b"Server Busy" in body and b"storage" not in body and headers["content-type"].startswith("text/html")
    assert "Traceback" not in server.log.read_text()


def test_a_body_that_comes_by_single_bytes_is_given_up_long_before_its_end(server: Server, tokens: list[str]) -> None:
    began = time.monotonic()
    with connected(server, 1, executing(tokens[0])) as (wire,), dripping([wire]):
        status, _, body = answered(wire)
    assert status == 400 and "too slowly" in json.loads(body)["detail"]
    assert time.monotonic() - began < clients.BODY_SECONDS / 2


def test_an_answer_that_is_not_read_in_time_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "ANSWER_SECONDS", 0.3)
    places = WaitingSlots(4)
    ours, theirs = socket.socketpair()
    began = time.monotonic()
    with theirs, ClientSocket(ours.detach(), places) as wire:
        with pytest.raises(TimeoutError):
            wire.sendall(b"x" * 10_000_000)
        assert time.monotonic() - began < 10
        with places.held("", ""):
            """The place is free again."""


def test_head_and_body_of_an_answer_go_out_together() -> None:
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with theirs, ClientSocket(ours.detach(), WaitingSlots(4)) as wire:
        for body, parts in ((b"{}", (b"{}",)), (b"", ()), (b"abcd", (b"ab", b"cd"))):
            wire.begin()
            wire.sendall(b"head ")
            assert not select.select([theirs], [], [], 0)[0]
            for part in parts:
                wire.sendall(part)
                assert theirs.recv(100, socket.MSG_PEEK)
            wire.end()
            assert theirs.recv(100) == b"head " + body
        wire.sendall(b"at once")  # with no answer under way nothing is held back
        assert theirs.recv(100) == b"at once"


def test_the_shares_of_the_places() -> None:
    def taken(*who: tuple[str, str]) -> int:
        places, count = WaitingSlots(16), 0
        with ExitStack() as stack:
            for _ in range(20):
                for address, caller in who:
                    with suppress(NoFreeSlot):
                        stack.enter_context(places.held(address, caller))
                        count += 1
        return count

    assert taken(("1.1.1.1", "")) == 4
    assert taken(*((f"1.1.1.{number}", "") for number in range(9))) == 8
    assert taken(("1.1.1.1", "key 1")) == 4
    assert taken(*(("1.1.1.1", f"key {number}") for number in range(9))) == 8
    assert taken(*((f"1.1.1.{number}", f"key {number}") for number in range(9))) == 16


def test_idle_connections_of_one_peer_do_not_keep_others_out(server: Server, tokens: list[str]) -> None:
    """More than twice what a worker holds."""
    with connected(server, 2300, b""):
        everybody_is_served(server, tokens[0], seconds=10)
    everybody_is_served(server, tokens[0], seconds=10)
