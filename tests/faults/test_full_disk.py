"""A disk that is really full: a small file system as data folder, filled by another file while the server runs."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.conftest import ABSENT
from tests.faults.test_pages_without_storage import says_so, sent_again
from tests.faults.test_read_only import replayed
from tests.faults.test_storage import integrity, put_step, refused, statuses, third
from tests.faults.visiting import SIGN_IN, Visitor
from tests.server import Server

__all__ = ["third"]


@pytest.fixture
def disk(tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[Path]:
    """A file system of 6 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    try:
        subprocess.run(mounted, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytestconfig.stash[ABSENT]["a full disk"] = "no file system can be mounted here"
        pytest.skip("a full disk cannot be made here; the summary names it")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Another program's file takes all that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            pass
    assert os.statvfs(disk).f_bavail == 0
    return filler


@pytest.fixture
def slow(httpserver: HTTPServer) -> Iterator[tuple[str, threading.Event, threading.Event]]:
    arrived, go = threading.Event(), threading.Event()

    def handler(_request: Request) -> Response:
        arrived.set()
        go.wait(30)
        return Response('{"a": "%s"}' % ("x" * 40_000), content_type="application/json")

    httpserver.expect_request("/slow").respond_with_handler(handler)
    yield httpserver.url_for("/slow"), arrived, go
    go.set()


def calls(httpserver: HTTPServer, path: str) -> int:
    return [request.path for request, _ in httpserver.log].count(path)


def test_a_full_disk_refuses_calls_and_loses_nothing(
    disk: Path, tmp_path: Path, third: HTTPServer, slow: tuple[str, threading.Event, threading.Event]
) -> None:
    url, arrived, go = slow
    file = disk / "data/httpstep.db"
    server = Server(file.parent, WORKERS="1", **SIGN_IN)
    server.log = tmp_path / "server.log"
    key = {"Idempotency-Key": "k"}
    with server, ThreadPoolExecutor() as beside:
        server.command("account", "limit", "default", "1000")
        token = server.command("key", "create", "--name", "bot", "--scope", "manage")
        put_step(server, token, third.url_for("/a"))
        put_step(server, token, url, "slow")
        visitor = Visitor(server)
        screen = visitor.screen("/steps/new").fill(name="Typed meanwhile", url=third.url_for("/a"))
        assert statuses(server, token, 3) == [200] * 3
        under_way = beside.submit(server.execute, "slow", {}, token, headers=key)
        assert arrived.wait(60)
        filler = fill(disk)
        go.set()
        answered = under_way.result()
        assert (answered.status_code, answered.json()["outcome"]) == (200, "success")

        began = time.monotonic()
        refusals = [server.execute("a", {}, token) for _ in range(5)]
        assert time.monotonic() - began < 20
        assert all(refused(answer) and answer.json()["next"] == "stop" for answer in refusals)
        assert calls(third, "/a") == 3
        assert [visitor.get(page).status_code for page in ("/steps", "/steps/1", "/steps/1/logs")] == [200] * 3
        offered = visitor.post("/steps/new", screen.data(op="save"))
        assert says_so(offered, fragment=False)
        assert all(
            says_so(visitor.fragment(f"/steps/new/{what}", screen.data()), fragment=True) for what in ("save", "test")
        )

        filler.unlink()
        assert sent_again(visitor, "/steps/new", offered).status_code == 303
        assert statuses(server, token, 3) == [200] * 3
        again = replayed(server, token, key)
        assert again.json() == answered.json()
        assert (calls(third, "/slow"), calls(third, "/a")) == (1, 6)
        assert [row["state"] for row in server.logs("a", token) + server.logs("slow", token)] == ["done"] * 7
        assert integrity(file) == "ok"
