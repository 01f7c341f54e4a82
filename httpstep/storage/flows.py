"""Flows as they are stored."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace
from sqlalchemy import select

from httpstep.core import jsontext
from httpstep.core.document import flow, flowdocument
from httpstep.core.document.flow import FlowSpec
from httpstep.core.document.flowdocument import FlowDocument
from httpstep.core.step import stepkey
from httpstep.core.step.naming import in_lists
from httpstep.extensions import db
from httpstep.storage.database import editing
from httpstep.storage.tables import Flow, Step


class Conflict(Exception):
    """Somebody else saved first. `row` is the flow as it is now."""

    def __init__(self, row: Flow) -> None:
        super().__init__(f"Changed by {row.updated_by}")
        self.row = row


class Gone(LookupError):
    """The flow was deleted meanwhile."""


class KeyTaken(Exception):
    """Another flow of the account has this key."""


def find(account_id: int, key: str) -> Flow | None:
    return db.session.scalar(select(Flow).where(Flow.account_id == account_id, Flow.key == key))


def get(account_id: int, flow_id: int) -> Flow | None:
    return db.session.scalar(select(Flow).where(Flow.account_id == account_id, Flow.id == flow_id))


def listed(account_id: int) -> list[Flow]:
    mine = select(Flow).where(Flow.account_id == account_id).order_by(Flow.id)
    return sorted(db.session.scalars(mine), key=lambda row: in_lists(row.name))


def spec_of(row: Flow) -> FlowSpec:
    return flow.parse(row.key, row.name, jsontext.read_back(row.document))


def described(account_id: int, rows: Iterable[Flow]) -> list[FlowDocument]:
    """The documents of flows of the account."""
    keys = {step_id: key for key, step_id in _steps(account_id).items()}
    return [flowdocument.described(spec_of(row), keys) for row in rows]


def resolved(account_id: int, document: FlowDocument) -> FlowSpec:
    """The flow of a document. Inside `editing()`, where no step goes in between. Raises kind.DocumentError."""
    return flowdocument.resolved(document, _steps(account_id))


def _steps(account_id: int) -> dict[str, int]:
    """The ids of the account's steps by their keys."""
    mine = select(Step.key, Step.id).where(Step.account_id == account_id, Step.deleted_at.is_(None))
    return {row.key: row.id for row in db.session.execute(mine)}


def by_step(account_id: int) -> dict[int, list[Flow]]:
    """The flows each step is part of, by the step's id."""
    found: dict[int, list[Flow]] = {}
    for row in listed(account_id):
        for step_id in {place.step_id for place in spec_of(row).places}:
            found.setdefault(step_id, []).append(row)
    return found


def with_step(account_id: int, step_id: int) -> list[Flow]:
    """The flows a step is part of."""
    return by_step(account_id).get(step_id, [])


def save(
    account_id: int, spec: FlowSpec, *, by: str, now: float, flow_id: int | None = None, version: int | None = None
) -> Flow:
    """Create (flow_id None) or replace a flow, as one transaction. An empty key is made from the name.

    version: the one the editor started from; None overwrites whatever is there. Raises Conflict, KeyTaken,
    Gone.
    """
    with editing():
        row = None if flow_id is None else get(account_id, flow_id)
        if flow_id is not None and row is None:
            raise Gone("This flow no longer exists.")
        if row is not None and version is not None and row.version != version:
            raise Conflict(row)
        taken = {one.key for one in listed(account_id) if one is not row}
        spec = spec if spec.key else replace(spec, key=stepkey.key_from_name(spec.name, taken, bare="flow"))
        if spec.key in taken:
            raise KeyTaken(spec.key)
        if row is None:
            row = Flow(account_id=account_id, version=0, created_at=now)
            db.session.add(row)
        row.key, row.name, row.document = spec.key, spec.name, jsontext.dumps_text(flow.dump(spec))
        row.version, row.updated_at, row.updated_by = row.version + 1, now, by
        db.session.flush()
        return row


def rename_attribute(account_id: int, old: str, new: str, *, by: str, now: float) -> int:
    """Conditions on `old` are on `new` from now on. Inside `editing()`. Returns how many flows changed."""
    changed = 0
    for row in listed(account_id):
        before = spec_of(row)
        after = flow.renamed(before, old, new)
        if after != before:
            row.document, row.version = jsontext.dumps_text(flow.dump(after)), row.version + 1
            row.updated_at, row.updated_by = now, by
            changed += 1
    return changed


def remove(account_id: int, flow_id: int) -> bool:
    """Delete a flow and its idempotency records. False where there is none."""
    with editing():
        row = db.session.scalar(select(Flow).where(Flow.account_id == account_id, Flow.id == flow_id))
        if row is not None:
            db.session.delete(row)
        return row is not None
