"""The real server as a process, and the commands an operator would type."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests

from httpstep.core import ports
from tests import prepared

ROOT = Path(__file__).resolve().parent.parent


_ports = itertools.cycle(port for port in range(10_000, 30_000) if ports.fault(port) is None)
for _ in range(os.getpid() * 97 % 20_000):
    next(_ports)


def free_port() -> int:
    """A port that nobody listens on, and that stays so until it is used: from below those that the kernel gives to
    whoever connects, without those that browsers or steps refuse, and in an order of this process, since the tests run in
    several at once."""
    for port in _ports:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("unreachable: the ports go round")


class Server:
    """`python app.py` on a data folder, with loopback allowed unless a variable says otherwise.

    ready: its first start makes the data folder with what tests.prepared has in one.
    """

    def __init__(self, folder: Path, *arguments: str, ready: bool = False, **variables: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.arguments = arguments
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith("HTTPSTEP_")}
        self.environ |= {
            "HTTPSTEP_LISTEN": f"127.0.0.1:{self.port}",
            "HTTPSTEP_DATA": str(folder),
            "HTTPSTEP_ALLOW_NETWORKS": "127.0.0.1",
            "PYTHONDONTWRITEBYTECODE": "1",
        } | {f"HTTPSTEP_{name}": value for name, value in variables.items()}
        self.log = folder.with_suffix(".log")
        self.process: prepared.Started | None = None
        self._ready = ready

    def start(self) -> Server:
        data = self.folder if self._ready and not self.folder.exists() else None
        with self.log.open("ab") as log:
            self.process = prepared.start(["app.py", *self.arguments], self.environ, log, log, data)
        ends = time.monotonic() + 60
        while time.monotonic() < ends and self.process.poll() is None:
            try:
                if requests.get(f"{self.url}/health", timeout=2).status_code == 200:
                    return self
            except requests.RequestException:
                time.sleep(0.05)
        self.kill()
        raise AssertionError(f"no answer from /health\n{self.log.read_text()}")

    def kill(self) -> None:
        """kill -9 to the server and its workers, in the middle of whatever they do."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(90)

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: Any) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def command(self, *arguments: str, fails: bool = False) -> str:
        """The output of `flask --app app …`; its standard error where it is to fail."""
        done = prepared.run(["flask", "--app", "app", *arguments], self.environ, 60)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stderr if fails else done.stdout.strip()

    def execute(self, key: str, attributes: dict[str, Any], token: str, **more: Any) -> requests.Response:
        return requests.post(
            f"{self.url}/api/v1/steps/{key}/execute", json={"attributes": attributes},
            headers={"Authorization": f"Bearer {token}"} | more.pop("headers", {}), timeout=90, **more,
        )  # fmt: skip

    def logs(self, key: str, token: str) -> list[dict[str, Any]]:
        answer = requests.get(
            f"{self.url}/api/v1/steps/{key}/logs", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
        return list(answer.json()["logs"])

    def log_of(self, key: str, log_id: str, token: str) -> dict[str, Any]:
        """One of them with its bodies."""
        bearer = {"Authorization": f"Bearer {token}"}
        return dict(requests.get(f"{self.url}/api/v1/steps/{key}/logs/{log_id}", headers=bearer, timeout=30).json())
