"""An account as a whole: what it has, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from sqlalchemy import Connection, delete, func, select

from httpstep.execution.budget import ratelimit
from httpstep.extensions import Base
from httpstep.storage.database import reading, writing
from httpstep.storage.tables import (
    Account,
    ApiKey,
    Attribute,
    CallCount,
    Flow,
    Log,
    Secret,
    Step,
    User,
)
from httpstep.upkeep import audit

_COUNTED: Final[tuple[tuple[type[Base], str, str], ...]] = (
    (User, "user", "users"), (Step, "step", "steps"), (Log, "log", "logs"), (Flow, "flow", "flows"),
    (Attribute, "attribute", "attributes"), (Secret, "secret", "secrets"), (ApiKey, "API key", "API keys"),
)  # fmt: skip


class Needed(Exception):
    """The account has to stay. The text is a sentence that says why, for the operator."""


def contents(account_id: int) -> list[str]:
    """What the account has, as "3 steps"; nothing of what it has none of."""
    found = []
    with reading() as connection:
        for table, one, many in _COUNTED:
            mine = select(func.count()).select_from(table).where(table.account_id == account_id)  # type: ignore[attr-defined]
            count = connection.execute(mine).scalar_one()
            found += [f"{count} {one if count == 1 else many}"] if count else []
    return found


def are_empty() -> bool:
    """Whether no account has anything, as in a data folder that was just made."""
    with reading() as connection:
        ids = list(connection.execute(select(Account.id)).scalars())
    return not any(contents(account_id) for account_id in ids)


def refuse_if_needed(account_id: int) -> None:
    """Raise Needed where `remove` would."""
    with reading() as connection:
        slugs = {row.id: row.slug for row in connection.execute(select(Account.id, Account.slug))}
        _refuse_if_needed(connection, account_id, slugs)


def remove(account_id: int) -> bool:
    """Delete the account and, by the cascades of the schema, all that is its own. False where there is none.

    Raises Needed for the only account, and for the one without which no operator could sign in.
    """
    with writing(durable=True) as connection:
        # All accounts are locked: of two that are removed at once, the second has to see that the first is gone.
        rows = connection.execute(select(Account.id, Account.slug).with_for_update())
        slugs = {row.id: row.slug for row in rows}
        if account_id not in slugs:
            return False
        _refuse_if_needed(connection, account_id, slugs)
        _note_end(connection, account_id, slugs)
        connection.execute(delete(Account).where(Account.id == account_id))
        connection.execute(delete(CallCount).where(CallCount.account == slugs[account_id]))
    with suppress(*ratelimit.AWAY):  # the id is never given again, and what is counted for it ends within the hour
        ratelimit.forget(account_id)
    return True


def _note_end(connection: Connection, account_id: int, slugs: Mapping[int, str]) -> None:
    """Who deleted it is found where operators look, as its own list goes with it. Nobody else is told of other accounts."""
    able = User.operator.is_(True), User.disabled_at.is_(None), User.account_id != account_id
    homes = set(connection.execute(select(User.account_id).where(*able)).scalars())
    if homes:
        audit.note(connection, [(home, "account deleted", slugs[account_id], "") for home in sorted(homes)])


def _refuse_if_needed(connection: Connection, account_id: int, slugs: Mapping[int, str]) -> None:
    if len(slugs) == 1:
        raise Needed(f"“{slugs[account_id]}” is the only account, and httpstep needs one.")
    able = User.operator.is_(True), User.disabled_at.is_(None)
    homes = set(connection.execute(select(User.account_id).where(*able)).scalars())
    if homes == {account_id}:
        raise Needed(f"“{slugs[account_id]}” has the only operator who can sign in. Add one to another account first.")
