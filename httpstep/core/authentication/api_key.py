"""A key under a name of the API's own, in a header or in the URL's query."""

from __future__ import annotations

from collections.abc import Iterator

from httpstep.core.authentication.kind import Auth, Credential, Kind, Proof, pasted
from httpstep.core.errors import InvalidRequest
from httpstep.core.inserting import headers, urls
from httpstep.core.inserting.texts import filled, header_value
from httpstep.core.inserting.values import Position, Values


class ApiKey(Kind):
    type = "api_key"
    label = "API key"
    members = (
        Credential(
            "name", "Name", takes_values=False, placeholder="X-Api-Key",
            needed="Give the name under which the API expects its key, like X-Api-Key.",
        ),
        Credential("value", "Key", secret=True, needed="Put the API key here, best as {{secret.NAME}}."),
        Credential("in", "Sent in", takes_values=False, choices={"header": "a header", "query": "the URL"}),
    )  # fmt: skip

    def proof(self, auth: Auth, values: Values, token: str | None) -> Proof:
        name = auth["name"].strip()
        if auth["in"] == "query":
            value = filled(auth["value"], values, Position("auth.value", "the API key"), urls.MAX_URL_CHARACTERS)
            return Proof(query=((name, values.credential(pasted(value, "The API key", "auth.value"))),))
        if fault := headers.name_fault(name):
            raise InvalidRequest(fault, reason="header", place="auth.name")
        value = pasted(
            filled(auth["value"], values, Position("auth.value", f"the header “{name}”")), "The API key", "auth.value"
        )
        return Proof(headers=((name, values.credential(header_value(name, value, "auth.value"))),))

    def faults(self, auth: Auth) -> Iterator[tuple[str, str]]:
        name = auth["name"].strip()
        if name and auth["in"] == "query" and "{{" in name:
            yield "name", "Attributes can stand in the key's value, not in its name."
        elif name and auth["in"] != "query" and (fault := headers.name_fault(name)):
            yield "name", fault
        elif auth["in"] != "query" and (fault := headers.value_fault(name, auth["value"])):
            yield "value", fault

    def header(self, auth: Auth) -> str:
        return "" if auth["in"] == "query" else auth["name"]
