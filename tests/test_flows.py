"""POST /api/v1/flows/<key>/execute: the steps in order, one budget and one minute for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from httpstep.core import errors
from httpstep.core.document.flow import Condition
from httpstep.core.exchange import RenderedRequest
from httpstep.execution import calls, flows, runs
from httpstep.extensions import db
from httpstep.storage import catalogue, steps
from httpstep.storage import flows as stored
from httpstep.storage.database import editing
from httpstep.storage.tables import (
    Account,
    Alert,
    BudgetHit,
    Flow,
    Idempotency,
)
from tests.fakes import ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]
FIND = {"path": ["id"], "attribute": "customer.id"}
NAME = {"path": ["name"], "attribute": "customer.name"}


def shop(make_house: MakeHouse, *answers: Any, fallback: str = "stop", **variables: str) -> tuple[House, ThirdParty]:
    """Two steps: one finds a customer, the next greets that customer."""
    third = ThirdParty(*answers)
    house = make_house(third, **variables)
    house.put(document("find", url="https://api.example/find", mapping=[FIND], fallback=fallback))
    house.put(document("greet", url="https://api.example/people/{{customer.id}}", mapping=[NAME], fallback=fallback))
    house.flow("find", "greet")
    return house, third


def outcomes(response: Any) -> list[tuple[str, str]]:
    return [(one["step"], one["outcome"]) for one in response.json["steps"]]


def counted(house: House, table: Any) -> int:
    with house.app.app_context():
        return int(db.session.scalar(select(func.count()).select_from(table)) or 0)


@pytest.mark.sqlite_only("which step runs is decided above the database")
def test_each_steps_attributes_are_there_for_the_next(make_house: MakeHouse) -> None:
    house, third = shop(make_house, answer(200, {"id": 7}), answer(200, {"name": "Ada"}))
    response = house.run_flow(attributes={"seen": True}, headers={"X-Request-Id": "r-1"})
    assert response.status_code == 200
    assert third.requests[1].url == "https://api.example/people/7"
    body = response.json
    assert body["attributes"] == {"customer.id": 7, "customer.name": "Ada"}
    assert (body["flow"], body["outcome"], body["next"], body["request_id"]) == (
        "order-flow", "success", "continue", "r-1"
    )  # fmt: skip
    assert outcomes(response) == [("find", "success"), ("greet", "success")]
    [log] = house.logs("greet")
    assert (log["id"], log["request_id"], log["actor"]) == (
        body["log_id"], "r-1", "key default/manage, flow order-flow"
    )  # fmt: skip


@pytest.mark.sqlite_only("which step runs is decided above the database")
def test_a_failed_step_that_stops_ends_the_flow(make_house: MakeHouse) -> None:
    house, third = shop(make_house, answer(404, {}))
    response = house.run_flow()
    assert (response.json["outcome"], response.json["next"]) == ("http_error", "stop")
    assert outcomes(response) == [("find", "http_error")] and len(third.requests) == 1
    assert house.run_flow(query="?errors=http").status_code == 502


@pytest.mark.sqlite_only("which step runs is decided above the database")
def test_a_failed_step_that_continues_lets_the_next_one_run(make_house: MakeHouse) -> None:
    house, _ = shop(make_house, answer(404, {}), answer(200, {"name": "Ada"}), fallback="continue")
    response = house.run_flow(attributes={"customer.id": 1})
    assert outcomes(response) == [("find", "http_error"), ("greet", "success")]
    assert (response.json["outcome"], response.json["next"]) == ("http_error", "continue")
    assert response.json["attributes"] == {"customer.name": "Ada"}


@pytest.mark.sqlite_only("which step runs is decided above the database")
def test_a_step_whose_condition_does_not_hold_is_left_out_and_costs_nothing(make_house: MakeHouse) -> None:
    house, third = shop(make_house, answer(200, {"id": 7}))
    house.flow("find", ("greet", Condition("customer.id", "above", "100")), name="Big customers")
    response = house.run_flow("big-customers")
    assert outcomes(response) == [("find", "success"), ("greet", "skipped")]
    assert len(third.requests) == counted(house, BudgetHit) == 1


# ---------------------------------------------------------------- one budget


def test_every_step_of_a_flow_is_one_call_of_the_one_budget(make_house: MakeHouse) -> None:
    house, third = shop(make_house, *[answer(200, {"id": 7, "name": "Ada"})] * 4)
    house.limit(4)
    house.run_flow()
    assert counted(house, BudgetHit) == 2
    assert house.execute("find", {}).headers["RateLimit"].startswith('"account";r=1;')
    last = house.run_flow()
    assert outcomes(last) == [("find", "success"), ("greet", "rate_limited")]
    assert (last.status_code, last.json["outcome"], last.json["next"]) == (200, "rate_limited", "stop")
    assert last.json["message"] == "Rate Limit Exceeded" and last.json["attributes"] == {"customer.id": 7}
    assert last.json["log_id"] is None and len(house.logs("greet")) == 1
    assert len(third.requests) == 4


def test_a_flow_whose_first_step_finds_no_budget_is_refused_whole(make_house: MakeHouse) -> None:
    house, third = shop(make_house, answer(200, {"id": 7, "name": "A"}), fallback="continue")
    house.limit(1)
    house.execute("find", {})
    refused = house.run_flow(headers={"Idempotency-Key": "k"})
    assert (refused.status_code, refused.json["title"], refused.json["next"]) == (
        429,
        "Rate Limit Exceeded",
        "continue",
    )
    assert int(refused.headers["Retry-After"]) > 0
    assert len(third.requests) == 1 and counted(house, Idempotency) == 0


@pytest.mark.sqlite_only("which step runs is decided above the database")
def test_a_rate_limited_step_mails_nobody(make_house: MakeHouse) -> None:
    house, _ = shop(make_house, answer(200, {"id": 7}), SMTP_URL="smtp://127.0.0.1:1", MAIL_FROM="steps@shop.example")
    house.put(document("greet", mapping=[NAME], alert_emails=["ops@shop.example"]))
    house.limit(1)
    assert outcomes(house.run_flow()) == [("find", "success"), ("greet", "rate_limited")]
    assert counted(house, Alert) == 0


# ---------------------------------------------------------------- one minute


@pytest.mark.sqlite_only("the time is counted above the database")
def test_the_time_a_step_took_is_gone_for_the_next(make_house: MakeHouse) -> None:
    def slow(_: RenderedRequest) -> Any:
        time.sleep(2)
        return answer(200, {"id": 7})

    house, third = shop(make_house, slow, answer(200, {"name": "Ada"}))
    assert house.run_flow(body={"timeout": 50}).json["outcome"] == "success"
    first, second = third.deadlines
    assert second - first < 1.5


@pytest.mark.sqlite_only("the time is counted above the database")
def test_a_step_for_which_no_time_is_left_is_not_begun(make_house: MakeHouse) -> None:
    def slow(_: RenderedRequest) -> Any:
        time.sleep(3)
        return answer(200, {"id": 7})

    house, third = shop(make_house, slow)
    response = house.run_flow(body={"timeout": 3}, query="?errors=http")
    assert outcomes(response) == [("find", "success"), ("greet", "timeout")]
    assert response.status_code == 504 and len(third.requests) == counted(house, BudgetHit) == 1
    assert response.json["message"] == "The 3 seconds of the flow were over before this step."


# ---------------------------------------------------------------- refusals and faults


def test_a_flow_that_is_not_there_is_a_404_and_another_accounts_too(make_house: MakeHouse) -> None:
    house, third = shop(make_house)
    house.account("other")
    for key, token in (("nothing", None), ("order-flow", house.token("execute", "other"))):
        refused = house.run_flow(key, token=token)
        assert (refused.status_code, refused.content_type) == (404, "application/problem+json")
    assert house.run_flow(token="wrong").status_code == 401
    assert third.requests == []


@pytest.mark.sqlite_only("refused above the database")
def test_a_malformed_call_carries_the_next_of_the_first_step(make_house: MakeHouse) -> None:
    house, _ = shop(make_house, fallback="continue")
    refused = house.run_flow(body={"timeout": "soon"})
    assert (refused.status_code, refused.json["next"]) == (400, "continue")


def test_the_same_idempotency_key_gives_the_stored_answer_of_the_flow(make_house: MakeHouse) -> None:
    house, third = shop(make_house, answer(200, {"id": 7}), answer(500, {}))
    first, again = (house.run_flow(headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert again.json == first.json and again.headers["Idempotency-Replayed"] == "true"
    assert first.json["outcome"] == "http_error" and len(third.requests) == 2
    other = house.run_flow(attributes={"other": 1}, headers={"Idempotency-Key": "k"})
    assert other.status_code == 422
    assert house.execute("find", headers={"Idempotency-Key": "k"}).status_code == 200  # a step's key is its own


def test_storage_that_goes_after_the_first_call_does_not_look_like_a_refusal(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, third = shop(make_house, answer(200, {"id": 7}), fallback="continue")
    whole = runs.run_step

    def failing(parts: calls.Parts, call: calls.Call) -> calls.Run:
        if call.spec.key == "greet":
            raise OperationalError("INSERT", {}, Exception("database is locked"))
        return whole(parts, call)

    monkeypatch.setattr(flows.runs, "run_step", failing)
    response = house.run_flow()
    assert response.status_code == 500
    assert outcomes(response) == [("find", "success"), ("greet", "internal")]
    assert (response.json["next"], response.json["attributes"]) == ("continue", {"customer.id": 7})
    assert len(third.requests) == 1


def test_storage_that_is_away_as_a_step_is_left_out_does_not_make_the_call_before_it_twice(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, third = shop(make_house, answer(200, {"id": 7}))
    house.flow("find", ("greet", Condition("customer.id", "above", "100")), name="Big customers")
    load, away = steps.load, True

    def failing(*args: Any, **named: Any) -> steps.LoadedStep | None:
        if away and third.requests:
            raise OperationalError("SELECT", {}, Exception("database is locked"))
        return load(*args, **named)

    monkeypatch.setattr(flows.steps, "load", failing)
    first = house.run_flow("big-customers", headers={"Idempotency-Key": "k"})
    assert (first.status_code, first.json["next"], first.json["attributes"]) == (200, "continue", {"customer.id": 7})
    assert outcomes(first) == [("find", "success"), ("", "skipped")]
    away = False
    again = house.run_flow("big-customers", headers={"Idempotency-Key": "k"})
    assert again.json == first.json and len(third.requests) == 1


@pytest.mark.sqlite_only("which step runs is decided above the database")
def test_a_fault_of_our_own_in_a_step_keeps_what_the_steps_before_gave(make_house: MakeHouse) -> None:
    def broken(_: RenderedRequest) -> Any:
        raise ZeroDivisionError

    house, _ = shop(make_house, answer(200, {"id": 7}), broken)
    response = house.run_flow()
    assert (response.status_code, outcomes(response)[-1]) == (500, ("greet", "internal"))
    assert response.json["attributes"] == {"customer.id": 7}


@pytest.mark.sqlite_only("which step runs is decided above the database")
def test_a_caller_that_is_gone_ends_the_flow_whatever_the_fallback(make_house: MakeHouse) -> None:
    gone = errors.Cancelled("The caller hung up.", reason="cancelled")
    house, third = shop(make_house, gone, fallback="continue")
    assert outcomes(house.run_flow()) == [("find", "cancelled")] and len(third.requests) == 1


@pytest.mark.sqlite_only("which step runs is decided above the database")
def test_a_secret_that_one_api_gives_back_is_masked_in_the_logs_of_the_next_step(make_house: MakeHouse) -> None:
    secret = "s3cret-value-of-the-shop"
    house, third = shop(make_house, answer(200, {"id": secret}), answer(200, {"name": "Ada"}))
    with house.app.app_context():
        token = house.app.extensions["httpstep"].vault.encrypt(secret.encode())
        catalogue.put_secret(house.account(), "KEY", token, hosts=("https://api.example",), now=1.0, new=True)
    house.put(
        document(
            "find", url="https://api.example/find", headers=[{"name": "K", "value": "{{secret.KEY}}"}], mapping=[FIND]
        )
    )
    assert house.run_flow().json["attributes"]["customer.id"] == secret, "it is the bot's own answer"
    assert third.requests[1].url.endswith(secret)
    assert secret not in str(house.logs("greet")) and secret not in str(house.logs("find"))


# ---------------------------------------------------------------- what belongs together


def test_a_step_of_a_flow_is_not_deleted(make_house: MakeHouse) -> None:
    house, _ = shop(make_house)
    refused = house.call("DELETE", "/steps/find")
    assert (refused.status_code, refused.json["title"]) == (409, "Step In Use")
    assert "“Order flow”" in refused.json["detail"]
    with house.app.app_context():
        stored.remove(house.account(), 1)
    assert house.call("DELETE", "/steps/find").status_code == 204


def test_a_step_that_is_gone_all_the_same_stops_the_flow_with_a_sentence(make_house: MakeHouse) -> None:
    house, third = shop(make_house)
    with house.app.app_context(), editing():
        step = steps.find(house.account(), "find")
        assert step is not None
        db.session.delete(step)
    response = house.run_flow()
    assert (response.status_code, response.json["outcome"], response.json["next"]) == (200, "invalid_request", "stop")
    assert response.json["message"] == "This step of the flow no longer exists." and third.requests == []


def test_a_renamed_attribute_is_renamed_in_the_flows_conditions(make_house: MakeHouse) -> None:
    house, _ = shop(make_house)
    house.flow(("find", Condition("customer.id", "not_there")), name="Once")
    with house.app.app_context():
        catalogue.save(house.account(), catalogue.AttributeEntry("client.id"), old="customer.id", by="ana", now=1.0)
        row = stored.find(house.account(), "once")
        assert row is not None
        when = stored.spec_of(row).places[0].when
        assert when is not None and (when.attribute, row.version, row.updated_by) == ("client.id", 2, "ana")


def test_a_flows_keys_of_idempotency_go_with_it_and_all_goes_with_the_account(make_house: MakeHouse) -> None:
    house, _ = shop(make_house, answer(500, {}))
    house.run_flow(headers={"Idempotency-Key": "k"})
    assert counted(house, Idempotency) == 1
    with house.app.app_context():
        assert stored.remove(house.account(), 1)
    assert counted(house, Idempotency) == 0
    house.flow("find", name="Another")
    with house.app.app_context(), editing():
        db.session.delete(db.session.scalars(select(Account)).one())
    assert counted(house, Flow) == 0


def test_a_key_is_made_from_the_name_and_belongs_to_one_flow(make_house: MakeHouse) -> None:
    house, _ = shop(make_house)
    house.flow("find")
    with house.app.app_context():
        assert [row.key for row in stored.listed(house.account())] == ["order-flow", "order-flow-2"]
        row = stored.find(house.account(), "order-flow-2")
        assert row is not None
        taken = stored.FlowSpec("order-flow", "X", stored.spec_of(row).places)
        with pytest.raises(stored.KeyTaken):
            stored.save(house.account(), taken, by="b", now=1.0, flow_id=row.id)
        with pytest.raises(stored.Conflict):
            stored.save(house.account(), stored.spec_of(row), by="b", now=1.0, flow_id=row.id, version=7)
