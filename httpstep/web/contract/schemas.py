"""The schemas of the contract: what is sent and what comes back. A step's come from the one table of its members.

`examples` stand with what people write or read first; a test holds each of them against its schema.
"""

from __future__ import annotations

from typing import Final

from httpstep.core.answer.sizes import MAX_ATTRIBUTES, MAX_VALUE
from httpstep.core.document import stepdocument
from httpstep.core.document.flow import SKIPPED
from httpstep.core.errors import FailureKind
from httpstep.core.jsontext import Json
from httpstep.core.step.schemas import Named, Schema, reference
from httpstep.web.contract import logschemas, managed
from httpstep.web.contract.words import TEXT, WORDS_OF_PATH, closed, list_of, nullable, object_of

_ATTRIBUTES: Final = (
    f"The values, whole. One execution gives at most {MAX_VALUE // 1024} KB for one of them and "
    f"{MAX_ATTRIBUTES // 1024**2} MB for all together, as compact JSON in UTF-8."
)
_MISSING: Final = (
    "Attributes that the answer does not have, or whose value is more than may be given. One that came as its default "
    "is here too. The step's log says why."
)
_OUTCOME: Final = (
    "invalid_request: no call was made, for example because a secret may not be sent to that host. "
    "rejected: the status was a success, and the answer itself says no (the step's success_when)."
)
_NEXT: Schema = {"type": "string", "enum": ["continue", "stop"]}
OUTCOMES: Final[list[Json]] = [
    "success",
    *(kind.value for kind in FailureKind if kind is not FailureKind.RATE_LIMITED),
    FailureKind.RATE_LIMITED.value,
]


def schemas() -> Named:
    """All of them, by name."""
    return {
        "Execute": _execute(),
        **_answers(),
        "Problem": _problem(),
        "Fault": closed(place=TEXT, message=TEXT),
        **_with_example(stepdocument.schemas()),
        "Steps": closed(steps=list_of(reference("ListedStep"))),
        "ListedStep": closed(key=TEXT, name=TEXT, version={"type": "integer"}),
        **logschemas.schemas(),
        **_drift(),
        **managed.schemas(),
    }


def _execute() -> Schema:
    timeout = {"type": "number", "exclusiveMinimum": 0, "maximum": 60, "description": "Seconds for the whole call."}
    attributes = {"type": "object", "description": "Names and their values, any JSON."}
    asked = object_of([], attributes=attributes, timeout=timeout)
    example = {"attributes": {"order.id": 42, "channel": "web"}, "timeout": 20}
    return asked | {"additionalProperties": False, "examples": [example]}


# ---------------------------------------------------------------- the answer of execute


def _answers() -> Named:
    answer: dict[str, Json] = dict(
        request_id=TEXT,
        step=TEXT,
        outcome={"type": "string", "enum": OUTCOMES, "description": _OUTCOME},
        next=_NEXT | {"description": "What the bot does now."},
        attributes={"type": "object", "additionalProperties": True, "description": _ATTRIBUTES},
        missing=list_of(TEXT) | {"description": _MISSING},
        structure_changed={"type": "boolean", "description": "The API answers in another shape than the accepted one."},
        http=reference("AnswerHttp"),
        message=nullable("string") | {"description": "One sentence for a person, null on success."},
        log_id=nullable("string") | {"description": "The entry in the step's log."},
    )
    return {
        "Answer": closed(**answer) | {"examples": [_ANSWER]},
        "AnswerHttp": closed(
            status=nullable("integer") | {"description": "Of the API's answer, null where none came."},
            duration_ms={"type": "integer"},
        ),
        **_flow_answers(answer),
    }


def _flow_answers(answer: dict[str, Json]) -> Named:
    """The shape of execute with `flow` in the place of `step`, and the steps as they went."""
    entry = {name: answer[name] for name in ("step", "next", "structure_changed", "http", "message", "log_id")}
    entry["outcome"] = {"type": "string", "enum": [*OUTCOMES, SKIPPED]}
    members = {"flow": TEXT} | {name: schema for name, schema in answer.items() if name != "step"}
    members["steps"] = list_of(reference("FlowStep"))
    return {"FlowAnswer": closed(**members) | {"examples": [_FLOW_ANSWER]}, "FlowStep": closed(**entry)}


def _problem() -> Schema:
    """Of every refusal (RFC 9457)."""
    members: dict[str, Json] = dict(
        type=TEXT, title=TEXT, status={"type": "integer"}, detail=TEXT, request_id=TEXT,
        next=_NEXT | {"description": "The fallback of the step, wherever the step is known."},
        faults=list_of(reference("Fault")) | {"description": "All that is wrong with a document."},
    )  # fmt: skip
    return object_of(["type", "title", "status", "detail", "request_id"], **members) | {"examples": [_PROBLEM]}


_ANSWER: Final[Json] = {
    "request_id": "8f0c2d1e", "step": "order-status", "outcome": "success", "next": "continue",
    "attributes": {"order.status": "shipped"}, "missing": [], "structure_changed": False,
    "http": {"status": 200, "duration_ms": 412}, "message": None, "log_id": "17",
}  # fmt: skip
_FLOW_ANSWER: Final[Json] = {
    "request_id": "8f0c2d1e", "flow": "order-flow", "outcome": "success", "next": "continue",
    "attributes": {"order.status": "shipped"}, "missing": [], "structure_changed": False,
    "http": {"status": 200, "duration_ms": 430}, "message": None, "log_id": "17",
    "steps": [
        {"step": "order-status", "outcome": "success", "next": "continue", "structure_changed": False,
         "http": {"status": 200, "duration_ms": 412}, "message": None, "log_id": "17"},
    ],
}  # fmt: skip
_PROBLEM: Final[Json] = {
    "type": "about:blank", "title": "Rate Limit Exceeded", "status": 429,
    "detail": "10 requests per minute per account. Try again in 12 s, or ask the operator for more.",
    "request_id": "8f0c2d1e", "next": "stop",
}  # fmt: skip
_STEP: Final[Json] = {
    "format": "httpstep/1", "key": "order-status", "name": "Order status",
    "request": {
        "method": "GET", "url": "https://shop.example/orders/{{order.id}}",
        "headers": [{"name": "X-Channel", "value": "{{channel}}"}],
        "auth": {"type": "bearer", "token": "{{secret.SHOP_TOKEN}}"},
    },
    "success_when": [{"path": ["ok"], "is": "equals", "value": True}],
    "mapping": [
        {"path": ["data", 0, "status"], "attribute": "order.status"},
        {"call": "status", "attribute": "order.http"},
    ],
    "fallback": "stop",
}  # fmt: skip


def _with_example(named: Named) -> Named:
    return named | {"Step": named["Step"] | {"examples": [_STEP]}}


# ---------------------------------------------------------------- drift


def _drift() -> Named:
    """`drift` and `log_id` are null where the step is not marked; `log_id` also where the answer is no longer kept."""
    path: Schema = {"type": ["array", "null"], "items": WORDS_OF_PATH}
    place = closed(path=list_of(WORDS_OF_PATH), score={"type": "number"}, reason=TEXT, value={})
    rule = closed(
        attribute=TEXT, path=path, was={}, suggested=path, reason=TEXT, places=list_of(reference("DriftPlace"))
    )
    return {
        "Drift": closed(
            step=TEXT, log_id=nullable("string"),
            drift={"anyOf": [reference("Differences"), {"type": "null"}]}, rules=list_of(reference("DriftRule")),
        ),
        "DriftRule": rule,
        "DriftPlace": place,
        "AcceptDrift": closed(
            apply={"oneOf": [
                {"type": "string", "enum": ["suggested", "none"]}, {"type": "object", "additionalProperties": path},
            ]},
            log_id={"type": ["string", "integer"]},
        ) | {"examples": [{"apply": "suggested", "log_id": "17"}]},
        "Saved": closed(step=TEXT, version={"type": "integer"}),
    }  # fmt: skip
