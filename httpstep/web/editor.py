"""The step editor as a value: the form as it is on the screen, and what the machine knows beside it.

The views of the editor's blueprints make one, change its form, and render a part of it or the whole page.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from flask import abort, current_app, render_template, request

from httpstep import ratelimit, runs, stepform
from httpstep.core import jsontext, mapping, placeholders, reading, rendering
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.mapping import CallFacts
from httpstep.core.model import HttpResponse, Json, StepSpec
from httpstep.models import logs, overview, steps
from httpstep.models.tables import Log, Step, StepState
from httpstep.stepform import StepForm
from httpstep.web import tree
from httpstep.web.access import current_user, may

if TYPE_CHECKING:
    from httpstep.web.drift import DriftView
    from httpstep.web.testing import Shown

NEW: Final = "new"


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON answer that rows and tree read. log_id: the test it came from, None for the accepted sample or pasted text."""

    value: Json
    call: CallFacts | None = None
    log_id: int | None = None
    pasted: bool = False


@dataclass(frozen=True, slots=True)
class TestValue:
    """One value for test. hint: a sentence where the name is new or has a default."""

    name: str
    typed: str
    hint: str = ""


@dataclass
class Editor:
    """row and state are None for a step that was never saved. notice: a sentence for the top of the page."""

    ref: str
    form: StepForm
    row: Step | None = None
    state: StepState | None = None
    shown: Shown | None = None
    preview: Any = None
    notice: str = ""
    conflict: bool = False
    ignored: list[str] = field(default_factory=list)
    now: float = field(default_factory=time.time)
    fresh: Document | None = None

    @property
    def is_new(self) -> bool:
        return self.row is None

    @property
    def can_edit(self) -> bool:
        return may("editor")

    @property
    def step_id(self) -> int | None:
        return self.row.id if self.row else None

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
        """An input for each attribute the form uses, filled with what was typed, else with the catalogue's sample."""
        return [TestValue(name, self._value(name), self._hint(name)) for name in self.attributes_used]

    def _value(self, name: str) -> str:
        typed = self.form.values.get(name)
        if typed is not None or name not in self.names.samples:
            return typed or ""
        return stepform.typed_text(jsontext.loads(self.names.samples[name]))

    def _hint(self, name: str) -> str:
        if name in self.names.defaults:
            default = stepform.typed_text(jsontext.loads(self.names.defaults[name]))
            return f"If it is not there: {tree.short_text(default, 40) if default else 'nothing'}."
        known = placeholders.lookup(name, dict.fromkeys(self.names.attributes)) is not placeholders.NOT_FOUND
        parts = name.split(".")
        inside = any(".".join(parts[:length]) in self.names.attributes for length in range(1, len(parts)))
        return "" if known or inside else "New name: your bot has to send it with each call."

    @property
    def given(self) -> dict[str, Json]:
        """The attributes of a test: what is typed, and samples for what was never on the screen."""
        filled = {value.name: value.typed for value in self.values if value.typed.strip()}
        return {name: stepform.typed_value(text) for name, text in filled.items()}

    @property
    def host(self) -> str:
        """Whom the step calls, in a word, for the progress line."""
        return host_of(self.form.url)

    @property
    def budget(self) -> ratelimit.Budget:
        return ratelimit.budget_of(account_id(), current_user().account.per_minute)

    @cached_property
    def logs(self) -> list[Log]:
        if self.row is not None:
            return logs.newest(account_id(), step_id=self.row.id)
        return logs.newest(account_id(), draft_id=self.form.draft_id) if self.form.draft_id else []

    @cached_property
    def document(self) -> Document | None:
        """The JSON answer the mapping is made on: the test's, a pasted one, else the accepted sample."""
        if self.fresh is not None:
            return self.fresh
        if self.form.sample.strip():
            return _read(self.form.sample.encode(), pasted=True)
        if self.form.tested_log is not None:
            return document_of_log(self.log(self.form.tested_log))
        return _read(self.state.sample) if self.state and self.state.sample else None

    @cached_property
    def tree(self) -> tree.Node | None:
        if self.document is None:
            return None
        whole = self.document.pasted or self.fresh is not None and self.document.log_id is None
        return tree.tree_of(self.document.value, tree.names_by_path(self.form.rules), whole=whole)

    def log(self, log_id: int | None) -> Log | None:
        """A log row of this step or draft. Others, also of this account, are not found."""
        found = logs.get(account_id(), log_id) if log_id is not None else None
        if found is None:
            return None
        mine = found.step_id == self.row.id if self.row and found.step_id else found.draft_id == self.form.draft_id
        return found if mine else None

    def fill_samples(self) -> None:
        """What each row of the mapping gives on the answer that is on the screen."""
        known = self.document
        for row in self.form.rules:
            rule = stepform.rule_of(row)
            if rule is None or (rule.call is not None and (known is None or known.call is None)):
                continue
            if known is not None:
                call = known.call or CallFacts(None, None, 0, ())
                result = mapping.apply_rules((rule,), known.value, True, call).rows[0]
                row.sample, row.state, row.why = result.value, result.state, result.why

    @cached_property
    def drift(self) -> DriftView | None:
        from httpstep.web.drift import drift_view

        return drift_view(self)

    def marked_later(self) -> None:
        """The state was written by a test: read it anew."""
        if self.row is not None:
            self.state = steps.state(self.row.id)
        for name in ("logs", "drift"):
            self.__dict__.pop(name, None)


def account_id() -> int:
    return current_user().account_id


def parts() -> runs.Parts:
    found: runs.Parts = current_app.extensions["httpstep"]
    return found


def tenant() -> runs.Tenant:
    account = current_user().account
    return runs.Tenant(account.id, account.per_minute, account.in_flight)


def base_url() -> str:
    return str(current_app.config["HTTPSTEP"].base_url or request.host_url.rstrip("/"))


def host_of(url: str) -> str:
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        host = ""
    return host if host and "{{" not in host else "the API"


# ---------------------------------------------------------------- making one


def step_or_404(ref: str) -> Step | None:
    """The account's step; None for "new"."""
    if ref == NEW:
        return None
    step = steps.get(account_id(), int(ref)) if ref.isascii() and ref.isdigit() and len(ref) < 16 else None
    return step if step is not None else abort(404)


def opened(ref: str) -> Editor:
    """The editor as it is opened: the saved step, with the rules a bot's call made where none were set."""
    row = step_or_404(ref)
    if row is None:
        return Editor(NEW, stepform.new_form())
    state = steps.state(row.id)
    form = stepform.of_spec(steps.document_of(row))
    form.version = row.version
    if not form.mapping_set and state.automatic is not None:
        form.rules, form.mapping_set = stepform.rows_of(steps.rules_of(state.automatic)), True
    editor = Editor(str(row.id), form, row, state)
    editor.fill_samples()
    return editor


def submitted(ref: str) -> Editor:
    """The editor with the form as it was sent."""
    row = step_or_404(ref)
    form = stepform.read(request.form)
    if row is None and not form.draft_id:
        form.draft_id = stepform.new_form().draft_id
    return Editor(NEW if row is None else str(row.id), form, row, steps.state(row.id) if row else None)


# ---------------------------------------------------------------- rendering


def page(editor: Editor, status: int = 200) -> tuple[str, int]:
    """The whole page."""
    editor.fill_samples()
    return render_template("steps/editor.html", editor=editor, form=editor.form), status


def fragment(template: str, editor: Editor, **more: Any) -> str:
    return render_template(template, editor=editor, form=editor.form, **more)


# ---------------------------------------------------------------- documents


def document_of_log(log: Log | None) -> Document | None:
    """The JSON answer a log row holds, None where it is none or was cut."""
    if log is None or log.response_body is None or not log.detail:
        return None
    detail = jsontext.loads(log.detail)
    answer = detail.get("response") or {}
    if answer.get("cut"):
        return None
    headers = tuple((name, value) for name, value in answer.get("headers", ()))
    failure = detail.get("failure") or {}
    call = CallFacts(log.status, failure.get("message"), log.duration_ms or 0, headers)
    return _read(log.response_body, headers, call, log.id)


def _read(
    body: bytes,
    headers: tuple[tuple[str, str], ...] = (),
    call: CallFacts | None = None,
    log_id: int | None = None,
    *,
    pasted: bool = False,
) -> Document | None:
    try:
        return Document(reading.read(HttpResponse(200, "", headers, body)), call, log_id, pasted)
    except UnreadableAnswer:
        return None
