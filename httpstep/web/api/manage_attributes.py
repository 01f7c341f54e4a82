"""The catalogue of attributes by API, for keys with scope manage: list, get, put, delete."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response

from httpstep.core import jsontext
from httpstep.core.document.entrydocuments import ATTRIBUTE, AttributeDocument
from httpstep.core.document.kind import DocumentError
from httpstep.core.jsontext import Json
from httpstep.storage import catalogue, steps
from httpstep.storage.database import editing
from httpstep.web.api.manage import check_preconditions, digest, manager, named_body, refused
from httpstep.web.problems import Problem, json_response

blueprint = Blueprint("manage_attributes", __name__, url_prefix="/api/v1")


@blueprint.get("/attributes")
def list_attributes() -> Response:
    """All that the account knows, those that steps alone give included."""
    account_id = manager().account_id
    keys = {step.id: step.key for step in steps.listed(account_id)}
    return json_response({"attributes": [_entry(one, keys) for one in catalogue.entries(account_id)]})


def _entry(one: catalogue.AttributeEntry, keys: dict[int, str]) -> Json:
    values = {"sample": one.sample, "default": one.default}
    return {
        "name": one.name,
        "in_bot": one.in_bot,
        "listed": one.listed,
        "given_by": keys_of(one.given_by, keys),
        "used_in": keys_of(one.used_in, keys),
    } | {name: jsontext.read_back(text) for name, text in values.items() if text is not None}


def keys_of(places: Iterable[catalogue.StepLink], keys: dict[int, str]) -> list[str]:
    """The keys of these steps. keys: of the account's, by their ids; a step made since they were read is left out."""
    return [keys[place.id] for place in places if place.id in keys]


@blueprint.get("/attributes/<name>")
def get_attribute(name: str) -> Response:
    found = catalogue.document(manager().account_id, name)
    if found is None:
        raise _no_attribute(name)
    return _answer(found)


@blueprint.put("/attributes/<name>")
def put_attribute(name: str) -> Response:
    """Write an attribute of the catalogue; 201 or 200 with its document."""
    who = manager()
    try:
        document = ATTRIBUTE.read(named_body("attribute", name, "name"))
    except DocumentError as error:
        raise refused("attribute", error) from None
    with editing():
        _check_preconditions(who.account_id, name)
        is_new = catalogue.put(who.account_id, document)
    return _answer(document, 201 if is_new else 200)


@blueprint.delete("/attributes/<name>")
def delete_attribute(name: str) -> Response:
    who = manager()
    with editing():
        _check_preconditions(who.account_id, name)
        if not catalogue.remove(who.account_id, name):
            raise _no_attribute(name)
    return Response(status=204)


def _check_preconditions(account_id: int, name: str) -> None:
    existing = catalogue.document(account_id, name)
    check_preconditions(None if existing is None else _digest(existing), "attribute")


def _digest(document: AttributeDocument) -> str:
    return digest(jsontext.dumps_text(ATTRIBUTE.write(document)))


def _answer(document: AttributeDocument, status: int = 200) -> Response:
    return json_response(ATTRIBUTE.write(document), status, {"ETag": f'"{_digest(document)}"'})


def _no_attribute(name: str) -> Problem:
    return Problem(404, "Not Found", f'There is no attribute "{name[:100]}" in the catalogue of this account.')
