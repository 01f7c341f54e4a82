"""GET /api/v1/audit: who changed what and when, for keys with the scope manage."""

from __future__ import annotations

from flask import Blueprint, Response, request

from httpstep.upkeep import audit
from httpstep.web import stepform
from httpstep.web.api.manage import manager
from httpstep.web.problems import json_response

blueprint = Blueprint("auditing", __name__, url_prefix="/api/v1")


@blueprint.get("/audit")
def list_audit() -> Response:
    """The newest hundred; `?before=<id>` those before."""
    who = manager()
    found = audit.entries(who.account_id, before=stepform.whole_number(request.args.get("before", "")))
    shown = [
        {
            "id": str(one.id),
            "at": one.moment,
            "who": one.actor,
            "what": one.what,
            "name": one.name,
            "detail": one.detail,
        }
        for one in found
    ]
    return json_response({"entries": shown})
