"""The budget is exact: eight processes of eight threads get ten calls between them, and no eleventh."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from httpstep.execution.budget import hits as rows
from httpstep.execution.budget import ratelimit
from httpstep.extensions import db
from httpstep.storage.database import writing
from httpstep.storage.tables import BudgetHit
from tests.contention import contend
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Web
from tests.web.screen import open_step

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
    assert 30 <= caught.value.budget.reset <= 61


def test_a_clock_that_was_ahead_closes_the_budget_for_sixty_seconds_at_most(make_house: MakeHouse) -> None:
    """Ten calls under a clock a day ahead, which is then put right: they count as made now, and then they are gone."""
    house = make_house()
    with house.app.app_context():
        with writing() as connection:
            ahead = time.time() + 86_400
            connection.execute(db.insert(BudgetHit), [{"key": "budget/1", "at": ahead + n} for n in range(10)])
        for _ in range(2):
            with pytest.raises(ratelimit.RateLimited) as caught:
                ratelimit.spend(1, None)
            assert 30 <= caught.value.budget.reset <= 61
        with writing() as connection:
            connection.execute(db.update(BudgetHit).values(at=BudgetHit.at - 61))
        ratelimit.spend(1, None)
        assert ratelimit.budget_of(1, None).remaining == 9


@pytest.mark.parametrize("ahead", [-50.0, 50.0])
def test_the_wait_is_right_where_the_database_has_another_clock(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    monkeypatch.setattr(rows, "_now", lambda _connection: time.time() + ahead)
    house = make_house(ThirdParty())
    house.limit(1)
    house.put(document())
    house.execute()
    refused = house.execute()
    assert refused.status_code == 429 and 50 < int(refused.headers["Retry-After"]) <= 60


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
        assert 3 <= ratelimit.budget_of(1, 10).reset <= 11
        assert 12 <= ratelimit.budget_of(1, 2).reset <= 20


DOWN = answer(503, {"message": "down for repair"}, Retry_After="0")


def hits(house: House) -> int:
    with house.app.app_context():
        return db.session.query(BudgetHit).count()


def test_each_try_is_a_call_of_the_budget(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty(DOWN))
    house.put(document(retries=2))
    answered = house.execute()
    assert (answered.json["outcome"], answered.headers["RateLimit"][:14]) == ("http_error", '"account";r=7;')
    assert (len(third.requests), hits(house)) == (3, 3)
    [log] = house.logs()
    assert [one["status"] for one in log["tries"]] == [503, 503, 503]


def test_with_one_call_left_one_try_is_made_and_its_failure_stands(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty(DOWN))
    house.put(document(retries=2, mapping=[{"call": "error", "attribute": "why"}]))
    house.limit(1)
    answered = house.execute()
    assert (answered.status_code, answered.json["outcome"], answered.json["http"]["status"]) == (200, "http_error", 503)
    assert "down for repair" in answered.json["message"] and "Rate Limit" not in answered.text
    assert answered.json["attributes"] == {"why": answered.json["message"]}
    assert (len(third.requests), hits(house)) == (1, 1)
    [log] = house.logs()
    assert (log["outcome"], len(log["tries"]), log["failure"]["reason"]) == ("http_error", 1, "status_503")


def test_tests_calls_flows_and_retries_spend_one_budget(make_house: MakeHouse) -> None:
    web = Web(house := make_house(third := ThirdParty(lambda sent: DOWN if "down" in sent.url else answer(200, {}))))
    house.put(document("up", url="https://api.example/up"))
    house.put(document("down", url="https://api.example/down", retries=2, fallback="continue"))
    house.flow("up", "up")
    house.limit(9)
    spent = []
    for press in (
        lambda: open_step(web.as_("bob")).fragment("test"),
        lambda: house.execute("up"),
        lambda: house.run_flow(),
        lambda: house.execute("down"),
        lambda: open_step(web.as_("bob"), 2).fragment("test"),
    ):
        assert press().status_code == 200
        spent.append(hits(house))
    assert spent == [1, 2, 4, 7, 9], "the last test had two tries left of its three"
    for press in (lambda: open_step(web.as_("bob")).fragment("test"), lambda: house.execute("up"), house.run_flow):
        refused = press()
        assert refused.status_code == 429 and "Rate Limit Exceeded" in refused.text
    assert (len(third.requests), hits(house)) == (9, 9)
