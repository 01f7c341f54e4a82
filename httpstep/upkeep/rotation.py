"""Changing the key of the vault: everything encrypted is read with the keys at hand and written under the newest.

The generated key (vault.key) is replaced in three steps, each safe to stop after: both keys in the file, all values
under the new one, the new one alone. Keys given by HTTPSTEP_VAULT_KEYS are the operator's to change.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, delete, func, select, update

from httpstep.storage.database import reading, writing
from httpstep.storage.tables import AccessToken, Account, Idempotency, Secret
from httpstep.storage.vault import (
    BOUND,
    Vault,
    VaultError,
    new_key,
    read_keys,
    secret_place,
    write_keys,
)


def rotate_file(path: Path) -> int:
    """Make a new key and put everything under it; returns how many values that were. Nobody may be using the old one.

    Raises VaultError where a value cannot be read; then the file holds both keys and every value is readable.
    """
    keys = (new_key(), *read_keys(path))
    write_keys(path, keys)
    count = encrypt_anew(Vault(keys))
    write_keys(path, keys[:1])
    return count


def encrypt_anew(vault: Vault) -> int:
    """All or nothing: every stored value under the vault's newest key. Raises VaultError.

    The rows are held from their reading on, so that what somebody stores meanwhile comes after it and is not undone.
    """
    with writing(durable=True) as connection:
        # Access tokens are fetched again.
        connection.execute(delete(AccessToken))
        return _secrets(connection, vault) + _answers(connection, vault)


def _secrets(connection: Connection, vault: Vault) -> int:
    rows = connection.execute(select(Secret.id, Secret.token).with_for_update()).all()
    for row_id, token in rows:
        connection.execute(update(Secret).where(Secret.id == row_id).values(token=vault.rotate(token)))
    return len(rows)


def _answers(connection: Connection, vault: Vault) -> int:
    """The stored answers of idempotent calls."""
    stored = select(Idempotency.id, Idempotency.answer).where(Idempotency.answer.is_not(None)).with_for_update()
    rows = connection.execute(stored).all()
    for row_id, answer in rows:
        assert answer is not None, "asked for by the query"
        connection.execute(update(Idempotency).where(Idempotency.id == row_id).values(answer=vault.rotate(answer)))
    return len(rows)


def bind(vault: Vault) -> int:
    """Bind the secrets that were stored before values had places to theirs; returns how many. Those that cannot be read
    with these keys stay as they are, and so does one that is bound elsewhere and lost its mark."""
    unbound = func.substr(Secret.token, 1, len(BOUND)) != BOUND
    query = select(Secret.id, Secret.name, Secret.token, Account.slug).join(Account, Account.id == Secret.account_id)
    with reading() as connection:
        if connection.execute(select(Secret.id).where(unbound).limit(1)).first() is None:
            return 0
    bound = 0
    with writing(durable=True) as connection:
        for row_id, name, token, slug in connection.execute(query.where(unbound).with_for_update(of=Secret)).all():
            place = secret_place(slug, name)
            try:
                sealed = vault.encrypt(vault.decrypt(token, place), place)
            except VaultError:
                continue
            connection.execute(update(Secret).where(Secret.id == row_id).values(token=sealed))
            bound += 1
    return bound
