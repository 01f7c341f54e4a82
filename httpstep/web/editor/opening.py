"""Making the editor of a request: of the saved step, or of the form as it was sent."""

from __future__ import annotations

from flask import request

from httpstep.core.document import visible
from httpstep.storage import steps
from httpstep.storage.tables import Step
from httpstep.web import stepform
from httpstep.web.access import may
from httpstep.web.addressed import NEW, gone, is_gone, row_or_404
from httpstep.web.editor.editor import Editor, Saved
from httpstep.web.here import account_id


def step_or_404(ref: str, *, typed: bool = False) -> Step | None:
    """The account's step; None for "new". typed: its form was sent."""
    return row_or_404(ref, steps.get, "step", typed=typed)


def opened(ref: str) -> Editor:
    """The editor as it is opened: the saved step, with the rules a bot's call made where none were set."""
    row = step_or_404(ref)
    if row is None:
        return Editor(NEW, stepform.new_form())
    state = row.state
    form = stepform.of_spec(visible.step_for(steps.document_of(row), may_edit=may("editor")))
    form.version = row.version
    if not form.mapping_set and state.automatic is not None:
        form.rules, form.mapping_set = stepform.rows_of(steps.rules_of(state.automatic)), True
    return Editor(str(row.id), form, Saved.of(row), state)


def submitted_or_new(ref: str) -> Editor:
    """The editor with the form as it was sent. Where its step was deleted meanwhile, the form of a new one."""
    lost = is_gone(ref, steps.get)
    editor = submitted(NEW if lost else ref)
    editor.notice = gone("step", typed=True) if lost else ""
    return editor


def submitted(ref: str) -> Editor:
    """The editor with the form as it was sent. One that began as a new step's and was saved meanwhile is that step's."""
    row = step_or_404(ref, typed=True)
    form = stepform.read(request.form)
    if row is None and (row := steps.of_draft(account_id(), form.draft_id)) is not None:
        form.version = steps.UNSEEN
    if row is None and not form.draft_id:
        form.draft_id = stepform.new_form().draft_id
    saved = Saved.of(row) if row else None
    if not may("admin"):
        form.emails_kept = saved.step.spec.alert_emails if saved else ()
        form.alert_emails = request.form.get("alert_emails", ", ".join(form.emails_kept))
    return Editor(NEW if row is None else str(row.id), form, saved, row.state if row else None, typed=True)


def said_of_first(editor: Editor) -> str:
    """Of the first save: whether the bot gets something of the step, as far as a test has shown it."""
    if any(row.on and row.attribute for row in editor.form.rules):
        return "Saved. Your bot can use this step now."
    if editor.form.mapping_set:
        return "Saved. No value of the answer is ticked: your bot gets nothing."
    tested = "No test has succeeded yet" if editor.sources.logs else "Not tested yet"
    return f"Saved. {tested}: press Test to see what your bot gets."
