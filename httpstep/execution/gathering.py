"""Gather once: what this process keeps of accounts, and the one read that tells whether it may.

Each edit of what calls read draws its account a new edition (`storage/schema.py`). Whoever makes a call reads the edition
first and keeps nothing of another one, or has the statement that begins the call look at it, so that a key that is
revoked, a limit that is changed and a step that is saved are in force in every process with the next call. Secrets are
kept as they are stored: encrypted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from sqlalchemy import bindparam, select

from httpstep.core import jsontext
from httpstep.core.inserting import secrethosts
from httpstep.core.inserting.secrethosts import Hosts
from httpstep.core.jsontext import Json
from httpstep.storage import keys, steps
from httpstep.storage.database import look, reading
from httpstep.storage.tables import Attribute, Secret

_EDITION = (
    "SELECT edition, slug FROM accounts LEFT JOIN editions ON editions.account_id = accounts.id "
    "WHERE accounts.id = :account_id"
)
_DEFAULTS = select(Attribute.name, Attribute.default).where(
    Attribute.account_id == bindparam("owner"), Attribute.default.is_not(None)
)
_SECRETS = select(Secret.name, Secret.token, Secret.hosts).where(
    Secret.account_id == bindparam("owner"), Secret.name.in_(bindparam("wanted", expanding=True))
)
_MAX_ACCOUNTS, _MAX_KEYS, _MAX_STEPS = 500, 5000, 2000
"""Kept at most; then all of them are read anew."""
_MAX_CHARACTERS, _LARGE = 4_000_000, 400_000
"""The same, of what the steps of all accounts were read from: it takes twenty times as many bytes. A step that is larger
is read for each of its calls; its answers are so large that this is the smaller part of them."""


class _Room(Struct):
    """Characters of the steps that were read since all were last forgotten."""

    taken: int = 0


Stored = tuple[bytes, Hosts]
"""A secret as the vault encrypted it, and where it may be sent."""


class GatheredAccount(Struct):
    """What was read of an account in one edition. It fills as it is asked.

    What is read into it may be newer than the edition, which was read before, and never older; the next call drops it then.
    """

    id: int
    edition: int | None
    slug: str = ""
    room: _Room = field(default_factory=_Room)
    _keys: dict[str, keys.Key] = field(default_factory=dict)
    _steps: dict[str | int, steps.LoadedStep] = field(default_factory=dict)
    _secrets: dict[str, Stored] = field(default_factory=dict)
    _defaults: Mapping[str, Json] | None = None

    def key(self, prefix: str) -> keys.Key | None:
        found = self._keys.get(prefix) or keys.find(prefix)
        if found is None or found.caller.account_id != self.id:
            return None
        return self._keys.setdefault(prefix, found)

    def kept_key(self, prefix: str) -> keys.Key | None:
        return self._keys.get(prefix)

    def step(self, *, key: str | None = None, step_id: int | None = None) -> steps.LoadedStep | None:
        """One step by its key or id; None where the account has no such step."""
        wanted = key if key is not None else step_id
        assert wanted is not None
        found = self._steps.get(wanted) or steps.load(self.id, key=key, step_id=step_id)
        if found is not None and wanted not in self._steps and found.characters <= _LARGE:
            if len(self._steps) > _MAX_STEPS:
                self._steps.clear()
            self._steps[wanted] = found
            self.room.taken += found.characters
        return found

    def secrets(self, names: Sequence[str]) -> dict[str, Stored]:
        """Those of these secrets that there are. What is not kept yet is read by one question."""
        wanted = [name for name in names if name not in self._secrets]
        if wanted:
            with reading() as connection:
                rows = connection.execute(_SECRETS, {"owner": self.id, "wanted": wanted}).all()
            self._secrets |= {name: (token, secrethosts.load(hosts)) for name, token, hosts in rows}
        return {name: self._secrets[name] for name in names if name in self._secrets}

    def defaults(self) -> Mapping[str, Json]:
        """The catalogue's defaults by attribute."""
        if self._defaults is None:
            with reading() as connection:
                rows = connection.execute(_DEFAULTS, {"owner": self.id}).all()
            self._defaults = {name: jsontext.read_back(text) for name, text in rows if text is not None}
        return self._defaults


class Accounts:
    """The accounts of this process."""

    def __init__(self) -> None:
        self._kept: dict[int, GatheredAccount] = {}
        self._owners: dict[str, int] = {}
        self._room = _Room()

    def get(self, account_id: int) -> GatheredAccount:
        """The account as it is now: one read."""
        rows = look(_EDITION, {"account_id": account_id})
        edition, slug = rows[0] if rows else (None, "")
        kept = self._kept.get(account_id) if self._room.taken <= _MAX_CHARACTERS else None
        if kept is None or kept.edition is None or kept.edition != edition:
            if len(self._kept) > _MAX_ACCOUNTS or self._room.taken > _MAX_CHARACTERS:
                self._kept, self._room = {}, _Room()
            kept = self._kept[account_id] = GatheredAccount(account_id, edition, slug, self._room)
        return kept

    def believed(self, token: str, now: float) -> tuple[keys.Caller, GatheredAccount] | None:
        """The same as `authenticate` as far as this process keeps it, of an edition that nobody has read: whoever takes it
        makes sure of that as the call begins, and tells nobody anything before. None for whatever is not certain."""
        prefix = keys.prefix_of(token)
        account = self._kept.get(self._owners.get(prefix, 0)) if self._room.taken <= _MAX_CHARACTERS else None
        key = None if account is None else account.kept_key(prefix)
        if account is None or account.edition is None or key is None or not keys.is_noted(key, now):
            return None
        caller = keys.authenticate(key, token, now)
        return None if caller is None else (caller, account)

    def authenticate(self, token: str, now: float) -> tuple[keys.Caller, GatheredAccount] | None:
        """The caller behind a token, and its account; None for an unknown, altered or revoked one."""
        prefix = keys.prefix_of(token)
        owner = self._owners.get(prefix)
        if owner is None and (found := keys.find(prefix)) is not None:
            if len(self._owners) > _MAX_KEYS:
                self._owners.clear()
            owner = self._owners[prefix] = found.caller.account_id
        account = None if owner is None else self.get(owner)
        caller = keys.authenticate(None if account is None else account.key(prefix), token, now)
        if caller is None or account is None:
            self._owners.pop(prefix, None)
            return None
        return caller, account
