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
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from limits.errors import StorageError
from redis.exceptions import RedisError
from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import SQLAlchemyError

from httpstep import alerts, executor, learning, ratelimit
from httpstep.core import jsontext, mailtext, record, redaction
from httpstep.core.errors import BudgetSpent, FailureKind
from httpstep.core.model import Execution, HttpResponse, Json, RenderedRequest, StepSpec
from httpstep.core.rendering import secrets_used
from httpstep.extensions import db
from httpstep.models import logs, steps
from httpstep.models.database import end_transaction, reading, writing
from httpstep.models.tables import Attribute, Secret
from httpstep.postponed import Postponed
from httpstep.tokens import TokenCache
from httpstep.vault import Vault, VaultError

INTERNAL_MESSAGE = "httpstep itself failed. The operator finds the reason in the application's log."
_log = logging.getLogger(__name__)


class Sends(Protocol):
    """The guarded call (`transport.Transport.send`)."""

    def __call__(
        self, request: RenderedRequest, deadline: float, *, account: str, hangup: int | None, seconds: float | None
    ) -> HttpResponse: ...


@dataclass(frozen=True)
class Parts:
    """What lives as long as the process. places: how many calls may wait for third parties in this process."""

    send: Sends
    wait: Callable[[float, int | None], None]
    vault: Vault
    alerts: alerts.Sender
    instance: str
    in_flight: int
    places: threading.BoundedSemaphore
    postponed: Postponed
    base_url: str = ""
    tokens: TokenCache = field(default_factory=TokenCache)
    parsed: steps.ParsedSteps = field(default_factory=steps.ParsedSteps)


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose budget it is."""

    account_id: int
    per_minute: int | None
    in_flight: int | None


@dataclass(frozen=True, slots=True)
class Call:
    """One execution asked for. step None: a draft that was never saved, whose home is draft_id.

    structure: for a draft, the structure its form holds. hangup: descriptor of the caller's socket, if a
    caller that goes away cancels the call. timeout: seconds the caller asks for. masked: values that are kept and
    shown masked, besides the step's own secrets.
    """

    tenant: Tenant
    source: Literal["test", "bot"]
    spec: StepSpec
    attributes: Mapping[str, Json]
    actor: str
    request_id: str
    step: steps.LoadedStep | None = None
    draft_id: str | None = None
    structure: Json = None
    timeout: float | None = None
    hangup: int | None = None
    masked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a call. `marked`: the step is marked as changed from now on."""

    execution: Execution
    record: record.Record
    log_id: int | None
    marked: bool = False


class TooManyInFlight(Exception):
    """The account (or this process) has as many calls waiting as it may. Spends no budget."""


REFUSALS = (ratelimit.RateLimited, TooManyInFlight, SQLAlchemyError, StorageError, RedisError, VaultError)
"""What run_step raises before any call is made, and never after one."""


class InternalError(Exception):
    """A programming error inside the line. The log row is closed; next is the step's fallback.

    Raised from None: the error's own text may hold a secret, and whoever prints this one would print it too.
    """

    def __init__(self, spec: StepSpec, log_id: int) -> None:
        super().__init__("internal")
        self.spec = spec
        self.log_id = log_id


def run_step(parts: Parts, call: Call) -> Run:
    """Run a step once. Raises one of REFUSALS before any call, InternalError after one."""
    with reading():
        known = _known(parts, call)
        if call.spec.enabled:
            ratelimit.require(call.tenant.account_id, call.tenant.per_minute)
    with _place(parts):
        log_id = _begin(parts, call)
        end_transaction()
        sending = _Sending(parts, call)
        try:
            execution = _execute(parts, call, known, sending)
            kept = record.record_of(execution, call.attributes, call.timeout)
        except Exception as error:
            secrets = sending.secrets | call.masked | set(filter(None, known.secrets.values()))
            _log.error("step %s failed inside httpstep\n%s", call.spec.key, _masked_traceback(error, secrets))
            ended = {"outcome": FailureKind.INTERNAL.value, "next": call.spec.fallback, "message": INTERNAL_MESSAGE}
            _close(parts, call, log_id, ended)
            raise InternalError(call.spec, log_id) from None
    marked = _finish(parts, call, execution, kept, log_id)
    return Run(execution, kept, log_id, marked)


# ---------------------------------------------------------------- before the call


@contextmanager
def _place(parts: Parts) -> Iterator[None]:
    if not parts.places.acquire(blocking=False):
        raise TooManyInFlight
    try:
        yield
    finally:
        parts.places.release()


def _begin(parts: Parts, call: Call) -> int:
    """The start row and its one of the budget, both or neither. Redis has no part in our transactions: there the
    row goes first, so that a call that is one too many in flight spends nothing."""
    start = logs.Start(
        account_id=call.tenant.account_id, step_id=call.step.id if call.step else None,
        draft_id=None if call.step else call.draft_id, step_version=call.step.version if call.step else 0,
        request_id=call.request_id, source=call.source, actor=call.actor, method=call.spec.request.method,
        started_at=time.time(), instance=parts.instance,
    )  # fmt: skip
    tenant = call.tenant
    with writing():
        log_id = logs.begin(start, tenant.in_flight or parts.in_flight)
        if log_id is None:
            raise TooManyInFlight
        if call.spec.enabled and ratelimit.in_database():
            ratelimit.spend(tenant.account_id, tenant.per_minute)
    if call.spec.enabled and not ratelimit.in_database():
        try:
            ratelimit.spend(tenant.account_id, tenant.per_minute)
        except BaseException:
            parts.postponed.write(lambda: logs.forget(log_id))
            raise
    return log_id


_DEFAULTS = select(Attribute.name, Attribute.default).where(
    Attribute.account_id == bindparam("owner"), Attribute.default.is_not(None)
)
_SECRETS = select(Secret.name, Secret.token).where(
    Secret.account_id == bindparam("owner"), Secret.name.in_(bindparam("wanted", expanding=True))
)


def _known(parts: Parts, call: Call) -> executor.Known:
    account_id = call.tenant.account_id
    wanted = secrets_used(call.spec)
    with reading() as connection:
        rows = connection.execute(_DEFAULTS, {"owner": account_id})
        defaults = {name: jsontext.loads(text) for name, text in rows if text is not None}
        found = {}
        if wanted:
            tokens = connection.execute(_SECRETS, {"owner": account_id, "wanted": wanted})
            found = {name: parts.vault.decrypt(token).decode() for name, token in tokens}
    return executor.Known(
        secrets=found,
        masked=call.masked,
        defaults=defaults,
        structure=call.step.structure if call.step else call.structure,
        taken=lambda: _names_taken(account_id, call.step),
    )


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


@dataclass(frozen=True, slots=True)
class _Clock:
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
        self._paid = True
        self.secrets: set[str] = set()

    def send(self, request: RenderedRequest, deadline: float) -> HttpResponse:
        if not self._paid:
            tenant = self._call.tenant
            try:
                ratelimit.spend(tenant.account_id, tenant.per_minute)
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
        token = self._parts.tokens.get(account, request, deadline, self._unpaid, refused=refused)
        self.secrets.add(token)
        return token

    def _unpaid(self, request: RenderedRequest, deadline: float) -> HttpResponse:
        call = self._call
        self.secrets |= request.secrets
        seconds = executor.allowed_seconds(call.spec, call.timeout)
        return self._parts.send(
            request, deadline, account=str(call.tenant.account_id), hangup=call.hangup, seconds=seconds
        )


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


def _masked_traceback(error: Exception, secrets: Set[str]) -> str:
    """Where it happened and what was said, without what must not be read in the application's log."""
    return redaction.redact("".join(traceback.format_exception(error)).rstrip(), secrets)


# ---------------------------------------------------------------- after the call


def _close(parts: Parts, call: Call, log_id: int, values: dict[str, Any]) -> None:
    """Write that the call has ended, and nothing else of it."""

    def close() -> None:
        with writing() as connection:
            logs.finish(connection, log_id, values)

    try:
        parts.postponed.write(close)
    except SQLAlchemyError:
        _log.exception("log row %s of step %s could not be closed", log_id, call.spec.key)


def _finish(parts: Parts, call: Call, execution: Execution, kept: record.Record, log_id: int) -> bool:
    """Write everything that follows from the call in one transaction. True where the step is newly marked.

    The call has been made: a database that is away costs a while until the record is there, never the answer.
    """
    values = _log_values(execution, kept)
    marked = False

    def write() -> None:
        nonlocal marked
        due = False
        with writing() as connection:
            if not logs.finish(connection, log_id, values):
                return
            if call.step is None:
                logs.forget_old_drafts(connection, time.time() - 86400)
            else:
                lesson = learning.Lesson(call.source, execution, kept, log_id, call.actor)
                marked = learning.learn(connection, call.step, lesson)
                due = _note_alert(connection, parts, call, kept, marked)
        _send_mail(parts, due)

    try:
        parts.postponed.write(write)
    except SQLAlchemyError:
        _log.exception("log row %s of step %s could not be completed", log_id, call.spec.key)
        _close(parts, call, log_id, {name: values[name] for name in _ENDED})
    finally:
        db.session.close()
    return marked


_ENDED = ("duration_ms", "outcome", "next", "status")


def _send_mail(parts: Parts, due: bool) -> None:
    """What is due, soon. The call has been made: what fails here must not look like a refusal of it."""
    try:
        if due:
            parts.alerts.kick()
        else:
            parts.alerts.kick_if_due(time.time())
    except Exception:
        _log.exception("due alert mails could not be looked for")


def _log_values(execution: Execution, kept: record.Record) -> dict[str, Any]:
    outcome, response = execution.outcome, execution.response
    return {
        "duration_ms": round(execution.duration_ms),
        "outcome": outcome.outcome,
        "next": outcome.next,
        "message": kept.message,
        "status": response.status if response else None,
        "structure_changed": bool(execution.drift),
        "detail": jsontext.dumps_text(kept.detail),
        "request_body": kept.request_body,
        "response_body": kept.response_body,
        "structure": None if execution.structure is None else jsontext.dumps_text(execution.structure),
    }


def _note_alert(connection: Connection, parts: Parts, call: Call, kept: record.Record, marked: bool) -> bool:
    """Count the failure and claim the hour where a mail is wanted. True where a mail is due."""
    step, failure = call.step, kept.detail["failure"]
    if step is None or call.source != "bot":
        return False
    wanted = bool(call.spec.alert_emails) and parts.alerts.on
    if failure is not None and failure["kind"] not in (FailureKind.CANCELLED, FailureKind.DISABLED):
        alerts.count_failure(connection, step.id, time.time())
        return wanted and alerts.claim(connection, occasion_of(parts, step.id, call.spec, kept.detail))
    if marked and call.spec.alert_on_drift and wanted:
        return alerts.claim(connection, occasion_of(parts, step.id, call.spec, kept.detail, drift=True))
    return False


def occasion_of(
    parts: Parts, step_id: int, spec: StepSpec, detail: Mapping[str, Json], *, drift: bool = False
) -> alerts.Occasion:
    """What a mail about that step's call has to tell. detail: of the call's record."""
    written = (spec.request.url, spec.request.auth.token_url)
    what = (
        "A live call's answer differs from the accepted sample."
        if drift
        else mailtext.failure_sentence(detail, written)
    )
    return alerts.Occasion(
        step_id=step_id, name=spec.name, what=what, url=spec.request.url, method=spec.request.method,
        recipients=spec.alert_emails, at=time.time(), link=f"{parts.base_url}/steps/{step_id}", drift=drift,
    )  # fmt: skip
