"""Drift as the editor sees it: what went, what changed, what came, and where each broken rule may read from now on."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

from httpstep.core import jsontext
from httpstep.core.answer import conditions, mapping
from httpstep.core.answer.mapping import CallFacts
from httpstep.core.drift import remapping, structure
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.jsontext import Json, Path
from httpstep.core.outcome import record
from httpstep.core.query.jsonpath import QueryRefused, normalized
from httpstep.core.step.spec import AnswerPlace, MappingRule
from httpstep.storage.tables import Log, StepState
from httpstep.web import stepform
from httpstep.web.editor import marking
from httpstep.web.editor.documents import AnswerDocument
from httpstep.web.editor.tree import short_text
from httpstep.web.stepform import RuleRow, StepForm

_SHOWN: Final = 40
"""Characters of a value on a row."""


class PathChoice(Struct, frozen=True):
    """A place a broken rule may read from: its path for people, why it may be meant, and the value there."""

    source: str
    reason: str
    sample: str
    chosen: bool = False


class Broken(Struct, frozen=True):
    """A rule whose path is gone. was: what it read in the old answer, "" where that is not known; moved: there is a place
    that is meant beyond doubt; likely: one is chosen for a start; why: the reason that it is chosen, or that none is."""

    row: RuleRow
    was: str
    choices: tuple[PathChoice, ...]
    moved: bool
    likely: bool
    why: str = ""


class DriftView(Struct):
    """groups are JSON as core.record writes them. known: the new answer is still there, so that rules can be moved.

    more: how many of a group there are beside those listed.
    accepted: the form holds the new structure already, and `lost` names the attributes that find nothing in it;
    kept: the banner was put aside for now.
    dictionaries: objects with a difference in them that look like dictionaries.
    """

    log_id: int | None
    at: float | None
    missing: list[dict[str, Json]] = field(default_factory=list)
    changed: list[dict[str, Json]] = field(default_factory=list)
    new: list[dict[str, Json]] = field(default_factory=list)
    more: dict[str, int] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    dictionaries: list[marking.Suggestion] = field(default_factory=list)
    known: bool = False
    accepted: bool = False
    kept: bool = False
    moved: int = 0
    lost: list[str] = field(default_factory=list)
    old_text: str = ""
    new_text: str = ""
    ask_again: int | None = None

    @property
    def summary(self) -> str:
        """ "2 mapped fields affected, 1 new field" """
        mapped = sum(1 for change in (*self.missing, *self.changed) if change["mapped"])
        others = self.count("missing") + self.count("changed") - mapped
        if self.known:  # one place that is gone may hold several mapped fields
            mapped = len(self.broken) + sum(1 for change in self.changed if change["mapped"])
        parts = [_count(mapped, "mapped field") + " affected"]
        if others:
            parts.append(_count(others, "other change"))
        if self.new:
            parts.append(_count(self.count("new"), "new field"))
        return ", ".join(parts)

    def count(self, group: str) -> int:
        """How many differences of a group there are, listed or not."""
        return len(getattr(self, group)) + self.more.get(group, 0)

    @property
    def gone(self) -> list[dict[str, Json]]:
        """Places that are gone, but those of the broken rules."""
        broken = {one.row.source for one in self.broken}
        return [change for change in self.missing if change["text"] not in broken]

    @property
    def open(self) -> list[str]:
        """Attributes of the broken rules for which no place is chosen beforehand."""
        return [one.row.attribute for one in self.broken if not any(choice.chosen for choice in one.choices)]

    @property
    def lost_text(self) -> str:
        return lost_text(self.lost)


def lost_text(names: list[str]) -> str:
    """ "2 rows find nothing any more: status, name." """
    if not names:
        return ""
    return f"{len(names)} {'row finds' if len(names) == 1 else 'rows find'} nothing any more: {', '.join(names)}."


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


class Sides(Struct, frozen=True):
    """What is compared: the accepted answer, or a kept one to the same attributes, and the later one, each with its
    structure, as far as they are known. ask_again: an older call whose values can be sent again, where they differ."""

    old_structure: Json
    new_structure: Json
    old: AnswerDocument | None
    new: AnswerDocument | None
    log: Log
    ask_again: int | None = None


def view_of(form: StepForm, sides: Sides) -> DriftView | None:
    """The banner for a later answer. None where there is no difference."""
    rules = [stepform.rule_of(row) for row in form.rules]
    known_rules = [rule for rule in rules if rule is not None]
    drift = structure.compare(sides.old_structure, sides.new_structure, known_rules)
    found = record.drift_json(drift)
    if found is None:
        return None
    view = DriftView(sides.log.id, sides.log.started_at, ask_again=sides.ask_again, **found)
    view.missing.sort(key=lambda change: not change["mapped"])
    view.kept = form.drift_kept
    if sides.new is not None:
        view.known = True
        view.broken = _broken(form.rules, rules, sides.old, sides.new.value)
        view.new_text = _pretty(sides.new.value)
    view.old_text = _pretty(sides.old.value) if sides.old else ""
    known_answers = [side.value for side in (sides.old, sides.new) if side is not None]
    view.dictionaries = marking.around(
        marking.suggestions(form, *known_answers), [*view.missing, *view.changed, *view.new]
    )
    return view


def accepted_view(form: StepForm, log: Log, new: AnswerDocument | None) -> DriftView:
    """The form holds the new structure; Save makes it the step's."""
    moved = len(before(form))
    lost = _lost(form, new.value) if new is not None else []
    return DriftView(log.id, log.started_at, known=True, accepted=True, moved=moved, lost=lost)


def _lost(form: StepForm, document: Json) -> list[str]:
    rules = [rule for rule in map(stepform.rule_of, form.rules) if rule is not None and rule.call is None]
    rows = mapping.apply_rules(rules, document, True, CallFacts(None, None, 0, ())).rows
    return [row.rule.attribute for row in rows if row.state == "missing"]


def remembered_view(state: StepState) -> DriftView:
    """A mark whose answer is no longer in the logs: the differences are known, the answer is not."""
    found = jsontext.read_back(state.drift or "{}")
    groups = {group: found[group] for group in ("missing", "changed", "new", "more") if group in found}
    return DriftView(None, state.drift_at, **groups)


def before(form: StepForm) -> dict[str, Json]:
    """The sources that Re-map replaced, by row; {} where none were."""
    sources = remembered(form).get("sources")
    return sources if isinstance(sources, dict) else {}


def remembered(form: StepForm) -> dict[str, Json]:
    """What the form keeps of the time before the new structure was accepted: sources, accepted, again; of a mark
    also dictionaries and the row added."""
    try:
        found = jsontext.loads(form.before_remap)
    except UnreadableAnswer:
        return {}
    return found if isinstance(found, dict) else {}


def _broken(
    rows: list[RuleRow], rules: list[MappingRule | None], old: AnswerDocument | None, new: Json
) -> list[Broken]:
    pairs = [(row, rule) for row, rule in zip(rows, rules, strict=True) if rule is not None and rule.on]
    _, moves = remapping.remap([rule for _, rule in pairs], old.value if old else None, new)
    return [_broken_row(pairs[move.index][0], move, old, new) for move in moves]


def _broken_row(row: RuleRow, move: remapping.Move, old: AnswerDocument | None, new: Json) -> Broken:
    chosen = move.path or move.likely
    choices = [_choice(one.path, one.reason, new, one.path == chosen) for one in move.candidates]
    if move.path is not None and not any(choice.chosen for choice in choices):
        choices.insert(0, _choice(move.path, move.reason, new, True))
    likely = move.path is None and any(choice.chosen for choice in choices)
    return Broken(row, _old_value(row, old), tuple(choices), move.path is not None, likely, move.reason)


def _old_value(row: RuleRow, old: AnswerDocument | None) -> str:
    """What the rule read in the old answer, "" where that is not known. A query may have found several values: the first."""
    rule = stepform.rule_of(row)
    if rule is None or old is None:
        return ""
    try:
        found = conditions.found_at(AnswerPlace(rule.path, rule.jsonpath), old.value)
    except QueryRefused:
        return ""
    return short_text(found[0], _SHOWN) if found else ""


def _choice(path: Path, reason: str, document: Json, chosen: bool) -> PathChoice:
    return PathChoice(normalized(path), reason, short_text(jsontext.value_at(document, path), _SHOWN), chosen)


def _pretty(document: Json) -> str:
    text = jsontext.pretty(document)
    return text if len(text) <= 20_000 else text[:20_000] + "\n…"
