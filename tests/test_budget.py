"""The budget is exact: eight processes of eight threads get ten calls between them, and no eleventh."""

from __future__ import annotations

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

CONTENDER = """
import sys, threading
from app import create_app
from httpstep import config, ratelimit
app = create_app(config.load({"HTTPSTEP_DATA": sys.argv[1]}))
won = []
def spend():
    with app.app_context():
        for _ in range(10):
            try:
                ratelimit.spend(1, None)
                won.append(1)
            except ratelimit.RateLimited:
                pass
print("ready", flush=True)
sys.stdin.readline()
threads = [threading.Thread(target=spend) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(won), flush=True)
"""


def test_eight_processes_of_eight_threads_spend_exactly_ten(make_house: MakeHouse, tmp_path: Path) -> None:
    make_house()
    command = [sys.executable, "-c", CONTENDER, str(tmp_path / "data")]
    contenders = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    for one in contenders:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    outputs = [0] * 8
    for one in contenders:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    for index, one in enumerate(contenders):
        outputs[index] = int(one.communicate(timeout=60)[0])
    assert sum(outputs) == 10


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
