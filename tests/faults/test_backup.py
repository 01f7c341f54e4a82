"""A backup beside a server that executes calls all the time, and what of it is there after a restore."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path

from pytest_httpserver import HTTPServer

from tests.faults.test_storage import prepared, third
from tests.server import Server

__all__ = ["third"]
SQLITE_ONLY = "a backup by httpstep is of SQLite"
CALLERS = 4


def test_a_backup_beside_running_calls_has_every_call_answered_before_it(tmp_path: Path, third: HTTPServer) -> None:
    answered: list[str] = []
    done = threading.Event()
    with Server(tmp_path / "data") as server:
        token = prepared(server, third)
        server.command("account", "limit", "default", "100000")

        def call(worker: int) -> None:
            for number in itertools.count():
                if done.is_set():
                    return
                key = f"{worker}-{number}"
                if server.execute("a", {}, token, headers={"Idempotency-Key": key}).status_code == 200:
                    answered.append(key)

        callers = [threading.Thread(target=call, args=(worker,)) for worker in range(CALLERS)]
        for caller in callers:
            caller.start()
        try:
            while len(answered) < 20:
                time.sleep(0.02)
            before = list(answered)
            server.command("backup", str(tmp_path / "backup.tar.gz"))
            after = len(answered)
        finally:
            done.set()
            for caller in callers:
                caller.join()
        assert after > len(before), "nothing was called during the backup"
    restored = Server(tmp_path / "other")
    restored.command("restore", str(tmp_path / "backup.tar.gz"))
    with restored as server:
        made = len(third.log)
        for key in before:
            again = server.execute("a", {}, token, headers={"Idempotency-Key": key})
            assert (again.status_code, again.headers.get("Idempotency-Replayed")) == (200, "true"), key
        assert len(third.log) == made
        assert len(server.logs("a", token)) == 20
