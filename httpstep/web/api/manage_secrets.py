"""Secrets by API, for keys with scope manage: names and hosts out, values in. Nothing gives a value back.

Where a secret may be sent is said only together with its value: whoever does not know it can send it nowhere else.
"""

from __future__ import annotations

import time

from flask import Blueprint, Response, request

from httpstep.core.document.entrydocuments import SECRET, secret_name_fault
from httpstep.core.document.kind import DocumentError
from httpstep.core.documentreader import Fault
from httpstep.core.inserting import secrethosts
from httpstep.core.inserting.secrethosts import Hosts
from httpstep.core.jsontext import Json
from httpstep.storage import catalogue, steps
from httpstep.storage.database import editing
from httpstep.storage.vault import secret_place
from httpstep.web.api.asked import json_body
from httpstep.web.api.manage import check_preconditions, digest, manager, refused
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


@blueprint.get("/secrets/<name>")
def get_secret(name: str) -> Response:
    """What the list says of it."""
    account_id = manager().account_id
    one = next((entry for entry in catalogue.secrets(account_id) if entry.name == name), None)
    if one is None:
        raise _no_secret(name)
    keys = {step.id: step.key for step in steps.listed(account_id)}
    told = _told(one.name, one.hosts, one.updated_at) | {"used_in": keys_of(one.used_in, keys)}
    return json_response(told, headers=_tag(one.hosts, one.updated_at))


@blueprint.put("/secrets/<name>")
def put_secret(name: str) -> Response:
    """Store a value and where it may be sent; 201 or 200 with all but the value."""
    who, body = manager(), json_body(request)
    try:
        if sentence := secret_name_fault(name):
            raise DocumentError([Fault("name", sentence)])
        document = SECRET.read(body)
    except DocumentError as error:
        raise refused("secret", error) from None
    token = parts().vault.encrypt(document.secret, secret_place(who.account, name))
    hosts, now = document.origins, time.time()
    with editing():
        _check_preconditions(who.account_id, name)
        is_new = catalogue.put_secret(who.account_id, name, token, hosts=hosts, now=now)
    return json_response(_told(name, hosts, now), 201 if is_new else 200, _tag(hosts, now))


@blueprint.delete("/secrets/<name>")
def delete_secret(name: str) -> Response:
    who = manager()
    with editing():
        _check_preconditions(who.account_id, name)
        if not catalogue.remove_secret(who.account_id, name):
            raise _no_secret(name)
    return Response(status=204)


def _check_preconditions(account_id: int, name: str) -> None:
    row = catalogue.stored_secrets(account_id).get(name)
    check_preconditions(None if row is None else _digest(secrethosts.load(row.hosts), row.updated_at), "secret")


def _digest(hosts: Hosts, updated_at: float) -> str:
    """Of when it was set and where it may be sent: nothing of its value, and the same under new keys of the vault."""
    return digest(f"{updated_at!r} {secrethosts.dump(hosts)}")


def _tag(hosts: Hosts, updated_at: float) -> dict[str, str]:
    return {"ETag": f'"{_digest(hosts, updated_at)}"'}


def _no_secret(name: str) -> Problem:
    return Problem(404, "Not Found", f'There is no secret "{name[:100]}" in this account.')
