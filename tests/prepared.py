"""`python app.py`, `flask --app app …` and `httpstep …` as processes that need not import everything first.

One process per process of tests imports httpstep and compiles its templates, which is two seconds of work, and forks
whatever is started from there: a process of its own, in a session of its own, with the folder, the variables and the
descriptors that it is given and no others. What a start from nothing does is tested by who starts a Python:
tests/faults/test_start.py, tests/test_packaging.py, tests/test_embedding.py.

Where a data folder is to be made, it is made with a database as a first start leaves it, in which ADMIN is a user and
SESSION a session of ADMIN. Such a start neither runs the migrations nor derives a password's hash, 0.2 s of work.

A start is a connection to that process: the request with three descriptors, then the id of the new process, and when that
has ended what it ended with.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.house import House

ROOT = Path(__file__).resolve().parent.parent
MOST = 1 << 17
"""Bytes of a request: arguments and variables."""
ADMIN = "ana@example.com"
PASSWORD = "correct horse battery"
SESSION = "the-session-of-ana-in-a-prepared-database"


class Started:
    """A process that was forked there, with the part of subprocess.Popen that tests use."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self.pid = int(wire.recv(64))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int:
        if (code := self._ended(timeout)) is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return code

    def _ended(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._wire], [], [], seconds)[0]:
            self.returncode = int(self._wire.recv(64))
            self._wire.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def start(
    arguments: list[str], environ: dict[str, str], out: IO[bytes], error: IO[bytes], data: Path | None = None
) -> Started:
    """In the checkout. arguments: ["app.py", "--demo"], ["flask", "--app", "app", "backup", …], ["httpstep", …] or
    ["tests.killing", …], a module with a `main`.
    data: a data folder that is to be made first."""
    with _lock:
        address = _address()
    with Path(os.devnull).open("rb") as nothing:
        descriptors = nothing.fileno(), out.fileno(), error.fileno()
        return _asked(address, arguments, environ, ROOT, descriptors, data)


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


def script(name: str) -> str:
    """Of a program that is `name …` for a shell: it hands its folder, variables and descriptors on to a forked one."""
    with _lock:
        command = [sys.executable, "-S", "-E", "-P", __file__, "be", _address(), name]
    return f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n'


def _asked(
    address: str, arguments: list[str], environ: dict[str, str], folder: Path, descriptors: tuple[int, int, int],
    data: Path | None = None,
) -> Started:  # fmt: skip
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    wire.connect(address)
    request = {"arguments": arguments, "environ": environ, "folder": str(folder), "data": data and str(data)}
    socket.send_fds(wire, [json.dumps(request).encode()], descriptors)
    return Started(wire)


_lock = threading.Lock()


@cache
def _address() -> str:
    """Where the process that forks listens. It ends when this one does, which it sees by its standard input."""
    folder = tempfile.mkdtemp(prefix="httpstep-prepared-")
    address = f"{folder}/socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(address)
        listening.listen(64)
        command = [sys.executable, "-m", "tests.prepared", "fork", str(listening.fileno())]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            pass_fds=[listening.fileno()],
            stdin=subprocess.PIPE,
            start_new_session=True,
            env=_plain(),
        )

    def end() -> None:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return address


def _plain() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("HTTPSTEP_", "FLASK_"))}


class _Forking:
    """The process that forks."""

    def __init__(self, listening: socket.socket, database: bytes) -> None:
        self._listening = listening
        self._database = database
        self._running: dict[int, tuple[int, socket.socket]] = {}  # descriptor of a process -> its id, who asked for it

    def serve(self) -> dict[str, Any] | None:
        """What a child is to become; None in the first process, at its end."""
        while True:
            ready, _, _ = select.select([sys.stdin, self._listening, *self._running], [], [])
            for ended in self._running.keys() & set(ready):
                self._tell(ended)
            if sys.stdin in ready:
                return None
            if self._listening in ready and (request := self._fork()):
                return request

    def _fork(self) -> dict[str, Any] | None:
        """In the child what it is to become."""
        wire, _ = self._listening.accept()
        text, descriptors, _, _ = socket.recv_fds(wire, MOST, 3)
        if (pid := os.fork()) == 0:
            request = _clean(json.loads(text), descriptors)
            if request["data"] is not None:
                _make_data(Path(request["data"]), self._database)
            return request
        for one in descriptors:
            os.close(one)
        self._running[os.pidfd_open(pid)] = pid, wire
        with contextlib.suppress(OSError):
            wire.send(str(pid).encode())
        return None

    def _tell(self, ended: int) -> None:
        """subprocess's return code of it: what it exited with, or the signal below zero."""
        pid, wire = self._running.pop(ended)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with wire, contextlib.suppress(OSError):
            wire.send(str(code).encode())
        os.close(ended)


def _clean(request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
    """Nothing but what is asked for is left in this process of what the one that forked it has."""
    os.setsid()
    for number, one in enumerate(descriptors):
        os.dup2(one, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environ"])
    return request


def _make_data(folder: Path, database: bytes) -> None:
    folder.mkdir(mode=0o700, parents=True)
    (folder / "httpstep.db").touch(mode=0o600)
    (folder / "httpstep.db").write_bytes(database)


def _database() -> bytes:
    """The one of a first start with ADMIN, and SESSION in it."""
    from httpstep.extensions import db
    from httpstep.storage import keys
    from httpstep.storage.tables import Session
    from httpstep.upkeep import installation
    from tests.fakes import answer
    from tests.house import House

    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder) / "data", lambda *_: answer(), ADMIN_EMAIL=ADMIN, ADMIN_PASSWORD=PASSWORD)
        copy, now = Path(folder) / "copy.db", time.time()
        with house.app.app_context():
            times = {"created_at": now, "last_seen_at": now, "expires_at": now + 30 * 24 * 3600}
            db.session.add(Session(user_id=1, token_hash=keys.digest(SESSION), **times))
            db.session.commit()
            installation.copy_database(copy)
        _use(house)
        with house.app.app_context():
            db.engine.dispose()
        return copy.read_bytes()


def _use(house: House) -> None:
    """What the first requests of a process compile, SQLAlchemy's statements above all, is compiled for every fork."""
    from tests.house import document

    house.put(document())
    house.execute()
    house.flow("order-status")
    house.client.set_cookie("httpstep_session", SESSION)
    for page in (
        "/login",
        "/steps",
        "/steps/new",
        "/steps/1",
        "/flows",
        "/flows/1",
        "/attributes",
        "/secrets",
        "/about",
    ):
        assert house.client.get(page).status_code < 400, page
    house.app.extensions["httpstep"].alerts.finish()


def _prepare() -> bytes:
    """Import what a server and a command use, and do once what each of them would do again in the same way.

    The database of a data folder that is to be made.
    """
    from flask import Flask

    import httpstep.__main__  # noqa: F401
    from tests import house

    database = _database()
    Flask.jinja_options = Flask.jinja_options | {"bytecode_cache": house.compiled_templates()}
    assert threading.active_count() == 1, "a fork takes only the thread that forks along"
    gc.collect()
    gc.freeze()
    return database


def _go_on_as(name: str, arguments: list[str]) -> None:
    if name == "flask":
        from flask.cli import cli

        cli.main(arguments, prog_name="python -m flask")
    elif name == "httpstep":
        from httpstep.__main__ import command

        command.main(arguments, prog_name="httpstep")
    elif name == "app.py":
        from httpstep.application import main

        main(arguments)
    else:  # a program of the tests, such as tests.contention
        importlib.import_module(name).main(*arguments)


def _be(address: str, arguments: list[str]) -> int:
    """What a shell would see of it."""
    code = _asked(address, arguments, dict(os.environ), Path.cwd(), (0, 1, 2)).wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    if sys.argv[1] == "be":
        sys.exit(_be(sys.argv[2], sys.argv[3:]))
    prepared_database = _prepare()
    with socket.socket(fileno=int(sys.argv[2])) as the_socket:
        become = _Forking(the_socket, prepared_database).serve()
        the_socket.detach()
    if become is not None:
        _go_on_as(become["arguments"][0], become["arguments"][1:])
