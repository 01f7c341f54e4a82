"""The decision: what the bot is told."""

from __future__ import annotations

from collections.abc import Set
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import unquote_plus

from httpstep.core.addresses import without_internal
from httpstep.core.answer.reasons import reason_given as reason_given
from httpstep.core.errors import FailureKind, HttpStatusError, StepError, TimedOut
from httpstep.core.exchange import HttpResponse
from httpstep.core.masking.redaction import is_credential_name
from httpstep.core.regex import regex
from httpstep.core.step.execution import Failure, MappingResult, Outcome
from httpstep.core.step.spec import CONTINUE, RequestSpec

SUCCESS = "success"

UNDER_AUTHENTICATION: Final = "under Authentication"
_PLACE: Final = "{place}"
_IN_QUERY: Final = regex(r"[?&]([^=&#]+)=")
_ADVICE = {
    400: "Compare the request as sent with the API's documentation.",
    401: f"Check the credentials {_PLACE}.",
    403: "The credentials are known but not allowed to do this. Check their permissions.",
    404: "Check the URL, and the values inserted into it.",
    405: "Check the method.",
    415: "Check the body and its content type.",
    422: "Compare the body as sent with the API's documentation.",
    429: "The API itself allows fewer calls. Try again later, or ask its owner for more.",
}

_REDIRECTS = frozenset({300, 301, 302, 303, 305, 307, 308})
_NOT_MODIFIED = "Remove the header that asks for that, such as If-None-Match or If-Modified-Since."
_NO_STATUS = "Ask its owner for an API, and for a key to it."
_SCHEMES = ("Digest", "Negotiate", "NTLM")
_OURS = frozenset({"basic", "bearer"})
_QUOTED = regex(r'"(?:[^"\\]|\\.)*"')
_SCHEME = regex(r"(?:^|,)\s*([A-Za-z]+)(?=\s|,|$)")


def decide(policy: Literal["continue", "stop"], failure: Failure | None, mapping: MappingResult) -> Outcome:
    """A success continues; a failure does what the step's fallback says. The attributes are the mapping's either way."""
    if failure is None:
        return Outcome(SUCCESS, CONTINUE, mapping.values, mapping.missing, None)
    return Outcome(failure.kind.value, policy, mapping.values, mapping.missing, for_bot(failure))


_OUR_WORDS: Final = frozenset(
    (FailureKind.BLOCKED, FailureKind.NETWORK_ERROR, FailureKind.TIMEOUT, FailureKind.INVALID_REQUEST)
)
"""Failures that may name an address which httpstep itself has looked up."""


def for_bot(failure: Failure) -> str:
    """The sentence as a bot gets it: the network behind httpstep is nothing for whoever talks to the bot."""
    return without_internal(failure.message) if failure.kind in _OUR_WORDS else failure.message


def failure_of(error: StepError) -> Failure:
    return Failure(error.kind, error.reason, error.message, error.advice, error.place)


def credentials_place(request: RequestSpec) -> str:
    """Where the step has what proves who calls: "in the header X-Api-Key"; where none is seen, it is to be put "under
    Authentication"."""
    if request.auth.type == "none":
        for pair in request.headers:
            if is_credential_name(pair.name):
                return f"in the header {pair.name}"
        for name in map(unquote_plus, _IN_QUERY.findall(request.url)):
            if is_credential_name(name):
                return f"in the URL, at {name}"
    return UNDER_AUTHENTICATION


def status_error(
    response: HttpResponse,
    secrets: Set[str] = frozenset(),
    said: str | None = None,
    place: str = UNDER_AUTHENTICATION,
) -> HttpStatusError:
    """The failure of an answer outside the success rule. said: the reason the API itself gave, where it is known already;
    place: see `credentials_place`."""
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = response.reason
    said = reason_given(response, secrets) if said is None else said
    of_ours, advice = _explained(response)
    advice = advice.replace(_PLACE, place)
    why = said or of_ours
    message = f"The API answered {response.status} {phrase}".rstrip() + (f": {why}" if why else ".")
    if site := response.trace.left_behind:
        message = f"{message.rstrip('.')}. It redirected to {site}, and your credentials were left behind."
        advice = f"Use that address in the URL of the step: it begins with {site}."
    return HttpStatusError(message, reason=f"status_{response.status}", advice=advice)


def _explained(response: HttpResponse) -> tuple[str, str]:
    """What a status means where the API says nothing, "" where its phrase says it; and what to do."""
    status = response.status
    if status == 304:
        return "nothing has changed since an earlier answer.", _NOT_MODIFIED
    if status in _REDIRECTS and not response.header("Location"):
        return "a redirect that does not say where to (no Location).", "This is a fault of the server."
    if status in _REDIRECTS:
        return "a redirect that was not followed.", "Use the address in its header Location, or follow redirects."
    if status == 401 and (scheme := _challenge(response)):
        asks = f"it asks for {scheme} authentication, which httpstep does not have."
        return asks, f"{scheme} authentication is not there. Ask the API's owner for a token, or for Basic."
    if status > 599:
        return "this is no status of HTTP; sites answer so to programs they do not want.", _NO_STATUS
    return "", _ADVICE.get(status, "The API has a problem of its own. Try again later." if status >= 500 else "")


def _challenge(response: HttpResponse) -> str:
    """Digest, Negotiate or NTLM where the API takes nothing that httpstep has (RFC 9110, 11.6.1), else ""."""
    asked = [value for name, value in response.headers if name.lower() == "www-authenticate"]
    schemes = {word.lower() for value in asked for word in _SCHEME.findall(_QUOTED.sub("", value))}
    return next((name for name in _SCHEMES if name.lower() in schemes), "") if not schemes & _OURS else ""


def too_much_work(arrived: float, allowed: float) -> TimedOut:
    """The failure of an answer that came after `arrived` seconds of the `allowed` ones, which did not suffice to read it."""
    return TimedOut(
        f"The answer came after {arrived:.1f} seconds, but it was too much work to read within the "
        f"{allowed:g} seconds allowed.",
        reason="timeout_working",
        advice="Ask the API for a smaller answer, or allow more time.",
    )
