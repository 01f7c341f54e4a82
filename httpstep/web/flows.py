"""Flows: the list, and the editor of one: its steps in their order, when each runs, and a test of the whole.

POST /flows/<ref> is the plain form, whatever its button (`op`) asks for; the addresses below it are the same as fragments.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, cast

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from httpstep import flows, ratelimit, runs, stepform
from httpstep.core import flow, jsontext
from httpstep.core.documentreader import Fault
from httpstep.core.flow import Condition, FlowSpec, Place
from httpstep.core.model import Json, StepSpec
from httpstep.core.rendering import attributes_used
from httpstep.models import flows as stored
from httpstep.models import logs, overview, steps
from httpstep.models.tables import Flow
from httpstep.web.access import access, current_user, may
from httpstep.web.callers import hangup
from httpstep.web.editor import NEW, account_id, base_url, parts, tenant
from httpstep.web.entries import LABELS, tone
from httpstep.web.fragments import respond
from httpstep.web.responses import request_id
from httpstep.web.shellcommand import Usage, usage

blueprint = Blueprint("flows", __name__)

ALWAYS: Final = ""
WHEN: Final = (
    (ALWAYS, "always"), ("is", "if … is"), ("is_not", "if … is not"), ("contains", "if … contains"),
    ("above", "if … is above"), ("below", "if … is below"), ("there", "if … is there"), ("not_there", "if … is not there"),
)  # fmt: skip


@dataclass
class Row:
    """A place in the flow as typed."""

    step: str = ""
    when: str = ALWAYS
    attribute: str = ""
    value: str = ""


@dataclass
class FlowEditor:
    """The form as it is on the screen. row: as saved, None for a new flow. answer: of the test; refused: why there is none."""

    ref: str
    name: str = ""
    key: str = ""
    version: int | None = None
    rows: list[Row] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    row: Flow | None = None
    faults: dict[str, str] = field(default_factory=dict)
    conflict: bool = False
    answer: dict[str, Json] | None = None
    refused: str = ""
    wait: int = 0

    @property
    def is_new(self) -> bool:
        return self.ref == NEW

    @property
    def can_edit(self) -> bool:
        return may("editor")

    @cached_property
    def steps(self) -> dict[int, StepSpec]:
        """The account's steps by id, in the order of their names; with the mapping in force."""
        listed = steps.listed(account_id())
        found = {}
        for one in listed:
            loaded = steps.load(parts().parsed, account_id(), step_id=one.id)
            if loaded is not None:
                found[one.id] = loaded.spec
        return found

    def spec(self) -> FlowSpec:
        """What the form describes; rows without a step are noted in `faults`."""
        places = []
        for index, row in enumerate(self.rows):
            step_id = int(row.step) if row.step.isascii() and row.step.isdigit() and len(row.step) < 16 else 0
            if step_id not in self.steps:
                self.note([Fault(f"places[{index}].step", "Choose a step.")])
            test = cast(Any, row.when) if row.when in flow.TESTS else None
            when = None if test is None else Condition(row.attribute.strip(), test, row.value)
            places.append(Place(step_id, when))
        return FlowSpec(self.key.strip(), self.name.strip(), tuple(places))

    def note(self, faults: list[Fault]) -> None:
        for fault in faults:
            self.faults.setdefault(fault.place, fault.message)

    def read_spec(self, *, draft: bool = False) -> FlowSpec | None:
        """The flow, None where it is not right. draft: for a test, which needs no name."""
        self.faults = {}
        spec = self.spec()
        self.note(flow.check(replace(spec, name=spec.name or "A draft") if draft else spec))
        return None if self.faults else spec

    @property
    def asked(self) -> list[str]:
        """The attributes the bot has to send: what a step or a condition reads and no step before it gives."""
        given: set[str] = set()
        asked: dict[str, None] = {}
        for place in self.spec().places:
            spec = self.steps.get(place.step_id)
            reads = [place.when.attribute] if place.when else []
            reads += attributes_used(spec) if spec else []
            asked |= {name: None for name in reads if name and not _is_given(name, given)}
            given |= {rule.attribute for rule in (spec.mapping or () if spec else ()) if rule.on}
        return list(asked)

    @cached_property
    def names(self) -> overview.Names:
        return overview.names_for(account_id(), None)

    @property
    def test_values(self) -> dict[str, str]:
        """What is typed for each, else the sample."""
        samples = {name: stepform.typed_text(jsontext.loads(text)) for name, text in self.names.samples.items() if text}
        return {name: self.values.get(name, samples.get(name, "")) for name in self.asked}

    @property
    def given(self) -> dict[str, Json]:
        return {name: stepform.typed_value(text) for name, text in self.test_values.items() if text.strip()}

    @property
    def gives(self) -> dict[str, Json]:
        """The attributes of the test, masked, as the steps' logs have them."""
        found: dict[str, Json] = {}
        for one in self.answer["steps"] if self.answer else []:
            log = logs.get(account_id(), int(one["log_id"])) if one["log_id"] else None
            found |= jsontext.loads(log.detail).get("attributes", {}) if log is not None and log.detail else {}
        return found

    @property
    def budget(self) -> ratelimit.Budget:
        return ratelimit.budget_of(account_id(), current_user().account.per_minute)

    @property
    def usage(self) -> Usage | None:
        return None if self.row is None else usage(base_url(), self.row.key, self.given, part="flows")


def _is_given(name: str, given: set[str]) -> bool:
    pieces = name.split(".")
    return any(".".join(pieces[:length]) in given for length in range(1, len(pieces) + 1))


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {
        "flow_when": WHEN,
        "flow_label": lambda outcome: LABELS.get(outcome, "Left out"),
        "flow_tone": lambda one: tone(one["http"]["status"], one["outcome"]),
        "flow_without_value": flow.WITHOUT_VALUE,
    }


# ---------------------------------------------------------------- opening


def _row_or_404(ref: str) -> Flow | None:
    if ref == NEW:
        return None
    row = stored.get(account_id(), int(ref)) if ref.isascii() and ref.isdigit() and len(ref) < 16 else None
    return row if row is not None else abort(404)


def _opened(ref: str) -> FlowEditor:
    row = _row_or_404(ref)
    if row is None:
        return FlowEditor(NEW, rows=[Row(), Row()])
    spec = stored.spec_of(row)
    rows = [
        Row(str(one.step_id), one.when.test, one.when.attribute, one.when.value) if one.when else Row(str(one.step_id))
        for one in spec.places
    ]
    return FlowEditor(str(row.id), row.name, row.key, row.version, rows, row=row)


def _submitted(ref: str) -> FlowEditor:
    row, sent = _row_or_404(ref), request.form
    columns = [sent.getlist(name) for name in ("step", "when", "attribute", "value")]
    rows = [Row(*one) for one in zip(*columns, strict=False)][: 2 * flow.MOST_STEPS]
    values = {name.removeprefix("value:"): sent[name] for name in sent if name.startswith("value:")}
    version = sent.get("version", "")
    return FlowEditor(
        NEW if row is None else str(row.id), sent.get("name", ""), sent.get("key", ""),
        int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None, rows, values, row,
    )  # fmt: skip


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
    return _page(_opened(ref))


# ---------------------------------------------------------------- the form


@blueprint.post("/flows/<ref>")
@access("editor")
def submit(ref: str) -> ResponseReturnValue:
    """The plain form. `op` is the button that was pressed: "save" unless said otherwise."""
    editor = _submitted(ref)
    op = request.form.get("op", "save")
    if op == "test":
        return _page(editor, _run(editor))
    if op != "save":
        _rearrange(editor, op)
        return _page(editor)
    status, saved = _save(editor)
    if saved is None:
        return _page(editor, status)
    flash("Saved.", "success")
    return redirect(url_for("flows.edit", ref=saved.id), 303)


@blueprint.post("/flows/<ref>/form")
@access("editor")
def flow_form(ref: str) -> Response:
    """The form with its rows rearranged, not saved."""
    editor = _submitted(ref)
    _rearrange(editor, request.form.get("op", ""))
    values = render_template("flows/_flow_values.html", editor=editor, oob=True)
    return respond(render_template("flows/_flow_form.html", editor=editor) + values)


@blueprint.post("/flows/<ref>/values")
@access("editor")
def flow_values(ref: str) -> Response:
    """The values for test that the steps on the screen need."""
    return respond(render_template("flows/_flow_values.html", editor=_submitted(ref)))


@blueprint.post("/flows/<ref>/test")
@access("editor")
def flow_result(ref: str) -> Response:
    """A real run of the flow as it is on the screen. 422: the form is not right, and comes along; 429: nothing ran."""
    editor = _submitted(ref)
    status = _run(editor)
    html = render_template("flows/_flow_result.html", editor=editor)
    if status == 422:
        html += render_template("flows/_flow_form.html", editor=editor, oob=True)
    return respond(html + render_template("flows/_flow_budget.html", editor=editor, oob=True), status)


def _rearrange(editor: FlowEditor, op: str) -> None:
    """add, or remove:N, up:N and down:N of the row N."""
    word, _, number = op.partition(":")
    rows = editor.rows
    if word == "add" and len(rows) < flow.MOST_STEPS:
        rows.append(Row())
    index = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else len(rows)
    if index >= len(rows):
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
    spec = editor.read_spec(draft=True)
    if spec is None:
        return 422
    call = flows.FlowCall(
        tenant=tenant(), source="test", spec=replace(spec, key=spec.key or "draft"), attributes=editor.given,
        actor=current_user().email, request_id=request_id(), hangup=hangup(),
    )  # fmt: skip
    try:
        editor.answer = flows.run_flow(parts(), call)
    except ratelimit.RateLimited as error:
        editor.refused, editor.wait = "Rate Limit Exceeded", max(1, error.budget.reset)
        return 429
    except runs.TooManyInFlight:
        editor.refused, editor.wait = "Too Many Calls In Flight", 2
        return 429
    return 200


@blueprint.post("/flows/<ref>/delete")
@access("editor")
def delete(ref: str) -> ResponseReturnValue:
    row = _row_or_404(ref)
    if row is not None:
        name = row.name
        stored.remove(account_id(), row.id)
        flash(f"“{name}” is deleted. Its steps stay.", "success")
    return redirect(url_for("flows.list_flows"), 303)
