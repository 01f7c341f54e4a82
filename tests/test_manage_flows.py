"""Flows by API: documents that name steps by their keys, by the same rules as steps."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from httpstep.core.document.flow import Condition
from tests.fakes import ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]


def flow(*steps: Any, name: str = "Order flow", **more: Any) -> dict[str, Any]:
    return {"name": name, "steps": [{"step": one} if isinstance(one, str) else one for one in steps]} | more


def put(house: House, body: Any, key: str = "order-flow", **more: Any) -> Any:
    return house.call("PUT", f"/flows/{key}", json=body, **more)


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    house = make_house(ThirdParty(answer(200, {"a": 1})))
    for key in ("order-status", "note"):
        house.put(document(key))
    return house


def test_a_flow_is_put_listed_run_and_deleted(house: House) -> None:
    when = {"attribute": "a", "is": "above", "value": "2"}
    made = put(house, flow("order-status", {"step": "note", "when": when}))
    assert made.status_code == 201 and made.json == {
        "format": "httpstep-flow/1", "key": "order-flow", "name": "Order flow",
        "steps": [{"step": "order-status"}, {"step": "note", "when": when}],
    }  # fmt: skip
    assert house.call("GET", "/flows/order-flow").json == made.json
    assert put(house, made.json).status_code == 200
    assert house.call("GET", "/flows").json == {"flows": [{"key": "order-flow", "name": "Order flow", "version": 2}]}
    ran = house.run_flow()
    assert [one["outcome"] for one in ran.json["steps"]] == ["success", "skipped"]
    assert house.call("DELETE", "/flows/order-flow").status_code == 204
    assert [house.call(method, "/flows/order-flow").status_code for method in ("GET", "DELETE")] == [404, 404]
    assert house.call("GET", "/steps/order-status").status_code == 200


def test_a_flow_of_the_page_is_read_with_its_condition(house: House) -> None:
    house.flow(("order-status", Condition("plan", "is_not", "free")), name="Old")
    [step] = house.call("GET", "/flows/old").json["steps"]
    assert step["when"] == {"attribute": "plan", "is": "not_equals", "value": "free"}


@pytest.mark.parametrize(
    ("body", "place", "says"),
    [
        (flow("gone"), "steps[0].step", "There is no step with the key"),
        (flow(), "steps", "at least one step"),
        (flow(*["note"] * 21), "steps", "at most 20"),
        (flow("note", name=""), "name", "Give the flow a name."),
        (flow("note", key="other"), None, "not the one in the address"),
        (flow("note", format="httpstep/1"), "format", "not a document of format httpstep-flow/1"),
        (flow("note", stepz=1), "stepz", 'Unknown member "stepz" in the flow.'),
        (flow({"step": "note", "when": {"attribute": "1", "is": "equals"}}), "steps[0].when.attribute", "Name the"),
        (flow({"step": "note", "when": {"attribute": "a", "is": "like"}}), "steps[0].when.is", "must be one of"),
        (flow({"step": "note", "when": {"attribute": "a", "is": "above", "value": "x"}}), "steps[0].when.value", "number"),
        (flow({"step": "note", "when": {"attribute": "a", "is": "equals", "value": 1}}), "steps[0].when.value", "text"),
        (flow({"step": 7}), "steps[0].step", "must be a text"),
        ({"name": "x", "steps": {"step": "note"}}, "steps", "must be a list"),
        ([], "", "A flow must be an object, not a list."),
        ("x", "", "A flow must be an object"),
    ],
)  # fmt: skip
@pytest.mark.sqlite_only("refused above the database")
def test_a_bad_document_is_refused_with_its_place_and_nothing_is_saved(
    house: House, body: Any, place: str | None, says: str
) -> None:
    got = put(house, body)
    assert got.status_code == 422 and got.json["title"] == "Invalid Flow" and says in got.json["detail"], got.json
    if place is not None:
        assert got.json["faults"][0]["place"] == place
    assert house.call("GET", "/flows").json["flows"] == []


def test_a_step_that_was_deleted_or_is_anothers_is_none_of_the_account(house: House) -> None:
    assert put(house, flow("note"), token=house.token(account="b")).status_code == 422
    house.call("DELETE", "/steps/note")
    assert put(house, flow("note")).status_code == 422


CONDITIONS = [
    ("made", {"If-Match": "*"}, 200), ("made", {"If-Match": '"7", "1"'}, 200), ("made", {"If-Match": '"7"'}, 412),
    ("made", {"If-None-Match": "*"}, 412), ("new", {"If-Match": "*"}, 412), ("new", {"If-None-Match": "*"}, 201),
]  # fmt: skip


@pytest.mark.parametrize(("key", "headers", "status"), CONDITIONS)
def test_a_put_keeps_to_its_conditions(house: House, key: str, headers: dict[str, str], status: int) -> None:
    assert put(house, flow("note"), "made").headers["ETag"] == '"1"'
    assert put(house, flow("note", name="Put"), key, headers=headers).status_code == status
    assert ("Put" in [one["name"] for one in house.call("GET", "/flows").json["flows"]]) == (status != 412)


def test_a_delete_with_an_old_etag_is_refused(house: House) -> None:
    old = put(house, flow("note")).headers["ETag"]
    new = put(house, flow("note")).headers["ETag"]
    for tag, status in ((old, 412), (new, 204)):
        assert house.call("DELETE", "/flows/order-flow", headers={"If-Match": tag}).status_code == status


def test_of_many_that_make_a_flow_only_once_one_does(house: House) -> None:
    house.token()

    def make(_: int) -> int:
        headers = {"Authorization": f"Bearer {house.token()}", "If-None-Match": "*"}
        client = house.app.test_client()
        return client.put("/api/v1/flows/order-flow", json=flow("note"), headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(make, range(8))) == [201] + [412] * 7
