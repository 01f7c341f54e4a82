"""Drift by API, for keys with scope manage: what changed and where each rule may read, and taking it over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response, request

from httpstep.core.jsontext import Json, Path
from httpstep.execution import drifting
from httpstep.storage import steps
from httpstep.web.api.asked import json_body
from httpstep.web.api.manage import managed_step, manager, overtaken
from httpstep.web.problems import Problem, json_response

blueprint = Blueprint("drifting", __name__, url_prefix="/api/v1")
_APPLY: Final = '"apply" is "suggested", "none", or an object of attributes and their new paths (null leaves one).'


@blueprint.get("/steps/<key>/drift")
def step_drift(key: str) -> Response:
    """What went, came and changed, and ranked places for every broken rule."""
    step = managed_step(key)
    return json_response(drifting.as_json(step, drifting.of_step(step)))


@blueprint.post("/steps/<key>/drift/accept")
def accept_drift(key: str) -> Response:
    """Accept the structure of that log's answer, with the rules moved as asked for."""
    who = manager()
    managed_step(key)
    choice, log_id = _asked(json_body(request))
    try:
        step = drifting.accept(who.account_id, key, choice, log_id, by=f"key {who.key_name}")
    except drifting.NotThere as error:
        raise Problem(409, "Conflict", str(error)) from None
    except (steps.Conflict, steps.Gone):
        raise overtaken() from None
    except drifting.WrongChoice as error:
        raise Problem(422, "Invalid Choice", str(error)) from None
    return json_response({"step": step.key, "version": step.version})


def _asked(body: Json) -> tuple[drifting.Choice, int]:
    asked = body if isinstance(body, dict) else {}
    log_id = asked.get("log_id")
    if set(asked) - {"apply", "log_id"} or not (isinstance(log_id, (str, int)) and str(log_id).isdecimal()):
        raise Problem(422, "Invalid Choice", 'Expected "apply" and "log_id", which GET .../drift gives.')
    return _choice(asked.get("apply")), int(log_id)


def _choice(apply: Json) -> drifting.Choice:
    if apply == "suggested" or apply == "none":
        return "suggested" if apply == "suggested" else "none"
    if not isinstance(apply, Mapping):
        raise Problem(422, "Invalid Choice", _APPLY)
    return {str(name): _path(path) for name, path in apply.items()}


def _path(path: Json) -> Path | None:
    if path is None:
        return None
    if not isinstance(path, list) or not all(isinstance(part, (str, int)) and part is not True for part in path):
        raise Problem(422, "Invalid Choice", _APPLY)
    return tuple(path)
