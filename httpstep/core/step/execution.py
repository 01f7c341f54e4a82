"""What one run of a step comes to. A value made once is what is shown, logged and answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct, field

from httpstep.core.errors import FailureKind
from httpstep.core.exchange import HttpResponse, RenderedRequest, Trace
from httpstep.core.jsontext import Json, Path
from httpstep.core.private import Private
from httpstep.core.step.spec import MappingRule, StepSpec


class MappedRow(Struct, frozen=True):
    """What one rule gave. state: "ok", "default" (its default was taken), "missing", "off". why: a sentence if not ok."""

    rule: MappingRule
    state: Literal["ok", "default", "missing", "off"]
    value: Json = None
    why: str = ""


class MappingResult(Struct, frozen=True):
    """`values`: attribute -> JSON value, defaults included; `missing`: attributes not found, defaulted ones too."""

    rows: tuple[MappedRow, ...] = ()
    values: Mapping[str, Json] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


class Change(Struct, frozen=True):
    """One difference of two structures. `path` has "*" for any list item or dictionary key; types are JSON type names."""

    path: Path
    was: str = ""
    now: str = ""
    mapped: bool = False


class Drift(Struct, frozen=True):
    """The difference between the accepted structure and a later answer's. Falsy when there is none.

    more_missing, more_changed, more_new: how many there are of each kind beside those listed. reveals: the later answer
    shows what was behind a null or an empty list of the accepted one, which is no difference.
    """

    missing: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()
    new: tuple[Change, ...] = ()
    more_missing: int = 0
    more_changed: int = 0
    more_new: int = 0
    reveals: bool = False

    def __bool__(self) -> bool:
        return bool(self.missing or self.changed or self.new)


NO_DRIFT: Final = Drift()


class Failure(Struct, frozen=True):
    """Why an execution failed: a kind, a stable reason, one sentence for a person, what to do next, and the place."""

    kind: FailureKind
    reason: str
    message: str
    advice: str = ""
    place: str = ""


class Outcome(Struct, frozen=True):
    """What the bot is told. `outcome`: "success" or a FailureKind; `next`: "continue" or "stop"."""

    outcome: str
    next: Literal["continue", "stop"]
    attributes: Mapping[str, Json]
    missing: tuple[str, ...]
    message: str | None


class Try(Struct, frozen=True):
    """One call of the budget: when it ended (ms after the start), what came of it."""

    ended_ms: float
    status: int | None
    failure: Failure | None
    trace: Trace = field(default_factory=Trace)


class Execution(Private, frozen=True):
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
    document: Json
    unreadable: Failure | None
    mapping: MappingResult
    automatic: tuple[MappingRule, ...] | None
    structure: Json
    drift: Drift
    failure: Failure | None
    outcome: Outcome
    tries: tuple[Try, ...]
    duration_ms: float
    secrets: frozenset[str]
    token_url: str
