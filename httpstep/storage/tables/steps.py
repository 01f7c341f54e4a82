"""Steps and flows, what the machine knows of them, and their calls."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from httpstep.extensions import Base
from httpstep.storage.tables.columns import NEVER_REUSED, Id, Text, account_column, step_column

RUNNING: Final = literal_column("'running'", Text)
"""The state of a call under way, for queries: for a value SQLite does not look into an index of those alone."""


def _index_where(rows: str, name: str, *columns: str) -> Index:
    """An index of some rows, which is written to for no other. On PostgreSQL as well, by its migration: to say so here
    would read all that SQLAlchemy has for PostgreSQL with each start on SQLite."""
    return Index(name, *columns, sqlite_where=text(rows))


class Step(Base):
    """document: the step document (core.stepdocument) as JSON text. version rises with every save. deleted_at: set while
    a deletion can be undone; such a step has no key and is in no list. draft_id: of the form whose first save made it."""

    __tablename__ = "steps"
    __table_args__ = (
        UniqueConstraint("account_id", "key"),
        Index("ix_steps_draft", "account_id", "draft_id", unique=True),
        NEVER_REUSED,
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = account_column()
    key: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    document: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[float]
    updated_at: Mapped[float]
    updated_by: Mapped[str] = mapped_column(Text, default="")
    deleted_at: Mapped[float | None]
    draft_id: Mapped[str | None] = mapped_column(Text)
    state: Mapped[StepState] = relationship(viewonly=True, uselist=False)


class StepState(Base):
    """What the machine knows of a step.

    automatic: the rules a bot call made, a JSON list. structure, sample: the accepted ones. odd: the structure
    of the last answer that differed, odd_streak how many in a row did; below zero: how many in a row did not, while
    the step is marked. drift: the marked difference, JSON.
    last_alert_at: the claimed hour. failures: failed calls since the last mail, failing_since the first of them.
    """

    __tablename__ = "step_states"
    step_id: Mapped[int] = mapped_column(Id, ForeignKey("steps.id", ondelete="CASCADE"), primary_key=True)
    automatic: Mapped[str | None] = mapped_column(Text)
    structure: Mapped[str | None] = mapped_column(Text)
    sample: Mapped[bytes | None] = mapped_column(LargeBinary)
    odd: Mapped[str | None] = mapped_column(Text)
    odd_streak: Mapped[int] = mapped_column(default=0)
    drift: Mapped[str | None] = mapped_column(Text)
    drift_at: Mapped[float | None]
    drift_log_id: Mapped[int | None] = mapped_column(Id)
    last_alert_at: Mapped[float | None]
    last_alert_to: Mapped[int] = mapped_column(default=0)
    mail_error: Mapped[str | None] = mapped_column(Text)
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[float | None]


class AcceptedStructure(Base):
    """History of accepted structures, the newest five of each step. sample: the answer's body, where it was kept whole."""

    __tablename__ = "accepted_structures"
    __table_args__ = NEVER_REUSED
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    step_id: Mapped[int] = step_column()
    structure: Mapped[str] = mapped_column(Text)
    sample: Mapped[bytes | None] = mapped_column(LargeBinary)
    accepted_at: Mapped[float]
    accepted_by: Mapped[str] = mapped_column(Text, default="")


class Log(Base):
    """The kept record of an execution; redacted before it gets here.

    state: running or done; a running row whose process is gone reads as interrupted. draft_id: the home of
    tests of a step that was never saved. detail: JSON with everything View shows besides the two bodies,
    which are cut at 64 KB. structure: shape of the answer, so that Save can accept what a test saw.
    """

    __tablename__ = "logs"
    __table_args__ = (
        Index("ix_logs_step_id_id", "step_id", "id"),
        _index_where("draft_id IS NOT NULL", "ix_logs_draft_id", "draft_id"),
        _index_where("state = 'running'", "ix_logs_running", "account_id", "state", "started_at"),
        NEVER_REUSED,
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"))
    step_id: Mapped[int | None] = mapped_column(Id, ForeignKey("steps.id", ondelete="CASCADE"))
    draft_id: Mapped[str | None] = mapped_column(Text)
    step_version: Mapped[int] = mapped_column(default=0)
    request_id: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(Text, default="running")
    instance: Mapped[str] = mapped_column(Text, default="")
    pid: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[float]
    duration_ms: Mapped[int | None]
    outcome: Mapped[str | None] = mapped_column(Text)
    next: Mapped[str | None] = mapped_column(Text)
    message: Mapped[str | None] = mapped_column(Text)
    method: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[int | None]
    structure_changed: Mapped[bool] = mapped_column(default=False)
    detail: Mapped[str | None] = mapped_column(Text)
    request_body: Mapped[bytes | None] = mapped_column(LargeBinary)
    response_body: Mapped[bytes | None] = mapped_column(LargeBinary)
    structure: Mapped[str | None] = mapped_column(Text)


class Case(Base):
    """A test case of a step: values and what is expected of them. document: as `core.outcome.cases.dump` writes it.

    ran_at, differences: of its last run, None before the first; log_id: the call of that run.
    """

    __tablename__ = "cases"
    __table_args__ = NEVER_REUSED
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = account_column()
    step_id: Mapped[int] = step_column()
    name: Mapped[str] = mapped_column(Text)
    document: Mapped[str] = mapped_column(Text)
    created_at: Mapped[float]
    created_by: Mapped[str] = mapped_column(Text, default="")
    ran_at: Mapped[float | None]
    differences: Mapped[str | None] = mapped_column(Text)
    log_id: Mapped[int | None] = mapped_column(Id)


class Flow(Base):
    """document: the places (core.flow.dump) as JSON text; they name steps by id. version rises with every save."""

    __tablename__ = "flows"
    __table_args__ = (UniqueConstraint("account_id", "key"), NEVER_REUSED)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = account_column()
    key: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    document: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[float]
    updated_at: Mapped[float]
    updated_by: Mapped[str] = mapped_column(Text, default="")


class Idempotency(Base):
    """One Idempotency-Key of a step or of a flow, the other id being None. answer: the stored answer, encrypted by the vault.

    state: running, done, or unknown where the process that ran it (instance, pid) ended before it.
    """

    __tablename__ = "idempotency"
    __table_args__ = (UniqueConstraint("step_id", "key"), UniqueConstraint("flow_id", "key"), NEVER_REUSED)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = account_column()
    step_id: Mapped[int | None] = mapped_column(Id, ForeignKey("steps.id", ondelete="CASCADE"))
    flow_id: Mapped[int | None] = mapped_column(Id, ForeignKey("flows.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(Text)
    body_hash: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="running")
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[float] = mapped_column(index=True)
    instance: Mapped[str] = mapped_column(Text, default="", server_default="")
    pid: Mapped[int] = mapped_column(default=0, server_default="0")


class Alert(Base):
    """A mail that is due: written with the claim of the hour, taken by whoever sends it. state: due, sent, given_up.

    failures: how many failed calls it tells of, taken from the step's count once it is delivered.
    """

    __tablename__ = "alerts"
    __table_args__ = (Index("ix_alerts_due", "state", "due_at"), NEVER_REUSED)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    step_id: Mapped[int] = step_column()
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    recipients: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="due")
    tries: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    due_at: Mapped[float]
    created_at: Mapped[float]
    error: Mapped[str | None] = mapped_column(Text)


class BudgetHit(Base):
    """One call counted against a budget. number: 1, 2, 3 … of its key, so that two rows tell how many lie between them.

    No row has an earlier time than the one before it, and only a key's oldest rows are deleted. The number of a row that
    has none is put in by a trigger (`storage/schema.py`).
    """

    __tablename__ = "budget_hits"
    __table_args__ = (Index("ix_budget_hits_key_at_number", "key", "at", "number"), NEVER_REUSED)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(Text)
    at: Mapped[float]
    number: Mapped[int] = mapped_column(Id, default=0, server_default="0")


class CallCount(Base):
    """How often a call ended so (kind "execution", with their milliseconds together), or was refused for that reason
    (kind "refusal"), since the installation began. account: its slug, "" where it is not known. A count lies in several
    rows (`shard`), whose sum it is: on PostgreSQL calls that end at the same moment then do not wait for each other.
    last_at: when such a refusal was written last; of executions the logs tell."""

    __tablename__ = "call_counts"
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    account: Mapped[str] = mapped_column(Text, primary_key=True)
    source: Mapped[str] = mapped_column(Text, primary_key=True)
    outcome: Mapped[str] = mapped_column(Text, primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger)
    milliseconds: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[float | None]
