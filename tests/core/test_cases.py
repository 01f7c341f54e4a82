"""Test cases: what is kept of a recorded call, and how another call differs from it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from httpstep.core.outcome import cases
from httpstep.core.outcome.cases import Case, Difference


def detail(attributes: dict[str, Any], given: dict[str, Any] | None = None, **sources: str) -> dict[str, Any]:
    rows = [{"attribute": name, "source": sources.get(name, f"$['{name}']")} for name in attributes]
    return {"given": given or {}, "attributes": attributes, "mapping": rows}


def test_a_case_has_the_values_of_the_call_and_what_the_bot_got() -> None:
    case = cases.kept(detail({"order.status": "shipped"}, {"order.id": 1001}), "success")
    assert case == Case({"order.id": 1001}, "success", {"order.status": "shipped"})
    assert cases.named_after(case) == "order.id = 1001" and cases.load(cases.dump(case)) == case


@pytest.mark.parametrize("name", ["password", "user.api_key", "accessToken", "crm.secret", "pin"])
def test_what_is_named_like_a_credential_is_not_kept(name: str) -> None:
    case = cases.kept(detail({name: "s3cr3t"}, {name: "s3cr3t", "id": 1}), "success")
    assert "s3cr3t" not in cases.dump(case) and case.lost == (name,) and case.given == {"id": 1}


def test_what_is_masked_is_not_kept() -> None:
    case = cases.kept(detail({"echo": {"a": ["x ••••"]}, "ok": True}, {"line": "Bearer ••••"}), "success")
    assert case.lost == ("line", "echo") and case.given == {} and case.attributes == {"ok": True}


def test_a_call_that_gives_the_same_does_not_differ() -> None:
    record = detail({"a": Decimal("1.10"), "b": None, "c": [1, {"d": "ü"}]})
    case = cases.load(cases.dump(cases.kept(record, "success")))
    assert cases.differences(case, record, "success") == []


def test_each_attribute_that_differs_is_named_with_both_values() -> None:
    case = cases.kept(detail({"a": 1, "b": "x", "c": True, "gone": 0}), "success")
    found = cases.differences(case, detail({"a": "1", "b": "x", "c": False, "new": []}), "success")
    assert found == [
        Difference("a", "1", '"1"'),
        Difference("c", "true", "false"),
        Difference("gone", "0", None),
        Difference("new", None, "[]"),
    ]
    assert cases.load_differences(cases.dump_differences(found)) == found


def test_another_outcome_is_a_difference_of_its_own() -> None:
    case = cases.kept(detail({}), "success")
    assert cases.differences(case, detail({}), "timeout") == [Difference("", "success", "timeout")]
    attribute = cases.kept(detail({"outcome": 1}), "success")
    assert cases.differences(attribute, detail({"outcome": 2}), "success") == [Difference("outcome", "1", "2")]


def test_the_duration_of_a_call_and_what_is_ticked_off_are_not_compared() -> None:
    case = cases.kept(detail({"ms": 12, "a": 1, "b": 1}, ms="call duration_ms"), "success")
    assert case.ignored == ("ms",)
    assert cases.differences(case, detail({"ms": 900, "a": 1, "b": 1}), "success") == []
    only_a = cases.comparing(case, {"a"})
    assert only_a.ignored == ("ms", "b")
    assert cases.differences(only_a, detail({"ms": 1, "a": 1}), "success") == []


def test_a_credential_that_comes_later_is_not_shown_either() -> None:
    case = cases.kept(detail({"token": "old"}), "success")
    assert cases.differences(case, detail({"token": "new", "new_password": "p"}), "success") == []


def test_long_values_are_compared_whole_and_shown_cut() -> None:
    case = cases.kept(detail({"a": "x" * 1000 + "1"}), "success")
    [found] = cases.differences(case, detail({"a": "x" * 1000 + "2"}), "success")
    assert found.expected is not None and len(found.expected) == 300
