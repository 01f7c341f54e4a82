"""Accounts and what belongs to one beside its steps: who signs in or calls, the catalogue, secrets, who changed what."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from httpstep.extensions import Base
from httpstep.storage.tables.columns import NEVER_REUSED, Id, Text, account_column


class Account(Base):
    """A tenant. per_minute and in_flight are None where the installation's figure applies."""

    __tablename__ = "accounts"
    __table_args__ = NEVER_REUSED
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    slug: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text, default="")
    per_minute: Mapped[int | None]
    in_flight: Mapped[int | None]
    created_at: Mapped[float]


class User(Base):
    """role: viewer, editor or admin, in the one account the user has. An operator also sees all accounts' limits."""

    __tablename__ = "users"
    __table_args__ = NEVER_REUSED
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = account_column()
    email: Mapped[str] = mapped_column(Text, unique=True)
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text, default="admin")
    operator: Mapped[bool] = mapped_column(default=False)
    disabled_at: Mapped[float | None]
    created_at: Mapped[float]
    account: Mapped[Account] = relationship()


class Session(Base):
    """One signed-in browser; the cookie holds the token, this row its SHA-256."""

    __tablename__ = "sessions"
    __table_args__ = NEVER_REUSED
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[float]
    last_seen_at: Mapped[float]
    expires_at: Mapped[float]
    user_agent: Mapped[str] = mapped_column(Text, default="")
    address: Mapped[str] = mapped_column(Text, default="")
    user: Mapped[User] = relationship()


class OneTimeCode(Base):
    """A code that works once. purpose: setup, invite or reset; code_hash is its SHA-256."""

    __tablename__ = "one_time_codes"
    __table_args__ = NEVER_REUSED
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    purpose: Mapped[str] = mapped_column(Text)
    code_hash: Mapped[str] = mapped_column(Text, unique=True)
    account_id: Mapped[int | None] = mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(Text, default="")
    role: Mapped[str] = mapped_column(Text, default="")
    expires_at: Mapped[float]
    used_at: Mapped[float | None]


class ApiKey(Base):
    """scope: execute or manage. The token is shown once; its SHA-256 is kept, its prefix finds the row."""

    __tablename__ = "api_keys"
    __table_args__ = NEVER_REUSED
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = account_column()
    name: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text, default="execute")
    prefix: Mapped[str] = mapped_column(Text, unique=True)
    token_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[float]
    last_used_at: Mapped[float | None]
    revoked_at: Mapped[float | None]


class Attribute(Base):
    """The catalogue. sample and default are JSON texts; default None: there is none. in_bot: the bot itself has it."""

    __tablename__ = "attributes"
    __table_args__ = (UniqueConstraint("account_id", "name"), NEVER_REUSED)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = account_column()
    name: Mapped[str] = mapped_column(Text)
    sample: Mapped[str | None] = mapped_column(Text)
    default: Mapped[str | None] = mapped_column(Text)
    in_bot: Mapped[bool] = mapped_column(default=True)


class Secret(Base):
    """token: the value as the vault encrypted it. hosts: where it may be sent, as `core.inserting.secrethosts.dump` writes it."""

    __tablename__ = "secrets"
    __table_args__ = (UniqueConstraint("account_id", "name"), NEVER_REUSED)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = account_column()
    name: Mapped[str] = mapped_column(Text)
    token: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[float]
    hosts: Mapped[str] = mapped_column(Text, default="", server_default="")


class AccessToken(Base):
    """An OAuth 2 access token for all processes. name: a hash of the account and the whole request for it. token: as
    the vault encrypted it, None while the first is fetched. claimed_until: somebody is fetching it."""

    __tablename__ = "access_tokens"
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    account_id: Mapped[int] = account_column()
    token: Mapped[bytes | None] = mapped_column(LargeBinary)
    good_until: Mapped[float]
    claimed_until: Mapped[float]


class AuditEntry(Base):
    """Who changed what (`upkeep.audit`), kept for a year. actor: an address, the name of a key, or "command line"."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_account_id_id", "account_id", "id"), NEVER_REUSED)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"))
    at: Mapped[float]
    actor: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)


class Edition(Base):
    """A number drawn by triggers (`storage/schema.py`) with each edit of what calls read of the account. No two states of
    an account have the same, not even where a backup was restored in between."""

    __tablename__ = "editions"
    account_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    edition: Mapped[int] = mapped_column(BigInteger)


class NightlyBackup(Base):
    """The last nightly backup of all hosts (`upkeep.nights`), one row. instance: the host that made it."""

    __tablename__ = "nightly_backups"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[float]
    instance: Mapped[str] = mapped_column(Text)
