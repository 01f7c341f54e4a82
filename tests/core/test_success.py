"""What the answer itself says of its success, and what a first answer suggests."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from httpstep.core.answer import success
from httpstep.core.answer.success import NOTHING, require, suggested
from httpstep.core.authentication import Auth
from httpstep.core.document import stepdocument
from httpstep.core.errors import FailureKind, Rejected
from httpstep.core.exchange import HttpResponse
from httpstep.core.jsontext import Json
from httpstep.core.outcome.mailtext import failure_sentence
from httpstep.core.step import members
from httpstep.core.step.spec import MappingRule, RequestSpec, StepSpec
from tests.fakes import answer

DOCUMENT: dict[str, Json] = {
    "format": "httpstep/1",
    "name": "A",
    "request": {"method": "GET", "url": "https://a.example/"},
}


def step(**more: Any) -> StepSpec:
    return stepdocument.parse(DOCUMENT | more)


def no(spec: StepSpec, document: Any, secrets: frozenset[str] = frozenset()) -> Rejected:
    with pytest.raises(Rejected) as refused:
        require(spec, answer(200, document), document, secrets)
    assert refused.value.kind is FailureKind.REJECTED
    return refused.value


OK = [{"path": ["ok"], "is": "equals", "value": True}]


@pytest.mark.parametrize(
    ("more", "document", "message"),
    [
        ({}, {"ok": False, "description": "Unauthorized"}, "The API said no: Unauthorized"),
        ({}, {"ok": "true"}, "The API said no: ok is \"true\"; it counts as success where it is true."),
        ({}, {"data": 1}, "The API said no: ok is missing; it counts as success where it is true."),
        ({"error_message": {"path": ["why", "text"]}}, {"ok": False, "message": "x", "why": {"text": "No credit"}}, "The API said no: No credit"),
        ({"error_message": {"jsonpath": "$.why[*].text"}}, {"ok": False, "why": [{"text": "a"}, {"text": "b"}]}, "The API said no: a; b"),
        ({"error_message": {"path": ["code"]}}, {"ok": False, "code": "E7", "message": "x"}, "The API said no: E7"),
        ({"error_message": {"path": ["gone"]}}, {"ok": False, "message": "x"}, "The API said no: x"),
    ],
)  # fmt: skip
def test_an_answer_that_says_no_is_rejected_with_its_words(more: dict[str, Json], document: Any, message: str) -> None:
    assert no(step(success_when=OK, **more), document).message == message


def test_all_conditions_have_to_hold() -> None:
    spec = step(
        success_when=[*OK, {"jsonpath": "$.errors[*]", "is": "missing"}, {"path": ["n"], "is": "above", "value": 0}]
    )
    require(spec, answer(), {"ok": True, "errors": [], "n": 1}, frozenset())
    assert "errors" in no(spec, {"ok": True, "errors": [3], "n": 1}).message
    assert "n is 0; it counts as success where it is above 0." in no(spec, {"ok": True, "errors": [], "n": 0}).message


def test_what_it_says_is_masked() -> None:
    spec = step(success_when=OK)
    assert "hunter2" not in no(spec, {"ok": "hunter2hunter2"}, frozenset({"hunter2hunter2"})).message
    assert (
        "hunter2"
        not in no(spec, {"ok": 0, "message": "x" * 292 + "hunter2hunter2"}, frozenset({"hunter2hunter2"})).message
    )


def test_the_members_survive_the_document_and_are_left_out_where_they_were_never_set() -> None:
    more: dict[str, Json] = {
        "success_when": [
            {"path": ["a", 0], "is": "one_of", "value": ["x", None]},
            {"jsonpath": "$.b", "is": "missing"},
        ],
        "error_message": {"path": ["error", "text"]},
        "expired_when": [{"path": ["code"], "is": "equals", "value": None}],
        "retry_rejected": True,
    }
    written = stepdocument.dump(step(**more))
    assert {name: written[name] for name in more} == more
    assert not set(more) & set(stepdocument.dump(step()))
    assert step(error_message=None, success_when=[]) == step()
    named = stepdocument.schemas()
    assert named["Step"]["properties"]["success_when"]["items"] == {"$ref": "#/components/schemas/AnswerCondition"}
    assert named["AnswerConditionByPath"]["required"] == ["is", "path"]


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"success_when": [{"path": ["a"], "is": "is", "value": 1}]}, "success_when[0].is"),
        ({"success_when": [{"path": ["a"], "is": "equals"}]}, "success_when[0].value"),
        ({"success_when": [{"path": ["a"], "is": "exists", "then": 1}]}, "success_when[0].then"),
        ({"success_when": {"path": ["a"]}}, "success_when"),
        ({"error_message": {}}, "error_message.path"),
        ({"expired_when": [{"is": "exists"}]}, "expired_when[0].path"),
    ],
)
def test_what_is_wrong_with_them_is_said_at_its_place(more: dict[str, Json], place: str) -> None:
    with pytest.raises(stepdocument.DocumentError) as refused:
        step(**more)
    assert place in {fault.place for fault in refused.value.faults}


RULE = MappingRule("a", path=("a",))


@pytest.mark.parametrize(
    ("status", "body", "rules", "conditions", "needed"),
    [
        (204, "", (replace(RULE, default=0),), [], False), (204, "", (), [], False), (205, "", (replace(RULE, default=None),), [], False),
        (204, "", (RULE,), [], True), (204, "", (RULE, replace(RULE, default=0)), [], True), (204, "", (replace(RULE, on=False),), [], False),
        (200, "", (replace(RULE, default=0),), [], True), (200, "", (), [], False), (200, "<p>", (), OK, True), (204, "", (), OK, False),
        (204, "x", (replace(RULE, default=0),), [], True),
    ],
)  # fmt: skip
def test_an_answer_without_a_document_is_a_failure_where_something_reads_one(
    status: int, body: str, rules: tuple[MappingRule, ...], conditions: list[Json], needed: bool
) -> None:
    spec = replace(step(success_when=conditions), mapping=rules)
    assert success.needs_document(spec, answer(status, text=body)) is needed


def test_conditions_on_an_answer_without_a_body_find_nothing_there() -> None:
    require(step(success_when=[{"path": ["error"], "is": "missing"}]), answer(204, text=""), NOTHING, frozenset())
    with pytest.raises(Rejected, match="ok is missing"):
        require(step(success_when=OK), answer(204, text=""), NOTHING, frozenset())


OAUTH = Auth("oauth2_client_credentials", {"token_url": "https://id.example/t", "client_id": "a", "client_secret": "b"})


@pytest.mark.parametrize(
    ("response", "expired"),
    [
        (answer(401), True), (answer(403), True), (answer(500), False), (answer(200, {"code": 0}), False),
        (answer(200, {"code": "TOKEN_EXPIRED"}), True), (answer(400, {"code": "TOKEN_EXPIRED"}), True), (answer(200, text="<p>"), False),
    ],
)  # fmt: skip
def test_a_token_has_expired_by_status_or_by_what_the_answer_says(response: HttpResponse, expired: bool) -> None:
    spec = step(expired_when=[{"path": ["code"], "is": "equals", "value": "TOKEN_EXPIRED"}])
    assert success.token_expired(spec, response) is expired


def test_an_answer_that_says_the_token_has_expired_is_no_success() -> None:
    spec = step(expired_when=[{"path": ["code"], "is": "equals", "value": "TOKEN_EXPIRED"}])
    document = {"code": "TOKEN_EXPIRED"}
    require(spec, answer(200, document), document, frozenset())
    assert (
        no(replace(spec, request=RequestSpec(url="https://a.example/", auth=OAUTH)), document).reason == "token_expired"
    )


@pytest.mark.parametrize(
    ("document", "conditions"),
    [
        ({"ok": True, "result": {}}, [(["ok"], "equals", True)]), ({"ok": False, "error": "x"}, [(["ok"], "equals", True), (["error"], "missing", None)]),
        ({"Success": True}, [(["Success"], "equals", True)]), ({"success": 1}, [(["success"], "equals", 1)]),
        ({"success": "false"}, [(["success"], "equals", "true")]), ({"success": "3 rows"}, []), ({"success": 7}, []),
        ({"error": None}, [(["error"], "equals", None)]), ({"error": False}, [(["error"], "equals", False)]), ({"error": True}, [(["error"], "equals", False)]),
        ({"errors": []}, [(["errors"], "equals", [])]), ({"data": None, "errors": [{"message": "x"}]}, [(["errors"], "missing", None)]),
        ({"error": 0}, [(["error"], "equals", 0)]), ({"error": ""}, [(["error"], "equals", "")]),
        ({"status": "error"}, [(["status"], "not_equals", "error")]), ({"status": "OK"}, [(["status"], "equals", "OK")]),
        ({"status": "shipped"}, []), ({"status": 200}, []), ([{"ok": True}], []), ({"data": {"ok": True}}, []), ({}, []), (None, []),
    ],
)  # fmt: skip
def test_a_first_answer_suggests_by_what_it_tells_its_success(document: Any, conditions: list[Any]) -> None:
    found = [members.write(one) for one in suggested(document)]
    assert [(one["path"], one["is"], one.get("value")) for one in found] == conditions
    for one in found:
        step(success_when=[one])


def test_a_mail_does_not_repeat_what_the_answer_said() -> None:
    detail: dict[str, Any] = {
        "failure": {"kind": "rejected", "reason": "rejected", "message": "The API said no: Jane Doe owes 12 EUR"},
        "request": None, "response": {"status": 200}, "tries": [],
    }  # fmt: skip
    sentence = failure_sentence(detail, [])
    assert "said no" in sentence
    assert "Jane" not in sentence
