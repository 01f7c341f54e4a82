"""The sending half of the line: authorize, render, send, and send again as the step allows.

What has come about is noted in one `Sent` with each thing that happens, so that a failure, which is raised, is told
together with all that came before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Protocol

from msgspec import Struct, field

from httpstep.core.answer import success
from httpstep.core.errors import BudgetSpent, FailureKind, SendError
from httpstep.core.exchange import HttpResponse, RenderedRequest, Send, Trace
from httpstep.core.inserting.headers import retry_after
from httpstep.core.inserting.secrethosts import Hosts
from httpstep.core.jsontext import Json, Path
from httpstep.core.outcome import fallback
from httpstep.core.private import Private
from httpstep.core.request import rendering
from httpstep.core.step.execution import Try
from httpstep.core.step.spec import UNSAFE_METHODS, StepSpec

_RETRIED_STATUSES = frozenset({429, 502, 503, 504})


class Clock(Protocol):
    """Time as the line needs it. wait() may raise Cancelled."""

    def monotonic(self) -> float: ...

    def time(self) -> float: ...

    def wait(self, seconds: float) -> None: ...


class Tokens(Protocol):
    """OAuth 2 tokens by the request that asks for them. Raises StepError."""

    def get(self, request: RenderedRequest, deadline: float, *, refused: str | None = None) -> str: ...


class Known(Private, frozen=True):
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


class ExecutionInput(Struct, frozen=True):
    """What one execution is given. began, deadline: of `clock.monotonic`."""

    spec: StepSpec
    attributes: Mapping[str, Json]
    known: Known
    send: Send
    tokens: Tokens
    clock: Clock
    began: float
    deadline: float

    def spent_ms(self) -> float:
        return (self.clock.monotonic() - self.began) * 1000


class Sent(Struct):
    """What sending has come to so far. secrets: all that is to be masked wherever the execution is told of."""

    secrets: frozenset[str]
    token_url: str = ""
    token: str | None = None
    request: RenderedRequest | None = None
    response: HttpResponse | None = None
    tries: tuple[Try, ...] = ()


def render_and_send(line: ExecutionInput, sent: Sent) -> None:
    """Tell in `sent` what comes about; in the end it has the response. Raises StepError where there is none."""
    _authorize_and_send(line, sent)
    refused = sent.response
    if sent.token is None or refused is None or not success.token_expired(line.spec, refused):
        return
    sent.response = None
    try:
        _authorize_and_send(line, sent)
    except BudgetSpent:
        sent.response = refused


def _authorize_and_send(line: ExecutionInput, sent: Sent) -> None:
    """Once with a token, where the step wants one. One that `sent` has already is one that was refused."""
    spec, known = line.spec, line.known
    if spec.request.auth.type == "oauth2_client_credentials":
        asking = rendering.token_request(
            spec.request.auth, line.attributes, secrets=known.secrets, hosts=known.hosts, defaults=known.defaults
        )
        sent.token_url = asking.url
        sent.secrets |= asking.secrets
        sent.token = line.tokens.get(asking, line.deadline, refused=sent.token)
        sent.secrets |= {sent.token}
    request = rendering.render(
        spec, line.attributes, secrets=known.secrets, hosts=known.hosts, defaults=known.defaults, token=sent.token
    )
    sent.request = request
    sent.secrets |= request.secrets
    _send_with_retries(line, request, sent)


def _send_with_retries(line: ExecutionInput, request: RenderedRequest, sent: Sent) -> None:
    """Send, and again as the step allows. What a try that failed gave stands when no further one is made."""
    spec, made = line.spec, 0
    allowed = spec.retries if spec.retry_unsafe or spec.request.method not in UNSAFE_METHODS else 0
    last: HttpResponse | SendError | None = None
    while True:
        try:
            last = line.send(request, line.deadline)
        except BudgetSpent:
            if last is None:
                raise
            break
        except SendError as error:
            last = error
        sent.tries = (*sent.tries, _try(line, last))
        pause = _pause(line, last, made) if made < allowed else None
        if pause is None:
            break
        made += 1
        line.clock.wait(pause)
    if isinstance(last, SendError):
        raise last
    sent.response = last


def _try(line: ExecutionInput, last: HttpResponse | SendError) -> Try:
    if isinstance(last, HttpResponse):
        return Try(line.spent_ms(), last.status, None, last.trace)
    return Try(line.spent_ms(), None, fallback.failure_of(last), last.trace or Trace())


def _pause(line: ExecutionInput, last: HttpResponse | SendError, made: int) -> float | None:
    """Seconds until the next try; None where there must not be one."""
    pause = 0.5 * 2**made
    if isinstance(last, HttpResponse):
        if last.status not in _RETRIED_STATUSES and not success.may_be_tried_again(line.spec, last):
            return None
        asked = retry_after(last, line.clock.time())
        pause = pause if asked is None else asked
    elif last.kind is not FailureKind.NETWORK_ERROR:
        return None
    return pause if line.clock.monotonic() + pause < line.deadline else None
