"""`python app.py` and `flask --app app …` as processes that need not import everything first.

One process per process of tests imports httpstep and compiles its templates, which is two seconds of work, and forks
whatever is started from there: a process of its own, in a session of its own, with the variables and the descriptors that
it is given and no others. What a start from nothing does is tested by who starts a Python: tests/faults/test_start.py,
tests/test_packaging.py, tests/test_embedding.py.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
MOST = 1 << 17
"""Bytes of what is asked for: arguments and variables."""


class Started:
    """A process that was forked there, with the part of subprocess.Popen that tests use."""

    def __init__(self, pid: int, status: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._status = status

    def poll(self) -> int | None:
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int:
        if (code := self._ended(timeout)) is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return code

    def _ended(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], seconds)[0]:
            said = os.read(self._status, 64)
            os.close(self._status)
            self.returncode = int(said)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(arguments: list[str], environ: dict[str, str], out: IO[bytes], error: IO[bytes]) -> Started:
    """arguments: what follows `python`, as ["app.py", "--demo"] or ["-m", "flask", "--app", "app", "backup", …]."""
    with _lock:
        wire = _prepared()
        read, write = os.pipe()
        asked = json.dumps({"arguments": arguments, "environ": environ}).encode()
        socket.send_fds(wire, [asked], [out.fileno(), error.fileno(), write])
        os.close(write)
        return Started(int(wire.recv(64)), read)


def run(arguments: list[str], environ: dict[str, str], seconds: float) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        process = start(arguments, environ, out, error)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        said = [(file.seek(0), file.read().decode())[1] for file in (out, error)]
    return subprocess.CompletedProcess(arguments, code, *said)


_lock = threading.Lock()


@cache
def _prepared() -> socket.socket:
    """The wire to the process that forks. It ends when this one closes it, which its end does as well."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.prepared", str(theirs.fileno())], cwd=ROOT, pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL, start_new_session=True, env=_plain(),
    )  # fmt: skip
    theirs.close()
    atexit.register(lambda: (ours.close(), process.wait(60)))
    return ours


def _plain() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("HTTPSTEP_", "FLASK_"))}


class _Forking:
    """The process that forks."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self._running: dict[int, tuple[int, int]] = {}  # descriptor of a process -> its id, where its end is told

    def serve(self) -> dict[str, Any] | None:
        """What a child is to become; None in the first process, at its end."""
        while True:
            for ready in select.select([self._wire, *self._running], [], [])[0]:
                if ready is not self._wire:
                    self._tell(ready)
                    continue
                text, descriptors, _, _ = socket.recv_fds(self._wire, MOST, 3)
                if not text:
                    return None
                if (pid := os.fork()) == 0:
                    return self._become(json.loads(text), descriptors)
                self._note(pid, descriptors)

    def _note(self, pid: int, descriptors: list[int]) -> None:
        *others, status = descriptors
        for one in others:
            os.close(one)
        self._running[os.pidfd_open(pid)] = pid, status
        self._wire.send(str(pid).encode())

    def _tell(self, ended: int) -> None:
        """subprocess's return code of it: what it exited with, or the signal below zero."""
        pid, status = self._running.pop(ended)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with contextlib.suppress(BrokenPipeError):
            os.write(status, str(code).encode())
        os.close(status)
        os.close(ended)

    def _become(self, asked: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        os.setsid()
        os.dup2(descriptors[0], 1)
        os.dup2(descriptors[1], 2)
        self._wire.detach()
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.environ.clear()
        os.environ.update(asked["environ"])
        return asked


def _prepare() -> None:
    """Import what a server and a command use, and do once what each of them would do again in the same way."""
    from flask import Flask

    from tests import house

    house.prepared()
    Flask.jinja_options = Flask.jinja_options | {"bytecode_cache": house.compiled_templates()}
    assert threading.active_count() == 1, "a fork takes only the thread that forks along"
    gc.collect()
    gc.freeze()


def _go_on_as(arguments: list[str]) -> None:
    if arguments[:2] == ["-m", "flask"]:
        from flask.cli import cli

        cli.main(arguments[2:], prog_name="python -m flask")
    else:
        from httpstep.application import main

        assert arguments[0] == "app.py", arguments
        main(arguments[1:])


if __name__ == "__main__":
    _prepare()
    if (asked := _Forking(socket.socket(fileno=int(sys.argv[1]))).serve()) is not None:
        _go_on_as(asked["arguments"])
