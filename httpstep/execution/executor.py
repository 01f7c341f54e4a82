"""The line: attributes in, Outcome out, every value in between kept in the Execution.

The floor below sends; this one decides what is sent, whether to try again, and what came of it.
An expected failure ends the line early but never leaves it: there is no path without an outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from httpstep.core.answer import (
    automatic,
    dictionaries,
    innerjson,
    mapping,
    reading,
    statuses,
    success,
)
from httpstep.core.drift import comparison, maskedshape, structure, variation
from httpstep.core.errors import Disabled, StepError, UnreadableAnswer
from httpstep.core.exchange import HttpResponse, Send
from httpstep.core.jsontext import Json, Path
from httpstep.core.masking.redaction import MASK
from httpstep.core.outcome import fallback
from httpstep.core.step import stepkey
from httpstep.core.step.execution import (
    NO_DRIFT,
    Drift,
    Execution,
    Failure,
    MappingResult,
)
from httpstep.core.step.spec import MappingRule, StepSpec
from httpstep.core.workcounter import WorkCounter
from httpstep.execution.sending import Clock, ExecutionInput, Known, Sent, Tokens, render_and_send

__all__ = ["Clock", "Known", "Tokens", "allowed_seconds", "execute"]

MAX_SECONDS = 60


class _ReadAnswer(Struct, frozen=True):
    """What was read of a response: a document, or why there is none."""

    has_document: bool = False
    document: Json = None
    unreadable: Failure | None = None


class _Compared(Struct, frozen=True):
    """The document's shape, what of it differs from the accepted one, and the rules that a first answer makes."""

    shape: Json = None
    drift: Drift = NO_DRIFT
    automatic: tuple[MappingRule, ...] | None = None


def execute(
    spec: StepSpec,
    attributes: Mapping[str, Json],
    *,
    send: Send,
    clock: Clock,
    tokens: Tokens,
    known: Known | None = None,
    timeout: float | None = None,
) -> Execution:
    """Run one step. Never raises for an expected failure. timeout: seconds the caller asks for, if fewer."""
    known, began = known or Known(), clock.monotonic()
    line = ExecutionInput(spec, attributes, known, send, tokens, clock, began, began + allowed_seconds(spec, timeout))
    sent = Sent(frozenset(filter(None, known.secrets.values())) | known.masked)
    answer, compared, failure = _ReadAnswer(), _Compared(), None
    try:
        _require_enabled(spec)
        render_and_send(line, sent)
        work = WorkCounter(_ending_work(line))
        response = _require_good_status(spec, sent)
        answer = _read(response, sent, work)
        _require_success(spec, response, answer, sent)
        duration_ms = line.spent_ms()
        compared = _compare(line, sent, answer, work)
        result = _map(line, compared, answer, sent, None, duration_ms, work)
    except StepError as error:
        failure, duration_ms = fallback.failure_of(error), line.spent_ms()
        answer, compared = _ReadAnswer(unreadable=answer.unreadable), _Compared()
        result = _map(line, compared, answer, sent, failure, duration_ms, WorkCounter())
    innerjson.forget()
    return Execution(
        spec, sent.request, sent.response, answer.has_document, answer.document, answer.unreadable, result,
        compared.automatic, compared.shape, compared.drift, failure, fallback.decide(spec.fallback, failure, result),
        sent.tries, duration_ms, sent.secrets, sent.token_url,
    )  # fmt: skip


def allowed_seconds(spec: StepSpec, timeout: float | None) -> float:
    """The least of what the step says, what the caller asks for, and the sixty that nobody exceeds."""
    return min(float(spec.timeout), timeout or MAX_SECONDS, MAX_SECONDS)


def _require_enabled(spec: StepSpec) -> None:
    if not spec.enabled:
        raise Disabled("This step is switched off.", reason="disabled", advice="Switch it on in its options.")


def _ending_work(line: ExecutionInput) -> Callable[[], None]:
    """What ends the work on an answer that came in time, and cannot be read in what is left of it."""
    arrived = line.clock.monotonic()

    def check() -> None:
        if line.clock.monotonic() >= line.deadline:
            raise fallback.too_much_work(arrived - line.began, line.deadline - line.began)

    return check


def _require_good_status(spec: StepSpec, sent: Sent) -> HttpResponse:
    response = sent.response
    assert response is not None
    if not statuses.success(spec.success_statuses, response.status):
        said = success.said_by(spec, response, sent.secrets)
        raise fallback.status_error(response, sent.secrets, said, fallback.credentials_place(spec.request))
    return response


def _read(response: HttpResponse, sent: Sent, work: WorkCounter) -> _ReadAnswer:
    work.spend_bytes(2 * len(response.body))
    try:
        return _ReadAnswer(True, reading.read(response, sent.secrets))
    except UnreadableAnswer as error:
        return _ReadAnswer(unreadable=fallback.failure_of(error))


def _require_success(spec: StepSpec, response: HttpResponse, answer: _ReadAnswer, sent: Sent) -> None:
    """Unreadable is a failure only where something reads the document, and what it says may be one too."""
    failure = answer.unreadable
    if failure is not None and success.needs_document(spec, response):
        raise UnreadableAnswer(failure.message, reason=failure.reason, advice=failure.advice, place=failure.place)
    success.require(spec, response, answer.document if answer.has_document else success.NOTHING, sent.secrets)


def _compare(line: ExecutionInput, sent: Sent, answer: _ReadAnswer, work: WorkCounter) -> _Compared:
    """Shape and rules are kept and shown: a name in the answer that is a secret must not get into them."""
    if not answer.has_document:
        return _Compared()
    spec, known = line.spec, line.known
    data = _dictionaries(spec, known, answer.document)
    shape, replaced = maskedshape.masked_shape(answer.document, data, sent.secrets, work)
    made, drift = None, NO_DRIFT
    if spec.mapping is None and comparison.holds_something(shape):
        made = _automatic(spec, known, maskedshape.renamed(replaced, answer.document), data)
    if known.structure is not None:
        accepted, latest = variation.sides(known.structure, known.odd, shape)
        drift = structure.compare(accepted, latest, spec.mapping or (), work)
    return _Compared(shape, drift, made)


def _dictionaries(spec: StepSpec, known: Known, document: Json) -> tuple[Path, ...]:
    """The objects whose names are data: what the step says, and those of the structure. Of a first answer those that
    look like it, but none that a rule reads by a name in it."""
    if known.structure is not None:
        return (*spec.dictionaries, *known.dictionaries)
    named = [rule.path for rule in spec.mapping or () if rule.on and rule.path is not None]
    found = dictionaries.suggest_dictionaries(document)
    return (
        *spec.dictionaries,
        *(path for path in found if not any(dictionaries.is_inside(one, path) for one in named)),
    )


def _automatic(spec: StepSpec, known: Known, document: Json, data: tuple[Path, ...]) -> tuple[MappingRule, ...] | None:
    """The rules of a first answer, but those whose path has a masked name in it; None where none can be made just now."""
    taken = known.taken()
    if taken is None:
        return None
    step_key = spec.key or stepkey.key_from_name(spec.name)
    rules = automatic.automatic_rules(document, step_key=step_key, taken=taken, dictionaries=data)
    return tuple(rule for rule in rules if not any(MASK in str(part) for part in rule.path or ()))


def _map(
    line: ExecutionInput, compared: _Compared, answer: _ReadAnswer, sent: Sent, failure: Failure | None, duration_ms: float,
    work: WorkCounter,
) -> MappingResult:  # fmt: skip
    response = sent.response
    facts = mapping.CallFacts(
        status=response.status if response else None,
        error=fallback.for_bot(failure) if failure else None,
        duration_ms=round(duration_ms),
        headers=response.headers if response else (),
        given={**line.known.defaults, **line.attributes},
    )
    rules = compared.automatic if compared.automatic is not None else line.spec.mapping or ()
    return mapping.apply_rules(rules, answer.document, answer.has_document, facts, work)
