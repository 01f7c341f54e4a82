"""The contract as OpenAPI 3.1, served by the application. A test holds it against the routes and their answers."""

from __future__ import annotations

from flask import Blueprint, Response

from httpstep import __version__
from httpstep.core.jsontext import Json
from httpstep.core.outcome.flat import LISTS
from httpstep.core.step.schemas import reference as _ref
from httpstep.web.api import wishes
from httpstep.web.contract import managed
from httpstep.web.contract.schemas import schemas
from httpstep.web.contract.words import TEXT, content, parameter
from httpstep.web.here import base_url
from httpstep.web.problems import json_response

blueprint = Blueprint("openapi", __name__, url_prefix="/api/v1")


def _told(text: str) -> Json:
    """A header of an answer."""
    return {"description": text, "schema": TEXT}


_BUDGET: Json = {
    "RateLimit-Policy": _told("The account's budget: how many calls in how many seconds."),
    "RateLimit": _told("What is left of it, and the seconds until there is more."),
    "Idempotency-Replayed": _told("`true` where this is the stored answer of an earlier call."),
}
_REFUSED = {
    400: "Malformed: the body is not JSON, or not as described.",
    401: "No valid API key.",
    403: "The key's scope does not allow it.",
    404: "The account has nothing with this key.",
    409: "It was changed, is used or runs at this moment.",
    412: "It is not in the version that was named.",
    413: "The body has more than 256 KB.",
    415: "The body is not said to be JSON.",
    422: "Understood, and not possible; `detail` says why.",
    429: "Rate Limit Exceeded, or Too Many Calls In Flight. No call was made.",
    503: "httpstep cannot serve just now. No call was made.",
}
_RETRY_AFTER: Json = {"Retry-After": _told("Seconds to wait before the next try.")}


def _answers(good: dict[str, Json], *problems: int) -> dict[str, Json]:
    refused = {
        str(status): {
            "description": _REFUSED.get(status, "Refused"),
            **content(_ref("Problem"), "application/problem+json"),
        }
        | ({"headers": _RETRY_AFTER} if status in (429, 503) else {})
        for status in problems
    }
    return good | refused


def _header(name: str, text: str) -> Json:
    return {"name": name, "in": "header", "required": False, "schema": TEXT, "description": text}


_KEY: Json = parameter("key")
_LOG_ID: Json = parameter("log_id") | {"schema": {"type": "integer"}}


def _query(name: str, words: list[Json], text: str) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": TEXT | {"enum": words}, "description": text}


def _wish(name: str, words: list[Json], text: str) -> list[Json]:
    """By the query, or by a header where a platform has no query."""
    header = _header(f"X-{name.capitalize()}", f"The same as the query's {name}, which comes first.")
    return [_query(name, words, text), header | {"schema": TEXT | {"enum": words}}]


_WISHES: list[Json] = [
    *_wish(
        "names", [*wishes.NAMES],
        "Names of attributes with letters, digits and `_` alone (order_status), also in `missing`, and for values texts, "
        "numbers, true and false: null is the empty text, an object its JSON.",
    ),
    *_wish("lists", [*LISTS], "With names=flat, how a list is written: `json`, or `text` with commas between the items."),
    *_wish("extra", [*wishes.EXTRA], "Members of the body that are not of this contract are passed over."),
]  # fmt: skip


def _execute(name: str, what: str, answer: str) -> Json:
    """what: "step" or "flow"; answer: the name of the answer's schema."""
    ran = {
        "200": {
            "description": f"The {what} ran; `next` tells the bot what to do.",
            "headers": _BUDGET,
            **content(_ref(answer)),
        },
        "500": {"description": "httpstep itself failed; the fallback decides.", **content(_ref(answer))},
        "502": {"description": f"With errors=http: the {what} failed.", **content(_ref(answer))},
        "504": {"description": "With errors=http: no answer in time.", **content(_ref(answer))},
    }
    return {
        "operationId": name,
        "summary": f"Run a {what} and get its attributes",
        "parameters": [
            _KEY,
            _query("errors", ["http"], "A failed outcome is a 502, a timeout a 504, with the same body."),
            *_WISHES,
            _header(
                "Idempotency-Key",
                "The same key and body give the stored answer without a second call, for 24 hours. An account keeps 100 MB of "
                'answers; of older ones the key still makes no second call, and is a 409 "Answer No Longer Kept".',
            ),
            _header("X-Request-Id", "Comes back in the answer and stands in the log."),
        ],
        "requestBody": {"required": True, **content(_ref("Execute"))},
        "responses": _answers(ran, 400, 401, 404, 409, 413, 415, 422, 429, 503),
    }


def _operation(name: str, summary: str, good: dict[str, Json], *problems: int, **more: Json) -> Json:
    return {"operationId": name, "summary": summary, "responses": _answers(good, 401, 403, *problems, 503), **more}


def _steps() -> dict[str, Json]:
    step = {"description": "The step document.", "headers": managed.ETAG, **content(_ref("Step"))}
    listed = {"description": "Keys, names and versions.", **content(_ref("Steps"))}
    logs = {"description": "The newest twenty executions, without bodies.", **content(_ref("Logs"))}
    log = {"description": "The execution, with the bodies of request and answer.", **content(_ref("Log"))}
    drift = {"description": "What went, came and changed, and where each rule may read.", **content(_ref("Drift"))}
    saved = {"200": step | {"description": "Replaced."}, "201": step | {"description": "Created."}}
    one = [_KEY]
    return {
        "/api/v1/steps": {"get": _operation("listSteps", "List the steps", {"200": listed})},
        "/api/v1/steps/{key}": {
            "get": _operation("getStep", "Get a step", {"200": step}, 404, parameters=one),
            "put": _operation(
                "putStep", "Create or replace a step", saved, 400, 409, 412, 413, 415, 422, parameters=[_KEY, managed.IF_MATCH, managed.IF_NONE_MATCH],
                description="A document in which a credential is masked (••••), as viewers export it, is a 422.",
                requestBody={"required": True, **content(_ref("Step"))},
            ),
            "delete": _operation("deleteStep", "Delete a step", {"204": {"description": "Deleted."}}, 404, 409, 412, parameters=[_KEY, managed.IF_MATCH]),
        },
        "/api/v1/steps/{key}/logs": {
            "get": _operation("stepLogs", "The last twenty logs", {"200": logs}, 404, parameters=one)
        },
        "/api/v1/steps/{key}/drift": {
            "get": _operation("stepDrift", "How the answers' structure changed", {"200": drift}, 404, parameters=one)
        },
        "/api/v1/steps/{key}/drift/accept": {
            "post": _operation(
                "acceptDrift", "Accept the new structure and move rules", {"200": {"description": "Accepted.", **content(_ref("Saved"))}},
                400, 404, 409, 413, 415, 422, parameters=one,
                description="409 where the step is not marked with the answer of `log_id` (any more).",
                requestBody={"required": True, **content(_ref("AcceptDrift"))},
            )
        },
        "/api/v1/steps/{key}/logs/{log_id}": {
            "get": _operation("stepLog", "A log with its bodies", {"200": log}, 404, parameters=[_KEY, _LOG_ID])
        },
    }  # fmt: skip


def contract(server: str) -> dict[str, Json]:
    """The document. server: the address people use."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "httpstep", "version": __version__},
        "servers": [{"url": server}],
        "security": [{"key": []}],
        "paths": {
            "/api/v1/steps/{key}/execute": {"post": _execute("execute", "step", "Answer")},
            "/api/v1/flows/{key}/execute": {"post": _execute("executeFlow", "flow", "FlowAnswer")},
            **_steps(),
            **managed.paths(_operation),
            "/api/v1/openapi.json": {
                "get": {"operationId": "contract", "summary": "This document", "security": [], "responses": {"200": {"description": "This document."}}}
            },
        },
        "components": {"schemas": schemas(), "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }  # fmt: skip


@blueprint.get("/openapi.json")
def openapi() -> Response:
    return json_response(contract(base_url()))
