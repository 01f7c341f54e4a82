"""An access token of OAuth 2, by the client's own credentials (RFC 6749, 4.4), the client known by Basic or in the body (2.3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote_plus

from msgspec.structs import replace

from httpstep.core.authentication.basic import encoded
from httpstep.core.authentication.kind import Auth, Credential, Kind, Proof, pasted
from httpstep.core.exchange import RenderedRequest
from httpstep.core.inserting import secrethosts
from httpstep.core.inserting.encoders import FORM_TYPE, encodable, form
from httpstep.core.inserting.placeholders import SECRET_PREFIX, names_in
from httpstep.core.inserting.secrethosts import Hosts
from httpstep.core.inserting.texts import filled, filled_url, header_value
from httpstep.core.inserting.values import Position, Values
from httpstep.core.jsontext import Json
from httpstep.core.masking.redaction import is_credential_name

NO_VALUES: Final[Mapping[str, Json]] = MappingProxyType({})
_TOKEN_LATER: Final = "The access token is fetched when the step runs, so it is not shown here."


class OAuth2ClientCredentials(Kind):
    type = "oauth2_client_credentials"
    label = "OAuth 2 client credentials"
    takes_parameters = True
    members = (
        Credential(
            "token_url", "Token URL", in_url=True, needed="Give the address where access tokens are fetched.",
            help="Where the access token is fetched; httpstep keeps it while it is good.",
        ),
        Credential("client_id", "Client id", needed="Give the client id."),
        Credential(
            "client_secret", "Client secret", secret=True, needed="Put the client secret here, best as {{secret.NAME}}."
        ),
        Credential("scope", "Scope"),
        Credential(
            "client_auth", "Client is sent in", takes_values=False,
            choices={"header": "a header (Basic)", "body": "the body, as client_id and client_secret"},
        ),
    )  # fmt: skip

    def proof(self, auth: Auth, values: Values, token: str | None) -> Proof:
        """Whoever gets the token can do what the stored secrets that it was asked for with can do."""
        for text in (*(auth[member.name] for member in self.members), *(value for _, value in auth.parameters)):
            for name in names_in(text):
                if name.startswith(SECRET_PREFIX):
                    values.token_of(name.removeprefix(SECRET_PREFIX))
        if token is None:
            return Proof(warnings=(_TOKEN_LATER,))
        value = header_value("Authorization", f"Bearer {values.credential(token)}", "auth")
        return Proof(headers=(("Authorization", value),))


def token_request(
    auth: Auth,
    attributes: Mapping[str, Json],
    *,
    secrets: Mapping[str, str],
    hosts: Mapping[str, Hosts] = NO_VALUES,
    defaults: Mapping[str, Json] = NO_VALUES,
) -> RenderedRequest:
    """The request for an access token. Redirects are not followed: the credentials are for the address the editor
    wrote. `hosts` as in `rendering.render`. Raises InvalidRequest.

    In a header the client is form-encoded, as the RFC says; most servers do not decode it, so where that makes a
    difference `otherwise` has it as it is. A parameter takes the place of a field of the same name."""
    values = Values(attributes, secrets=secrets, defaults=defaults)
    place = Position("auth.token_url", "the token URL")
    url, warnings = filled_url(auth["token_url"], values, (), place)
    client = filled(auth["client_id"], values, Position("auth.client_id", "the client id")).strip()
    secret = filled(auth["client_secret"], values, Position("auth.client_secret", "the client secret"))
    secret = values.credential(pasted(secret, "The client secret", "auth.client_secret"))
    fields = _fields(auth, values)
    credentials: list[tuple[tuple[str, str], ...]] = [()]
    if auth["client_auth"] == "body":
        fields += [("client_id", client), ("client_secret", secret)]
    else:
        spellings = dict.fromkeys([(quote_plus(encodable(client)), quote_plus(encodable(secret))), (client, secret)])
        credentials = [(("Authorization", f"Basic {_basic(*one, values)}"),) for one in spellings]
    secrethosts.require(url, values.carried, hosts, auth["token_url"], place)
    request = RenderedRequest(
        method="POST",
        url=url,
        headers=(("Accept", "application/json"), ("Content-Type", FORM_TYPE), *credentials[0]),
        body=form(fields).encode(),
        follow_redirects=False,
        secrets=frozenset(values.secrets_used),
        warnings=tuple(warnings),
    )
    others = credentials[1:] if ":" not in client else []
    return (
        replace(request, otherwise=replace(request, headers=(*request.headers[:2], *others[0]))) if others else request
    )


def _basic(client: str, secret: str, values: Values) -> str:
    return encoded(client, values.credential(secret), values)


def _fields(auth: Auth, values: Values) -> list[tuple[str, str]]:
    """Empty ones are left out."""
    scope = filled(auth["scope"], values, Position("auth.scope", "the scope"))
    more = []
    for index, (name, template) in enumerate(auth.parameters):
        place = Position(f"auth.parameters[{index}].value", f"the field “{name}” of the token request")
        value = filled(template, values, place)
        more.append((name.strip(), values.credential(value) if is_credential_name(name) else value))
    named = {name for name, _ in more}
    own = [(name, text) for name, text in (("grant_type", "client_credentials"), ("scope", scope)) if name not in named]
    return [(name, text) for name, text in (*own, *more) if name and text]
