"""Basic (RFC 7617), with UTF-8: no colon in the user name, no control characters in either."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from httpstep.core.authentication.kind import Auth, Credential, Kind, Proof
from httpstep.core.errors import InvalidRequest
from httpstep.core.inserting.encoders import encodable
from httpstep.core.inserting.texts import filled, header_value
from httpstep.core.inserting.values import Position, Values


class Basic(Kind):
    type = "basic"
    label = "Basic: user name and password"
    members = (Credential("username", "User name"), Credential("password", "Password", secret=True))

    def proof(self, auth: Auth, values: Values, token: str | None) -> Proof:
        user = filled(auth["username"], values, Position("auth.username", "the user name")).strip("\r\n")
        password = filled(auth["password"], values, Position("auth.password", "the password")).strip("\r\n")
        if ":" in user:
            raise InvalidRequest("The user name has a colon in it.", reason="auth", place="auth.username")
        for member, what, text in (("username", "user name", user), ("password", "password", password)):
            if any(char < " " or char == "\x7f" for char in text):
                sentence = f"The {what} has a line break or another control character in it."
                raise InvalidRequest(sentence, reason="auth", place=f"auth.{member}")
        values.credential(password)
        value = header_value("Authorization", f"Basic {encoded(user, password, values)}", "auth.password")
        return Proof(headers=(("Authorization", value),))

    def faults(self, auth: Auth) -> Iterator[tuple[str, str]]:
        if not (auth["username"] or auth["password"]):
            yield "username", "Give the user name."
        if ":" in auth["username"]:
            yield "username", "A user name cannot have a colon in it."


def encoded(user: str, password: str, values: Values) -> str:
    """user:password in Base64, noted as a secret."""
    return values.credential(base64.b64encode(encodable(f"{user}:{password}").encode()).decode())
