"""Section 1 of the editor: the rows, the body, the preview of the request, and a pasted cURL command or step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from flask import Blueprint, Response, abort, request

from httpstep.core import jsontext
from httpstep.core.document import stepdocument, visible
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.importing import curl
from httpstep.core.importing.imported import Imported
from httpstep.core.inserting import jsonlayout, secrethosts
from httpstep.core.inserting.jsonbodies import JsonBodyFault
from httpstep.core.inserting.placeholders import PlaceholderFault, is_name
from httpstep.core.inserting.secrethosts import Hosts
from httpstep.core.step.spec import BODY_MODES, RequestSpec, StepSpec
from httpstep.storage import catalogue, steps
from httpstep.storage.database import editing
from httpstep.upkeep import installation
from httpstep.web import stepform
from httpstep.web.access import access, may
from httpstep.web.editor.editor import Editor, fragment, submitted
from httpstep.web.fragments import respond
from httpstep.web.here import account_id, parts
from httpstep.web.moves import Done
from httpstep.web.step import bodies
from httpstep.web.stepform import Row

blueprint = Blueprint("request_form", __name__)


@blueprint.post("/steps/<ref>/values")
@access("viewer")
def test_values(ref: str) -> Response:
    """The inputs for the attributes that the form uses now."""
    editor = submitted(ref)
    html = fragment("testing/_test_values.html", editor, oob=False)
    return respond(html + fragment("steps/_usage.html", editor, oob=True))


@blueprint.post("/steps/<ref>/usage")
@access("viewer")
def bot_lines(ref: str) -> Response:
    """The lines for the bot, with the values for test as they are typed now."""
    return respond(fragment("steps/_usage.html", submitted(ref), oob=False))


def switch_body(editor: Editor, _: str) -> None:
    wanted = editor.form.body_mode
    was = request.form.get("body_mode_was", wanted)
    editor.form.body_mode = was if was in BODY_MODES else wanted
    editor.body_note = bodies.switch(editor.form, wanted)


def add_attribute(editor: Editor, name: str) -> None:
    """A name that the form uses goes to the account's attributes, with the value for test as its sample. Somebody who was quicker has added it already, which is just as well."""
    if name not in editor.attributes_used or not is_name(name):
        abort(404)
    sample = jsontext.dumps_text(editor.given[name]) if name in editor.given else None
    with suppress(catalogue.NameTaken):
        catalogue.save(account_id(), catalogue.Entry(name, sample=sample, in_bot=True))
    editor.__dict__.pop("names", None)


def lay_out_body(editor: Editor, _: str) -> Done | None:
    try:
        editor.form.json_text = jsonlayout.laid_out(editor.form.json_text)
    except JsonBodyFault as error:
        editor.form.faults["request.body.text"] = error.sentence
    except PlaceholderFault as error:
        editor.form.faults["request.body.text"] = " ".join(error.sentences)
    return Done(422) if editor.form.faults else None


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


# ---------------------------------------------------------------- from a curl command, or a step document


@dataclass(frozen=True, slots=True)
class _Pasted:
    request: RequestSpec
    notes: list[str]


def read_pasted(editor: Editor, _: str) -> Done | None:
    """Fill the form from what was pasted: an object is a step document, whatever else a command."""
    pasted = request.form.get("curl", "").strip()
    return _read_document(editor, pasted) if pasted.startswith("{") else _read_curl(editor, pasted)


def _read_document(editor: Editor, text: str) -> Done | None:
    """A new step that is not saved yet. The key stays with the step that has it; an editor's step alerts nobody."""
    try:
        document = jsontext.loads(text)
        if not isinstance(document, dict) or "format" not in document:
            raise stepdocument.DocumentError((stepdocument.Fault("", _NO_DOCUMENT),))
        spec = visible.refuse_masked(stepdocument.parse(document, draft=True))
    except (UnreadableAnswer, stepdocument.DocumentError) as error:
        editor.form.faults["curl"], editor.pasted = _why_refused(error), text
        return Done(422)
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


def _read_curl(editor: Editor, text: str) -> Done | None:
    result = curl.from_curl(text)
    if result.faults and not result.spec.url:
        editor.form.faults["curl"] = " ".join(result.faults)
        return Done(422)
    notes = [*result.faults, *result.notes]
    if result.ignored:
        notes.append(f"Ignored options: {', '.join(map(str, result.ignored))}.")
    pasted = _with_secrets(editor, result, notes)
    spec = StepSpec(request=pasted.request, name=editor.form.name, timeout=result.timeout or 60)
    _fill(editor, spec, pasted.notes, "the cURL command")
    return None


def _with_secrets(editor: Editor, result: Imported, notes: list[str]) -> _Pasted:
    """An admin's credentials become secrets at once, where that was ticked: for the host of the command and no other.
    Others are told to."""
    found, host = result.credentials, secrethosts.literal_origin(result.spec.url)
    if not found:
        return _Pasted(result.spec, notes)
    if request.form.get("keep_secrets") != "1" or not may("admin") or host is None:
        names = ", ".join(f"{{{{secret.{one.name}}}}}" for one in found)
        return _Pasted(
            result.spec, [*notes, f"This command carries a credential. Keep it under Secrets and write {names}."]
        )
    stored = catalogue.stored_secrets(account_id())
    kept, new = _named(found, {name: parts().vault.decrypt(one.token).decode() for name, one in stored.items()})
    known = {one.name: secrethosts.load(stored[one.name].hosts) for one in kept if one not in new}
    with editing():
        for one in new:
            installation.put_secret(parts().vault, account_id(), one.name, one.value, time.time(), hosts=(host,))
    editor.__dict__.pop("names", None)
    return _Pasted(curl.with_secrets(result.spec, kept), [*notes, *_said_of([one.name for one in new], known, host)])


def _said_of(new: list[str], known: dict[str, Hosts], host: str) -> Iterator[str]:
    """A list that is there already is not made longer by a command: that asks for the value again."""
    if new:
        names = ", ".join(new)
        yield f"Stored under Secrets now, whether or not you save the step: {names}. It may be sent to {host}."
    if known:
        yield f"Was kept under Secrets already: {', '.join(known)}."
    if elsewhere := [name for name, hosts in known.items() if not secrethosts.may_be_sent(hosts, host)]:
        yield f"May not be sent to {host} yet: {', '.join(elsewhere)}. Add the host under Secrets."


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
