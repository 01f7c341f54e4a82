"""The decision, and the sentence of a status that is no success."""

from __future__ import annotations

import pytest

from httpstep.core.errors import FailureKind
from httpstep.core.outcome.fallback import credentials_place, decide, reason_given, status_error
from httpstep.core.step.execution import Failure, MappingResult
from httpstep.core.step.spec import Auth, Pair, RequestSpec
from tests.fakes import answer

MAPPED = MappingResult(values={"a": 1}, missing=("b",))


@pytest.mark.parametrize("policy", ["continue", "stop"])
def test_a_success_continues_whatever_the_fallback(policy: str) -> None:
    outcome = decide(policy, None, MAPPED)  # type: ignore[arg-type]
    assert (outcome.outcome, outcome.next, outcome.message) == ("success", "continue", None)


@pytest.mark.parametrize("policy", ["continue", "stop"])
def test_a_failure_does_what_the_fallback_says(policy: str) -> None:
    failure = Failure(FailureKind.TIMEOUT, "timeout_dns", "No answer within 60 seconds")
    outcome = decide(policy, failure, MAPPED)  # type: ignore[arg-type]
    assert (outcome.outcome, outcome.next, outcome.message) == ("timeout", policy, "No answer within 60 seconds")
    assert (outcome.attributes, outcome.missing) == ({"a": 1}, ("b",))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"message": "No such\norder"}, "No such order"),
        ({"error": {"message": "bad token", "code": 3}}, "bad token"),
        ({"error": "invalid_client", "error_description": "The client is unknown."}, "The client is unknown."),
        ({"errors": [{"title": "Bad", "detail": "Worse"}]}, "Worse"),
        ({"error": True}, ""),
        ([], ""),
        ({"nothing": "known"}, ""),
    ],
)
def test_the_reason_an_api_gives_is_found(document: object, reason: str) -> None:
    assert reason_given(answer(400, document)) == reason


def test_a_status_error_names_the_status_and_says_what_to_do() -> None:
    error = status_error(answer(401, {"message": "token expired"}))
    assert error.message == "The API answered 401 Unauthorized: token expired"
    assert "Authentication" in error.advice
    assert status_error(answer(599, text="x")).message.startswith("The API answered 599")


@pytest.mark.parametrize(
    ("request_", "place"),
    [
        (RequestSpec(headers=(Pair("Accept", "*/*"), Pair("X-Api-Key", "{{secret.KEY}}"))), "in the header X-Api-Key"),
        (RequestSpec(headers=(Pair("Authorization", "Bearer x"),)), "in the header Authorization"),
        (RequestSpec(url="https://api.example/a?page=1&api%5Fkey=x"), "in the URL, at api_key"),
        (RequestSpec(headers=(Pair("X-Channel", "web"),)), "under Authentication"),
        (
            RequestSpec(headers=(Pair("X-Api-Key", "x"),), auth=Auth("bearer", {"token": "x"})),
            "under Authentication",
        ),
    ],
)
def test_a_401_names_the_place_where_the_step_has_its_credentials(request_: RequestSpec, place: str) -> None:
    error = status_error(answer(401, {}), place=credentials_place(request_))
    assert error.advice == f"Check the credentials {place}."
