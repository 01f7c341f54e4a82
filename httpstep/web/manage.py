"""Steps by API, for keys with scope manage: list, get, put, delete, logs."""

from __future__ import annotations

import time

from flask import Blueprint, Response, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from httpstep.core import jsontext, stepdocument
from httpstep.core.model import Json, StepSpec
from httpstep.models import keys, logs, steps
from httpstep.models.tables import Log
from httpstep.web.api import caller, json_body
from httpstep.web.problems import Problem, json_response

blueprint = Blueprint("manage", __name__, url_prefix="/api/v1")


def manager() -> keys.Caller:
    who = caller()
    if who.scope != "manage":
        raise Problem(403, "Key Not Allowed", "This API key may only execute steps. Use one with the scope manage.")
    return who


def _no_step(key: str) -> Problem:
    return Problem(404, "Not Found", f'There is no step with the key "{key[:63]}" in this account.')


@blueprint.get("/steps")
def list_steps() -> Response:
    who = manager()
    found = [{"key": step.key, "name": step.name, "version": step.version} for step in steps.listed(who.account_id)]
    return json_response({"steps": found})


def exported(step_id: int, account_id: int) -> dict[str, Json]:
    """The document of a step with the mapping in force: the editor's, else the automatic one."""
    step = steps.get(account_id, step_id)
    if step is None:
        raise steps.Gone("This step no longer exists.")
    document = stepdocument.dump(steps.document_of(step))
    automatic = steps.state(step.id).automatic
    if "mapping" not in document and automatic is not None:
        document["mapping"] = jsontext.read_back(automatic)
    return document


@blueprint.get("/steps/<key>")
def get_step(key: str) -> Response:
    who = manager()
    step = steps.find(who.account_id, key)
    if step is None:
        raise _no_step(key)
    return json_response(exported(step.id, who.account_id), headers={"ETag": f'"{step.version}"'})


_TRIES = 5
_OVERTAKEN = (steps.KeyTaken, steps.Conflict, steps.Gone, IntegrityError, StaleDataError)
"""Somebody made, changed or deleted the step between our look and our write."""


@blueprint.put("/steps/<key>")
def put_step(key: str) -> Response:
    """Create or replace a step by its document; 201 or 200 with the document as it was saved."""
    who = manager()
    spec = _document(key)
    for _ in range(_TRIES):
        existing = steps.find(who.account_id, key)
        step_id, version = (existing.id, existing.version) if existing else (None, None)
        asked = _check_preconditions(version)
        try:
            step = steps.save(
                who.account_id, spec, by=f"key {who.key_name}", now=time.time(), step_id=step_id,
                version=version if asked else None,
            )  # fmt: skip
            document = exported(step.id, who.account_id)
        except _OVERTAKEN:
            continue
        return json_response(document, 200 if existing else 201, {"ETag": f'"{step.version}"'})
    raise Problem(409, "Conflict", "Others change this step at the same time. Try again.")


def _document(key: str) -> StepSpec:
    document = json_body()
    if isinstance(document, dict) and document.setdefault("key", key) != key:
        raise Problem(422, "Invalid Step", f'The document\'s key is not the one in the address ("{key[:63]}").')
    try:
        return stepdocument.parse(document)
    except stepdocument.DocumentError as error:
        faults = [{"place": fault.place, "message": fault.message} for fault in error.faults]
        first = error.faults[0]
        raise Problem(422, "Invalid Step", f"{first.place or 'document'}: {first.message}", faults=faults) from None


def _check_preconditions(version: int | None) -> bool:
    """Whether the request has conditions (RFC 9110, 13.1.1 and 13.1.2). version: the step's, None where there is none.

    Raises the 412.
    """
    wanted, unwanted = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if wanted is not None and (version is None or str(version) not in request.if_match):
        raise Problem(412, "Precondition Failed", "The step is not in the version named in If-Match.")
    if unwanted is not None and version is not None and request.if_none_match.contains_weak(str(version)):
        raise Problem(412, "Precondition Failed", "The step is there, in a version named in If-None-Match.")
    return wanted is not None or unwanted is not None


@blueprint.delete("/steps/<key>")
def delete_step(key: str) -> Response:
    who = manager()
    for _ in range(_TRIES):
        existing = steps.find(who.account_id, key)
        version = existing.version if existing else None
        asked = _check_preconditions(version)
        try:
            if not steps.remove(who.account_id, key, version if asked else None):
                raise _no_step(key)
        except steps.InUse as error:
            raise Problem(409, "Step In Use", str(error)) from None
        except steps.Conflict:
            continue
        return Response(status=204)
    raise Problem(409, "Conflict", "Others change this step at the same time. Try again.")


@blueprint.get("/steps/<key>/logs")
def step_logs(key: str) -> Response:
    """The newest twenty executions, newest first, each with request, answer and decision."""
    who = manager()
    step = steps.find(who.account_id, key)
    if step is None:
        raise _no_step(key)
    rows = logs.newest(who.account_id, step_id=step.id, bodies=True)
    now = time.time()
    return json_response({"step": key, "logs": [log_json(row, now) for row in rows]})


def log_json(row: Log, now: float) -> dict[str, Json]:
    """A log row for the API. Bodies are text, with U+FFFD where the bytes are not UTF-8."""
    detail = jsontext.read_back(row.detail) if row.detail else {}
    interrupted = logs.is_interrupted(row, now)
    sent, got = detail.get("request"), detail.get("response")
    return {
        "id": str(row.id),
        "request_id": row.request_id,
        "source": row.source,
        "actor": row.actor,
        "started_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(row.started_at)),
        "state": "interrupted" if interrupted else row.state,
        "outcome": "interrupted" if interrupted else row.outcome,
        "next": row.next,
        "message": row.message,
        "duration_ms": row.duration_ms,
        "structure_changed": row.structure_changed,
        "request": sent and sent | {"body": _text(row.request_body)},
        "response": got and got | {"body": _text(row.response_body)},
        "tries": detail.get("tries", []),
        "mapping": detail.get("mapping", []),
        "attributes": detail.get("attributes", {}),
        "missing": detail.get("missing", []),
        "failure": detail.get("failure"),
        "drift": detail.get("drift"),
    }


def _text(body: bytes | None) -> str | None:
    return None if body is None else body.decode("utf-8", "replace")
