"""The step editor while it is worked on: the form as it is on the screen, and what the machine knows beside it.

The views of the editor's blueprints make one, change its form, and render a part of it or the whole page
(`httpstep.web.editor.page`). No template sees it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import cached_property
from typing import TypeGuard

from msgspec import Struct, field
from msgspec.structs import replace

from httpstep.core import jsontext
from httpstep.core.answer.mapping import CallFacts, apply_rules
from httpstep.core.documentreader import Fault
from httpstep.core.drift.marking import with_dictionaries
from httpstep.core.importing.source import Choices
from httpstep.core.inserting.sentences import Sentence, sentence_of
from httpstep.core.jsontext import Json
from httpstep.core.request import rendering
from httpstep.core.step.execution import MappedRow
from httpstep.core.step.spec import RequestSpec, StepSpec
from httpstep.execution import drifting
from httpstep.storage import logs, overview, steps
from httpstep.storage.database import end_transaction, writing
from httpstep.storage.tables import AcceptedStructure, Log, Step, StepState
from httpstep.web import stepform
from httpstep.web.addressed import NEW, is_there
from httpstep.web.editor import acceptance, differences, documents, testvalues
from httpstep.web.editor.acceptance import Accepted
from httpstep.web.editor.documents import AnswerDocument
from httpstep.web.editor.entries import LogView
from httpstep.web.editor.sources import Sources
from httpstep.web.editor.testvalues import TestValue
from httpstep.web.here import account_id
from httpstep.web.stepform import StepForm, conditions


class Shown(Struct, frozen=True):
    """The result of a test, masked. Without an entry no call was made, and `refused` and `why` say so.

    wait: seconds until the next call is possible. invalid: the form is not right. empty: the values for test that the
    call needs and that are not given.
    """

    entry: LogView | None = None
    refused: str = ""
    why: str = ""
    wait: int = 0
    invalid: bool = False
    empty: tuple[str, ...] = ()


class Preview(Struct, frozen=True):
    """The request as it would go out, masked; or why it cannot."""

    line: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    warnings: tuple[str, ...] = ()
    filled_empty: tuple[str, ...] = ()
    fault: str = ""


class Saved(Struct, frozen=True):
    """The step as it was saved last, and by whom; a value, so that it can be looked at after the call of a test."""

    step: steps.LoadedStep
    by: str
    at: float

    @classmethod
    def of(cls, row: Step) -> Saved:
        return cls(steps.loaded(row), row.updated_by, row.updated_at)


class Editor(Struct, dict=True):
    """saved and state are None for a step that was never saved. typed: the form is as it was sent, so it may hold
    what is not saved. notice: a sentence for the top of the page; body_note: one for the body; again: the values for
    test are those of the call of this log. ignored: what was not taken of a pasted text, which `filled_from` names.
    choices: the requests of a pasted document, to choose one.
    pasted: a text that was refused and may be shown again, which a command with a credential may not. fresh: the answer
    of a test that was just made, masked."""

    ref: str
    form: StepForm
    saved: Saved | None = None
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
    choices: Choices | None = None
    pasted: str = ""
    now: float = field(default_factory=time.time)
    fresh: AnswerDocument | None = None

    @property
    def is_new(self) -> bool:
        return self.ref == NEW

    @property
    def saved_key(self) -> str:
        return self.saved.step.spec.key if self.saved else ""

    @property
    def version(self) -> int | None:
        return self.form.version

    def note(self, faults: Iterable[Fault]) -> None:
        self.form.note(faults)

    def overtaken_by(self, error: steps.Conflict) -> None:
        self.ref, self.saved, self.conflict = str(error.step.id), Saved.of(error.step), True
        self.form.version = steps.UNSEEN if self.form.version is None else self.form.version

    @property
    def step_id(self) -> int | None:
        return None if self.is_new else int(self.ref)

    @cached_property
    def sources(self) -> Sources:
        form, marked_by = self.form, self.state.drift_log_id if self.state else None
        return Sources(self.step_id, form.draft_id, (form.tested_log, form.drift_log, form.accepted_log, marked_by))

    def log(self, log_id: int | None) -> Log | None:
        return self.sources.log(log_id)

    def renew(self) -> None:
        """Something beside this request's session wrote to the step's state: read it anew. 404 where the step went."""
        end_transaction()
        if self.is_new:
            self._follow_draft()
        before = self.__dict__.pop("sources", None)
        for made in ("drift", "accepted", "document", "asked_with"):
            self.__dict__.pop(made, None)
        history: list[AcceptedStructure] = []
        if self.step_id is not None:
            state, history = overview.state_with_history(self.step_id)
            self.state = is_there(state, "step")
        self.sources.know(history, before)

    def _follow_draft(self) -> None:
        """A draft that was saved while its test ran is a step now, and the test is the step's."""
        row = steps.of_draft(account_id(), self.form.draft_id)
        if row is None:
            return
        self.ref, self.saved = str(row.id), Saved.of(row)
        end_transaction()
        with writing() as connection:
            logs.adopt(connection, account_id(), self.form.draft_id, int(self.ref))

    # ------------------------------------------------------------ the values for test

    @property
    def request(self) -> RequestSpec:
        """As far as it is typed."""
        return stepform.request_of(self.form)

    @property
    def attributes_used(self) -> list[str]:
        return rendering.attributes_used(StepSpec(request=self.request))

    @property
    def values(self) -> list[TestValue]:
        return testvalues.values_for(
            self.attributes_used, self.form.values, self.sources.last_given, self.sources.names
        )

    @property
    def given(self) -> dict[str, Json]:
        """The attributes of a test: what is typed, and samples for what was never on the screen."""
        wanted, typed = self.attributes_used, self.form.values
        if all(name in typed for name in wanted):
            return testvalues.given_by({name: typed[name] for name in wanted})
        return testvalues.given_by({value.name: value.typed for value in self.values})

    def repeat(self, log: Log) -> None:
        """The values for test as that call had them, and none where it had none: no sample, no value of another test."""
        given = (jsontext.read_back(log.detail).get("given") if log.detail else None) or {}
        self.form.values = testvalues.as_given(self.attributes_used, given)

    # ------------------------------------------------------------ the answer on the screen

    @cached_property
    def document(self) -> AnswerDocument | None:
        """The JSON answer on the screen: the test's, a pasted one, else the accepted sample."""
        if self.fresh is None and self.form.sample.strip():
            return documents.of_body(self.form.sample.encode(errors="replace"), pasted=True)
        if self.fresh is not None or self.form.tested_log is not None:
            tested = self.fresh or documents.of_log(self.log(self.form.tested_log))
            return replace(tested, failed=True) if self.says_no(tested) else tested
        return documents.of_body(self.state.sample) if self.state else None

    @cached_property
    def asked_with(self) -> dict[str, Json] | None:
        """The values of the call that the answer on the screen is of; None where nobody knows. They may be others than
        those for the next test."""
        document, given = self.document, None
        if document is not None and document.call is not None:
            given = document.call.given
        elif document is not None and not document.pasted and self.state and self.state.sample:
            given = self.sources.given_for(self.state.sample)
        return None if given is None else testvalues.found_in(self.attributes_used, given)

    def says_no(self, answer: AnswerDocument | None) -> TypeGuard[AnswerDocument]:
        """Whether it is no success by what the form says now, whatever was said when it came."""
        return answer is not None and conditions.refuses(self.form, answer.value)

    @property
    def mapped_document(self) -> AnswerDocument | None:
        """The answer the mapping is made on: the one on the screen, the accepted one where that is of a failed call."""
        if self.document is not None and not self.document.failed:
            return self.document
        accepted = self.accepted or self.in_force
        return accepted.document if accepted is not None else None

    def results(self) -> dict[str, MappedRow]:
        """What each row of the mapping gives, by its id, as far as that is known: those about the call on the call that
        is on the screen, all others on the answer the mapping is made on."""
        known, call = self.mapped_document, self.document.call if self.document is not None else None
        found = {}
        for row in self.form.rules:
            rule = stepform.rule_of(row)
            if rule is None or (known if rule.call is None else call) is None:
                continue
            document = known.value if known is not None else None
            facts = call or CallFacts(None, None, 0, ())
            found[row.id] = apply_rules((rule,), document, known is not None, facts).rows[0]
        return found

    @property
    def sentence(self) -> Sentence:
        """What the bot would say with the values for test and, where the call went well, what the mapping gives: then
        with the values of that call, as a name of one order does not go with the state of another."""
        failed = self.document is not None and self.document.failed
        found, then = ({}, None) if failed else (self.results(), self.asked_with)
        named = [(row.attribute, found[row.id]) for row in self.form.rules if row.on and row.id in found]
        mapped = {name: one.value for name, one in named if one.state in ("ok", "default")}
        return sentence_of(self.form.says, mapped | self.given | (then or {}) | mapped, mapped)

    # ------------------------------------------------------------ its structure

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
        if accepted is None or self.says_no(new):
            return None
        latest = with_dictionaries(jsontext.read_back(later.structure), stepform.dictionaries_of(form))
        usual = drifting.usual_before(self.sources.logs, later, accepted.structure)
        kept = drifting.like_asked(usual, later)
        old = documents.of_log(kept) or accepted.document
        ask_again = usual[0].id if usual and kept is None and not self.is_new else None
        return differences.view_of(form, differences.Sides(accepted.structure, latest, old, new, later, ask_again))

    @cached_property
    def accepted(self) -> Accepted | None:
        """What Save will accept: what a test saw, or one of the history. None where it leaves the structure as it is."""
        dictionaries = stepform.dictionaries_of(self.form)
        again = self.sources.accepted_before(self.form.accepted_again)
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

    def compare_anew(self) -> None:
        """What is accepted or marked in the form has changed."""
        for name in ("drift", "accepted", "document", "asked_with"):
            self.__dict__.pop(name, None)
