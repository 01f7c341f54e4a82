"""The list of steps as one frozen value."""

from __future__ import annotations

import time
from dataclasses import dataclass

from httpstep.storage import overview
from httpstep.web.access import may
from httpstep.web.editor.loglist import LogLine, line_of
from httpstep.web.here import account_id


@dataclass(frozen=True, slots=True)
class StepLine:
    """last: its last call. attributes: how many it gives, None where its mapping was never set. missing: those that the
    last good answer did not give."""

    id: int
    name: str
    is_on: bool
    method: str
    url: str
    host: str
    path: str
    last: LogLine | None
    has_drift: bool
    attributes: int | None
    missing: list[str]


@dataclass(frozen=True, slots=True)
class StepList:
    """search: what is looked for, "" for all."""

    lines: list[StepLine]
    search: str
    can_edit: bool


def step_list_of(typed: str) -> StepList:
    """The account's steps that the search finds, as the signed-in user may see them."""
    search, can_edit, now = typed.strip(), may("editor"), time.time()
    found = overview.listed(account_id(), search, may_edit=can_edit)
    return StepList([_line_of(one, now) for one in found], search, can_edit)


def _line_of(one: overview.Listed, now: float) -> StepLine:
    sent = one.spec.request
    return StepLine(
        one.step.id, one.step.name, one.spec.enabled, sent.method, sent.url, one.host, one.path,
        line_of(one.last, now) if one.last else None, one.drift, one.rules, one.missing,
    )  # fmt: skip
