"""The kept executions of a step: the list under the form, the dialog, and a page for each.

The open page asks for the list again and again, and gets with it whatever else has changed by itself.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass
from itertools import zip_longest

from flask import Blueprint, Response, abort, render_template, request

from httpstep.core import jsontext
from httpstep.storage import logs, steps
from httpstep.storage.tables import Log, Step
from httpstep.web import stepform
from httpstep.web.access import access, may
from httpstep.web.addressed import NEW
from httpstep.web.editor import tree
from httpstep.web.editor.documents import of_body, of_log
from httpstep.web.editor.editor import (
    Editor,
    fragment,
    opened,
    step_or_404,
)
from httpstep.web.editor.entries import Entry, entry_of
from httpstep.web.fragments import open_modal, respond
from httpstep.web.here import account_id
from httpstep.web.step import comparing
from httpstep.web.step.shellcommand import curl_of

blueprint = Blueprint("logs", __name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """One log with its neighbours: newer and older are ids or None. step: None for a draft's test. others: what it can
    be compared with. number: its place among the kept ones, from 1; 0 where it is none of them any more."""

    entry: Entry
    step: Step | None
    newer: int | None
    older: int | None
    others: tuple[Log, ...]
    number: int
    count: int
    curl: str
    now: float

    @property
    def ref(self) -> str:
        return str(self.step.id) if self.step else NEW

    @property
    def consequence(self) -> str:
        """What a failure meant for the bot, and what can be done."""
        entry = self.entry
        told = "The bot would be told" if entry.log.source == "test" else "The bot was told"
        return " ".join(filter(None, (entry.advice, f"{told}: {entry.fallback}." if entry.fallback else "")))

    @property
    def mapped_summary(self) -> str:
        rows = [row for row in self.entry.detail.get("mapping") or () if row["state"] != "off"]
        missing = sum(row["state"] == "missing" for row in rows)
        if not rows:
            return "nothing"
        return f"{len(rows) - missing} of {len(rows)}, {missing} missing" if missing else f"{len(rows)} values"


@blueprint.get("/steps/<ref>/logs")
@access("viewer")
def list_logs(ref: str) -> Response:
    """The newest twenty, and beside them the mail and the budget where they differ; the event drift:changed where
    the mark does. 204 where the caller has all that already (`have`)."""
    editor = _of(ref)
    have, now = request.args.get("have", ""), page_state(editor)
    if have == now:
        return Response(status=204)
    had = have.split(".")
    _, mail, budget, drift = (old != new for old, new in zip_longest(had[:4], now.split(".")))
    html = fragment("logs/_logs.html", editor, oob=False)
    if mail:
        html += fragment("steps/_mail_status.html", editor, oob=True)
    if budget and editor.can_edit:
        html += fragment("testing/_budget.html", editor, oob=True)
    return respond(html, trigger={"drift:changed": {}} if drift else None)


def _of(ref: str) -> Editor:
    editor = opened(ref)
    if editor.is_new:
        editor.form.draft_id = request.args.get("draft_id", "")[:64]
    return editor


def page_state(editor: Editor) -> str:
    """Four words: each changes when the list, the mail status, the budget or the mark of drift does."""
    state, budget = editor.state, editor.budget
    mail = (state.last_alert_at, state.mail_error, editor.next_alert > editor.now) if state else ()
    drift = (state.drift_at, state.drift_log_id) if state else ()
    left = budget.remaining or f"none for {budget.reset}"
    return ".".join((_log_state(editor.logs, editor.now), *map(_word, (mail, (budget.limit, left), drift))))


def _word(facts: tuple[object, ...]) -> str:
    return f"{zlib.crc32(repr(facts).encode()):x}"


def _log_state(rows: list[Log], now: float) -> str:
    running = sum(1 for row in rows if row.state == "running" and not logs.is_interrupted(row, now))
    return f"{rows[0].id}-{len(rows)}-{running}" if rows else "0"


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
    step = steps.get(account_id(), row.step_id) if row.step_id is not None else None
    around = logs.newest(account_id(), step_id=row.step_id, draft_id=row.draft_id)
    ids = [one.id for one in around]
    at = ids.index(row.id) if row.id in ids else -1
    now = time.time()
    entry = entry_of(row, now, may_edit=may("editor"))
    return Opened(
        entry=entry,
        step=step,
        newer=ids[at - 1] if at > 0 else None,
        older=ids[at + 1] if 0 <= at < len(ids) - 1 else None,
        others=tuple(one for one in around[at + 1 :] + around[: max(at, 0)] if one.state == "done"),
        number=at + 1,
        count=len(ids),
        curl=curl_of(entry),
        now=now,
    )


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
    other_id = stepform.whole(request.args.get("with", "")) or 0
    found = [logs.get(account_id(), wanted) for wanted in (log_id, other_id)]
    one, other = found
    if one is None or other is None or (one.step_id, one.draft_id) != (other.step_id, other.draft_id):
        abort(404)
    now, ref = time.time(), NEW if one.step_id is None else str(one.step_id)
    edits = may("editor")
    return comparing.compare(entry_of(one, now, may_edit=edits), entry_of(other, now, may_edit=edits), ref)


@blueprint.get("/steps/<ref>/tree")
@access("viewer")
def branch(ref: str) -> Response:
    """The inside of one place of an answer, loaded as it is opened. log: the test it came from, else the sample."""
    step = step_or_404(ref)
    document = None
    if "log" in request.args:
        row = logs.get(account_id(), stepform.whole(request.args["log"]) or 0)
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
