"""Flows by API, for keys with scope manage: list, get, put, delete, by the same rules as steps."""

from __future__ import annotations

import time

from flask import Blueprint, Response

from httpstep.core.document.flowdocument import FLOW
from httpstep.core.document.kind import DocumentError
from httpstep.core.jsontext import Json
from httpstep.storage import flows
from httpstep.storage.database import editing
from httpstep.storage.tables import Flow
from httpstep.web.api.api import no_flow
from httpstep.web.api.manage import check_preconditions, manager, named_body, refused
from httpstep.web.problems import json_response

blueprint = Blueprint("manage_flows", __name__, url_prefix="/api/v1")


@blueprint.get("/flows")
def list_flows() -> Response:
    who = manager()
    found = [{"key": row.key, "name": row.name, "version": row.version} for row in flows.listed(who.account_id)]
    return json_response({"flows": found})


@blueprint.get("/flows/<key>")
def get_flow(key: str) -> Response:
    row = flows.find(manager().account_id, key)
    if row is None:
        raise no_flow(key)
    return json_response(_document(row), headers=_tag(row))


@blueprint.put("/flows/<key>")
def put_flow(key: str) -> Response:
    """Create or replace a flow by its document; 201 or 200 with the document as it was saved."""
    who = manager()
    body = named_body("flow", key)
    try:
        document = FLOW.read(body)
        with editing():
            existing = flows.find(who.account_id, key)
            check_preconditions(existing.version if existing else None, "flow")
            row = flows.save(
                who.account_id, flows.resolved(who.account_id, document), by=f"key {who.key_name}", now=time.time(),
                flow_id=existing.id if existing else None,
            )  # fmt: skip
            saved = _document(row)
    except DocumentError as error:
        raise refused("flow", error) from None
    return json_response(saved, 200 if existing else 201, _tag(row))


@blueprint.delete("/flows/<key>")
def delete_flow(key: str) -> Response:
    who = manager()
    with editing():
        row = flows.find(who.account_id, key)
        check_preconditions(row.version if row else None, "flow")
        if row is None:
            raise no_flow(key)
        flows.remove(who.account_id, row.id)
    return Response(status=204)


def _document(row: Flow) -> Json:
    [document] = flows.described(row.account_id, [row])
    return FLOW.write(document)


def _tag(row: Flow) -> dict[str, str]:
    return {"ETag": f'"{row.version}"'}
