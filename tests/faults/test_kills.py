"""kill -9 in the middle of everything, fifteen times: what was acknowledged is there, and nothing needs to be mended."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.server import ROOT

ROUNDS = {True: 15, False: 4}
"""Of a file that the killed process writes itself there is more to fear than of a database server's."""


def test_no_acknowledged_row_is_lost_to_kill_9(tmp_path: Path, database: dict[str, str]) -> None:
    rounds = ROUNDS[not database]
    done = subprocess.run(
        [sys.executable, "-m", "tests.killing", str(tmp_path / "data"), str(rounds), json.dumps(database)],
        cwd=ROOT, capture_output=True, text=True, timeout=170, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["acknowledged"] > rounds
    assert found["missing"] == []
    assert found["unsound"] == 0
    assert found["most_rows"] <= 20
    assert found["unknown"] > 0, "no kill fell into a call: the test shows nothing"
    assert not found["uncounted"]
    assert found["works"]
