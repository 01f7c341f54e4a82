"""The flow editor while it is worked on: the form as it is on the screen, and what the account has beside it. No template sees it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Final

from flask import request
from msgspec import Struct, field
from msgspec.structs import replace

from httpstep.core import jsontext
from httpstep.core.document import flow
from httpstep.core.document.flow import Condition, FlowSpec, FlowStep
from httpstep.core.documentreader import Fault
from httpstep.core.jsontext import Json
from httpstep.core.request.rendering import attributes_used
from httpstep.core.step.spec import StepSpec
from httpstep.storage import flows as stored
from httpstep.storage import overview, steps
from httpstep.storage.tables import Flow
from httpstep.web import stepform
from httpstep.web.addressed import NEW, gone, is_gone, row_or_404
from httpstep.web.editor.testvalues import given_by, is_inside
from httpstep.web.here import account_id

ALWAYS: Final = ""


class FlowRow(Struct):
    """A place in the flow as typed."""

    step: str = ""
    when: str = ALWAYS
    attribute: str = ""
    value: str = ""


class Saved(Struct, frozen=True):
    """The flow as it was saved last, and by whom."""

    id: int
    key: str
    by: str
    at: float

    @classmethod
    def of(cls, row: Flow) -> Saved:
        return cls(row.id, row.key, row.updated_by, row.updated_at)


class FlowEditor(Struct, dict=True):
    """The form as it is on the screen. saved: None for a new flow. typed: the form is as it was sent, so it may hold what
    is not saved. notice: a sentence for the top of the page. tested: it was sent for a test. answer: of the test; refused:
    why there is none, and wait: the seconds until one is possible."""

    ref: str
    name: str = ""
    key: str = ""
    version: int | None = None
    rows: list[FlowRow] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    saved: Saved | None = None
    faults: dict[str, str] = field(default_factory=dict)
    conflict: bool = False
    notice: str = ""
    typed: bool = False
    tested: bool = False
    answer: dict[str, Json] | None = None
    refused: str = ""
    wait: int = 0

    @property
    def is_new(self) -> bool:
        return self.ref == NEW

    @property
    def saved_key(self) -> str:
        return self.saved.key if self.saved else ""

    def overtaken_by(self, error: stored.Conflict) -> None:
        self.saved, self.conflict = Saved.of(error.row), True

    @cached_property
    def steps(self) -> dict[int, StepSpec]:
        """The account's steps by id, in the order of their names; with the mapping in force."""
        return {one.id: one.spec for one in steps.load_all(account_id())}

    @cached_property
    def names(self) -> overview.Names:
        return overview.names_for(account_id(), None)

    def spec(self) -> FlowSpec:
        """What the form describes; a row without a step of the account has the id 0."""
        places = []
        for row in self.rows:
            step_id = stepform.whole_number(row.step) or 0
            test = flow.operator_of(row.when)
            when = None if test is None else Condition(row.attribute.strip(), test, row.value)
            places.append(FlowStep(step_id if step_id in self.steps else 0, when))
        return FlowSpec(self.key.strip(), self.name.strip(), tuple(places))

    def note(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.faults.setdefault(fault.place, fault.message)

    def read_spec(self, *, draft: bool = False) -> FlowSpec | None:
        """The flow, None where it is not right. draft: for a test, which needs no name."""
        self.faults = {}
        spec = self.spec()
        empty = [index for index, place in enumerate(spec.places) if not place.step_id]
        self.note([Fault(f"places[{index}].step", "Choose a step.") for index in empty])
        self.note(flow.check(replace(spec, name=spec.name or "A draft") if draft else spec))
        return None if self.faults else spec

    @property
    def asked(self) -> list[str]:
        """The attributes the bot has to send: what a step or a condition reads and no step before it gives."""
        given: set[str] = set()
        asked: dict[str, None] = {}
        for place in self.spec().places:
            spec = self.steps.get(place.step_id)
            reads = [place.when.attribute] if place.when else []
            reads += attributes_used(spec) if spec else []
            asked |= {name: None for name in reads if name and not is_inside(name, given)}
            if spec and spec.enabled and place.when is None:  # another may be left out, and the bot's value be needed
                given |= {rule.attribute for rule in spec.mapping or () if rule.on}
        return list(asked)

    @property
    def test_values(self) -> dict[str, str]:
        """What is typed for each, else the sample."""
        samples = {
            name: stepform.typed_text(jsontext.read_back(text)) for name, text in self.names.samples.items() if text
        }
        return {name: self.values.get(name, samples.get(name, "")) for name in self.asked}

    @property
    def given(self) -> dict[str, Json]:
        return given_by(self.test_values)


# ---------------------------------------------------------------- making one


def flow_or_404(ref: str, *, typed: bool = False) -> Flow | None:
    """The account's flow; None for "new". typed: its form was sent."""
    return row_or_404(ref, stored.get, "flow", typed=typed)


def opened(ref: str) -> FlowEditor:
    row = flow_or_404(ref)
    if row is None:
        return FlowEditor(NEW, rows=[FlowRow(), FlowRow()])
    spec = stored.spec_of(row)
    rows = [
        FlowRow(str(one.step_id), one.when.test, one.when.attribute, one.when.value)
        if one.when
        else FlowRow(str(one.step_id))
        for one in spec.places
    ]
    return FlowEditor(str(row.id), row.name, row.key, row.version, rows, saved=Saved.of(row))


def submitted_or_new(ref: str) -> FlowEditor:
    """The form as it was sent. Where its flow was deleted meanwhile, the form of a new one."""
    lost = is_gone(ref, stored.get)
    editor = submitted(NEW if lost else ref)
    editor.notice = gone("flow", typed=True) if lost else ""
    return editor


def submitted(ref: str) -> FlowEditor:
    row, sent = flow_or_404(ref, typed=True), request.form
    columns = [sent.getlist(name) for name in ("step", "when", "attribute", "value")]
    rows = [FlowRow(*one) for one in zip(*columns, strict=False)][: 2 * flow.MAX_STEPS]
    values = {name.removeprefix("value:"): sent[name] for name in sent if name.startswith("value:")}
    return FlowEditor(
        NEW if row is None else str(row.id), sent.get("name", ""), sent.get("key", ""),
        stepform.whole_number(sent.get("version", "")), rows, values, None if row is None else Saved.of(row), typed=True,
    )  # fmt: skip
