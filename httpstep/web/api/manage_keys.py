"""Execute keys by API, for keys with scope manage: list, make, revoke. Keys with scope manage are the admins' own."""

from __future__ import annotations

import time

from flask import Blueprint, Response, request
from sqlalchemy import select

from httpstep.core.document.entrydocuments import KEY
from httpstep.core.document.kind import DocumentError
from httpstep.core.jsontext import Json
from httpstep.extensions import db
from httpstep.storage import keys
from httpstep.storage.database import editing
from httpstep.storage.tables import ApiKey
from httpstep.web.api.asked import json_body
from httpstep.web.api.manage import manager, refused
from httpstep.web.moments import utc_machine
from httpstep.web.problems import Problem, json_response

blueprint = Blueprint("manage_keys", __name__, url_prefix="/api/v1")

SCOPE = "execute"


@blueprint.get("/keys")
def list_keys() -> Response:
    """The execute keys, the newest first, revoked ones too; without their tokens."""
    mine = select(ApiKey).where(ApiKey.account_id == manager().account_id, ApiKey.scope == SCOPE)
    return json_response({"keys": [_told(one) for one in db.session.scalars(mine.order_by(ApiKey.id.desc()))]})


@blueprint.post("/keys")
def create_key() -> Response:
    """201 with a new execute key and its token, this once."""
    who, body = manager(), json_body(request)
    if isinstance(body, dict) and body.pop("scope", SCOPE) != SCOPE:
        raise Problem(403, "Key Not Allowed", "An API key may make execute keys only. Others are made by an admin.")
    try:
        document = KEY.read(body)
    except DocumentError as error:
        raise refused("key", error) from None
    with editing():
        made, token = keys.create(who.account_id, document.name, SCOPE, time.time())
        db.session.flush()
        told = _told(made) | {"token": token}
    return json_response(told, 201)


@blueprint.delete("/keys/<int:key_id>")
def revoke_key(key_id: int) -> Response:
    """Calls with it are refused from now on."""
    if not keys.revoke(manager().account_id, key_id, time.time(), scope=SCOPE):
        raise Problem(404, "Not Found", f"There is no execute key {key_id} in force in this account.")
    return Response(status=204)


def _told(key: ApiKey) -> dict[str, Json]:
    moments = {"created_at": key.created_at, "last_used_at": key.last_used_at, "revoked_at": key.revoked_at}
    return {"id": str(key.id), "name": key.name, "prefix": f"hs_{key.prefix}", "scope": key.scope} | {
        name: None if moment is None else utc_machine(moment) for name, moment in moments.items()
    }
