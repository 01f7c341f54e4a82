"""Thousands of connections of one peer that say nothing, at the real server: they cost next to nothing, and keep nobody out."""

from __future__ import annotations

import os
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from httpstep.serving.crowding import GRACE, MANY, to_close
from tests.faults.test_slow_clients import asking, connected
from tests.server import ROOT, Server, free_port

PEERS = 2300
"""More than twice what a worker holds."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", WORKERS="1") as server:
        yield server


def worker(server: Server) -> int:
    """The one process that serves."""
    assert server.process is not None
    first = server.process.pid
    (pid,) = map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())
    return pid


def cpu_seconds(pid: int) -> float:
    """proc(5): fields 14 and 15."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def probed(server: Server) -> float:
    """Seconds of a /health, the median of nine, each on a connection of its own."""
    took = []
    for _ in range(9):
        began = time.monotonic()
        requests.get(f"{server.url}/health", timeout=20).raise_for_status()
        took.append(time.monotonic() - began)
    return statistics.median(took)


def test_they_cost_a_small_part_of_what_requests_cost_and_a_probe_finds_its_way(server: Server) -> None:
    pid, usual = worker(server), probed(server)
    began = cpu_seconds(pid)
    for _ in range(PEERS // 4):
        requests.get(f"{server.url}/health", timeout=20)
    requested = (cpu_seconds(pid) - began) * 4
    began = cpu_seconds(pid)
    with connected(server, PEERS, b""):
        beside = probed(server)
        silent = cpu_seconds(pid) - began
    assert silent < requested / 15, "each took a thread, and a look at all others"
    assert beside < usual * 10 + 0.2


def test_a_worker_that_may_open_few_files_gives_up_idle_ones_and_lives(server: Server) -> None:
    """The limit is that of a shell that was told so; what the worker holds is beyond it many times."""
    pid = worker(server)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (160, 160))
    with connected(server, 600, b""):
        time.sleep(1)
        assert probed(server) < 5
    assert worker(server) == pid, "it died, and with it the calls that it had"
    assert "Traceback" not in server.log.read_text()


def test_a_stop_does_not_wait_for_who_has_said_nothing(server: Server) -> None:
    with connected(server, 3, b""), connected(server, 1, asking("GET /health")):
        time.sleep(0.5)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 12


def test_a_start_takes_as_many_files_as_it_may(tmp_path: Path) -> None:
    port = free_port()
    environ = os.environ | {"HTTPSTEP_LISTEN": f"127.0.0.1:{port}", "HTTPSTEP_DATA": str(tmp_path / "data")}
    command = f"ulimit -Sn 300; ulimit -Hn 4000; exec {sys.executable} app.py"
    with subprocess.Popen(["sh", "-c", command], cwd=ROOT, env=environ, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        try:
            assert any(b"listening on" in line for line in process.stderr)
            assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (4000, 4000)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=90)


# ---------------------------------------------------------------- which one is closed


def conn(address: str, number: int) -> SimpleNamespace:
    return SimpleNamespace(client=(address, number))


def test_whoever_keeps_most_gives_up_the_oldest() -> None:
    waiting = [(float(number), conn("1.1.1.1", number)) for number in range(5, 0, -1)]
    waiting += [(0.0, conn("2.2.2.2", 0))]
    assert [one.client for one in to_close(waiting, 3, 100.0)] == [("1.1.1.1", 1), ("1.1.1.1", 2), ("1.1.1.1", 3)]
    assert len(to_close(waiting, 99, 100.0)) == 6
    assert to_close([], 5, 100.0) == []


def test_who_has_just_come_may_send_a_request_unless_there_are_many_of_it() -> None:
    few = [(100.0, conn("1.1.1.1", number)) for number in range(MANY - 1)]
    assert to_close(few, 5, 100.0 + GRACE / 2) == []
    assert len(to_close(few, 5, 100.0 + GRACE)) == 5
    assert len(to_close([*few, (100.0, conn("1.1.1.1", MANY))], 5, 100.0)) == 1
    unix = [(0.0, SimpleNamespace(client="")) for _ in range(3)]
    assert len(to_close(unix, 2, 100.0)) == 2
