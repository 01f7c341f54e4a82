"""The servers that `benchmarks.execute` starts, and the data folder of httpstep that it starts it on."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.load import SIZES, answer, path_of
from httpstep.core import jsontext
from httpstep.core.document import stepdocument
from httpstep.core.drift.structure import shape_of
from httpstep.storage import catalogue, keys, steps, users
from httpstep.storage.database import editing
from tests.house import House
from tests.server import ROOT

ATTRIBUTES: Final = {"order.id": 1042, "user.name": "Mia Wong", "user.message": 'Where is my "blue" parcel?'}
TICK: Final = os.sysconf("SC_CLK_TCK")


@dataclass
class Server:
    """One under measurement. folder: of httpstep's data, None for another server. first: seconds to its first answer."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    token: str = ""
    folder: Path | None = None
    first: float = 0.0

    def requests(self, keys: list[str]) -> list[bytes]:
        body = json.dumps({"attributes": ATTRIBUTES}).encode()
        return [
            f"POST /api/v1/steps/{key}/execute HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
            for key in keys
        ]

    def tree(self) -> list[int]:
        """The process and its children."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, found.split())]

    def cpu(self) -> float:
        """Seconds of all of them so far, and of workers that have ended: one that has grown is replaced."""
        ticks = 0
        for pid in self.tree():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
        return ticks / TICK

    def memory(self) -> float:
        """Megabytes, what they share counted once (PSS)."""
        lines = [line for pid in self.tree() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@contextmanager
def running(name: str, port: int, command: list[str], log: Path, **environ: str) -> Iterator[Server]:
    began = time.monotonic()
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=os.environ | environ, stdout=out, stderr=out
        )
    try:
        _wait_for(port, process, log)
        yield Server(name, port, process, first=time.monotonic() - began)
    finally:
        process.terminate()
        process.wait(90)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until /health answers 200."""
    while process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as asking:
            asking.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            if asking.recv(65536).startswith(b"HTTP/1.1 200"):
                return
        time.sleep(0.005)
    raise AssertionError(log.read_text())


def document(key: str, third: str) -> dict[str, Any]:
    """A step with two headers, a JSON body, five values, an alert address and, by the end of its key, a secret."""
    size, _, kind = key.split("-")
    rules = {
        "status": ["data", "status"], "total": ["data", "total"], "currency": ["data", "currency"],
        "carrier": ["data", "delivery", "carrier"], "name": ["data", "customer", "name"],
    }  # fmt: skip
    headers = [{"name": "X-Order", "value": "{{order.id}}"}, {"name": "X-User", "value": "{{user.name}}"}]
    body = '{"order": {{order.id}}, "name": "{{user.name}}", "note": "{{user.message}}"}'
    auth = {"auth": {"type": "bearer", "token": "{{secret.crm}}"}} if kind == "secret" else {}
    return {
        "format": "httpstep/1", "key": key, "name": key, "alert_emails": ["ops@shop.example"],
        "request": {
            "method": "POST", "url": f"{third}/{size}/{'wait' if kind == 'wait' else 'orders'}", "headers": headers,
            "body": {"mode": "json", "text": body},
        } | auth,
        "mapping": [{"path": path, "attribute": name} for name, path in rules.items()],
    }  # fmt: skip


def prepare(folder: Path, wanted: Iterable[str], third: str) -> str:
    """A data folder with all steps, a secret, a user, limits out of the way and an accepted structure; gives a key.

    Without a user each start would make a code for the first one, and those of a folder in use do not."""
    house = House(folder)
    owner = house.account()
    with house.app.app_context():
        steps.save_all(owner, [stepdocument.parse(document(key, third)) for key in wanted], by="", now=time.time())
        token = house.app.extensions["httpstep"].vault.encrypt(b"sk_live_51H8xT2eZvKYlo2C0aBcDeFgH")
        catalogue.put_secret(owner, "crm", token, hosts=None, now=time.time(), new=True)
        with editing():
            users.add(owner, "owner@shop.example", "measured beside a bare route", "admin")
            _, key = keys.create(owner, "benchmark", "execute", time.time())
    with sqlite3.connect(folder / "httpstep.db") as database:
        database.execute("update accounts set per_minute = 100000000, in_flight = 5000")
        for size, count in SIZES.items():
            shape = jsontext.dumps_text(shape_of(jsontext.loads(answer(count))))
            of_these = "step_id in (select id from steps where key like ?)"
            database.execute(f"update step_states set structure = ? where {of_these}", (shape, f"{path_of(size)}-%"))
    return key


def fill(folder: Path, rows: int, others: int) -> None:
    """The window of the one account with so many rows, and so many old ones of another."""
    now = time.time()
    with sqlite3.connect(folder / "httpstep.db", timeout=30) as database:
        (own,) = database.execute("select key from budget_hits order by id desc limit 1").fetchone()
        database.execute("delete from budget_hits")
        add = "insert into budget_hits (key, at, number) values (?, ?, ?)"
        database.executemany(add, (("another", now - 7200, n) for n in range(1, others + 1)))
        database.executemany(add, ((own, now + n / 1e6, rows + n + 1) for n in range(-rows, 0)))
