"""What the editor's page prints, as one frozen value: gathered here, once; the templates only print it.

A template has the frame of the page and the parts that `NEEDS` names for it: of the others nothing is asked or worked
out. What a role may see and do is decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import urlsplit

from flask import render_template, request
from msgspec import Struct
from msgspec.structs import replace

from httpstep.core.importing.questions import Question, questions_of
from httpstep.core.importing.source import Choices
from httpstep.core.inserting.sentences import Sentence
from httpstep.core.jsontext import Json
from httpstep.core.request import rendering
from httpstep.core.step.spec import StepSpec
from httpstep.execution.budget import ratelimit
from httpstep.storage import keys, users
from httpstep.web import stepform
from httpstep.web.access import may
from httpstep.web.editor import acceptance, tree
from httpstep.web.editor.acceptance import Past
from httpstep.web.editor.differences import DriftView
from httpstep.web.editor.editor import Editor, Preview, Shown
from httpstep.web.editor.loglist import LogList, log_list_of
from httpstep.web.editor.mailstatus import MailStatus, mail_status_of
from httpstep.web.editor.rulelines import Mapping, Notes, lines_of, mapping_of, notes_of
from httpstep.web.editor.shellcommand import Usage, examples_for, usage
from httpstep.web.editor.testvalues import TestValue
from httpstep.web.here import account_id, base_url, parts
from httpstep.web.recipes.platforms import Recipe, recipes
from httpstep.web.stepform import ConditionRow, StepForm, conditions

Part = TypeVar("Part")


class Values(Struct, frozen=True):
    """The values for test; unknown_secrets: names that the request uses and nobody has stored. new: names that nobody
    in the account knows; not_kept: those, and those that only other steps ask for; empty: those a test was refused for; folded: one line of chips does, beside an answer."""

    inputs: list[TestValue]
    unknown_secrets: list[str]
    new: list[str]
    not_kept: list[str]
    empty: tuple[str, ...]
    folded: bool


class AnswerView(Struct, frozen=True):
    """The answer on the screen as a tree. log_id: the test that large parts of it are loaded from. failed: it is looked
    at and never mapped. asked_with: the values of its call (name, text); None where nobody knows them."""

    tree: tree.Node
    log_id: int | None
    pasted: bool
    cut: bool
    failed: bool
    can_map: bool
    asked_with: tuple[tuple[str, str], ...] | None


class EditorPage(Struct, frozen=True):
    """ref: of the step in addresses, "new" for one that was never saved. host: whom it calls, in a word. changed_by and
    changed_at: the save that was quicker, where `conflict`. key_makers: whom to ask for an API key, None where the reader
    may make one. has_key: a key that may run steps is in force. The parts that no template of this answer prints are None."""

    ref: str
    step_id: int | None
    form: StepForm
    title: str
    host: str
    is_new: bool
    is_off: bool
    can_edit: bool
    can_address: bool
    can_keep_secrets: bool
    mail_on: bool
    typed: bool
    notice: str
    body_note: str
    conflict: bool
    changed_by: str
    changed_at: float | None
    filled_from: str
    choices: Choices | None
    was_pasted: bool
    ignored: list[str]
    pasted: str
    shown: Shown | None
    preview: Preview | None
    again: bool
    bot_names: tuple[str, ...] | None = None
    values: Values | None = None
    usage: Usage | None = None
    recipes: tuple[Recipe, ...] = ()
    key_makers: list[str] | None = None
    has_key: bool = False
    budget: ratelimit.Budget | None = None
    mapping: Mapping | None = None
    history: list[Past] | None = None
    answer: AnswerView | None = None
    notes: Notes | None = None
    drift: DriftView | None = None
    logs: LogList | None = None
    mail: MailStatus | None = None
    suggested: list[ConditionRow] | None = None
    questions: tuple[Question, ...] | None = None
    sentence: Sentence | None = None


_PAGE: Final = "steps/editor.html"
NEEDS: Final = {
    _PAGE: (
        "bot_names",
        "values",
        "usage",
        "budget",
        "mapping",
        "history",
        "answer",
        "notes",
        "drift",
        "logs",
        "mail",
        "questions",
        "suggested",
        "sentence",
    ),
    "steps/_step_form.html": ("mapping", "history", "mail", "questions"),
    "steps/_mail_status.html": ("mail",),
    "steps/_usage.html": ("usage",),
    "steps/_more.html": (),
    "request_form/_body_editor.html": (),
    "request_form/_preview.html": (),
    "request_form/_success_when.html": (),
    "request_form/_success_suggestion.html": ("suggested",),
    "mapping/_mapping.html": ("mapping", "history"),
    "mapping/_structures.html": ("history",),
    "drift/_drift_banner.html": ("drift", "suggested"),
    "logs/_logs.html": ("logs",),
    "testing/_test_values.html": ("values",),
    "testing/_budget.html": ("budget",),
    "testing/_test_result.html": ("answer", "notes", "suggested", "mapping", "sentence"),
    "testing/_bubble.html": ("sentence",),
    "testing/_test_notes.html": ("notes",),
    "testing/_map_sample.html": (),
    "testing/_rate_limited.html": (),
}
"""The parts that each template prints, those it includes among them."""


# ---------------------------------------------------------------- rendering


def page(editor: Editor, status: int = 200) -> tuple[str, int]:
    """The whole page."""
    gathered = gather(editor, _PAGE)
    return render_template(_PAGE, page=gathered, form=gathered.form), status


def fragments(editor: Editor, *templates: str, beside: tuple[str, ...] = ()) -> str:
    """Parts of the page; those of `beside` are swapped beside the others (hx-swap-oob)."""
    gathered = gather(editor, *templates, *beside)
    return "".join(
        render_template(name, page=gathered, form=gathered.form, oob=place >= len(templates))
        for place, name in enumerate((*templates, *beside))
    )


# ---------------------------------------------------------------- gathering


def gather(editor: Editor, *templates: str) -> EditorPage:
    """What these templates print of the editor."""
    wanted = {part for template in templates for part in NEEDS[template]}
    lines = lines_of(editor) if wanted & {"mapping", "notes"} else []

    def part(name: str, make: Callable[[], Part]) -> Part | None:
        return make() if name in wanted else None

    return replace(
        _frame(editor),
        bot_names=part("bot_names", lambda: editor.sources.names.bot),
        values=part("values", lambda: _values(editor)),
        usage=part("usage", lambda: _usage(editor)),
        recipes=part("usage", lambda: _recipes(editor)) or (),
        key_makers=part("usage", _key_makers),
        has_key=part("usage", lambda: keys.has_one(account_id(), "execute")) or False,
        budget=part("budget", lambda: editor.sources.budget),
        mapping=part("mapping", lambda: mapping_of(editor, lines)),
        history=part("history", lambda: acceptance.history_of(editor.sources.history)),
        answer=part("answer", lambda: _answer(editor)),
        notes=part("notes", lambda: notes_of(editor, lines)),
        drift=part("drift", lambda: editor.drift),
        logs=part("logs", lambda: log_list_of(editor)),
        mail=part("mail", lambda: mail_status_of(editor)),
        questions=part("questions", lambda: _questions(editor)),
        sentence=part("sentence", lambda: editor.sentence),
        suggested=part("suggested", lambda: conditions.suggested(editor.form, editor.document)),
    )


def _frame(editor: Editor) -> EditorPage:
    form, saved = editor.form, editor.saved
    title = form.name.strip() or ("New step" if editor.is_new else "Step without a name")
    return EditorPage(
        ref=editor.ref, step_id=editor.step_id, form=form, title=title, host=_host_of(form.url), is_new=editor.is_new, is_off=bool(saved and not saved.step.spec.enabled),
        can_edit=may("editor"), can_address=may("admin"), can_keep_secrets=may("admin"), mail_on=parts().alerts.on, typed=editor.typed,
        notice=editor.notice, body_note=editor.body_note, conflict=editor.conflict,
        changed_by=saved.by if saved else "", changed_at=saved.at if saved else None,
        filled_from=editor.filled_from, choices=editor.choices, was_pasted=_was_pasted(editor), ignored=editor.ignored, pasted=editor.pasted, shown=editor.shown,
        preview=editor.preview, again=editor.again,
    )  # fmt: skip


def _was_pasted(editor: Editor) -> bool:
    return editor.is_new and bool(editor.filled_from or request.form.get("pasted") == "1")


def _questions(editor: Editor) -> tuple[Question, ...]:
    """The placeholders that still stand in a form that was filled from a pasted text."""
    return questions_of(stepform.request_of(editor.form), editor.sources.names.secrets) if _was_pasted(editor) else ()


def _host_of(url: str) -> str:
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        host = ""
    return host if host and "{{" not in host else "the API"


def _usage(editor: Editor) -> Usage:
    key = editor.saved.step.spec.key if editor.saved else "your-step"
    return usage(base_url(), key, _examples(editor))


def _recipes(editor: Editor) -> tuple[Recipe, ...]:
    if editor.saved is None:
        return ()
    gives = [rule.attribute for rule in editor.form.rules if rule.on and rule.attribute]
    return tuple(recipes(base_url(), editor.saved.step.spec.key, _examples(editor), gives))


def _examples(editor: Editor) -> dict[str, Json]:
    """The values for test; where they are those of a test that failed, of the newest that did not."""
    given, last = editor.given, editor.sources.last_given
    if all(given.get(name) == last.get(name) for name in editor.attributes_used):
        given = editor.sources.good_given
    return examples_for(editor.attributes_used, given, editor.sources.names)


def _key_makers() -> list[str] | None:
    """Whom to ask for a key; None where the reader may make one."""
    return None if may("admin") else users.admins(account_id())


def _values(editor: Editor) -> Values:
    used = rendering.secrets_used(StepSpec(request=editor.request))
    inputs, form = editor.values, editor.form
    has_answer = form.tested_log is not None or bool(form.sample) or bool(editor.state and editor.state.sample)
    return Values(
        inputs,
        [name for name in used if name not in editor.sources.names.secrets],
        [value.name for value in inputs if value.is_new],
        [value.name for value in inputs if not value.is_kept],
        editor.shown.empty if editor.shown else (),
        has_answer and all(value.typed for value in inputs),
    )


def _answer(editor: Editor) -> AnswerView | None:
    document = editor.document
    if document is None:
        return None
    whole = document.pasted or document.cut
    node = tree.tree_of(document.value, tree.names_by_path(editor.form.rules), whole=whole)
    can_map = may("editor") and not document.failed
    return AnswerView(
        node, document.log_id, document.pasted, document.cut, document.failed, can_map, _asked_with(editor)
    )


def _asked_with(editor: Editor) -> tuple[tuple[str, str], ...] | None:
    if not editor.attributes_used:
        return ()
    values = editor.asked_with
    return None if values is None else tuple((name, stepform.typed_text(one)) for name, one in values.items())
