"""?names=flat, lists and extra: an answer as a platform takes it, and nothing else of it changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from httpstep.core.document.flow import Condition
from httpstep.execution import runs
from tests.fakes import ThirdParty, answer
from tests.house import House, document

GOOD = {"order": {"status": "shipped", "items": ["a", "b"], "paid": True, "total": 1.5, "note": None, "box": {"w": 1}}}
NAMES = ("status", "items", "paid", "total", "note", "box", "gone")
RULES = [{"path": ["order", name], "attribute": f"order.{name}"} for name in NAMES]
FLAT = {
    "order_status": "shipped", "order_items": '["a","b"]', "order_paid": True, "order_total": 1.5, "order_note": "",
    "order_box": '{"w":1}',
}  # fmt: skip


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    house = make_house(ThirdParty(answer(200, GOOD), answer(200, GOOD), answer(500)))
    house.put(document(mapping=[*RULES, {"path": ["order", "status"], "attribute": "state"}]))
    house.limit(100)
    return house


def but_for(told: dict[str, Any], *members: str) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in (*members, "request_id", "log_id", "http")}


@pytest.mark.sqlite_only("the shape of an answer is made above the database")
def test_names_are_flat_and_values_plain_and_the_rest_is_as_it_was(house: House) -> None:
    plain = house.execute().json
    told = house.execute(query="?names=flat").json
    assert list(told) == list(plain)
    assert told["attributes"] == FLAT | {"state": "shipped"}
    assert told["missing"] == ["order_gone"]
    assert but_for(told, "attributes", "missing") == but_for(plain, "attributes", "missing")


@pytest.mark.sqlite_only("the shape of an answer is made above the database")
def test_a_list_is_one_text_where_that_is_asked_for(house: House) -> None:
    assert house.execute(query="?names=flat&lists=text").json["attributes"]["order_items"] == "a, b"
    headers = {"X-Names": "flat", "X-Lists": "text"}
    assert house.execute(headers=headers).json["attributes"]["order_items"] == "a, b"


@pytest.mark.sqlite_only("the shape of an answer is made above the database")
def test_a_failure_and_a_fault_of_ours_have_flat_names_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.execute(), house.execute()
    failed = house.execute(query="?names=flat&errors=http")
    assert failed.status_code == 502
    assert "order_status" in failed.json["missing"]
    monkeypatch.setattr(runs, "run_step", lambda *_: 1 / 0)
    internal = house.execute(query="?names=flat")
    assert internal.status_code == 500
    assert (internal.json["next"], internal.json["missing"][0]) == ("stop", "order_status")


def test_a_stored_answer_comes_as_each_call_wants_it(house: House) -> None:
    headers = {"Idempotency-Key": "once"}
    first = house.execute(query="?names=flat", headers=headers)
    again = house.execute(headers=headers)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json["attributes"]["order.items"] == ["a", "b"]
    assert house.execute(query="?names=flat", headers=headers).json == first.json


@pytest.mark.sqlite_only("the shape of an answer is made above the database")
def test_names_that_meet_are_the_same_in_every_answer_of_a_flow(make_house: Callable[..., House]) -> None:
    house = make_house(ThirdParty(answer(200, GOOD)))
    house.put(document(mapping=RULES))
    house.put(document("other", mapping=[{"path": ["order", "paid"], "attribute": "order_status"}]))
    house.flow("order-status", ("other", Condition("run", "equals", "yes")))
    for run, expected in (("yes", True), ("no", None)):
        told = house.run_flow(attributes={"order.id": 1, "run": run}, query="?names=flat").json["attributes"]
        assert (told["order_status_2"], told.get("order_status")) == ("shipped", expected)


@pytest.mark.sqlite_only("the shape of an answer is made above the database")
def test_members_that_a_platform_adds_are_passed_over_where_the_caller_says_so(house: House) -> None:
    more = {"bot": "b", "contact": {"id": 1}}
    refused = house.execute(body=more)
    assert (refused.status_code, refused.json["next"]) == (400, "stop")
    assert 'Unknown member "bot"' in refused.json["detail"]
    assert house.execute(body=more, query="?extra=ignore").json["outcome"] == "success"
    assert house.execute(body=more, headers={"X-Extra": "ignore"}).json["outcome"] == "success"
    assert house.execute(body=more | {"timeout": "x"}, query="?extra=ignore").status_code == 400


@pytest.mark.parametrize("query", ["names=Flat", "names=", "extra=drop", "names=flat&lists=csv", "lists=text"])
@pytest.mark.sqlite_only("refused above the database")
def test_a_wish_that_there_is_none_of_is_refused_before_the_call_and_says_what_to_do(house: House, query: str) -> None:
    refused = house.execute(query=f"?{query}")
    assert (refused.status_code, refused.content_type) == (400, "application/problem+json")
    assert (refused.json["title"], refused.json["next"]) == ("Malformed Request", "stop")
    assert house.logs() == []


@pytest.mark.parametrize("query", ["", "?names=flat", "?names=flat&lists=text&extra=ignore"])
@pytest.mark.sqlite_only("refused above the database")
def test_refusals_are_the_same_whatever_is_wished(house: House, query: str) -> None:
    def told(**more: Any) -> tuple[int, list[str], Any]:
        refused = house.execute(query=query, **more)
        return refused.status_code, sorted(refused.json), refused.json.get("next")

    members = ["detail", "request_id", "status", "title", "type"]
    assert told(token="wrong") == (401, members, None)
    assert told(key="nothing") == (404, members, None)
    assert told(body={"timeout": 99}) == (400, sorted([*members, "next"]), "stop")
    house.limit(1)
    house.execute()
    assert told() == (429, sorted([*members, "next"]), "stop")
