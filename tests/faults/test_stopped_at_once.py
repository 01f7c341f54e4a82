"""A server that is told to stop while a worker comes to life: nobody waits until the grace time is over."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from httpstep.serving.server import GRACE
from tests.server import ROOT, Server

SLOW = """
import time
from httpstep import application
from httpstep.serving.server import Server
after_fork = Server._after_fork
def slowly(self, server, worker):
    (self._settings.data / "born").touch()
    time.sleep(2)
    after_fork(self, server, worker)
Server._after_fork = slowly
application.main([])
"""
"""A server whose worker takes long from the fork to handlers of its own, as on a machine with much to do."""


def test_a_worker_that_has_no_handlers_yet_hears_of_it(tmp_path: Path) -> None:
    about = Server(tmp_path / "data", WORKERS="1")
    with about.log.open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", SLOW], cwd=ROOT, env=about.environ, stdout=log, stderr=log)
        try:
            ends = time.monotonic() + 60
            while not (tmp_path / "data/born").exists() and time.monotonic() < ends:
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            assert process.wait(GRACE / 2) == 0
        finally:
            process.kill()
            process.wait()
    assert "Worker exiting" in about.log.read_text()
