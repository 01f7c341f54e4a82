"""What the list of steps and the editor ask of the database besides the step itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, func, literal, null, select
from sqlalchemy.orm import defer

from httpstep.core import jsontext
from httpstep.core.document import visible
from httpstep.core.outcome import record
from httpstep.core.outcome.fallback import SUCCESS
from httpstep.core.step.naming import in_lists
from httpstep.core.step.spec import MappingRule, StepSpec
from httpstep.extensions import db
from httpstep.storage import steps
from httpstep.storage.tables import (
    Attribute,
    Log,
    Secret,
    Step,
    StepState,
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the list. rules: how many rules that are on, None where the mapping was never set. missing: names of
    those for which the last successful answer had nothing."""

    step: Step
    spec: StepSpec
    last: Log | None
    rules: int | None
    drift: bool
    missing: list[str]

    @property
    def host(self) -> str:
        """The host as it is typed, with its placeholders."""
        return self.spec.request.url.partition("://")[2].split("/")[0].split("?")[0] or self.spec.request.url[:60]

    @property
    def path(self) -> str:
        """What follows the host, as it is typed, cut to 40 characters; "" where there is no more than the host."""
        rest = self.spec.request.url.partition("://")[2].removeprefix(self.host)
        rest = "" if rest == "/" else rest
        return rest if len(rest) <= 40 else rest[:39] + "…"


def listed(account_id: int, search: str, *, may_edit: bool) -> list[Listed]:
    """The account's steps by name, each with its last call; those whose name, key or URL has the text in it.

    may_edit: what is masked for whoever may not edit the steps is not found either.
    """
    query = select(Step, StepState.automatic, StepState.drift).join(StepState).where(Step.account_id == account_id)
    last, succeeded = _last_calls(account_id), _last_calls(account_id, Log.outcome == SUCCESS, whole=True)
    found = []
    rows = db.session.execute(query.order_by(Step.id))
    for step, automatic, drift in sorted(rows, key=lambda row: in_lists(row[0].name)):
        spec = visible.step_for(steps.spec_of(step.document), may_edit=may_edit)
        if search.casefold() not in f"{spec.name}\n{spec.key}\n{spec.request.url}".casefold():
            continue
        rules = spec.mapping
        if rules is None and automatic is not None:
            rules = steps.rules_of(automatic)
        count = None if rules is None else sum(rule.on for rule in rules)
        missing = missing_of(succeeded[step.id], rules) if rules and step.id in succeeded else []
        found.append(Listed(step, spec, last.get(step.id), count, drift is not None, missing))
    return found


def missing_of(log: Log, rules: Sequence[MappingRule]) -> list[str]:
    """Attributes that these rules did not find in that call's answer. A rule that was changed since is not counted."""
    rows = jsontext.read_back(log.detail)["mapping"] if log.detail else []
    nothing = {(row["attribute"], row["source"]) for row in rows if row["state"] == "missing"}
    return [rule.attribute for rule in rules if rule.on and (rule.attribute, record.source_text(rule)) in nothing]


def _last_calls(account_id: int, *which: ColumnElement[bool], whole: bool = False) -> dict[int, Log]:
    """The last call of each step, of those that are asked for. whole: with its detail."""
    mine = (Log.account_id == account_id, Log.step_id.is_not(None), *which)
    newest = select(func.max(Log.id)).where(*mine).group_by(Log.step_id)
    heavy = [defer(Log.request_body), defer(Log.response_body), defer(Log.structure)]
    if not whole:
        heavy.append(defer(Log.detail))
    rows = db.session.scalars(select(Log).options(*heavy).where(Log.id.in_(newest)))
    return {row.step_id: row for row in rows if row.step_id is not None}


@dataclass(frozen=True, slots=True)
class Names:
    """What may stand between {{ and }} in a step: the catalogue, what other steps give by their names, the secrets.

    samples, defaults: JSON texts by attribute.
    """

    bot: tuple[str, ...] = ()
    from_steps: dict[str, tuple[str, ...]] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    samples: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)

    @property
    def attributes(self) -> frozenset[str]:
        return frozenset(self.bot).union(*self.from_steps.values())


def _catalogue(account_id: int) -> tuple[list[Any], list[str]]:
    """The account's attributes (name, sample, default, in_bot) and the names of its secrets, by name, in one query."""
    a, s = Attribute, Secret
    attributes = select(a.name, a.sample, a.default, a.in_bot, literal(False).label("secret"))
    secrets = select(s.name, null(), null(), literal(False), literal(True).label("secret"))
    both = attributes.where(a.account_id == account_id).union_all(secrets.where(s.account_id == account_id))
    rows = sorted(db.session.execute(both), key=lambda row: in_lists(row.name))
    return [row for row in rows if not row.secret], [row.name for row in rows if row.secret]


def names_for(account_id: int, step_id: int | None) -> Names:
    """The names that a step of this account may use; its own attributes are not among them."""
    catalogue, secrets = _catalogue(account_id)
    from_steps: dict[str, list[str]] = defaultdict(list)
    query = select(Step.id, Step.name, Step.document, StepState.automatic).join(StepState)
    others = db.session.execute(query.where(Step.account_id == account_id).order_by(Step.id))
    for other, name, document, automatic in sorted(others, key=lambda row: in_lists(row[1])):
        if other != step_id:
            rules = steps.spec_of(document).mapping
            rules = steps.rules_of(automatic) if rules is None and automatic else rules
            from_steps[name] += [rule.attribute for rule in rules or () if rule.on]
    given = {name for names in from_steps.values() for name in names}
    return Names(
        bot=tuple(one.name for one in catalogue if one.in_bot or one.name not in given),
        from_steps={name: tuple(dict.fromkeys(found)) for name, found in from_steps.items() if found},
        secrets=tuple(secrets),
        samples={one.name: one.sample for one in catalogue if one.sample is not None},
        defaults={one.name: one.default for one in catalogue if one.default is not None},
    )
