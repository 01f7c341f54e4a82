"""What must be there before the first request: schema, the first account, the first user or the code to make one.

Run by the server before it forks and by every command, under a lock, as often as one likes.
"""

from __future__ import annotations

import fcntl
import logging
import os
import pwd
import secrets
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import IO

from flask import Flask
from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.security import generate_password_hash

from httpstep.config import StartError, dangers
from httpstep.core.inserting.secrethosts import Hosts
from httpstep.extensions import db
from httpstep.storage import catalogue, database, logs, patience
from httpstep.storage.keys import digest
from httpstep.storage.tables import (
    Account,
    OneTimeCode,
    Secret,
    User,
)
from httpstep.storage.users import CODE_SECONDS
from httpstep.storage.vault import Vault, read_keys, secret_place
from httpstep.upkeep import condition, rotation

FIRST_ACCOUNT = "default"
SPARE_BYTES = 16_000_000
_TRIED = 50
"""Secrets that a start tries to decrypt, the newest first."""


def prepare(app: Flask) -> bool:
    """Upgrade the schema (after a backup), make the first account, and the admin of the two variables if there is none.

    Returns whether the installation is a new one.
    """
    with app.app_context(), database.one_at_a_time(app, "prepare"):
        data = app.config["HTTPSTEP"].data
        database.upgrade_schema(app, before=lambda: _back_up_first(data))
        with database.editing():
            if is_new := db.session.scalar(select(func.count()).select_from(Account)) == 0:
                db.session.add(Account(slug=FIRST_ACCOUNT, name="Default", created_at=time.time()))
        _make_admin(app)
        settings = app.config["HTTPSTEP"]
        keys = Vault(settings.vault_keys or read_keys(settings.data / "vault.key"))  # a restore has put others there
        rotation.bind(keys)
        _warn_of_unreadable(keys)
    return is_new


def prepare_mounted(app: Flask) -> None:
    """The same for an application that a host mounts, which counts as served for as long as the host's process lives.

    The first of several processes closes what the last ones left, and says the code for the first user.
    """
    prepare(app)
    for danger in dangers(app.config["HTTPSTEP"]):
        app.logger.warning("%s", danger)
    data = app.config["HTTPSTEP"].data
    with app.app_context(), database.one_at_a_time(app, "mount"):
        if away := condition.warning_at_start():
            app.logger.warning("%s", away)
        if not is_served(data):
            mark_interrupted(app)
            if code := new_setup_code():
                page = f"{base}/setup" if (base := app.config["HTTPSTEP"].base_url) else "/setup of httpstep"
                app.logger.warning("no user yet: open %s and enter the one-time code %s", page, code)
        app.extensions["httpstep.served"] = mark_served(data)


def refuse_root_for_another(data: Path) -> None:
    """Root may open the data of a service's user, who then cannot read the keys and copies that root made. Raises StartError."""
    owner = (data / "instance").stat().st_uid
    if os.geteuid() != 0 or owner == 0:
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"#{owner}"
    raise StartError(
        f"The data in {data} belongs to the user {name}, who could not read what root makes there. "
        f"Run the command as that user: sudo -u {name} …"
    )


def start_error(error: SQLAlchemyError) -> StartError:
    """The sentence for a database that cannot serve. Raises any other error again."""
    if not database.is_unavailable(error):
        raise error
    why = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    if any(words in why for words in patience.DAMAGED):
        return StartError(
            f"The database is damaged ({why}). Move its file away, with the -wal and -shm files beside it, and put back a backup with `restore FILE`."
        )
    return StartError(f"The database cannot be opened or written: {why}")


def _warn_of_unreadable(vault: Vault) -> None:
    """Say that the keys at hand do not fit the database, before a bot learns it from a 503: a few values tell."""
    with database.reading() as connection:
        tried = list(connection.execute(select(Secret.token).order_by(Secret.id.desc()).limit(_TRIED)).scalars())
    if unreadable := sum(1 for token in tried if not vault.can_decrypt(token)):
        logging.getLogger("httpstep").warning(
            "%d of the %d stored secrets tried cannot be decrypted with the keys in HTTPSTEP_VAULT_KEYS (or vault.key in "
            "the data folder), and steps that use one answer 503: put back the key it was stored with",
            unreadable,
            len(tried),
        )


def _back_up_first(data: Path) -> None:
    if db.engine.dialect.name != "sqlite":
        return
    check_room(Path(str(db.engine.url.database)), data)
    folder = data / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    copy_database(folder / time.strftime("before-upgrade-%Y%m%d-%H%M%S.db", time.gmtime()))


def check_room(file: Path, data: Path) -> None:
    """Raise StartError where an upgrade might fill a disk: it copies the SQLite file and may write all of it anew."""
    needed = 2 * condition.size_of(file) + SPARE_BYTES
    for folder in (data, file.parent):
        if (free := shutil.disk_usage(folder).free) < needed:
            raise StartError(
                f"An upgrade of the database needs {needed / 1e6:,.0f} MB free in {folder}, and there are "
                f"{free / 1e6:,.0f} MB. Make room, or set the earlier version going again."
            )


def copy_database(target: Path) -> None:
    """A consistent copy of the SQLite database while others write (sqlite3's online backup), readable by its owner only."""
    target.touch(mode=0o600)
    with closing(sqlite3.connect(str(db.engine.url.database))) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def _make_admin(app: Flask) -> None:
    settings = app.config["HTTPSTEP"]
    if not settings.admin_email or has_users():
        return
    with database.editing():
        account = db.session.scalars(select(Account).order_by(Account.id)).first()
        assert account is not None
        admin = User(
            account_id=account.id, email=settings.admin_email.strip().lower(), operator=True, role="admin",
            password_hash=generate_password_hash(settings.admin_password), created_at=time.time(),
        )  # fmt: skip
        db.session.add(admin)


def has_users() -> bool:
    return db.session.scalar(select(func.count()).select_from(User)) != 0


def mark_served(data: Path) -> IO[bytes]:
    """Say that a server runs on this data folder, for as long as the returned file is open here or in a worker."""
    lock = (data / "serving.lock").open("wb")
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def is_served(data: Path) -> bool:
    """Whether a server runs on this data folder: the lock goes with its processes, however they end."""
    with (data / "serving.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def put_secret(vault: Vault, account_id: int, name: str, value: str, now: float, *, hosts: Hosts) -> None:
    """Store or replace a secret, encrypted, with where it may be sent."""
    slug = db.session.scalars(select(Account.slug).where(Account.id == account_id)).one()
    token = vault.encrypt(value.encode(), secret_place(slug, name))
    catalogue.put_secret(account_id, name, token, hosts=hosts, now=now)


def new_setup_code() -> str | None:
    """The one-time code that /setup asks for; None where there are users. An earlier code stops working."""
    if has_users():
        return None
    code = "-".join(secrets.token_hex(2) for _ in range(4))
    with database.editing():
        db.session.execute(delete(OneTimeCode).where(OneTimeCode.purpose == "setup"))
        db.session.add(OneTimeCode(purpose="setup", code_hash=digest(code), expires_at=time.time() + CODE_SECONDS))
    return code


def mark_interrupted(app: Flask, pid: int | None = None) -> int:
    """Close the rows of calls that ended with their process."""
    with app.app_context():
        return logs.interrupt(app.extensions["httpstep"].instance, pid=pid)
