"""The part of the contract about flows, attributes, secrets and execute keys, which keys with scope manage look after."""

from __future__ import annotations

from typing import Final, Protocol

from httpstep.core.document.entrydocuments import ATTRIBUTE, KeyDocument, SecretDocument
from httpstep.core.document.flowdocument import FLOW
from httpstep.core.jsontext import Json
from httpstep.core.step import members
from httpstep.core.step.schemas import Named, put
from httpstep.core.step.schemas import reference as _ref

_TEXT: Final[Json] = {"type": "string"}
_MOMENT: Final[Json] = {"type": "string", "format": "date-time"}
_NO_MOMENT: Final[Json] = {"type": ["string", "null"], "format": "date-time"}
_TEXTS: Final[Json] = {"type": "array", "items": _TEXT}
_WHOLE: Final[Json] = {"type": "integer"}
_FLAG: Final[Json] = {"type": "boolean"}
_PUT_REFUSALS: Final = (400, 413, 415, 422)
ETAG: Final[Json] = {"ETag": {"schema": _TEXT, "description": "Of this version."}}
_IN_HEADER: Final[Json] = {"in": "header", "required": False, "schema": _TEXT}
IF_MATCH: Final[Json] = {
    "name": "If-Match",
    **_IN_HEADER,
    "description": "The ETag of an earlier answer, several, or `*`: only if it is still that one.",
}
IF_NONE_MATCH: Final[Json] = {"name": "If-None-Match", **_IN_HEADER, "description": "`*`: only if it is not there yet."}
_DELETED: Final[Json] = {"204": {"description": "Deleted."}}


class Operation(Protocol):
    """The description of an operation: its id, what it does, its good answers and its refusals by their status."""

    def __call__(self, name: str, summary: str, good: dict[str, Json], *problems: int, **more: Json) -> Json: ...


def schemas() -> Named:
    key = {
        "id": _TEXT, "name": _TEXT, "prefix": _TEXT, "scope": {"const": "execute"}, "created_at": _MOMENT,
        "last_used_at": _NO_MOMENT, "revoked_at": _NO_MOMENT,
    }  # fmt: skip
    hosts = {
        "type": ["array", "null"],
        "items": _TEXT,
        "description": "Origins; null: any, as it was before there were lists.",
    }
    secret = {"name": _TEXT, "hosts": hosts, "updated_at": _MOMENT}
    entry = {"name": _TEXT, "in_bot": _FLAG, "listed": _FLAG, "given_by": _TEXTS, "used_in": _TEXTS}
    new_key = _sent("NewKey", KeyDocument)["NewKey"]
    scope = {"properties": {**new_key["properties"], "scope": {"const": "execute"}}}
    return {
        **FLOW.schemas(),
        **ATTRIBUTE.schemas(),
        **_sent("NewSecret", SecretDocument),
        "AttributeEntry": _closed(entry, sample={}, default={}),
        "AuditEntry": _closed(dict.fromkeys(("id", "at", "who", "what", "name", "detail"), _TEXT)),
        "Secret": _closed(secret, used_in=_TEXTS),
        "NewKey": new_key | scope,
        "Key": _closed(key),
        "MadeKey": _closed(key | {"token": _TEXT | {"description": "Shown this once."}}),
    }


def paths(operation: Operation) -> dict[str, Json]:
    return _flows(operation) | _attributes(operation) | _secrets(operation) | _keys(operation) | _audit(operation)


def _flows(operation: Operation) -> dict[str, Json]:
    listed = _listed("flows", _closed({"key": _TEXT, "name": _TEXT, "version": _WHOLE}))
    one, key = _json("The flow document.", _ref("Flow")) | {"headers": ETAG}, _parameter("key")
    return {
        "/api/v1/flows": {"get": operation("listFlows", "List the flows", {"200": listed})},
        "/api/v1/flows/{key}": {
            "get": operation("getFlow", "Get a flow", {"200": one}, 404, parameters=[key]),
            "put": operation(
                "putFlow", "Create or replace a flow", _saved("Flow"), *_PUT_REFUSALS, 412, parameters=[key, IF_MATCH, IF_NONE_MATCH],
                description="Its steps are named by their keys; one that the account does not have is a 422.",
                requestBody=_required("Flow"),
            ),
            "delete": operation("deleteFlow", "Delete a flow; its steps stay", _DELETED, 404, 412, parameters=[key, IF_MATCH]),
        },
    }  # fmt: skip


def _attributes(operation: Operation) -> dict[str, Json]:
    one, name = _json("The attribute's document.", _ref("Attribute")) | {"headers": ETAG}, _parameter("name")
    return {
        "/api/v1/attributes": {
            "get": operation("listAttributes", "List the attributes, those that only steps give included", {"200": _listed("attributes", _ref("AttributeEntry"))})
        },
        "/api/v1/attributes/{name}": {
            "get": operation("getAttribute", "Get an attribute of the catalogue", {"200": one}, 404, parameters=[name]),
            "put": operation(
                "putAttribute", "Write an attribute of the catalogue", _saved("Attribute"), *_PUT_REFUSALS, 412,
                parameters=[name, IF_MATCH, IF_NONE_MATCH], requestBody=_required("Attribute"),
            ),
            "delete": operation("deleteAttribute", "Take an attribute out of the catalogue", _DELETED, 404, 412, parameters=[name, IF_MATCH]),
        },
    }  # fmt: skip


def _secrets(operation: Operation) -> dict[str, Json]:
    one, name = _json("All but its value.", _ref("Secret")) | {"headers": ETAG}, _parameter("name")
    return {
        "/api/v1/secrets": {
            "get": operation("listSecrets", "List the secrets, never their values", {"200": _listed("secrets", _ref("Secret"))})
        },
        "/api/v1/secrets/{name}": {
            "get": operation("getSecret", "Get where a secret may be sent and who uses it, never its value", {"200": one}, 404, parameters=[name]),
            "put": operation(
                "putSecret", "Store a secret's value, and where it may be sent", _saved("Secret"), *_PUT_REFUSALS, 412,
                parameters=[name, IF_MATCH, IF_NONE_MATCH], requestBody=_required("NewSecret"),
            ),
            "delete": operation("deleteSecret", "Delete a secret", _DELETED, 404, 412, parameters=[name, IF_MATCH]),
        },
    }  # fmt: skip


def _keys(operation: Operation) -> dict[str, Json]:
    made = _json("Made; the token is shown this once.", _ref("MadeKey"))
    key_id = [_parameter("key_id") | {"schema": _WHOLE}]
    return {
        "/api/v1/keys": {
            "get": operation("listKeys", "List the execute keys", {"200": _listed("keys", _ref("Key"))}),
            "post": operation(
                "createKey", "Make an execute key", {"201": made}, *_PUT_REFUSALS,
                description="Keys with scope manage are made by an admin; asking for one is a 403.",
                requestBody=_required("NewKey"),
            ),
        },
        "/api/v1/keys/{key_id}": {
            "delete": operation("revokeKey", "Revoke an execute key", {"204": {"description": "Revoked."}}, 404, parameters=key_id)
        },
    }  # fmt: skip


def _audit(operation: Operation) -> dict[str, Json]:
    older = _parameter("before") | {
        "in": "query",
        "required": False,
        "description": "The id of an entry: those before it.",
    }
    listed = _listed("entries", _ref("AuditEntry"), "The newest hundred entries of the last year.")
    return {
        "/api/v1/audit": {
            "get": operation("listAudit", "Who changed what and when", {"200": listed}, parameters=[older])
        }
    }


def _sent(name: str, described: type) -> Named:
    """The schemas of what is sent and given back by nothing."""
    named = Named()
    put(name, members.members_of(described), named)
    return named


def _closed(required: dict[str, Json], /, **optional: Json) -> dict[str, Json]:
    properties = required | optional
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


def _json(description: str, schema: Json) -> dict[str, Json]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _listed(name: str, item: Json, description: str = "") -> Json:
    return _json(description or f"The account's {name}.", _closed({name: {"type": "array", "items": item}}))


def _saved(name: str) -> dict[str, Json]:
    return {
        status: _json(done, _ref(name)) | {"headers": ETAG}
        for status, done in (("200", "Replaced."), ("201", "Created."))
    }


def _required(name: str) -> Json:
    return {"required": True, "content": {"application/json": {"schema": _ref(name)}}}


def _parameter(name: str) -> dict[str, Json]:
    return {"name": name, "in": "path", "required": True, "schema": _TEXT}
