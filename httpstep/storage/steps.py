"""Steps and what the machine knows of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, delete, insert, null, select, update
from sqlalchemy.orm import joinedload

from httpstep.core import jsontext
from httpstep.core.document import stepdocument
from httpstep.core.drift import variation
from httpstep.core.jsontext import Json, Path
from httpstep.core.request.rendering import secrets_used
from httpstep.core.step import stepkey
from httpstep.core.step.naming import in_lists
from httpstep.core.step.spec import MappingRule, StepSpec
from httpstep.core.textcache import TextCache
from httpstep.extensions import db
from httpstep.storage.database import editing, reading
from httpstep.storage.tables import AcceptedStructure, Attribute, Step, StepState

HISTORY = 5


class LoadedStep(Struct, frozen=True):
    """A step as the execute path needs it: the row, its parsed document, and what the machine knows.

    `spec.mapping` is the mapping in force: the editor's, else the automatic one, else None. recognised: the objects of
    the structure whose names are data. secrets: the names of those that its request needs. characters: of the texts that
    it was read from.
    """

    id: int
    account_id: int
    version: int
    spec: StepSpec
    own_mapping: bool
    automatic: str | None
    structure: Json
    recognised: tuple[Path, ...]
    odd: str | None
    odd_streak: int
    drift: str | None
    secrets: tuple[str, ...]
    characters: int = 0


def _spec_of(document: str) -> StepSpec:
    return stepdocument.parse(jsontext.read_back(document))


def _rules_of(text: str) -> tuple[MappingRule, ...]:
    return stepdocument.parse_rules(jsontext.read_back(text))


def _dictionaries_in(text: str) -> tuple[Path, ...]:
    return variation.dictionaries_in(structure_of(text))


spec_of = TextCache(_spec_of, 2_000_000)
"""The step of a stored document. Read once for calls and pages alike: a step is a value, and nothing changes it."""
_secrets_used_in = TextCache(lambda document: tuple(secrets_used(spec_of(document))), 1_000_000)
rules_of = TextCache(_rules_of, 500_000)
structure_of = TextCache[Json](jsontext.read_back, 400_000)
_recognised_in = TextCache(_dictionaries_in, 400_000)


_LOADED = (
    select(
        Step.id, Step.account_id, Step.version, Step.document,
        StepState.automatic, StepState.structure, StepState.odd, StepState.odd_streak, StepState.drift,
    )
    .join(StepState, StepState.step_id == Step.id)
)  # fmt: skip


THERE = Step.deleted_at.is_(None)
_ALL = _LOADED.where(Step.account_id == bindparam("owner"), THERE).order_by(Step.id)
_BY_KEY = _LOADED.where(Step.account_id == bindparam("owner"), THERE, Step.key == bindparam("wanted"))
_BY_ID = _LOADED.where(Step.account_id == bindparam("owner"), THERE, Step.id == bindparam("wanted"))


def load(account_id: int, *, key: str | None = None, step_id: int | None = None) -> LoadedStep | None:
    """One step of that account, by key or id. None where the account has no such step."""
    query, wanted = (_BY_KEY, key) if key is not None else (_BY_ID, step_id)
    with reading() as connection:
        row = connection.execute(query, {"owner": account_id, "wanted": wanted}).one_or_none()
    return None if row is None else _loaded(row)


def load_all(account_id: int) -> list[LoadedStep]:
    """All steps of that account, by name."""
    with reading() as connection:
        found = [_loaded(row) for row in connection.execute(_ALL, {"owner": account_id})]
    return sorted(found, key=lambda step: in_lists(step.spec.name))


def loaded(step: Step) -> LoadedStep:
    """The same of a row that is at hand, with its state."""
    return _loaded(step, step.state)


def _loaded(row: Any, state: Any = None) -> LoadedStep:
    state = state or row
    spec = spec_of(row.document)
    own = spec.mapping is not None
    if not own and state.automatic is not None:
        spec = replace(spec, mapping=rules_of(state.automatic))
    structure = None if state.structure is None else structure_of(state.structure)
    recognised = () if state.structure is None else _recognised_in(state.structure)
    return LoadedStep(
        row.id, row.account_id, row.version, spec, own, state.automatic, structure, recognised,
        state.odd, state.odd_streak, state.drift, _secrets_used_in(row.document),
        sum(len(text or "") for text in (row.document, state.automatic, state.structure, state.odd)),
    )  # fmt: skip


def document_of(step: Step) -> StepSpec:
    """The step as its editor saved it."""
    return spec_of(step.document)


class Conflict(Exception):
    """Somebody else saved first. `step` is the row as it is now."""

    def __init__(self, step: Step) -> None:
        super().__init__(f"Changed by {step.updated_by}")
        self.step = step


class Gone(LookupError):
    """The step was deleted meanwhile."""


class KeyTaken(Exception):
    """Another step of the account has this key."""


def find(account_id: int, key: str) -> Step | None:
    return db.session.scalar(select(Step).where(Step.account_id == account_id, THERE, Step.key == key))


def get(account_id: int, step_id: int) -> Step | None:
    """The step, its state along with it."""
    whole = select(Step).options(joinedload(Step.state))
    return db.session.scalar(whole.where(Step.account_id == account_id, THERE, Step.id == step_id))


def of_draft(account_id: int, draft_id: str) -> Step | None:
    """The step that the first save of this draft made, its state along with it."""
    mine = (Step.account_id == account_id) & (Step.draft_id == draft_id) & THERE
    return db.session.scalar(select(Step).options(joinedload(Step.state)).where(mine)) if draft_id else None


def listed(account_id: int) -> list[Step]:
    mine = select(Step).where(Step.account_id == account_id, THERE).order_by(Step.id)
    return sorted(db.session.scalars(mine), key=lambda step: in_lists(step.name))


def keys_taken(account_id: int) -> set[str]:
    return set(db.session.scalars(select(Step.key).where(Step.account_id == account_id)))


def save(
    account_id: int, spec: StepSpec, *, by: str, now: float, step_id: int | None = None, version: int | None = None,
    draft_id: str = "", beside: Callable[[Connection, Step], None] | None = None,
) -> Step:  # fmt: skip
    """Create (step_id None) or replace a step, as one transaction. An empty key is made from the name.

    version: the version the editor started from; None overwrites whatever is there. draft_id: of the form, where it
    began as a new step's: its first save makes the step, the same once more changes nothing, and another text is a
    Conflict, for it has not seen what was saved. beside: writes what belongs to it. Raises Conflict, KeyTaken, Gone.
    """
    with editing():
        step = of_draft(account_id, draft_id) if step_id is None else get(account_id, step_id)
        if step_id is not None and step is None:
            raise Gone("This step no longer exists.")
        if step is not None and step_id is None:
            version = UNSEEN
        if step is not None and version is not None and step.version != version:
            if version == UNSEEN and draft_id and step.draft_id == draft_id and _has(step, spec):
                return step
            raise Conflict(step)
        written = _write(account_id, step, spec, by, now, draft_id or None)
        if beside is not None:
            db.session.flush()
            beside(db.session.connection(), written)
        return written


UNSEEN = 0
"""The version of a form that began before its step had one."""


def _has(step: Step, spec: StepSpec) -> bool:
    """Whether just this is saved already."""
    return step.document == jsontext.dumps_text(stepdocument.dump(replace(spec, key=spec.key or step.key)))


def save_all(account_id: int, specs: list[StepSpec], *, by: str, now: float) -> list[Step]:
    """Create or replace several steps by their keys, all or none."""
    with editing():
        return [_write(account_id, find(account_id, spec.key) if spec.key else None, spec, by, now) for spec in specs]


def _write(
    account_id: int, step: Step | None, spec: StepSpec, by: str, now: float, draft_id: str | None = None
) -> Step:
    taken = keys_taken(account_id) - ({step.key} if step else set())
    spec = spec if spec.key else replace(spec, key=stepkey.key_from_name(spec.name, taken))
    if spec.key in taken:
        raise KeyTaken(spec.key)
    if step is None:
        step = Step(account_id=account_id, version=1, created_at=now, draft_id=draft_id)
        db.session.add(step)
    else:
        step.version += 1
    step.key, step.name = spec.key, spec.name
    step.document = jsontext.dumps_text(stepdocument.dump(spec))
    step.updated_at, step.updated_by = now, by
    db.session.flush()
    if db.session.get(StepState, step.id) is None:
        db.session.add(StepState(step_id=step.id))
    return step


_PARENT = select(Step.id).where(Step.id == bindparam("wanted")).with_for_update(read=True, key_share=True)


def hold(connection: Connection, step_id: int) -> None:
    """Before rows of a step are written: its own row first, as deleting the step takes them. In another order each of
    the two waits for the other on PostgreSQL."""
    if connection.dialect.name == "postgresql":
        connection.execute(_PARENT, {"wanted": step_id})


def state(step_id: int) -> StepState:
    found = db.session.get(StepState, step_id)
    if found is None:
        raise LookupError(f"step {step_id} has no state")
    return found


def keep_automatic(connection: Connection, step_id: int, rules: str) -> bool:
    """Store the rules made by a bot call, if the mapping was never set and none were made before."""
    done = connection.execute(
        update(StepState).where(StepState.step_id == step_id, StepState.automatic.is_(None)).values(automatic=rules)
    )
    return done.rowcount == 1


def accept_structure(
    connection: Connection, step_id: int, structure: str, sample: bytes | None, *, by: str, now: float
) -> None:
    """Make this the accepted structure: the mark goes, the history keeps the newest five."""
    connection.execute(
        update(StepState)
        .where(StepState.step_id == step_id)
        .values(
            structure=structure, sample=sample, odd=None, odd_streak=0, drift=None, drift_at=None, drift_log_id=None
        )
    )
    row = {"step_id": step_id, "structure": structure, "sample": sample, "accepted_at": now, "accepted_by": by}
    connection.execute(insert(AcceptedStructure).values(**row))
    newest = (
        select(AcceptedStructure.id)
        .where(AcceptedStructure.step_id == step_id)
        .order_by(AcceptedStructure.id.desc())
        .limit(HISTORY)
    )
    connection.execute(
        delete(AcceptedStructure).where(
            AcceptedStructure.step_id == step_id, AcceptedStructure.id.not_in(newest.scalar_subquery())
        )
    )


def names_taken(account_id: int, except_step: int | None) -> frozenset[str]:
    """Attribute names with another source than this step: the catalogue's bot attributes, other steps' rules that are on."""
    catalogue = select(Attribute.name, null(), null()).where(Attribute.account_id == account_id, Attribute.in_bot)
    others = (
        select(null(), Step.document, StepState.automatic).join(StepState).where(Step.account_id == account_id, THERE)
    )
    if except_step is not None:
        others = others.where(Step.id != except_step)
    names = set()
    for name, document, automatic in db.session.execute(catalogue.union_all(others)):
        if document is None:
            names.add(name)
            continue
        rules = spec_of(document).mapping
        if rules is None and automatic is not None:
            rules = rules_of(automatic)
        names.update(rule.attribute for rule in rules or () if rule.on)
    return frozenset(names)
