"""Test: a real call with the form as it is on the screen, saved or not; and what is shown of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, render_template, request

from httpstep import alerts, ratelimit, runs, stepform
from httpstep.core import jsontext, record
from httpstep.core.mapping import CallFacts
from httpstep.core.model import Json, StepSpec
from httpstep.core.record import Record
from httpstep.models import steps
from httpstep.models.database import writing
from httpstep.models.tables import Log
from httpstep.web import editor as editing
from httpstep.web.access import access, current_user
from httpstep.web.editor import Document, Editor, fragment, submitted
from httpstep.web.fragments import respond, toast
from httpstep.web.logs import Entry, entry_of_record
from httpstep.web.responses import request_id

blueprint = Blueprint("testing", __name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """The result of a test as it is shown; everything in it is masked.

    refused: the title of a refusal (no call was made), wait: seconds until the next call is possible.
    """

    entry: Entry | None = None
    refused: str = ""
    why: str = ""
    wait: int = 0
    invalid: bool = False
    internal: bool = False


@blueprint.post("/steps/<ref>/test")
@access("editor")
def test_result(ref: str) -> Response:
    """The result beside the form. 422: the form is not right, and comes along; 429: no call was made."""
    editor = submitted(ref)
    status = run(editor)
    assert editor.shown is not None
    if status == 422:
        return respond(fragment("testing/_test_answer.html", editor, form_too=True), 422)
    if status == 429:
        return respond(render_template("testing/_rate_limited.html", shown=editor.shown, editor=editor), 429)
    return respond(fragment("testing/_test_answer.html", editor, form_too=False), trigger={"step:tested": {}})


def run(editor: Editor) -> int:
    """Make the test and put its result, and what follows from it for the form, into the editor. Returns the status."""
    spec = stepform.parse(editor.form, draft=True)
    if spec is None:
        editor.shown = Shown(invalid=True)
        return 422
    call = _call(editor, spec)
    try:
        done = runs.run_step(editing.parts(), call)
    except ratelimit.RateLimited as error:
        editor.shown = _over_budget(error.budget)
        return 429
    except runs.TooManyInFlight:
        why = "As many calls as allowed at once are waiting for answers. Try again shortly."
        editor.shown = Shown(refused="Too Many Calls In Flight", why=why, wait=2)
        return 429
    except runs.InternalError:
        editor.shown = Shown(internal=True, why=runs.INTERNAL_MESSAGE)
        return 200
    _note(editor, done)
    return 200


def _over_budget(budget: ratelimit.Budget) -> Shown:
    why = f"{budget.limit} requests per minute per account."
    return Shown(refused="Rate Limit Exceeded", why=why, wait=max(1, budget.reset))


def _call(editor: Editor, spec: StepSpec) -> runs.Call:
    loaded = None
    accepted = editor.log(editor.form.accepted_log)
    structure = jsontext.loads(accepted.structure) if accepted is not None and accepted.structure else None
    if editor.row is not None:
        loaded = steps.load(editing.parts().parsed, editing.account_id(), step_id=editor.row.id)
        if loaded is not None and structure is not None:
            loaded = replace(loaded, structure=structure)
    peer = request.environ.get("gunicorn.socket")
    return runs.Call(
        tenant=editing.tenant(), source="test", spec=spec, attributes=editor.given, actor=current_user().email,
        request_id=request_id(), step=loaded, draft_id=editor.form.draft_id or None, structure=structure,
        hangup=None if peer is None else int(peer.fileno()),
    )  # fmt: skip


# ---------------------------------------------------------------- what follows from a test


def _note(editor: Editor, done: runs.Run) -> None:
    execution, form = done.execution, editor.form
    editor.marked_later()
    form.tested_log, form.sample = done.log_id, ""
    if execution.automatic is not None and not form.mapping_set:
        form.rules, form.mapping_set = stepform.rows_of(execution.automatic), True
    if execution.structure is not None and form.accepted_log is None and not _has_structure(editor):
        form.accepted_log = done.log_id
    if execution.drift:
        form.drift_log, form.drift_kept, form.before_remap = done.log_id, False, ""
    elif execution.structure is not None:
        form.drift_log = None
    if execution.has_document:
        editor.fresh = _document(done)
    editor.fill_samples()
    editor.shown = Shown(entry=entry_of_record(done.record, _log_of(editor, done), editor.now))


def _has_structure(editor: Editor) -> bool:
    return editor.state is not None and editor.state.structure is not None


def _document(done: runs.Run) -> Document:
    """The answer for tree and rows, masked. log_id None where the log keeps only a part of it."""
    execution, detail = done.execution, done.record.detail
    secrets = execution.request.secrets if execution.request else frozenset()
    answer = detail["response"] or {}
    failure = detail["failure"] or {}
    headers = tuple((name, value) for name, value in answer.get("headers", ()))
    call = CallFacts(answer.get("status"), failure.get("message"), round(execution.duration_ms), headers)
    return Document(record.masked_json(execution.document, secrets), call, None if answer.get("cut") else done.log_id)


def _log_of(editor: Editor, done: runs.Run) -> Log | None:
    return editor.log(done.log_id)


# ---------------------------------------------------------------- the alert of a failed test


@blueprint.post("/steps/<ref>/alert")
@access("editor")
def mail_status(ref: str) -> Response:
    """Send this alert now: the same hour as a bot's failure, the addresses as they are on the screen."""
    editor = submitted(ref)
    text, good = send_alert(editor)
    editor.marked_later()
    return respond(fragment("steps/_mail_status.html", editor), trigger=toast(text, "success" if good else "error"))


def send_alert(editor: Editor) -> tuple[str, bool]:
    """What came of it, as a sentence, and whether a mail is on its way."""
    log, spec = editor.log(editor.form.tested_log), stepform.parse(editor.form, draft=True)
    if editor.row is None:
        return "Save the step first: an alert belongs to a saved step.", False
    if spec is None or not spec.alert_emails:
        return "Enter at least one alert address first.", False
    if not editing.parts().alerts.on:
        return "Mail is off: the operator has not set a mail server.", False
    detail: dict[str, Json] = jsontext.loads(log.detail) if log is not None and log.detail else {}
    if not detail.get("failure"):
        return "The last test did not fail, so there is nothing to send.", False
    kept = Record(detail, None, None, None)
    if not _claim(editor, spec, kept):
        return "An alert was sent within the last hour. Press Reset Mail Timeout to send another one now.", False
    editing.parts().alerts.kick()
    count = len(spec.alert_emails)
    return f"The alert is on its way to {count} address{'' if count == 1 else 'es'}.", True


def _claim(editor: Editor, spec: StepSpec, kept: Record) -> bool:
    assert editor.row is not None
    base = editing.parts().base_url
    occasion = alerts.Occasion(
        step_id=editor.row.id, name=spec.name or editor.row.name, what=runs.failure_for_mail(kept),
        url=spec.request.url, method=spec.request.method, recipients=spec.alert_emails, at=time.time(),
        link=f"{base}/steps/{editor.row.id}" if base else "",
    )  # fmt: skip
    with writing() as connection:
        return alerts.claim(connection, occasion)


def context(**more: Any) -> dict[str, Any]:
    return more
