"""kill -9 in the middle of everything, six times or in a whole sweep fifteen: what was acknowledged is there, and nothing needs to be mended."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests import prepared
from tests.sweeps import Sweep

ROUNDS = {True: (6, 15), False: (4, 4)}
"""In part and whole. Of a file that the killed process writes itself there is more to fear than of a database server's."""


def test_no_acknowledged_row_is_lost_to_kill_9(tmp_path: Path, database: dict[str, str], sweep: Sweep) -> None:
    rounds = sweep.count(*ROUNDS[not database])
    done = prepared.run(
        ["tests.killing", str(tmp_path / "data"), str(rounds), json.dumps(database)], dict(os.environ), 170
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["acknowledged"] > rounds
    assert found["missing"] == []
    assert found["unsound"] == 0
    assert found["most_rows"] <= 20
    assert found["unknown"] > 0, "no kill fell into a call: the test shows nothing"
    assert not found["uncounted"]
    assert found["works"]
