"""What programs of others run in: an environment of their own, and httpstep at an address."""

from __future__ import annotations

import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from tests.conftest import ABSENT


def environment(folder: Path, config: pytest.Config, what: str, requirement: str) -> Path:
    """The folder of its programs, for what cannot be installed beside httpstep. Where the package cannot be had, or not
    within minutes, the test is skipped, and the summary says what is not tested."""
    venv.create(folder)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", folder / "bin/python"]
    try:
        subprocess.run(
            [*pip, "install", "-q", "--no-compile", requirement], capture_output=True, timeout=240, check=True
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        config.stash[ABSENT][what] = f"{requirement} cannot be installed here"
        pytest.skip("the summary says why")
    return folder / "bin"


@contextmanager
def served(application: Any) -> Iterator[str]:
    """The address of an application of WSGI, served in this process by threads."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
