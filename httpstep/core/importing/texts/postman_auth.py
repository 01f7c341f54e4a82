"""How a Postman collection says who calls (the `auth` of its published schema of v2.1), as authentication of a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from httpstep.core.authentication import Auth

_PREFIXES: Final = ("", "bearer")
UNSUPPORTED: Final = "it is not supported"


class Found(NamedTuple):
    """`header`: sent as it stands, where no kind of a step says the same. left_out: (what, why). is_asked: the collection
    does not say the credential."""

    auth: Auth = Auth()
    header: tuple[str, str] | None = None
    left_out: tuple[tuple[str, str], ...] = ()
    is_asked: bool = False

    @property
    def replaces(self) -> str:
        """The header whose place it takes, in small letters; "" where it takes none."""
        if self.auth.type == "api_key":
            return self.auth["name"].strip().lower() if self.auth["in"] != "query" else ""
        return "authorization" if self.header or self.auth.type != "none" else ""


def read(kind: str, given: Mapping[str, str]) -> Found:
    """given: the attributes of this kind by their keys."""
    if kind in ("", "noauth"):
        return Found()
    if kind == "basic":
        return Found(Auth("basic", {"username": given.get("username", ""), "password": given.get("password", "")}))
    if kind == "bearer":
        token = given.get("token", "")
        return Found(Auth("bearer", {"token": token or "{{secret.TOKEN}}"}), is_asked=not token)
    if kind == "apikey" and given.get("key"):
        where = "query" if given.get("in") == "query" else "header"
        value = given.get("value", "")
        auth = Auth("api_key", {"name": given["key"], "value": value or "{{secret.API_KEY}}", "in": where})
        return Found(auth, is_asked=not value)
    if kind == "oauth2":
        return _oauth2(given)
    why = "it names no header" if kind == "apikey" else UNSUPPORTED
    return Found(left_out=((f"authentication of kind {kind[:20]}", why),))


def _oauth2(given: Mapping[str, str]) -> Found:
    way = given.get("grant_type", "")
    in_query = given.get("addTokenTo") == "queryParams"
    prefix = given.get("headerPrefix", "").strip()
    is_bearer = prefix.lower() in _PREFIXES and not in_query
    if way == "client_credentials" and given.get("accessTokenUrl") and is_bearer:
        return Found(_client(given))
    why = "a step fetches tokens by client credentials only, as Bearer: put a token in its place"
    left_out = ((f"OAuth 2 ({(way or 'its token')[:40]})", why),) if way else ()
    is_asked = not given.get("accessToken")
    token = given.get("accessToken") or "{{secret.TOKEN}}"
    if in_query:
        return Found(Auth("api_key", {"name": "access_token", "value": token, "in": "query"}), None, left_out, is_asked)
    if not is_bearer:
        return Found(Auth(), ("Authorization", f"{prefix} {token}"), left_out, is_asked)
    return Found(Auth("bearer", {"token": token}), None, left_out, is_asked)


def _client(given: Mapping[str, str]) -> Auth:
    return Auth(
        "oauth2_client_credentials",
        {
            "token_url": given["accessTokenUrl"], "client_id": given.get("clientId") or "YOUR_CLIENT_ID",
            "client_secret": given.get("clientSecret") or "{{secret.CLIENT_SECRET}}", "scope": given.get("scope", ""),
            "client_auth": "body" if given.get("client_authentication") == "body" else "",
        },
        tuple((name, given[name]) for name in ("audience", "resource") if given.get(name)),
    )  # fmt: skip
