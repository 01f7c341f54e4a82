"""The line: attributes in, Outcome out, every value in between kept in the Execution.

The floor below sends; this one decides what is sent, whether to try again, and what came of it.
An expected failure ends the line early but never leaves it: there is no path without an outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from httpstep.core.answer import (
    automatic,
    dictionaries,
    mapping,
    reading,
    statuses,
)
from httpstep.core.drift import comparison, maskedshape, structure, variation
from httpstep.core.errors import BudgetSpent, Disabled, FailureKind, SendError, StepError, UnreadableAnswer
from httpstep.core.exchange import HttpResponse, RenderedRequest, Send, Trace
from httpstep.core.inserting.headers import retry_after
from httpstep.core.inserting.secrethosts import Hosts
from httpstep.core.jsontext import Json, Path
from httpstep.core.masking.redaction import MASK
from httpstep.core.outcome import fallback
from httpstep.core.request import rendering
from httpstep.core.step import stepkey
from httpstep.core.step.execution import (
    Drift,
    Execution,
    Failure,
    MappingResult,
    Try,
)
from httpstep.core.step.spec import MappingRule, StepSpec
from httpstep.core.workcounter import WorkCounter

MAX_SECONDS = 60
_RETRIED_STATUSES = frozenset({429, 502, 503, 504})
_UNSAFE = frozenset({"POST", "PATCH"})
_NO_DOCUMENT: Json = None


class Clock(Protocol):
    """Time as the executor needs it. wait() may raise Cancelled."""

    def monotonic(self) -> float: ...

    def time(self) -> float: ...

    def wait(self, seconds: float) -> None: ...


class Tokens(Protocol):
    """OAuth 2 tokens by the request that asks for them. Raises StepError."""

    def get(self, request: RenderedRequest, deadline: float, *, refused: str | None = None) -> str: ...


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the account and the step besides its document.

    hosts: where each secret may be sent; one that is not in it, nowhere. masked: further values that are never kept or
    shown. structure: the accepted one, or None; dictionaries: the objects in it whose names are data; odd: the last one
    that differed. taken: attribute names that have another source, None where nobody can
    tell just now: then no rules are made. It is asked for only when automatic rules are made.
    """

    secrets: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, Hosts] = field(default_factory=dict)
    masked: frozenset[str] = frozenset()
    defaults: Mapping[str, Json] = field(default_factory=dict)
    structure: Json = None
    dictionaries: tuple[Path, ...] = ()
    odd: Json = None
    taken: Callable[[], Set[str] | None] = frozenset


@dataclass
class _Seen:
    """What the line has come to so far. secrets: all that is to be masked in it."""

    secrets: frozenset[str]
    token_url: str = ""
    request: RenderedRequest | None = None
    response: HttpResponse | None = None
    has_document: bool = False
    document: Json = _NO_DOCUMENT
    unreadable: Failure | None = None
    tries: list[Try] = field(default_factory=list)


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
    known = known or Known()
    began = clock.monotonic()
    deadline = began + allowed_seconds(spec, timeout)
    seen = _Seen(frozenset(filter(None, known.secrets.values())) | known.masked)
    try:
        _require_enabled(spec)
        line = _Line(spec, attributes, known, send, clock, tokens, began, deadline, seen)
        seen.response = line.call()
        work = WorkCounter(_end_at(deadline, began, clock))
        _require_success(spec, seen.response, seen.secrets)
        _read(spec, seen, work)
        return _concluded(spec, known, seen, None, (clock.monotonic() - began) * 1000, work)
    except StepError as error:
        failure = fallback.failure_of(error)
    seen.has_document, seen.document = False, _NO_DOCUMENT
    return _concluded(spec, known, seen, failure, (clock.monotonic() - began) * 1000, WorkCounter())


def allowed_seconds(spec: StepSpec, timeout: float | None) -> float:
    """The least of what the step says, what the caller asks for, and the sixty that nobody exceeds."""
    return min(float(spec.timeout), timeout or MAX_SECONDS, MAX_SECONDS)


def _end_at(deadline: float, began: float, clock: Clock) -> Callable[[], None]:
    """What ends the work on an answer that came in time, and cannot be read in what is left of it."""
    arrived = clock.monotonic()

    def check() -> None:
        if clock.monotonic() >= deadline:
            raise fallback.too_much_work(arrived - began, deadline - began)

    return check


def _concluded(
    spec: StepSpec, known: Known, seen: _Seen, failure: Failure | None, duration_ms: float, work: WorkCounter
) -> Execution:
    made, shape, drift = None, None, Drift()
    if seen.has_document:
        # Shape and rules are kept and shown: a name in the answer that is a secret must not get into them.
        data = _dictionaries(spec, known, seen.document)
        shape, document = maskedshape.masked_shape(seen.document, data, seen.secrets, work)
        if spec.mapping is None and comparison.holds_something(shape):
            made = _automatic(spec, known, document, data)
        if known.structure is not None:
            accepted, latest = variation.sides(known.structure, known.odd, shape)
            drift = structure.compare(accepted, latest, spec.mapping or (), work)
    rules = made if made is not None else spec.mapping or ()
    result = _map(rules, seen, failure, duration_ms, work)
    return Execution(
        spec=spec,
        request=seen.request,
        response=seen.response,
        has_document=seen.has_document,
        document=seen.document,
        unreadable=seen.unreadable,
        mapping=result,
        automatic=made,
        structure=shape,
        drift=drift,
        failure=failure,
        outcome=fallback.decide(spec.fallback, failure, result),
        tries=tuple(seen.tries),
        duration_ms=duration_ms,
        secrets=seen.secrets,
        token_url=seen.token_url,
    )


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
    rules: tuple[MappingRule, ...], seen: _Seen, failure: Failure | None, duration_ms: float, work: WorkCounter
) -> MappingResult:
    response = seen.response
    facts = mapping.CallFacts(
        status=response.status if response else None,
        error=failure.message if failure else None,
        duration_ms=round(duration_ms),
        headers=response.headers if response else (),
    )
    return mapping.apply_rules(rules, seen.document, seen.has_document, facts, work)


def _require_enabled(spec: StepSpec) -> None:
    if not spec.enabled:
        raise Disabled("This step is switched off.", reason="disabled", advice="Switch it on in its options.")


def _require_success(spec: StepSpec, response: HttpResponse, secrets: Set[str]) -> None:
    if not statuses.success(spec.success_statuses, response.status):
        raise fallback.status_error(response, secrets)


def _read(spec: StepSpec, seen: _Seen, work: WorkCounter) -> None:
    """Read the document. Unreadable is a failure only where rules read it."""
    assert seen.response is not None
    work.spend_bytes(2 * len(seen.response.body))
    try:
        seen.document = reading.read(seen.response, seen.secrets)
        seen.has_document = True
    except UnreadableAnswer as error:
        seen.unreadable = fallback.failure_of(error)
        if any(rule.on and rule.call is None for rule in spec.mapping or ()):
            raise


@dataclass
class _Line:
    """The sending half of one execution: render, authorize, send, try again."""

    spec: StepSpec
    attributes: Mapping[str, Json]
    known: Known
    send: Send
    clock: Clock
    tokens: Tokens
    began: float
    deadline: float
    seen: _Seen

    def call(self) -> HttpResponse:
        token = self._token()
        response = self._tried(token)
        if token is not None and response.status == 401:
            with suppress(BudgetSpent):
                response = self._tried(self._token(refused=token))
        return response

    def _token(self, refused: str | None = None) -> str | None:
        auth = self.spec.request.auth
        if auth.type != "oauth2_client_credentials":
            return None
        known = self.known
        asking = rendering.token_request(
            auth, self.attributes, secrets=known.secrets, hosts=known.hosts, defaults=known.defaults
        )
        self.seen.token_url = asking.url
        self.seen.secrets |= asking.secrets
        token = self.tokens.get(asking, self.deadline, refused=refused)
        self.seen.secrets |= {token}
        return token

    def _tried(self, token: str | None) -> HttpResponse:
        """Send, and again as the step allows. What a try that failed gave stands when no further one is made."""
        known = self.known
        self.seen.request = rendering.render(
            self.spec,
            self.attributes,
            secrets=known.secrets,
            hosts=known.hosts,
            defaults=known.defaults,
            token=token,
        )
        self.seen.secrets |= self.seen.request.secrets
        left = self.spec.retries if self.spec.retry_unsafe or self.spec.request.method not in _UNSAFE else 0
        last: HttpResponse | SendError | None = None
        while True:
            try:
                last = self._once(self.seen.request)
            except BudgetSpent:
                if last is None:
                    raise
                left = 0
            except SendError as error:
                last = error
            pause = self._pause(last, self.spec.retries - left) if left else None
            if pause is None:
                break
            left -= 1
            self.clock.wait(pause)
        if isinstance(last, SendError):
            raise last
        return last

    def _once(self, request: RenderedRequest) -> HttpResponse:
        response, failure, trace = None, None, Trace()
        try:
            response = self.send(request, self.deadline)
            trace = response.trace
            return response
        except BudgetSpent:
            raise
        except SendError as error:
            failure, trace = fallback.failure_of(error), error.trace or Trace()
            raise
        finally:
            if response is not None or failure is not None:
                ended = (self.clock.monotonic() - self.began) * 1000
                self.seen.tries.append(Try(ended, response.status if response else None, failure, trace))

    def _pause(self, last: HttpResponse | SendError, made: int) -> float | None:
        """Seconds until the next try; None where there must not be one."""
        pause = 0.5 * 2**made
        if isinstance(last, HttpResponse):
            if last.status not in _RETRIED_STATUSES:
                return None
            asked = retry_after(last, self.clock.time())
            pause = pause if asked is None else asked
        elif last.kind is not FailureKind.NETWORK_ERROR:
            return None
        return pause if self.clock.monotonic() + pause < self.deadline else None
