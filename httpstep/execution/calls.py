"""A call asked for, what came of it, and what refuses it: the words that `runs`, `flows` and the floor above share."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from flask import current_app, g, has_request_context
from limits.errors import StorageError
from msgspec import Struct, field
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from httpstep.alerts import alerts
from httpstep.core.errors import FailureKind
from httpstep.core.exchange import Send
from httpstep.core.jsontext import Json
from httpstep.core.outcome import record
from httpstep.core.outcome.canonical import CanonicalLine
from httpstep.core.step.execution import Execution
from httpstep.core.step.spec import StepSpec
from httpstep.execution.budget import ratelimit
from httpstep.execution.budget.refused import Refused
from httpstep.execution.gathering import Accounts, GatheredAccount
from httpstep.execution.postponed import Postponed
from httpstep.execution.tokens import TokenCache
from httpstep.storage import logs, steps
from httpstep.storage.vault import Vault, VaultError

INTERNAL_MESSAGE = "httpstep itself failed. The operator finds the reason in the application's log."


class SendFor(Protocol):
    """The guarded call (`transport.Transport.send`) on behalf of one call: of whose account, for how many seconds in
    all, and ended where the socket `hangup` is closed."""

    def __call__(self, *, account: str, hangup: int | None, seconds: float | None) -> Send: ...


class Parts(Struct, frozen=True):
    """What lives as long as the process. places: how many calls may wait for third parties in this process."""

    send_for: SendFor
    wait: Callable[[float, int | None], None]
    vault: Vault
    alerts: alerts.Sender
    instance: str
    in_flight: int
    places: threading.BoundedSemaphore
    postponed: Postponed
    base_url: str = ""
    allow_ports: frozenset[int] = frozenset()
    accounts: Accounts = field(default_factory=Accounts)
    refused: Refused = field(default_factory=Refused)
    tokens: TokenCache = field(default_factory=TokenCache)


class Tenant(Struct, frozen=True):
    """Whose budget it is. slug: for the log."""

    account_id: int
    per_minute: int | None
    in_flight: int | None
    slug: str = ""


class Call(Struct, frozen=True):
    """One execution asked for. step None: a draft that was never saved, whose home is draft_id.

    structure: the one that its form holds until Save, which counts in the place of the step's. hangup: descriptor of the
    caller's socket, if a caller that goes away cancels the call. timeout: seconds the caller asks for. masked: values that are kept and
    shown masked, besides the step's own secrets. account: as it was gathered, if it was for this call. edition:
    of that account, where nobody has looked yet whether it is still the account's. flow: the key of the flow whose step it is.
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
    account: GatheredAccount | None = None
    edition: int | None = None
    flow: str | None = None

    def line(self, event: str) -> CanonicalLine:
        """The beginning of its canonical line."""
        return CanonicalLine(
            event, self.request_id, self.tenant.slug, self.spec.key, self.flow, self.source, next=self.spec.fallback
        )


class Run(Struct, frozen=True):
    """What came of a call. answer: what the bot gets. `marked`: the step is marked as changed from now on. budget: what
    the account has left, None where that is not known any more."""

    execution: Execution
    record: record.Record
    log_id: int
    answer: dict[str, Json]
    marked: bool = False
    budget: ratelimit.Budget | None = None


class NotBegun(Exception):
    """A call with an unread edition was not begun, for whatever reason: look, and ask again. Nothing was written or told."""


class TooManyInFlight(Exception):
    """The account has as many calls waiting as it may. Spends no budget."""


class ProcessFull(Exception):
    """This process has as many calls waiting as it can hold, whoever's they are: no fault of the caller. Spends no budget."""

    SENTENCE = "httpstep waits for as many third parties as it can just now. No call was made. Try again shortly."


REFUSALS = (ratelimit.RateLimited, TooManyInFlight, ProcessFull, SQLAlchemyError, StorageError, VaultError)
"""What `runs.run_step` raises before any call is made, and never after one."""


_REASONS: tuple[tuple[type[Exception], str, int], ...] = (
    (ratelimit.RateLimited, "rate_limit_exceeded", 429),
    (TooManyInFlight, "too_many_calls_in_flight", 429),
    (ProcessFull, "server_busy", 503),
    (VaultError, "secrets_unavailable", 503),
    (IntegrityError, "not_found", 404),
    (SQLAlchemyError, "storage_unavailable", 503),
    (StorageError, "storage_unavailable", 503),
)


def reason_of(error: Exception) -> tuple[str, int]:
    """The word for what `runs.run_step` raises before a call, of the title that the API gives it, and its status."""
    found = ((reason, status) for kind, reason, status in _REASONS if isinstance(error, kind))
    return next(found, (FailureKind.INTERNAL.value, 500))


_log = logging.getLogger("httpstep.calls")


def tell(line: CanonicalLine) -> None:
    """Write a canonical line to the application's log, its members beside it for lines in JSON (`serving.server`).

    Call it under `suppress`: a line that cannot be written must cost no call its answer.

    What a request was told of stands in `g.told`, so that `web.api.telling` has one line for all that was not.
    """
    if has_request_context():
        g.told = True
    _log.info("%s", line, extra={"canonical": line})
    if line.event == "refusal":
        parts: Parts = current_app.extensions["httpstep"]
        parts.refused.count(line.account or "", line.reason or "")
        if line.reason != "storage_unavailable":
            write_refusals(parts, older_than=REFUSALS_EVERY)


REFUSALS_EVERY = 10.0
"""Seconds between two writes of what a process has counted."""


def write_refusals(parts: Parts, *, older_than: float = 0.0) -> None:
    """Add what this process has refused to the counts. Waits for nobody long; where the database is away it is kept."""
    if taken := parts.refused.take(older_than=older_than):
        try:
            logs.count_refusals(taken)
        except SQLAlchemyError:
            parts.refused.give_back(taken)


class InternalError(Exception):
    """A programming error after the call was begun. The log row is closed; answer: what the bot gets, with the step's
    fallback as its `next`.

    Raised from None: the error's own text may hold a secret, and whoever prints this one would print it too.
    """

    def __init__(self, answer: dict[str, Json]) -> None:
        super().__init__("internal")
        self.answer = answer
