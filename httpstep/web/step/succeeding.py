"""Counts as success when: rows of conditions, typed, taken from the tree, or as the answer itself suggests."""

from __future__ import annotations

from httpstep.core.answer import conditions
from httpstep.core.jsontext import Json
from httpstep.core.query.jsonpath import parse_normalized, source_in_words
from httpstep.core.step.spec import OPERATORS, AnswerPlace
from httpstep.web.editor import tree
from httpstep.web.editor.editor import Editor
from httpstep.web.moves import Done
from httpstep.web.stepform import ConditionRow, typed_text
from httpstep.web.stepform.conditions import suggested


def add_condition(editor: Editor, source: str) -> Done | None:
    """One row more: blank, or on a place in the answer with the value that stands there; a list or object is to be there.
    Of one that was taken from the tree, away from where it stands, a notice tells."""
    if not source:
        editor.form.success_when.append(ConditionRow())
        return None
    value = _value_at(editor, source)
    if value is None or isinstance(value, (list, dict)):
        row = ConditionRow(source, "exists")
    else:
        row = ConditionRow(source, "equals", typed_text(value))
    editor.form.success_when.append(row)
    means = f"{source_in_words(source, 60)} {OPERATORS[row.operator]} {tree.short_text(value, 40) if row.value else ''}"
    return Done(said=f"Succeeds from now on only if {means.strip()}.", undo="condition")


def remove_condition(editor: Editor, index: str) -> None:
    rows = editor.form.success_when
    editor.form.success_when = [row for number, row in enumerate(rows) if str(number) != index]


def add_expiry(editor: Editor, _: str) -> None:
    """One blank row more of those by which a token has expired."""
    editor.form.expired_when.append(ConditionRow())


def remove_expiry(editor: Editor, index: str) -> None:
    rows = editor.form.expired_when
    editor.form.expired_when = [row for number, row in enumerate(rows) if str(number) != index]


def suggest_conditions(editor: Editor, _: str) -> None:
    """The rows that the answer on the screen suggests. By these it may be no success any more."""
    editor.form.success_when += suggested(editor.form, editor.document)
    editor.compare_anew()


def _value_at(editor: Editor, source: str) -> Json:
    if editor.document is None:
        return None
    try:
        place = AnswerPlace(parse_normalized(source))
    except ValueError:
        return None
    found = conditions.found_at(place, editor.document.value)
    return found[0] if found else None
