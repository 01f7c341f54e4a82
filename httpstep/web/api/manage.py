"""Steps by API, for keys with scope manage: list, get, put, delete, logs; and one log."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from httpstep.core import jsontext
from httpstep.core.document import stepdocument, visible
from httpstep.core.jsontext import Json
from httpstep.core.step.spec import StepSpec
from httpstep.storage import deleting, keys, logs, steps
from httpstep.storage.tables import Log, Step
from httpstep.web.api.api import no_step
from httpstep.web.api.asked import json_body
from httpstep.web.api.bearers import caller
from httpstep.web.problems import Problem, json_response

blueprint = Blueprint("manage", __name__, url_prefix="/api/v1")


def manager() -> keys.Caller:
    who = caller()
    if who.scope != "manage":
        raise Problem(403, "Key Not Allowed", "This API key may only execute steps. Use one with the scope manage.")
    return who


def managed_step(key: str) -> Step:
    """The step of the address, for a key that may manage it. Raises the 403 or 404."""
    step = steps.find(manager().account_id, key)
    if step is None:
        raise no_step(key)
    return step


@blueprint.get("/steps")
def list_steps() -> Response:
    who = manager()
    found = [{"key": step.key, "name": step.name, "version": step.version} for step in steps.listed(who.account_id)]
    return json_response({"steps": found})


def exported(step_id: int, account_id: int, *, may_edit: bool) -> dict[str, Json]:
    """The document of a step with the mapping in force: the editor's, else the automatic one.

    may_edit: whether whoever gets it may edit the step, as every key with scope manage may.
    """
    step = steps.get(account_id, step_id)
    if step is None:
        raise steps.Gone("This step no longer exists.")
    document = stepdocument.dump(visible.step_for(steps.document_of(step), may_edit=may_edit))
    automatic = steps.state(step.id).automatic
    if "mapping" not in document and automatic is not None:
        document["mapping"] = jsontext.read_back(automatic)
    return document


@blueprint.get("/steps/<key>")
def get_step(key: str) -> Response:
    step = managed_step(key)
    return json_response(exported(step.id, step.account_id, may_edit=True), headers={"ETag": f'"{step.version}"'})


def overtaken() -> Problem:
    return Problem(409, "Conflict", "Others change this step at the same time. Try again.")


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
        asked = check_preconditions(version)
        try:
            step = steps.save(
                who.account_id, spec, by=f"key {who.key_name}", now=time.time(), step_id=step_id,
                version=version if asked else None,
            )  # fmt: skip
            document = exported(step.id, who.account_id, may_edit=True)
        except _OVERTAKEN:
            continue
        return json_response(document, 200 if existing else 201, {"ETag": f'"{step.version}"'})
    raise overtaken()


def _document(key: str) -> StepSpec:
    document = named_body("step", key)
    try:
        return visible.refuse_masked(stepdocument.parse(document))
    except stepdocument.DocumentError as error:
        raise refused("step", error) from None


def named_body(what: str, key: str, member: str = "key") -> Json:
    """The document in the body, whose key, or name, may be left out. Raises the 422 where it is another than the
    address's."""
    document = json_body(request)
    if isinstance(document, dict) and document.setdefault(member, key) != key:
        raise Problem(
            422, f"Invalid {what.title()}", f'The document\'s {member} is not the one in the address ("{key[:63]}").'
        )
    return document


def refused(what: str, error: stepdocument.DocumentError) -> Problem:
    """The 422 for a document with faults."""
    faults = [{"place": fault.place, "message": fault.message} for fault in error.faults]
    first = error.faults[0]
    return Problem(422, f"Invalid {what.title()}", f"{first.place or 'document'}: {first.message}", faults=faults)


def digest(told: str) -> str:
    """For the ETag of what has no version: of the text that tells one version of it from another."""
    return sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def check_preconditions(version: int | str | None, what: str = "step") -> bool:
    """Whether the request has conditions (RFC 9110, 13.1.1 and 13.1.2). version: the step's, or the digest of what has no
    version; None where there is none.

    Raises the 412.
    """
    wanted, unwanted = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if wanted is not None and (version is None or str(version) not in request.if_match):
        raise Problem(412, "Precondition Failed", f"The {what} is not in the version named in If-Match.")
    if unwanted is not None and version is not None and request.if_none_match.contains_weak(str(version)):
        raise Problem(412, "Precondition Failed", f"The {what} is there, in a version named in If-None-Match.")
    return wanted is not None or unwanted is not None


@blueprint.delete("/steps/<key>")
def delete_step(key: str) -> Response:
    who = manager()
    for _ in range(_TRIES):
        existing = steps.find(who.account_id, key)
        version = existing.version if existing else None
        asked = check_preconditions(version)
        try:
            if not deleting.remove(who.account_id, key, version if asked else None):
                raise no_step(key)
        except deleting.InUse as error:
            raise Problem(409, "Step In Use", str(error)) from None
        except steps.Conflict:
            continue
        return Response(status=204)
    raise overtaken()


@blueprint.get("/steps/<key>/logs")
def step_logs(key: str) -> Response:
    """The newest twenty executions, newest first, each with its decision, without the bodies of request and answer."""
    step = managed_step(key)
    rows = logs.newest(step.account_id, step_id=step.id)
    now = time.time()
    return json_response({"step": key, "logs": [log_json(row, now) for row in rows]})


@blueprint.get("/steps/<key>/logs/<int:log_id>")
def step_log(key: str, log_id: int) -> Response:
    """One execution of the step, with the bodies."""
    step = managed_step(key)
    row = logs.get(step.account_id, log_id)
    if row is None or row.step_id != step.id:
        raise Problem(404, "Not Found", f'The step "{key[:63]}" has no log {log_id}. The newest twenty are kept.')
    shown = log_json(row, time.time())
    for part, body in (("request", row.request_body), ("response", row.response_body)):
        if shown[part] is not None:
            shown[part]["body"] = _text(body)
    return json_response(shown)


def log_json(row: Log, now: float) -> dict[str, Any]:
    """A log row for the API, without its bodies."""
    detail = jsontext.read_back(row.detail) if row.detail else {}
    interrupted = logs.is_interrupted(row, now)
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
        "request": detail.get("request"),
        "response": detail.get("response"),
        "tries": detail.get("tries", []),
        "notes": detail.get("notes", []),
        "mapping": detail.get("mapping", []),
        "attributes": detail.get("attributes", {}),
        "missing": detail.get("missing", []),
        "failure": detail.get("failure"),
        "drift": detail.get("drift"),
    }


def _text(body: bytes | None) -> str | None:
    """With U+FFFD where the bytes are not UTF-8."""
    return None if body is None else body.decode("utf-8", "replace")
