"""How an operation of an OpenAPI document says who calls: the kind of authentication, its secrets left to ask for."""

from __future__ import annotations

from typing import Final
from urllib.parse import urljoin

from msgspec import Struct, field

from httpstep.core.authentication import Auth
from httpstep.core.importing.credentials import Names
from httpstep.core.importing.imported import Ignored
from httpstep.core.importing.texts.references import References
from httpstep.core.jsontext import Json


class Proofs(Struct):
    """What is sent: the step's authentication, and further headers where more than one proof is wanted at once."""

    auth: Auth = field(default_factory=Auth)
    headers: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)


_FLOWS: Final = {"clientCredentials": "client_credentials", "application": "client_credentials"}
"""Of OpenAPI 3 and Swagger 2."""


def proofs(document: dict[str, Json], required: Json, references: References, url: str) -> Proofs:
    """required: the operation's list of alternatives, any of which is enough; the first that can be sent is taken."""
    schemes = document.get("securityDefinitions")
    components = document.get("components")
    if isinstance(components, dict) and isinstance(components.get("securitySchemes"), dict):
        schemes = components["securitySchemes"]
    alternatives = [one for one in required if isinstance(one, dict)] if isinstance(required, list) else []
    if not isinstance(schemes, dict) or not alternatives or {} in alternatives:
        return Proofs()
    tried = [_taken(one, schemes, references, Names(url), url) for one in alternatives[:20]]
    return next((one for one in tried if one.auth.type != "none" and not one.ignored), tried[0])


def _taken(wanted: dict[str, Json], schemes: dict[str, Json], references: References, named: Names, url: str) -> Proofs:
    found = Proofs()
    for name, scopes in wanted.items():
        scheme = references.resolve(schemes.get(name))
        auth = _auth(scheme, scopes, named, url) if isinstance(scheme, dict) else None
        if auth is None:
            found.ignored.append(Ignored(f"authentication “{name[:60]}”", "it is not supported"))
        elif found.auth.type == "none":
            found.auth = auth
        elif auth.type == "api_key" and auth["in"] == "header":
            found.headers.append((auth["name"], auth["value"]))
        else:
            found.ignored.append(Ignored(f"authentication “{name[:60]}”", "a step has one kind"))
    return found


def _auth(scheme: dict[str, Json], scopes: Json, named: Names, url: str) -> Auth | None:
    kind, way = scheme.get("type"), str(scheme.get("scheme", "")).lower()
    if kind == "basic" or (kind == "http" and way == "basic"):
        return Auth("basic", {"username": "YOUR_USERNAME", "password": _secret(named, "PASSWORD")})
    if (kind == "http" and way == "bearer") or kind == "openIdConnect":
        return Auth("bearer", {"token": _secret(named, "TOKEN")})
    if kind == "apiKey" and isinstance(scheme.get("name"), str) and scheme.get("in") in ("header", "query"):
        return Auth("api_key", {"name": scheme["name"], "value": _secret(named, "KEY"), "in": scheme["in"]})
    return _oauth2(scheme, scopes, named, url) if kind == "oauth2" else None


def _oauth2(scheme: dict[str, Json], scopes: Json, named: Names, url: str) -> Auth:
    flows = scheme.get("flows")
    flow = (
        flows.get("clientCredentials") if isinstance(flows, dict) else scheme if scheme.get("flow") in _FLOWS else None
    )
    if not isinstance(flow, dict) or not isinstance(flow.get("tokenUrl"), str):
        return Auth("bearer", {"token": _secret(named, "TOKEN")})
    texts = {
        "token_url": _absolute(flow["tokenUrl"], url),
        "client_id": "YOUR_CLIENT_ID",
        "client_secret": _secret(named, "CLIENT_SECRET"),
    }
    wanted = " ".join(one for one in scopes if isinstance(one, str)) if isinstance(scopes, list) else ""
    return Auth("oauth2_client_credentials", {**texts, "scope": wanted})


def _absolute(token_url: str, url: str) -> str:
    """An address of a document may be written from its server on (OpenAPI 3.1, 4.6)."""
    try:
        return urljoin(url, token_url.strip())
    except ValueError:
        return token_url


def _secret(named: Names, what: str) -> str:
    return f"{{{{secret.{named.next(what)}}}}}"
