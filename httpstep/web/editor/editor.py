"""The step editor as a value: the form as it is on the screen, and what the machine knows beside it.

The views of the editor's blueprints make one, change its form, and render a part of it or the whole page.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from flask import render_template, request

from httpstep.alerts import alerts
from httpstep.core import jsontext
from httpstep.core.answer import mapping
from httpstep.core.answer.mapping import CallFacts
from httpstep.core.document import visible
from httpstep.core.drift.marking import marked
from httpstep.core.jsontext import Json
from httpstep.core.outcome.fallback import SUCCESS
from httpstep.core.request import rendering
from httpstep.core.step.spec import StepSpec
from httpstep.execution import drifting, ratelimit
from httpstep.storage import (
    logs,
    overview,
    steps,
    structures,
)
from httpstep.storage.database import end_transaction
from httpstep.storage.tables import Log, Step, StepState
from httpstep.web import stepform
from httpstep.web.access import current_user, may
from httpstep.web.addressed import NEW, gone, is_gone, row_or_404
from httpstep.web.editor import (
    acceptance,
    differences,
    documents,
    marking,
    testvalues,
    tree,
)
from httpstep.web.editor.acceptance import Accepted
from httpstep.web.editor.documents import Document
from httpstep.web.editor.entries import Entry
from httpstep.web.editor.testvalues import TestValue
from httpstep.web.here import account_id, parts
from httpstep.web.stepform import StepForm


@dataclass(frozen=True, slots=True)
class Shown:
    """The result of a test, masked. Without an entry no call was made, and `refused` and `why` say so.

    wait: seconds until the next call is possible. invalid: the form is not right.
    """

    entry: Entry | None = None
    refused: str = ""
    why: str = ""
    wait: int = 0
    invalid: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """The request as it would go out, masked; or why it cannot."""

    line: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    warnings: tuple[str, ...] = ()
    filled_empty: tuple[str, ...] = ()
    fault: str = ""


@dataclass
class Editor:
    """row and state are None for a step that was never saved. typed: the form is as it was sent, so it may hold
    what is not saved. notice: a sentence for the top of the page; body_note: one for the body; again: the values for
    test are those of a call of the logs. ignored: what was not taken of a pasted text, which `filled_from` names. pasted: a text that was
    refused and may be shown again, which a command with a credential may not."""

    ref: str
    form: StepForm
    row: Step | None = None
    state: StepState | None = None
    shown: Shown | None = None
    preview: Preview | None = None
    notice: str = ""
    body_note: str = ""
    conflict: bool = False
    typed: bool = False
    mail_reset: bool = False
    again: bool = False
    ignored: list[str] = field(default_factory=list)
    filled_from: str = ""
    pasted: str = ""
    now: float = field(default_factory=time.time)
    fresh: Document | None = None

    @property
    def is_new(self) -> bool:
        return self.ref == NEW

    @property
    def can_edit(self) -> bool:
        return may("editor")

    @property
    def can_address(self) -> bool:
        """Whether this user may choose whom alert mails go to."""
        return may("admin")

    @property
    def step_id(self) -> int | None:
        return None if self.is_new else int(self.ref)

    @property
    def title(self) -> str:
        return self.form.name.strip() or ("New step" if self.is_new else "Step without a name")

    @cached_property
    def names(self) -> overview.Names:
        return overview.names_for(account_id(), self.step_id)

    @cached_property
    def attributes_used(self) -> list[str]:
        return rendering.attributes_used(StepSpec(request=stepform.request_of(self.form)))

    @property
    def unknown_secrets(self) -> list[str]:
        used = rendering.secrets_used(StepSpec(request=stepform.request_of(self.form)))
        return [name for name in used if name not in self.names.secrets]

    @property
    def values(self) -> list[TestValue]:
        return testvalues.values_for(self.attributes_used, self.form.values, self.last_given, self.names)

    @property
    def given(self) -> dict[str, Json]:
        """The attributes of a test: what is typed, and samples for what was never on the screen."""
        return testvalues.given_by({value.name: value.typed for value in self.values})

    def repeat(self, log: Log) -> None:
        """The values for test as that call had them, and none where it had none: no sample, no value of another test."""
        given = (jsontext.read_back(log.detail).get("given") if log.detail else None) or {}
        self.form.values = testvalues.as_given(self.attributes_used, given)

    @cached_property
    def last_given(self) -> dict[str, Json]:
        """The attributes of the newest test that is kept."""
        newest = next((log for log in self.logs if log.source == "test" and log.detail), None)
        given = jsontext.read_back(newest.detail).get("given") if newest is not None and newest.detail else None
        return given if isinstance(given, dict) else {}

    @property
    def host(self) -> str:
        """Whom the step calls, in a word, for the progress line."""
        return host_of(self.form.url)

    @property
    def mail_on(self) -> bool:
        return parts().alerts.on

    @property
    def undelivered(self) -> alerts.Undelivered | None:
        return alerts.undelivered(self.state.step_id) if self.state else None

    @property
    def next_alert(self) -> float:
        """When the next mail is possible, in seconds since the epoch."""
        return (self.state.last_alert_at or 0) + alerts.HOUR if self.state else 0

    @cached_property
    def budget(self) -> ratelimit.Budget:
        return ratelimit.budget_of(account_id(), current_user().account.per_minute)

    @cached_property
    def logs(self) -> list[Log]:
        if self.step_id is not None:
            return logs.newest(account_id(), step_id=self.step_id)
        return logs.newest(account_id(), draft_id=self.form.draft_id) if self.form.draft_id else []

    @property
    def missing(self) -> list[str]:
        """Attributes of the rows for which the last successful answer had nothing."""
        last = next((log for log in self.logs if log.outcome == SUCCESS and log.detail), None)
        rules = [rule for rule in map(stepform.rule_of, self.form.rules) if rule is not None]
        return overview.missing_of(last, rules) if last is not None else []

    @cached_property
    def document(self) -> Document | None:
        """The JSON answer on the screen: the test's, a pasted one, else the accepted sample."""
        if self.fresh is not None:
            return self.fresh
        if self.form.sample.strip():
            return documents.of_body(self.form.sample.encode(errors="replace"), pasted=True)
        if self.form.tested_log is not None:
            return documents.of_log(self.log(self.form.tested_log))
        return documents.of_body(self.state.sample) if self.state else None

    @property
    def mapped_document(self) -> Document | None:
        """The answer the mapping is made on: the one on the screen, the accepted one where that is of a failed call."""
        if self.document is not None and not self.document.failed:
            return self.document
        accepted = self.accepted or self.in_force
        return accepted.document if accepted is not None else None

    @cached_property
    def tree(self) -> tree.Node | None:
        if self.document is None:
            return None
        whole = self.document.pasted or self.document.cut
        return tree.tree_of(self.document.value, tree.names_by_path(self.form.rules), whole=whole)

    def log(self, log_id: int | None) -> Log | None:
        """A log row of this step or draft. Others, also of this account, are not found."""
        found = logs.get(account_id(), log_id) if log_id is not None else None
        if found is None:
            return None
        mine = found.draft_id == self.form.draft_id if found.step_id is None else found.step_id == self.step_id
        return found if mine else None

    def fill_samples(self) -> None:
        """What each row of the mapping gives: those about the call on the call that is on the screen, all others on the
        answer the mapping is made on."""
        known, call = self.mapped_document, self.document.call if self.document is not None else None
        for row in self.form.rules:
            rule = stepform.rule_of(row)
            if rule is None or (known if rule.call is None else call) is None:
                continue
            document = known.value if known is not None else None
            result = mapping.apply_rules(
                (rule,), document, known is not None, call or CallFacts(None, None, 0, ())
            ).rows[0]
            row.sample, row.state, row.why = result.value, result.state, result.why

    @cached_property
    def drift(self) -> differences.DriftView | None:
        """The difference between the accepted structure and a later answer: the test's, or the one that marked the step."""
        form, state = self.form, self.state
        later = self.log(form.drift_log or (state.drift_log_id if state else None))
        if later is None or not later.structure:
            return differences.remembered_view(state) if state and state.drift else None
        new = self.fresh if self.fresh is not None and later.id == form.tested_log else documents.of_log(later)
        if form.accepted_log == later.id:
            return differences.accepted_view(form, later, new) if form.drift_log else None
        accepted = self.accepted or self.in_force
        if accepted is None:
            return None
        latest = marked(jsontext.read_back(later.structure), stepform.dictionaries_of(form))
        usual = drifting.usual_before(self.logs, later, accepted.structure)
        kept = drifting.like_asked(usual, later)
        old = documents.of_log(kept) or accepted.document
        ask_again = usual[0].id if usual and kept is None and not self.is_new else None
        return differences.view_of(form, differences.Sides(accepted.structure, latest, old, new, later, ask_again))

    @property
    def missing_now(self) -> list[str]:
        """The attributes that the last test's answer does not give, with the rows as they are now."""
        if self.document is None or (self.document.log_id is None and self.fresh is None):
            return []
        return [row.attribute for row in self.form.rules if row.on and row.state in ("missing", "default")]

    @property
    def is_undecided(self) -> bool:
        """Whether the last test's structure differs, and the form has not accepted it."""
        tested = self.log(self.form.tested_log)
        return bool(tested and tested.structure_changed and self.drift and not self.drift.accepted)

    @cached_property
    def accepted(self) -> Accepted | None:
        """What Save will accept: what a test saw, or one of the history. None where it leaves the structure as it is."""
        dictionaries = stepform.dictionaries_of(self.form)
        again = structures.accepted_before(self.step_id, self.form.accepted_again)
        if again is not None:
            return acceptance.of_kept(again, dictionaries)
        log = self.log(self.form.accepted_log)
        return None if log is None else acceptance.of_log(log, dictionaries)

    @property
    def in_force(self) -> Accepted | None:
        """The accepted structure, read with the dictionaries that the form has."""
        return None if self.state is None else acceptance.of_kept(self.state, stepform.dictionaries_of(self.form))

    @property
    def settled(self) -> Accepted | None:
        """The structure in force, where the dictionaries of the form explain the difference the step is marked with."""
        return self.in_force if self.state is not None and self.state.drift and self.drift is None else None

    @cached_property
    def history(self) -> list[acceptance.Past]:
        return acceptance.history_of(structures.history(self.step_id)) if self.step_id is not None else []

    @property
    def suggestions(self) -> list[marking.Suggestion]:
        """Objects of the answer the mapping is made on that look like dictionaries."""
        known = self.mapped_document
        return marking.suggestions(self.form, known.value) if known is not None else []

    def compare_anew(self) -> None:
        """What is accepted or marked in the form has changed."""
        for name in ("drift", "accepted"):
            self.__dict__.pop(name, None)

    def marked_later(self) -> None:
        """Something beside this request's session wrote to the step's state: read it anew. 404 where the step went."""
        end_transaction()
        self.row = step_or_404(self.ref)
        self.state = self.row.state if self.row else None
        for name in ("logs", "drift", "accepted", "history", "budget"):
            self.__dict__.pop(name, None)


def host_of(url: str) -> str:
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        host = ""
    return host if host and "{{" not in host else "the API"


# ---------------------------------------------------------------- making one


def step_or_404(ref: str, *, typed: bool = False) -> Step | None:
    """The account's step; None for "new". typed: its form was sent."""
    return row_or_404(ref, steps.get, "step", typed=typed)


def opened(ref: str) -> Editor:
    """The editor as it is opened: the saved step, with the rules a bot's call made where none were set."""
    row = step_or_404(ref)
    if row is None:
        return Editor(NEW, stepform.new_form())
    state = row.state
    form = stepform.of_spec(visible.step_for(steps.document_of(row), may_edit=may("editor")))
    form.version = row.version
    if not form.mapping_set and state.automatic is not None:
        form.rules, form.mapping_set = stepform.rows_of(steps.rules_of(state.automatic)), True
    editor = Editor(str(row.id), form, row, state)
    editor.fill_samples()
    return editor


def submitted_or_new(ref: str) -> Editor:
    """The editor with the form as it was sent. Where its step was deleted meanwhile, the form of a new one."""
    lost = is_gone(ref, steps.get)
    editor = submitted(NEW if lost else ref)
    editor.notice = gone("step", typed=True) if lost else ""
    return editor


def submitted(ref: str) -> Editor:
    """The editor with the form as it was sent."""
    row = step_or_404(ref, typed=True)
    form = stepform.read(request.form)
    if row is None and not form.draft_id:
        form.draft_id = stepform.new_form().draft_id
    if not may("admin"):
        form.emails_kept = steps.document_of(row).alert_emails if row else ()
        form.alert_emails = request.form.get("alert_emails", ", ".join(form.emails_kept))
    state = row.state if row else None
    return Editor(NEW if row is None else str(row.id), form, row, state, typed=True)


# ---------------------------------------------------------------- rendering


def page(editor: Editor, status: int = 200) -> tuple[str, int]:
    """The whole page."""
    editor.fill_samples()
    return render_template("steps/editor.html", editor=editor, form=editor.form), status


def fragment(template: str, editor: Editor, **more: Any) -> str:
    return render_template(template, editor=editor, form=editor.form, **more)
