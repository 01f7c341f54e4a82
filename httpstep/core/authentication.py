"""What proves to an API who calls: Basic, Bearer, an API key, an OAuth 2 access token, and the request for one."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import quote_plus

from httpstep.core import headers, secrethosts, urls
from httpstep.core.encoders import form, whole
from httpstep.core.errors import InvalidRequest
from httpstep.core.model import Auth, Json, RenderedRequest
from httpstep.core.placeholders import SECRET_PREFIX, PlaceholderFault, names_in
from httpstep.core.secrethosts import Hosts
from httpstep.core.texts import filled, filled_header, header_value
from httpstep.core.urls import UrlFault, build_url, compile_url
from httpstep.core.values import Place, Values

NO_VALUES: Final[Mapping[str, Json]] = MappingProxyType({})
FORM_TYPE: Final = "application/x-www-form-urlencoded"
_TOKEN_LATER: Final = "The access token is fetched when the step runs, so it is not shown here."


class Proof(NamedTuple):
    """What authentication adds to a request: header rows, query rows, warnings."""

    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


def proof(auth: Auth, values: Values, token: str | None) -> Proof:
    """Everything that proves who calls is noted as a secret in `values`, typed or stored. Raises InvalidRequest."""
    if auth.type == "basic":
        return Proof(headers=(("Authorization", _basic(auth, values)),))
    if auth.type == "bearer":
        value = filled_header("Authorization", auth.token, values, "auth.token", prefix="Bearer ")
        values.credential(value.removeprefix("Bearer").strip())
        return Proof(headers=(("Authorization", value),))
    if auth.type == "api_key":
        return _api_key(auth, values)
    if auth.type == "oauth2_client_credentials":
        return _access_token(auth, values, token)
    return Proof()


def token_request(
    auth: Auth,
    attributes: Mapping[str, Json],
    *,
    secrets: Mapping[str, str],
    hosts: Mapping[str, Hosts] = NO_VALUES,
    defaults: Mapping[str, Json] = NO_VALUES,
) -> RenderedRequest:
    """The request for an access token: client credentials (RFC 6749, 4.4), the client known by Basic (2.3.1).

    Redirects are not followed: the credentials are for the address the editor wrote. `hosts` as in `rendering.render`.
    Raises InvalidRequest.
    """
    values = Values(attributes, secrets=secrets, defaults=defaults)
    place = Place("auth.token_url", "the token URL")
    url, warnings = filled_url(auth.token_url, values, (), place)
    client = filled(auth.client_id, values, Place("auth.client_id", "the client id"))
    secret = values.credential(filled(auth.client_secret, values, Place("auth.client_secret", "the client secret")))
    scope = filled(auth.scope, values, Place("auth.scope", "the scope"))
    credential = _credential(quote_plus(whole(client)), values.credential(quote_plus(whole(secret))), values)
    secrethosts.require(url, values.carried, hosts, auth.token_url, place)
    fields = [("grant_type", "client_credentials")] + ([("scope", scope)] if scope else [])
    return RenderedRequest(
        method="POST",
        url=url,
        headers=(("Accept", "application/json"), ("Content-Type", FORM_TYPE), ("Authorization", f"Basic {credential}")),
        body=form(fields).encode(),
        follow_redirects=False,
        secrets=frozenset(values.secrets_used),
        warnings=tuple(warnings),
    )


def filled_url(template: str, values: Values, rows: Iterable[tuple[str, str]], place: Place) -> tuple[str, list[str]]:
    """`urls.build_url` with its faults as InvalidRequest."""
    try:
        return build_url(compile_url(template), values, rows, place)
    except PlaceholderFault as fault:
        raise InvalidRequest(fault.sentences[0], reason="placeholder", place=place.path) from None
    except UrlFault as fault:
        raise InvalidRequest(fault.sentence, reason=fault.reason, place=place.path) from None


def _basic(auth: Auth, values: Values) -> str:
    """RFC 7617 with UTF-8: no colon in the user name, no control characters in either."""
    user = filled(auth.username, values, Place("auth.username", "the user name"))
    password = filled(auth.password, values, Place("auth.password", "the password"))
    if ":" in user:
        raise InvalidRequest("The user name has a colon in it.", reason="auth", place="auth.username")
    for member, text in (("username", user), ("password", password)):
        if any(char < " " or char == "\x7f" for char in text):
            what = "user name" if member == "username" else "password"
            sentence = f"The {what} has a line break or another control character in it."
            raise InvalidRequest(sentence, reason="auth", place=f"auth.{member}")
    values.credential(password)
    return header_value("Authorization", f"Basic {_credential(user, password, values)}", "auth.password")


def _credential(user: str, password: str, values: Values) -> str:
    return values.credential(base64.b64encode(whole(f"{user}:{password}").encode()).decode())


def _api_key(auth: Auth, values: Values) -> Proof:
    name = auth.name.strip()
    if auth.location == "query":
        value = filled(auth.value, values, Place("auth.value", "the API key"), urls.MOST_CHARACTERS)
        return Proof(query=((name, values.credential(value)),))
    if fault := headers.name_fault(name):
        raise InvalidRequest(fault, reason="header", place="auth.name")
    return Proof(headers=((name, values.credential(filled_header(name, auth.value, values, "auth.value"))),))


def _access_token(auth: Auth, values: Values, token: str | None) -> Proof:
    """Whoever gets the token can do what the stored secrets that it was asked for with can do."""
    for text in (auth.token_url, auth.client_id, auth.client_secret, auth.scope):
        for name in names_in(text):
            if name.startswith(SECRET_PREFIX):
                values.token_of(name.removeprefix(SECRET_PREFIX))
    if token is None:
        return Proof(warnings=(_TOKEN_LATER,))
    value = header_value("Authorization", f"Bearer {values.credential(token)}", "auth")
    return Proof(headers=(("Authorization", value),))
