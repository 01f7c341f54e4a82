"""The answer of execute as JSON: one shape for every outcome, for the API and the command line alike."""

from __future__ import annotations

from httpstep.core.errors import FailureKind
from httpstep.core.jsontext import Json
from httpstep.core.step.spec import StepSpec
from httpstep.execution import calls


def answer_of(run: calls.Run, spec: StepSpec, request_id: str) -> dict[str, Json]:
    """What the bot gets. Its attributes are not masked: they are its own answer."""
    execution = run.execution
    response, outcome = execution.response, execution.outcome
    return {
        "request_id": request_id,
        "step": spec.key,
        "outcome": outcome.outcome,
        "next": outcome.next,
        "attributes": dict(outcome.attributes),
        "missing": list(outcome.missing),
        "structure_changed": bool(execution.drift),
        "http": {"status": response.status if response else None, "duration_ms": round(execution.duration_ms)},
        "message": run.record.message,
        "log_id": None if run.log_id is None else str(run.log_id),
    }


def internal_answer(log_id: int, spec: StepSpec, request_id: str) -> dict[str, Json]:
    """The same shape for a fault of our own: the step's fallback decides."""
    return {
        "request_id": request_id,
        "step": spec.key,
        "outcome": FailureKind.INTERNAL.value,
        "next": spec.fallback,
        "attributes": {},
        "missing": [rule.attribute for rule in spec.mapping or () if rule.on],
        "structure_changed": False,
        "http": {"status": None, "duration_ms": 0},
        "message": calls.INTERNAL_MESSAGE,
        "log_id": str(log_id),
    }
