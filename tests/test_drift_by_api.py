"""Drift by API and command: what changed with ranked places, and taking it over as the page would."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]
BEFORE = {"order": {"number": "SO-4711", "status": "shipped", "total": 19.5}, "paid": True}
AFTER = {"data": {"order": {"number": "SO-4711", "state": "shipped", "total": 19.5}, "archived": True}}
RULES = [
    {"path": ["order", "number"], "attribute": "number"},
    {"path": ["order", "status"], "attribute": "status"},
    {"path": ["paid"], "attribute": "paid"},
]


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    """A step with its first answer, then three of the changed API."""
    house = make_house(ThirdParty(answer(200, BEFORE), *[answer(200, AFTER)] * 9))
    house.limit(100)
    house.put(document(mapping=RULES))
    for _ in range(4):
        house.execute()
    return house


def drift(house: House) -> dict[str, Any]:
    return dict(house.call("GET", "/steps/order-status/drift").json)


def accept(house: House, apply: Any, log_id: Any = None, **more: Any) -> Any:
    body = {"apply": apply, "log_id": drift(house)["log_id"] if log_id is None else log_id} | more
    return house.call("POST", "/steps/order-status/drift/accept", json=body)


@pytest.mark.sqlite_only("what is compared and suggested is decided above the database")
def test_it_says_what_went_and_came_and_where_each_rule_may_read(house: House) -> None:
    found = drift(house)
    assert [change["text"] for change in found["drift"]["missing"]] == ["$['order']", "$['paid']"]
    number, status, paid = found["rules"]
    assert (number["was"], number["suggested"]) == ("SO-4711", ["data", "order", "number"])
    assert status["suggested"] == ["data", "order", "state"] and status["places"][0]["value"] == "shipped"
    assert status["places"][0]["reason"].startswith("similar name, same value")
    assert paid["suggested"] is None and paid["places"][0]["path"] == ["data", "archived"]


@pytest.mark.sqlite_only("what is compared and suggested is decided above the database")
def test_a_step_that_is_not_marked_has_none(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(200, BEFORE)))
    house.put(document(mapping=RULES))
    house.execute()
    assert drift(house) == {"step": "order-status", "log_id": None, "drift": None, "rules": []}
    assert accept(house, "suggested", 1).status_code == 409


def test_what_is_suggested_is_taken_over_and_the_rest_stays(house: House) -> None:
    taken = accept(house, "suggested")
    assert taken.status_code == 200 and taken.json["version"] == 2
    after = house.execute().json
    assert after["attributes"] == {"number": "SO-4711", "status": "shipped"} and after["missing"] == ["paid"]
    assert after["structure_changed"] is False and drift(house)["drift"] is None


@pytest.mark.sqlite_only("what is compared and suggested is decided above the database")
def test_none_moves_nothing_and_a_choice_is_by_attribute(house: House) -> None:
    log_id = drift(house)["log_id"]
    assert accept(house, {"paid": ["data", "archived"], "status": None}).status_code == 200
    assert house.execute().json["attributes"] == {"paid": True}
    assert accept(house, "none", log_id).status_code == 409, "it was accepted meanwhile"


def test_the_structure_alone_is_accepted_with_none(house: House) -> None:
    before = house.call("GET", "/steps/order-status").json["mapping"]
    assert accept(house, "none").status_code == 200
    assert house.call("GET", "/steps/order-status").json["mapping"] == before
    assert house.execute().json["structure_changed"] is False


@pytest.mark.parametrize(
    ("apply", "more"),
    [("all", {}), (None, {}), ([], {}), ({"nobody": ["a"]}, {}), ({"paid": "$.a"}, {}), ("none", {"x": 1})],
)
@pytest.mark.sqlite_only("refused above the database")
def test_another_choice_is_refused_with_a_sentence(house: House, apply: Any, more: dict[str, Any]) -> None:
    refused = accept(house, apply, **more)
    assert refused.status_code == 422 and refused.json["detail"]
    assert drift(house)["drift"] is not None


def test_another_log_is_a_conflict_and_no_log_is_refused(house: House) -> None:
    assert accept(house, "suggested", 99999).status_code == 409
    assert house.call("POST", "/steps/order-status/drift/accept", json={"apply": "none"}).status_code == 422


@pytest.mark.sqlite_only("what is compared and suggested is decided above the database")
def test_it_takes_the_scope_manage_and_a_step_of_the_account(house: House) -> None:
    execute, stranger = house.token("execute"), house.token("manage", "other")
    for method, path in (("GET", "/steps/order-status/drift"), ("POST", "/steps/order-status/drift/accept")):
        assert house.call(method, path, token=execute, json={}).status_code == 403
        assert house.call(method, path, token=stranger, json={"apply": "none", "log_id": 1}).status_code == 404


def test_the_kept_answer_to_the_same_attributes_is_compared(make_house: MakeHouse) -> None:
    """The accepted answer is of another order; an older call asked for the one that came last."""
    other = {"order": {"number": "SO-1", "status": "open", "total": 2.5}, "paid": False}
    api = ThirdParty(answer(200, other), answer(200, BEFORE), *[answer(200, AFTER)] * 3)
    house = make_house(api)
    house.put(document(mapping=RULES))
    house.execute(attributes={"order.id": 1})
    for _ in range(4):
        house.execute(attributes={"order.id": 4711})
    assert [rule["was"] for rule in drift(house)["rules"]] == ["SO-4711", "shipped", True]


@pytest.mark.sqlite_only("what is compared and suggested is decided above the database")
def test_the_command_prints_the_same(house: House) -> None:
    printed = house.app.test_cli_runner().invoke(args=["step", "drift", "order-status"])
    assert json.loads(printed.stdout) == drift(house)
    assert house.app.test_cli_runner().invoke(args=["step", "drift", "nothing"]).exit_code == 1


@pytest.mark.sqlite_only("what is compared and suggested is decided above the database")
def test_the_command_accepts_as_the_page_would(house: House) -> None:
    invoke = house.app.test_cli_runner().invoke
    assert "'unsure' is not one of" in invoke(args=["step", "drift", "order-status", "--accept", "unsure"]).output
    done = invoke(args=["step", "drift", "order-status", "--accept", "suggested"])
    assert (done.exit_code, done.stderr) == (0, "The new structure is accepted.\n")
    paths = {rule["attribute"]: rule["path"] for rule in house.call("GET", "/steps/order-status").json["mapping"]}
    assert paths == {"number": ["data", "order", "number"], "status": ["data", "order", "state"], "paid": ["paid"]}
    assert drift(house)["drift"] is None
    again = invoke(args=["step", "drift", "order-status", "--accept", "none"])
    assert (again.exit_code, again.stderr) == (1, "Error: There is nothing to accept: the structure has not changed.\n")
