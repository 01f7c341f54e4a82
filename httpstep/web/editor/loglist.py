"""The list of logs under the form, and the word that tells the open page whether anything has changed since."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

from msgspec import Struct

from httpstep.core.document import visible
from httpstep.core.jsontext import Json
from httpstep.core.outcome.given import given_in
from httpstep.storage import logs
from httpstep.storage.tables import Log
from httpstep.web.access import may
from httpstep.web.editor import testvalues, tree
from httpstep.web.editor.editor import Editor
from httpstep.web.editor.entries import LABELS, SOURCES, duration_text, outcome_of, tone_of
from httpstep.web.editor.mailstatus import next_alert

_MAX_VALUE, _MAX_VALUES = 40, 120
"""Characters of one value and of all of them in a line."""


class LogLine(Struct, frozen=True):
    """One call. tone: the colour of the badge; label: the same in words; values: what it came with, in short."""

    id: int
    at: float
    source: str
    method: str
    status: int | None
    duration: str
    label: str
    tone: str
    structure_changed: bool
    values: str


class LogList(Struct, frozen=True):
    """have: what the page knows with it, four words: each changes when the list, the mail status, the budget or the mark
    of drift does."""

    lines: list[LogLine]
    have: str


def log_list_of(editor: Editor) -> LogList:
    rows, now = editor.sources.logs, editor.now
    used = editor.attributes_used
    return LogList([line_of(row, now, used) for row in rows], have_of(editor))


def line_of(log: Log, now: float, used: Sequence[str]) -> LogLine:
    """used: the attributes that the step's request needs; they come first in `values`."""
    return LogLine(
        log.id, log.started_at, SOURCES.get(log.source, log.source), log.method, log.status,
        duration_text(log.duration_ms), LABELS.get(outcome_of(log, now), ""), tone_of(log, now), log.structure_changed,
        _values(log, used),
    )  # fmt: skip


def _values(log: Log, used: Sequence[str]) -> str:
    """order.id = 4711, channel = web. What is masked in the view of the call is masked here."""
    if not log.detail:
        return ""
    seen = visible.detail_for({"given": given_in(log.detail)}, may_edit=may("editor"))
    given: Mapping[str, Json] = seen["given"]
    first = testvalues.found_in(used, given)
    rest = {name: value for name, value in given.items() if not any(testvalues.is_inside(one, [name]) for one in first)}
    text = ", ".join(f"{name} = {_short(value)}" for name, value in (first | rest).items())
    return text if len(text) <= _MAX_VALUES else text[:_MAX_VALUES] + "…"


def _short(value: Json) -> str:
    """As it is typed: a text has no quotes."""
    text = value if isinstance(value, str) and value else tree.short_text(value, _MAX_VALUE)
    return text if len(text) <= _MAX_VALUE else text[:_MAX_VALUE] + "…"


def have_of(editor: Editor) -> str:
    state, budget = editor.state, editor.sources.budget
    mail = (state.last_alert_at, state.mail_error, next_alert(editor) > editor.now) if state else ()
    drift = (state.drift_at, state.drift_log_id) if state else ()
    left = budget.remaining or f"none for {budget.reset}"
    return ".".join((_list(editor.sources.logs, editor.now), *map(_word, (mail, (budget.limit, left), drift))))


def _word(facts: tuple[object, ...]) -> str:
    return f"{zlib.crc32(repr(facts).encode()):x}"


def _list(rows: Sequence[Log], now: float) -> str:
    running = sum(1 for row in rows if row.state == "running" and not logs.is_interrupted(row, now))
    return f"{rows[0].id}-{len(rows)}-{running}" if rows else "0"
