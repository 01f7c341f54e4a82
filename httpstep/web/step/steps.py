"""The list of steps and the step editor: open, save, copy, delete, export, and the parts of the form that are redrawn.

POST /steps/<ref> is the plain form, whatever its button (`op`) asks for, and answers with the page or a redirect.
"""

from __future__ import annotations

import time
from typing import Final, cast

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    get_flashed_messages,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from msgspec.structs import replace
from sqlalchemy import Connection

from httpstep.core import jsontext
from httpstep.core.jsontext import Json
from httpstep.core.query.jsonpath import source_in_words
from httpstep.core.step.naming import MAX_NAME_CHARACTERS
from httpstep.storage import deleting, logs, steps
from httpstep.storage.database import end_transaction
from httpstep.storage.tables import Step
from httpstep.web import saving, stepform
from httpstep.web.access import access, current_user, may
from httpstep.web.addressed import NEW, gone
from httpstep.web.api.manage import exported
from httpstep.web.editor.acceptance import Accepted
from httpstep.web.editor.editor import Editor
from httpstep.web.editor.entries import duration_text, ended, size_text
from httpstep.web.editor.opening import opened, said_of_first, step_or_404, submitted, submitted_or_new
from httpstep.web.editor.page import fragments, page
from httpstep.web.editor.tree import short_text
from httpstep.web.forms import see_other
from httpstep.web.fragments import respond, toast
from httpstep.web.here import account_id
from httpstep.web.step import keepsecrets, step_list, step_moves, testing
from httpstep.web.step.places import anchor, place_words
from httpstep.web.stepform.words import STEP_WORDS

blueprint = Blueprint("steps", __name__)
blueprint.add_app_template_filter(anchor, "anchor")
blueprint.add_app_template_filter(place_words, "place_words")
blueprint.add_app_template_filter(source_in_words, "in_words")
blueprint.add_app_template_filter(short_text, "short_json")
blueprint.add_app_template_filter(duration_text, "duration")
blueprint.add_app_template_filter(size_text, "size")
blueprint.add_app_template_filter(ended, "ended")


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {"step_words": STEP_WORDS, "list_words": {"show": step_list.SHOW, "sort": step_list.SORT}}


_UNDO: Final = "undo"
_CHECKLIST: Final = "checklist"


# ---------------------------------------------------------------- the list


@blueprint.get("/steps")
@access("viewer")
def list_steps() -> str:
    undo = session.pop(_UNDO, ())
    page = step_list.gather(account_id(), request.args, may_edit=may("editor"))
    started = () if session.get(_CHECKLIST) else step_list.getting_started(account_id())
    refused = step_list.refused_lately(current_user().account)
    return render_template("steps/list.html", list=page, undo=undo, started=started, refused=refused)


@blueprint.get("/steps/list")
@access("viewer")
def list_part() -> Response:
    """The table alone, while somebody types into the search, filters or sorts."""
    page = step_list.gather(account_id(), request.args, may_edit=may("editor"))
    return respond(render_template("steps/_step_list.html", list=page))


@blueprint.post("/step-list/checklist")
@access("viewer")
def hide_checklist() -> ResponseReturnValue:
    """The first steps are not shown again in this browser."""
    session[_CHECKLIST] = "hidden"
    return redirect(url_for("steps.list_steps"), 303)


@blueprint.post("/step-list/chosen")
@access("viewer")
def chosen() -> ResponseReturnValue:
    """What the list does with the ticked steps: `op` is export or delete."""
    ids = _ticked()
    if request.form.get("op") == "delete" and ids:
        return _deleted(ids)
    rows = [row.id for row in steps.listed(account_id()) if row.id in ids]
    found = [exported(number, account_id(), may_edit=may("editor")) for number in rows]
    if not found:
        return see_other("steps.list_steps", "Tick the steps first.", "info")
    return _as_file("steps", found)


def _ticked() -> list[int]:
    return [number for number in map(stepform.whole_number, request.form.getlist("step")) if number is not None]


@blueprint.post("/step-list/undo")
@access("editor")
def undo() -> ResponseReturnValue:
    """Bring back what was deleted with the last press."""
    back = deleting.bring_back(account_id(), _ticked(), time.time())
    for row, same in back:
        flash(f"“{row.name}” is back." if same else f"“{row.name}” is back with the key {row.key}.", "success")
    if not back:
        flash("These steps are gone: an hour has passed.", "error")
    return redirect(url_for("steps.list_steps"), 303)


# ---------------------------------------------------------------- opening and saving


@blueprint.get("/steps/<ref>")
@access("viewer")
def edit(ref: str) -> ResponseReturnValue:
    if ref == NEW and not may("editor"):
        return see_other(
            "steps.list_steps", f"Making a step needs the role editor; yours is {current_user().role}.", "info"
        )
    editor = opened(ref)
    again = editor.log(stepform.whole_number(request.args.get("again", "")))
    if again is not None and again.detail:
        editor.repeat(again)
        editor.again = may("editor")
    return page(editor)


@blueprint.post("/steps/<ref>")
@access("editor")
def submit(ref: str) -> ResponseReturnValue:
    """The plain form. `op` is the button that was pressed: "save" unless said otherwise."""
    try:
        return saving.plain_form(
            ref, submitted_or_new(ref), page=page, save=save, address=lambda saved: url_for("steps.edit", ref=saved.id),
            act=lambda editor, op: testing.run(editor) if op == "test" else step_moves.make(editor, op).status,
        )  # fmt: skip
    except steps.Gone:
        return submit(ref)


@blueprint.post("/steps/<ref>/save")
@access("editor")
def step_form(ref: str) -> Response:
    """Save as a fragment. 200: what saving changed, and the form stays as it is; 422: the form with its faults; 409: the
    form and who changed the step."""
    editor = submitted(ref)
    try:
        status, saved = save(editor)
    except steps.Gone:
        abort(404, gone("step", typed=True))
    if saved is None:
        return respond(fragments(editor, "steps/_step_form.html"), status)
    return _saved(editor, saved.id)


def _saved(editor: Editor, step_id: int) -> Response:
    """The answer of a good Save: the title, the fields that saving changed, and beside the form the parts it changed.
    With the first save of a draft the page becomes that of the step, at its address."""
    sent, touched = editor.form, editor.accepted or editor.settled or editor.form.drift_log or editor.form.drift_kept
    end_transaction()
    after, first = opened(str(step_id)), bool(sent.draft_id)
    changed = stepform.changes(sent, after.form)
    after.form.values, after.form.tested_log, after.form.sample = sent.values, sent.tested_log, sent.sample
    renamed = after.saved_key != editor.saved_key
    parts = {
        "drift/_drift_banner.html": touched, "mapping/_structures.html": touched, "steps/_usage.html": renamed or first,
        "steps/_more.html": first, "steps/_mail_status.html": first, "logs/_logs.html": first,
    }  # fmt: skip
    beside = tuple(template for template, differs in parts.items() if differs)
    address = url_for("steps.edit", ref=after.ref)
    noted = cast(list[str], get_flashed_messages())
    said = " ".join([said_of_first(after) if first and not noted else "Saved.", *noted])
    trigger = {"step:saved": {"title": after.form.name, "changed": changed, "address": address}}
    trigger |= toast(said, stays=bool(noted))
    return respond(fragments(after, beside=beside), trigger=trigger, stays=True)


def save(editor: Editor) -> tuple[int, Step | None]:
    """(status, the saved step or None). What is wrong stands in the editor then, and the form is as it was typed."""
    spec = stepform.parse(editor.form)
    if spec is None:
        return 422, None
    by, accepted = current_user().email, editor.accepted or editor.settled
    kept = keepsecrets.StepWithSecrets(spec) if editor.version else keepsecrets.with_secrets(spec)

    def beside(connection: Connection, saved: Step) -> None:
        _keep_tests(connection, editor, saved, accepted)
        kept.store()

    def write(key: str, version: int | None) -> Step:
        whole, now = replace(kept.spec, key=key), time.time()
        return steps.save(
            account_id(), whole, by=by, now=now, step_id=editor.step_id, version=version,
            draft_id=editor.form.draft_id, beside=beside,
        )  # fmt: skip

    status, saved = saving.save(editor, steps, spec.key, write, "step")
    if saved is not None:
        for sentence in kept.said:
            flash(sentence, "info")
    return status, saved


def _keep_tests(connection: Connection, editor: Editor, saved: Step, accepted: Accepted | None) -> None:
    """The draft's tests become the step's, and what the form accepts becomes the accepted structure."""
    if editor.form.draft_id:
        logs.adopt(connection, account_id(), editor.form.draft_id, saved.id)
    if accepted is not None:
        text = jsontext.dumps_text(accepted.structure)
        by, now = saved.updated_by, saved.updated_at
        steps.accept_structure(connection, saved.id, text, accepted.sample, by=by, now=now)


# ---------------------------------------------------------------- the whole step


@blueprint.post("/steps/<ref>/duplicate")
@access("editor")
def duplicate(ref: str) -> ResponseReturnValue:
    """A copy under a new name and key, opened at once."""
    row = step_or_404(ref)
    if row is None:
        return redirect(url_for("steps.list_steps"), 303)
    spec = steps.document_of(row)
    name = f"{spec.name[: MAX_NAME_CHARACTERS - 7]} (copy)"
    copy = steps.save(account_id(), replace(spec, key="", name=name), by=current_user().email, now=time.time())
    return see_other("steps.edit", f"This is a copy of “{spec.name}”.", ref=copy.id)


@blueprint.post("/steps/<ref>/switch")
@access("editor")
def switch(ref: str) -> ResponseReturnValue:
    """Switch the saved step on or off, as `op` says: a save like any other, which an open form of it meets as a conflict."""
    row, on = step_or_404(ref), request.form.get("op") == "on"
    if row is None or (spec := steps.document_of(row)).enabled == on:
        return redirect(url_for("steps.list_steps"), 303)
    new, by = replace(spec, enabled=on), current_user().email
    try:
        steps.save(account_id(), new, by=by, now=time.time(), step_id=row.id, version=row.version)
    except (steps.Conflict, steps.Gone):
        return see_other("steps.list_steps", f"“{spec.name}” was changed just now. Look, and press again.", "error")
    told = "on." if on else "off: no call is made, and your bot gets what is set for a call that fails."
    return see_other("steps.list_steps", f"“{spec.name}” is switched {told}")


@blueprint.post("/steps/<ref>/delete")
@access("editor")
def delete(ref: str) -> ResponseReturnValue:
    """Delete the step; the list's next page offers to undo it."""
    row = step_or_404(ref)
    return redirect(url_for("steps.list_steps"), 303) if row is None else _deleted([row.id])


def _deleted(ids: list[int]) -> ResponseReturnValue:
    if not may("editor"):
        abort(403)
    try:
        gone_now = deleting.set_aside(account_id(), ids, time.time())
    except deleting.InUse as error:
        flash(str(error), "error")
        back = url_for("steps.list_steps") if len(ids) > 1 else url_for("steps.edit", ref=ids[0])
        return redirect(back, 303)
    session[_UNDO] = [(row.id, row.name) for row in gone_now]
    return redirect(url_for("steps.list_steps"), 303)


@blueprint.get("/steps/<ref>/export")
@access("viewer")
def export(ref: str) -> ResponseReturnValue:
    """The step document as a file. Secrets stand in it as {{secret.NAME}} only; whoever may not edit the step gets the
    credentials typed into it masked, as on its page."""
    row = step_or_404(ref)
    if row is None:
        return redirect(url_for("steps.list_steps"), 303)
    return _as_file(row.key, exported(row.id, account_id(), may_edit=may("editor")))


def _as_file(name: str, document: Json) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
    return Response(jsontext.pretty(document) + "\n", headers=headers, content_type="application/json")
