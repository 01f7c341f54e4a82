"""Success by what the answer says: the step's own conditions, and where the API says why.

Statuses come first (`core.answer.statuses`). Decided before anything is learned of an answer: one that says no is never
mapped, makes no automatic mapping and is no change of structure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from typing import Any, Final

from httpstep.core.answer import conditions, reading, reasons, statuses
from httpstep.core.answer.conditions import NOTHING as NOTHING
from httpstep.core.errors import Rejected, UnreadableAnswer
from httpstep.core.exchange import HttpResponse
from httpstep.core.jsontext import Json, dumps_text
from httpstep.core.masking.masking import is_longer, masked_beginning
from httpstep.core.masking.redaction import redact
from httpstep.core.query import jsonpath
from httpstep.core.step.spec import NO_DEFAULT, OPERATORS, AnswerCondition, StepSpec

_WITHOUT_BODY: Final = frozenset({204, 205})
_EXPIRED: Final = frozenset({401, 403})
_SHOWN: Final = 60


def needs_document(spec: StepSpec, response: HttpResponse) -> bool:
    """Whether an answer without a document is a failure: rules or conditions read one. A 204 or 205 has none to give, and
    is a success where every rule has a default (decision 21)."""
    rules = [rule for rule in spec.mapping or () if rule.on and rule.call is None]
    if response.status in _WITHOUT_BODY and not response.body:
        return any(rule.default is NO_DEFAULT for rule in rules)
    return bool(rules or spec.success_when)


def require(spec: StepSpec, response: HttpResponse, document: Any, secrets: Set[str]) -> None:
    """Raises Rejected where the answer says that it is no success. document: NOTHING where there is none."""
    for one in spec.success_when:
        if not conditions.is_met(one, document):
            said = said_by(spec, response, secrets) or _instead(one, document, secrets)
            raise _rejected(said, "rejected", "“Counts as success when” in the step says what the answer has to be.")
    if spec.expired_when and _is_oauth(spec) and _all_met(spec.expired_when, document):
        said = said_by(spec, response, secrets) or "the token has expired."
        raise _rejected(said, "token_expired", "A new token was fetched and is not taken either.")


def may_be_tried_again(spec: StepSpec, response: HttpResponse) -> bool:
    """Whether the answer says no and the step wants it to be asked once more."""
    if not (spec.retry_rejected and spec.success_when and statuses.success(spec.success_statuses, response.status)):
        return False
    document = _document(response)
    return not all(conditions.is_met(one, document) for one in spec.success_when)


def token_expired(spec: StepSpec, response: HttpResponse) -> bool:
    """Whether an answer means that the OAuth token is good no more: 401, 403, or what the step says."""
    if response.status in _EXPIRED:
        return True
    return bool(spec.expired_when) and _all_met(spec.expired_when, _document(response))


def said_by(spec: StepSpec, response: HttpResponse, secrets: Set[str]) -> str:
    """The API's own sentence: at the step's place for it, else where APIs usually have it. "" where there is none."""
    if spec.error_message is not None:
        document = _document(response)
        try:
            found = conditions.found_at(spec.error_message, document)
        except jsonpath.QueryRefused:
            found = []
        if said := reasons.sentence_of(found):
            return reasons.shown(said, secrets)
    return reasons.reason_given(response, secrets)


def _rejected(said: str, reason: str, advice: str) -> Rejected:
    return Rejected(f"The API said no: {said}", reason=reason, advice=advice)


def _instead(condition: AnswerCondition, document: Any, secrets: Set[str]) -> str:
    """What came in the place of what the condition asks: “ok is false; it counts as success where it is true.”"""
    name = jsonpath.in_words(condition.path) if condition.path is not None else condition.jsonpath or ""
    try:
        found = conditions.found_at(condition, document)
    except jsonpath.QueryRefused as error:
        return str(error)
    came = f"is {_short(found[0], secrets)}" if found else "is missing"
    wanted = "" if condition.value is NO_DEFAULT else f" {_short(condition.value, secrets)}"
    return f"{name} {came}; it counts as success where it {OPERATORS[condition.operator]}{wanted}."


def _short(value: Json, secrets: Set[str]) -> str:
    """The value as JSON, masked and cut."""
    if not is_longer(value, _SHOWN):
        return redact(dumps_text(value), secrets)
    return masked_beginning(value, _SHOWN, secrets) + "…"


def _all_met(rules: Iterable[AnswerCondition], document: Any) -> bool:
    return all(conditions.is_met(one, document) for one in rules)


def _is_oauth(spec: StepSpec) -> bool:
    return spec.request.auth.type.startswith("oauth2")


def _document(response: HttpResponse) -> Any:
    try:
        return reading.read(response)
    except UnreadableAnswer:
        return NOTHING


# ---------------------------------------------------------------- what a first answer suggests


def suggested(document: Json) -> tuple[AnswerCondition, ...]:
    """Conditions for an answer that looks as if it said by itself whether it is a success. An offer, never a decision."""
    return tuple(_suggestions(document)) if isinstance(document, dict) else ()


_YES: Final = ("ok", "success", "succeeded", "successful", "is_success", "issuccess")
_NO: Final = ("error", "errors")
_GOOD: Final = ("ok", "success", "succeeded", "successful")
_BAD: Final = ("error", "fail", "failed", "failure", "nok", "ko")


def _suggestions(document: dict[str, Json]) -> Iterator[AnswerCondition]:
    for name, value in document.items():
        word = name.lower()
        if word in _YES and (isinstance(value, bool) or value in (0, 1)):
            yield _is(name, "equals", True if isinstance(value, bool) else 1)
        elif word in _YES and isinstance(value, str) and value.lower() in ("true", "false"):
            yield _is(name, "equals", "true")
        elif word in _NO:
            yield _no_error(name, value)
        elif word in ("status", "result") and isinstance(value, str) and value.lower() in _GOOD:
            yield _is(name, "equals", value)
        elif word in ("status", "result") and isinstance(value, str) and value.lower() in _BAD:
            yield _is(name, "not_equals", value)


def _no_error(name: str, value: Json) -> AnswerCondition:
    """As it is where there is no error in it; of one that has an error, that the member is missing."""
    if isinstance(value, bool):
        return _is(name, "equals", False)
    if not value and not isinstance(value, int):
        return _is(name, "equals", value)
    return AnswerCondition((name,), None, "missing") if value else _is(name, "equals", value)


def _is(name: str, operator: str, value: Json) -> AnswerCondition:
    return AnswerCondition((name,), None, operator, value)
