"""An access token of OAuth 2, by the client's own credentials (RFC 6749, 4.4), the client known by Basic (2.3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote_plus

from httpstep.core.authentication.basic import encoded
from httpstep.core.authentication.kind import Auth, Credential, Kind, Proof
from httpstep.core.exchange import RenderedRequest
from httpstep.core.inserting import secrethosts
from httpstep.core.inserting.encoders import FORM_TYPE, form, whole
from httpstep.core.inserting.placeholders import SECRET_PREFIX, names_in
from httpstep.core.inserting.secrethosts import Hosts
from httpstep.core.inserting.texts import filled, filled_url, header_value
from httpstep.core.inserting.values import Place, Values
from httpstep.core.jsontext import Json

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
    )  # fmt: skip

    def proof(self, auth: Auth, values: Values, token: str | None) -> Proof:
        """Whoever gets the token can do what the stored secrets that it was asked for with can do."""
        for member in self.members:
            for name in names_in(auth[member.name]):
                if name.startswith(SECRET_PREFIX):
                    values.token_of(name.removeprefix(SECRET_PREFIX))
        if token is None:
            return Proof(warnings=(_TOKEN_LATER,))
        value = header_value("Authorization", f"Bearer {values.credential(token)}", "auth")
        return Proof(headers=(("Authorization", value),))

    def typed(self, auth: Auth) -> Proof:
        return Proof(headers=(("Authorization", "Bearer ACCESS_TOKEN"),))


def token_request(
    auth: Auth,
    attributes: Mapping[str, Json],
    *,
    secrets: Mapping[str, str],
    hosts: Mapping[str, Hosts] = NO_VALUES,
    defaults: Mapping[str, Json] = NO_VALUES,
) -> RenderedRequest:
    """The request for an access token. Redirects are not followed: the credentials are for the address the editor
    wrote. `hosts` as in `rendering.render`. Raises InvalidRequest."""
    values = Values(attributes, secrets=secrets, defaults=defaults)
    place = Place("auth.token_url", "the token URL")
    url, warnings = filled_url(auth["token_url"], values, (), place)
    client = filled(auth["client_id"], values, Place("auth.client_id", "the client id"))
    secret = values.credential(filled(auth["client_secret"], values, Place("auth.client_secret", "the client secret")))
    scope = filled(auth["scope"], values, Place("auth.scope", "the scope"))
    basic = encoded(quote_plus(whole(client)), values.credential(quote_plus(whole(secret))), values)
    secrethosts.require(url, values.carried, hosts, auth["token_url"], place)
    fields = [("grant_type", "client_credentials")] + ([("scope", scope)] if scope else [])
    return RenderedRequest(
        method="POST",
        url=url,
        headers=(("Accept", "application/json"), ("Content-Type", FORM_TYPE), ("Authorization", f"Basic {basic}")),
        body=form(fields).encode(),
        follow_redirects=False,
        secrets=frozenset(values.secrets_used),
        warnings=tuple(warnings),
    )
