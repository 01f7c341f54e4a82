"""/settings/audit: who changed what and when, in the last year; as a page and as CSV."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from httpstep.upkeep import audit
from httpstep.web import stepform
from httpstep.web.access import access
from httpstep.web.here import account_id

blueprint = Blueprint("audit", __name__, url_prefix="/settings")


@blueprint.get("/audit")
@access("admin")
def listed() -> ResponseReturnValue:
    found = audit.entries(
        account_id(), before=stepform.whole_number(request.args.get("before", "")), limit=audit.PAGE + 1
    )
    shown = found[: audit.PAGE]
    older = shown[-1].id if len(found) > len(shown) else None
    return render_template("audit/list.html", entries=shown, older=older)


@blueprint.get("/audit.csv")
@access("admin")
def export() -> Response:
    text = audit.as_csv(audit.entries(account_id(), limit=audit.MAX_EXPORTED))
    headers = {"Content-Disposition": 'attachment; filename="httpstep-audit.csv"'}
    return Response(f"\ufeff{text}", 200, headers, content_type="text/csv; charset=utf-8")
