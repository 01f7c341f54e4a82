"""Test: a real call with the form as it is on the screen, saved or not; and what is shown of it."""

from __future__ import annotations

import math
import time

from flask import Blueprint, Response, current_app, g, request
from msgspec.structs import replace
from werkzeug.exceptions import HTTPException

from httpstep.alerts import alerts, mailserver
from httpstep.core import jsontext
from httpstep.core.errors import place_of
from httpstep.core.jsontext import Json
from httpstep.core.outcome import record
from httpstep.core.step.execution import Execution
from httpstep.core.step.spec import FALLBACKS, MappingRule, StepSpec
from httpstep.execution import (
    calls,
    recording,
    runs,
)
from httpstep.execution.budget import ratelimit
from httpstep.storage.database import end_transaction, is_unavailable, writing
from httpstep.web import stepform
from httpstep.web.access import access, current_user, may
from httpstep.web.callers import hangup
from httpstep.web.editor import documents
from httpstep.web.editor.documents import AnswerDocument
from httpstep.web.editor.editor import Editor, Shown
from httpstep.web.editor.entries import ended, entry_of
from httpstep.web.editor.mailstatus import mail_is_off
from httpstep.web.editor.opening import submitted
from httpstep.web.editor.page import fragments
from httpstep.web.faults import is_call_made, own_fault, reason_in_log
from httpstep.web.fragments import respond
from httpstep.web.here import account_id, parts, tenant
from httpstep.web.moves import Done
from httpstep.web.responses import request_id
from httpstep.web.step import previews

blueprint = Blueprint("testing", __name__)


@blueprint.post("/steps/<ref>/test")
@access("editor")
def test_result(ref: str) -> Response:
    """The result beside the form. 422: the form is not right, and comes along, or a value for test is lacking, and is
    marked; 429: no call was made. The result before it stays then.

    again: the log whose values are used in the place of those on the screen, which then shows them.
    """
    editor = submitted(ref)
    again = editor.log(stepform.whole_number(request.form.get("again", "")))
    if again is not None:
        editor.repeat(again)
    status = run(editor)
    try:
        return _answer(editor, status, again is not None)
    except Exception as error:
        _require_bug_after_call(error)
        editor.shown = Shown(why=_not_shown())
        return respond(fragments(editor, "testing/_test_result.html"))


def _answer(editor: Editor, status: int, again: bool) -> Response:
    if editor.shown is not None and editor.shown.empty:
        return respond(fragments(editor, "testing/_test_values.html"), status, retarget="#test-values")
    if editor.shown is not None and editor.shown.invalid:
        html = fragments(editor, "testing/_rate_limited.html", beside=_BESIDE[status])
        return respond(html, status, retarget="#rate-limited")
    beside = _BESIDE[status] + (("testing/_test_values.html",) if again else ())
    if status == 429:
        html = fragments(editor, "testing/_rate_limited.html", beside=beside)
        return respond(html, status, retarget="#rate-limited")
    return respond(fragments(editor, "testing/_test_result.html", beside=beside), status)


_BESIDE = {
    200: (
        "mapping/_mapping.html",
        "drift/_drift_banner.html",
        "logs/_logs.html",
        "testing/_budget.html",
        "steps/_mail_status.html",
    ),
    422: ("steps/_step_form.html",),
    429: ("testing/_budget.html",),
}
"""What else of the page an answer brings up to date."""


def run(editor: Editor) -> int:
    """Make the test and put its result, and what follows from it for the form, into the editor. Returns the status."""
    spec = stepform.parse(editor.form, draft=True)
    if spec is None:
        editor.shown = Shown(invalid=True)
        return 422
    empty = () if request.form.get("again") else previews.values_lacking(editor, spec)
    if empty:
        editor.shown = Shown(empty=empty)
        return 422
    call = _call(editor, spec)
    try:
        done = runs.run_step(parts(), call)
    except ratelimit.RateLimited as error:
        editor.shown = _over_budget(error.budget)
        return 429
    except calls.TooManyInFlight:
        why = "As many calls as allowed at once are waiting for answers. Try again shortly."
        editor.shown = Shown(refused="Too Many Calls In Flight", why=why, wait=2)
        return 429
    except calls.InternalError as error:
        g.call_is_made = True
        editor.renew()
        does = FALLBACKS[error.answer["next"]]
        editor.shown = Shown(why=f"{own_fault()} In a live call your bot would do this: {does}.")
        return 200
    g.call_is_made = True
    try:
        _note(editor, done)
    except Exception as error:
        _require_bug_after_call(error)
        editor.shown = Shown(why=_not_shown())
    return 200


def _not_shown() -> str:
    failed = "The call was made, but httpstep itself failed as it was about to show the result."
    return f"{failed} Look at the logs of this step. {reason_in_log()}"


def _require_bug_after_call(error: Exception) -> None:
    """Tell the application's log of a fault of our own after the call. Raises every other error again: what refuses,
    and storage that is away, have words of their own."""
    if isinstance(error, HTTPException) or not is_call_made() or is_unavailable(error):
        raise error
    current_app.logger.error("%s failed, request %s\n%s", request.path, request_id(), place_of(error))


@blueprint.post("/steps/<ref>/budget")
@access("editor")
def budget(ref: str) -> Response:
    """What one press on Test uses of the budget, by the form as it is now."""
    return respond(fragments(submitted(ref), "testing/_budget.html"))


def _over_budget(budget: ratelimit.Budget) -> Shown:
    why = f"{budget.limit} requests per minute per account."
    return Shown(refused="Rate Limit Exceeded", why=why, wait=max(1, budget.reset))


def _call(editor: Editor, spec: StepSpec) -> calls.Call:
    loaded = editor.saved.step if editor.saved else None
    structure = editor.accepted.structure if editor.accepted is not None else None
    return calls.Call(
        tenant=tenant(), source="test", spec=spec, attributes=editor.given, actor=current_user().email,
        request_id=request_id(), step=loaded, draft_id=editor.form.draft_id or None, structure=structure,
        hangup=hangup(request), account=parts().accounts.get(account_id()),
    )  # fmt: skip


# ---------------------------------------------------------------- what follows from a test


def _note(editor: Editor, done: calls.Run) -> None:
    execution, form = done.execution, editor.form
    form.tested_log, form.sample = done.log_id, ""
    editor.renew()
    if done.budget is not None:
        editor.sources.budget = done.budget
    if execution.automatic is not None and not form.mapping_set:
        form.rules, form.mapping_set = stepform.rows_of(_without_secrets(execution)), True
    if execution.structure is not None and form.accepted_log is None and not _has_structure(editor):
        form.accepted_log = done.log_id
    if execution.drift:
        form.drift_log, form.drift_kept, form.before_remap = done.log_id, False, ""
    elif execution.structure is not None:
        form.drift_log = None
    if execution.has_document:
        editor.fresh = _document(done)
    log = editor.log(done.log_id)
    lost = f"The call was made, but its record could not be kept. {reason_in_log()}"
    editor.shown = Shown(why=lost) if log is None else Shown(entry=entry_of(log, editor.now, may_edit=True))


def _without_secrets(execution: Execution) -> list[MappingRule]:
    """The automatic rules but those whose path repeats a secret that was sent."""
    return [
        rule
        for rule in execution.automatic or ()
        if rule.path is None or record.masked_json(list(rule.path), execution.secrets) == list(rule.path)
    ]


def _has_structure(editor: Editor) -> bool:
    return editor.state is not None and editor.state.structure is not None


def _document(done: calls.Run) -> AnswerDocument:
    """The answer for tree and rows, masked."""
    execution, detail = done.execution, done.record.detail
    cut = bool((detail["response"] or {}).get("cut"))
    facts = documents.facts_of(detail, round(execution.duration_ms))
    return AnswerDocument(
        record.masked_json(execution.document, execution.secrets), facts, None if cut else done.log_id, cut=cut
    )


# ---------------------------------------------------------------- the alert of a failed test


def send_alert_now(editor: Editor, _: str) -> Done:
    """Send this alert now: the same hour as a bot's failure, the addresses as they are on the screen."""
    editor.notice, good = send_alert(editor)
    editor.renew()
    return Done(said=editor.notice, good=good)


def reset_mail(editor: Editor, _: str) -> Done:
    """Reset Mail Timeout."""
    if editor.step_id is not None:
        alerts.reset(editor.step_id)
        editor.mail_reset = True
        editor.renew()
    return Done(said="Next alert can be sent at once.")


def send_alert(editor: Editor) -> tuple[str, bool]:
    """What came of it, as a sentence, and whether the mail was taken or is on its way."""
    log, spec = editor.log(editor.form.tested_log), stepform.parse(editor.form, draft=True)
    if editor.saved is None:
        return "Save the step first: an alert belongs to a saved step.", False
    if spec is None:
        return f"Nothing was sent, because the form is not right: {next(iter(editor.form.faults.values()))}", False
    if not spec.alert_emails:
        first = "Enter at least one alert address first."
        return first if may("admin") else "An admin of your account has to enter an alert address first.", False
    if not parts().alerts.on:
        return mail_is_off(), False
    detail: dict[str, Json] = jsontext.read_back(log.detail) if log is not None and log.detail else {}
    if not detail.get("failure"):
        return "The last test did not fail, so there is nothing to send.", False
    occasion = recording.occasion_of(
        parts(), editor.saved.step.id, replace(spec, name=spec.name or editor.saved.step.spec.name), detail
    )
    return _sent_now(occasion)


def _sent_now(occasion: alerts.Occasion) -> tuple[str, bool]:
    """Claim the hour, or take the mail that waits; send, and wait for what comes of it: somebody looks on."""
    with writing() as connection:
        claimed = alerts.claim(connection, occasion) or alerts.hurry(connection, occasion.step_id, occasion.at)
    end_transaction()
    if claimed:
        parts().alerts.kick()
        parts().alerts.finish(mailserver.SECONDS + 1)
    waiting = alerts.undelivered(occasion.step_id)
    if waiting is not None and waiting.why:
        return f"The alert is not delivered yet: {ended(waiting.why)} {_again(waiting, time.time())}", False
    if not claimed:
        return "An alert was sent within the last hour. Press Reset Mail Timeout to send another one now.", False
    to = f"{len(occasion.recipients)} address{'' if len(occasion.recipients) == 1 else 'es'}"
    return f"The mail server took the alert for {to}." if waiting is None else f"The alert is on its way to {to}.", True


def _again(waiting: alerts.Undelivered, now: float) -> str:
    minutes = math.ceil((waiting.again - now) / 60)
    if minutes <= 0:
        return "It is tried again with the next call."
    return f"It is tried again in {minutes} minute{'' if minutes == 1 else 's'}."
