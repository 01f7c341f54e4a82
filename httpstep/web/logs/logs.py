"""The kept executions of a step: the list under the form, the dialog, and a page for each.

The open page asks for the list again and again, and gets with it whatever else has changed by itself.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import zip_longest

from flask import Blueprint, Response, abort, render_template, request
from msgspec import Struct

from httpstep.core import jsontext
from httpstep.core.request import rendering
from httpstep.storage import logs, steps
from httpstep.storage.tables import Log, Step
from httpstep.web import stepform
from httpstep.web.access import access, may
from httpstep.web.addressed import NEW
from httpstep.web.editor import tree
from httpstep.web.editor.documents import of_body, of_log
from httpstep.web.editor.editor import Editor
from httpstep.web.editor.entries import LogView, entry_of
from httpstep.web.editor.loglist import LogLine, have_of, line_of
from httpstep.web.editor.opening import opened, step_or_404
from httpstep.web.editor.page import fragments
from httpstep.web.editor.shellcommand import curl_of
from httpstep.web.fragments import open_modal, respond
from httpstep.web.here import account_id
from httpstep.web.logs import comparing

blueprint = Blueprint("logs", __name__)


class Opened(Struct, frozen=True):
    """One log with its neighbours: newer and older are ids or None. step: None for a draft's test. others: what it can
    be compared with. number: its place among the kept ones, from 1; 0 where it is none of them any more. can_run: the
    reader may run it again."""

    entry: LogView
    step: Step | None
    newer: int | None
    older: int | None
    others: tuple[LogLine, ...]
    number: int
    count: int
    curl: str
    can_run: bool

    @property
    def ref(self) -> str:
        return str(self.step.id) if self.step else NEW

    @property
    def consequence(self) -> str:
        """What a failure meant for the bot, and what can be done."""
        entry = self.entry
        told = "The bot would be told" if entry.log.source == "test" else "The bot was told"
        return " ".join(
            filter(None, (entry.advice, f"{told}: {entry.fallback}. {entry.bot_gets}" if entry.fallback else ""))
        )

    @property
    def answered(self) -> bool:
        return bool(self.entry.detail.get("response"))

    @property
    def mapped_summary(self) -> str:
        """Their names, or how many of them are missing."""
        rows = [row for row in self.entry.detail.get("mapping") or () if row["state"] != "off"]
        missing = sum(row["state"] == "missing" for row in rows)
        if not rows:
            return "nothing"
        if missing:
            return f"{len(rows) - missing} of {len(rows)}, {missing} missing"
        return ", ".join(row["attribute"] for row in rows)


@blueprint.get("/steps/<ref>/logs")
@access("viewer")
def list_logs(ref: str) -> Response:
    """The newest twenty, and beside them the mail and the budget where they differ; the event drift:changed where
    the mark does. 204 where the caller has all that already (`have`)."""
    editor = _of(ref)
    have, now = request.args.get("have", ""), have_of(editor)
    if have == now:
        return Response(status=204)
    had = have.split(".")
    _, mail, budget, drift = (old != new for old, new in zip_longest(had[:4], now.split(".")))
    changed = {"steps/_mail_status.html": mail, "testing/_budget.html": budget and may("editor")}
    beside = tuple(template for template, differs in changed.items() if differs)
    html = fragments(editor, "logs/_logs.html", beside=beside)
    return respond(html, trigger={"drift:changed": {}} if drift else None)


def _of(ref: str) -> Editor:
    """A draft that has been saved meanwhile is its step."""
    draft_id = request.args.get("draft_id", "")[:64] if ref == NEW else ""
    saved = steps.of_draft(account_id(), draft_id)
    editor = opened(str(saved.id) if saved is not None else ref)
    if editor.is_new:
        editor.form.draft_id = draft_id
    return editor


@blueprint.get("/logs/<int:log_id>")
@access("viewer")
def log(log_id: int) -> Response:
    """View: the dialog's content."""
    return respond(render_template("logs/_log.html", opened=_opened(log_id), dialog=True), trigger=open_modal())


@blueprint.get("/steps/<ref>/logs/<int:log_id>")
@access("viewer")
def log_page(ref: str, log_id: int) -> str:
    found = _opened(log_id)
    if found.ref != ref:
        abort(404)
    return render_template("logs/log.html", opened=found)


def _opened(log_id: int) -> Opened:
    row = logs.get(account_id(), log_id)
    if row is None:
        abort(404)
    step = _step_of(row)
    around = _around(row)
    ids = [one.id for one in around]
    at = ids.index(row.id) if row.id in ids else -1
    now, can_run = time.time(), may("editor")
    entry = entry_of(row, now, may_edit=can_run)
    return Opened(
        entry=entry,
        step=step,
        newer=ids[at - 1] if at > 0 else None,
        older=ids[at + 1] if 0 <= at < len(ids) - 1 else None,
        others=_others(row, around, now, step),
        number=at + 1,
        count=len(ids),
        curl=curl_of(entry),
        can_run=can_run,
    )


def _around(row: Log) -> list[Log]:
    """The kept calls of its step or draft, itself among them, the newest first."""
    return logs.newest(account_id(), step_id=row.step_id, draft_id=row.draft_id)


def _others(row: Log, around: list[Log], now: float, step: Step | None) -> tuple[LogLine, ...]:
    """What a call can be compared with: first the one before it."""
    older = [one for one in around if one.id < row.id]
    newer = [one for one in around if one.id > row.id]
    used = _used_by(step)
    return tuple(line_of(one, now, used) for one in older + newer if row.state == one.state == "done")


def _used_by(step: Step | None) -> Sequence[str]:
    return rendering.attributes_used(steps.document_of(step)) if step is not None else ()


@blueprint.get("/logs/<int:log_id>/compare")
@access("viewer")
def compare(log_id: int) -> Response:
    """The dialog's content: this call and the one that `with` names."""
    return respond(
        render_template("logs/_compared.html", compared=_compared(log_id), dialog=True), trigger=open_modal()
    )


@blueprint.get("/steps/<ref>/logs/<int:log_id>/compare")
@access("viewer")
def compare_page(ref: str, log_id: int) -> str:
    compared = _compared(log_id)
    if compared.ref != ref:
        abort(404)
    return render_template("logs/compared.html", compared=compared)


def _compared(log_id: int) -> comparing.Compared:
    """404 where one of the two is gone, or they are calls of different steps."""
    other_id = stepform.whole_number(request.args.get("with", "")) or 0
    found = [logs.get(account_id(), wanted) for wanted in (log_id, other_id)]
    one, other = found
    if one is None or other is None or _whose(one) != _whose(other):
        abort(404)
    now, edits, step = time.time(), may("editor"), _step_of(one)
    used = _used_by(step)
    return comparing.compare(
        entry_of(one, now, may_edit=edits), entry_of(other, now, may_edit=edits),
        {row.id: line_of(row, now, used).values for row in (one, other)}, str(step.id) if step else NEW,
        _others(one, _around(one), now, step),
    )  # fmt: skip


def _step_of(row: Log) -> Step | None:
    return steps.get(account_id(), row.step_id) if row.step_id is not None else None


def _whose(row: Log) -> int | str | None:
    """Its step, or the draft of one that was never saved. A test of the draft is a call of the step once that is saved."""
    return row.step_id if row.step_id is not None else row.draft_id


@blueprint.get("/steps/<ref>/tree")
@access("viewer")
def branch(ref: str) -> Response:
    """The inside of one place of an answer, loaded as it is opened. log: the test it came from, else the sample."""
    step = step_or_404(ref)
    document = None
    if "log" in request.args:
        row = logs.get(account_id(), stepform.whole_number(request.args["log"]) or 0)
        document = of_log(row) if row is not None and row.step_id == (step.id if step else None) else None
    elif step is not None:
        document = of_body(step.state.sample)
    if document is None:
        return respond(render_template("logs/_branch.html", node=None, ref=ref, document=None))
    try:
        path = tuple(jsontext.loads(request.args.get("path", "[]")))
        node = tree.inside(document.value, path, {}, max(0, request.args.get("from", 0, type=int)))
    except Exception:
        abort(404)
    return respond(render_template("logs/_branch.html", node=node, ref=ref, document=document))
