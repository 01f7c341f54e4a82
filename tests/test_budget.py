"""The budget is exact: eight processes of eight threads get ten calls between them, and no eleventh."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from httpstep import ratelimit
from httpstep.extensions import db
from httpstep.models.database import writing
from httpstep.models.tables import BudgetHit
from tests.house import House
from tests.server import ROOT

MakeHouse = Callable[..., House]

CONTENDERS = """
import json, os, sys, threading
from app import create_app
from httpstep import config, ratelimit

def contend():
    app = create_app(config.load(json.loads(sys.argv[1])))
    won = []
    def spend():
        with app.app_context():
            for _ in range(10):
                try:
                    ratelimit.spend(1, None)
                    won.append(1)
                except ratelimit.RateLimited:
                    pass
    threads = [threading.Thread(target=spend) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return len(won)

children = []
for _ in range(8):
    child = os.fork()
    if child == 0:
        os._exit(contend())
    children.append(child)
print(sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


def test_eight_processes_of_eight_threads_spend_exactly_ten(
    make_house: MakeHouse, tmp_path: Path, database: dict[str, str]
) -> None:
    make_house()
    environ = {"HTTPSTEP_DATA": str(tmp_path / "data")}
    environ |= {f"HTTPSTEP_{name}": value for name, value in database.items()}
    done = subprocess.run(
        [sys.executable, "-c", CONTENDERS, json.dumps(environ)], cwd=ROOT, capture_output=True, text=True, timeout=100
    )  # fmt: skip
    assert done.stdout == "10\n", done.stdout + done.stderr


def test_no_sixty_seconds_hold_more_than_the_limit(make_house: MakeHouse) -> None:
    """The edge burst that a fixed window lets through: 1 at 0 s, 9 at 59.9 s, 10 at 60.1 s."""
    house = make_house()
    now = time.time()
    with house.app.app_context():
        with writing() as connection:
            hits = [now - 60.1] + [now - 0.2] * 9
            connection.execute(db.insert(BudgetHit), [{"key": "budget/1", "at": at} for at in hits])
        ratelimit.spend(1, None)
        with pytest.raises(ratelimit.RateLimited) as caught:
            ratelimit.spend(1, None)
    assert 55 <= caught.value.budget.reset <= 61


def test_accounts_do_not_share_a_budget(make_house: MakeHouse) -> None:
    house = make_house()
    with house.app.app_context():
        for _ in range(10):
            ratelimit.spend(1, None)
        ratelimit.spend(2, None)
        assert ratelimit.budget_of(1, None).remaining == 0
        assert ratelimit.budget_of(2, None).remaining == 9


def test_old_hits_go_beside_new_ones(make_house: MakeHouse) -> None:
    house = make_house()
    with house.app.app_context():
        with writing() as connection:
            old = [{"key": "budget/1", "at": time.time() - 4000}] * 30
            connection.execute(db.insert(BudgetHit), old)
        ratelimit.spend(1, None)
        assert db.session.query(BudgetHit).count() == 1
