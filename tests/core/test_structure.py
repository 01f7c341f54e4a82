"""The shape of an answer: what counts as drift and what does not."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpstep.core.drift.structure import (
    compare,
    merge,
    shape_of,
    suggest_dictionaries,
)
from httpstep.core.jsontext import Path, dumps, loads
from httpstep.core.query.jsonpath import find
from httpstep.core.step.execution import Drift
from httpstep.core.step.spec import MappingRule
from tests.core.timing import within

ORDER = '{"id": 7, "status": "open", "items": [{"sku": "A", "price": 1}], "note": null, "address": {"city": "Graz"}}'


def drift(before: str, after: str, *paths: Path, dictionaries: tuple[Path, ...] = ()) -> Drift:
    rules = [MappingRule(attribute=f"a{number}", path=path) for number, path in enumerate(paths)]
    return compare(shape_of(loads(before), dictionaries), shape_of(loads(after), dictionaries), rules)


def test_a_shape_is_paths_with_types_and_can_be_stored() -> None:
    shape = shape_of(loads('{"b": [{"x": 1}, {"x": null, "y": "s"}], "a": {"": 1.5}}'))
    assert shape == {
        "types": ["object"],
        "fields": {
            "b": {
                "types": ["array"],
                "items": {
                    "types": ["object"],
                    "fields": {"x": {"types": ["null", "number"]}, "y": {"types": ["string"]}},
                    "optional": ["y"],
                },
            },
            "a": {"types": ["object"], "fields": {"": {"types": ["number"]}}},
        },
    }
    assert loads(dumps(shape)) == shape


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ORDER, ORDER),
        ('{"a": "x", "b": 1}', '{"b": 2, "a": "y"}'),
        ('{"a": 1}', '{"a": 1.5}'),
        ('{"a": 1e5}', '{"a": 12345678901234567890}'),
        ('{"a": [1]}', '{"a": [1, 2, 3]}'),
        ('{"a": [{"x": 1}]}', '{"a": []}'),
        ('{"a": []}', '{"a": [{"x": 1}]}'),
        ('{"a": "x"}', '{"a": null}'),
        ('{"a": null}', '{"a": {"b": 1}}'),
        ('{"a": {"b": 1}}', '{"a": null}'),
        ('{"a": [null]}', '{"a": [1]}'),
        ('{"a": [{"x": 1}, {"x": 2}]}', '{"a": [{"x": 1}, {}]}'),
        ('{"a": [{"x": 1}, {}]}', '{"a": [{}, {}]}'),
        ('{"a": [1, "x"]}', '{"a": ["x"]}'),
        ("[]", "[1]"),
    ],
)
def test_this_is_no_drift(before: str, after: str) -> None:
    assert not drift(before, after)


def test_a_path_that_is_gone_is_drift() -> None:
    found = drift(ORDER, '{"id": 7, "items": [{"price": 1}], "note": null, "address": {}}')
    assert [change.path for change in found.missing] == [("status",), ("items", "*", "sku"), ("address", "city")]
    assert [change.was for change in found.missing] == ["string", "string", "string"]
    assert not found.changed
    assert not found.new


def test_a_changed_type_is_drift_and_what_was_below_is_not_told_twice() -> None:
    found = drift(ORDER, '{"id": "7", "status": "open", "items": {"A": 1}, "note": 1, "address": "Graz"}')
    assert [(change.path, change.was, change.now) for change in found.changed] == [
        (("id",), "number", "string"),
        (("items",), "array", "object"),
        (("address",), "object", "string"),
    ]
    assert not found.missing
    assert not found.new


def test_a_second_type_in_a_list_is_drift() -> None:
    found = drift('{"a": [1]}', '{"a": [1, "x"]}')
    assert [(change.path, change.was, change.now) for change in found.changed] == [
        (("a", "*"), "number", "number or string")
    ]


def test_new_fields_are_told_once_each() -> None:
    found = drift('{"a": 1}', '{"a": 1, "b": {"c": {"d": 1}}, "e": null}')
    assert [(change.path, change.now) for change in found.new] == [(("b",), "object"), (("e",), "null")]
    assert found


@pytest.mark.parametrize(
    ("path", "mapped"),
    [
        (("items", 0, "sku"), True),
        (("items", 3, "sku"), True),
        (("items", 0, "sku", "deeper"), True),
        (("items",), False),
        (("items", 0, "price"), False),
    ],
)
def test_a_change_is_marked_where_a_rule_reads_it_or_below(path: Path, mapped: bool) -> None:
    found = drift(ORDER, ORDER.replace('"sku": "A", ', ""), path)
    assert [change.mapped for change in found.missing] == [mapped]


def test_a_rule_that_is_off_marks_nothing_and_a_query_marks_what_it_searches() -> None:
    shapes = shape_of(loads(ORDER)), shape_of(loads(ORDER.replace('"sku": "A", ', "")))
    off = MappingRule(attribute="a", path=("items", 0, "sku"), on=False)
    query = MappingRule(attribute="a", jsonpath="$.items[?@.sku=='A'].price")
    elsewhere = MappingRule(attribute="a", jsonpath="$.address.city")
    broken = MappingRule(attribute="a", jsonpath="$[")
    for rule, mapped in ((off, False), (query, True), (elsewhere, False), (broken, False)):
        assert [change.mapped for change in compare(*shapes, [rule]).missing] == [mapped]


def test_a_field_that_comes_and_goes_is_optional_once_both_were_seen() -> None:
    both = merge(shape_of(loads('{"a": 1, "b": 2}')), shape_of(loads('{"a": 1}')))
    assert both["optional"] == ["b"]
    assert not compare(both, shape_of(loads('{"a": 1}')))
    assert not compare(both, shape_of(loads('{"a": 1, "b": 3}')))
    assert [change.path for change in compare(both, shape_of(loads('{"b": 3}'))).missing] == [("a",)]


def test_a_union_keeps_types_and_knows_what_was_hidden_by_null_or_an_empty_list() -> None:
    both = merge(shape_of(loads('{"a": null, "l": []}')), shape_of(loads('{"a": {"b": 1}, "l": [{"c": "x"}]}')))
    assert "optional" not in both
    assert [change.path for change in compare(both, shape_of(loads('{"a": {}, "l": [{}]}'))).missing] == [
        ("a", "b"),
        ("l", "*", "c"),
    ]


texts = st.sampled_from(["a", "b", "c"])
trees = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text(max_size=1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=25,
)


@given(trees, trees)
def test_neither_of_two_answers_drifts_from_their_union(one: Any, other: Any) -> None:
    union = merge(shape_of(one), shape_of(other))
    assert loads(dumps(union)) == union
    for document in (one, other):
        found = compare(union, shape_of(document))
        assert not found


records = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.none() | st.integers() | st.text(max_size=1)), min_size=1
)


@given(records)
def test_the_shape_of_records_has_each_key_with_its_types_and_what_only_some_have(
    objects: list[dict[str, Any]],
) -> None:
    fields = {key: shape_of([one[key] for one in objects if key in one])["items"] for one in objects for key in one}
    expected: dict[str, Any] = {"types": ["object"]} | ({"fields": fields} if fields else {})
    optional = sorted(key for key in fields if any(key not in one for one in objects))
    shape = shape_of(objects)["items"]
    assert shape.get("optional", []) == optional
    assert list(shape.get("fields", {})) == list(fields)
    assert {name: part for name, part in shape.items() if name != "optional"} == expected


@given(trees, st.randoms(use_true_random=False))
def test_the_order_of_keys_and_items_is_no_part_of_a_shape(document: Any, chance: random.Random) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            keys = sorted(value)
            chance.shuffle(keys)
            return {key: shuffled(value[key]) for key in keys}
        if isinstance(value, list):
            items = [shuffled(item) for item in value]
            chance.shuffle(items)
            return items
        return value

    assert shape_of(shuffled(document)) == shape_of(document)


@pytest.mark.parametrize("opening", ['{"a":', "["])
def test_200_levels_fit_even_far_down_in_a_program(opening: str) -> None:
    document = loads(opening * 200 + "1" + ("}" if "{" in opening else "]") * 200)

    def far_down(frames: int) -> None:
        if frames:
            far_down(frames - 1)
            return
        shape = shape_of(document, [("b",)])
        assert not compare(merge(shape, shape), shape)
        assert loads(dumps(document)) == document
        assert find("$[?@==$.a]", {"a": document, "b": loads(dumps(document))}) == [document, document]

    with ThreadPoolExecutor(1) as stack_of_its_own:  # else it would depend on what runs the tests
        stack_of_its_own.submit(far_down, 350).result()


# ---------------------------------------------------------------- dictionaries

RATES = '{"date": "2026-01-02", "rates": {"EUR": 1, "USD": 1.1}}'


def test_a_new_key_of_a_marked_dictionary_is_no_drift() -> None:
    later = '{"date": "2026-01-03", "rates": {"EUR": 1, "CHF": 0.9}}'
    assert drift(RATES, later)
    assert not drift(RATES, later, dictionaries=(("rates",),))
    assert not drift(RATES, '{"date": "", "rates": {}}', dictionaries=(("rates",),))
    assert not drift('{"date": "", "rates": {}}', RATES, dictionaries=(("rates",),))


def test_a_change_inside_a_dictionary_is_drift_with_a_star_for_the_key() -> None:
    before, after = '{"p": {"17": {"name": "a", "n": 1}}}', '{"p": {"18": {"n": "1"}}}'
    found = drift(before, after, ("p", "99", "name"), dictionaries=(("p",),))
    assert [(change.path, change.mapped) for change in found.missing] == [(("p", "*", "name"), True)]
    assert [change.path for change in found.changed] == [("p", "*", "n")]


def test_dictionaries_may_stand_in_lists_in_dictionaries_and_at_the_root() -> None:
    marks = ((), ("*", 0, "*"))
    before, after = '{"k1": [{"d1": {"x": 1}}]}', '{"k2": [{"d2": {"x": 1}}], "k3": []}'
    assert drift(before, after)
    assert not drift(before, after, dictionaries=((), ("*", "*")))
    assert drift(before, '{"k2": [{"d2": {"y": 1}}]}', dictionaries=marks)


def test_a_union_of_a_marked_and_a_plain_object_is_a_dictionary() -> None:
    union = merge(shape_of(loads(RATES)), shape_of(loads(RATES), [("rates",)]))
    assert union["fields"]["rates"]["values"] == {"types": ["number"]}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (RATES, (("rates",),)),
        ('{"2026-01-01": {"a": 1}, "2026-01-02": {"a": 2}}', ((),)),
        ('{"users": {"17": {"name": "a"}, "18": {"name": "b"}}}', (("users",),)),
        ('{"l": [{"by_id": {"9f1c2b7e-1111-4222-8333-444455556666": 1}}]}', (("l", "*", "by_id"),)),
        ('{"t": {"en": "x", "de": "y", "fr": "z"}}', (("t",),)),
        ('{"c": {"user_1001": 1, "user_1002": 2}}', (("c",),)),
        ('{"EU": {"2026-01-01": 1}, "US": {"2026-01-01": 2}}', ((), ("*",))),
        ('{"m": {"ann@shop.example": 1}}', (("m",),)),
        ('{"id": 1, "name": "x", "address1": "a", "address2": "b"}', ()),
        ('{"first": {"a": 1, "b": 2}, "second": {"a": 1, "b": 2}}', ()),
        ('{"ID": 1, "SKU": "x"}', ()),
        ("{}", ()),
        ("[]", ()),
    ],
)
def test_objects_used_as_dictionaries_are_suggested(document: str, found: tuple[Path, ...]) -> None:
    assert suggest_dictionaries(loads(document)) == found


NAMES = ("ann", "bert", "carl", "dora", "emil", "fred", "gina", "hans", "ida", "jo")


def test_many_records_under_free_names_are_suggested() -> None:
    records: dict[str, Any] = {name: {"age": 1, "city": "x"} for name in NAMES}
    assert suggest_dictionaries({"people": records}) == (("people",),)


# ---------------------------------------------------------------- size

LARGE = {
    "empty objects": loads(b"[" + b"{}," * 300_000 + b"{}]"),
    "empty lists": loads(b"[" + b"[]," * 300_000 + b"[]]"),
    "numbers": list(range(150_000)),
    "a dictionary of 50,000 keys": {f"k{number}": number for number in range(50_000)},
    "50,000 objects under keys": {f"k{number}": {"a": 1} for number in range(50_000)},
    "60,000 different objects": [{f"k{number}": number} for number in range(60_000)],
    "200 levels": loads("[" * 199 + ",".join(["{}"] * 300_000) + "]" * 199),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_megabyte_has_its_shape_in_half_a_second(name: str) -> None:
    assert within(0.5, lambda: shape_of(LARGE[name]))
    shape = shape_of(LARGE[name])
    assert not compare(shape, shape)
