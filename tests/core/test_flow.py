"""Flows as values: conditions, faults, and the answer put together from the steps' answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from httpstep.core.document.flow import (
    Condition,
    FlowSpec,
    FlowStep,
    check,
    concluded,
    dump,
    left_out,
    parse,
    renamed,
)


@pytest.mark.parametrize(
    ("test", "value", "found", "holds"),
    [
        ("is", "shipped", "shipped", True), ("is", "shipped", "Shipped", False), ("is", "3", 3, True),
        ("is", "1.10", Decimal("1.10"), True), ("is", "true", True, True), ("is", "", None, True),
        ("is_not", "shipped", "new", True), ("is_not", "shipped", "shipped", False),
        ("contains", "ship", "shipped", True), ("contains", "b", ["a", "b"], True), ("contains", "b", ["ab"], False),
        ("above", "9", 10, True), ("above", "9", "10", True), ("above", "10", 10, False), ("above", "9", "ten", False),
        ("below", "9.5", Decimal("9.49"), True), ("below", "9", [1], False), ("below", "9", "NaN", False),
        ("there", "", None, True), ("not_there", "", None, False), ("is", "[1,2]", [1, 2], True), ("contains", "2", [1, 2], True),
        ("equals", "3", 3, True), ("not_equals", "3", 3, False), ("exists", "", 0, True), ("missing", "", 0, False),
        ("one_of", "new, shipped", "shipped", True), ("one_of", "new,shipped", "ship", False), ("one_of", "1,2", 2, True),
        ("matches", r"ORD-\d+", "ORD-17", True), ("matches", r"ORD-\d+", "my ORD-17", False),
    ],
)  # fmt: skip
def test_a_condition_compares_what_the_attribute_is_outside_json(
    test: Any, value: str, found: Any, holds: bool
) -> None:
    assert Condition("a", test, value).holds({"a": found}) is holds


@pytest.mark.parametrize(
    ("test", "holds"),
    [("is", False), ("is_not", True), ("contains", False), ("above", False), ("below", False), ("there", False), ("not_there", True)],
)  # fmt: skip
def test_an_attribute_that_is_not_there_is_nothing(test: Any, holds: bool) -> None:
    assert Condition("a", test, "0").holds({}) is holds


def test_a_condition_looks_into_an_attribute() -> None:
    assert Condition("customer.address.0.city", "is", "Graz").holds({"customer": {"address": [{"city": "Graz"}]}})


def test_an_operator_is_spelled_as_in_step_documents_also_where_it_was_stored_before() -> None:
    stored = [{"step_id": 1, "when": {"attribute": "a", "test": "not_there", "value": ""}}]
    spec = parse("k", "N", stored)
    assert spec == FlowSpec("k", "N", (FlowStep(1, Condition("a", "missing")),))
    assert dump(spec) == [{"step_id": 1, "when": {"attribute": "a", "test": "missing", "value": ""}}]


def test_a_flow_survives_being_stored() -> None:
    spec = FlowSpec("k", "N", (FlowStep(3), FlowStep(4, Condition("a", "above", "2"))))
    assert parse("k", "N", dump(spec)) == spec


def test_what_is_wrong_is_told_in_the_order_of_the_page() -> None:
    wrong = FlowSpec(
        "No Key",
        "",
        (FlowStep(1, Condition("7*7", "above", "many")), *[FlowStep(1)] * 20, FlowStep(1, Condition("secret.x", "is"))),
    )
    assert [fault.place for fault in check(wrong)] == [
        "name", "key", "places", "places[0].attribute", "places[0].value", "places[21].attribute"
    ]  # fmt: skip
    assert [fault.message for fault in check(FlowSpec("", "N"))] == ["Add at least one step."]
    assert check(FlowSpec("k", "N", (FlowStep(1, Condition("a", "is", "")),))) == []


def test_a_renamed_attribute_is_renamed_in_conditions() -> None:
    spec = FlowSpec(
        "",
        "",
        (
            FlowStep(1, Condition("order", "there")),
            FlowStep(1, Condition("order.id", "is", "1")),
            FlowStep(1, Condition("orders", "there")),
        ),
    )
    assert [place.when.attribute for place in renamed(spec, "order", "sale").places if place.when] == [
        "sale", "sale.id", "orders"
    ]  # fmt: skip


# ---------------------------------------------------------------- the answer


def ran(step: str, outcome: str = "success", next_: str = "continue", **more: Any) -> dict[str, Any]:
    answer = {
        "request_id": "r", "step": step, "outcome": outcome, "next": next_, "attributes": {}, "missing": [],
        "structure_changed": False, "http": {"status": 200, "duration_ms": 5},
        "message": None if outcome == "success" else f"{step} failed", "log_id": f"log of {step}",
    }  # fmt: skip
    return answer | more


def test_a_success_of_all_is_a_success() -> None:
    answer = concluded("f", "r", [ran("a", attributes={"x": 1}), left_out("b"), ran("c", attributes={"y": 2})], 12.4)
    assert (answer["flow"], answer["outcome"], answer["next"], answer["message"]) == ("f", "success", "continue", None)
    assert (answer["attributes"], answer["log_id"], answer["http"]) == (
        {"x": 1, "y": 2}, "log of c", {"status": 200, "duration_ms": 12}
    )  # fmt: skip
    assert [(one["step"], one["outcome"]) for one in answer["steps"]] == [
        ("a", "success"), ("b", "skipped"), ("c", "success")
    ]  # fmt: skip
    assert "attributes" not in answer["steps"][0]


def test_the_step_that_stopped_it_speaks_for_it_else_the_first_that_failed() -> None:
    failed = ran("a", "http_error", "continue")
    stopped = concluded("f", "r", [failed, ran("b"), ran("c", "timeout", "stop")], 1)
    assert (stopped["outcome"], stopped["next"], stopped["message"]) == ("timeout", "stop", "c failed")
    went_on = concluded("f", "r", [ran("z"), failed, ran("b", "timeout", "continue"), ran("c")], 1)
    assert (went_on["outcome"], went_on["next"], went_on["log_id"]) == ("http_error", "continue", "log of a")
    gone = concluded("f", "r", [ran("a", "cancelled", "continue")], 1)
    assert (gone["outcome"], gone["next"]) == ("cancelled", "stop")


def test_a_flow_of_which_nothing_ran_is_a_success_that_gives_nothing() -> None:
    answer = concluded("f", "r", [left_out("a")], 0)
    assert (answer["outcome"], answer["next"], answer["attributes"], answer["http"]["status"]) == (
        "success", "continue", {}, None
    )  # fmt: skip


def test_later_values_replace_earlier_ones_and_what_one_step_gives_is_not_missing() -> None:
    answer = concluded(
        "f", "r",
        [
            ran("a", attributes={"x": 1, "kept": 1}, missing=["later", "never"]),
            ran("b", attributes={"x": 2, "later": 3, "by default": 0}, missing=["kept", "by default"], structure_changed=True),
        ],
        1,
    )  # fmt: skip
    assert answer["attributes"] == {"x": 2, "kept": 1, "later": 3, "by default": 0}
    assert answer["missing"] == ["never", "by default"]
    assert answer["structure_changed"] is True
