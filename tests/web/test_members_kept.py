"""Opening a step and saving it keeps every member of its document, those that the form has no field for as well."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from httpstep.core.document import stepdocument
from httpstep.core.step import members
from httpstep.core.step.spec import Body, RequestSpec, StepSpec
from httpstep.web import stepform
from tests.house import document
from tests.web.conftest import Web
from tests.web.screen import open_step

BASE: Final = stepdocument.parse(document("order-status"))
OBJECTS: Final = {"": StepSpec, "request": RequestSpec, "request.body": Body}
NEEDS_MORE: Final = {"request.url", "name", "key"}
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


def having(spec: StepSpec, place: str, value: Any) -> StepSpec:
    *way, last = place.split(".")
    if way == ["request", "body"]:
        return replace(spec, request=replace(spec.request, body=replace(spec.request.body, **{last: value})))
    return replace(spec, request=replace(spec.request, **{last: value})) if way else replace(spec, **{last: value})


def test_the_table_has_the_members_this_is_about() -> None:
    assert {"timeout", "fallback", "request.method", "request.body.mode", "enabled"} <= {place for place, _ in cases()}


@pytest.mark.parametrize(("place", "value"), cases(), ids=[place for place, _ in cases()])
def test_a_member_survives_opening_and_saving(web: Web, place: str, value: Any) -> None:
    spec = having(BASE, place, value)
    assert web.house.put(stepdocument.dump(spec)).status_code < 300
    saved = open_step(web.as_("alice")).press("save")
    assert saved.status == 200, saved.text
    assert stepdocument.parse(web.house.call("GET", "/steps/order-status").json) == spec


def test_what_the_form_has_no_field_for_is_kept_where_it_is() -> None:
    whole = {"a": 1, "request": {"url": "x", "later": [1], "body": {"mode": "none"}}}
    assert stepform.beside(whole, {"request": {"url": "", "body": {"mode": ""}}}) == {"a": 1, "request": {"later": [1]}}
    form = stepform.of_spec(BASE)
    assert form.kept == ""
    form.kept = '{"description": "for tools", "request": {"later": true}}'
    made, _ = stepform.document_of(form)
    assert (made["description"], made["request"]["later"]) == ("for tools", True)
    assert made["request"]["url"] == BASE.request.url
    for broken in ("{", "[]", "x", '{"name": "another"}'):
        form.kept = broken
        assert stepform.parse(form) == BASE
