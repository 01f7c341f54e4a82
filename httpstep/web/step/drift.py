"""JSON Structure Change Detected: the banner, and what can be done about it. All of it is form state until Save."""

from __future__ import annotations

from flask import Blueprint, Response, request
from msgspec import Struct

from httpstep.core import jsontext
from httpstep.core.jsontext import Json
from httpstep.web import stepform
from httpstep.web.access import access
from httpstep.web.editor.differences import before, remembered
from httpstep.web.editor.editor import Editor
from httpstep.web.editor.opening import opened, submitted
from httpstep.web.editor.page import fragments
from httpstep.web.fragments import respond
from httpstep.web.moves import Done
from httpstep.web.stepform import RuleRow

blueprint = Blueprint("drift", __name__)


@blueprint.route("/steps/<ref>/drift", methods=["GET", "POST"])
@access("viewer")
def banner(ref: str) -> Response:
    """The banner of the saved step, or (POST) of the form as it is on the screen, with what it has decided."""
    editor = submitted(ref) if request.method == "POST" else opened(ref)
    return respond(fragments(editor, "drift/_drift_banner.html"))


# ---------------------------------------------------------------- moves


def remap(editor: Editor, _: str) -> Done:
    """The rules read from the chosen places, and the new structure is the form's."""
    count = remap_and_accept(editor)
    moved = f"{count} {'row reads' if count == 1 else 'rows read'} from a new place." if count else ""
    return _accepted(editor, moved)


def accept(editor: Editor, _: str) -> Done:
    accept_structure(editor)
    return _accepted(editor)


def _accepted(editor: Editor, moved: str = "") -> Done:
    lost = editor.drift.lost_text if editor.drift is not None else ""
    return Done(said=" ".join(filter(None, ("The new structure is accepted.", moved, lost, "Save to keep it."))))


def keep(editor: Editor, _: str) -> Done:
    editor.form.drift_kept = True
    return Done(said="The old mapping stays in force. You are reminded when you open this step again.")


def undo(editor: Editor, _: str) -> Done:
    undo_accept(editor)
    return Done(said="Undone.")


# ---------------------------------------------------------------- what the form becomes


def remap_and_accept(editor: Editor) -> int:
    """Move the chosen rules and accept. Returns how many moved. A choice left open leaves its rule as it is."""
    sources: dict[str, Json] = {}
    for row in editor.form.rules:
        chosen = request.form.get(f"remap-{row.id}", "")
        if chosen and chosen != row.source:
            sources[row.id] = {"source": row.source, "kind": row.kind}
            row.source, row.kind = chosen, "path"
    _accept(editor, sources)
    return len(sources)


class Marked(Struct, frozen=True):
    """A mark that explained a whole difference. before: what was marked until then; added: the row made for it."""

    before: str
    added: RuleRow | None


def accept_structure(editor: Editor, marked: Marked | None = None) -> None:
    """Accept without moving a rule. marked: what made this right."""
    _accept(editor, {}, marked)


def _accept(editor: Editor, sources: dict[str, Json], marked: Marked | None = None) -> None:
    later, form = editor.log(_later(editor)), editor.form
    if later is None or not later.structure:
        return
    was: dict[str, Json] = {"sources": sources, "accepted": form.accepted_log, "again": form.accepted_again}
    if marked is not None:
        was |= {"dictionaries": marked.before, "added": marked.added.id if marked.added else None}
    form.before_remap = jsontext.dumps_text(was)
    form.drift_log, form.accepted_log, form.accepted_again, form.drift_kept = later.id, later.id, None, False
    editor.compare_anew()


def use_structure(editor: Editor, wanted: str) -> Done:
    """Accept one of the history again, by its id; with none, what was in force stays so. The last test is compared."""
    form = editor.form
    found = editor.sources.accepted_before(stepform.whole_number(wanted))
    form.accepted_again, form.accepted_log = (found.id if found else None), None
    form.before_remap, form.drift_kept = "", False
    tested = editor.log(form.tested_log)
    form.drift_log = tested.id if tested is not None and tested.structure else None
    editor.compare_anew()
    return Done(said="Save to use it from now on." if found else "It stays as it is.")


def _later(editor: Editor) -> int | None:
    return editor.form.drift_log or (editor.state.drift_log_id if editor.state else None)


def undo_accept(editor: Editor) -> None:
    """The sources and the accepted structure as they were before."""
    form = editor.form
    for row_id, was in before(form).items():
        row = form.rule(row_id)
        if row is not None and isinstance(was, dict):
            row.source, row.kind = str(was.get("source", "")), str(was.get("kind", ""))
    was = remembered(form)
    accepted, again, dictionaries = was.get("accepted"), was.get("again"), was.get("dictionaries")
    form.accepted_log = accepted if isinstance(accepted, int) else None
    form.accepted_again = again if isinstance(again, int) else None
    form.dictionaries = dictionaries if isinstance(dictionaries, str) else form.dictionaries
    form.rules = [row for row in form.rules if row.id != was.get("added")]
    form.before_remap = ""
    editor.compare_anew()
