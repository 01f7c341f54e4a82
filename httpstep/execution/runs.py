"""The one path of every execution, for Test and for bots: budget, start row, execute, redact, end row, alert.

What differs between the two is data in a `Call`, by this table:

|                               | test                                          | bot                                         |
|-------------------------------|-----------------------------------------------|---------------------------------------------|
| the spec comes from           | the form as typed                             | the saved step                              |
| attributes                    | the values for test                           | the request                                 |
| first successful JSON answer  | makes the automatic mapping, in the form until Save | makes it too if the mapping was never set |
| drift                         | marks the step, offers the remap              | marks the log, the step after three in a row; keeps the old mapping |
| alert mail                    | only by [Send this alert now]                 | by policy                                   |
| seen as                       | fragments                                     | JSON                                        |
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager, suppress

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.exc import SQLAlchemyError

from httpstep.core import ports
from httpstep.core.drift.variation import dictionaries_in
from httpstep.core.errors import BudgetSpent, FailureKind, place_of
from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.core.masking import redaction
from httpstep.core.outcome import canonical, record
from httpstep.core.request.rendering import attributes_used, secrets_used
from httpstep.core.step.execution import Execution
from httpstep.execution import executor, recording, starting
from httpstep.execution.answers import answer_of, internal_answer
from httpstep.execution.budget import ratelimit
from httpstep.execution.calls import (
    INTERNAL_MESSAGE,
    Call,
    InternalError,
    NotBegun,
    Parts,
    ProcessFull,
    Run,
    TooManyInFlight,
    reason_of,
    tell,
)
from httpstep.storage import logs, steps
from httpstep.storage.database import end_transaction

_log = logging.getLogger(__name__)
_SOON = 0.5
"""Seconds for which a budget that was counted is told as it was."""


def run_step(parts: Parts, call: Call) -> Run:
    """Run a step once. Raises one of REFUSALS or NotBegun before any call, InternalError after one and nothing else.

    From the start row on, whatever goes wrong passes the one `except` below: it ends the row, and what the bot gets has
    its `next`. What is no Exception, such as the end of the process, leaves the row to `logs.interrupt`. Whatever comes
    of it is one line of the application's log.
    """
    began = time.monotonic()
    try:
        return _run(parts, call, began)
    except InternalError:
        raise
    except Exception as error:
        if call.edition is not None and not isinstance(error, SQLAlchemyError):  # which would be waited for twice
            raise NotBegun from error
        with suppress(Exception):
            reason, status = reason_of(error)
            told = replace(call.line("refusal"), outcome="refused", reason=reason, status=status)
            tell(replace(told, duration_ms=round(1000 * (time.monotonic() - began))))
        raise


def _run(parts: Parts, call: Call, began: float) -> Run:
    known = _gather(parts, call)
    _require_room(parts, call)
    sending, log_id = _Sending(parts, call), None
    try:
        with _place(parts, call):
            log_id, budget = starting.begin(parts, call)
            sending.was_paid(budget)
            end_transaction()
            before = time.monotonic() - began
            execution = _execute(parts, call, known, sending)
            kept = record.record_of(execution, call.attributes, call.timeout)
        answer = answer_of(execution, kept, log_id, call.request_id)
        ended = time.monotonic()
        marked, written = recording.finish(parts, call, execution, kept, log_id)
        database_ms = 1000 * (before + time.monotonic() - ended)
        with suppress(Exception):
            tell(canonical.executed(call.line("execution"), execution, log_id, database_ms))
        return Run(execution, kept, log_id, answer, marked, sending.budget_now() if written else None)
    except Exception as error:
        if log_id is None:
            raise
        secrets = sending.secrets | call.masked | set(filter(None, known.secrets.values()))
        raise _failed(parts, call, log_id, error, secrets) from None


def _failed(parts: Parts, call: Call, log_id: int, error: Exception, secrets: Set[str]) -> InternalError:
    """End the row, tell the application's log, and give what the caller is told."""
    ended = {"outcome": FailureKind.INTERNAL.value, "next": call.spec.fallback, "message": INTERNAL_MESSAGE}
    recording.close(parts, log_id, ended)
    try:
        where = redaction.redact("".join(traceback.format_exception(error)).rstrip(), secrets)
    except Exception:
        where = place_of(error)
    with suppress(Exception):
        tell(replace(call.line("execution"), outcome=FailureKind.INTERNAL.value, log_id=str(log_id)))
    _log.error("step %s failed inside httpstep\n%s", call.spec.key, where)
    return InternalError(internal_answer(call.spec, call.request_id, log_id))


# ---------------------------------------------------------------- before the call


def _gather(parts: Parts, call: Call) -> executor.Known:
    account = call.account or parts.accounts.get(call.tenant.account_id)
    saved = call.step if call.step is not None and call.spec is call.step.spec else None
    stored = account.secrets(saved.secrets if saved else secrets_used(call.spec))
    step = call.step if call.structure is None else None
    return executor.Known(
        secrets={name: parts.vault.secret(account.slug, name, token) for name, (token, _) in stored.items()},
        hosts={name: hosts for name, (_, hosts) in stored.items()},
        masked=call.masked,
        defaults=account.defaults() if _needs_defaults(call) else {},
        structure=step.structure if step else call.structure,
        dictionaries=step.recognised if step else dictionaries_in(call.structure) if call.structure else (),
        odd=steps.structure_of(step.odd) if step and step.odd else None,
        taken=lambda: _names_taken(account.id, call.step),
    )


def _needs_defaults(call: Call) -> bool:
    """A test has a value for each attribute of its request, as a rule; of a bot's calls the defaults are kept anyway."""
    return call.source == "bot" or not set(attributes_used(call.spec)) <= call.attributes.keys()


def _in_flight(parts: Parts, call: Call) -> int:
    return call.tenant.in_flight or parts.in_flight


def _require_room(parts: Parts, call: Call) -> None:
    """Refuse what is known to be refused, before any transaction that writes: a flood must not hold up who has room."""
    tenant = call.tenant
    if call.spec.enabled:
        parts.refused.require(tenant.account_id, tenant.per_minute)
    if parts.refused.was_full(tenant.account_id) and logs.running(tenant.account_id, time.time()) >= _in_flight(
        parts, call
    ):
        raise TooManyInFlight


@contextmanager
def _place(parts: Parts, call: Call) -> Iterator[None]:
    """One of the process's places. Raises TooManyInFlight where the account has all its own too, else ProcessFull."""
    if not parts.places.acquire(blocking=False):
        own = logs.running(call.tenant.account_id, time.time())
        raise TooManyInFlight if own >= _in_flight(parts, call) else ProcessFull
    try:
        yield
    finally:
        parts.places.release()


def _names_taken(account_id: int, step: steps.LoadedStep | None) -> frozenset[str] | None:
    """None where the database is away: the call has been made, and its answer is worth more than its rules."""
    try:
        return steps.names_taken(account_id, step.id if step else None)
    except SQLAlchemyError:
        _log.warning("no automatic mapping was made, because the database is away", exc_info=True)
        return None
    finally:
        end_transaction()


# ---------------------------------------------------------------- the call


class _Clock(Struct, frozen=True):
    wait_: Callable[[float, int | None], None]
    hangup: int | None

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    def wait(self, seconds: float) -> None:
        self.wait_(seconds, self.hangup)


class _Sending:
    """send and tokens for one call. The first try was paid with the start row, every further one pays here.

    secrets: all that went out with a request or came as a token, to be masked wherever the call is told of.
    """

    def __init__(self, parts: Parts, call: Call) -> None:
        self._parts = parts
        self._call = call
        self._guarded = parts.send_for(
            account=str(call.tenant.account_id),
            hangup=call.hangup,
            seconds=executor.allowed_seconds(call.spec, call.timeout),
        )
        self._paid = False
        self._budget: ratelimit.Budget | None = None
        self._spent_at = 0.0
        self.secrets: set[str] = set()

    def was_paid(self, budget: ratelimit.Budget | None) -> None:
        """The next try is paid. budget: what was left then."""
        self._paid, self._budget, self._spent_at = True, budget, time.monotonic()

    def budget_now(self) -> ratelimit.Budget | None:
        """What was left as the call spent its last one; None where that was too long ago to be told."""
        return self._budget if time.monotonic() - self._spent_at < _SOON else None

    def send(self, request: RenderedRequest, deadline: float) -> HttpResponse:
        if not self._paid:
            try:
                tenant = self._call.tenant
                self.was_paid(ratelimit.spend(tenant.account_id, tenant.per_minute))
            except ratelimit.RateLimited:
                raise BudgetSpent("Rate Limit Exceeded", reason="rate_limited") from None
            except ratelimit.AWAY as error:
                # The first try was made: its failure stands, as it does where the budget is spent.
                _log.warning("a retry was not made, because the budget could not be asked: %s", type(error).__name__)
                raise BudgetSpent("The budget could not be asked.", reason="rate_limited") from None
        self._paid = False
        return self._unpaid(request, deadline)

    def get(self, request: RenderedRequest, deadline: float, *, refused: str | None = None) -> str:
        account = str(self._call.tenant.account_id)
        self.secrets |= request.secrets
        ports.require(request.url, self._parts.allow_ports, "auth.token_url")
        token = self._parts.tokens.get(account, request, deadline, self._unpaid, refused=refused)
        self.secrets.add(token)
        return token

    def _unpaid(self, request: RenderedRequest, deadline: float) -> HttpResponse:
        self.secrets |= request.secrets
        ports.require(request.url, self._parts.allow_ports, "url")
        return self._guarded(request, deadline)


def _execute(parts: Parts, call: Call, known: executor.Known, sending: _Sending) -> Execution:
    return executor.execute(
        call.spec,
        call.attributes,
        send=sending.send,
        clock=_Clock(parts.wait, call.hangup),
        tokens=sending,
        known=known,
        timeout=call.timeout,
    )
