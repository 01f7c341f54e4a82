"""The canonical line of a call: all that whoever runs httpstep asks of it, in one line of the application's log.

It holds names, words and numbers of our own: no address, no value of an attribute, no secret, no text of a third party.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import fields

from httpstep.core.jsontext import Json
from httpstep.core.regex import regex
from httpstep.core.step.execution import Execution

_PLAIN = regex(r"[A-Za-z0-9._:/@+-]+").fullmatch


class CanonicalLine(Struct, frozen=True):
    """event: "execution" (a call was begun and has its log row), "flow" (all of its steps), "replay" (the stored answer
    of an Idempotency-Key), "refusal" (no call was begun; `reason` says why).

    status: of the third party's answer, of ours where it was refused (of a step in a flow: the one that it alone would
    have been answered with). duration_ms: of the whole call. database_ms: of it,
    what was spent waiting for the database, before and after the call. tries: requests that were sent, or had been.
    """

    event: str
    request_id: str
    account: str | None = None
    step: str | None = None
    flow: str | None = None
    source: str | None = None
    outcome: str | None = None
    reason: str | None = None
    next: str | None = None
    status: int | None = None
    duration_ms: int = 0
    tries: int = 0
    database_ms: int = 0
    drift: bool = False
    log_id: str | None = None

    def members(self) -> dict[str, Json]:
        """All but the event, in their order."""
        return {name: getattr(self, name) for name in _MEMBERS}

    def __str__(self) -> str:
        return f"{self.event} " + " ".join([f"{name}={_text(getattr(self, name))}" for name in _MEMBERS])


_MEMBERS = tuple(one.name for one in fields(CanonicalLine))[1:]


def _text(value: Json) -> str:
    """As logfmt has it: nothing in a value can end it, or the line."""
    if value is None or value == "":
        return "-"
    if isinstance(value, str):
        return value if _PLAIN(value) else json.dumps(value)
    return str(value) if not isinstance(value, bool) else "yes" if value else "no"


def executed(line: CanonicalLine, execution: Execution, log_id: int, database_ms: float) -> CanonicalLine:
    """`line`, which knows whose call it is, with what came of it."""
    outcome, failure, response = execution.outcome, execution.failure, execution.response
    return CanonicalLine(
        line.event, line.request_id, line.account, line.step, line.flow, line.source, outcome.outcome,
        failure.reason if failure else None, outcome.next, response.status if response else None,
        round(execution.duration_ms), len(execution.tries), round(database_ms), bool(execution.drift), str(log_id),
    )  # fmt: skip


def flow_ended(account: str, source: str, answer: Mapping[str, Json]) -> CanonicalLine:
    """answer: what the flow's caller gets (`core.document.flow.concluded`)."""
    return CanonicalLine(
        "flow", answer["request_id"], account, None, answer["flow"], source, answer["outcome"], None, answer["next"],
        answer["http"]["status"], answer["http"]["duration_ms"], drift=bool(answer["structure_changed"]),
        log_id=answer["log_id"],
    )  # fmt: skip


def word(title: str) -> str:
    """The words of a refusal's title as one: "Rate Limit Exceeded" is rate_limit_exceeded."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
