"""A Bearer token (RFC 6750, 2.1)."""

from __future__ import annotations

from httpstep.core.authentication.kind import Auth, Credential, Kind, Proof
from httpstep.core.inserting.texts import filled_header
from httpstep.core.inserting.values import Values


class Bearer(Kind):
    type = "bearer"
    label = "Bearer token"
    members = (
        Credential("token", "Token", secret=True, needed="Put the token here, best as {{secret.NAME}}."),
    )  # fmt: skip

    def proof(self, auth: Auth, values: Values, token: str | None) -> Proof:
        value = filled_header("Authorization", auth["token"], values, "auth.token", prefix="Bearer ")
        values.credential(value.removeprefix("Bearer").strip())
        return Proof(headers=(("Authorization", value),))

    def header(self, auth: Auth) -> str:
        return "Authorization"

    def typed(self, auth: Auth) -> Proof:
        return Proof(headers=(("Authorization", f"Bearer {auth['token']}"),))
