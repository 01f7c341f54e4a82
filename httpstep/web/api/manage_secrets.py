"""Secrets by API, for keys with scope manage: names and hosts out, values in. Nothing gives a value back.

Where a secret may be sent is said only together with its value: whoever does not know it can send it nowhere else.
"""

from __future__ import annotations

import time

from flask import Blueprint, Response

from httpstep.core.document.entrydocuments import SECRET, secret_name_fault
from httpstep.core.document.kind import DocumentError
from httpstep.core.documentreader import Fault
from httpstep.core.inserting.secrethosts import Hosts
from httpstep.core.jsontext import Json
from httpstep.storage import catalogue, steps
from httpstep.storage.vault import secret_place
from httpstep.web.api.api import json_body
from httpstep.web.api.manage import manager, refused
from httpstep.web.api.manage_attributes import keys_of
from httpstep.web.here import parts
from httpstep.web.moments import utc_machine
from httpstep.web.problems import Problem, json_response

blueprint = Blueprint("manage_secrets", __name__, url_prefix="/api/v1")


@blueprint.get("/secrets")
def list_secrets() -> Response:
    """Names, where each may be sent, when it was set and the steps that use it."""
    account_id = manager().account_id
    keys = {step.id: step.key for step in steps.listed(account_id)}
    found = [
        _told(one.name, one.hosts, one.updated_at) | {"used_in": keys_of(one.used_in, keys)}
        for one in catalogue.secrets(account_id)
    ]
    return json_response({"secrets": found})


def _told(name: str, hosts: Hosts, updated_at: float) -> dict[str, Json]:
    listed = None if hosts is None else list(hosts)
    return {"name": name, "hosts": listed, "updated_at": utc_machine(updated_at)}


@blueprint.put("/secrets/<name>")
def put_secret(name: str) -> Response:
    """Store a value and where it may be sent; 201 or 200 with all but the value."""
    who, body = manager(), json_body()
    try:
        if sentence := secret_name_fault(name):
            raise DocumentError([Fault("name", sentence)])
        document = SECRET.read(body)
    except DocumentError as error:
        raise refused("secret", error) from None
    token = parts().vault.encrypt(document.secret, secret_place(who.account, name))
    hosts, now = document.origins, time.time()
    is_new = catalogue.put_secret(who.account_id, name, token, hosts=hosts, now=now)
    return json_response(_told(name, hosts, now), 201 if is_new else 200)


@blueprint.delete("/secrets/<name>")
def delete_secret(name: str) -> Response:
    if not catalogue.remove_secret(manager().account_id, name):
        raise Problem(404, "Not Found", f'There is no secret "{name[:100]}" in this account.')
    return Response(status=204)
