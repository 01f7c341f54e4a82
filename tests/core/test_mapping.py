"""Rules and a document give values; a rule that finds nothing harms no other."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from httpstep.core.answer.mapping import CallFacts, apply_rules
from httpstep.core.answer.rulecheck import check_rules
from httpstep.core.jsontext import Path, dumps_text, loads
from httpstep.core.step.execution import MappedRow, MappingResult
from httpstep.core.step.spec import MappingRule

CALL = CallFacts(
    status=200, error=None, duration_ms=41, headers=(("X-Total", "12"), ("Link", "a"), ("link", "b"), ("Empty", ""))
)
SHOP = loads(
    '{"id": 12345678901234567890123, "total": 1.10, "note": null, "a.b": {"c d": {"": {"\\"\'": "odd"}}}, "empty": [],'
    ' "items": [{"sku": "A", "n": 1, "tags": ["x", "y"]}, {"sku": "B", "n": null, "tags": []}, {"n": 3}], "none": null,'
    ' "grid": [[1, 2], [3]], "0": "a key, no index"}'
)


def mapped(
    *rules: MappingRule, document: Any = SHOP, has_document: bool = True, call: CallFacts = CALL
) -> MappingResult:
    return apply_rules(rules, document, has_document, call)


def row(document: Any = SHOP, **rule: Any) -> MappedRow:
    return mapped(MappingRule(attribute="x", **rule), document=document).rows[0]


def test_values_come_out_exactly_as_they_came_in() -> None:
    result = mapped(
        MappingRule("id", path=("id",)),
        MappingRule("total", path=("total",)),
        MappingRule("odd", path=("a.b", "c d", "", "\"'")),
        MappingRule("note", path=("note",)),
        MappingRule("all", path=()),
    )
    assert dumps_text(result.values["id"]) == "12345678901234567890123"
    assert dumps_text(result.values["total"]) == "1.10"
    assert result.values["odd"] == "odd"
    assert result.values["note"] is None
    assert result.values["all"] is SHOP
    assert result.missing == ()


def test_a_rule_that_fails_harms_no_other() -> None:
    result = mapped(
        MappingRule("gone", path=("nothing", 0)),
        MappingRule("bad", path=("items",), convert="integer"),
        MappingRule("query", jsonpath="$["),
        MappingRule("total", path=("total",)),
    )
    assert result.values == {"total": SHOP["total"]}
    assert result.missing == ("gone", "bad", "query")
    assert [one.state for one in result.rows] == ["missing", "missing", "missing", "ok"]
    assert all(one.why.endswith(".") for one in result.rows[:3])


def test_a_default_is_delivered_and_the_attribute_is_missing_as_well() -> None:
    result = mapped(
        MappingRule("a", path=("gone",), default="none yet"),
        MappingRule("b", path=("gone",), default=None),
        MappingRule("c", path=("total",), default=5),
    )
    assert result.values == {"a": "none yet", "b": None, "c": SHOP["total"]}
    assert result.missing == ("a", "b")
    assert [one.state for one in result.rows] == ["default", "default", "ok"]


def test_a_failing_conversion_takes_the_default_too() -> None:
    result = mapped(MappingRule("a", path=("items", 0, "sku"), convert="integer", default=0))
    assert result.values == {"a": 0}
    assert "“A” is not a number." in result.rows[0].why


def test_a_rule_that_is_off_gives_a_row_and_nothing_else() -> None:
    result = mapped(MappingRule("a", path=("total",), on=False), MappingRule("b", path=("gone",), default=1, on=False))
    assert result.values == {}
    assert result.missing == ()
    assert [one.state for one in result.rows] == ["off", "off"]


def test_without_a_document_only_the_call_and_the_defaults_give_values() -> None:
    result = mapped(
        MappingRule("status", call="status"),
        MappingRule("error", call="error"),
        MappingRule("ms", call="duration_ms"),
        MappingRule("whole", path=()),
        MappingRule("query", jsonpath="$"),
        MappingRule("with_default", path=("a",), default=""),
        MappingRule("header", call="header:Retry-After"),
        document=None,
        has_document=False,
        call=CallFacts(status=None, error="timeout", duration_ms=60000, headers=()),
    )
    assert result.values == {"status": None, "error": "timeout", "ms": 60000, "with_default": ""}
    assert result.missing == ("whole", "query", "with_default", "header")


def test_a_null_document_is_a_document() -> None:
    assert mapped(MappingRule("a", path=()), document=None).values == {"a": None}


@pytest.mark.parametrize(
    ("call", "take", "value"),
    [
        ("status", "one", 200), ("error", "one", None), ("duration_ms", "one", 41), ("header:x-total", "one", "12"),
        ("header:LINK", "one", "a"), ("header:Link", "last", "b"), ("header:Link", "all", ["a", "b"]), ("header:Link", "count", 2),
        ("header:None", "all", []), ("header:None", "count", 0), ("header:Empty", "one", ""),
    ],
)  # fmt: skip
def test_the_call_itself_can_be_mapped(call: str, take: Any, value: Any) -> None:
    assert row(call=call, take=take).value == value


def test_a_header_is_converted_like_any_value() -> None:
    assert row(call="header:X-Total", convert="integer").value == 12
    assert row(call="header:X-None").state == "missing"


@pytest.mark.parametrize(
    ("path", "take", "value"),
    [
        (("items", 1, "sku"), "one", "B"),
        (("items",), "count", 3),
        (("items",), "last", {"n": 3}),
        (("items",), "all", SHOP["items"]),
        (("items", 0, "sku"), "all", ["A", "B"]),
        (("items", 0, "sku"), "count", 2),
        (("items", 0, "n"), "all", [1, None, 3]),
        (("items", 0, "n"), "last", 3),
        (("items", 0), "all", SHOP["items"]),
        (("items", 0, "tags"), "all", ["x", "y"]),
        (("items", 0, "tags"), "count", 2),
        (("items", 0, "tags"), "last", "y"),
        (("items", 1, "tags"), "all", []),
        (("items", 1, "tags"), "count", 0),
        (("items", 0, "tags", 0), "all", ["x", "y"]),
        (("grid", 0, 0), "all", [1, 2]),
        (("grid", 0), "last", 2),
        (("empty",), "all", []),
        (("empty",), "count", 0),
        (("empty", 0, "x"), "all", []),
        (("empty", 0, "x"), "count", 0),
        (("none",), "all", None),
        (("none",), "count", None),
    ],
)
def test_take_chooses_from_the_list_at_the_path_or_at_its_last_index(path: Path, take: Any, value: Any) -> None:
    found = row(path=path, take=take)
    assert (found.state, found.value) == ("ok", value)


@pytest.mark.parametrize(
    ("path", "take"),
    [
        (("items", 0, "sku"), "last"),
        (("items", 2, "tags"), "all"),
        (("items", 9, "sku"), "one"),
        (("items", -1), "one"),
        (("items", "0"), "one"),
        ((0,), "one"),
        (("total",), "all"),
        (("total", 0), "all"),
        (("empty",), "last"),
        (("empty", 0, "x"), "last"),
        (("items", 0, "nothing"), "all"),
        (("items", 0, "nothing"), "count"),
        (("gone", 0, "x"), "count"),
        (("note", "deeper"), "one"),
    ],
)
def test_where_there_is_nothing_to_take_the_attribute_is_missing(path: Path, take: Any) -> None:
    assert row(path=path, take=take).state == "missing"


@pytest.mark.parametrize(
    ("query", "take", "value"),
    [
        ("$.items[?@.sku=='B'].sku", "one", "B"),
        ("$.items[*].n", "last", 3),
        ("$.items[*].sku", "all", ["A", "B"]),
        ("$.items[?@.n>0].n", "count", 2),
        ("$.items[?@.sku=='Z']", "count", 0),
        ("$.items[?@.sku=='Z']", "all", []),
        ("$.note", "one", None),
    ],
)
def test_a_query_stands_in_place_of_a_path(query: str, take: Any, value: Any) -> None:
    found = row(jsonpath=query, take=take)
    assert (found.state, found.value) == ("ok", value)


@pytest.mark.parametrize(
    ("query", "take"), [("$.items[?@.sku=='Z']", "one"), ("$.gone[*].a", "count"), ("$.gone[*].a", "all")]
)
def test_a_query_in_a_place_that_is_gone_is_missing_and_not_zero(query: str, take: Any) -> None:
    assert row(jsonpath=query, take=take).state == "missing"


def test_a_query_that_is_too_much_work_is_missing_with_a_reason() -> None:
    document: Any = [{"a": [{}] * 1000} for _ in range(300)]
    found = row(document=document, jsonpath="$..*..*..*", take="count")
    assert found.state == "missing"
    assert "too many values" in found.why


def test_a_list_is_converted_item_by_item_except_to_json() -> None:
    assert row(path=("items", 0, "n"), take="all", convert="text").value == ["1", None, "3"]
    assert row(path=("items", 0, "n"), take="all", convert="json").value == "[1,null,3]"
    assert row(path=("items", 0, "sku"), take="all", convert="integer").state == "missing"
    assert row(path=("items", 0, "tags"), convert="text").value == '["x","y"]'
    assert row(path=("items",), take="count", convert="text").value == "3"


# ---------------------------------------------------------------- checking


def faults(*rules: MappingRule) -> list[tuple[int, str]]:
    found = check_rules(rules)
    assert all(sentence.endswith(".") for _, _, sentence in found)
    return [(index, member) for index, member, _ in found]


def test_good_rules_have_no_faults() -> None:
    rules = [
        MappingRule("order.id", path=("a", 0)),
        MappingRule("_x-1", jsonpath="$.a[*]", take="all", convert="text"),
        MappingRule("s", call="header:X-Y"),
        MappingRule("root", path=()),
        MappingRule("order.id", path=("b",), on=False),
    ]
    assert check_rules(rules) == []


def test_two_rules_for_one_attribute_are_refused_with_a_sentence() -> None:
    one = MappingRule("status", path=("a",))
    assert faults(one, replace(one, path=("b",)), replace(one, call="status", path=None)) == [
        (1, "attribute"),
        (2, "attribute"),
    ]
    assert "already filled by rule 1" in check_rules([one, one])[0][2]
    assert faults(one, replace(one, on=False)) == []


@pytest.mark.parametrize("name", ["", "1a", "a b", "ä", "a" * 101, "secret.token", "secret.", "a}", "-a", ".a", "a\n"])
def test_an_attribute_needs_a_name_that_can_be_written_between_braces(name: str) -> None:
    assert faults(MappingRule(name, path=("a",))) == [(0, "attribute")]


def wrong(value: Any) -> Any:
    """A value that the types forbid, as an import may hold it."""
    return value


@pytest.mark.parametrize(
    ("rule", "member"),
    [
        (MappingRule("a"), "path"),
        (MappingRule("a", path=("a",), call="status"), "path"),
        (MappingRule("a", path=("a", -1)), "path"),
        (MappingRule("a", path=("a", True)), "path"),
        (MappingRule("a", path=("a", wrong(1.5))), "path"),
        (MappingRule("a", jsonpath="$["), "jsonpath"),
        (MappingRule("a", jsonpath=""), "jsonpath"),
        (MappingRule("a", call="headers"), "call"),
        (MappingRule("a", call="header:"), "call"),
        (MappingRule("a", path=(), take=wrong("first")), "take"),
        (MappingRule("a", path=(), convert=wrong("money")), "convert"),
    ],
)
def test_a_wrong_rule_is_named_by_its_member(rule: MappingRule, member: str) -> None:
    assert faults(rule) == [(0, member)]


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("1e400", "The number 1e400 is outside the range that can be kept."),
        ("NaN", "NaN stands where a value should be; JSON has no such number."),
        ("-Infinity", "-Infinity stands where a value should be; JSON has no such number."),
        ("9" * 5000, "A number has more than 4,300 digits."),
        ("0." + "9" * 5000, "A number has more than 4,300 digits."),
    ],
)
def test_a_number_that_cannot_be_kept_harms_only_who_maps_it(number: str, why: str) -> None:
    document = loads(f'{{"a": 5, "z": {number}, "in": {{"z": [{number}]}}}}', bad_numbers=True)
    rules = [
        MappingRule("a", path=("a",)),
        MappingRule("z", path=("z",)),
        MappingRule("text", path=("z",), convert="text"),
        MappingRule("list", path=("in", "z"), take="all"),
        MappingRule("object", path=("in",)),
        MappingRule("object_text", path=("in",), convert="text"),
        MappingRule("default", path=("z",), default=0),
        MappingRule("count", path=("in", "z"), take="count"),
        MappingRule("filtered", jsonpath="$[?@ > 3 || @ < 3]", take="all"),
    ]
    result = apply_rules(rules, document, True, CALL)
    assert result.values == {"a": 5, "default": 0, "count": 1, "filtered": [5]}
    assert result.missing == ("z", "text", "list", "object", "object_text", "default")
    assert {row.why for row in result.rows} == {"", why}
