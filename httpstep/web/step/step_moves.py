"""The moves of the step editor: each button's name, what it does, and which parts of the page it redraws.

POST /steps/<ref> makes one for a browser without scripts and answers with the page; POST /steps/<ref>/move makes the
same one and answers with the parts.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, abort, request

from httpstep.web.access import access
from httpstep.web.editor.editor import Editor
from httpstep.web.editor.opening import submitted
from httpstep.web.editor.page import fragments
from httpstep.web.fragments import respond, toast
from httpstep.web.moves import Done, Move, target_of
from httpstep.web.step import (
    drift,
    mapping,
    pasting,
    previews,
    request_form,
    succeeding,
    testing,
)

blueprint = Blueprint("step_moves", __name__)

_FORM = "steps/_step_form.html"
_BODY = "request_form/_body_editor.html"
_VALUES = "testing/_test_values.html"
_MAPPING = "mapping/_mapping.html"
_BANNER = "drift/_drift_banner.html"
_NOTES = "testing/_test_notes.html"
_MAIL = "steps/_mail_status.html"
_SUCCESS = ("request_form/_success_when.html", "request_form/_success_suggestion.html")
_DRIFT = (_BANNER, _MAPPING, _NOTES)

MOVES: Final[dict[str, Move[Editor]]] = {
    "preview": Move(previews.preview_request, ("request_form/_preview.html",)),
    "body_mode": Move(request_form.switch_body, (_BODY,)),
    "format_json": Move(request_form.lay_out_body, (_BODY,)),
    "auth_type": Move(lambda editor, _: None, (_FORM,)),
    "add_header": Move(request_form.add_header, (_FORM,)),
    "remove_header": Move(request_form.remove_header, (_FORM,)),
    "add_field": Move(request_form.add_field, (_BODY,)),
    "remove_field": Move(request_form.remove_field, (_BODY,)),
    "add_attribute": Move(request_form.add_attribute, (_VALUES,)),
    "curl": Move(pasting.read_pasted, (_FORM, _VALUES, "testing/_budget.html")),
    "answer": Move(pasting.answer, (_FORM, _VALUES)),
    "redraw": Move(lambda editor, _: None, (_FORM, _VALUES)),
    "map": Move(mapping.map_path, (_MAPPING,)),
    "map_all": Move(mapping.map_all, (_MAPPING,)),
    "add_rule": Move(mapping.add_row, (_MAPPING,)),
    "remove_rule": Move(mapping.remove_row, (_MAPPING,)),
    "add_condition": Move(succeeding.add_condition, _SUCCESS),
    "remove_condition": Move(succeeding.remove_condition, _SUCCESS),
    "add_expiry": Move(succeeding.add_expiry, _SUCCESS),
    "remove_expiry": Move(succeeding.remove_expiry, _SUCCESS),
    "suggest_conditions": Move(succeeding.suggest_conditions, (*_SUCCESS, *_DRIFT)),
    "sample": Move(mapping.show_sample, ("testing/_test_result.html", _MAPPING)),
    "says": Move(lambda editor, _: None, ("testing/_bubble.html",)),
    "mark": Move(mapping.mark_dictionary, (_MAPPING, _BANNER, _NOTES)),
    "remap": Move(drift.remap, _DRIFT),
    "accept": Move(drift.accept, _DRIFT),
    "keep": Move(drift.keep, _DRIFT),
    "undo": Move(drift.undo, _DRIFT),
    "use_structure": Move(drift.use_structure, _DRIFT),
    "alert": Move(testing.send_alert_now, (_MAIL,)),
    "reset_mail": Move(testing.reset_mail, (_MAIL,)),
}


@blueprint.app_template_global("move_target")
def move_target(op: str) -> str:
    """The element that the button with this value swaps."""
    return MOVES[op.partition(":")[0]].target


def make(editor: Editor, op: str) -> Done:
    """Make one move. 404 where there is none of that name."""
    name, _, what = op.partition(":")
    if name not in MOVES:
        abort(404)
    return MOVES[name].act(editor, what) or Done()


@blueprint.post("/steps/<ref>/move")
@access("editor")
def move(ref: str) -> Response:
    """The parts of the page that a move changes. `op`: the button's value, like "map:$['data']['id']"."""
    editor, op = submitted(ref), request.form.get("op", "")
    done = make(editor, op)
    trigger = toast(done.said, "success" if done.good else "error", undo=done.undo) if done.said else None
    if done.shows:
        return respond(fragments(editor, done.shows), done.status, retarget=target_of(done.shows))
    first, *beside = MOVES[op.partition(":")[0]].redraws
    return respond(fragments(editor, first, beside=tuple(beside)), done.status, trigger=trigger)
