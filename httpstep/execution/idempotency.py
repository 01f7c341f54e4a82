"""Idempotency-Key of execute, for steps and flows: the same key and body give the stored answer without a second call.

The claim is on the disk before the call. A claim without an answer whose process has ended (the next start or the
server marks it, `storage.logs.interrupt`), or which is older than any call can be, means that nobody knows whether the
third party got it: the key answers 409 until `UNKNOWN_FOR` has passed since the claim.

An account's answers take `MAX_KEPT_BYTES`; beyond it the oldest are dropped and their keys stay, so that the call is not
made again: whoever repeats one is told that its answer is gone (decision 31).
"""

from __future__ import annotations

import hashlib
import os

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from httpstep.core import jsontext
from httpstep.core.jsontext import Json
from httpstep.storage.database import reading, writing
from httpstep.storage.logs import MAX_CALL_SECONDS
from httpstep.storage.tables import Idempotency, insert_into
from httpstep.storage.vault import Binding, Vault

RETENTION_SECONDS = 24 * 3600.0
UNKNOWN_FOR = 15 * 60.0
MAX_KEPT_BYTES = 100_000_000
_LOOKS_AT_BYTES = 64 * 1024
_LOOKS_EVERY = 16
"""What an account has is summed up for each answer of so many bytes, and for one in so many others."""


class Running(Exception):
    """A call with this key is under way."""


class OutcomeUnknown(Exception):
    """A call with this key was interrupted; whether the third party got it is not known. seconds: until it is released."""

    def __init__(self, seconds: int) -> None:
        super().__init__("outcome unknown")
        self.seconds = seconds


class AnswerDropped(Exception):
    """The call with this key was made, and its answer is no longer kept."""


class OtherBody(Exception):
    """The key was used with another body (draft-ietf-httpapi-idempotency-key-header, 2.7)."""


class Claim(Struct, frozen=True):
    """The right to make the call for this key, or the answer that was stored (`answer` not None). place: where the
    answer is kept, for the vault."""

    id: int
    answer: Json = None
    place: Binding | None = None


def body_hash(body: bytes, query: str = "") -> str:
    return hashlib.sha256(body + b"\0" + query.encode()).hexdigest()


def claim(
    vault: Vault, account_id: int, step_id: int | None, key: str, hashed: str, now: float, *,
    flow_id: int | None = None, instance: str = "",
) -> Claim:  # fmt: skip
    """Claim the key of a step or of a flow, or give its stored answer. Raises Running, OutcomeUnknown,
    AnswerDropped, OtherBody."""
    home = Idempotency.step_id == step_id if flow_id is None else Idempotency.flow_id == flow_id
    mine = home & (Idempotency.key == key)
    place = ("answer", str(account_id), f"step {step_id}" if flow_id is None else f"flow {flow_id}", key)
    expired = (Idempotency.state == "done") & (Idempotency.created_at < now - RETENTION_SECONDS)
    released = (Idempotency.state != "done") & (Idempotency.created_at < now - UNKNOWN_FOR)
    row = {
        "account_id": account_id, "step_id": step_id, "flow_id": flow_id, "key": key, "body_hash": hashed, "created_at": now,
        "instance": instance, "pid": os.getpid(),
    }  # fmt: skip
    with writing(durable=True) as connection:
        connection.execute(delete(Idempotency).where(mine, expired | released))
        add = insert_into(connection, Idempotency).values(state="running", **row).on_conflict_do_nothing()
        made = connection.execute(add.returning(Idempotency.id)).one_or_none()
        old = select(Idempotency.id).where(Idempotency.created_at < now - RETENTION_SECONDS).limit(20)
        old = old.with_for_update(skip_locked=True)
        connection.execute(delete(Idempotency).where(Idempotency.id.in_(old.scalar_subquery())))
    if made is not None:
        return Claim(int(made[0]), place=place)
    return _existing(vault, mine, hashed, now, place)


def _existing(vault: Vault, mine: ColumnElement[bool], hashed: str, now: float, place: Binding) -> Claim:
    with reading() as connection:
        found = connection.execute(
            select(
                Idempotency.id, Idempotency.body_hash, Idempotency.state, Idempotency.answer, Idempotency.created_at
            ).where(mine)
        ).one_or_none()
    if found is None:
        raise Running
    if found.body_hash != hashed:
        raise OtherBody
    if found.state == "done" and found.answer is None:
        raise AnswerDropped
    if found.state == "done":
        return Claim(found.id, jsontext.read_back(vault.decrypt(found.answer, place)))
    age = now - found.created_at
    if found.state == "running" and age <= MAX_CALL_SECONDS:
        raise Running
    raise OutcomeUnknown(max(1, round(UNKNOWN_FOR - age)))


def store(vault: Vault, claimed: Claim, answer: Json) -> None:
    """Keep the answer for whoever repeats the call."""
    sealed = vault.encrypt(jsontext.dumps(answer), claimed.place)
    with writing(durable=True) as connection:
        connection.execute(update(Idempotency).where(Idempotency.id == claimed.id).values(state="done", answer=sealed))
        if len(sealed) >= _LOOKS_AT_BYTES or claimed.id % _LOOKS_EVERY == 0:
            _drop_oldest(connection, claimed.id)


def _drop_oldest(connection: Connection, claimed: int) -> None:
    """Of the account's answers those beyond MAX_KEPT_BYTES, counted from the newest."""
    account = select(Idempotency.account_id).where(Idempotency.id == claimed).scalar_subquery()
    newer = func.sum(func.length(Idempotency.answer)).over(order_by=Idempotency.id.desc()).label("bytes")
    mine = Idempotency.account_id == account, Idempotency.answer.is_not(None)
    summed = select(Idempotency.id, newer).where(*mine).subquery()
    beyond = select(Idempotency.id).where(
        Idempotency.id.in_(select(summed.c.id).where(summed.c.bytes > MAX_KEPT_BYTES))
    )
    dropped = beyond.with_for_update(skip_locked=True).scalar_subquery()
    connection.execute(update(Idempotency).where(Idempotency.id.in_(dropped)).values(answer=None))


def disclaim(claimed: Claim, now: float) -> None:
    """The call may have been made and its answer cannot be stored: whoever repeats it is told that it is not known."""
    with writing() as connection:
        mine = update(Idempotency).where(Idempotency.id == claimed.id, Idempotency.state == "running")
        connection.execute(mine.values(state="unknown", created_at=now))


def release(claimed: Claim) -> None:
    """Give the key back: the call was refused before it was made."""
    with writing() as connection:
        connection.execute(delete(Idempotency).where(Idempotency.id == claimed.id))
