"""The step as its editor described it. One table of members: reading, writing, the contract and the form come from it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final, Literal

from httpstep.core.jsontext import Json, Path

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
CONTINUE: Final = "continue"
STOP: Final = "stop"


class Missing(Enum):
    """The default of a rule that has none; null is a default of its own."""

    NONE = "none"


NO_DEFAULT: Final = Missing.NONE


# ---------------------------------------------------------------- the step, as its editor described it


@dataclass(frozen=True, slots=True)
class Pair:
    """One row of headers or of query-string fields, as typed (placeholders and all)."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Auth:
    """Authentication. `location` is the document's `in`: where an api_key goes."""

    type: Literal["none", "basic", "bearer", "api_key", "oauth2_client_credentials"] = "none"
    username: str = ""
    password: str = ""
    token: str = ""
    name: str = ""
    value: str = ""
    location: Literal["header", "query"] = "header"
    token_url: str = ""
    client_id: str = ""
    client_secret: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    mode: Literal["none", "query", "json", "raw"] = "none"
    fields: tuple[Pair, ...] = ()
    send_fields_in: Literal["auto", "url", "body"] = "auto"
    text: str = ""
    content_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class RequestSpec:
    method: str = "GET"
    url: str = ""
    headers: tuple[Pair, ...] = ()
    auth: Auth = Auth()
    body: Body = Body()


@dataclass(frozen=True, slots=True)
class MappingRule:
    """One of `path`, `jsonpath` and `call` is set; it gives one attribute.

    call: "status", "error", "duration_ms" or "header:NAME". default: NO_DEFAULT or a JSON value.
    """

    attribute: str
    path: Path | None = None
    jsonpath: str | None = None
    call: str | None = None
    take: Literal["one", "last", "all", "count"] = "one"
    convert: Literal["none", "text", "integer", "number", "boolean", "date", "json"] = "none"
    default: Json | Missing = NO_DEFAULT
    on: bool = True


@dataclass(frozen=True, slots=True)
class StepSpec:
    """The step document (`core.stepdocument`) as a value. `mapping` None: never set, automatic mapping may run."""

    key: str = ""
    name: str = ""
    request: RequestSpec = RequestSpec()
    missing_attributes: Literal["error", "empty"] = "error"
    success_statuses: str = "200-299"
    timeout: Decimal | int = 60
    follow_redirects: bool = True
    retries: int = 0
    retry_unsafe: bool = False
    mapping: tuple[MappingRule, ...] | None = None
    dictionaries: tuple[Path, ...] = ()
    fallback: Literal["continue", "stop"] = "stop"
    alert_emails: tuple[str, ...] = ()
    alert_on_drift: bool = False
    enabled: bool = True
