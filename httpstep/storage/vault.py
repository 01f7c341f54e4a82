"""Secrets at rest: one Fernet token per value (AES-128-CBC and HMAC-SHA-256, with a fresh IV), the key outside the database.

MultiFernet encrypts with the newest key and reads with any, so keys can be rotated without a stop.

A value is bound to its place: what it is, whose, and its name are encrypted and authenticated along with it, so a token
that somebody copied into the row of another account or under another name is not read there. What was stored before
places were is read anywhere, until a start binds it (`upkeep.rotation.bind`).
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from httpstep.config import StartError, values


class VaultError(Exception):
    """A stored value cannot be decrypted with the keys at hand. The text is for the operator."""


Binding = tuple[str, ...]
"""What a value is, whose, and its name. Of things that stay the same through export, import, backup and restore."""

BOUND = b"p."
"""What a token with a place begins with. It only says what there is to bind: what binds lies inside."""
_DELIMITER = b"\xff"
"""Around the place, before the value: no text in UTF-8 has that byte."""
_MAX_KEPT: Final = 256
"""Secrets of a process, of 16 KB at most."""


def secret_place(account: str, name: str) -> Binding:
    """Of the secret of that name; account: its slug."""
    return "secret", account, name


def _sealed(place: Binding) -> bytes:
    return _DELIMITER + json.dumps(place).encode() + _DELIMITER


class Vault:
    def __init__(self, keys: Sequence[str]) -> None:
        """keys: Fernet keys, newest first."""
        self._fernet = MultiFernet([Fernet(key.encode()) for key in keys])
        self._kept_secret = lru_cache(_MAX_KEPT)(self._secret)

    def encrypt(self, value: bytes, place: Binding | None = None) -> bytes:
        """Bound to the place, if one is given."""
        if place is None:
            return self._fernet.encrypt(value)
        return BOUND + self._fernet.encrypt(_sealed(place) + value)

    def decrypt(self, token: bytes, place: Binding | None = None) -> bytes:
        """Raises VaultError where no key fits, and where the value is bound to another place than `place`."""
        plain = self._plain(token)
        if not plain.startswith(_DELIMITER):
            return plain
        head, _, value = plain[1:].partition(_DELIMITER)
        if place is not None and head != json.dumps(place).encode():
            raise VaultError(
                "A stored value lies where it was not stored: it was copied from another account or another name. "
                "Enter the value again."
            )
        return value

    def secret(self, account: str, name: str, token: bytes) -> str:
        """The text of that secret; account: its slug. Raises VaultError.

        It is kept, by all three: Fernet takes a tenth of a millisecond, in every call. Who can read the memory of this
        process has the key itself.
        """
        return self._kept_secret(account, name, token)

    def _secret(self, account: str, name: str, token: bytes) -> str:
        return self.decrypt(token, secret_place(account, name)).decode()

    def _plain(self, token: bytes) -> bytes:
        try:
            return self._fernet.decrypt(token.removeprefix(BOUND))
        except InvalidToken:
            raise VaultError(
                "A stored value cannot be decrypted with the keys in HTTPSTEP_VAULT_KEYS (or vault.key in the data folder). "
                "Put back the key it was stored with."
            ) from None

    def can_decrypt(self, token: bytes) -> bool:
        try:
            self.decrypt(token)
        except VaultError:
            return False
        return True

    def rotate(self, token: bytes) -> bytes:
        """The same value, bound as it was, under the newest key. Raises VaultError where no key fits."""
        plain = self._plain(token)
        return (BOUND if plain.startswith(_DELIMITER) else b"") + self._fernet.encrypt(plain)


def new_key() -> str:
    return Fernet.generate_key().decode()


def read_or_create(path: Path, make: str | None = None) -> str:
    """The text of a key file, made with owner-only rights where there is none.

    Safe against two starts at once: the file appears under its name complete, or not at all. Raises StartError.
    """
    try:
        text = _read_or_create(path, make)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise StartError(f"The key file {path} cannot be read or made: {why}.") from None
    if not text:  # taken for no key, another would be made, and what this one encrypted be lost
        raise StartError(f"The key file {path} is empty. Put back the one of a backup.")
    return text


def read_signing_key(path: Path) -> str:
    """The text of the key file that signs forms. One that anybody could guess, such as what is left of a file that was
    cut off, is refused: StartError."""
    try:
        return values.long_secret(read_or_create(path))
    except ValueError:
        told = "is too short for a key. Put back the one of a backup, or remove it: a new one is made, and open forms are lost."
        raise StartError(f"The key file {path} {told}") from None


def _read_or_create(path: Path, make: str | None) -> str:
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}.new")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write((make or secrets.token_urlsafe(48)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text(encoding="ascii").strip()


def read_keys(path: Path) -> tuple[str, ...]:
    """The vault's keys in a key file, newest first, one a line; a file is made with one where there is none."""
    keys = tuple(read_or_create(path, new_key()).split())
    try:
        Vault(keys)
    except ValueError:
        raise StartError(f"The key file {path} holds no key of httpstep. Put back the one of a backup.") from None
    return keys


def write_keys(path: Path, keys: Sequence[str]) -> None:
    """Replace a key file as a whole, readable by its owner only, on the disk before it returns."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write("\n".join(keys) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
