"""The step as its editor described it. One table of members: reading, writing, the contract and the form come from it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final, Literal

from httpstep.core.authentication import Auth, AuthMember
from httpstep.core.conversion import CONVERSIONS
from httpstep.core.jsontext import Json, Path
from httpstep.core.step.members import (
    AnyValue,
    Flag,
    Number,
    Object,
    Objects,
    Paths,
    PathToValue,
    Text,
    Texts,
    Word,
    member,
)
from httpstep.core.step.stepkey import KEY_PATTERN

MAX_TIMEOUT_SECONDS: Final = 60
MAX_RETRIES: Final = 2
MAX_RULES: Final = 500
MAX_DICTIONARIES: Final = 100
MAX_ALERT_ADDRESSES: Final = 10
_MAX_ROWS: Final = 1000
"""Of headers and fields, before anybody looks at them; what may be sent is fewer (`core.request.requestcheck`)."""

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
CONTINUE: Final = "continue"
STOP: Final = "stop"

BODY_MODES: Final = {
    "none": "None", "query": "Query String", "json": "JSON", "raw": "Raw", "multipart": "Form Data", "graphql": "GraphQL",
}  # fmt: skip
ROW_MODES: Final = ("query", "multipart")
"""The modes whose body is made of the fields."""
LISTS: Final = {
    "json": "one field, as JSON",
    "repeat": "a field for each item: name=a&name=b",
    "brackets": "a field for each item: name[]=a&name[]=b",
}
WHEN_EMPTY: Final = {"send": "sent empty", "leave_out": "left out"}
ESCAPES: Final = {"none": "as they are", "auto": "escaped where the body is XML"}
SEND_FIELDS_IN: Final = {
    "auto": "where the method expects them",
    "url": "in the URL",
    "body": "in the body, as a form",
}
TAKES: Final = {"one": "the value", "last": "the last item", "all": "all items (list)", "count": "how many"}
FALLBACKS: Final = {CONTINUE: "Continue Further Steps", STOP: "Stop Executing Further Steps"}
WHEN_MISSING: Final = {"error": "Do not call; the step fails", "empty": "Send it empty"}


class Missing(Enum):
    """The default of a rule that has none; null is a default of its own."""

    NONE = "none"


NO_DEFAULT: Final = Missing.NONE


@dataclass(frozen=True, slots=True)
class Pair:
    """One row of headers or of fields, as typed (placeholders and all)."""

    name: str = member(Text(), "", required=True)
    value: str = member(Text(), "", required=True)
    when_empty: Literal["send", "leave_out"] = member(
        Word(WHEN_EMPTY), "send", label="Where its value is empty", absent="send"
    )


@dataclass(frozen=True, slots=True)
class Body:
    """The text is kept while the mode is `query`, and the fields while it is not, so that switching back finds them.

    text: of `graphql` the query. A member that is as it was before there was one is not written.
    """

    mode: Literal["none", "query", "json", "raw", "multipart", "graphql"] = member(
        Word(BODY_MODES), "none", label="Body"
    )
    fields: tuple[Pair, ...] = member(Objects(Pair, _MAX_ROWS), (), label="Fields")
    send_fields_in: Literal["auto", "url", "body"] = member(Word(SEND_FIELDS_IN), "auto", label="Send them")
    text: str = member(Text(), "", label="Body")
    content_type: str = member(Text(), "text/plain", label="Content type")
    lists: Literal["json", "repeat", "brackets"] = member(Word(LISTS), "json", label="A list is sent as", absent="json")
    escape: Literal["none", "auto"] = member(Word(ESCAPES), "none", label="Values are inserted", absent="none")
    variables: str = member(Text(), "", label="Variables", absent="")


@dataclass(frozen=True, slots=True)
class RequestSpec:
    method: str = member(Word({method: method for method in METHODS}), "GET", label="Method", required=True)
    url: str = member(Text(), "", label="URL", required=True)
    headers: tuple[Pair, ...] = member(Objects(Pair, _MAX_ROWS), (), label="Headers")
    auth: Auth = member(AuthMember(), Auth(), label="Authentication")
    body: Body = member(Object(Body), Body(), label="Body")


@dataclass(frozen=True, slots=True)
class MappingRule:
    """One of `path`, `jsonpath` and `call` is set; it gives one attribute.

    call: "status", "error", "duration_ms" or "header:NAME". default: NO_DEFAULT or a JSON value.
    """

    attribute: str = member(Text(), "", label="Attribute", required=True)
    path: Path | None = member(PathToValue(), None, absent=None)
    jsonpath: str | None = member(Text(), None, absent=None)
    call: str | None = member(Text(), None, absent=None)
    take: Literal["one", "last", "all", "count"] = member(Word(TAKES), "one", label="Take")
    convert: str = member(Word({name: one.label for name, one in CONVERSIONS.items()}), "none", label="Make it")
    separator: str = member(Text(), ", ", label="Between the items", absent=", ")
    region: str = member(Text(strip=True), "", label="Country of phone numbers without +", absent="")
    default: Json | Missing = member(AnyValue(), NO_DEFAULT, label="If it is missing", absent=NO_DEFAULT)
    on: bool = member(Flag(), True)


@dataclass(frozen=True, slots=True)
class StepSpec:
    """The step document (`core.document.stepdocument`) as a value. `mapping` None: never set, automatic mapping may run."""

    key: str = member(Text(pattern=KEY_PATTERN), "", label="Key")
    name: str = member(Text(strip=True), "", label="Name", required=True)
    request: RequestSpec = member(Object(RequestSpec), RequestSpec(), required=True)
    missing_attributes: Literal["error", "empty"] = member(
        Word(WHEN_MISSING), "error", label="If an attribute is not there"
    )
    success_statuses: str = member(Text(strip=True), "200-299", label="Statuses that count as success")
    timeout: Decimal | int = member(
        Number(MAX_TIMEOUT_SECONDS, f"The timeout must be more than 0 and at most {MAX_TIMEOUT_SECONDS} seconds.", more_than=0),
        MAX_TIMEOUT_SECONDS,
        label="Timeout, in seconds",
    )  # fmt: skip
    follow_redirects: bool = member(Flag(), True, label="Follow redirects, up to 3")
    retries: int = member(
        Number(MAX_RETRIES, f"“retries” must be 0, 1 or {MAX_RETRIES}.", at_least=0, whole=True),
        0,
        label="Tries after a failure",
    )
    retry_unsafe: bool = member(Flag(), False, label="Also try POST and PATCH again")
    mapping: tuple[MappingRule, ...] | None = member(Objects(MappingRule, MAX_RULES, nullable=True), None, absent=None)
    dictionaries: tuple[Path, ...] = member(Paths(MAX_DICTIONARIES), ())
    fallback: Literal["continue", "stop"] = member(Word(FALLBACKS), STOP, label="What your bot does then")
    alert_emails: tuple[str, ...] = member(
        Texts("“alert_emails” must be a list of texts, one address each.", MAX_ALERT_ADDRESSES),
        (),
        label="Whom to tell when the call fails",
    )
    alert_on_drift: bool = member(
        Flag(), False, label="Also tell them when the JSON structure of the answer has changed"
    )
    enabled: bool = member(Flag(), True, label="This step is switched on")
