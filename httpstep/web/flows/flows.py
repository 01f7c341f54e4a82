"""Flows: the list, and the editor of one: its steps in their order, when each runs, and a test of the whole.

POST /flows/<ref> is the plain form, whatever its button (`op`) asks for; the addresses below it are the same as fragments.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from httpstep.core.document import flow
from httpstep.core.documentreader import Fault
from httpstep.core.step.spec import OPERATORS
from httpstep.execution import calls, flows, ratelimit
from httpstep.storage import flows as stored
from httpstep.storage import steps
from httpstep.storage.tables import Flow
from httpstep.web import stepform
from httpstep.web.access import access, current_user, may
from httpstep.web.addressed import NEW
from httpstep.web.callers import hangup
from httpstep.web.editor.entries import LABELS, tone
from httpstep.web.faults import call_is_made
from httpstep.web.flows.flow_editor import (
    ALWAYS,
    FlowEditor,
    Row,
    flow_or_404,
    opened,
    submitted,
    submitted_or_new,
)
from httpstep.web.fragments import respond
from httpstep.web.here import account_id, parts, tenant
from httpstep.web.responses import request_id

blueprint = Blueprint("flows", __name__)

WHEN: Final = ((ALWAYS, "always"), *((operator, f"if … {label}") for operator, label in OPERATORS.items()))


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {
        "flow_when": WHEN,
        "flow_label": lambda outcome: LABELS.get(outcome, "Left out"),
        "flow_tone": lambda one: tone(one["http"]["status"], one["outcome"]),
    }


# ---------------------------------------------------------------- the list, and opening


def _page(editor: FlowEditor, status: int = 200) -> tuple[str, int]:
    return render_template("flows/flow.html", editor=editor), status


@blueprint.get("/flows")
@access("viewer")
def list_flows() -> str:
    rows = stored.listed(account_id())
    names = {step.id: step.name for step in steps.listed(account_id())}
    shown = [(row, [names.get(place.step_id, "(deleted)") for place in stored.spec_of(row).places]) for row in rows]
    return render_template("flows/list.html", flows=shown, has_steps=bool(names))


@blueprint.get("/flows/<ref>")
@access("viewer")
def edit(ref: str) -> ResponseReturnValue:
    if ref == NEW and not may("editor"):
        flash("This needs the role editor.", "error")
        return redirect(url_for("flows.list_flows"), 303)
    return _page(opened(ref))


# ---------------------------------------------------------------- the form


@blueprint.post("/flows/<ref>")
@access("editor")
def submit(ref: str) -> ResponseReturnValue:
    """The plain form. `op` is the button that was pressed: "save" unless said otherwise."""
    editor = submitted_or_new(ref)
    if editor.is_new and ref != NEW:
        return _page(editor, 404)
    op = request.form.get("op", "save")
    if op == "test":
        return _page(editor, _run(editor))
    if op != "save":
        _rearrange(editor, op)
        return _page(editor)
    try:
        status, saved = _save(editor)
    except stored.Gone:
        return submit(ref)
    if saved is None:
        return _page(editor, status)
    flash("Saved.", "success")
    return redirect(url_for("flows.edit", ref=saved.id), 303)


@blueprint.post("/flows/<ref>/move")
@access("editor")
def move(ref: str) -> Response:
    """The form with its rows rearranged, not saved."""
    editor = submitted(ref)
    _rearrange(editor, request.form.get("op", ""))
    values = render_template("flows/_flow_values.html", editor=editor, oob=True)
    return respond(render_template("flows/_flow_form.html", editor=editor) + values)


@blueprint.post("/flows/<ref>/values")
@access("editor")
def flow_values(ref: str) -> Response:
    """The values for test that the steps on the screen need."""
    return respond(render_template("flows/_flow_values.html", editor=submitted(ref)))


@blueprint.get("/flows/<ref>/budget")
@access("viewer")
def flow_budget(ref: str) -> Response:
    return respond(render_template("flows/_flow_budget.html", editor=opened(ref)))


@blueprint.post("/flows/<ref>/test")
@access("editor")
def flow_result(ref: str) -> Response:
    """A real run of the flow as it is on the screen. 422: the form is not right, and comes along; 429: nothing ran."""
    editor = submitted(ref)
    status = _run(editor)
    html = render_template("flows/_flow_result.html", editor=editor)
    if status == 422:
        html += render_template("flows/_flow_form.html", editor=editor, oob=True)
    return respond(html + render_template("flows/_flow_budget.html", editor=editor, oob=True), status)


def _rearrange(editor: FlowEditor, op: str) -> None:
    """add, or remove:N, up:N and down:N of the row N."""
    word, _, number = op.partition(":")
    rows = editor.rows
    if word == "add" and len(rows) < flow.MAX_STEPS:
        rows.append(Row())
    index = stepform.whole(number)
    if index is None or index >= len(rows):
        return
    if word == "remove":
        del rows[index]
    to = {"up": index - 1, "down": index + 1}.get(word, -1)
    if 0 <= to < len(rows):
        rows[index], rows[to] = rows[to], rows[index]


def _save(editor: FlowEditor) -> tuple[int, Flow | None]:
    spec = editor.read_spec()
    if spec is None:
        return 422, None
    if editor.row is not None and not spec.key:
        spec = replace(spec, key=editor.row.key)
    version = None if request.form.get("overwrite") == "1" else editor.version
    flow_id = None if editor.row is None else editor.row.id
    try:
        return 200, stored.save(
            account_id(), spec, by=current_user().email, now=time.time(), flow_id=flow_id, version=version
        )
    except stored.Conflict as error:
        editor.row, editor.conflict = error.row, True
        return 409, None
    except stored.KeyTaken:
        editor.note([Fault("key", f"Another flow has the key “{spec.key}”. Choose another one.")])
        return 422, None


def _run(editor: FlowEditor) -> int:
    """Run the flow as typed and put its answer, or why there is none, into the editor."""
    editor.tested = True
    spec = editor.read_spec(draft=True)
    if spec is None:
        return 422
    call = flows.FlowCall(
        tenant=tenant(), source="test", spec=replace(spec, key=spec.key or "draft"), attributes=editor.given,
        actor=current_user().email, request_id=request_id(), hangup=hangup(),
        fallback=flows.fallback_of(parts(), account_id(), spec),
    )  # fmt: skip
    try:
        editor.answer = flows.run_flow(parts(), call)
    except ratelimit.RateLimited as error:
        editor.refused, editor.wait = "Rate Limit Exceeded", max(1, error.budget.reset)
        return 429
    except calls.TooManyInFlight:
        editor.refused, editor.wait = "Too Many Calls In Flight", 2
        return 429
    call_is_made()
    return 200


@blueprint.post("/flows/<ref>/delete")
@access("editor")
def delete(ref: str) -> ResponseReturnValue:
    row = flow_or_404(ref)
    if row is not None:
        name = row.name
        stored.remove(account_id(), row.id)
        flash(f"“{name}” is deleted. Its steps stay.", "success")
    return redirect(url_for("flows.list_flows"), 303)
