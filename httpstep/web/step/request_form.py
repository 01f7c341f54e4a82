"""Section 1 of the editor: the rows, the body, the preview of the request."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, Response, abort, request

from httpstep.core import jsontext
from httpstep.core.inserting import jsonlayout
from httpstep.core.inserting.jsonbodies import JsonBodyFault
from httpstep.core.inserting.placeholders import PlaceholderFault, is_name
from httpstep.core.step.spec import BODY_MODES
from httpstep.storage import catalogue
from httpstep.web import stepform
from httpstep.web.access import access
from httpstep.web.editor.editor import Editor
from httpstep.web.editor.opening import submitted
from httpstep.web.editor.page import fragments
from httpstep.web.fragments import respond
from httpstep.web.here import account_id
from httpstep.web.moves import Done
from httpstep.web.step import bodies
from httpstep.web.stepform import PairRow

blueprint = Blueprint("request_form", __name__)


@blueprint.post("/steps/<ref>/values")
@access("viewer")
def test_values(ref: str) -> Response:
    """The inputs for the attributes that the form uses now."""
    return respond(fragments(submitted(ref), "testing/_test_values.html", beside=("steps/_usage.html",)))


@blueprint.post("/steps/<ref>/usage")
@access("viewer")
def bot_lines(ref: str) -> Response:
    """The lines for the bot, with the values for test as they are typed now."""
    return respond(fragments(submitted(ref), "steps/_usage.html"))


def switch_body(editor: Editor, _: str) -> None:
    wanted = editor.form.body_mode
    was = request.form.get("body_mode_was", wanted)
    editor.form.body_mode = was if was in BODY_MODES else wanted
    editor.body_note = bodies.switch(editor.form, wanted)


def add_attribute(editor: Editor, names: str) -> Done:
    """Names that the form uses, separated by spaces, go to the account's attributes, each with the value for test as its
    sample. Somebody who was quicker has added one already, which is just as well."""
    wanted, given, used = names.split(), editor.given, editor.attributes_used
    if not wanted or not all(name in used and is_name(name) for name in wanted):
        abort(404)
    for name in wanted:
        sample = jsontext.dumps_text(given[name]) if name in given else None
        with suppress(catalogue.NameTaken):
            catalogue.save(account_id(), catalogue.AttributeEntry(name, sample=sample, in_bot=True))
    editor.sources.forget_names()
    return Done(said=f"Other steps can use {', '.join(wanted)} too.")


def lay_out_body(editor: Editor, _: str) -> Done | None:
    try:
        editor.form.json_text = jsonlayout.laid_out(editor.form.json_text)
    except JsonBodyFault as error:
        editor.form.faults["request.body.text"] = error.sentence
    except PlaceholderFault as error:
        editor.form.faults["request.body.text"] = " ".join(error.sentences)
    return Done(422) if editor.form.faults else None


def add_header(editor: Editor, _: str) -> None:
    editor.form.headers.append(PairRow())


def remove_header(editor: Editor, place: str) -> None:
    _remove(editor.form.headers, place)


def add_field(editor: Editor, _: str) -> None:
    editor.form.fields.append(PairRow())


def remove_field(editor: Editor, place: str) -> None:
    _remove(editor.form.fields, place)


def _remove(rows: list[PairRow], place: str) -> None:
    row = stepform.whole_number(place)
    if row is not None and row < len(rows):
        del rows[row]
