"""Section 1 of the editor: the rows, the body, the preview of the request, and a pasted cURL command or step."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from flask import Blueprint, Response, abort, request
from sqlalchemy import select

from httpstep import installation, stepform
from httpstep.core import curl, jsonlayout, jsontext, redaction, rendering, stepdocument
from httpstep.core.errors import InvalidRequest, UnreadableAnswer
from httpstep.core.jsonbodies import JsonBodyFault
from httpstep.core.model import RequestSpec, StepSpec
from httpstep.core.placeholders import PlaceholderFault, is_name
from httpstep.extensions import db
from httpstep.models import catalogue, steps
from httpstep.models.database import editing
from httpstep.models.tables import Secret
from httpstep.stepform import Row
from httpstep.web import bodies
from httpstep.web.access import access, may
from httpstep.web.addressed import NEW
from httpstep.web.editor import Editor, Preview, fragment, submitted
from httpstep.web.entries import advice_in_editor
from httpstep.web.fragments import respond
from httpstep.web.here import account_id, parts

blueprint = Blueprint("request_form", __name__)


@blueprint.post("/steps/<ref>/form")
@access("editor")
def redraw(ref: str) -> Response:
    """The form as it was sent, drawn again: for a draft that is brought back."""
    editor = submitted(ref)
    editor.fill_samples()
    html = fragment("steps/_step_form.html", editor, oob=False)
    return respond(html + fragment("testing/_test_values.html", editor, oob=True))


@blueprint.post("/steps/<ref>/values")
@access("viewer")
def test_values(ref: str) -> Response:
    """The inputs for the attributes that the form uses now."""
    editor = submitted(ref)
    html = fragment("testing/_test_values.html", editor, oob=False)
    return respond(html + fragment("steps/_usage.html", editor, oob=True))


@blueprint.post("/steps/<ref>/values/<name>")
@access("editor")
def new_attribute(ref: str, name: str) -> Response:
    """Add a name that the form uses to the account's attributes, with the value for test as its sample."""
    editor = submitted(ref)
    add_attribute(editor, name)
    return respond(fragment("testing/_test_values.html", editor, oob=False))


@blueprint.post("/steps/<ref>/usage")
@access("viewer")
def bot_lines(ref: str) -> Response:
    """The lines for the bot, with the values for test as they are typed now."""
    return respond(fragment("steps/_usage.html", submitted(ref), oob=False))


@blueprint.post("/steps/<ref>/body-editor")
@access("editor")
def body_editor(ref: str) -> Response:
    editor = submitted(ref)
    switch_body(editor, "")
    return respond(fragment("request_form/_body_editor.html", editor))


@blueprint.post("/steps/<ref>/body-editor/format")
@access("editor")
def laid_out_body(ref: str) -> Response:
    """The JSON body laid out for reading; 422 with the line and the column where it is no JSON."""
    editor = submitted(ref)
    status = lay_out_body(editor, "") or 200
    return respond(fragment("request_form/_body_editor.html", editor), status)


@blueprint.post("/steps/<ref>/preview")
@access("editor")
def preview(ref: str) -> Response:
    """The request as it would go out with the values for test. No call is made."""
    editor = submitted(ref)
    preview_request(editor, "")
    return respond(fragment("request_form/_preview.html", editor))


@blueprint.post("/import/curl")
@access("editor")
def import_curl() -> Response:
    """The form of a new step, filled from a pasted command or step document. 422 where there is none in it."""
    editor = submitted(NEW)
    status = read_pasted(editor, "") or 200
    html = fragment("steps/_step_form.html", editor, oob=False)
    beside = ("testing/_test_values.html", "testing/_budget.html")
    return respond(html + "".join(fragment(name, editor, oob=True) for name in beside), status)


def switch_body(editor: Editor, _: str) -> None:
    wanted = editor.form.body_mode
    was = request.form.get("body_mode_was", wanted)
    editor.form.body_mode = was if was in stepform.BODY_MODES else wanted
    editor.body_note = bodies.switch(editor.form, wanted)


def add_attribute(editor: Editor, name: str) -> None:
    """Somebody who was quicker has added it already, which is just as well."""
    if name not in editor.attributes_used or not is_name(name):
        abort(404)
    sample = jsontext.dumps_text(editor.given[name]) if name in editor.given else None
    with suppress(catalogue.NameTaken):
        catalogue.save(account_id(), catalogue.Entry(name, sample=sample, in_bot=True))
    editor.__dict__.pop("names", None)


def lay_out_body(editor: Editor, _: str) -> int | None:
    try:
        editor.form.json_text = jsonlayout.laid_out(editor.form.json_text)
    except JsonBodyFault as error:
        editor.form.faults["request.body.text"] = error.sentence
    except PlaceholderFault as error:
        editor.form.faults["request.body.text"] = " ".join(error.sentences)
    return 422 if editor.form.faults else None


def add_header(editor: Editor, _: str) -> None:
    editor.form.headers.append(Row())


def remove_header(editor: Editor, place: str) -> None:
    _remove(editor.form.headers, place)


def add_field(editor: Editor, _: str) -> None:
    editor.form.fields.append(Row())


def remove_field(editor: Editor, place: str) -> None:
    _remove(editor.form.fields, place)


def _remove(rows: list[Row], place: str) -> None:
    row = stepform.whole(place)
    if row is not None and row < len(rows):
        del rows[row]


_STAND_IN = "value-of-the-secret"
"""Stands for every secret while a preview is rendered, and is masked in it: a preview reads no secret."""


def preview_request(editor: Editor, _: str) -> int | None:
    spec = stepform.parse(editor.form, draft=True)
    if spec is None:
        editor.preview = Preview(fault="The form is not right yet. The places are marked.")
        return 422
    stand_ins = dict.fromkeys(editor.names.secrets, _STAND_IN)
    defaults = {name: jsontext.read_back(text) for name, text in editor.names.defaults.items()}
    try:
        sent = rendering.render(spec, editor.given, secrets=stand_ins, defaults=defaults)
    except InvalidRequest as error:
        editor.preview = Preview(fault=f"{error.message} {advice_in_editor(error.reason, error.advice)}".strip())
        return None
    body = redaction.redact_bytes(sent.body or b"", sent.secrets).decode("utf-8", "replace")
    url = redaction.redact(sent.url, sent.secrets)
    headers = redaction.redact_pairs(sent.headers, sent.secrets)
    editor.preview = Preview(f"{sent.method} {url}", headers, body, sent.warnings, sent.filled_empty)
    return None


# ---------------------------------------------------------------- from a curl command, or a step document


@dataclass(frozen=True, slots=True)
class _Pasted:
    request: RequestSpec
    notes: list[str]


def read_pasted(editor: Editor, _: str) -> int | None:
    """Fill the form from what was pasted: an object is a step document, whatever else a command."""
    pasted = request.form.get("curl", "").strip()
    return _read_document(editor, pasted) if pasted.startswith("{") else _read_curl(editor, pasted)


def _read_document(editor: Editor, text: str) -> int | None:
    """A new step that is not saved yet. The key stays with the step that has it; an editor's step alerts nobody."""
    try:
        document = jsontext.loads(text)
        if not isinstance(document, dict) or "format" not in document:
            raise stepdocument.DocumentError((stepdocument.Fault("", _NO_DOCUMENT),))
        spec = stepdocument.parse(document, draft=True)
    except (UnreadableAnswer, stepdocument.DocumentError) as error:
        editor.form.faults["curl"], editor.pasted = _why_refused(error), text
        return 422
    notes = []
    if spec.alert_emails and not may("admin"):
        spec = replace(spec, alert_emails=())
        notes.append("Its alert addresses are left out: an admin of your account chooses them.")
    if spec.key in steps.keys_taken(account_id()):
        notes.append(f"Another step has its key “{spec.key}”: this one gets a key of its own at the first save.")
        spec = replace(spec, key="")
    _fill(editor, spec, notes, "the step document")
    return None


def _why_refused(error: UnreadableAnswer | stepdocument.DocumentError) -> str:
    if isinstance(error, UnreadableAnswer):
        return f"This step document is no JSON. {error.message}"
    return " ".join(
        fault.message if fault.place in fault.message else f"{fault.place}: {fault.message}" for fault in error.faults
    )


_NO_DOCUMENT = f'This JSON is no step document: one begins with {{"format": "{stepdocument.FORMAT}"}}.'


def _fill(editor: Editor, spec: StepSpec, notes: list[str], source: str) -> None:
    old = editor.form
    form = stepform.of_spec(spec)
    form.draft_id, form.values, form.emails_kept = old.draft_id, old.values, old.emails_kept
    editor.form, editor.ignored, editor.filled_from = form, notes, source


def _read_curl(editor: Editor, text: str) -> int | None:
    result = curl.from_curl(text)
    if result.faults and not result.spec.url:
        editor.form.faults["curl"] = " ".join(result.faults)
        return 422
    notes = list(result.faults)
    if result.ignored:
        ignored = ", ".join(f"{one.option} ({one.why})" if one.why else one.option for one in result.ignored)
        notes.append(f"Ignored options: {ignored}.")
    pasted = _with_secrets(editor, result, notes)
    spec = StepSpec(request=pasted.request, name=editor.form.name, timeout=result.timeout or 60)
    _fill(editor, spec, pasted.notes, "the cURL command")
    return None


def _with_secrets(editor: Editor, result: curl.CurlResult, notes: list[str]) -> _Pasted:
    """An admin's credentials become secrets at once, where that was ticked; others are told to."""
    found = result.credentials
    if not found:
        return _Pasted(result.spec, notes)
    if request.form.get("keep_secrets") != "1" or not may("admin"):
        names = ", ".join(f"{{{{secret.{one.name}}}}}" for one in found)
        return _Pasted(
            result.spec, [*notes, f"This command carries a credential. Keep it under Secrets and write {names}."]
        )
    kept, new = _named(found, _known_secrets())
    with editing():
        for one in new:
            installation.put_secret(parts().vault, account_id(), one.name, one.value, time.time())
    editor.__dict__.pop("names", None)
    said = []
    if new:
        said.append("Stored under Secrets now, whether or not you save the step: " + ", ".join(one.name for one in new))
    if known := [one.name for one in kept if one not in new]:
        said.append("Was kept under Secrets already: " + ", ".join(known))
    return _Pasted(curl.with_secrets(result.spec, kept), [*notes, *(f"{line}." for line in said)])


def _known_secrets() -> dict[str, str]:
    mine = db.session.execute(select(Secret.name, Secret.token).where(Secret.account_id == account_id()))
    return {name: parts().vault.decrypt(token).decode() for name, token in mine}


def _named(
    found: Sequence[curl.Credential], known: dict[str, str]
) -> tuple[list[curl.Credential], list[curl.Credential]]:
    """(all with the names they are kept under, those of them that are new): a value that is kept already stays one."""
    names = {value: name for name, value in known.items()}
    kept, new = [], []
    for one in found:
        if one.value not in names:
            name, number = one.name, 2
            while name in names.values():
                name, number = f"{one.name}_{number}", number + 1
            names[one.value] = name
            new.append(replace(one, name=name))
        kept.append(replace(one, name=names[one.value]))
    return kept, new
