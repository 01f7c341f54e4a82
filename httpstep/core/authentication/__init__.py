"""What proves to an API who calls. A kind is one class in one file, and a line in the table here."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from httpstep.core.authentication.api_key import ApiKey
from httpstep.core.authentication.basic import Basic
from httpstep.core.authentication.bearer import Bearer
from httpstep.core.authentication.kind import Auth, Credential, Kind, Proof, empty_members
from httpstep.core.authentication.oauth2_client_credentials import OAuth2ClientCredentials
from httpstep.core.documentreader import Fault, Reader
from httpstep.core.jsontext import Json

__all__ = ["KINDS", "Auth", "AuthMember", "Credential", "Kind", "Proof", "empty_members", "kind_of"]


class NoAuthentication(Kind):
    type = "none"
    label = "None"


KINDS: Final[dict[str, Kind]] = {
    kind.type: kind for kind in (NoAuthentication(), Basic(), Bearer(), ApiKey(), OAuth2ClientCredentials())
}
MEMBERS: Final = tuple({one.name: one for kind in KINDS.values() for one in kind.members}.values())
"""Of all kinds, each name once."""


MAX_PARAMETERS: Final = 50


def kind_of(auth: Auth) -> Kind:
    return KINDS[auth.type]


def _parameter(value: Json, place: str, faults: list[Fault]) -> tuple[str, str]:
    row = Reader(value, place, faults)
    name, text = row.text("name").strip(), row.text("value")
    row.end()
    if text and not name:
        row.fault("name", "This field has a value but no name.")
    return name, text


class AuthMember(Struct, frozen=True):
    """`auth` in the step document (`core.step.members`): the members of its type, and whatever was typed for another one."""

    def read(self, reader: Reader, name: str, default: Any) -> Auth:
        inner = reader.object(name)
        texts = {
            one.name: inner.word(one.name, tuple(one.choices), one.default) if one.choices else inner.text(one.name)
            for one in MEMBERS
        }
        auth = Auth(
            inner.word("type", tuple(KINDS), "none"),
            {one.name: texts[one.name] for one in MEMBERS if texts[one.name] != one.default},
            inner.each("parameters", _parameter, MAX_PARAMETERS),
        )
        inner.end()
        return auth

    def write(self, value: Auth) -> Json:
        own = {one.name: value[one.name] or one.default for one in kind_of(value).members}
        rows: list[Json] = [{"name": name, "value": text} for name, text in value.parameters]
        more = {"parameters": rows} if rows else {}
        return {
            "type": value.type,
            **own,
            **{name: text for name, text in value.texts.items() if name not in own},
            **more,
        }

    def schema(self, named: dict[str, dict[str, Json]]) -> dict[str, Json]:
        """One schema for each type. Members of the others may be there too: what was typed for them is kept."""
        parts = {kind.type: f"Auth{kind.type.title().replace('_', '')}" for kind in KINDS.values()}
        places = {type_: f"#/components/schemas/{name}" for type_, name in parts.items()}
        named["AuthParameter"] = {
            "type": "object", "additionalProperties": False, "required": ["name", "value"],
            "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
        }  # fmt: skip
        named |= {parts[kind.type]: _schema_of(kind) for kind in KINDS.values()}
        named["Auth"] = {
            "oneOf": [{"$ref": place} for place in places.values()],
            "discriminator": {"propertyName": "type", "mapping": places},
        }
        return {"$ref": "#/components/schemas/Auth"}


_PARAMETERS: Final[dict[str, Json]] = {
    "type": "array", "maxItems": MAX_PARAMETERS, "items": {"$ref": "#/components/schemas/AuthParameter"},
}  # fmt: skip


def _schema_of(kind: Kind) -> dict[str, Json]:
    known: dict[str, Json] = {"type": {"const": kind.type}}
    for one in kind.members:
        choices: dict[str, Json] = {"enum": list(one.choices), "default": one.default} if one.choices else {}
        known[one.name] = {"type": "string", "description": one.label} | choices
    if kind.takes_parameters:
        known["parameters"] = {"description": "Further fields of the token request", **_PARAMETERS}
    return {
        "type": "object",
        "description": kind.label,
        "required": ["type", *(one.name for one in kind.members if one.needed)],
        "properties": known,
        "propertyNames": {"enum": ["type", *(one.name for one in MEMBERS), "parameters"]},
        "additionalProperties": {"anyOf": [{"type": "string"}, _PARAMETERS]},
    }
