"""A Bearer token (RFC 6750, 2.1), pasted with or without "Bearer" in front."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from httpstep.core.authentication.kind import Auth, Credential, Kind, Proof, pasted
from httpstep.core.inserting import headers
from httpstep.core.inserting.texts import filled, header_value
from httpstep.core.inserting.values import Position, Values
from httpstep.core.regex import regex

_PREFIX: Final = regex(r"\s*(?:authorization\s*:\s*)?(?:bearer\s+)+", re.IGNORECASE)


class Bearer(Kind):
    type = "bearer"
    label = "Bearer token"
    members = (
        Credential("token", "Token", secret=True, needed="Put the token here, best as {{secret.NAME}}."),
    )  # fmt: skip

    def proof(self, auth: Auth, values: Values, token: str | None) -> Proof:
        text = filled(auth["token"], values, Position("auth.token", "the header “Authorization”"))
        token = values.credential(pasted(_PREFIX.sub("", text, count=1), "The token", "auth.token"))
        value = header_value("Authorization", f"Bearer {token}", "auth.token")
        return Proof(headers=(("Authorization", value),))

    def faults(self, auth: Auth) -> Iterator[tuple[str, str]]:
        typed = _PREFIX.sub("", auth["token"], count=1)
        if fault := headers.value_fault("Authorization", f"Bearer {typed}"):
            yield "token", fault

    def header(self, auth: Auth) -> str:
        return "Authorization"
