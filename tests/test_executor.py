"""The line as a function: retries, tokens, time."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from msgspec.structs import replace

from httpstep.core import errors
from httpstep.core.authentication import Auth
from httpstep.core.drift import structure
from httpstep.core.exchange import HttpResponse
from httpstep.core.step.execution import Execution
from httpstep.core.step.spec import AnswerCondition, AnswerPlace, Body, MappingRule, RequestSpec, StepSpec
from httpstep.execution import executor
from tests.fakes import Clock, NoTokens, ThirdParty, answer

SPEC = StepSpec(key="a", name="A", request=RequestSpec(url="https://api.example/a"))
REFUSED = errors.NetworkError("No one listens there.", reason="refused")


def run(spec: StepSpec, third: ThirdParty, clock: Clock | None = None, **more: Any) -> Execution:
    clock = clock or Clock()
    return executor.execute(spec, {}, send=third, clock=clock, tokens=more.pop("tokens", NoTokens()), **more)


@pytest.mark.parametrize("first", [answer(429), answer(502), answer(503), answer(504), REFUSED])
def test_it_tries_again_on_no_answer_and_on_passing_statuses(first: HttpResponse | Exception) -> None:
    third = ThirdParty(first, answer(200, {"a": 1}))
    execution = run(replace(SPEC, retries=1), third)
    assert execution.outcome.outcome == "success"
    assert [one.status for one in execution.tries][-1] == 200
    assert len(execution.tries) == 2


@pytest.mark.parametrize(
    "first",
    [
        answer(500),
        answer(404),
        errors.Blocked("No.", reason="private"),
        errors.Cancelled("Gone.", reason="cancelled"),
        errors.TooLarge("Large.", reason="too_large_wire"),
    ],
)
def test_it_does_not_try_again_where_that_would_not_help(first: HttpResponse | Exception) -> None:
    third = ThirdParty(first, answer(200))
    assert run(replace(SPEC, retries=2), third).outcome.outcome != "success"
    assert len(third.requests) == 1


@pytest.mark.parametrize(("method", "tries"), [("POST", 1), ("PATCH", 1), ("PUT", 3), ("DELETE", 3), ("GET", 3)])
def test_post_and_patch_are_tried_again_only_if_ticked(method: str, tries: int) -> None:
    request = replace(SPEC.request, method=method)
    third = ThirdParty(answer(503))
    run(replace(SPEC, request=request, retries=2), third)
    assert len(third.requests) == tries
    ticked = ThirdParty(answer(503))
    run(replace(SPEC, request=request, retries=2, retry_unsafe=True), ticked)
    assert len(ticked.requests) == 3


def test_it_waits_as_long_as_retry_after_says() -> None:
    clock = Clock()
    run(replace(SPEC, retries=1), ThirdParty(answer(503, None, Retry_After="7"), answer(200)), clock)
    assert clock.waits == [7.0]


def test_a_retry_after_that_is_no_time_is_as_good_as_none() -> None:
    clock = Clock()
    date = "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"
    run(replace(SPEC, retries=1), ThirdParty(answer(503, None, Retry_After=date), answer(200)), clock)
    assert clock.waits == [0.5]


def test_it_waits_longer_before_the_second_further_try() -> None:
    clock = Clock()
    run(replace(SPEC, retries=2), ThirdParty(answer(503)), clock)
    assert clock.waits == [0.5, 1.0]


def test_a_retry_that_would_end_after_the_deadline_is_not_made() -> None:
    third = ThirdParty(answer(503, None, Retry_After="120"), answer(200))
    execution = run(replace(SPEC, retries=2), third)
    assert (len(third.requests), execution.outcome.outcome) == (1, "http_error")


def test_a_retry_beyond_the_budget_is_not_made_and_the_last_failure_stands() -> None:
    third = ThirdParty(answer(503), errors.BudgetSpent("Rate Limit Exceeded", reason="rate_limited"), answer(200))
    execution = run(replace(SPEC, retries=2), third)
    assert (execution.outcome.outcome, len(execution.tries)) == ("http_error", 1)


@pytest.mark.parametrize(("spec", "asked", "allowed"), [(60, None, 60), (60, 5.0, 5), (3, 30.0, 3), (60, 600.0, 60)])
def test_the_shortest_time_counts(spec: int, asked: float | None, allowed: float) -> None:
    deadlines = []

    def send(_request: object, deadline: float) -> HttpResponse:
        deadlines.append(deadline)
        return answer(200)

    clock = Clock()
    executor.execute(replace(SPEC, timeout=spec), {}, send=send, clock=clock, tokens=NoTokens(), timeout=asked)
    assert deadlines == [clock.now + allowed]


class Tokens:
    """Gives "old" first and "new" once "old" was refused."""

    def __init__(self) -> None:
        self.refused: list[str | None] = []

    def get(self, request: object, deadline: float, *, refused: str | None = None) -> str:
        self.refused.append(refused)
        return "old" if refused is None else "new"


class Refusing:
    def get(self, *_: object, **__: object) -> str:
        raise errors.HttpStatusError("The token address answered 401.", reason="token_refused")


OAUTH = Auth(
    "oauth2_client_credentials", {"token_url": "https://id.example/token", "client_id": "me", "client_secret": "secret"}
)


def test_a_refused_token_is_fetched_anew_once() -> None:
    third = ThirdParty(answer(401), answer(200, {"a": 1}))
    tokens = Tokens()
    spec = replace(SPEC, request=replace(SPEC.request, auth=OAUTH))
    execution = run(spec, third, tokens=tokens)
    assert execution.outcome.outcome == "success"
    assert tokens.refused == [None, "old"]
    sent = [dict(request.headers)["Authorization"] for request in third.requests]
    assert sent == ["Bearer old", "Bearer new"]


def test_a_token_refused_twice_is_a_failure_with_the_reason_the_api_gave() -> None:
    third = ThirdParty(answer(401, {"error": {"message": "unknown client"}}))
    spec = replace(SPEC, request=replace(SPEC.request, auth=OAUTH))
    execution = run(spec, third, tokens=Tokens())
    assert (len(third.requests), execution.outcome.outcome) == (2, "http_error")
    assert "unknown client" in (execution.outcome.message or "")


def test_it_knows_every_secret_of_the_step_whether_a_request_came_of_it_or_not() -> None:
    """A client secret that is typed, one that is stored, their Basic credential, and each token there was."""
    auth = OAUTH.having(client_secret="{{secret.CRM}}/typed")
    known = executor.Known(secrets={"CRM": "stored"}, hosts={"CRM": None})
    spec = replace(SPEC, request=replace(SPEC.request, auth=auth))
    credential = base64.b64encode(b"me:stored%2Ftyped").decode()
    failed = run(spec, ThirdParty(), tokens=Refusing(), known=known)
    assert failed.request is None
    assert {"stored", "stored/typed", credential} <= failed.secrets
    assert failed.token_url == "https://id.example/token"
    twice = run(spec, ThirdParty(answer(401)), tokens=Tokens(), known=known)
    assert {"stored", "stored/typed", credential, "old", "new"} <= twice.secrets
    broken = replace(
        spec, request=RequestSpec(url="https://api.example/{{gone}}", auth=Auth("bearer", {"token": "{{secret.CRM}}"}))
    )
    assert run(broken, ThirdParty(), known=known).secrets == {"stored"}


def test_nothing_is_sent_when_the_request_cannot_be_built() -> None:
    third = ThirdParty()
    broken = replace(SPEC, request=replace(SPEC.request, method="POST", body=Body("json", text='{"a": {{a}}}')))
    execution = run(broken, third)
    assert (third.requests, execution.outcome.outcome, execution.request) == ([], "invalid_request", None)


def test_a_failures_json_never_makes_the_automatic_mapping() -> None:
    execution = run(SPEC, ThirdParty(answer(401, {"error": "no"})))
    assert (execution.automatic, execution.structure, execution.has_document) == (None, None, False)


OK = (AnswerCondition(("ok",), None, "equals", True),)
NO = answer(200, {"ok": False, "message": "No such order"})


def test_an_answer_that_says_no_is_rejected_before_anything_is_learned_of_it() -> None:
    known = executor.Known(structure=structure.shape_of({"ok": True, "order": {"id": 1}}))
    execution = run(replace(SPEC, success_when=OK), ThirdParty(NO), known=known)
    assert (execution.outcome.outcome, execution.outcome.next) == ("rejected", "stop")
    assert execution.outcome.message == "The API said no: No such order"
    assert (execution.automatic, execution.structure, execution.has_document) == (None, None, False)
    assert not execution.drift


def test_an_answer_that_says_yes_is_mapped_as_ever() -> None:
    execution = run(replace(SPEC, success_when=OK), ThirdParty(answer(200, {"ok": True, "order": {"id": 1}})))
    assert (execution.outcome.outcome, len(execution.automatic or ())) == ("success", 2)


@pytest.mark.parametrize(
    ("method", "more", "tries"),
    [
        ("GET", {"retry_rejected": True, "retries": 2}, 3), ("GET", {"retries": 2}, 1), ("GET", {"retry_rejected": True}, 1),
        ("POST", {"retry_rejected": True, "retries": 2}, 1), ("POST", {"retry_rejected": True, "retries": 2, "retry_unsafe": True}, 3),
    ],
)  # fmt: skip
def test_a_rejected_answer_is_tried_again_only_if_ticked(method: str, more: dict[str, Any], tries: int) -> None:
    third = ThirdParty(NO)
    spec = replace(SPEC, success_when=OK, request=replace(SPEC.request, method=method), **more)
    assert run(spec, third).outcome.outcome == "rejected"
    assert len(third.requests) == tries


def test_a_rejected_answer_may_be_good_at_the_second_try() -> None:
    third = ThirdParty(NO, answer(200, {"ok": True}))
    assert run(replace(SPEC, success_when=OK, retry_rejected=True, retries=1), third).outcome.outcome == "success"


@pytest.mark.parametrize("first", [answer(403), answer(200, {"code": "expired"}), answer(400, {"code": "expired"})])
def test_a_token_that_the_answer_calls_expired_is_fetched_anew_once(first: HttpResponse) -> None:
    spec = replace(
        SPEC,
        request=replace(SPEC.request, auth=OAUTH),
        expired_when=(AnswerCondition(("code",), None, "equals", "expired"),),
    )
    third, tokens = ThirdParty(first, answer(200, {"a": 1})), Tokens()
    assert run(spec, third, tokens=tokens).outcome.outcome == "success"
    assert tokens.refused == [None, "old"]
    still = run(spec, ThirdParty(answer(200, {"code": "expired", "message": "Log in again"})), tokens=Tokens())
    assert (still.outcome.outcome, still.outcome.message) == ("rejected", "The API said no: Log in again")


def test_the_apis_own_place_for_a_sentence_is_used_for_a_status_too() -> None:
    spec = replace(SPEC, error_message=AnswerPlace(("why",)))
    execution = run(spec, ThirdParty(answer(422, {"message": "Bad", "why": "The parcel is too heavy"})))
    assert execution.outcome.message == "The API answered 422 Unprocessable Entity: The parcel is too heavy"


def test_an_answer_without_a_body_is_a_success_where_every_rule_has_a_default() -> None:
    spec = replace(SPEC, mapping=(MappingRule("a", path=("a",), default=0),))
    execution = run(spec, ThirdParty(answer(204, text="")))
    assert (execution.outcome.outcome, execution.outcome.attributes, execution.outcome.missing) == (
        "success",
        {"a": 0},
        ("a",),
    )
    assert run(spec, ThirdParty(answer(200, text=""))).outcome.outcome == "not_json"


def test_a_page_in_the_place_of_what_a_condition_reads_is_not_json() -> None:
    assert run(replace(SPEC, success_when=OK), ThirdParty(answer(200, text="<html>"))).outcome.outcome == "not_json"
