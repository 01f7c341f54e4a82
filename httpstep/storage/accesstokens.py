"""OAuth 2 access tokens as all processes share them: encrypted, and fetched by one of them at a time.

Where the database is away each process fetches for itself: a call is worth more than a token too many.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from httpstep.storage.database import reading, writing
from httpstep.storage.tables import AccessToken, insert_into
from httpstep.storage.vault import Binding, Vault, VaultError

_log = logging.getLogger(__name__)
_KEPT_AFTER_ITS_END = 24 * 3600.0


class StoredTokens:
    """name: of a token, the same in every process. now and until: seconds since the epoch."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def get(self, name: str) -> tuple[str, float] | None:
        """The token and until when it is good, if one is kept and can be read."""
        with _spared("asked for"), reading() as connection:
            columns = AccessToken.token, AccessToken.good_until
            found = connection.execute(select(*columns).where(AccessToken.name == name)).one_or_none()
            if found is not None and found.token is not None:
                return self._vault.decrypt(found.token, _place(name)).decode(), found.good_until
        return None

    def claim(self, account_id: int, name: str, now: float, until: float) -> bool:
        """Whether it is the caller's to fetch the token, until it is put, released or `until` is past."""
        with _spared("claimed"), writing() as connection:
            row = insert_into(connection, AccessToken).values(
                name=name, account_id=account_id, good_until=0.0, claimed_until=until
            )
            claimed = row.on_conflict_do_update(
                index_elements=[AccessToken.name],
                set_={"claimed_until": until},
                where=AccessToken.claimed_until <= now,
            )
            return connection.execute(claimed.returning(AccessToken.name)).one_or_none() is not None
        return True

    def put(self, name: str, token: str, now: float, until: float) -> None:
        """Keep a token that was fetched, and end the claim. Those that ended long ago go."""
        sealed = self._vault.encrypt(token.encode(), _place(name))
        with _spared("kept"), writing() as connection:
            mine = update(AccessToken).where(AccessToken.name == name)
            connection.execute(mine.values(token=sealed, good_until=until, claimed_until=0.0))
            ended = AccessToken.good_until < now - _KEPT_AFTER_ITS_END, AccessToken.claimed_until < now
            connection.execute(delete(AccessToken).where(*ended))

    def release(self, name: str) -> None:
        """End the claim: no token came."""
        with _spared("released"), writing() as connection:
            connection.execute(update(AccessToken).where(AccessToken.name == name).values(claimed_until=0.0))


def _place(name: str) -> Binding:
    return "access token", name


@contextmanager
def _spared(what: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, VaultError) as error:
        _log.warning("an access token could not be %s, so it is not shared: %s", what, type(error).__name__)
