"""The attributes an account knows: the catalogue's own rows and what the mappings of its steps give. And its secrets."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field
from sqlalchemy import select

from httpstep.core import jsontext
from httpstep.core.document import renaming, stepdocument
from httpstep.core.document.entrydocuments import AttributeDocument
from httpstep.core.inserting import secrethosts
from httpstep.core.inserting.secrethosts import Hosts
from httpstep.core.jsontext import Json
from httpstep.core.step.naming import in_lists
from httpstep.core.step.spec import NO_DEFAULT, MappingRule, Missing, StepSpec
from httpstep.extensions import db
from httpstep.storage import flows, steps
from httpstep.storage.database import editing
from httpstep.storage.tables import (
    Attribute,
    Secret,
    Step,
    StepState,
)


class StepLink(Struct, frozen=True):
    """A step, as a link."""

    id: int
    name: str


class AttributeEntry(Struct):
    """An attribute. sample, default: JSON texts. given_by: steps whose mapping gives it; used_in: steps that read it.

    listed: it has a row of its own. in_bot: the bot has it without any step.
    """

    name: str
    sample: str | None = None
    default: str | None = None
    in_bot: bool = False
    listed: bool = False
    given_by: list[StepLink] = field(default_factory=list)
    used_in: list[StepLink] = field(default_factory=list)


class SecretEntry(Struct, frozen=True):
    """hosts: where it may be sent (`core.inserting.secrethosts`)."""

    name: str
    updated_at: float
    hosts: Hosts
    used_in: tuple[StepLink, ...]


class NameTaken(Exception):
    """The account has something of that name already."""


class _Parsed(Struct, frozen=True):
    step: Step
    state: StepState
    spec: StepSpec
    rules: tuple[MappingRule, ...]


def _parsed(account_id: int) -> list[_Parsed]:
    query = select(Step, StepState).join(StepState).where(Step.account_id == account_id, steps.THERE).order_by(Step.id)
    found = []
    for step, state in sorted(db.session.execute(query), key=lambda row: in_lists(row[0].name)):
        spec = steps.spec_of(step.document)
        rules = spec.mapping
        if rules is None:
            rules = steps.rules_of(state.automatic) if state.automatic is not None else ()
        found.append(_Parsed(step, state, spec, rules))
    return found


def entries(account_id: int) -> list[AttributeEntry]:
    """All attributes of the account, by name."""
    parsed = _parsed(account_id)
    found = {
        row.name: AttributeEntry(row.name, row.sample, row.default, row.in_bot, listed=True)
        for row in db.session.scalars(select(Attribute).where(Attribute.account_id == account_id))
    }
    for one in parsed:
        for name in dict.fromkeys(rule.attribute for rule in one.rules if rule.on):
            found.setdefault(name, AttributeEntry(name)).given_by.append(StepLink(one.step.id, one.step.name))
    for one in parsed:
        read = {renaming.meant(name, found.keys()) for name in renaming.placeholders_of(one.spec)}
        for name in read & found.keys():
            found[name].used_in.append(StepLink(one.step.id, one.step.name))
    return sorted(found.values(), key=lambda entry: in_lists(entry.name))


def entry(account_id: int, name: str) -> AttributeEntry | None:
    return next((one for one in entries(account_id) if one.name == name), None)


def save(account_id: int, new: AttributeEntry, *, old: str | None = None, by: str = "", now: float = 0.0) -> int:
    """Write an attribute's row; `old`: its name until now, then it is renamed in every step. Returns how many steps.

    Raises NameTaken where the new name is another attribute's.
    """
    with editing():
        known = frozenset(one.name for one in entries(account_id))
        if new.name != old and new.name in known:
            raise NameTaken(new.name)
        row = _row(account_id, old or new.name)
        if row is None:
            row = Attribute(account_id=account_id)
            db.session.add(row)
        row.name, row.sample, row.default, row.in_bot = new.name, new.sample, new.default, new.in_bot
        db.session.flush()
        return 0 if old in (None, new.name) else _rename(account_id, str(old), new.name, known, by, now)


def _row(account_id: int, name: str) -> Attribute | None:
    return db.session.scalar(select(Attribute).where(Attribute.account_id == account_id, Attribute.name == name))


def _rename(account_id: int, old: str, new: str, known: frozenset[str], by: str, now: float) -> int:
    changed = 0
    for one in _parsed(account_id):
        spec = renaming.renamed(one.spec, old, new, known)
        rules = renaming.renamed_rules(one.rules, old, new)
        if spec != one.spec:
            one.step.document = jsontext.dumps_text(stepdocument.dump(spec))
            one.step.version += 1
            one.step.updated_at, one.step.updated_by = now, by
        if one.spec.mapping is None and rules != one.rules:
            one.state.automatic = jsontext.dumps_text(stepdocument.dump_rules(rules))
        changed += spec != one.spec or rules != one.rules
    flows.rename_attribute(account_id, old, new, by=by, now=now)
    return changed


def remove(account_id: int, name: str) -> bool:
    """Delete an attribute's row; what a step's mapping gives stays known. False where there is none."""
    with editing():
        row = _row(account_id, name)
        if row is not None:
            db.session.delete(row)
        return row is not None


def documents(account_id: int) -> list[AttributeDocument]:
    """The attributes that have a row of their own, by name."""
    rows = db.session.scalars(select(Attribute).where(Attribute.account_id == account_id))
    return sorted(map(_document, rows), key=lambda one: in_lists(one.name))


def document(account_id: int, name: str) -> AttributeDocument | None:
    """An attribute that has a row of its own."""
    row = _row(account_id, name)
    return None if row is None else _document(row)


def _document(row: Attribute) -> AttributeDocument:
    return AttributeDocument(row.name, _value(row.sample), _value(row.default), row.in_bot)


def put(account_id: int, document: AttributeDocument) -> bool:
    """Write the row of an attribute. Whether there was none."""
    with editing():
        row = _row(account_id, document.name)
        is_new = row is None
        if row is None:
            row = Attribute(account_id=account_id, name=document.name)
            db.session.add(row)
        for column, value in columns(document).items():
            setattr(row, column, value)
        return is_new


def columns(document: AttributeDocument) -> dict[str, Any]:
    """What a row says beside its name and account."""
    return {"sample": _json(document.sample), "default": _json(document.default), "in_bot": document.in_bot}


def _value(text: str | None) -> Json | Missing:
    return NO_DEFAULT if text is None else jsontext.read_back(text)


def _json(value: Json | Missing) -> str | None:
    return None if value is NO_DEFAULT else jsontext.dumps_text(value)


# ---------------------------------------------------------------- secrets


def secrets(account_id: int) -> list[SecretEntry]:
    """The account's secrets by name; nothing here reads a value."""
    named = [(one.step, renaming.secrets_of(one.spec)) for one in _parsed(account_id)]
    columns = Secret.name, Secret.updated_at, Secret.hosts
    rows = db.session.execute(select(*columns).where(Secret.account_id == account_id))
    return [
        SecretEntry(
            name,
            updated,
            secrethosts.load(hosts),
            tuple(StepLink(step.id, step.name) for step, names in named if name in names),
        )
        for name, updated, hosts in sorted(rows, key=lambda row: in_lists(row[0]))
    ]


def stored_secrets(account_id: int) -> dict[str, Secret]:
    """The account's rows by name, values encrypted."""
    return {row.name: row for row in db.session.scalars(select(Secret).where(Secret.account_id == account_id))}


def put_secret(account_id: int, name: str, token: bytes, *, hosts: Hosts, now: float, new: bool | None = None) -> bool:
    """Store an encrypted value and where it may be sent, never one without the other. Whether there was none.

    new: True, it must not be there yet (raises NameTaken); False, it must (raises LookupError).
    """
    with editing():
        row = db.session.scalar(select(Secret).where(Secret.account_id == account_id, Secret.name == name))
        is_new = row is None
        if new and not is_new:
            raise NameTaken(name)
        if new is False and is_new:
            raise LookupError(name)
        if row is None:
            row = Secret(account_id=account_id, name=name)
            db.session.add(row)
        row.token, row.updated_at, row.hosts = token, now, secrethosts.dump(hosts)
        return is_new


def remove_secret(account_id: int, name: str) -> bool:
    with editing():
        row = db.session.scalar(select(Secret).where(Secret.account_id == account_id, Secret.name == name))
        if row is not None:
            db.session.delete(row)
        return row is not None
