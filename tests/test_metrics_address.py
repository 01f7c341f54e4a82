"""HTTPSTEP_METRICS_LISTEN: an address for /metrics alone, of the server that `make run` starts."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import requests

from httpstep import config
from tests.prepared import run
from tests.server import Server, free_port

pytestmark = pytest.mark.sqlite_only("decided above the database")
TOKEN = "a-long-token-of-0123456789"
OTHERS = ("/", "/health", "/login", "/api/v1/steps", "/metrics/", "/x/metrics", "//metrics", "/static/app.css")


def status(url: str, **headers: str) -> int:
    return requests.get(url, headers=headers, timeout=20, allow_redirects=False).status_code


def test_metrics_alone_are_answered_there_and_not_where_pages_are(tmp_path: Path) -> None:
    port = free_port()
    own = f"http://127.0.0.1:{port}"
    with Server(
        tmp_path / "data", ready=True, METRICS_LISTEN=f"127.0.0.1:{port}", PROXY_HOPS="1", WORKERS="2"
    ) as server:
        for _ in range(10):  # by either worker
            assert "httpstep_info{" in requests.get(f"{own}/metrics", timeout=20).text
        assert {path: status(own + path) for path in OTHERS} == dict.fromkeys(OTHERS, 404)
        forged = {"Host": f"127.0.0.1:{port}", "X-Forwarded-Host": f"127.0.0.1:{port}", "X-Forwarded-Port": str(port)}
        assert status(f"{server.url}/metrics") == status(f"{server.url}/metrics", **forged) == 404
        assert server.stop() == 0
        for one in (server.port, port):
            with pytest.raises(OSError), socket.create_connection(("127.0.0.1", one), 2):
                pass


def test_a_token_that_is_set_is_asked_for_on_both(tmp_path: Path) -> None:
    port = free_port()
    with Server(tmp_path / "data", ready=True, METRICS_LISTEN=f"127.0.0.1:{port}", METRICS_TOKEN=TOKEN) as server:
        for url in (f"http://127.0.0.1:{port}", server.url):
            assert status(f"{url}/metrics") == 401
            assert status(f"{url}/metrics", Authorization=f"Bearer {TOKEN}") == 200


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run(["app.py"], Server(tmp_path / "data", METRICS_LISTEN=listen).environ, 60)
    assert done.returncode == 1
    assert f"HTTPSTEP_METRICS_LISTEN: {listen} cannot be listened on: another program" in done.stderr


@pytest.mark.parametrize(("more", "is_warned"), [({}, True), ({"HTTPSTEP_METRICS_TOKEN": TOKEN}, False)])
def test_every_address_without_a_token_is_warned_of(more: dict[str, str], is_warned: bool) -> None:
    said = config.dangers(config.load({"HTTPSTEP_METRICS_LISTEN": "*:9464"} | more))
    assert any("HTTPSTEP_METRICS_LISTEN" in one for one in said) == is_warned
