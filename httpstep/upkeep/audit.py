"""The audit list: who changed what and when, kept for a year.

It is written by what is flushed into the database, in the same transaction, so that no page, command or API call that
changes one of these things can forget to say so. It has names and never values.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from flask import g, has_request_context
from msgspec import Struct
from sqlalchemy import Connection, delete, event, insert, inspect, select
from sqlalchemy.orm import Session

from httpstep.extensions import db
from httpstep.storage.database import reading
from httpstep.storage.tables import Account, ApiKey, Attribute, AuditEntry, Flow, OneTimeCode, Secret, Step, User

RETENTION_SECONDS: Final = 366 * 24 * 3600.0
PAGE: Final = 100
MAX_EXPORTED: Final = 100_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula, or cuts off before one (OWASP, CSV Injection)."""


class AuditRecord(Struct, frozen=True):
    """at: seconds since the epoch. what: "step saved", "secret replaced" … detail: what is to be known of it, or ""."""

    id: int
    at: float
    actor: str
    what: str
    name: str
    detail: str

    @property
    def moment(self) -> str:
        return datetime.fromtimestamp(self.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def acts(who: str) -> None:
    """Whose request this is: an address, or the name of an API key."""
    g.actor = who


def entries(account_id: int, *, before: int | None = None, limit: int = PAGE) -> list[AuditRecord]:
    """The newest of the last year, older than the entry `before` if one is named."""
    mine = [AuditEntry.account_id == account_id, AuditEntry.at >= time.time() - RETENTION_SECONDS]
    mine += [] if before is None else [AuditEntry.id < before]
    columns = AuditEntry.id, AuditEntry.at, AuditEntry.actor, AuditEntry.what, AuditEntry.name, AuditEntry.detail
    with reading() as connection:
        rows = connection.execute(select(*columns).where(*mine).order_by(AuditEntry.id.desc()).limit(limit))
        return [AuditRecord(*row) for row in rows]


def as_csv(found: Iterable[AuditRecord]) -> str:
    """RFC 4180, each cell such that no spreadsheet runs it."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(("when", "who", "what", "name", "detail"))
    for one in found:
        writer.writerow(map(_cell, (one.moment, one.actor, one.what, one.name, one.detail)))
    return file.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) or text.startswith(_FORMULA) else text


# ---------------------------------------------------------------- writing


@event.listens_for(db.session, "after_flush")
def _note(session: Session, _: Any) -> None:
    if changes := [*_made(session), *_changed(session), *_gone(session)]:
        write(session, changes)


def write(session: Session, changes: Iterable[Change]) -> None:
    """Note them in the session's transaction. Also for what is written past the session, which nobody sees there."""
    note(session.connection(), changes)


def note(connection: Connection, changes: Iterable[Change]) -> None:
    """Note them in the transaction of the connection."""
    now = time.time()
    rows = [
        {"account_id": account, "at": now, "actor": _actor(what, name), "what": what, "name": name, "detail": detail}
        for account, what, name, detail in changes
    ]
    connection.execute(insert(AuditEntry), rows)
    old = select(AuditEntry.id).where(AuditEntry.at < now - RETENTION_SECONDS).order_by(AuditEntry.id).limit(100)
    connection.execute(delete(AuditEntry).where(AuditEntry.id.in_(old.scalar_subquery())))


def _actor(what: str, name: str) -> str:
    """Who came by an invitation or made the first user is nobody yet, and so acts as who was made."""
    if not has_request_context():
        return "command line"
    return str(g.get("actor") or (name if what == "user added" else "nobody"))


Change = tuple[int, str, str, str]
"""Account, what, name, detail."""


def _made(session: Session) -> Iterator[Change]:
    for one in session.new:
        if isinstance(one, (Step, Flow)):
            yield one.account_id, f"{one.__class__.__name__.lower()} created", one.key, one.name
        elif isinstance(one, Secret):
            yield one.account_id, "secret stored", one.name, ""
        elif isinstance(one, Attribute):
            yield one.account_id, "attribute created", one.name, ""
        elif isinstance(one, ApiKey):
            yield one.account_id, "key created", one.name, one.scope
        elif isinstance(one, User):
            yield one.account_id, "user added", one.email, one.role
        elif isinstance(one, OneTimeCode):
            yield from _code(session, one)
        elif isinstance(one, Account):
            yield one.id, "account created", one.slug, ""


def _code(session: Session, code: OneTimeCode) -> Iterator[Change]:
    if code.purpose == "invite" and code.account_id is not None:
        yield code.account_id, "user invited", code.email, code.role
    elif code.purpose == "reset":
        whose = select(User.account_id, User.email).where(User.id == code.user_id)
        for account_id, email in session.connection().execute(whose):
            yield account_id, "password link made", email, ""


def _changed(session: Session) -> Iterator[Change]:
    for one in session.dirty:
        before = _before(one) if isinstance(one, (Step, Flow, Secret, ApiKey, Attribute, User, Account)) else {}
        if not before:
            continue
        if isinstance(one, Step):
            yield from _step(one, before)
        elif isinstance(one, Flow) and "version" in before:
            yield one.account_id, "flow saved", one.key, f"version {one.version}"
        elif isinstance(one, Secret) and ("token" in before or "hosts" in before):
            yield one.account_id, "secret replaced", one.name, ""
        elif isinstance(one, ApiKey) and "revoked_at" in before:
            yield one.account_id, "key revoked", one.name, f"hs_{one.prefix}"
        elif isinstance(one, Attribute):
            yield one.account_id, "attribute saved", one.name, f"was {before['name']}" if "name" in before else ""
        elif isinstance(one, User):
            yield from _user(one, before)
        elif isinstance(one, Account):
            yield from _account(one, before)


def _before(one: Any) -> dict[str, Any]:
    """The old values of what was changed."""
    columns = inspect(one).mapper.column_attrs.keys()
    histories = {name: inspect(one).attrs[name].history for name in columns}
    return {name: next(iter(past.deleted), None) for name, past in histories.items() if past.has_changes()}


def _step(one: Step, before: dict[str, Any]) -> Iterator[Change]:
    if "deleted_at" in before:
        if one.deleted_at is None:
            yield one.account_id, "step restored", one.key, one.name
        else:
            yield one.account_id, "step deleted", before.get("key") or one.key, one.name
    elif "version" in before:
        yield one.account_id, "step saved", one.key, f"version {one.version}"


def _user(one: User, before: dict[str, Any]) -> Iterator[Change]:
    if "role" in before:
        yield one.account_id, "role changed", one.email, f"{before['role']} to {one.role}"
    if "disabled_at" in before:
        yield one.account_id, "user enabled" if one.disabled_at is None else "user disabled", one.email, ""


def _account(one: Account, before: dict[str, Any]) -> Iterator[Change]:
    if "name" in before:
        yield one.id, "account renamed", one.name, f"was {before['name']}" if before["name"] else ""
    for name, words in (("per_minute", "calls a minute"), ("in_flight", "calls at once")):
        if name in before:
            old, new = (figure or "the usual figure" for figure in (before[name], getattr(one, name)))
            yield one.id, "limit changed", words, f"{old} to {new}"


def _gone(session: Session) -> Iterator[Change]:
    for one in session.deleted:
        if isinstance(one, (Step, Flow)):
            yield one.account_id, f"{one.__class__.__name__.lower()} deleted", one.key, one.name
        elif isinstance(one, Secret):
            yield one.account_id, "secret deleted", one.name, ""
        elif isinstance(one, Attribute):
            yield one.account_id, "attribute deleted", one.name, ""
        elif isinstance(one, OneTimeCode) and one.purpose == "invite" and one.account_id is not None:
            yield one.account_id, "invitation withdrawn", one.email, one.role
