"""What is pasted into a new step fills its form: whatever `core.importing` reads, and an exported step."""

from __future__ import annotations

from collections.abc import Iterator

from flask import request
from msgspec.structs import replace

from httpstep.core import jsontext
from httpstep.core.document import stepdocument, visible
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.importing.imported import Imported
from httpstep.core.importing.questions import answered
from httpstep.core.importing.source import Choices, Operation, Source
from httpstep.core.importing.steps import said_of
from httpstep.core.step.naming import MAX_NAME_CHARACTERS
from httpstep.core.step.spec import StepSpec
from httpstep.storage import steps
from httpstep.web import stepform
from httpstep.web.access import may
from httpstep.web.editor.editor import Editor
from httpstep.web.here import account_id
from httpstep.web.moves import Done
from httpstep.web.step import keepsecrets
from httpstep.web.stepform.parsing import mixes_line_ends

MAX_BYTES = 2 * 1024 * 1024


def read_pasted(editor: Editor, _: str) -> Done | None:
    """Fill the form from what was pasted; where it holds many requests, show them."""
    from httpstep.core.importing import anything  # with PyYAML: few processes are ever asked for it

    pasted = request.form.get("curl", "").strip()
    if pasted.startswith("{") and not anything.is_description(pasted):
        return _read_document(editor, pasted)
    source = anything.read(pasted, max_bytes=MAX_BYTES)
    if source.fault:
        return _refused(editor, source.fault, pasted)
    if len(source.operations) == 1:
        return _fill_from(editor, source, source.operations[0])
    editor.choices = Choices(anything.WORDS[source.format], source.operations, source.left_out)
    editor.pasted = pasted
    wanted = request.form.get("operation", "")
    chosen = source.find(wanted)
    if chosen is not None:
        editor.choices = None
        editor.pasted = ""
        return _fill_from(editor, source, chosen)
    if wanted:
        editor.form.faults["curl"] = "This operation is not in the text. Choose one of the list."
        return Done(422)
    return None


def _refused(editor: Editor, fault: str, pasted: str) -> Done:
    """A refused document may be shown again; a command may carry a credential, and is not."""
    editor.form.faults["curl"] = fault
    editor.pasted = pasted if pasted[:1] in "{[" else ""
    return Done(422)


def answer(editor: Editor, _: str) -> None:
    """Put what was pasted where the placeholders of the text stand."""
    spec = stepform.request_of(editor.form)
    for placeholder, value in zip(request.form.getlist("answer_for"), request.form.getlist("answer"), strict=False):
        if placeholder and value.strip():
            spec = answered(spec, placeholder, value.strip())
    old = editor.form
    form = stepform.of_spec(StepSpec(request=spec))
    old.url, old.headers, old.fields, old.auth = form.url, form.headers, form.fields, form.auth
    if old.body_mode == "json":
        old.json_text = form.json_text
    elif old.body_mode == "graphql":
        old.variables = form.variables


# ---------------------------------------------------------------- a request


def _fill_from(editor: Editor, source: Source, operation: Operation) -> Done | None:
    from httpstep.core.importing.anything import WORDS

    found = source.read(operation)
    notes = [*source.left_out, *said_of(found), *_about_credentials(found)]
    name = editor.form.name or found.name[:MAX_NAME_CHARACTERS]
    _fill(
        editor,
        StepSpec(request=found.spec, name=name, timeout=found.timeout or 60),
        notes,
        WORDS[source.format],
    )
    if editor.form.body_mode == "raw":
        editor.form.escape = "auto"
        notes += [_ONE_END.format(editor.form.line_ends.upper())] if mixes_line_ends(found.spec.body.text) else []
    for attribute, value in found.samples.items():
        editor.form.values.setdefault(attribute, stepform.typed_text(value))
    return None


_ONE_END = "Some lines of the body ended with CRLF and some with LF. All end with {} now."


def _about_credentials(found: Imported) -> Iterator[str]:
    """Where a save keeps them. Where it does not, each field for credentials says so of what is in it."""
    if host := keepsecrets.may_keep(found.spec):
        new, known = keepsecrets.names_of(found.credentials)
        if new:
            yield (
                f"It carries a credential. When you save the step it is kept under Secrets ({', '.join(new)}), "
                f"for {host} only."
            )
        if known:
            yield f"It carries a credential that is kept under Secrets already: when you save the step, {', '.join(known)} takes its place."
    elif unseen := [one.name for one in found.credentials if not one.place.startswith(_HAVE_A_LINE)]:
        names = ", ".join(f"{{{{secret.{name}}}}}" for name in unseen)
        yield f"This command carries a credential. Keep it under Secrets and write {names}."


_HAVE_A_LINE = ("headers[", "auth.token", "auth.password", "auth.value", "auth.client_secret")
"""Places where the editor itself offers to keep what is there as a secret."""


def _fill(editor: Editor, spec: StepSpec, notes: list[str], source: str) -> None:
    old = editor.form
    form = stepform.of_spec(spec)
    form.draft_id, form.values, form.emails_kept = old.draft_id, old.values, old.emails_kept
    editor.form, editor.ignored, editor.filled_from = form, notes, source


# ---------------------------------------------------------------- a step document


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
