"""The rows of the response mapping: form state until Save. Map from the tree, by hand, or from a pasted sample."""

from __future__ import annotations

from httpstep.core import jsontext
from httpstep.core.answer import automatic
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.jsontext import Path
from httpstep.core.query.jsonpath import normalized, parse_normalized
from httpstep.core.step.spec import MappingRule
from httpstep.storage import steps
from httpstep.web import stepform
from httpstep.web.editor import marking, rulelines
from httpstep.web.editor.documents import AnswerDocument
from httpstep.web.editor.editor import Editor
from httpstep.web.here import account_id
from httpstep.web.moves import Done
from httpstep.web.step import drift
from httpstep.web.stepform import RuleRow

CALL_NAMES = {"status": "http_status", "duration_ms": "duration_ms", "error": "error"}
"""Facts of the call that can be mapped, and the names their attributes begin with."""


def show_sample(editor: Editor, _: str) -> Done | None:
    """The tree of a pasted JSON, and the rows read on it. What is no JSON is said at its field alone."""
    try:
        jsontext.loads(editor.form.sample)
    except UnreadableAnswer as error:
        editor.form.faults["sample"] = error.message
        return Done(422, shows="testing/_map_sample.html")
    return None


def map_path(editor: Editor, text: str) -> None:
    """One row more for a place in the answer, as a JSON list or a normalized path. A place that is mapped already is not mapped twice."""
    path = _path(text)
    if path is None or any(row.path == path and row.take == "one" for row in editor.form.rules):
        return
    name = _free_name(editor, automatic_name(path))
    _append(editor, RuleRow(stepform.next_id(editor.form), normalized(path), "path", name))


def add_row(editor: Editor, call: str = "") -> None:
    """One row more for a fact of the call, or a blank one to type into."""
    name = CALL_NAMES.get(call, "")
    kind = "call" if call else ""
    attribute = _free_name(editor, name) if name else ""
    _append(editor, RuleRow(stepform.next_id(editor.form), call, kind, attribute))


def map_all(editor: Editor, _: str) -> None:
    """A row for every value that has none, of the answer the mapping is made on."""
    known = editor.mapped_document
    if known is None:
        return
    mapped = {row.path for row in editor.form.rules}
    for rule in _automatic(editor, known):
        if rule.path is not None and rule.path not in mapped:
            name = _free_name(editor, rule.attribute)
            _append(editor, RuleRow(stepform.next_id(editor.form), normalized(rule.path), "path", name))


def remove_row(editor: Editor, row_id: str) -> None:
    editor.form.rules = [row for row in editor.form.rules if row.id != row_id]
    editor.form.mapping_set = True
    note_duplicates(editor)


def mark_dictionary(editor: Editor, source: str) -> Done:
    """Mark an object as a dictionary. Where that explains the whole of a difference, the new structure is accepted. Of one
    that is mapped name by name there is a row for the whole beside them: a name may be gone in the next answer."""
    form, differed, before = editor.form, editor.drift is not None, editor.form.dictionaries
    marking.mark(form, source)
    added = _map_whole(editor, source)
    editor.compare_anew()
    if differed and editor.drift is None:
        drift.accept_structure(editor, drift.Marked(before, added))
    more = f" “{added.attribute}” has the whole of it." if added else ""
    return Done(said=f"Marked.{more} Save to keep it.")


def _map_whole(editor: Editor, source: str) -> RuleRow | None:
    """The row that is made for an object of which rows read single names; None where none was needed."""
    path, paths = _path(source), [row.path for row in editor.form.rules]
    if path is None or path in paths or not any(one and one[: len(path)] == path for one in paths):
        return None
    map_path(editor, source)
    return editor.form.rules[-1]


def note_duplicates(editor: Editor) -> None:
    """A sentence at each row whose attribute another row fills already."""
    first: dict[str, int] = {}
    for index, row in enumerate(editor.form.rules):
        if row.on and row.attribute and first.setdefault(row.attribute, index) != index:
            sentence = f"“{row.attribute}” is already filled by row {first[row.attribute] + 1}. Rename one of the two."
            editor.form.faults[f"mapping[{index}].attribute"] = sentence


def _append(editor: Editor, row: RuleRow) -> None:
    editor.form.rules.append(row)
    editor.form.mapping_set = True
    note_duplicates(editor)


def _path(text: str) -> Path | None:
    try:
        return parse_normalized(text) if text.startswith("$") else tuple(jsontext.loads(text))
    except (ValueError, TypeError, UnreadableAnswer):
        return None


def automatic_name(path: Path) -> str:
    """The name the automatic mapping would give this place if it were the only one."""
    document: object = "x"
    for part in reversed(path):
        document = {part: document} if isinstance(part, str) else [document]
    keys = [part for part in path if isinstance(part, str)]
    rules = automatic.automatic_rules(document, step_key="", taken=frozenset())
    return rules[-1].attribute if keys or len(rules) == 1 else "answer"


def _automatic(editor: Editor, known: AnswerDocument) -> tuple[MappingRule, ...]:
    taken = steps.names_taken(account_id(), editor.step_id)
    spec = stepform.parse(editor.form, draft=True)
    editor.form.faults = {}
    return automatic.automatic_rules(
        known.value, step_key=rulelines.keys_of(editor)[0], taken=taken,
        dictionaries=spec.dictionaries if spec else (),
    )  # fmt: skip


def _free_name(editor: Editor, name: str) -> str:
    """The name, with the step's key in front where another source has it, and with a number where a row has it."""
    used = {row.attribute for row in editor.form.rules}
    if name in editor.sources.names.attributes:
        name = f"{rulelines.keys_of(editor)[0]}_{name}"
    free, number = name, 1
    while free in used:
        number += 1
        free = f"{name}_{number}"
    return free[:100]
