"""The values that travel the line. All frozen: a value made once is what is sent, shown, logged and answered.

`Json` is what `core.jsontext` reads: None, bool, int, Decimal (its text kept digit for digit), str, list, dict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal

from httpstep.core.errors import FailureKind

Json = Any
"""None | bool | int | Decimal | str | list[Json] | dict[str, Json]. Never float."""

Path = tuple[str | int, ...]
"""Keys and indices from the root of a document; () is the root itself."""

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


# ---------------------------------------------------------------- the request and its answer


@dataclass(frozen=True, slots=True)
class RenderedRequest:
    """The request exactly as it goes out. `url` is ASCII and carries the query; the bytes of `body` are the body.

    `secrets`: every secret value that went in, raw; `core.redaction` masks them (and their encoded forms)
    wherever this request is shown. `warnings`: sentences for the preview.
    `filled_empty`: attributes that were not there and were sent empty.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None = field(default=None, repr=False)
    follow_redirects: bool = True
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    warnings: tuple[str, ...] = ()
    filled_empty: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hop:
    """One exchange of a call: the request line, where it went (`address`, "203.0.113.7:443"), and the status that came."""

    method: str
    url: str
    address: str = ""
    status: int | None = None
    location: str = ""


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds, summed over the hops of one try; None where the phase did not happen (a reused connection)."""

    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    total_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Trace:
    """What one try saw on the way, whether it ended well or not."""

    hops: tuple[Hop, ...] = ()
    timings: Timings = Timings()


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer, wholly read. `body` is decoded (gzip undone); header names as they came; `url` after redirects."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    url: str = ""
    trace: Trace = Trace()

    def header(self, name: str) -> str | None:
        """The first header of that name, names compared without case (RFC 9110, 5.1)."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


Send = Callable[[RenderedRequest, float], HttpResponse]
"""send(request, deadline): deadline in seconds of `time.monotonic()`. Raises SendError only."""


# ---------------------------------------------------------------- mapping, structure, drift


@dataclass(frozen=True, slots=True)
class MappedRow:
    """What one rule gave. state: "ok", "default" (its default was taken), "missing", "off". why: a sentence if not ok."""

    rule: MappingRule
    state: Literal["ok", "default", "missing", "off"]
    value: Json = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class MappingResult:
    """`values`: attribute -> JSON value, defaults included; `missing`: attributes not found, defaulted ones too."""

    rows: tuple[MappedRow, ...] = ()
    values: Mapping[str, Json] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One difference of two structures. `path` has "*" for any list item or dictionary key; types are JSON type names."""

    path: Path
    was: str = ""
    now: str = ""
    mapped: bool = False


@dataclass(frozen=True, slots=True)
class Drift:
    """The difference between the accepted structure and a later answer's. Falsy when there is none.

    more_missing, more_changed, more_new: how many there are of each kind beside those listed.
    """

    missing: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()
    new: tuple[Change, ...] = ()
    more_missing: int = 0
    more_changed: int = 0
    more_new: int = 0

    def __bool__(self) -> bool:
        return bool(self.missing or self.changed or self.new)


# ---------------------------------------------------------------- the decision and the whole


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an execution failed: a kind, a stable reason, one sentence for a person, what to do next, and the place."""

    kind: FailureKind
    reason: str
    message: str
    advice: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the bot is told. `outcome`: "success" or a FailureKind; `next`: "continue" or "stop"."""

    outcome: str
    next: Literal["continue", "stop"]
    attributes: Mapping[str, Json]
    missing: tuple[str, ...]
    message: str | None


@dataclass(frozen=True, slots=True)
class Try:
    """One call of the budget: when it ended (ms after the start), what came of it."""

    ended_ms: float
    status: int | None
    failure: Failure | None
    trace: Trace = Trace()


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of a step, with every intermediate value; log, modal, Test panel, mail and answer are views of it.

    `document` is meaningful only where `has_document`; `unreadable` says why a good answer has none, failure or not.
    `automatic`: the rules made from a first answer, else None.
    `structure`: shape of the document (core.structure), None where there is none or it does not count as success.
    `secrets`: every secret value of the step and every credential made or fetched on the way, raw, whether a request
    came of it or not: a view masks with these and no others. `token_url`: where a token was to come from (OAuth 2).
    """

    spec: StepSpec
    request: RenderedRequest | None
    response: HttpResponse | None
    has_document: bool
    document: Json = field(repr=False)
    unreadable: Failure | None
    mapping: MappingResult
    automatic: tuple[MappingRule, ...] | None
    structure: Json
    drift: Drift
    failure: Failure | None
    outcome: Outcome
    tries: tuple[Try, ...]
    duration_ms: float
    secrets: frozenset[str] = field(repr=False)
    token_url: str
