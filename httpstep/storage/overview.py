"""What the list of steps and the editor ask of the database besides the step itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from msgspec import Struct, field
from sqlalchemy import Executable, case, func, literal, null, select

from httpstep.core import jsontext
from httpstep.core.document import visible
from httpstep.core.outcome import record
from httpstep.core.outcome.fallback import SUCCESS
from httpstep.core.request.rendering import attributes_used
from httpstep.core.step.naming import in_lists
from httpstep.core.step.spec import MappingRule, StepSpec
from httpstep.core.textcache import TextCache
from httpstep.extensions import db
from httpstep.storage import steps
from httpstep.storage.database import reading
from httpstep.storage.tables import (
    RUNNING,
    AcceptedStructure,
    Account,
    ApiKey,
    Attribute,
    CallCount,
    Log,
    Secret,
    Step,
    StepState,
)


class LastCall(Struct, frozen=True, gc=False):
    """One of a step's last calls, without what was sent and what came. outcome "" while it runs; source: "bot" or "test";
    detail: see `calls_of`."""

    id: int
    state: str
    outcome: str
    status: int | None
    duration_ms: int | None
    started_at: float
    source: str
    detail: str | None = None


class ListedStep(Struct, frozen=True):
    """A step of the list. rules: those in force, None where the mapping was never set. ended: the last call of a bot that
    is over; a test tries what may never be saved, and says nothing of the step's state."""

    id: int
    spec: StepSpec
    rules: tuple[MappingRule, ...] | None
    drift: bool
    ended: LastCall | None


def listed(account_id: int, search: str, *, may_edit: bool) -> list[ListedStep]:
    """The account's steps by name; those whose name, key or URL has the text in it.

    may_edit: what is masked for whoever may not edit the steps is not found either.
    """
    of_bots = (Log.step_id == Step.id, Log.state != "running", Log.source != "test")
    ended = select(func.max(Log.id)).where(*of_bots).correlate(Step)
    query = (
        select(Step.id, Step.document, StepState.automatic, StepState.drift.is_not(None), *_CALL)
        .join(StepState)
        .outerjoin(Log, Log.id == ended.scalar_subquery())
        .where(Step.account_id == account_id, steps.THERE)
        .order_by(Step.id)
    )
    found = []
    wanted = search.casefold()
    for step_id, document, automatic, drift, *call in _rows(query):
        spec = visible.step_for(steps.spec_of(document), may_edit=may_edit)
        if wanted and wanted not in f"{spec.name}\n{spec.key}\n{spec.request.url}".casefold():
            continue
        rules = steps.rules_of(automatic) if spec.mapping is None and automatic is not None else spec.mapping
        found.append(ListedStep(step_id, spec, rules, drift, _last_call(*call) if call[0] is not None else None))
    return sorted(found, key=lambda one: in_lists(one.spec.name))


_CALL = (Log.id, Log.state, Log.outcome, Log.status, Log.duration_ms, Log.started_at, Log.source)


def _rows(query: Executable) -> Iterable[Any]:
    """Of a query for columns, straight from the connection: the session would make each of the rows a second time."""
    return db.session.connection().execute(query)


def _last_call(log_id: int, state: str, outcome: str | None, *rest: Any) -> LastCall:
    return LastCall(log_id, state, outcome or "", *rest)


def calls_of(step_ids: Collection[int]) -> dict[int, list[LastCall]]:
    """The kept calls of these steps, oldest first; the newest successful one of each has its detail."""
    # Asked for each step it is one look into the index; grouped by them, all of their calls would be read for it.
    newest = select(func.max(Log.id)).where(Log.step_id == Step.id, Log.outcome == SUCCESS).correlate(Step)
    good = select(newest.scalar_subquery()).where(Step.id.in_(step_ids))
    detail = case((Log.id.in_(good), Log.detail), else_=None)
    in_order = (Log.step_id, Log.id)  # that of their index
    query = select(Log.step_id, *_CALL, detail).where(Log.step_id.in_(step_ids)).order_by(*in_order)
    found: dict[int, list[LastCall]] = defaultdict(list)
    for step_id, *call in _rows(query):
        if step_id is not None:
            found[step_id].append(_last_call(*call))
    return found


def missing_of(detail: str | None, rules: Sequence[MappingRule]) -> list[str]:
    """Attributes that these rules did not find in the answer of the call with that detail. A rule that was changed
    since is not counted."""
    rows = jsontext.read_back(detail)["mapping"] if detail and '"state":"missing"' in detail else []
    nothing = {(row["attribute"], row["source"]) for row in rows if row["state"] == "missing"}
    return [rule.attribute for rule in rules if rule.on and (rule.attribute, record.source_text(rule)) in nothing]


class Beginnings(Struct, frozen=True):
    """What an account has had at least once: a step (the id of its newest), a good test, an API key, a bot's call."""

    step: int | None
    test: bool
    key: bool
    bot: bool


def beginnings(account_id: int) -> Beginnings:
    its_own = select(Step.id).where(Step.account_id == account_id)
    of_drafts = Log.step_id.is_(None) & (Log.account_id == account_id)
    calls = select(Log.id).where(Log.step_id.in_(its_own) | of_drafts)
    newest = select(func.max(Step.id)).where(Step.account_id == account_id, steps.THERE).scalar_subquery()
    there = (
        calls.where(Log.source == "test", Log.outcome == SUCCESS),
        select(ApiKey.id).where(ApiKey.account_id == account_id),
        calls.where(Log.source == "bot"),
    )
    step, *rest = db.session.execute(select(newest, *(one.exists() for one in there))).one()
    return Beginnings(step, *map(bool, rest))


class Names(Struct, frozen=True):
    """What may stand between {{ and }} in a step: the catalogue, what other steps give by their names, the secrets.

    used: what other steps ask for and nobody has added to the catalogue. samples, defaults: JSON texts by attribute.
    """

    bot: tuple[str, ...] = ()
    from_steps: dict[str, tuple[str, ...]] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    samples: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    used: tuple[str, ...] = ()

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


_names_used_in = TextCache(lambda document: tuple(attributes_used(steps.spec_of(document))), 1_000_000)
"""What the request of a stored document asks for, read once for each text."""


def names_for(account_id: int, step_id: int | None) -> Names:
    """The names that a step of this account may use; its own attributes are not among them."""
    catalogue, secrets = _catalogue(account_id)
    from_steps: dict[str, list[str]] = defaultdict(list)
    query = select(Step.id, Step.name, Step.document, StepState.automatic).join(StepState)
    others = db.session.execute(query.where(Step.account_id == account_id, steps.THERE).order_by(Step.id))
    used: set[str] = set()
    for other, name, document, automatic in sorted(others, key=lambda row: in_lists(row[1])):
        if other != step_id:
            used.update(_names_used_in(document))
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
        used=tuple(sorted(used - given - {one.name for one in catalogue}, key=in_lists)),
    )


def history(step_id: int) -> list[AcceptedStructure]:
    """The accepted structures of a step that are kept, the newest first. `steps.accept_structure` writes them."""
    mine = select(AcceptedStructure).where(AcceptedStructure.step_id == step_id)
    return list(db.session.scalars(mine.order_by(AcceptedStructure.id.desc())))


def state_with_history(step_id: int) -> tuple[StepState | None, list[AcceptedStructure]]:
    """What the machine knows of a step and its history, by one question. (None, []) where the step is gone."""
    beside = AcceptedStructure.step_id == StepState.step_id
    query = select(StepState, AcceptedStructure).outerjoin(AcceptedStructure, beside)
    rows = db.session.execute(query.where(StepState.step_id == step_id).order_by(AcceptedStructure.id.desc())).all()
    return (rows[0][0] if rows else None), [kept for _, kept in rows if kept is not None]


class Count(Struct, frozen=True):
    """What `tables.CallCount` says of one kind, account, source and outcome, its shards added."""

    kind: str
    account: str
    source: str
    outcome: str
    calls: int
    milliseconds: int


def counts() -> list[Count]:
    """All that were ever counted."""
    names = CallCount.kind, CallCount.account, CallCount.source, CallCount.outcome
    query = (
        select(*names, func.sum(CallCount.calls), func.sum(CallCount.milliseconds)).group_by(*names).order_by(*names)
    )
    with reading() as connection:
        return [Count(*row[:4], int(row[4]), int(row[5])) for row in connection.execute(query)]


def refused_since(account: str, reasons: Collection[str], since: float) -> dict[str, float]:
    """When calls of the account (its slug) were refused last, by the reason; none from before `since`."""
    mine = (CallCount.kind == "refusal") & (CallCount.account == account) & CallCount.outcome.in_(reasons)
    query = select(CallCount.outcome, func.max(CallCount.last_at)).where(mine, CallCount.last_at > since)
    with reading() as connection:
        return {reason: at or 0.0 for reason, at in connection.execute(query.group_by(CallCount.outcome))}


def in_flight(since: float) -> list[tuple[str, int]]:
    """Calls that are under way, by the account's slug; those begun before `since` cannot be."""
    running = (Log.account_id == Account.id) & (Log.state == RUNNING) & (Log.started_at > since)
    query = (
        select(Account.slug, func.count(Log.id)).outerjoin(Log, running).group_by(Account.slug).order_by(Account.slug)
    )
    with reading() as connection:
        return [(slug, count) for slug, count in connection.execute(query)]
