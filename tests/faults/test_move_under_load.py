"""From SQLite to PostgreSQL as docs/scaling.md says it, while the old installation executes calls and is edited."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_httpserver import HTTPServer

from tests.faults.test_storage import prepared, put_step, third
from tests.server import Server
from tests.services import PostgreSQL

__all__ = ["third"]
CALLERS = 3
PAUSE = 0.05
"""Seconds between two calls of one: enough of them, and time for the commands beside them."""


@contextmanager
def again_and_again(*jobs: Callable[[int], None]) -> Iterator[None]:
    """Each in a thread of its own, with 0, 1, 2 …, for as long as the block runs; what one raises is raised here."""
    done, faults = threading.Event(), list[BaseException]()

    def run(job: Callable[[int], None]) -> None:
        number = 0
        try:
            while not done.is_set():
                job(number)
                number += 1
                time.sleep(PAUSE)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert faults == []


class Moving:
    """Both installations, and what the old one has acknowledged."""

    def __init__(self, old: Server, new: Server, token: str, address: str, file: Path) -> None:
        self.old, self.new, self._address, self._file = old, new, address, file
        self.token, self._bearer = token, {"Authorization": f"Bearer {token}"}
        self.answered: list[str] = []
        self.saved: list[str] = []

    def call(self, number: int) -> None:
        got = self.old.execute("a", {}, self.token)
        assert got.status_code == 200 and got.json()["attributes"] == {"a": 1}, got.text
        self.answered.append(got.json()["log_id"])

    def edit(self, number: int) -> None:
        """A step that stays; and another with a flow of it, which go again in the order in which they must."""
        put_step(self.old, self.token, self._address, f"kept-{number}")
        self.saved.append(f"kept-{number}")
        put_step(self.old, self.token, self._address, "passing")
        flow = {"name": "passing", "steps": [{"step": "passing"}]}
        for method, path, body in (("PUT", "flows", flow), ("DELETE", "flows", None), ("DELETE", "steps", None)):
            address = f"{self.old.url}/api/v1/{path}/passing"
            got = requests.request(method, address, json=body, headers=self._bearer, timeout=30)
            assert got.status_code in (200, 201, 204), got.text

    def move(self) -> dict[str, Any]:
        """Steps 1 and 3 of the document. Returns the export."""
        text = self.old.command("export")
        self._file.write_text(text)
        self.new.command("import", str(self._file), "--yes")
        return dict(json.loads(text))

    def keys_in(self, server: Server) -> set[str]:
        return {one["key"] for one in json.loads(server.command("export"))["steps"]}


@pytest.mark.timeout(500)  # a dozen commands beside a busy server
def test_what_was_acknowledged_before_an_export_is_there_and_the_old_one_serves_all_the_while(
    postgresql: PostgreSQL | None, tmp_path: Path, third: HTTPServer
) -> None:
    if postgresql is None:
        pytest.skip("PostgreSQL is not here; the summary names it")
    new = Server(tmp_path / "new", DATABASE_URL=postgresql.new_database())
    with Server(tmp_path / "old") as old:
        token = prepared(old, third)
        old.command("account", "limit", "default", "100000")
        moving = Moving(old, new, token, third.url_for("/a"), tmp_path / "default.json")
        with again_and_again(*[moving.call] * CALLERS, moving.edit):
            for _ in range(2):
                while len(moving.saved) < 3:
                    time.sleep(0.05)
                before, calls = list(moving.saved), len(moving.answered)
                exported = {one["key"] for one in moving.move()["steps"]}
                assert {"a", *before} <= exported, "a step that was saved before the export is not in it"
                assert len(moving.answered) > calls, "nothing was called while it was moved"
        last = moving.move()
        assert {"a", *moving.saved} <= moving.keys_in(new), "once more, and what came since is there as well"
        assert moving.move() == last, "nothing of the old one was changed"
        assert len(old.logs("a", token)) == 20
    with new:
        bot = new.command("key", "create", "--name", "bot")
        assert new.execute("a", {}, bot).json()["attributes"] == {"a": 1}
