"""Opening a step and saving it keeps every member of its document, those that the form has no input for as well.

The members come from the table. Each is also taken as one that the form does not know, and later ones are put into the
table: none of it may need a line in `web/stepform`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

import pytest
from msgspec import defstruct
from msgspec.structs import replace

from httpstep.core.document import stepdocument
from httpstep.core.step import members
from httpstep.core.step.spec import Body, MappingRule, Pair, RequestSpec, StepSpec
from httpstep.web import stepform
from httpstep.web.stepform import fields as fields_of_form
from httpstep.web.stepform import inputs, opening, parsing
from tests.house import document
from tests.web.conftest import Web
from tests.web.screen import open_step

SQLITE_ONLY = "the members are kept by the form"
RULE: Final = {"path": ["data", "id"], "attribute": "order.id"}
ROW: Final = {"name": "X-Channel", "value": "chat"}
REQUEST: Final = {
    "url": "https://api.example", "headers": [ROW, ROW | {"name": "X-More"}], "body": {"mode": "query", "fields": [ROW, ROW]},
}  # fmt: skip
WHOLE: Final = document("order-status", mapping=[RULE, RULE | {"attribute": "second"}]) | {"request": REQUEST}
BASE: Final = stepdocument.parse(WHOLE)
OBJECTS: Final[dict[str, type]] = {
    "": StepSpec, "request": RequestSpec, "request.body": Body,
    "mapping.1": MappingRule, "request.headers.1": Pair, "request.body.fields.1": Pair,
}  # fmt: skip
NEEDS_MORE: Final = {
    "request.url", "name", "key", "mapping.1.jsonpath", "mapping.1.call", "mapping.1.attribute", "mapping.1.region",
    "request.headers.1.name",
}  # fmt: skip
"""Members whose value is checked against more than their kind."""


def other(kind: Any, default: Any) -> Any:
    """A value of that kind that is not its default."""
    if isinstance(kind, members.Flag):
        return not default
    if isinstance(kind, members.Word):
        return next(word for word in kind.labels if word != default)
    return {members.Number: 2, members.Text: "200, 201", members.Texts: ("a@b.example",)}.get(type(kind))


def cases() -> list[tuple[str, Any]]:
    """(place, value) of each scalar member in the table."""
    found = []
    for place, described in OBJECTS.items():
        for one in members.members_of(described):
            value = other(one.kind, one.default)
            at = f"{place}.{one.attribute}".lstrip(".")
            if value is not None and at not in NEEDS_MORE:
                found.append((at, value))
    return found


def having(holder: Any, place: str, value: Any) -> Any:
    """The object with another value at that place."""
    at, _, rest = place.partition(".")
    if isinstance(holder, tuple):
        index = int(at)
        return (*holder[:index], having(holder[index], rest, value), *holder[index + 1 :])
    return replace(holder, **{at: having(getattr(holder, at), rest, value) if rest else value})


def test_the_table_has_the_members_this_is_about() -> None:
    places = {place for place, _ in cases()}
    assert {"timeout", "fallback", "request.method", "request.body.mode", "enabled", "mapping.1.take"} <= places
    assert {"mapping.1.on", "request.headers.1.value", "request.body.fields.1.name"} <= places


@pytest.mark.parametrize(("place", "value"), cases(), ids=[place for place, _ in cases()])
def test_a_member_survives_opening_and_saving(web: Web, place: str, value: Any) -> None:
    spec = having(BASE, place, value)
    assert web.house.put(stepdocument.dump(spec)).status_code < 300
    saved = open_step(web.as_("alice")).press("save")
    assert saved.status == 200, saved.text
    assert stepdocument.parse(web.house.call("GET", "/steps/order-status").json) == spec


def test_every_input_of_the_table_is_on_the_page(web: Web) -> None:
    assert web.house.put(WHOLE).status_code < 300
    names = set(re.findall(r'name="([^"]+)"', open_step(web.as_("alice")).html))
    assert {one.name for one in inputs.inputs_of(StepSpec)} <= names
    assert {f"rule-1-{one.name}" for one in inputs.inputs_of(MappingRule)} <= names
    assert {f"{stem}_{one.name}" for one in inputs.inputs_of(Pair) for stem in ("header", "field")} <= names


# ---------------------------------------------------------------- members that the form does not know

UNTYPED: Final = [
    case for case in cases() if case[0] not in ("request.body.mode", "request.body.text") and not case[0].endswith((".name", ".value"))
]  # fmt: skip
"""All but the one that decides which part of the form there is, the text that has two inputs, and what makes a row."""


@pytest.mark.parametrize(("place", "value"), UNTYPED, ids=[place for place, _ in UNTYPED])
def test_a_member_without_an_input_is_kept_where_it_is(monkeypatch: pytest.MonkeyPatch, place: str, value: Any) -> None:
    at, _, name = place.rpartition(".")
    found = [replace(one, typed=one.typed and one.name != name) for one in members.members_of(OBJECTS[at])]
    monkeypatch.setitem(members._KNOWN, OBJECTS[at], tuple(found))
    for module in (fields_of_form, opening, parsing):
        monkeypatch.setattr(module, "inputs_of", inputs.inputs_of.__wrapped__)
    spec = having(BASE, place, value)
    form = stepform.of_spec(spec)
    kept = [form.kept, *(row.kept for row in (*form.rules, *form.headers, *form.fields))]
    assert any(f'"{name}":' in text for text in kept)
    assert stepform.parse(form) == spec


def later(described: type, name: str) -> type:
    """The class as it will be when the table has one member more."""
    added = (name, Annotated[str, members.member(members.Text(), label="Later")], "")
    return defstruct(described.__name__, [added], bases=(described,), frozen=True)


@pytest.fixture
def tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table with one member more in each row."""
    rule, pair = later(MappingRule, "note"), later(Pair, "note")
    for described, name, row in ((StepSpec, "mapping", rule), (RequestSpec, "headers", pair), (Body, "fields", pair)):
        found = [
            replace(one, kind=replace(one.kind, described=row)) if one.name == name else one
            for one in members.members_of(described)
        ]
        monkeypatch.setitem(members._KNOWN, described, tuple(found))
    monkeypatch.setattr(stepdocument, "MappingRule", rule)


@pytest.mark.usefixtures("tomorrow")
def test_a_later_member_of_a_row_stays_in_its_row(web: Web) -> None:
    rows = [ROW, ROW | {"name": "X-More", "note": "leave out"}]
    request = {"url": "https://api.example", "headers": rows, "body": {"mode": "query", "fields": rows}}
    rules = [RULE, RULE | {"attribute": "second", "note": "for tools"}]
    assert web.house.put(WHOLE | {"request": request, "mapping": rules}).status_code < 300
    screen = open_step(web.as_("alice")).press("add_field").press("add_header").press("map:$['data']['name']")
    screen.press(f"remove_rule:{screen.rule('order.id')}").press("remove_header:0").press("body_mode").press("save")
    assert screen.status == 200, screen.text
    saved = web.house.call("GET", "/steps/order-status").json
    assert [(rule["attribute"], rule["note"]) for rule in saved["mapping"]] == [("second", "for tools"), ("name", "")]
    assert [(row["name"], row["note"]) for row in saved["request"]["headers"]] == [("X-More", "leave out")]
    assert [row["note"] for row in saved["request"]["body"]["fields"]] == ["", "leave out"]


def test_what_is_kept_may_be_forged() -> None:
    form = stepform.of_spec(BASE)
    assert form.kept == ""
    form.kept = '{"description": "for tools", "request": {"later": true}}'
    made, _ = stepform.document_of(form)
    assert (made["description"], made["request"]["later"]) == ("for tools", True)
    assert made["request"]["url"] == BASE.request.url
    for broken in ("{", "[]", "x", '{"name": "another"}', '{"request": 1}'):
        form.kept = broken
        assert stepform.parse(form) == BASE
