"""What a worker gets from the process that forked it: no connection to a database, and no lock (SQLite, How To Corrupt
An SQLite Database File, 2.6: a connection carried across a fork)."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from tests.faults.visiting import SIGN_IN
from tests.server import Server
from tests.services import Redis

_LOCK = re.compile(r"(?:FLOCK|POSIX|OFDLCK) +[A-Z]+ +[A-Z]+ +([0-9]+) [0-9a-f]+:[0-9a-f]+:([0-9]+) ")
"""Process and inode of a line of /proc/locks (proc_locks(5))."""


def opened(pid: int) -> list[Path]:
    """A process's entries in /proc/<pid>/fd; none of one that has ended."""
    try:
        return list(Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError:
        return []


def descriptors(pid: int) -> dict[int, str]:
    """What each descriptor of a process leads to, as the kernel names it."""
    found = {}
    for entry in opened(pid):
        try:
            found[int(entry.name)] = str(entry.readlink())
        except FileNotFoundError:
            continue  # closed meanwhile
    return found


def lockers(pid: int) -> dict[int, list[int]]:
    """The processes that took the locks on each descriptor (proc_pid_fdinfo(5)): an inherited lock names the other."""
    found: dict[int, list[int]] = {}
    for number in descriptors(pid):
        try:
            lines = Path(f"/proc/{pid}/fdinfo/{number}").read_text().splitlines()
        except FileNotFoundError:
            continue
        if locks := [int(line.split()[5]) for line in lines if line.startswith("lock:")]:
            found[number] = locks
    return found


def workers(server: Server, count: int = 2) -> list[int]:
    """The workers, once all of them serve: a worker opens its poller after its application."""
    assert server.process is not None
    master, ends = server.process.pid, time.monotonic() + 30
    while time.monotonic() < ends:
        pids = list(map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split()))
        if len(pids) == count and all("anon_inode:[eventpoll]" in descriptors(pid).values() for pid in pids):
            return pids
        time.sleep(0.05)
    raise AssertionError("the workers do not come")


def sockets(pid: int) -> set[str]:
    return {leads for leads in descriptors(pid).values() if leads.startswith("socket:")}


def look(server: Server) -> None:
    """The master holds nothing of a database, so no worker can have inherited it; and each lock is its holder's own."""
    assert server.process is not None
    master, pids = server.process.pid, workers(server)
    held = [leads for leads in descriptors(master).values() if "httpstep.db" in leads or leads == str(server.folder)]
    assert held == [], "the master has the database open"
    assert len(sockets(master)) == 1, "the master has the listening socket and no other"
    for pid in pids:
        assert sockets(pid) & sockets(master) == sockets(master)
        taken = lockers(pid)
        assert {locker for locks in taken.values() for locker in locks} <= {pid}, taken
    inodes = {str(file.stat().st_ino): file.name for file in server.folder.iterdir() if file.is_file()}
    locks = _LOCK.findall(Path("/proc/locks").read_text())
    assert [inodes[inode] for pid, inode in locks if pid == str(master) and inode in inodes] == ["serving.lock"]


@pytest.mark.parametrize("users", [{}, SIGN_IN], ids=["without a user", "with one"])
@pytest.mark.parametrize("budget", ["database", "redis"])
def test_no_worker_inherits_a_connection_or_a_lock(
    tmp_path: Path, database: dict[str, str], users: dict[str, str], budget: str, request: pytest.FixtureRequest
) -> None:
    """Neither one of the first nor one that takes the place of a worker that died."""
    more = database | users
    if budget == "redis":
        needed: Redis = request.getfixturevalue("needed_redis")
        more |= {"RATELIMIT_URL": needed.url}
    with Server(tmp_path / "data", WORKERS="2", THREADS="8", **more) as server:
        look(server)
        dead = workers(server)[0]
        os.kill(dead, signal.SIGKILL)
        while dead in workers(server):
            time.sleep(0.05)
        look(server)
