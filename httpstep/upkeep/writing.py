"""Many documents of an account written by a few statements: a transaction that takes long keeps every call waiting.

Inside `editing()`. What has a key that is there is replaced, with a new version; all else is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import insert, select, update

from httpstep.core import jsontext
from httpstep.core.document import flow, flowdocument, stepdocument
from httpstep.core.document.entrydocuments import AttributeDocument
from httpstep.core.document.flowdocument import FlowDocument
from httpstep.core.step.spec import StepSpec
from httpstep.extensions import Base, db
from httpstep.storage import catalogue
from httpstep.storage.steps import THERE
from httpstep.storage.tables import Attribute, Flow, Step, StepState
from httpstep.upkeep import audit


def write_attributes(account_id: int, documents: Iterable[AttributeDocument]) -> None:
    mine = select(Attribute.name, Attribute.id).where(Attribute.account_id == account_id)
    ids = {row.name: row.id for row in db.session.execute(mine)}
    rows = {one.name: catalogue.columns(one) for one in documents}
    _execute(
        Attribute,
        [row | {"account_id": account_id, "name": name} for name, row in rows.items() if name not in ids],
        [row | {"id": ids[name]} for name, row in rows.items() if name in ids],
    )
    if rows:
        words = {name: "attribute saved" if name in ids else "attribute created" for name in rows}
        audit.write(db.session(), [(account_id, what, name, "") for name, what in words.items()])


def write_steps(account_id: int, specs: Iterable[StepSpec], by: str, now: float) -> None:
    texts = {spec.key: (spec.name, jsontext.dumps_text(stepdocument.dump(spec))) for spec in specs}
    made = _write(Step, account_id, texts, by, now)
    if made:
        ids = db.session.scalars(select(Step.id).where(Step.account_id == account_id, THERE, Step.key.in_(made)))
        db.session.execute(insert(StepState), [{"step_id": step_id} for step_id in ids.all()])


def write_flows(account_id: int, documents: Iterable[FlowDocument], by: str, now: float) -> None:
    """Raises kind.DocumentError for a step that is not there."""
    ids = {
        row.key: row.id
        for row in db.session.execute(select(Step.key, Step.id).where(Step.account_id == account_id, THERE))
    }
    specs = (flowdocument.resolved(one, ids) for one in documents)
    _write(Flow, account_id, {spec.key: (spec.name, jsontext.dumps_text(flow.dump(spec))) for spec in specs}, by, now)


def _write(
    table: type[Step] | type[Flow], account_id: int, texts: dict[str, tuple[str, str]], by: str, now: float
) -> list[str]:
    """texts: name and document by key. Returns the keys of the rows that were made."""
    mine = select(table.key, table.id, table.version).where(table.account_id == account_id)
    there = {row.key: row for row in db.session.execute(mine)}
    keys = {row.id: key for key, row in there.items()}
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for key, (name, document) in texts.items():
        values = {"name": name, "document": document, "updated_at": now, "updated_by": by}
        if key in there:
            changed.append(values | {"id": there[key].id, "version": there[key].version + 1})
        else:
            new.append(values | {"account_id": account_id, "key": key, "version": 1, "created_at": now})
    _execute(table, new, changed)
    what = table.__name__.lower()
    made = [(account_id, f"{what} created", row["key"], row["name"]) for row in new]
    saved = [(account_id, f"{what} saved", keys[row["id"]], f"version {row['version']}") for row in changed]
    if made or saved:
        audit.write(db.session(), made + saved)
    return [row["key"] for row in new]


def _execute(table: type[Base], new: list[dict[str, Any]], changed: list[dict[str, Any]]) -> None:
    """changed: with their ids."""
    for statement, rows in ((insert(table), new), (update(table), changed)):
        if rows:
            db.session.execute(statement, rows)
