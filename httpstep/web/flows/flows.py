"""Flows: the list, and the editor of one: its steps in their order, when each runs, and a test of the whole.

POST /flows/<ref> is the plain form, whatever its button (`op`) asks for; the addresses below it are the same as fragments.
"""

from __future__ import annotations

import time

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from msgspec.structs import replace

from httpstep.core.document import flow
from httpstep.execution import calls, flows
from httpstep.execution.budget import ratelimit
from httpstep.storage import flows as stored
from httpstep.storage.tables import Flow
from httpstep.web import saving, stepform
from httpstep.web.access import access, current_user, may
from httpstep.web.addressed import NEW
from httpstep.web.callers import hangup
from httpstep.web.flows.flow_editor import (
    FlowEditor,
    FlowRow,
    flow_or_404,
    opened,
    submitted,
    submitted_or_new,
)
from httpstep.web.flows.flow_page import flow_list, fragments, page
from httpstep.web.forms import see_other
from httpstep.web.fragments import respond
from httpstep.web.here import account_id, parts, tenant
from httpstep.web.responses import request_id

blueprint = Blueprint("flows", __name__)


# ---------------------------------------------------------------- the list, and opening


@blueprint.get("/flows")
@access("viewer")
def list_flows() -> str:
    return render_template("flows/list.html", page=flow_list())


@blueprint.get("/flows/<ref>")
@access("viewer")
def edit(ref: str) -> ResponseReturnValue:
    if ref == NEW and not may("editor"):
        return see_other("flows.list_flows", "This needs the role editor.", "error")
    return page(opened(ref))


# ---------------------------------------------------------------- the form


@blueprint.post("/flows/<ref>")
@access("editor")
def submit(ref: str) -> ResponseReturnValue:
    """The plain form. `op` is the button that was pressed: "save" unless said otherwise."""
    try:
        return saving.plain_form(
            ref, submitted_or_new(ref), page=page, act=_act, save=_save,
            address=lambda saved: url_for("flows.edit", ref=saved.id),
        )  # fmt: skip
    except stored.Gone:
        return submit(ref)


def _act(editor: FlowEditor, op: str) -> int:
    if op == "test":
        return _run(editor)
    _rearrange(editor, op)
    return 200


@blueprint.post("/flows/<ref>/move")
@access("editor")
def move(ref: str) -> Response:
    """The form with its rows rearranged, not saved."""
    editor = submitted(ref)
    _rearrange(editor, request.form.get("op", ""))
    return respond(fragments(editor, "flows/_flow_form.html", beside=("flows/_flow_values.html",)))


@blueprint.post("/flows/<ref>/values")
@access("editor")
def flow_values(ref: str) -> Response:
    """The values for test that the steps on the screen need."""
    return respond(fragments(submitted(ref), "flows/_flow_values.html"))


@blueprint.get("/flows/<ref>/budget")
@access("viewer")
def flow_budget(ref: str) -> Response:
    return respond(fragments(opened(ref), "flows/_flow_budget.html"))


@blueprint.post("/flows/<ref>/test")
@access("editor")
def flow_result(ref: str) -> Response:
    """A real run of the flow as it is on the screen. 422: the form is not right, and comes along; 429: nothing ran."""
    editor = submitted(ref)
    status = _run(editor)
    beside = ("flows/_flow_form.html", "flows/_flow_budget.html") if status == 422 else ("flows/_flow_budget.html",)
    return respond(fragments(editor, "flows/_flow_result.html", beside=beside), status)


def _rearrange(editor: FlowEditor, op: str) -> None:
    """add, or remove:N, up:N and down:N of the row N."""
    word, _, number = op.partition(":")
    rows = editor.rows
    if word == "add" and len(rows) < flow.MAX_STEPS:
        rows.append(FlowRow())
    index = stepform.whole_number(number)
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
    flow_id, by = editor.saved.id if editor.saved else None, current_user().email

    def write(key: str, version: int | None) -> Flow:
        whole = replace(spec, key=key)
        return stored.save(account_id(), whole, by=by, now=time.time(), flow_id=flow_id, version=version)

    return saving.save(editor, stored, spec.key, write, "flow")


def _run(editor: FlowEditor) -> int:
    """Run the flow as typed and put its answer, or why there is none, into the editor."""
    editor.tested = True
    spec = editor.read_spec(draft=True)
    if spec is None:
        return 422
    call = flows.FlowCall(
        tenant=tenant(), source="test", spec=replace(spec, key=spec.key or "draft"), attributes=editor.given,
        actor=current_user().email, request_id=request_id(), hangup=hangup(request),
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
    g.call_is_made = True
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
