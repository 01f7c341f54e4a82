"""The flow document: a flow as it is exported, imported and managed. It names its steps by their keys, since ids are this
database's own; `core.document.flow` has the flow as it is stored and run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from msgspec import Struct

from httpstep.core.document import flow
from httpstep.core.document.flow import MAX_STEPS, Condition, FlowSpec, FlowStep
from httpstep.core.document.kind import DocumentError, DocumentKind
from httpstep.core.documentreader import Fault
from httpstep.core.step.members import Object, Objects, Text, Word, member
from httpstep.core.step.spec import OPERATORS
from httpstep.core.step.stepkey import KEY_PATTERN


class FlowCondition(Struct, frozen=True):
    """value: text as typed; for one_of with commas between the values."""

    attribute: Annotated[str, member(Text(strip=True), required=True)] = ""
    operator: Annotated[str, member(Word(OPERATORS), name="is", required=True)] = "equals"
    value: Annotated[str, member(Text(), absent="")] = ""


class FlowEntry(Struct, frozen=True):
    """step: its key. when: None where it always runs."""

    step: Annotated[str, member(Text(pattern=KEY_PATTERN), required=True)] = ""
    when: Annotated[FlowCondition | None, member(Object(FlowCondition, nullable=True), absent=None)] = None


class FlowDocument(Struct, frozen=True):
    key: Annotated[str, member(Text(pattern=KEY_PATTERN))] = ""
    name: Annotated[str, member(Text(strip=True), required=True)] = ""
    steps: Annotated[tuple[FlowEntry, ...], member(Objects(FlowEntry, MAX_STEPS), required=True)] = ()


def described(spec: FlowSpec, keys: Mapping[int, str]) -> FlowDocument:
    """The document of a flow. keys: of its steps, by their ids."""
    return FlowDocument(
        spec.key, spec.name, tuple(FlowEntry(keys.get(one.step_id, ""), _told(one.when)) for one in spec.places)
    )


def resolved(document: FlowDocument, ids: Mapping[str, int]) -> FlowSpec:
    """The flow of a document. ids: of the account's steps, by their keys. Raises DocumentError for one that is not there."""
    if faults := list(unknown_steps(document, ids)):
        raise DocumentError(faults)
    return _spec(document, ids)


def unknown_steps(document: FlowDocument, keys: Mapping[str, object]) -> Iterator[Fault]:
    """A fault for each place whose step is not among the keys."""
    for index, one in enumerate(document.steps):
        if one.step not in keys:
            yield Fault(f"steps[{index}].step", f'There is no step with the key "{one.step[:63]}" in this account.')


def _told(when: Condition | None) -> FlowCondition | None:
    return None if when is None else FlowCondition(when.attribute, when.test, when.value)


def _condition(when: FlowCondition | None) -> Condition | None:
    return None if when is None else Condition(when.attribute, when.operator, when.value)


def _spec(document: FlowDocument, ids: Mapping[str, int]) -> FlowSpec:
    places = tuple(FlowStep(ids.get(one.step, 0), _condition(one.when)) for one in document.steps)
    return FlowSpec(document.key, document.name, places)


def _faults(document: FlowDocument) -> Iterator[Fault]:
    """Those of the page, at their places in the document."""
    for fault in flow.check(_spec(document, {})):
        index, _, condition = fault.place.removeprefix("places").partition(".")
        is_place = fault.place.startswith("places")
        yield Fault(f"steps{index}{condition and f'.when.{condition}'}" if is_place else fault.place, fault.message)


FLOW: Final = DocumentKind("flow", "httpstep-flow/1", FlowDocument, _faults)
