"""What can go wrong with a step, as kinds and as one exception family.

    StepError                     kind INTERNAL, never raised itself
    ├── InvalidRequest            the request cannot be built: missing attribute, bad URL, bad header
    ├── SendError                 the call gave no usable answer; raised by transport only, but for TimedOut
    │   ├── NetworkError          name not found, refused, no route, TLS, broken answer, redirects
    │   ├── TimedOut              the deadline passed; `reason` names the part that was waiting, or the work on the answer
    │   ├── Blocked               the address, scheme or redirect target is not allowed
    │   ├── TooLarge              more bytes than the limits allow
    │   ├── Cancelled             the caller hung up or pressed Cancel
    │   └── BudgetSpent           a retry would have gone over the account's budget (never a first call)
    ├── Disabled                  the step is switched off
    ├── UnreadableAnswer          the answer is not JSON (or breaks its limits) and there are rules to apply
    ├── HttpStatusError           the status is outside the step's success rule
    └── Rejected                  the status is a success, and the answer itself says that it is none

Inside the line errors are exceptions of this family; `executor.execute` catches StepError in one
place and makes a `Failure` of it. The words of a failure are written where it is raised.
They deliberately derive from neither OSError nor ValueError, so no library below rewraps them.
"""

from __future__ import annotations

import traceback
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from httpstep.core.exchange import Trace


class FailureKind(StrEnum):
    """The words of `outcome` in an execute answer, `success` apart."""

    HTTP_ERROR = "http_error"
    REJECTED = "rejected"
    TIMEOUT = "timeout"
    NETWORK_ERROR = "network_error"
    BLOCKED = "blocked"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    INVALID_REQUEST = "invalid_request"
    CANCELLED = "cancelled"
    DISABLED = "disabled"
    RATE_LIMITED = "rate_limited"
    INTERNAL = "internal"


class StepError(Exception):
    """An expected failure of one execution.

    message: one sentence for a person, free of secrets. reason: a stable word for programs and tests,
    such as "dns" or "missing_attribute". advice: one sentence with what to do next, may be empty.
    place: where in the step it is ("url", "headers[2].value", "body.text"), may be empty.
    """

    kind = FailureKind.INTERNAL

    def __init__(self, message: str, *, reason: str, advice: str = "", place: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.advice = advice
        self.place = place


class InvalidRequest(StepError):
    """The request cannot be built; no connection is made."""

    kind = FailureKind.INVALID_REQUEST


class SendError(StepError):
    """The call gave no usable answer. `trace` holds what was seen up to then: hops and timings."""

    def __init__(
        self, message: str, *, reason: str, advice: str = "", place: str = "", trace: Trace | None = None
    ) -> None:
        super().__init__(message, reason=reason, advice=advice, place=place)
        self.trace = trace


class NetworkError(SendError):
    """reason: dns, refused, unreachable, tls_expired, tls_name, tls_issuer, tls, broken_answer, incomplete, redirects."""

    kind = FailureKind.NETWORK_ERROR


class TimedOut(SendError):
    """reason: timeout_dns, timeout_connect, timeout_tls, timeout_sending, timeout_waiting, timeout_reading;
    from the executor: timeout_working, where the answer came in time and reading it took too long."""

    kind = FailureKind.TIMEOUT


class Blocked(SendError):
    """reason: the address verdict in lower case, or url, scheme, host, port, userinfo, header, method,
    redirect_downgrade, redirect_scheme."""

    kind = FailureKind.BLOCKED


class TooLarge(SendError):
    """reason: too_large_decoded, too_large_wire, too_large_headers."""

    kind = FailureKind.TOO_LARGE


class Cancelled(SendError):
    """reason: cancelled."""

    kind = FailureKind.CANCELLED


class BudgetSpent(SendError):
    """A retry the budget refused; the executor lets the failure before it stand."""

    kind = FailureKind.RATE_LIMITED


class UnreadableAnswer(StepError):
    """The answer cannot be read as JSON. reason: empty, html, xml, csv, text, binary, syntax, too_deep, number, encoding,
    guarded, preceded, followed, events, json_lines, jsonp."""

    kind = FailureKind.NOT_JSON


class Disabled(StepError):
    """The step is switched off; no call is made and its fallback decides."""

    kind = FailureKind.DISABLED


class HttpStatusError(StepError):
    """The answer's status is outside the success rule."""

    kind = FailureKind.HTTP_ERROR


class Rejected(StepError):
    """A condition of the step on its answer does not hold. reason: rejected, or token_expired."""

    kind = FailureKind.REJECTED


def place_of(error: BaseException) -> str:
    """Where a fault of our own happened, for the application's log, without what it says: that may hold a secret."""
    return "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__
