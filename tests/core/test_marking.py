"""Marking an object of a known structure as a dictionary gives what reading the answer with the mark would have given."""

from __future__ import annotations

import pytest

from httpstep.core.drift.marking import with_dictionaries
from httpstep.core.drift.structure import compare, shape_of
from httpstep.core.jsontext import Json, Path

RATES = {"base": "EUR", "rates": {"USD": 1, "SEK": None, "NOK": 11}}
ROWS = {"rows": [{"id": 1, "at": {"2026-01-01": {"n": 1}}}, {"id": 2, "at": {"2026-01-02": {"n": 2, "m": "x"}}}]}


@pytest.mark.parametrize(
    ("document", "dictionaries"),
    [
        (RATES, [("rates",)]),
        (RATES, [()]),
        (RATES, [("nothing", "here")]),
        (ROWS, [("rows", "*", "at")]),
        (ROWS, [("rows", 0, "at")]),
        ({"a": {"x": {"1": {"k": 1}}, "y": {"2": {"k": 2}}}}, [("a",), ("a", "*")]),
        ([{"7": 1}], [("*",)]),
        ({"rates": []}, [("rates",)]),
    ],
)
def test_marking_afterwards_equals_marking_before(document: Json, dictionaries: list[Path]) -> None:
    later = with_dictionaries(shape_of(document), dictionaries)
    assert not compare(later, shape_of(document, dictionaries)) and not compare(shape_of(document, dictionaries), later)


def test_fields_become_the_one_node_of_any_value() -> None:
    done = with_dictionaries(shape_of(RATES), [("rates",)])
    assert done["fields"]["rates"] == {"types": ["object"], "values": {"types": ["null", "number"]}}
    assert done["fields"]["base"] == {"types": ["string"]}


def test_the_structure_that_was_given_stays_as_it_was() -> None:
    shape = shape_of(RATES)
    with_dictionaries(shape, [("rates",)])
    assert shape == shape_of(RATES)


def test_a_new_name_is_no_change_and_another_type_of_value_is_one() -> None:
    accepted = with_dictionaries(shape_of(RATES), [("rates",)])
    assert not compare(accepted, with_dictionaries(shape_of({"base": "EUR", "rates": {"DKK": 7}}), [("rates",)]))
    drift = compare(accepted, with_dictionaries(shape_of({"base": "EUR", "rates": {"DKK": "7"}}), [("rates",)]))
    assert [(change.path, change.was, change.now) for change in drift.changed] == [(("rates", "*"), "number", "string")]
