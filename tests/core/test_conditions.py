"""The one table of operators, compared by type, and conditions on an answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpstep.core.answer.conditions import _HOLDS, NOTHING, faults_in, holds, is_met
from httpstep.core.jsontext import dumps, loads
from httpstep.core.step.spec import NO_DEFAULT, OPERATORS, AnswerCondition


def test_every_operator_of_a_document_has_a_meaning() -> None:
    assert set(_HOLDS) == set(OPERATORS)


@pytest.mark.parametrize(
    ("operator", "found", "wanted", "result"),
    [
        ("equals", True, True, True), ("equals", "true", True, False), ("equals", 1, True, False), ("equals", 0, False, False),
        ("equals", 1, loads("1.0"), True), ("equals", loads("1e2"), 100, True), ("equals", "1", 1, False), ("equals", None, None, True),
        ("equals", "", None, False), ("equals", [1, {"a": 2}], [1, {"a": 2}], True), ("equals", NOTHING, None, False),
        ("not_equals", "error", "error", False), ("not_equals", "ok", "error", True), ("not_equals", NOTHING, "error", True),
        ("one_of", "b", ["a", "b"], True), ("one_of", 1, ["1"], False), ("one_of", NOTHING, [None], False),
        ("exists", None, NO_DEFAULT, True), ("exists", NOTHING, NO_DEFAULT, False),
        ("missing", NOTHING, NO_DEFAULT, True), ("missing", None, NO_DEFAULT, False), ("missing", [], NO_DEFAULT, False),
        ("contains", "all good", "good", True), ("contains", ["a", 2], 2, True), ("contains", ["ab"], "a", False),
        ("contains", {"a": 1}, "a", False), ("contains", 12, 1, False), ("contains", NOTHING, "", False),
        ("matches", "ok-17", r"ok-\d+", True), ("matches", "not ok-17", r"ok-\d+", False), ("matches", 404, "4..", True),
        ("matches", None, ".*", False), ("matches", [], ".*", False), ("matches", NOTHING, ".*", False),
        ("above", 10, 9, True), ("above", "10", 9, True), ("above", 9, 9, False), ("above", "ten", 9, False), ("above", True, 0, False),
        ("below", loads("9.49"), loads("9.5"), True), ("below", loads("NaN", bad_numbers=True), 9, False), ("below", NOTHING, 9, False),
        ("above", 10**40 + 1, 10**40, True),
    ],
)  # fmt: skip
def test_values_are_compared_by_type(operator: str, found: Any, wanted: Any, result: bool) -> None:
    assert holds(operator, found, wanted) is result


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)  # fmt: skip


@given(json_values, json_values)
def test_a_value_is_equal_to_what_is_written_the_same_and_never_both_or_neither(left: Any, right: Any) -> None:
    assert holds("equals", left, loads(dumps(left)))
    assert holds("equals", left, right) is not holds("not_equals", left, right)
    assert holds("equals", left, right) is holds("one_of", left, [right])
    assert holds("equals", left, right) is holds("contains", [left], right)


@pytest.mark.parametrize(
    ("text", "met"), [('{"ok": true}', True), ('{"ok": false}', False), ("{ok", False), ("", False)]
)
def test_a_path_goes_on_below_a_text_that_holds_json(text: str, met: bool) -> None:
    assert is_met(AnswerCondition(("body", "ok"), None, "equals", True), {"body": text}) == met


def test_it_holds_of_every_value_that_a_query_finds() -> None:
    document = {"results": [{"status": "ok"}, {"status": "ok"}, {"status": "late"}], "1": ["x"]}
    assert not is_met(AnswerCondition(None, "$.results[*].status", "equals", "ok"), document)
    assert is_met(AnswerCondition(None, "$.results[:2].status", "equals", "ok"), document)
    assert is_met(AnswerCondition(None, "$.results[?@.status=='failed']", "missing"), document)
    assert is_met(AnswerCondition(("results", 2, "status"), None, "equals", "late"), document)
    assert not is_met(AnswerCondition(("results", 3, "status"), None, "exists"), document)
    assert not is_met(AnswerCondition(("1", "0"), None, "exists"), document)
    assert is_met(AnswerCondition((), None, "exists"), document)
    assert not is_met(AnswerCondition((), None, "exists"), NOTHING)


@pytest.mark.parametrize(
    ("condition", "place", "words"),
    [
        (AnswerCondition(None, None, "exists"), "[0].path", "exactly one"),
        (AnswerCondition(("a",), "$.a", "exists"), "[0].path", "exactly one"),
        (AnswerCondition(None, "$.a[", "exists"), "[0].jsonpath", "not right"),
        (AnswerCondition(("a",), None, "equals"), "[0].value", "with which value"),
        (AnswerCondition(("a",), None, "exists", 1), "[0].value", "has no “value”"),
        (AnswerCondition(("a",), None, "one_of", "a"), "[0].value", "needs a list"),
        (AnswerCondition(("a",), None, "above", "ten"), "[0].value", "needs a number"),
        (AnswerCondition(("a",), None, "matches", 4), "[0].value", "is a text"),
        (AnswerCondition(("a",), None, "matches", "^ok"), "[0].value", "the whole text"),
    ],
)
def test_what_is_wrong_with_a_condition_is_said(condition: AnswerCondition, place: str, words: str) -> None:
    ((where, sentence),) = faults_in([condition])
    assert where == place
    assert words in sentence
