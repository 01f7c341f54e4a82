"""The contract as OpenAPI 3.1, served by the application. A test holds it against the routes and their answers."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response

from httpstep import __version__
from httpstep.core.answer.sizes import MAX_ATTRIBUTES, MAX_VALUE
from httpstep.core.document import stepdocument
from httpstep.core.document.flow import SKIPPED
from httpstep.core.errors import FailureKind
from httpstep.core.jsontext import Json
from httpstep.web.here import base_url
from httpstep.web.problems import json_response

blueprint = Blueprint("openapi", __name__, url_prefix="/api/v1")

_TEXT: Json = {"type": "string"}
_ATTRIBUTES: Final = (
    f"The values, whole. One execution gives at most {MAX_VALUE // 1024} KB for one of them and "
    f"{MAX_ATTRIBUTES // 1024**2} MB for all together, as compact JSON in UTF-8."
)
_MISSING: Final = (
    "Attributes that the answer does not have, or whose value is more than may be given. One that came as its default "
    "is here too. The step's log says why."
)
_NEXT: Json = {"type": "string", "enum": ["continue", "stop"]}


def _object(required: list[str], /, **properties: Json) -> dict[str, Json]:
    return {"type": "object", "required": required, "properties": properties}


def _schemas() -> dict[str, Json]:
    outcomes = [
        "success",
        *(kind.value for kind in FailureKind if kind is not FailureKind.RATE_LIMITED),
        "rate_limited",
    ]
    answer = dict(
        request_id=_TEXT,
        step=_TEXT,
        outcome={
            "type": "string",
            "enum": outcomes,
            "description": "invalid_request: no call was made, for example because a secret may not be sent to that host. "
            "rejected: the status was a success, and the answer itself says no (the step's success_when).",
        },
        next=_NEXT,
        attributes={"type": "object", "additionalProperties": True, "description": _ATTRIBUTES},
        missing={"type": "array", "items": _TEXT, "description": _MISSING},
        structure_changed={"type": "boolean"},
        http=_object(["status", "duration_ms"], status={"type": ["integer", "null"]}, duration_ms={"type": "integer"}),
        message={"type": ["string", "null"]},
        log_id={"type": ["string", "null"]},
    )
    asked = _object([], attributes={"type": "object"}, timeout={"type": "number", "exclusiveMinimum": 0, "maximum": 60})
    problem = dict(type=_TEXT, title=_TEXT, status={"type": "integer"}, detail=_TEXT, request_id=_TEXT, next=_NEXT)
    return {
        "Execute": asked | {"additionalProperties": False},
        "Answer": _object(list(answer), **answer) | {"additionalProperties": False},
        "FlowAnswer": _flow_answer(answer, outcomes),
        "Problem": _object(["type", "title", "status", "detail", "request_id"], **problem),
        "Step": stepdocument.schema(),
        "Log": _log_schema(),
    }


def _flow_answer(answer: dict[str, Json], outcomes: list[str]) -> dict[str, Json]:
    """The shape of execute with `flow` in the place of `step`, and the steps as they went."""
    entry = {name: answer[name] for name in ("step", "next", "structure_changed", "http", "message", "log_id")}
    entry["outcome"] = {"type": "string", "enum": [*outcomes, SKIPPED]}
    one = _object(list(entry), **entry) | {"additionalProperties": False}
    members = {"flow": _TEXT} | {name: schema for name, schema in answer.items() if name != "step"}
    members["steps"] = {"type": "array", "items": one}
    return _object(list(members), **members) | {"additionalProperties": False}


def _log_schema() -> Json:
    """Of one log. In the list of logs `request` and `response` lack `body`."""
    maybe = {name: {"type": ["string", "null"]} for name in ("outcome", "next", "message")}
    parts = {
        name: {"type": ["object", "null"], "properties": {"body": maybe["message"]}} for name in ("request", "response")
    }
    members = dict(
        id=_TEXT, request_id=_TEXT, source={"enum": ["test", "bot"]}, actor=_TEXT, started_at=_TEXT,
        state={"enum": ["running", "done", "interrupted"]}, **maybe, duration_ms={"type": ["integer", "null"]},
        structure_changed={"type": "boolean"}, **parts, tries={"type": "array"}, notes={"type": "array", "items": _TEXT}, mapping={"type": "array"},
        attributes={"type": "object"}, missing={"type": "array", "items": _TEXT},
        failure={"type": ["object", "null"]}, drift={},
    )  # fmt: skip
    return _object(list(members), **members) | {"additionalProperties": False}


def _logs_schema() -> Json:
    return _object(["step", "logs"], step=_TEXT, logs={"type": "array", "maxItems": 20, "items": _ref("Log")})


def _drift_schema() -> Json:
    """`drift` and `log_id` are null where the step is not marked; `log_id` also where the answer is no longer kept."""
    path = {"type": ["array", "null"], "items": {"type": ["string", "integer"]}}
    place = _object(["path", "score", "reason", "value"], path=path, score={"type": "number"}, reason=_TEXT, value={})
    rule = _object(
        ["attribute", "path", "was", "suggested", "reason", "places"], attribute=_TEXT, path=path, was={},
        suggested=path, reason=_TEXT, places={"type": "array", "items": place},
    )  # fmt: skip
    return _object(
        ["step", "log_id", "drift", "rules"], step=_TEXT, log_id={"type": ["string", "null"]},
        drift={"type": ["object", "null"]}, rules={"type": "array", "items": rule},
    )  # fmt: skip


def _audit() -> Json:
    older = {"name": "before", "in": "query", "required": False, "schema": _TEXT}
    older["description"] = "The id of an entry: those before it."
    listed = {"description": "The newest hundred entries of the last year.", **_body(_audit_schema())}
    return _operation("listAudit", "Who changed what and when", {"200": listed}, parameters=[older])


def _audit_schema() -> Json:
    members = ("id", "at", "who", "what", "name", "detail")
    entry = _object([*members], **dict.fromkeys(members, _TEXT))
    return _object(["entries"], entries={"type": "array", "maxItems": 100, "items": entry})


def _accept_schema() -> Json:
    path = {"type": ["array", "null"], "items": {"type": ["string", "integer"]}}
    apply = {"oneOf": [{"enum": ["suggested", "none"]}, {"type": "object", "additionalProperties": path}]}
    log_id = {"type": ["string", "integer"]}
    return _object(["apply", "log_id"], apply=apply, log_id=log_id) | {"additionalProperties": False}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _body(schema: Json, media_type: str = "application/json") -> Json:
    return {"content": {media_type: {"schema": schema}}}


def _answers(good: dict[str, Json], *problems: int) -> dict[str, Json]:
    refused = {
        str(status): {"description": "Refused", **_body(_ref("Problem"), "application/problem+json")}
        for status in problems
    }
    return good | refused


def _header(name: str, text: str) -> Json:
    return {"name": name, "in": "header", "required": False, "schema": _TEXT, "description": text}


_KEY: Json = {"name": "key", "in": "path", "required": True, "schema": _TEXT}
_LOG_ID: Json = {"name": "log_id", "in": "path", "required": True, "schema": {"type": "integer"}}


def _execute(name: str, what: str, answer: str) -> Json:
    """what: "step" or "flow"; answer: the name of the answer's schema."""
    ran = {
        "200": {"description": f"The {what} ran; `next` tells the bot what to do.", **_body(_ref(answer))},
        "500": {"description": "httpstep itself failed; the fallback decides.", **_body(_ref(answer))},
        "502": {"description": f"With errors=http: the {what} failed.", **_body(_ref(answer))},
        "504": {"description": "With errors=http: no answer in time.", **_body(_ref(answer))},
    }
    return {
        "operationId": name,
        "summary": f"Run a {what} and get its attributes",
        "parameters": [
            _KEY,
            {"name": "errors", "in": "query", "required": False, "schema": {"enum": ["http"]}},
            _header(
                "Idempotency-Key", "The same key and body give the stored answer without a second call, for 24 hours."
            ),
            _header("X-Request-Id", "Comes back in the answer and stands in the log."),
        ],
        "requestBody": {"required": True, **_body(_ref("Execute"))},
        "responses": _answers(ran, 400, 401, 404, 409, 413, 415, 422, 429, 503),
    }


def _operation(name: str, summary: str, good: dict[str, Json], *problems: int, **more: Json) -> Json:
    return {"operationId": name, "summary": summary, "responses": _answers(good, 401, 403, *problems, 503), **more}


def contract(server: str) -> dict[str, Json]:
    """The document. server: the address people use."""
    step = {"description": "The step document.", **_body(_ref("Step"))}
    listed = {"description": "Keys, names and versions.", **_body({"type": "object"})}
    logs = {"description": "The newest twenty executions, without bodies.", **_body(_logs_schema())}
    log = {"description": "The execution, with the bodies of request and answer.", **_body(_ref("Log"))}
    drift = {"description": "What went, came and changed, and where each rule may read.", **_body(_drift_schema())}
    saved = {"200": step | {"description": "Replaced."}, "201": step | {"description": "Created."}}
    one = [_KEY]
    return {
        "openapi": "3.1.0",
        "info": {"title": "httpstep", "version": __version__},
        "servers": [{"url": server}],
        "security": [{"key": []}],
        "paths": {
            "/api/v1/steps/{key}/execute": {"post": _execute("execute", "step", "Answer")},
            "/api/v1/flows/{key}/execute": {"post": _execute("executeFlow", "flow", "FlowAnswer")},
            "/api/v1/steps": {"get": _operation("listSteps", "List the steps", {"200": listed})},
            "/api/v1/steps/{key}": {
                "get": _operation("getStep", "Get a step", {"200": step}, 404, parameters=one),
                "put": _operation(
                    "putStep", "Create or replace a step", saved, 400, 409, 412, 413, 415, 422, parameters=one,
                    description="A document in which a credential is masked (••••), as viewers export it, is a 422.",
                    requestBody={"required": True, **_body(_ref("Step"))},
                ),
                "delete": _operation("deleteStep", "Delete a step", {"204": {"description": "Deleted."}}, 404, 409, 412, parameters=one),
            },
            "/api/v1/steps/{key}/logs": {
                "get": _operation("stepLogs", "The last twenty logs", {"200": logs}, 404, parameters=one)
            },
            "/api/v1/steps/{key}/drift": {
                "get": _operation("stepDrift", "How the answers' structure changed", {"200": drift}, 404, parameters=one)
            },
            "/api/v1/steps/{key}/drift/accept": {
                "post": _operation(
                    "acceptDrift", "Accept the new structure and move rules", {"200": {"description": "Accepted.", **_body(_object(["step", "version"], step=_TEXT, version={"type": "integer"}))}},
                    400, 404, 409, 413, 415, 422, parameters=one,
                    description="409 where the step is not marked with the answer of `log_id` (any more).",
                    requestBody={"required": True, **_body(_accept_schema())},
                )
            },
            "/api/v1/steps/{key}/logs/{log_id}": {
                "get": _operation("stepLog", "A log with its bodies", {"200": log}, 404, parameters=[_KEY, _LOG_ID])
            },
            "/api/v1/audit": {"get": _audit()},
            "/api/v1/openapi.json": {
                "get": {"operationId": "contract", "security": [], "responses": {"200": {"description": "This document."}}}
            },
        },
        "components": {"schemas": _schemas(), "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }  # fmt: skip


@blueprint.get("/openapi.json")
def openapi() -> Response:
    return json_response(contract(base_url()))
