"""What saving changed of the form, field by field: the page takes that alone and keeps the rest as it is typed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from httpstep.core.authentication import MEMBERS
from httpstep.core.jsontext import Json
from httpstep.core.step.spec import MappingRule, Pair, StepSpec
from httpstep.web.stepform.fields import PairRow, RuleRow, StepForm
from httpstep.web.stepform.inputs import inputs_of

Field = tuple[str, int, str | bool, str | bool]
"""The name of an input, its place among those of that name, what was sent in it, and what stands in it now."""
_OF_THE_SCREEN: Final = ("version", "draft_id", "accepted_log", "accepted_again", "auth_type", "kept")


def changes(sent: StepForm, saved: StepForm) -> list[dict[str, Json]]:
    """[{name, nth, was, now}]: an input in which something else was typed meanwhile no longer has what `was` says."""
    found = (*_scalars(sent, saved), *_rows(sent, saved), *_rules(sent.rules, saved.rules))
    return [{"name": name, "nth": nth, "was": was, "now": now} for name, nth, was, now in found if was != now]


def _scalars(sent: StepForm, saved: StepForm) -> Iterator[Field]:
    for one in inputs_of(StepSpec):
        yield one.name, 0, getattr(sent, one.name), getattr(saved, one.name)
    for name in _OF_THE_SCREEN:
        yield name, 0, _text(getattr(sent, name)), _text(getattr(saved, name))
    for member in MEMBERS:
        yield f"auth_{member.name}", 0, sent.auth.get(member.name, ""), saved.auth.get(member.name, "")
    yield "mapping_set", 0, "1" if sent.mapping_set else "", "1" if saved.mapping_set else ""
    if sent.body_mode in ("json", "raw"):  # of another mode's text nothing is saved
        name = f"{sent.body_mode}_text"
        yield name, 0, getattr(sent, name), getattr(saved, name)


def _rows(sent: StepForm, saved: StepForm) -> Iterator[Field]:
    """Blank rows are saved nowhere and stay on the screen."""
    for stem, rows, kept in (("header", sent.headers, saved.headers), ("field", sent.fields, saved.fields)):
        filled = [(nth, row) for nth, row in enumerate(rows) if not _is_blank(row)]
        for (nth, row), now in zip(filled, kept, strict=False):
            for one in inputs_of(Pair):
                yield f"{stem}_{one.name}", nth, getattr(row, one.name), getattr(now, one.name)


def _is_blank(row: PairRow) -> bool:
    return not row.name.strip() and not row.value.strip()


def _rules(sent: list[RuleRow], saved: list[RuleRow]) -> Iterator[Field]:
    for row, now in zip(sent, saved, strict=False):
        for name in ("source", "kind", *(one.name for one in inputs_of(MappingRule))):
            yield f"rule-{row.id}-{name}", 0, getattr(row, name), getattr(now, name)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
