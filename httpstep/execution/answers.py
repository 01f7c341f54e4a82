"""The answer of execute as JSON: one shape for every outcome, for the API and the command line alike."""

from __future__ import annotations

from typing import Literal

from httpstep.core.errors import FailureKind
from httpstep.core.jsontext import Json
from httpstep.core.outcome.record import Record
from httpstep.core.step.execution import Execution
from httpstep.core.step.spec import StepSpec
from httpstep.execution.calls import INTERNAL_MESSAGE


def answer_of(execution: Execution, kept: Record, log_id: int, request_id: str) -> dict[str, Json]:
    """What the bot gets. Its attributes are not masked: they are its own answer."""
    response, outcome = execution.response, execution.outcome
    return {
        "request_id": request_id,
        "step": execution.spec.key,
        "outcome": outcome.outcome,
        "next": outcome.next,
        "attributes": dict(outcome.attributes),
        "missing": list(outcome.missing),
        "structure_changed": bool(execution.drift),
        "http": {"status": response.status if response else None, "duration_ms": round(execution.duration_ms)},
        "message": kept.message,
        "log_id": str(log_id),
    }


def internal_answer(spec: StepSpec, request_id: str, log_id: int | None = None) -> dict[str, Json]:
    """The same shape for a fault of our own: the step's fallback decides. log_id: None where no call was begun."""
    missing = [rule.attribute for rule in spec.mapping or () if rule.on]
    return {"request_id": request_id, "step": spec.key} | _internal(spec.fallback, missing, log_id)


def internal_flow_answer(key: str, next_: Literal["continue", "stop"], request_id: str) -> dict[str, Json]:
    """The same for a fault outside the steps of a flow."""
    return {"request_id": request_id, "flow": key} | _internal(next_, [], None) | {"steps": []}


def _internal(next_: str, missing: list[str], log_id: int | None) -> dict[str, Json]:
    return {
        "outcome": FailureKind.INTERNAL.value,
        "next": next_,
        "attributes": {},
        "missing": missing,
        "structure_changed": False,
        "http": {"status": None, "duration_ms": 0},
        "message": INTERNAL_MESSAGE,
        "log_id": None if log_id is None else str(log_id),
    }
