"""Test cases of a step: calls that somebody keeps, and runs again to see whether what came is still the same."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from msgspec import Struct

from httpstep.core import jsontext
from httpstep.core.outcome import cases
from httpstep.core.outcome.cases import Difference
from httpstep.execution import calls, runs
from httpstep.execution.budget import ratelimit
from httpstep.storage import logs, steps
from httpstep.storage.database import end_transaction
from httpstep.storage.tables import Case, Step
from httpstep.web.access import access, current_user, may
from httpstep.web.callers import hangup
from httpstep.web.editor.entries import LABELS
from httpstep.web.editor.opening import step_or_404
from httpstep.web.fragments import respond
from httpstep.web.here import account_id, parts, tenant
from httpstep.web.responses import request_id

blueprint = Blueprint("cases", __name__)

MAX_AT_ONCE: Final = 10
SECONDS: Final = 60.0
"""For all the calls of one press."""


class CaseLine(Struct, frozen=True):
    """A case as the page shows it. differences: None before its first run."""

    id: int
    name: str
    case: cases.Case
    differences: Sequence[Difference] | None
    ran_at: float | None
    log_id: int | None

    @classmethod
    def of(cls, row: Case) -> CaseLine:
        found = None if row.differences is None else cases.load_differences(row.differences)
        return cls(row.id, row.name, cases.load(row.document), found, row.ran_at, row.log_id)

    @property
    def expected(self) -> str:
        return LABELS.get(self.case.outcome, self.case.outcome)


@blueprint.get("/steps/<ref>/cases")
@access("viewer")
def listed(ref: str) -> str:
    step = _step(ref)
    lines = [CaseLine.of(row) for row in logs.cases(account_id(), step.id)]
    return render_template(
        "cases/list.html", step=step, method=steps.spec_of(step.document).request.method, lines=lines, labels=LABELS,
        at_once=min(len(lines), MAX_AT_ONCE), kept={log.id for log in logs.newest(account_id(), step_id=step.id)},
        can_edit=may("editor"),
    )  # fmt: skip


def _step(ref: str) -> Step:
    return step_or_404(ref) or abort(404)


@blueprint.post("/logs/<int:log_id>/keep")
@access("editor")
def keep(log_id: int) -> Response:
    """Keep as test case: what stands in the place of the button."""
    log = logs.get(account_id(), log_id)
    if log is None or log.state != "done" or log.detail is None:
        abort(404)
    if log.step_id is None:
        return _told("Save the step first: a test case belongs to a saved step.")
    case = cases.kept(jsontext.read_back(log.detail), log.outcome or "")
    document = cases.dump(case)
    if len(document) > cases.MAX_CASE_CHARACTERS:
        return _told("This call's values are too large to be kept as a test case.")
    name = cases.named_after(case)
    new = Case(
        account_id=account_id(), step_id=log.step_id, name=name, document=document,
        created_at=time.time(), created_by=current_user().email,
    )  # fmt: skip
    ref = log.step_id
    if not logs.keep_case(new):
        return _told(f"This step has {logs.MAX_CASES} test cases, which is the most. Delete one first.", ref)
    lost = f" Not kept, because it looks like a credential: {', '.join(case.lost)}." if case.lost else ""
    return _told(f"Kept as “{name}”.{lost}", ref)


def _told(sentence: str, ref: int | None = None) -> Response:
    return respond(render_template("cases/_kept.html", sentence=sentence, ref=ref))


@blueprint.post("/cases/<int:case_id>")
@access("editor")
def change(case_id: int) -> ResponseReturnValue:
    """Its name, and which attributes are compared."""
    row = _case(case_id)
    name = " ".join(request.form.get("name", "").split())[: cases.MAX_NAME_CHARACTERS] or row.name
    case = cases.comparing(cases.load(row.document), set(request.form.getlist("compared")))
    ref = row.step_id
    values = {} if row.differences is None else {"differences": _still(row.differences, case)}
    logs.change_case(account_id(), case_id, name=name, document=cases.dump(case), **values)
    return _to_list(ref)


def _still(differences: str, case: cases.Case) -> str:
    """What the last run differed in, of what is compared now."""
    found = cases.load_differences(differences)
    return cases.dump_differences([one for one in found if one.name not in case.ignored])


@blueprint.post("/cases/<int:case_id>/delete")
@access("editor")
def delete(case_id: int) -> ResponseReturnValue:
    row = _case(case_id)
    ref, name = row.step_id, row.name
    logs.remove_case(account_id(), case_id)
    flash(f"“{name}” was deleted.", "success")
    return _to_list(ref)


def _case(case_id: int) -> Case:
    row = logs.get_case(account_id(), case_id)
    if row is None or steps.get(account_id(), row.step_id) is None:
        abort(404)
    return row


def _to_list(ref: int) -> ResponseReturnValue:
    return redirect(url_for("cases.listed", ref=ref), 303)


# ---------------------------------------------------------------- running


@blueprint.post("/steps/<ref>/cases/run")
@access("editor")
def run(ref: str) -> ResponseReturnValue:
    """Run all, one after the other, each as Test does, with the step as it is saved. At most ten in one press and one
    minute for all of them: those that have not run for the longest time."""
    step = _step(ref)
    loaded, number = steps.loaded(step), step.id
    rows = sorted(logs.cases(account_id(), number), key=lambda row: (row.ran_at or 0, row.id))[:MAX_AT_ONCE]
    waiting = [(row.id, cases.load(row.document)) for row in rows]
    found, why = _run_each(loaded, waiting)
    different = sum(map(bool, found))
    if found:
        flash(f"Same: {len(found) - different}. Different: {different}.", "warning" if different else "success")
    if why:
        flash(f"{why} Not run: {len(waiting) - len(found)}.", "error")
    return _to_list(number)


def _run_each(step: steps.LoadedStep, waiting: list[tuple[int, cases.Case]]) -> tuple[list[list[Difference]], str]:
    """(what differed in each that ran, why the rest did not)"""
    ends, found = time.monotonic() + SECONDS, list[list[Difference]]()
    for case_id, case in waiting:
        left = ends - time.monotonic()
        if left < 1:
            return found, "The minute that all of them may take was over."
        try:
            differs, log_id = _run(step, case, left)
        except ratelimit.RateLimited as error:
            budget = error.budget
            again = f"Try again in {max(1, budget.reset)} s."
            return found, f"Rate Limit Exceeded: {budget.limit} requests per minute per account. {again}"
        except (calls.TooManyInFlight, calls.ProcessFull):
            return found, "Too Many Calls In Flight: try again shortly."
        if any(one.came == "cancelled" for one in differs if not one.name):
            return found, "The call was cancelled, because the browser went away."
        logs.change_case(
            account_id(), case_id, ran_at=time.time(), differences=cases.dump_differences(differs), log_id=log_id
        )
        found.append(differs)
    return found, ""


def _run(step: steps.LoadedStep, case: cases.Case, seconds: float) -> tuple[list[Difference], int | None]:
    """What differs, and the log of the call. Raises what refuses a call."""
    call = calls.Call(
        tenant=tenant(), source="test", spec=step.spec, attributes=case.given, actor=current_user().email,
        request_id=request_id(), step=step, timeout=seconds, hangup=hangup(request), account=parts().accounts.get(account_id()),
    )  # fmt: skip
    end_transaction()
    try:
        done = runs.run_step(parts(), call)
    except calls.InternalError as error:
        g.call_is_made = True
        return [Difference("", case.outcome, str(error.answer["outcome"]))], None
    g.call_is_made = True
    return cases.differences(case, done.record.detail, done.execution.outcome.outcome), done.log_id
