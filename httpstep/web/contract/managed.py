"""The part of the contract about flows, attributes, secrets and execute keys, which keys with scope manage look after."""

from __future__ import annotations

from typing import Final, Protocol

from httpstep.core.document.entrydocuments import ATTRIBUTE, KeyDocument, SecretDocument
from httpstep.core.document.flowdocument import FLOW
from httpstep.core.jsontext import Json
from httpstep.core.step import members
from httpstep.core.step.schemas import Named, put
from httpstep.core.step.schemas import reference as _ref
from httpstep.web.contract.words import TEXT, but, closed, content, list_of, nullable, parameter

_MOMENT: Final[Json] = {"type": "string", "format": "date-time"}
_NO_MOMENT: Final[Json] = nullable("string") | {"format": "date-time"}
_TEXTS: Final[Json] = list_of(TEXT)
_WHOLE: Final[Json] = {"type": "integer"}
_FLAG: Final[Json] = {"type": "boolean"}
_PUT_REFUSALS: Final = (400, 413, 415, 422)
ETAG: Final[Json] = {"ETag": {"schema": TEXT, "description": "Of this version."}}
_IN_HEADER: Final[Json] = {"in": "header", "required": False, "schema": TEXT}
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
        "id": TEXT, "name": TEXT, "prefix": TEXT, "scope": {"const": "execute"}, "created_at": _MOMENT,
        "last_used_at": _NO_MOMENT, "revoked_at": _NO_MOMENT,
    }  # fmt: skip
    hosts = {
        "type": ["array", "null"],
        "items": TEXT,
        "description": "Origins; null: any, as it was before there were lists.",
    }
    secret = {"name": TEXT, "hosts": hosts, "updated_at": _MOMENT}
    entry = {"name": TEXT, "in_bot": _FLAG, "listed": _FLAG, "given_by": _TEXTS, "used_in": _TEXTS}
    new_key = _sent("NewKey", KeyDocument)["NewKey"]
    scope = {"properties": {**new_key["properties"], "scope": {"const": "execute"}}}
    return {
        **FLOW.schemas(),
        **ATTRIBUTE.schemas(),
        **_sent("NewSecret", SecretDocument),
        "AttributeEntry": but(closed(**entry, sample={}, default={}), "sample", "default"),
        "AuditEntry": closed(**dict.fromkeys(("id", "at", "who", "what", "name", "detail"), TEXT)),
        "Secret": but(closed(**secret, used_in=_TEXTS), "used_in"),
        "NewKey": new_key | scope,
        "Key": closed(**key),
        "MadeKey": closed(**key, token=TEXT | {"description": "Shown this once."}),
    }


def paths(operation: Operation) -> dict[str, Json]:
    return _flows(operation) | _attributes(operation) | _secrets(operation) | _keys(operation) | _audit(operation)


def _flows(operation: Operation) -> dict[str, Json]:
    listed = closed(key=TEXT, name=TEXT, version=_WHOLE)
    return _resource(
        operation, "flow", listed, ("List the flows", "Get a flow", "Create or replace a flow", "Delete a flow; its steps stay"),
        one="The flow document.", name="key",
        description="Its steps are named by their keys; one that the account does not have is a 422.",
    )  # fmt: skip


def _attributes(operation: Operation) -> dict[str, Json]:
    words = (
        "List the attributes, those that only steps give included", "Get an attribute of the catalogue",
        "Write an attribute of the catalogue", "Take an attribute out of the catalogue",
    )  # fmt: skip
    return _resource(operation, "attribute", _ref("AttributeEntry"), words, one="The attribute's document.")


def _secrets(operation: Operation) -> dict[str, Json]:
    words = (
        "List the secrets, never their values", "Get where a secret may be sent and who uses it, never its value",
        "Store a secret's value, and where it may be sent", "Delete a secret",
    )  # fmt: skip
    return _resource(operation, "secret", _ref("Secret"), words, one="All but its value.", sent="NewSecret")


def _resource(
    operation: Operation,
    what: str,
    listed: Json,
    words: tuple[str, str, str, str],
    *,
    one: str,
    name: str = "name",
    sent: str = "",
    **more: Json,
) -> dict[str, Json]:
    """The two addresses of what is listed, got, put and deleted; words: what each of these does, in this order."""
    title, many, named = what.capitalize(), f"{what}s", parameter(name)
    answer = _answer(one, _ref(title)) | {"headers": ETAG}
    saved = {status: answer | {"description": done} for status, done in (("200", "Replaced."), ("201", "Created."))}
    list_, get, put_, delete = words
    return {
        f"/api/v1/{many}": {"get": operation(f"list{many.capitalize()}", list_, {"200": _listed(many, listed)})},
        f"/api/v1/{many}/{{{name}}}": {
            "get": operation(f"get{title}", get, {"200": answer}, 404, parameters=[named]),
            "put": operation(
                f"put{title}", put_, saved, *_PUT_REFUSALS, 412, parameters=[named, IF_MATCH, IF_NONE_MATCH], **more,
                requestBody=_required(sent or title),
            ),
            "delete": operation(f"delete{title}", delete, _DELETED, 404, 412, parameters=[named, IF_MATCH]),
        },
    }  # fmt: skip


def _keys(operation: Operation) -> dict[str, Json]:
    made = _answer("Made; the token is shown this once.", _ref("MadeKey"))
    key_id = [parameter("key_id") | {"schema": _WHOLE}]
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
    older = parameter("before") | {
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


def _answer(description: str, schema: Json) -> dict[str, Json]:
    return {"description": description, **content(schema)}


def _listed(name: str, item: Json, description: str = "") -> Json:
    return _answer(description or f"The account's {name}.", closed(**{name: list_of(item)}))


def _required(name: str) -> Json:
    return {"required": True, **content(_ref(name))}
