"""What the pages of flows print, as frozen values: gathered here, once; the templates only print them."""

from __future__ import annotations

from typing import Any, Final

from flask import render_template, url_for
from msgspec import Struct

from httpstep.core import jsontext
from httpstep.core.errors import FailureKind
from httpstep.core.jsontext import Json
from httpstep.core.step.spec import OPERATORS
from httpstep.execution.budget import ratelimit
from httpstep.storage import flows as stored
from httpstep.storage import logs, steps
from httpstep.web.access import current_user, may
from httpstep.web.editor.entries import LABELS, duration_text, tone
from httpstep.web.editor.shellcommand import Usage, examples_for, usage
from httpstep.web.faults import own_fault
from httpstep.web.flows.flow_editor import ALWAYS, FlowEditor, FlowRow
from httpstep.web.here import account_id, base_url

WHEN: Final = ((ALWAYS, "always"), *((operator, f"if … {label}") for operator, label in OPERATORS.items()))


class StepChoice(Struct, frozen=True):
    """A step that can be chosen."""

    id: str
    name: str
    is_on: bool


class StepResult(Struct, frozen=True):
    """What one step of a test did. view: the page of its log, None where the step is gone or has none."""

    name: str
    label: str
    tone: str
    status: int | None
    duration: str
    structure_changed: bool
    view: str | None
    message: str


class FlowResult(Struct, frozen=True):
    """gives: the attributes of the test, masked, as the steps' logs have them."""

    label: str
    tone: str
    duration: str
    message: str
    goes_on: bool
    steps: list[StepResult]
    gives: dict[str, Json]
    missing: list[str]


class FlowPage(Struct, frozen=True):
    """changed_by and changed_at: the save that was quicker, where `conflict`. usage: None for a flow that was never
    saved. The parts that no template of this answer prints are None."""

    ref: str
    is_new: bool
    can_edit: bool
    name: str
    key: str
    version: int | None
    rows: list[FlowRow]
    faults: dict[str, str]
    typed: bool
    tested: bool
    notice: str
    conflict: bool
    changed_by: str
    changed_at: float | None
    refused: str
    wait: int
    choices: list[StepChoice] | None = None
    known_names: frozenset[str] | None = None
    values: dict[str, str] | None = None
    budget: ratelimit.Budget | None = None
    usage: Usage | None = None
    result: FlowResult | None = None


_PAGE: Final = "flows/flow.html"
NEEDS: Final = {
    _PAGE: ("choices", "known_names", "values", "budget", "usage", "result"),
    "flows/_flow_form.html": ("choices", "known_names"),
    "flows/_flow_values.html": ("values",),
    "flows/_flow_budget.html": ("budget",),
    "flows/_flow_result.html": ("result",),
}
"""The parts that each template prints, those it includes among them."""


def page(editor: FlowEditor, status: int = 200) -> tuple[str, int]:
    return render_template(_PAGE, page=gather(editor, _PAGE), flow_when=WHEN), status


def fragments(editor: FlowEditor, *templates: str, beside: tuple[str, ...] = ()) -> str:
    """Parts of the page; those of `beside` are swapped beside the others (hx-swap-oob)."""
    gathered = gather(editor, *templates, *beside)
    return "".join(
        render_template(name, page=gathered, flow_when=WHEN, oob=place >= len(templates))
        for place, name in enumerate((*templates, *beside))
    )


def gather(editor: FlowEditor, *templates: str) -> FlowPage:
    wanted = {part for template in templates for part in NEEDS[template]}
    saved, has = editor.saved, wanted.__contains__
    return FlowPage(
        ref=editor.ref, is_new=editor.is_new, can_edit=may("editor"), name=editor.name, key=editor.key,
        version=editor.version, rows=editor.rows, faults=editor.faults, typed=editor.typed, tested=editor.tested,
        notice=editor.notice, conflict=editor.conflict, changed_by=saved.by if saved else "",
        changed_at=saved.at if saved else None, refused=editor.refused, wait=editor.wait,
        choices=_choices(editor) if has("choices") else None,
        known_names=editor.names.attributes if has("known_names") else None,
        values=editor.test_values if has("values") else None,
        budget=ratelimit.budget_of(account_id(), current_user().account.per_minute) if has("budget") else None,
        usage=_usage(editor) if has("usage") else None,
        result=_result(editor) if has("result") else None,
    )  # fmt: skip


def _choices(editor: FlowEditor) -> list[StepChoice]:
    return [StepChoice(str(step_id), spec.name, spec.enabled) for step_id, spec in editor.steps.items()]


def _usage(editor: FlowEditor) -> Usage | None:
    if editor.saved is None:
        return None
    attributes = examples_for(editor.asked, editor.given, editor.names)
    return usage(base_url(), editor.saved.key, attributes, part="flows")


def _result(editor: FlowEditor) -> FlowResult | None:
    answer = editor.answer
    if answer is None:
        return None
    gives: dict[str, Json] = {}
    log_ids = [int(one["log_id"]) for one in answer["steps"] if one["log_id"]]
    for detail in logs.details(account_id(), log_ids):
        gives |= jsontext.read_back(detail).get("attributes", {})
    return FlowResult(
        _label(answer), _tone(answer), duration_text(answer["http"]["duration_ms"]), _message(answer),
        answer["next"] == "continue", [_step_result(editor, one) for one in answer["steps"]], gives, answer["missing"],
    )  # fmt: skip


def _step_result(editor: FlowEditor, one: dict[str, Any]) -> StepResult:
    step_id, name = next(
        ((step_id, spec.name) for step_id, spec in editor.steps.items() if spec.key == one["step"]),
        (None, one["step"] or "(deleted)"),
    )
    view = (
        url_for("logs.log_page", ref=step_id, log_id=one["log_id"]) if one["log_id"] and step_id is not None else None
    )
    duration = "" if one["outcome"] == "skipped" else duration_text(one["http"]["duration_ms"])
    return StepResult(
        name, _label(one), _tone(one), one["http"]["status"], duration, one["structure_changed"], view,
        _message(one),
    )  # fmt: skip


def _message(one: dict[str, Any]) -> str:
    return own_fault() if one["outcome"] == FailureKind.INTERNAL.value else one["message"] or ""


def _label(one: dict[str, Any]) -> str:
    return LABELS.get(one["outcome"], "Left out")


def _tone(one: dict[str, Any]) -> str:
    return tone(one["http"]["status"], one["outcome"])


# ---------------------------------------------------------------- the list


class FlowLine(Struct, frozen=True):
    id: int
    name: str
    steps: list[str]
    changed_at: float


class FlowList(Struct, frozen=True):
    """has_steps: whether the account has any step to put into a flow."""

    lines: list[FlowLine]
    has_steps: bool
    can_edit: bool


def flow_list() -> FlowList:
    names = {step.id: step.name for step in steps.listed(account_id())}
    lines = [
        FlowLine(row.id, row.name, [names.get(one.step_id, "(deleted)") for one in stored.spec_of(row).places], row.updated_at)
        for row in stored.listed(account_id())
    ]  # fmt: skip
    return FlowList(lines, bool(names), may("editor"))
