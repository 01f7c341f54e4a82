"""The step as its editor described it. One table of members: reading, writing, the contract and the form come from it."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Annotated, Final, Literal

from msgspec import Struct

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


class Pair(Struct, frozen=True):
    """One row of headers or of fields, as typed (placeholders and all)."""

    name: Annotated[str, member(Text(), required=True, typed=True)] = ""
    value: Annotated[str, member(Text(), required=True, typed=True)] = ""
    when_empty: Annotated[
        Literal["send", "leave_out"],
        member(Word(WHEN_EMPTY), label="Where its value is empty", absent="send", typed=True),
    ] = "send"


class Body(Struct, frozen=True):
    """The text is kept while the mode is `query`, and the fields while it is not, so that switching back finds them.

    text: of `graphql` the query. A member that is as it was before there was one is not written.
    """

    mode: Annotated[
        Literal["none", "query", "json", "raw", "multipart", "graphql"],
        member(Word(BODY_MODES), label="Body", typed=True),
    ] = "none"
    fields: Annotated[tuple[Pair, ...], member(Objects(Pair, _MAX_ROWS), label="Fields", typed=True)] = ()
    send_fields_in: Annotated[
        Literal["auto", "url", "body"], member(Word(SEND_FIELDS_IN), label="Send them", typed=True)
    ] = "auto"
    text: Annotated[str, member(Text(), label="Body", typed=True)] = ""
    content_type: Annotated[str, member(Text(), label="Content type", typed=True)] = "text/plain"
    lists: Annotated[
        Literal["json", "repeat", "brackets"], member(Word(LISTS), label="A list is sent as", absent="json", typed=True)
    ] = "json"
    escape: Annotated[
        Literal["none", "auto"], member(Word(ESCAPES), label="Values are inserted", absent="none", typed=True)
    ] = "none"
    variables: Annotated[str, member(Text(), label="Variables", absent="", typed=True)] = ""


class RequestSpec(Struct, frozen=True):
    method: Annotated[
        str, member(Word({method: method for method in METHODS}), label="Method", required=True, typed=True)
    ] = "GET"
    url: Annotated[str, member(Text(), label="URL", required=True, typed=True)] = ""
    headers: Annotated[tuple[Pair, ...], member(Objects(Pair, _MAX_ROWS), label="Headers", typed=True)] = ()
    auth: Annotated[Auth, member(AuthMember(), label="Authentication", typed=True)] = Auth()
    body: Annotated[Body, member(Object(Body), label="Body")] = Body()


class MappingRule(Struct, frozen=True):
    """One of `path`, `jsonpath` and `call` is set; it gives one attribute.

    call: "status", "error", "duration_ms" or "header:NAME". default: NO_DEFAULT or a JSON value.
    """

    attribute: Annotated[str, member(Text(), label="Attribute", required=True, typed=True)] = ""
    path: Annotated[Path | None, member(PathToValue(), absent=None, typed=True, one_of=True)] = None
    jsonpath: Annotated[str | None, member(Text(), absent=None, typed=True, one_of=True)] = None
    call: Annotated[str | None, member(Text(), absent=None, typed=True, one_of=True)] = None
    take: Annotated[Literal["one", "last", "all", "count"], member(Word(TAKES), label="Take", typed=True)] = "one"
    convert: Annotated[
        str, member(Word({name: one.label for name, one in CONVERSIONS.items()}), label="Make it", typed=True)
    ] = "none"
    separator: Annotated[str, member(Text(), label="Between the items", absent=", ", typed=True)] = ", "
    region: Annotated[str, member(Text(strip=True), label="Country of numbers without +", absent="", typed=True)] = ""
    default: Annotated[Json | Missing, member(AnyValue(), label="If it is missing", absent=NO_DEFAULT, typed=True)] = (
        NO_DEFAULT
    )
    on: Annotated[bool, member(Flag(), typed=True)] = True


class AnswerPlace(Struct, frozen=True):
    """A place in the answer: one of `path` and `jsonpath` is set."""

    path: Annotated[Path | None, member(PathToValue(), absent=None, one_of=True)] = None
    jsonpath: Annotated[str | None, member(Text(), absent=None, one_of=True)] = None


class AnswerCondition(AnswerPlace, frozen=True):
    """What is to hold of the value there. value: a JSON value, compared by type; a list for one_of; NO_DEFAULT for exists
    and missing, which have none."""

    operator: Annotated[str, member(Word(OPERATORS), name="is", required=True)] = "equals"
    value: Annotated[Json | Missing, member(AnyValue(), absent=NO_DEFAULT)] = NO_DEFAULT


class StepSpec(Struct, frozen=True):
    """The step document (`core.document.stepdocument`) as a value. `mapping` None: never set, automatic mapping may run."""

    key: Annotated[str, member(Text(pattern=KEY_PATTERN), label="Key", typed=True)] = ""
    name: Annotated[str, member(Text(strip=True), label="Name", required=True, typed=True)] = ""
    request: Annotated[RequestSpec, member(Object(RequestSpec), required=True)] = RequestSpec()
    missing_attributes: Annotated[
        Literal["error", "empty"], member(Word(WHEN_MISSING), label="If an attribute is not there", typed=True)
    ] = "error"
    success_statuses: Annotated[str, member(Text(strip=True), label="Statuses that count as success", typed=True)] = (
        "200-299"
    )
    success_when: Annotated[
        tuple[AnswerCondition, ...],
        member(Objects(AnswerCondition, MAX_CONDITIONS), label="And only if, in the answer", absent=(), typed=True),
    ] = ()
    error_message: Annotated[
        AnswerPlace | None,
        member(Object(AnswerPlace, nullable=True), label="Where the API says why", absent=None, typed=True),
    ] = None
    expired_when: Annotated[
        tuple[AnswerCondition, ...],
        member(
            Objects(AnswerCondition, MAX_CONDITIONS),
            label="The token has expired if, in the answer",
            absent=(),
            typed=True,
        ),
    ] = ()
    timeout: Annotated[
        Decimal | int,
        member(
            Number(
                MAX_TIMEOUT_SECONDS,
                f"The timeout must be more than 0 and at most {MAX_TIMEOUT_SECONDS} seconds.",
                more_than=0,
            ),
            label="Timeout, in seconds",
            typed=True,
        ),
    ] = MAX_TIMEOUT_SECONDS
    follow_redirects: Annotated[bool, member(Flag(), label="Follow redirects, up to 3", typed=True)] = True
    retries: Annotated[
        int,
        member(
            Number(MAX_RETRIES, f"“retries” must be 0, 1 or {MAX_RETRIES}.", at_least=0, whole=True),
            label="Tries after a failure",
            typed=True,
        ),
    ] = 0
    retry_unsafe: Annotated[bool, member(Flag(), label="Also try POST and PATCH again", typed=True)] = False
    retry_rejected: Annotated[
        bool, member(Flag(), label="Also try again where the answer says that it failed", absent=False, typed=True)
    ] = False
    mapping: Annotated[
        tuple[MappingRule, ...] | None, member(Objects(MappingRule, MAX_RULES, nullable=True), absent=None, typed=True)
    ] = None
    dictionaries: Annotated[tuple[Path, ...], member(Paths(MAX_DICTIONARIES), typed=True)] = ()
    fallback: Annotated[
        Literal["continue", "stop"], member(Word(FALLBACKS), label="What your bot does then", typed=True)
    ] = STOP
    alert_emails: Annotated[
        tuple[str, ...],
        member(
            Texts("“alert_emails” must be a list of texts, one address each.", MAX_ALERT_ADDRESSES),
            label="Whom to tell when the call fails",
            typed=True,
        ),
    ] = ()
    alert_on_drift: Annotated[
        bool, member(Flag(), label="Also tell them when the JSON structure of the answer has changed", typed=True)
    ] = False
    enabled: Annotated[bool, member(Flag(), label="This step is switched on", typed=True)] = True

    @property
    def gives(self) -> tuple[str, ...]:
        """The attributes that its mapping may give, in its order."""
        return tuple(rule.attribute for rule in self.mapping or () if rule.on)
