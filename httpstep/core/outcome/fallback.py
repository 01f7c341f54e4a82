"""The decision: what the bot is told."""

from __future__ import annotations

from collections.abc import Set
from http import HTTPStatus
from typing import Literal

from httpstep.core import jsontext
from httpstep.core.errors import HttpStatusError, StepError, TimedOut, UnreadableAnswer
from httpstep.core.exchange import HttpResponse
from httpstep.core.jsontext import Json
from httpstep.core.masking.masking import masked_start
from httpstep.core.masking.redaction import margin
from httpstep.core.step.execution import Failure, MappingResult, Outcome
from httpstep.core.step.spec import CONTINUE

SUCCESS = "success"
_MAX_SENTENCE_CHARACTERS = 300

_ADVICE = {
    400: "Compare the request as sent with the API's documentation.",
    401: "Check the credentials under Authentication.",
    403: "The credentials are known but not allowed to do this. Check their permissions.",
    404: "Check the URL, and the values inserted into it.",
    405: "Check the method.",
    415: "Check the body and its content type.",
    422: "Compare the body as sent with the API's documentation.",
    429: "The API itself allows fewer calls. Try again later, or ask its owner for more.",
}


def decide(policy: Literal["continue", "stop"], failure: Failure | None, mapping: MappingResult) -> Outcome:
    """A success continues; a failure does what the step's fallback says. The attributes are the mapping's either way."""
    if failure is None:
        return Outcome(SUCCESS, CONTINUE, mapping.values, mapping.missing, None)
    return Outcome(failure.kind.value, policy, mapping.values, mapping.missing, failure.message)


def failure_of(error: StepError) -> Failure:
    return Failure(error.kind, error.reason, error.message, error.advice, error.place)


def status_error(response: HttpResponse, secrets: Set[str] = frozenset()) -> HttpStatusError:
    """The failure of an answer outside the success rule, with the reason the API itself gave, where it gave one."""
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = response.reason
    said = reason_given(response, secrets)
    message = f"The API answered {response.status} {phrase}".rstrip() + (f": {said}" if said else ".")
    advice = _ADVICE.get(
        response.status, "The API has a problem of its own. Try again later." if response.status >= 500 else ""
    )
    if site := response.trace.left_behind:
        message = f"{message.rstrip('.')}. It redirected to {site}, and your credentials were left behind."
        advice = f"Use that address in the URL of the step: it begins with {site}."
    return HttpStatusError(message, reason=f"status_{response.status}", advice=advice)


def too_much_work(arrived: float, allowed: float) -> TimedOut:
    """The failure of an answer that came after `arrived` seconds of the `allowed` ones, which did not suffice to read it."""
    return TimedOut(
        f"The answer came after {arrived:.1f} seconds, but it was too much work to read within the "
        f"{allowed:g} seconds allowed.",
        reason="timeout_working",
        advice="Ask the API for a smaller answer, or allow more time.",
    )


def reason_given(response: HttpResponse, secrets: Set[str] = frozenset()) -> str:
    """The sentence in which an API says why, from the members APIs commonly use; "" where there is none.

    Secrets are masked here, because a sentence that was cut may end in the middle of one.
    """
    try:
        said = _sentence(jsontext.loads(response.body), 3)
    except UnreadableAnswer:
        return ""
    needed = _MAX_SENTENCE_CHARACTERS + margin(secrets)
    return masked_start(said[:needed], len(said) > needed, _MAX_SENTENCE_CHARACTERS, secrets)


def _sentence(document: Json, depth: int) -> str:
    if isinstance(document, str):
        return " ".join(document.split())
    if isinstance(document, list) and document and depth:
        return _sentence(document[0], depth - 1)
    if not isinstance(document, dict) or not depth:
        return ""
    for name in ("error_description", "message", "detail", "error", "errors", "title", "description", "reason"):
        if said := _sentence(document.get(name), depth - 1):
            return said
    return ""
