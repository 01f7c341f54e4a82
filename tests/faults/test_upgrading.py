"""While the schema is upgraded the address answers, and says so; nothing that is sent meanwhile is taken."""

from __future__ import annotations

import fcntl
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from flask_migrate import upgrade

from app import create_app
from httpstep import config
from httpstep.extensions import db
from httpstep.storage.schema import _may_create
from tests.server import ROOT, Server

SQLITE_ONLY = "what answers stands before the database"


class Starting(Server):
    """A server that is looked at while it starts."""

    def wait(self, status: int) -> requests.Response:
        ends = time.monotonic() + 90
        while time.monotonic() < ends:
            try:
                got = requests.get(f"{self.url}/health", timeout=5)
                if got.status_code == status:
                    return got
            except requests.RequestException:
                pass
            time.sleep(0.05)
        raise AssertionError(f"never {status}\n{self.log.read_text()}")


@contextmanager
def held(data: Path) -> Iterator[None]:
    """Another process that is upgrading: a start waits for it with its own."""
    with (data / "prepare.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def older(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    app = create_app(config.load({"HTTPSTEP_DATA": str(data)}))
    with app.app_context(), _may_create():
        upgrade(directory=str(ROOT / "migrations"), revision="0004")
        db.session.close()
        db.engine.dispose()
    return data


def test_whoever_asks_is_told_and_the_server_comes_up_behind_it(older: Path) -> None:
    server = Starting(older)
    with held(older):
        began = threading.Thread(target=server.start)
        began.start()
        health = server.wait(503)
        assert (health.json(), health.headers["Retry-After"]) == ({"status": "upgrading"}, "5")
        page = requests.get(f"{server.url}/steps", timeout=10)
        assert page.status_code == 503 and "httpstep is being upgraded" in page.text
        assert 'http-equiv="refresh" content="5"' in page.text and "script" not in page.text
        form = requests.post(f"{server.url}/steps/1", data={"name": "x" * 1000}, timeout=10)
        assert form.status_code == 503 and "nothing was changed" in form.text and "refresh" not in form.text
        called = requests.post(f"{server.url}/api/v1/steps/a/execute", json={"attributes": {}}, timeout=10)
        assert (called.status_code, called.headers["Retry-After"]) == (503, "5")
        assert called.headers["Content-Type"] == "application/problem+json"
        assert called.json()["title"] == "Being Upgraded"
        with socket.create_connection(("127.0.0.1", server.port)) as slow:  # which must not hold up the start
            slow.sendall(b"POST /steps HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
    try:
        began.join(90)
        server.wait(200)
        assert len(list((older / "backups").glob("before-upgrade-*.db"))) == 1
    finally:
        server.stop()


def test_without_anything_to_upgrade_nobody_is_told(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        server.stop()
    again = Starting(tmp_path / "data")
    with held(tmp_path / "data"):
        began = threading.Thread(target=again.start)
        began.start()
        time.sleep(3)
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{again.url}/health", timeout=5)
    try:
        began.join(90)
        again.wait(200)
    finally:
        again.stop()
