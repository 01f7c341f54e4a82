"""The list of logs under the form, and the word that tells the open page whether anything has changed since."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from httpstep.storage import logs
from httpstep.storage.tables import Log
from httpstep.web.editor.editor import Editor
from httpstep.web.editor.entries import LABELS, SOURCES, duration_text, outcome_of, tone_of
from httpstep.web.editor.mailstatus import next_alert


@dataclass(frozen=True, slots=True)
class LogLine:
    """One call. tone: the colour of the badge; label: the same in words."""

    id: int
    at: float
    source: str
    method: str
    status: int | None
    duration: str
    label: str
    tone: str
    structure_changed: bool


@dataclass(frozen=True, slots=True)
class LogList:
    """have: what the page knows with it, four words: each changes when the list, the mail status, the budget or the mark
    of drift does."""

    lines: list[LogLine]
    have: str


def log_list_of(editor: Editor) -> LogList:
    rows, now = editor.sources.logs, editor.now
    return LogList([line_of(row, now) for row in rows], _have(editor))


def line_of(log: Log, now: float) -> LogLine:
    return LogLine(
        log.id, log.started_at, SOURCES.get(log.source, log.source), log.method, log.status,
        duration_text(log.duration_ms), LABELS.get(outcome_of(log, now), ""), tone_of(log, now), log.structure_changed,
    )  # fmt: skip


def _have(editor: Editor) -> str:
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
