"""The budget is exact: eight processes of eight threads get ten calls between them, and no eleventh."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from httpstep import ratelimit
from httpstep.extensions import db
from httpstep.models.database import writing
from httpstep.models.tables import BudgetHit
from tests.contention import contend
from tests.house import House

MakeHouse = Callable[..., House]


def test_eight_processes_of_eight_threads_spend_exactly_ten(
    make_house: MakeHouse, tmp_path: Path, database: dict[str, str]
) -> None:
    make_house()
    assert contend("budget", {"DATA": str(tmp_path / "data")} | database) == 10


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


def test_a_refusal_says_when_the_next_call_fits_also_after_the_limit_was_lowered(make_house: MakeHouse) -> None:
    """Ten hits a second apart, then a limit of two: the ninth has to leave, and not the first."""
    house = make_house()
    now = time.time()
    with house.app.app_context():
        with writing() as connection:
            hits = [{"key": "budget/1", "at": now - 50 + second} for second in range(10)]
            connection.execute(db.insert(BudgetHit), hits)
        assert 8 <= ratelimit.budget_of(1, 10).reset <= 11
        assert 17 <= ratelimit.budget_of(1, 2).reset <= 20
