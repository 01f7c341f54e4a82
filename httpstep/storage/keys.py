"""API keys: 256 random bits shown once, found by a prefix, compared by their SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from msgspec import Struct
from sqlalchemy import bindparam, select, update

from httpstep.extensions import db
from httpstep.storage.database import editing, note, reading
from httpstep.storage.tables import Account, ApiKey

SCOPES = ("execute", "manage")
_STALE = 60.0
_SPARE_HASH = hashlib.sha256(b"no such key").hexdigest()


class Caller(Struct, frozen=True):
    """Who calls: the account with its limits, and the key."""

    account_id: int
    account: str
    per_minute: int | None
    in_flight: int | None
    key_id: int
    key_name: str
    scope: str


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def create(account_id: int, name: str, scope: str, now: float) -> tuple[ApiKey, str]:
    """A new key and its token, which nothing can show again. The caller commits."""
    prefix = secrets.token_hex(4)
    token = f"hs_{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey(account_id=account_id, name=name, scope=scope, prefix=prefix, token_hash=digest(token), created_at=now)
    db.session.add(key)
    return key, token


def has_one(account_id: int, scope: str) -> bool:
    """Whether a key of that scope is in force."""
    mine = (ApiKey.account_id == account_id, ApiKey.scope == scope, ApiKey.revoked_at.is_(None))
    return db.session.scalar(select(ApiKey.id).where(*mine).limit(1)) is not None


def revoke(account_id: int, key_id: int, now: float, *, scope: str | None = None) -> bool:
    """From now on calls with it are refused. scope: only a key of that one. False where there is none in force."""
    mine = [ApiKey.account_id == account_id, ApiKey.id == key_id, ApiKey.revoked_at.is_(None)]
    mine += [ApiKey.scope == scope] if scope else []
    with editing():
        found = db.session.scalar(select(ApiKey).where(*mine))
        if found is not None:
            found.revoked_at = now
    return found is not None


_BY_PREFIX = (
    select(
        Account.id, Account.slug, Account.per_minute, Account.in_flight,
        ApiKey.id, ApiKey.name, ApiKey.scope, ApiKey.token_hash, ApiKey.revoked_at, ApiKey.last_used_at,
    )
    .join(Account, Account.id == ApiKey.account_id)
    .where(ApiKey.prefix == bindparam("wanted"))
)  # fmt: skip


class Key(Struct):
    """A key as it is stored, with whose it is. used: when its last use was written."""

    caller: Caller
    token_hash: str
    revoked: bool
    used: float | None


def prefix_of(token: str) -> str:
    return token[3:11] if token.startswith("hs_") and len(token) < 200 else ""


def find(prefix: str) -> Key | None:
    with reading() as connection:
        row = connection.execute(_BY_PREFIX, {"wanted": prefix}).one_or_none()
    return None if row is None else Key(Caller(*row[:7]), row[7], row[8] is not None, row[9])


def is_noted(key: Key, now: float) -> bool:
    """Whether it is written already that the key is in use, so that `authenticate` writes nothing."""
    return key.used is not None and now - key.used <= _STALE


def authenticate(key: Key | None, token: str, now: float) -> Caller | None:
    """The caller, where the token is this key's; None for an unknown, altered or revoked one, in the same time."""
    same = hmac.compare_digest(digest(token), key.token_hash if key else _SPARE_HASH)
    if key is None or not same or key.revoked:
        return None
    if not is_noted(key, now):
        key.used = now
        note(update(ApiKey).where(ApiKey.id == key.caller.key_id).values(last_used_at=now))
    return key.caller
