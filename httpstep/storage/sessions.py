"""Signed-in browsers: the cookie holds 256 random bits, the row their SHA-256. A row that goes signs its browser out."""

from __future__ import annotations

import secrets

from msgspec import Struct
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import joinedload

from httpstep.extensions import db
from httpstep.storage.database import note, writing
from httpstep.storage.keys import digest
from httpstep.storage.tables import Session, User

SECONDS = 30 * 24 * 3600
"""A sign-in lasts thirty days, however often it is used."""
_STALE = 60.0
_MAX_TEXT_CHARACTERS = 300


class Visit(Struct, frozen=True):
    """A valid session. `user` and `user.account` are detached: readable whatever this request does to its transaction."""

    id: int
    user: User


def begin(user_id: int, now: float, *, user_agent: str, address: str) -> str:
    """A new session; returns its token, which nothing can show again. Expired rows go beside it."""
    token = secrets.token_urlsafe(32)
    row = {
        "user_id": user_id, "token_hash": digest(token), "created_at": now, "last_seen_at": now,
        "expires_at": now + SECONDS, "user_agent": user_agent[:_MAX_TEXT_CHARACTERS], "address": address[:_MAX_TEXT_CHARACTERS],
    }  # fmt: skip
    stale = select(Session.id).where(Session.expires_at < now).limit(50).scalar_subquery()
    with writing() as connection:
        connection.execute(delete(Session).where(Session.id.in_(stale)))
        connection.execute(insert(Session).values(**row))
    return token


def find(token: str, now: float) -> Visit | None:
    """The session behind a token; None for an unknown or expired one and for a disabled user's."""
    valid = Session.token_hash == digest(token), Session.expires_at > now, User.disabled_at.is_(None)
    query = select(Session).join(User).where(*valid).options(joinedload(Session.user).joinedload(User.account))
    with OrmSession(db.engine, expire_on_commit=False) as own:
        row = own.scalar(query)
    if row is None:
        return None
    if now - row.last_seen_at > _STALE:
        note(update(Session).where(Session.id == row.id).values(last_seen_at=now))
    return Visit(row.id, row.user)


def end(session_id: int, user_id: int) -> bool:
    """Sign one browser of that user out. False where the user has no such session."""
    mine = Session.id == session_id, Session.user_id == user_id
    with writing() as connection:
        return connection.execute(delete(Session).where(*mine)).rowcount == 1


def end_all(user_id: int, *, but: int | None = None) -> int:
    """Sign a user out everywhere, apart from the session `but`. Returns how many browsers that were."""
    others = Session.user_id == user_id, Session.id != (but if but is not None else -1)
    with writing() as connection:
        return connection.execute(delete(Session).where(*others)).rowcount


def listed(user_id: int, now: float) -> list[Session]:
    query = select(Session).where(Session.user_id == user_id, Session.expires_at > now)
    return list(db.session.scalars(query.order_by(Session.last_seen_at.desc(), Session.id.desc())))
