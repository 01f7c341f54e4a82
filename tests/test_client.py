"""The client for bots: against httpstep itself, and against everything a bot may meet in its place."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import trustme

from httpstep_client import Client
from tests.server import ROOT, Server, free_port

SQLITE_ONLY = "the client asks a server"


@contextmanager
def server(*answers: bytes | None, drip: float = 0) -> Iterator[tuple[Client, list[bytes]]]:
    """A server that gives each connection the next of these bytes, and the requests it read. None: it closes at once."""
    seen: list[bytes] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            for answer in answers:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with closing(connection):
                    if answer is None:
                        continue
                    seen.append(_request(connection))
                    for start in range(0, len(answer), 1 if drip else len(answer) or 1):
                        try:
                            connection.sendall(answer[start : start + 1] if drip else answer)
                        except OSError:
                            break
                        time.sleep(drip)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Client(f"http://127.0.0.1:{listening.getsockname()[1]}", "key"), seen
    thread.join(2)


def _request(connection: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def http(status: int, body: object, *headers: str) -> bytes:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(text)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + text


GOOD = {"outcome": "success", "next": "continue", "attributes": {"order.status": "shipped"}, "missing": ["x"]}


def test_a_good_answer_goes_on_with_its_attributes() -> None:
    with server(http(200, GOOD | {"request_id": "r", "structure_changed": True})) as (client, seen):
        answer = client.execute("a/b ü", {"n": "ä"}, timeout=20, idempotency_key="k", request_id="r")
    assert answer.goes_on and answer.attributes == {"order.status": "shipped"} and answer.missing == ("x",)
    assert (answer.outcome, answer.status, answer.structure_changed, answer.request_id) == ("success", 200, True, "r")
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/v1/steps/a%2Fb%20%C3%BC/execute HTTP/1.1")
    assert b"Authorization: Bearer key" in head and b"Idempotency-Key: k" in head and b"X-Request-Id: r" in head
    assert json.loads(body) == {"attributes": {"n": "ä"}, "timeout": 20}


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (
            200,
            {"outcome": "http_error", "next": "stop", "attributes": {"next": "continue"}, "message": "m"},
            "http_error",
        ),
        (200, {"outcome": "success", "attributes": {}}, "success"),
        (200, ["next", "continue"], "no_answer"),
        (200, b"", "no_answer"),
        (200, b'{"next": "contin', "no_answer"),
        (401, {"title": "Unauthorized"}, "refused"),
        (500, {"outcome": "internal", "next": "stop"}, "internal"),
        (502, b"<html>Bad Gateway</html>", "no_answer"),
        (307, b"", "no_answer"),
    ],
)
def test_everything_but_continue_stops_and_is_sent_once(status: int, body: object, outcome: str) -> None:
    with server(http(status, body), http(200, GOOD)) as (client, seen):
        answer = client.execute("s")
    assert (answer.next, answer.goes_on, answer.outcome, answer.status, len(seen)) == (
        "stop",
        False,
        outcome,
        status,
        1,
    )


def test_the_fallback_of_a_refusal_is_followed() -> None:
    with server(http(429, {"title": "Rate Limit Exceeded", "next": "continue"}, "Retry-After: 50")) as (client, _):
        answer = client.execute("s")
    assert answer.goes_on and answer.attributes == {} and answer.message == "Rate Limit Exceeded"


def test_a_refusal_that_made_no_call_is_tried_again_after_a_short_pause() -> None:
    with server(http(429, {"next": "stop"}, "Retry-After: 0"), http(200, GOOD)) as (client, seen):
        assert client.execute("s").goes_on
    assert len(seen) == 2


@pytest.mark.parametrize(
    "first", [http(503, {"title": "Busy"}, "Retry-After: 0"), http(409, {}, "Retry-After: 0"), b""]
)
def test_what_may_have_arrived_is_sent_again_only_with_a_key(first: bytes) -> None:
    with server(first, http(200, GOOD)) as (client, seen):
        assert not client.execute("s").goes_on
        assert len(seen) == 1
        assert client.execute("s").goes_on
    with server(first, http(200, GOOD)) as (client, seen):
        assert client.execute("s", idempotency_key="k").goes_on
    assert seen[0] == seen[1]


def test_an_answer_that_is_cut_off_stops() -> None:
    with server(http(200, GOOD)[:-5]) as (client, _):
        assert client.execute("s").next == "stop"


@pytest.mark.parametrize(
    "answer", [http(200, GOOD), http(200, GOOD).replace(b"X\r\n", b"X\r\nX-Long: " + b"y" * 900 + b"\r\n")]
)
def test_silence_and_drips_end_with_the_time(answer: bytes) -> None:
    with server(answer, drip=0.4) as (client, _):
        began = time.monotonic()
        got = client.execute("s", timeout=1)
        assert got.next == "stop" and "did not answer within 1 s" in str(got.message)
        assert time.monotonic() - began < 10


def test_silence_after_the_handshake_ends_with_the_time() -> None:
    authority = trustme.CA()
    ours, theirs = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(ours)
    authority.issue_cert("localhost").configure_cert(theirs)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def drip() -> None:
            raw, _ = listening.accept()
            with closing(raw), suppress(OSError), theirs.wrap_socket(raw, server_side=True) as connection:
                _request(connection)
                for byte in http(200, GOOD):
                    connection.sendall(bytes([byte]))
                    time.sleep(0.3)

        threading.Thread(target=drip, daemon=True).start()
        client = Client(f"https://localhost:{listening.getsockname()[1]}", "key", tls=ours)
        began = time.monotonic()
        answer = client.execute("s", timeout=1)
    assert answer.next == "stop" and "did not answer within 1 s" in str(answer.message)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (http(200, GOOD), ["Your order is shipped."]),
        (http(401, {}), []),
        (http(429, {"next": "stop"}), []),
        (http(500, {}), []),
        (b"", []),
    ],
)
def test_the_lines_of_the_document_go_on_only_after_continue(answer: bytes, said: list[str]) -> None:
    text = (ROOT / "docs/bots.md").read_text()
    lines = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "httpstep_client" in block)
    with server(answer) as (client, _):
        replies: list[str] = []
        address = f"http://{client._host}:{client._port}"
        exec(lines.replace("https://httpstep.example", address), {"reply": replies.append})
    assert replies == said


def test_no_connection_stops() -> None:
    answer = Client(f"http://127.0.0.1:{free_port()}", "key").execute("s")
    assert answer.next == "stop" and "cannot be reached" in str(answer.message)


@pytest.mark.parametrize("url", ["", "httpstep.example", "ftp://x", "https://", "https://x/?q=1"])
def test_a_wrong_address_is_told(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        Client(url, "key")


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "ключ"])
def test_a_wrong_key_is_told_before_it_is_sent(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        Client("https://x.example", key)


def test_wrong_arguments_raise() -> None:
    client = Client("https://x.example", "key")
    wrong: list[Callable[[], object]] = [
        lambda: client.execute("s", timeout=0),
        lambda: client.execute("s", timeout=66),
        lambda: client.execute("s", {"x": float("nan")}),
        lambda: client.execute("s", idempotency_key="a\r\nb"),
    ]
    for call in wrong:
        with pytest.raises(ValueError):
            call()


def test_the_event_loop_goes_on_meanwhile() -> None:
    async def two() -> int:
        ticks = 0
        running = asyncio.ensure_future(client.execute_async("s", {"a": 1}, timeout=5))
        while not running.done():
            await asyncio.sleep(0.01)
            ticks += 1
        assert (await running).goes_on
        return ticks

    with server(http(200, GOOD), drip=0.005) as (client, _):
        assert asyncio.run(two()) > 5


def test_it_runs_steps_and_flows_of_a_real_server(tmp_path: Path) -> None:
    with Server(tmp_path / "data", ALLOW_NETWORKS="127.0.0.0/8") as running:
        with server(http(200, {"status": "shipped"})) as (_, _seen):
            pass
        step = {"format": "httpstep/1", "key": "s", "name": "s", "request": {"method": "GET", "url": f"{running.url}/health"},
                "mapping": [{"call": "status", "attribute": "code"}], "fallback": "stop"}  # fmt: skip
        (tmp_path / "s.json").write_text(json.dumps(step))
        running.command("step", "import", str(tmp_path / "s.json"))
        key = running.command("key", "create", "--name", "bot").strip()
        answer = Client(running.url, key).execute("s", {"a": [1, None, "ä"]})
        assert (answer.next, answer.outcome, answer.attributes) == ("continue", "success", {"code": 200})
        assert Client(running.url, key).execute("none").status == 404
        wrong = Client(running.url, "hs_wrong").execute("s")
        assert (wrong.next, wrong.status) == ("stop", 401)


def test_it_needs_the_standard_library_alone() -> None:
    code = "import sys, httpstep_client; print([m for m in sys.modules if m.partition('.')[0] in ('httpstep', 'requests', 'flask')])"
    run = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (run.stdout.strip(), run.stderr) == ("[]", "")
