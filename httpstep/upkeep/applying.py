"""Makes an account be what documents say: a plan, and then all of it in one transaction or nothing. And the other way:
what an account is, as documents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from httpstep.core import jsontext
from httpstep.core.document import planning, renaming
from httpstep.core.document.documents import KINDS, Document, Named, SecretNote, write_account
from httpstep.core.document.planning import DONE, Plan, PlannedChange
from httpstep.core.jsontext import Json
from httpstep.extensions import db
from httpstep.storage import catalogue, deleting, flows, steps
from httpstep.storage.database import editing, snapshot
from httpstep.upkeep import audit, writing


class Overtaken(Exception):
    """The account was changed after the plan was made; nothing was written."""

    SENTENCE = "The account was changed since this plan was made. Nothing was done: start again."


def documents(account_id: int) -> list[Document]:
    """What the account is: its attributes, steps and flows, each by its key. Steps have the mapping that is in force."""
    found: dict[str, list[Any]] = {
        "attribute": catalogue.documents(account_id),
        "step": [step.spec for step in steps.load_all(account_id)],
        "flow": flows.described(account_id, flows.listed(account_id)),
    }
    whole = [Document.of(what, one) for what in KINDS for one in found[what]]
    return sorted(whole, key=lambda one: (list(KINDS).index(one.what), one.named))


def secret_notes(account_id: int) -> list[SecretNote]:
    """Names and hosts of the account's secrets; nothing here reads a value."""
    return [SecretNote(one.name, one.hosts) for one in catalogue.secrets(account_id)]


def exported(account_id: int) -> tuple[list[Document], list[SecretNote]]:
    """Both of one moment: of an account that is edited meanwhile a flow comes with its steps, or neither."""
    with snapshot():
        return documents(account_id), secret_notes(account_id)


def plan(account_id: int, wanted: Mapping[Named, Document], *, delete: bool) -> Plan:
    """What has to be done. delete: what no document says goes. Raises documents.Unusable."""
    return planning.planned(wanted, _present(account_id), delete=delete)


def apply(account_id: int, wanted: Mapping[Named, Document], shown: Plan, *, delete: bool, by: str, now: float) -> None:
    """Do what the plan says, all of it or nothing. Deleted steps are set aside, as by their page.

    Raises Overtaken where another one would be made now.
    """
    with editing():
        if plan(account_id, wanted, delete=delete) != shown:
            raise Overtaken
        _write(account_id, [wanted[one.what, one.name] for one in shown.changes if one.doing != "delete"], by, now)
        _delete(account_id, [one for one in shown.changes if one.doing == "delete"], now)


def digest(account_id: int) -> str:
    """Of what the account is now: two edits of one member make one and the same plan, and not the same digest."""
    now = write_account("", "", documents(account_id), secret_notes(account_id))
    return hashlib.sha256(jsontext.dumps(now)).hexdigest()


def restore(
    account_id: int, wanted: Mapping[Named, Document], shown: Plan, *, delete: bool, seen: str, by: str, now: float
) -> None:
    """`apply`, with a line in the audit list. seen: the digest of the account that the plan was shown for.

    Raises Overtaken where the account is another one now.
    """
    with editing():
        if digest(account_id) != seen:
            raise Overtaken
        apply(account_id, wanted, shown, delete=delete, by=by, now=now)
        audit.write(db.session(), [(account_id, "backup restored", "account", told(shown))])


def told(done: Plan) -> str:
    """What was done, as "2 created, 1 deleted"."""
    return ", ".join(f"{done.count(doing)} {word}" for doing, word in DONE.items() if done.count(doing))


def missing_secrets(account_id: int, wanted: Mapping[Named, Document]) -> dict[str, list[str]]:
    """The secrets that steps of the documents need and the account does not have, with the keys of those steps."""
    there = catalogue.stored_secrets(account_id)
    found: dict[str, list[str]] = {}
    for (what, name), one in sorted(wanted.items()):
        for secret in sorted(renaming.secrets_of(one.value) if what == "step" else ()):
            if secret not in there:
                found.setdefault(secret, []).append(name)
    return found


def _present(account_id: int) -> dict[Named, Sequence[Mapping[str, Json]]]:
    """With a mapping that was made by itself a step is as good as one without a mapping as with this one."""
    found: dict[Named, Sequence[Mapping[str, Json]]] = {one.named: (one.written,) for one in documents(account_id)}
    for step in steps.load_all(account_id):
        if not step.own_mapping:
            never_set = Document.of("step", replace(step.spec, mapping=None))
            found[never_set.named] = (never_set.written, *found[never_set.named])
    return found


def _write(account_id: int, changed: Sequence[Document], by: str, now: float) -> None:
    values = {what: [one.value for one in changed if one.what == what] for what in KINDS}
    writing.write_attributes(account_id, values["attribute"])
    writing.write_steps(account_id, values["step"], by, now)
    writing.write_flows(account_id, values["flow"], by, now)


def _delete(account_id: int, changes: Sequence[PlannedChange], now: float) -> None:
    """What needs a step goes before the step."""
    gone = {what: {one.name for one in changes if one.what == what} for what in KINDS}
    for row in flows.listed(account_id):
        if row.key in gone["flow"]:
            flows.remove(account_id, row.id)
    deleting.set_aside(account_id, [step.id for step in steps.listed(account_id) if step.key in gone["step"]], now)
    for name in gone["attribute"]:
        catalogue.remove(account_id, name)
