"""Run a flow: its steps in order, each by the one path of `runs.run_step`, all of them within 60 seconds.

Every step is an execution of its own, with its log row, its one of the budget and its alert. What refuses the first
step refuses the flow, since nothing was called yet; what refuses a later one is that step's outcome, because the calls
before it were made and their attributes are the bot's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal

from msgspec import Struct

from httpstep.core.document import flow
from httpstep.core.document.flow import FlowSpec, FlowStep
from httpstep.core.errors import FailureKind, place_of
from httpstep.core.jsontext import Json
from httpstep.core.outcome import canonical
from httpstep.execution import calls, runs
from httpstep.execution.answers import internal_flow_answer
from httpstep.execution.budget import ratelimit
from httpstep.storage import steps
from httpstep.storage.database import end_transaction
from httpstep.storage.vault import VaultError

_LEAST_SECONDS = 0.1
"""With less than that left, a call is not begun."""
_GONE = "This step of the flow no longer exists."
_log = logging.getLogger(__name__)


class FlowCall(Struct, frozen=True):
    """A flow asked for; the members are those of `calls.Call`. fallback: the `next` of a fault outside its steps."""

    tenant: calls.Tenant
    source: Literal["test", "bot"]
    spec: FlowSpec
    attributes: Mapping[str, Json]
    actor: str
    request_id: str
    timeout: float | None = None
    hangup: int | None = None
    fallback: Literal["continue", "stop"] = "stop"

    @property
    def seconds(self) -> float:
        """For all steps together."""
        return min(self.timeout or flow.SECONDS, flow.SECONDS)


def run_flow(parts: calls.Parts, call: FlowCall) -> dict[str, Json]:
    """The flow's answer (`core.document.flow.concluded`). Raises one of `calls.REFUSALS` before any call, and never after one."""
    answers: list[dict[str, Json]] = []
    began = time.monotonic()
    try:
        _run_places(parts, call, answers, began)
        answer = flow.concluded(call.spec.key, call.request_id, answers, (time.monotonic() - began) * 1000)
    except Exception as error:
        if not _is_begun(answers):
            raise
        _log.error("the flow %s failed inside httpstep\n%s", call.spec.key, place_of(error))
        answer = internal_flow_answer(call.spec.key, call.fallback, call.request_id)
    with suppress(Exception):
        calls.tell(canonical.flow_ended(call.tenant.slug, call.source, answer))
    return answer


def _run_places(parts: calls.Parts, call: FlowCall, answers: list[dict[str, Json]], began: float) -> None:
    """Fill `answers`. What goes wrong before the first call is raised; later, it is the outcome of its step."""
    known = dict(call.attributes)
    secrets: set[str] = set()
    for place in call.spec.places:
        try:
            if place.when is not None and not place.when.holds(known):
                answers.append(flow.left_out(_key_of(parts, call, place, _is_begun(answers))))
                continue
            answer = _run_place(parts, call, place, known, secrets, call.seconds - (time.monotonic() - began))
        except Exception as error:
            if not _is_begun(answers):
                raise
            answer = _refused(parts, call, place, error)
        answers.append(answer)
        known |= answer["attributes"]
        if flow.ends(answer):
            break


def _is_begun(answers: list[dict[str, Json]]) -> bool:
    """Whether a step was run, so that a call may have been made."""
    return any(answer["outcome"] != flow.SKIPPED for answer in answers)


def fallback_of(parts: calls.Parts, account_id: int, spec: FlowSpec) -> Literal["continue", "stop"]:
    """What the first step's fallback says: it decides where the flow is refused as a whole."""
    account = parts.accounts.get(account_id)
    loaded = (account.step(step_id=place.step_id) for place in spec.places)
    return next((step.spec.fallback for step in loaded if step is not None), "stop")


def attributes_of(parts: calls.Parts, account_id: int, spec: FlowSpec) -> list[str]:
    """The names of what its steps may give, in their order."""
    account = parts.accounts.get(account_id)
    loaded = (account.step(step_id=place.step_id) for place in spec.places)
    return [name for step in loaded if step is not None for name in step.spec.gives]


def _loaded(parts: calls.Parts, call: FlowCall, place: FlowStep) -> steps.LoadedStep | None:
    try:
        return parts.accounts.get(call.tenant.account_id).step(step_id=place.step_id)
    finally:
        end_transaction()


def _key_of(parts: calls.Parts, call: FlowCall, place: FlowStep, begun: bool) -> str:
    """Of a step that is left out. After a call, storage that is away costs its name and not the flow's answer."""
    try:
        step = _loaded(parts, call, place)
    except Exception:
        if not begun:
            raise
        step = None
    return step.spec.key if step else ""


def _run_place(
    parts: calls.Parts, call: FlowCall, place: FlowStep, known: Mapping[str, Json], secrets: set[str], left: float
) -> dict[str, Json]:
    """The answer of one step. Its secrets come to `secrets`: what an API gave back of them is masked in later steps too."""
    step = _loaded(parts, call, place)
    if step is None:
        return _not_run(call, "", FailureKind.INVALID_REQUEST, "stop", _GONE)
    if left < _LEAST_SECONDS:
        message = f"The {call.seconds:g} seconds of the flow were over before this step."
        return _not_run(call, step.spec.key, FailureKind.TIMEOUT, step.spec.fallback, message)
    one = calls.Call(
        tenant=call.tenant, source=call.source, spec=step.spec, attributes=known,
        actor=f"{call.actor}, flow {call.spec.key}", request_id=call.request_id, step=step,
        timeout=int(left * 10) / 10 if left < step.spec.timeout else None, hangup=call.hangup,
        masked=frozenset(secrets), flow=call.spec.key,
    )  # fmt: skip
    try:
        run = runs.run_step(parts, one)
        secrets |= run.execution.secrets
        return run.answer
    except calls.InternalError as error:
        return error.answer


def _not_run(
    call: FlowCall, key: str, outcome: FailureKind, next_: Literal["continue", "stop"], message: str
) -> dict[str, Json]:
    """The answer of a step that the flow itself refuses, and its line."""
    with suppress(Exception):
        told = call.request_id, call.tenant.slug, key, call.spec.key, call.source, outcome.value
        calls.tell(canonical.CanonicalLine("refusal", *told, next=next_))
    return flow.not_run(key, outcome, next_, message)


def _refused(parts: calls.Parts, call: FlowCall, place: FlowStep, error: Exception) -> dict[str, Json]:
    """A later step that was refused before its call. Its own fallback decides, as far as it can be read."""
    try:
        step = _loaded(parts, call, place)
    except Exception:
        step = None
    key, next_ = (step.spec.key, step.spec.fallback) if step else ("", "stop")
    if isinstance(error, ratelimit.RateLimited):
        return flow.not_run(key, FailureKind.RATE_LIMITED, next_, "Rate Limit Exceeded")
    if isinstance(error, calls.TooManyInFlight):
        return flow.not_run(key, FailureKind.RATE_LIMITED, next_, "Too Many Calls In Flight")
    if isinstance(error, calls.ProcessFull):
        return flow.not_run(key, FailureKind.RATE_LIMITED, next_, calls.ProcessFull.SENTENCE)
    if isinstance(error, VaultError):
        _log.error("%s", error)
        return flow.not_run(key, FailureKind.INVALID_REQUEST, next_, f"Secrets Unavailable. {error}")
    _log.error("a step of the flow %s could not be begun\n%s", call.spec.key, place_of(error))
    return flow.not_run(key, FailureKind.INTERNAL, next_, calls.INTERNAL_MESSAGE)
