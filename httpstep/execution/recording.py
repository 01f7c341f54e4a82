"""What is written when a call has ended: its log row, what its answer teaches of the step, the failure and its mail."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection

from httpstep.alerts import alerts
from httpstep.core import jsontext
from httpstep.core.document import visible
from httpstep.core.errors import FailureKind
from httpstep.core.jsontext import Json
from httpstep.core.outcome import mailtext, record
from httpstep.core.step.execution import Execution
from httpstep.core.step.spec import StepSpec
from httpstep.execution import learning
from httpstep.execution.calls import REFUSALS_EVERY, Call, Parts, write_refusals
from httpstep.storage import deleting, logs, steps
from httpstep.storage.database import can_do_one_step, end_transaction, writing

_log = logging.getLogger(__name__)


def close(parts: Parts, log_id: int, values: dict[str, Any]) -> None:
    """Write that the call has ended, and nothing else of it. Never raises."""
    parts.postponed.write_first_of(lambda: _complete(log_id, values), lambda: logs.end(log_id, values))


def finish(parts: Parts, call: Call, execution: Execution, kept: record.Record, log_id: int) -> tuple[bool, bool]:
    """Write everything that follows from the call in one transaction. (whether the step is newly marked, whether all of
    it is written).

    The call has been made: a database that is away costs a while until the record is there, and a fault of our own
    costs what it keeps from being written; neither the answer nor the end of the row. Never raises.
    """
    marked = written = False

    def everything() -> None:
        nonlocal marked, written
        marked, due = _write_all(parts, call, execution, kept, log_id)
        written = True
        _send_mail(parts, due)
        write_refusals(parts, older_than=REFUSALS_EVERY)

    ended = _ended(execution)
    parts.postponed.write_first_of(
        everything,
        lambda: _complete(log_id, _log_values(execution, kept)),
        lambda: _complete(log_id, ended),
        lambda: logs.end(log_id, ended),
    )
    with suppress(Exception):
        end_transaction()
    return marked, written


def _write_all(parts: Parts, call: Call, execution: Execution, kept: record.Record, log_id: int) -> tuple[bool, bool]:
    """In one transaction. (whether the step is newly marked, whether a mail is due). Nearly always it is the end of the
    row alone, which SQLite writes in one step."""
    step, values = call.step, _log_values(execution, kept)
    if step is None:
        with writing() as connection:
            if logs.finish(connection, log_id, values):
                logs.forget_old_drafts(connection, time.time() - 86400)
                deleting.forget_set_aside(connection, time.time())
        return False, False
    learn = learning.lesson_of(step, learning.Lesson(call.source, execution, kept, log_id, call.actor))
    if learn is None and execution.failure is None and can_do_one_step():
        logs.finish_in_one_step(log_id, call.tenant.account_id, step.id, values)
        return False, False
    with writing() as connection:
        steps.hold(connection, step.id)
        if not logs.finish(connection, log_id, values):
            return False, False
        marked = learn is not None and learn(connection)
        return marked, _note_alert(connection, parts, call, kept, marked)


def _complete(log_id: int, values: dict[str, Any]) -> None:
    with writing() as connection:
        logs.finish(connection, log_id, values)


def _send_mail(parts: Parts, due: bool) -> None:
    """What is due, soon. The call has been made: what fails here must not look like a refusal of it."""
    try:
        if due:
            parts.alerts.kick()
        else:
            parts.alerts.kick_if_due(time.time())
    except Exception:
        _log.exception("due alert mails could not be looked for")


def _ended(execution: Execution) -> dict[str, Any]:
    """The least that a row says of a call that has ended."""
    outcome, response = execution.outcome, execution.response
    return {
        "duration_ms": round(execution.duration_ms),
        "outcome": outcome.outcome,
        "next": outcome.next,
        "status": response.status if response else None,
    }


def _log_values(execution: Execution, kept: record.Record) -> dict[str, Any]:
    return _ended(execution) | {
        "message": kept.message,
        "structure_changed": bool(execution.drift),
        "detail": jsontext.dumps_text(kept.detail),
        "request_body": kept.request_body,
        "response_body": kept.response_body,
        "structure": None if execution.structure is None else jsontext.dumps_text(execution.structure),
    }


def _note_alert(connection: Connection, parts: Parts, call: Call, kept: record.Record, marked: bool) -> bool:
    """Count the failure and claim the hour where a mail is wanted. True where a mail is due."""
    step, failure = call.step, kept.detail["failure"]
    if step is None or call.source != "bot":
        return False
    wanted = bool(call.spec.alert_emails) and parts.alerts.on
    if failure is not None and failure["kind"] not in (FailureKind.CANCELLED, FailureKind.DISABLED):
        alerts.count_failure(connection, step.id, time.time())
        return wanted and alerts.claim(connection, occasion_of(parts, step.id, call.spec, kept.detail))
    if marked and call.spec.alert_on_drift and wanted:
        return alerts.claim(connection, occasion_of(parts, step.id, call.spec, kept.detail, drift=True))
    return False


def occasion_of(
    parts: Parts, step_id: int, spec: StepSpec, detail: Mapping[str, Json], *, drift: bool = False
) -> alerts.Occasion:
    """What a mail about that step's call has to tell. detail: of the call's record."""
    written = (spec.request.url, spec.request.auth["token_url"])
    what = mailtext.drift_sentence(detail) if drift else mailtext.failure_sentence(detail, written)
    url = visible.url_for(spec.request.url, may_edit=False)
    return alerts.Occasion(
        step_id=step_id, name=spec.name, what=what, url=url, method=spec.request.method,
        recipients=spec.alert_emails, at=time.time(), link=f"{parts.base_url}/steps/{step_id}", drift=drift,
    )  # fmt: skip
