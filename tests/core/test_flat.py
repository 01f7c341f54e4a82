"""Names and values that a bot platform takes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpstep.core.outcome.flat import LISTS, flat, plain_names, plain_value

NAMES = st.lists(st.text("ab_.-2", min_size=1, max_size=5), max_size=8)


def test_a_name_has_letters_digits_and_underscores() -> None:
    assert plain_names(["order.status", "order-id", "_a", "B2"]) == {
        "order.status": "order_status", "order-id": "order_id", "_a": "_a", "B2": "B2",
    }  # fmt: skip


def test_of_names_that_meet_the_plain_one_keeps_its_own() -> None:
    assert plain_names(["a.b", "a-b", "a_b", "a_b_2"]) == {
        "a_b": "a_b",
        "a_b_2": "a_b_2",
        "a.b": "a_b_3",
        "a-b": "a_b_4",
    }


@given(NAMES)
def test_no_two_names_meet_and_plain_ones_stay(names: list[str]) -> None:
    found = plain_names(names)
    assert found.keys() == set(names)
    assert len(set(found.values())) == len(found)
    assert plain_names(found.values()) == {name: name for name in found.values()}


@pytest.mark.parametrize(
    ("value", "as_json", "as_text"),
    [
        ("a", "a", "a"), (12345678901234567890, 12345678901234567890, 12345678901234567890), (False, False, False),
        (Decimal("1.10"), Decimal("1.10"), Decimal("1.10")), (None, "", ""), ({"a": [1]}, '{"a":[1]}', '{"a":[1]}'),
        (["a, b", 1, None, True, {"c": 2}], '["a, b",1,null,true,{"c":2}]', 'a, b, 1, , true, {"c":2}'),
        ([], "[]", ""),
    ],
)  # fmt: skip
def test_a_value_is_a_text_a_number_true_or_false(value: Any, as_json: Any, as_text: Any) -> None:
    assert (plain_value(value, "json"), plain_value(value, "text")) == (as_json, as_text)
    assert set(LISTS) == {"json", "text"}


def test_a_name_does_not_depend_on_what_an_answer_has() -> None:
    answer = {"outcome": "success", "attributes": {"a.b": 1}, "missing": []}
    assert flat(answer, "json", ["a.b", "a_b"])["attributes"] == {"a_b_2": 1}
    assert flat(answer | {"attributes": {"a_b": None}, "missing": ["a.b"]}, "json", ["a.b", "a_b"]) == {
        "outcome": "success", "attributes": {"a_b": ""}, "missing": ["a_b_2"],
    }  # fmt: skip
