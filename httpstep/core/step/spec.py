"""The step as its editor described it. One table of members: reading, writing, the contract and the form come from it."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Final, Literal

from httpstep.core.authentication import Auth, AuthMember
from httpstep.core.conversion import CONVERSIONS
from httpstep.core.jsontext import Json, Path
from httpstep.core.madeonce import made_once
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
MAX_CONDITIONS: Final = 20
_MAX_ROWS: Final = 1000
"""Of headers and fields, before anybody looks at them; what may be sent is fewer (`core.request.requestcheck`)."""

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
UNSAFE_METHODS: Final = ("POST", "PATCH")
"""Twice the same request may do twice what it does (RFC 9110, 9.2.2)."""
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
OPERATORS: Final = {
    "equals": "is",
    "not_equals": "is not",
    "one_of": "is one of",
    "exists": "is there",
    "missing": "is missing",
    "contains": "contains",
    "matches": "matches",
    "above": "is above",
    "below": "is below",
}
"""As documents spell them, of steps and flows alike, and as pages do. `core.answer.conditions` says what each does."""
FALLBACKS: Final = {CONTINUE: "Continue Further Steps", STOP: "Stop Executing Further Steps"}
WHEN_MISSING: Final = {"error": "Do not call; the step fails", "empty": "Send it empty"}


class Missing(Enum):
    """The default of a rule that has none; null is a default of its own."""

    NONE = "none"


NO_DEFAULT: Final = Missing.NONE


@made_once
class Pair:
    """One row of headers or of fields, as typed (placeholders and all)."""

    name: str = member(Text(), "", required=True, typed=True)
    value: str = member(Text(), "", required=True, typed=True)
    when_empty: Literal["send", "leave_out"] = member(
        Word(WHEN_EMPTY), "send", label="Where its value is empty", absent="send", typed=True
    )


@made_once
class Body:
    """The text is kept while the mode is `query`, and the fields while it is not, so that switching back finds them.

    text: of `graphql` the query. A member that is as it was before there was one is not written.
    """

    mode: Literal["none", "query", "json", "raw", "multipart", "graphql"] = member(
        Word(BODY_MODES), "none", label="Body", typed=True
    )
    fields: tuple[Pair, ...] = member(Objects(Pair, _MAX_ROWS), (), label="Fields", typed=True)
    send_fields_in: Literal["auto", "url", "body"] = member(Word(SEND_FIELDS_IN), "auto", label="Send them", typed=True)
    text: str = member(Text(), "", label="Body", typed=True)
    content_type: str = member(Text(), "text/plain", label="Content type", typed=True)
    lists: Literal["json", "repeat", "brackets"] = member(
        Word(LISTS), "json", label="A list is sent as", absent="json", typed=True
    )
    escape: Literal["none", "auto"] = member(
        Word(ESCAPES), "none", label="Values are inserted", absent="none", typed=True
    )
    variables: str = member(Text(), "", label="Variables", absent="", typed=True)


@made_once
class RequestSpec:
    method: str = member(Word({method: method for method in METHODS}), "GET", label="Method", required=True, typed=True)
    url: str = member(Text(), "", label="URL", required=True, typed=True)
    headers: tuple[Pair, ...] = member(Objects(Pair, _MAX_ROWS), (), label="Headers", typed=True)
    auth: Auth = member(AuthMember(), Auth(), label="Authentication", typed=True)
    body: Body = member(Object(Body), Body(), label="Body")


@made_once
class MappingRule:
    """One of `path`, `jsonpath` and `call` is set; it gives one attribute.

    call: "status", "error", "duration_ms" or "header:NAME". default: NO_DEFAULT or a JSON value.
    """

    attribute: str = member(Text(), "", label="Attribute", required=True, typed=True)
    path: Path | None = member(PathToValue(), None, absent=None, typed=True, one_of=True)
    jsonpath: str | None = member(Text(), None, absent=None, typed=True, one_of=True)
    call: str | None = member(Text(), None, absent=None, typed=True, one_of=True)
    take: Literal["one", "last", "all", "count"] = member(Word(TAKES), "one", label="Take", typed=True)
    convert: str = member(
        Word({name: one.label for name, one in CONVERSIONS.items()}), "none", label="Make it", typed=True
    )
    separator: str = member(Text(), ", ", label="Between the items", absent=", ", typed=True)
    region: str = member(Text(strip=True), "", label="Country of numbers without +", absent="", typed=True)
    default: Json | Missing = member(AnyValue(), NO_DEFAULT, label="If it is missing", absent=NO_DEFAULT, typed=True)
    on: bool = member(Flag(), True, typed=True)


@made_once
class AnswerPlace:
    """A place in the answer: one of `path` and `jsonpath` is set."""

    path: Path | None = member(PathToValue(), None, absent=None, one_of=True)
    jsonpath: str | None = member(Text(), None, absent=None, one_of=True)


@made_once
class AnswerCondition(AnswerPlace):
    """What is to hold of the value there. value: a JSON value, compared by type; a list for one_of; NO_DEFAULT for exists
    and missing, which have none."""

    operator: str = member(Word(OPERATORS), "equals", name="is", required=True)
    value: Json | Missing = member(AnyValue(), NO_DEFAULT, absent=NO_DEFAULT)


@made_once
class StepSpec:
    """The step document (`core.document.stepdocument`) as a value. `mapping` None: never set, automatic mapping may run."""

    key: str = member(Text(pattern=KEY_PATTERN), "", label="Key", typed=True)
    name: str = member(Text(strip=True), "", label="Name", required=True, typed=True)
    request: RequestSpec = member(Object(RequestSpec), RequestSpec(), required=True)
    missing_attributes: Literal["error", "empty"] = member(
        Word(WHEN_MISSING), "error", label="If an attribute is not there", typed=True
    )
    success_statuses: str = member(Text(strip=True), "200-299", label="Statuses that count as success", typed=True)
    success_when: tuple[AnswerCondition, ...] = member(
        Objects(AnswerCondition, MAX_CONDITIONS), (), label="And only if, in the answer", absent=(), typed=True
    )
    error_message: AnswerPlace | None = member(
        Object(AnswerPlace, nullable=True), None, label="Where the API says why", absent=None, typed=True
    )
    expired_when: tuple[AnswerCondition, ...] = member(
        Objects(AnswerCondition, MAX_CONDITIONS),
        (),
        label="The token has expired if, in the answer",
        absent=(),
        typed=True,
    )
    timeout: Decimal | int = member(
        Number(MAX_TIMEOUT_SECONDS, f"The timeout must be more than 0 and at most {MAX_TIMEOUT_SECONDS} seconds.", more_than=0),
        MAX_TIMEOUT_SECONDS,
        label="Timeout, in seconds",
        typed=True,
    )  # fmt: skip
    follow_redirects: bool = member(Flag(), True, label="Follow redirects, up to 3", typed=True)
    retries: int = member(
        Number(MAX_RETRIES, f"“retries” must be 0, 1 or {MAX_RETRIES}.", at_least=0, whole=True),
        0,
        label="Tries after a failure",
        typed=True,
    )
    retry_unsafe: bool = member(Flag(), False, label="Also try POST and PATCH again", typed=True)
    retry_rejected: bool = member(
        Flag(), False, label="Also try again where the answer says that it failed", absent=False, typed=True
    )
    mapping: tuple[MappingRule, ...] | None = member(
        Objects(MappingRule, MAX_RULES, nullable=True), None, absent=None, typed=True
    )
    dictionaries: tuple[Path, ...] = member(Paths(MAX_DICTIONARIES), (), typed=True)
    fallback: Literal["continue", "stop"] = member(Word(FALLBACKS), STOP, label="What your bot does then", typed=True)
    alert_emails: tuple[str, ...] = member(
        Texts("“alert_emails” must be a list of texts, one address each.", MAX_ALERT_ADDRESSES),
        (),
        label="Whom to tell when the call fails",
        typed=True,
    )
    alert_on_drift: bool = member(
        Flag(), False, label="Also tell them when the JSON structure of the answer has changed", typed=True
    )
    enabled: bool = member(Flag(), True, label="This step is switched on", typed=True)

    @property
    def gives(self) -> tuple[str, ...]:
        """The attributes that its mapping may give, in its order."""
        return tuple(rule.attribute for rule in self.mapping or () if rule.on)
