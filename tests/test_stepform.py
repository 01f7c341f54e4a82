"""The form and the step document: nothing is lost on the way, and every fault has the place it is shown at."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from httpstep.core.document import stepdocument
from httpstep.core.jsontext import Json
from httpstep.core.step.spec import StepSpec
from httpstep.web import stepform


def sent(**fields: Any) -> MultiDict[str, str]:
    pairs: list[tuple[str, str]] = []
    for name, value in fields.items():
        pairs += [(name, one) for one in (value if isinstance(value, list) else [value])]
    return MultiDict(pairs)


def shown_again(form: stepform.StepForm) -> MultiDict[str, str]:
    """The form as a browser would send it back untouched."""
    pairs = [("options", "1")]
    for stem, rows in (("header", form.headers), ("field", form.fields)):
        pairs += [(f"{stem}_{member}", getattr(row, member)) for row in rows for member in ("name", "value")]
    pairs += [(f"auth_{member}", text) for member, text in form.auth.items()]
    for name, value in vars(form).items():
        if isinstance(value, bool):
            pairs += [(name, "1")] if value else []
        elif isinstance(value, str):
            pairs.append((name, value))
    for row in form.rules:
        pairs.append(("rule", row.id))
        pairs += [
            (f"rule-{row.id}-{member}", getattr(row, member))
            for member in ("source", "kind", "attribute", "take", "convert", "default")
        ]
        pairs += [(f"rule-{row.id}-on", "1")] if row.on else []
    return MultiDict(pairs)


def again(spec: StepSpec) -> StepSpec | None:
    form = stepform.read(shown_again(stepform.of_spec(spec)))
    found = stepform.parse(form)
    assert form.faults == {}
    return found


values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(-1000, 1000, places=3).map(lambda d: Decimal(str(d)))
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=4), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(values)
def test_a_value_shown_and_typed_again_is_the_same(value: Json) -> None:
    assert stepform.typed_value(stepform.typed_text(value)) == value


@given(st.text(max_size=30))
def test_a_text_typed_into_a_default_never_fails(text: str) -> None:
    stepform.typed_value(text)


paths = st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=8) | st.integers(0, 99), max_size=5)


@given(paths, values, st.sampled_from(["one", "last", "all", "count"]))
def test_a_rule_shown_and_sent_again_is_the_same(path: list[str | int], default: Json, take: str) -> None:
    rule = {"path": path, "attribute": "a", "take": take, "default": default}
    document = {"name": "S", "request": {"url": "https://a.example"}, "mapping": [rule]}
    spec = stepdocument.parse(document)
    assert again(spec) == spec


def test_the_document_with_all_defaults_survives() -> None:
    spec = stepdocument.parse({"name": "S", "request": {"url": "https://a.example"}})
    assert again(spec) == spec


def test_a_form_without_the_options_leaves_the_step_switched_on() -> None:
    spec = stepform.parse(stepform.read(sent(name="S", url="https://a.example")))
    assert spec is not None
    assert (spec.enabled, spec.follow_redirects, spec.mapping) == (True, True, None)


def test_an_unticked_box_of_a_form_with_options_is_off() -> None:
    spec = stepform.parse(stepform.read(sent(name="S", url="https://a.example", options="1")))
    assert spec is not None
    assert (spec.enabled, spec.follow_redirects) == (False, False)


def test_texts_of_both_body_modes_are_kept_on_the_screen() -> None:
    form = stepform.read(sent(body_mode="json", json_text="{}", raw_text="raw\r\ntext"))
    assert (form.json_text, form.raw_text) == ("{}", "raw\ntext")


def test_faults_keep_the_rows_they_are_in_though_blank_rows_are_dropped() -> None:
    form = stepform.read(
        sent(name="S", url="https://a.example", header_name=["", "Bad Name", ""], header_value=["", "x", ""])
    )
    assert stepform.parse(form) is None
    assert list(form.faults) == ["request.headers[1].name"]
    form.headers[1].name = "Good"
    spec = stepform.parse(form)
    assert spec is not None and [pair.name for pair in spec.request.headers] == ["Good"]


@pytest.mark.parametrize(
    ("source", "kind", "member"),
    [
        ("$['a'][0]", "", {"path": ["a", 0]}), ("$.a[0]", "", {"path": ["a", 0]}), ("$.a[*].b", "", {"jsonpath": "$.a[*].b"}),
        ("$.a", "jsonpath", {"jsonpath": "$.a"}), ("status", "", {"call": "status"}), ("header:ETag", "call", {"call": "header:ETag"}),
        ("$", "", {"path": []}),
    ],
)  # fmt: skip
def test_a_source_is_a_path_a_query_or_a_fact_of_the_call(source: str, kind: str, member: dict[str, Any]) -> None:
    form = stepform.StepForm(mapping_set=True, rules=[stepform.RuleRow("1", source, kind, "a")])
    rule = stepform.document_of(form)[0]["mapping"][0]
    assert {name: rule[name] for name in rule.keys() & {"path", "jsonpath", "call"}} == member


def test_many_rows_of_a_hostile_form_are_bounded() -> None:
    form = stepform.read(sent(rule=[str(number) for number in range(5000)]))
    assert len(form.rules) == 600
