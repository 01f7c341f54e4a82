"""What has to be done so that an account is what documents say, decided from values alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from httpstep.core import jsontext
from httpstep.core.document.documents import Document, Named, Unusable, read_account, read_all, write_account
from httpstep.core.document.planning import PlannedChange, planned

CITY = {"format": "httpstep-attribute/1", "name": "city"}


def step(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "name": key, "request": {"method": "GET", "url": "https://api.example/"}} | more


def flow(key: str, *steps: str) -> dict[str, Any]:
    return {"format": "httpstep-flow/1", "key": key, "name": key, "steps": [{"step": one} for one in steps]}


def wanted(*documents: Any) -> dict[Named, Document]:
    return read_all([("x.json", list(documents))])


def present(*documents: Any) -> dict[Named, Any]:
    return {named: (one.written,) for named, one in wanted(*documents).items()}


def told(changes: tuple[PlannedChange, ...]) -> list[str]:
    return [" ".join((one.doing, one.what, one.name, *one.members)) for one in changes]


def test_what_others_need_is_written_first_and_deleted_last() -> None:
    found = planned(
        wanted(flow("f", "a"), step("a"), CITY), present(flow("g", "b"), step("b"), CITY | {"name": "x"}), delete=True
    )
    assert told(found.changes) == [
        "create attribute city", "create step a", "create flow f", "delete flow g", "delete step b", "delete attribute x",
    ]  # fmt: skip


def test_a_second_time_there_is_nothing_to_do() -> None:
    documents = (flow("f", "a"), step("a"), CITY)
    found = planned(wanted(*documents), present(*documents), delete=True)
    assert found.changes == () and found.unchanged == 3


@pytest.mark.parametrize(
    ("old", "new", "members"),
    [
        ({}, {"default": None}, "default"), ({"default": None}, {}, "default"), ({"sample": "1"}, {"sample": 1}, "sample"),
        ({"sample": Decimal("1.1")}, {"sample": Decimal("1.10")}, "sample"), ({"sample": True}, {"sample": 1}, "sample"),
        ({"in_bot": False}, {"sample": 1}, "sample in_bot"),
    ],
)  # fmt: skip
def test_what_json_tells_apart_is_a_change(old: dict[str, Any], new: dict[str, Any], members: str) -> None:
    found = planned(wanted(CITY | new), present(CITY | old), delete=False)
    assert [line.split(" ", 3)[:3] for line in told(found.changes)] == [["change", "attribute", "city"]]
    assert set(found.changes[0].members) == set(members.split())


def test_one_of_two_ways_to_say_what_is_there_is_enough() -> None:
    rules = [{"attribute": "a", "path": ["a"]}]
    [never_set, in_force] = (wanted(one)["step", "a"].written for one in (step("a"), step("a", mapping=rules)))
    there = {("step", "a"): (never_set, in_force)}
    for document in (step("a"), step("a", mapping=rules)):
        assert planned(wanted(document), there, delete=False).changes == ()
    assert told(planned(wanted(step("a", mapping=[])), there, delete=False).changes) == ["change step a mapping"]


def test_a_flow_may_have_steps_of_the_account_unless_they_are_deleted() -> None:
    there = present(step("a"))
    assert told(planned(wanted(flow("f", "a")), there, delete=False).changes) == ["create flow f"]
    with pytest.raises(Unusable, match=r"x.json, document 1: steps\[0\].step: There is no step with the key"):
        planned(wanted(flow("f", "a")), there, delete=True)


def test_every_fault_of_every_document_is_told() -> None:
    with pytest.raises(Unusable) as refused:
        read_all([("a.json", step("a", timeout=99, retries=9)), ("b.json", [CITY, CITY])])
    assert [sentence.split(":")[0] for sentence in refused.value.sentences] == [
        "a.json",
        "a.json",
        "b.json, document 2",
    ]


def test_an_export_is_read_as_it_was_written() -> None:
    documents = wanted(CITY | {"default": Decimal("1.10")}, step("a"), flow("f", "a"))
    text = jsontext.dumps(write_account("default", "Default", documents.values(), []))
    found, secrets = read_account("x.json", jsontext.loads(text))
    assert {named: one.value for named, one in found.items()} == {named: one.value for named, one in documents.items()}
    assert secrets == [] and b'"default":1.10' in text
