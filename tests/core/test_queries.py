"""Queries as people write them: the right spelling in the error, and attributes that can be nothing but a value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpstep.core.answer.mapping import CallFacts, apply_rules
from httpstep.core.answer.rulecheck import check_rules
from httpstep.core.document import renaming, stepdocument
from httpstep.core.document.stepdocument import DocumentError
from httpstep.core.jsontext import Json, loads
from httpstep.core.query.jsonpath import check_query, searched_path, singular_path
from httpstep.core.request.rendering import attributes_used
from httpstep.core.step.execution import MappedRow
from httpstep.core.step.spec import MappingRule, RequestSpec, StepSpec


def row(rule: MappingRule, document: Json, given: dict[str, Json] | None = None) -> MappedRow:
    (found,) = apply_rules([rule], document, True, CallFacts(200, None, 1, (), given or {})).rows
    return found


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("$.data.75001", "['75001']"),
        ("$.data.75001.name", "['75001']"),
        ("$.@odata.id", "['@odata.id']"),
        ("$.items[?(@.a==1 and @.b==2)]", "&&"),
        ("$.items[?@.a==1 or @.b==2]", "||"),
        ("$.items[?not @.sold]", "[?!@.sold]"),
        ("$.items[?(@.name =~ /foo.*/i)]", "search(@.name, 'foo.*')"),
        ("$.items[?@.a = 1]", "=="),
        ("$.items[?@.a === 1]", "one “=” too many"),
        ("$.items[?@.a <> 1]", "!="),
        ("$.items[(@.length-1)]", "[-1]"),
        ("$.items[?@.tags.length() > 2]", "length(@.tags)"),
        ("$.items.length()", "how many"),
        ("$.items[].name", "[*]"),
        ("$items[0].name", "$.items"),
        ("$.items[?contains(@.name, 'foo')]", "search(@.name"),
        ("$.items[?@.name.startsWith('foo')]", "search(@.name"),
        ("$.items[name]", "['name']"),
        ("$.items[?@.a in ['x']]", "||"),
        ("data.items.0.name", "$.data.items[0].name"),
        ("items[0].name", "$.items[0].name"),
    ],
)
def test_the_error_shows_the_right_spelling(query: str, hint: str) -> None:
    sentence = check_query(query) or ""
    assert (
        hint in sentence and "selector" not in sentence and "token" not in sentence and sentence.endswith((".", "]."))
    )


@pytest.mark.parametrize(
    "query", ["$.data[", "$.a[?@.b == 'x]", "$..", "$.a b", "$.a[?@.b ==]", "$.a['b'", "$[?]", "$.a[1:2:3:4]"]
)
def test_any_other_error_is_in_plain_words(query: str) -> None:
    sentence = check_query(query) or ""
    assert sentence.startswith("The query is not right") and not {"selector", "TOKEN", "token"} & set(sentence.split())


def test_what_is_in_quotes_is_no_habit() -> None:
    assert check_query("$.items[?@.name == 'this and that = 1']") is None
    assert "and" not in (check_query("$.items[?@.name == 'this and that'") or "and")


@pytest.mark.parametrize(
    ("query", "told"), [("$.items[?@.tags.length > 2]", "length(@.tags)"), ("$.items[?(@.length-1)]", "[-1]")]
)
def test_length_as_a_name_in_a_filter_that_finds_nothing_says_how_it_is_written(query: str, told: str) -> None:
    found = row(MappingRule("n", jsonpath=query), {"items": [{"tags": [1, 2, 3]}]})
    assert found.state == "missing" and told in found.why
    quoted = row(MappingRule("n", jsonpath="$.items[?@.a == '@.tags.length']"), {"items": [{"a": 1}]})
    assert quoted.state == "missing" and "length(" not in quoted.why


def test_length_as_a_name_that_finds_nothing_says_how_to_count() -> None:
    found = row(MappingRule("n", jsonpath="$.items.length"), {"items": [1, 2]})
    assert found.state == "missing" and "$.items and take “how many”" in found.why
    assert row(MappingRule("n", jsonpath="$.items.length"), {"items": {"length": 2}}).value == 2


# ---------------------------------------------------------------- attributes in a query

ITEMS: Json = {
    "items": [{"sku": "a", "p": 1}, {"sku": 'it\'s "b"\\', "p": 2}, {"sku": 5, "p": 3}, {"sku": None, "p": 4}]
}


@pytest.mark.parametrize(
    ("query", "value", "found"),
    [
        ("$.items[?@.sku == {{sku}}].p", "a", 1), ("$.items[?@.sku == '{{sku}}'].p", "it's \"b\"\\", 2),
        ('$.items[?@.sku == "{{sku}}"].p', "it's \"b\"\\", 2), ("$.items[?@.sku == {{sku}}].p", "it's \"b\"\\", 2),
        ("$.items[?@.sku == {{sku}}].p", 5, 3), ("$.items[?@.sku == {{sku|number}}].p", "5", 3), ("$.items[?@.sku == {{sku}}].p", None, 4),
        ("$.items[{{sku}}].p", 1, 2), ("$[{{sku}}][0].p", "items", 1), ("$['{{sku}}'][0].p", "items", 1),
    ],
)  # fmt: skip
def test_an_attribute_stands_for_its_value(query: str, value: Json, found: int) -> None:
    rule = MappingRule("p", jsonpath=query)
    assert check_rules([rule]) == [] and row(rule, ITEMS, {"sku": value}).value == found


@given(st.text(), st.sampled_from(["{{v}}", "'{{v}}'", '"{{v}}"', "'x\\\\{{v}}'"]))
def test_no_value_is_more_than_a_value(value: str, written: str) -> None:
    """A value that ended its text would find the others, too, or make a query that cannot be read."""
    document: Json = {"items": [{"k": f"x\\{value}" if "x" in written else value, "p": 1}, {"k": "other", "p": 2}]}
    rule = MappingRule("p", jsonpath=f"$.items[?@.k == {written} && @.p == 1].p", take="all")
    assert row(rule, document, {"v": value}).value == [1]


@pytest.mark.parametrize("value", ["' || true || '", "'] || $..[?'", "a' && '1'=='1"])
@pytest.mark.parametrize("written", ["{{v}}", "'{{v}}'", '"{{v}}"'])
def test_a_value_written_as_a_query_finds_nothing(value: str, written: str) -> None:
    found = row(MappingRule("p", jsonpath=f"$.items[?@.sku == {written}].p", take="all"), ITEMS, {"v": value})
    assert found.value == []


@pytest.mark.parametrize(
    ("query", "given", "words"),
    [
        ("$.items[?@.sku == {{sku}}].p", {}, "“sku” is not there"),
        ("$.items[?@.sku == {{sku}}].p", {"sku": [1]}, "a list or an object"),
        ("$.items[?@.sku == {{secret.K}}].p", {"secret.K": "x"}, "secret"),
        ("$.items[?@.sku == {{sku|number}}].p", {"sku": "x"}, "not a number"),
    ],
)
def test_a_value_that_cannot_stand_there_is_missing_with_the_reason(
    query: str, given: dict[str, Json], words: str
) -> None:
    found = row(MappingRule("p", jsonpath=query), ITEMS, given)
    assert found.state == "missing" and words in found.why


def test_where_a_query_with_an_attribute_searches_is_known_as_far_as_it_is_fixed() -> None:
    assert searched_path("$.items[?@.sku == {{sku}}].p") == ("items",)
    assert searched_path("$.items[{{i}}].p") == ("items",) and singular_path("$.items[{{i}}].p") is None
    assert singular_path("$.items[0]") == ("items", 0)


def test_the_attributes_of_queries_are_asked_for_and_renamed() -> None:
    rule = MappingRule("p", jsonpath="$.items[?@.sku == {{sku|number}}].p")
    spec = StepSpec(request=RequestSpec(url="https://x.example/{{a}}"), mapping=(rule,))
    assert attributes_used(spec) == ["a", "sku"]
    (changed,) = renaming.renamed(spec, "sku", "item.sku", frozenset({"sku"})).mapping or ()
    assert changed.jsonpath == "$.items[?@.sku == {{item.sku|number}}].p"
    assert "sku" in renaming.placeholders_of(spec)


# ---------------------------------------------------------------- what people need of a value


def test_a_path_goes_on_below_a_text_that_holds_json() -> None:
    document = loads(r'{"response": {"response_json": "{\"rating\":\"good\",\"n\":1.10,\"l\":[{\"a\":1},{\"a\":2}]}"}}')
    way = ("response", "response_json")
    assert row(MappingRule("w", path=way), document).value == '{"rating":"good","n":1.10,"l":[{"a":1},{"a":2}]}'
    assert row(MappingRule("r", path=(*way, "rating")), document).value == "good"
    assert row(MappingRule("r", path=(*way, "l", 0, "a"), take="all"), document).value == [1, 2]
    assert str(row(MappingRule("n", path=(*way, "n")), document).value) == "1.10"
    parsed: Any = row(MappingRule("w", path=way, convert="parse"), document).value
    assert parsed["rating"] == "good"
    for text in ("{", "plain", "[", '"a"', "{'a': 1}"):
        assert row(MappingRule("r", path=("t", "a")), {"t": text}).state == "missing"


def test_a_list_of_a_query_is_joined_for_a_message() -> None:
    document: Json = {"orders": [{"items": [{"sku": "A"}, {"sku": "B"}]}, {"items": []}, {"items": [{"sku": "C"}]}]}
    rule = MappingRule("skus", jsonpath="$.orders[*].items[*].sku", take="all", convert="join")
    assert row(rule, document).value == "A, B, C"
    parsed: Any = stepdocument.parse_rules(
        [{"attribute": "a", "path": ["x"], "convert": "join", "separator": "\n", "take": "all"}]
    )
    assert row(parsed[0], {"x": [1, 2]}).value == "1\n2"


def test_a_phone_rule_has_a_region_and_a_wrong_one_is_said() -> None:
    (rule,) = stepdocument.parse_rules([{"attribute": "p", "path": ["p"], "convert": "phone", "region": "DE"}])
    assert row(rule, {"p": "030 901820"}).value == "+4930901820"
    assert stepdocument.dump_rules([rule])[0]["region"] == "DE"
    assert "region" not in stepdocument.dump_rules([MappingRule("a", path=("a",))])[0]
    wrong = {"attribute": "p", "path": ["p"], "convert": "phone", "region": "Germany"}
    with pytest.raises(DocumentError, match="two letters"):
        stepdocument.parse({"name": "A", "request": {"method": "GET", "url": "https://x.example"}, "mapping": [wrong]})
