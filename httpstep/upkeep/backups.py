"""A backup is one file that restores: a .tar.gz of the database, as one consistent copy, and the keys that read it.

With the keys in it a backup is as secret as the data folder; without them (`with_keys=False`) it restores only
where the keys are. Of PostgreSQL it holds what pg_dump makes, which pg_restore puts into an empty database.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
import tarfile
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from flask import Flask
from msgspec import Struct

from httpstep import __version__, config
from httpstep.extensions import db
from httpstep.storage.schema import BEFORE_THE_FIRST_RELEASE, revisions
from httpstep.upkeep import condition, dumps, installation

FORMAT: Final = "httpstep-backup/1"
_DATABASE: Final = "httpstep.db"
_PG_DUMP: Final = "httpstep.pgdump"
_MANIFEST: Final = "manifest.json"
_KEYS: Final = ("vault.key", "session.key")
DRAFT: Final = "backup-draft-"
"""How folders in the data folder begin that hold a copy of the database until it is packed."""


class BackupError(Exception):
    """It cannot be done. The text is a sentence for the operator."""


class Made(Struct, frozen=True):
    """A finished backup. keys: the key files in it."""

    file: Path
    size: int
    keys: tuple[str, ...]


def make(app: Flask, target: Path, *, with_keys: bool = True, checked: bool = False) -> Made:
    """Write a backup, readable by its owner only, while httpstep serves. Raises BackupError; then there is no file.

    checked: of a damaged database there is none, which would push out the last good one.
    """
    if target.exists():
        raise BackupError(f"{target} exists already. Name a new file.")
    settings: config.Config = app.config["HTTPSTEP"]
    _require_space(settings.data, target.parent)
    keys = tuple(name for name in _KEYS if with_keys and (settings.data / name).is_file())
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tempfile.TemporaryDirectory(dir=settings.data, prefix=DRAFT) as folder:
            copy, schema = _copied(Path(folder), checked)
            _pack(draft, copy, schema, [settings.data / name for name in keys])
        draft.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"The backup could not be written: {error}.") from None
    finally:
        draft.unlink(missing_ok=True)
    return Made(target, target.stat().st_size, keys)


def _copied(folder: Path, checked: bool) -> tuple[Path, str]:
    """A copy of the database in the folder, and the revision of what is in it. Raises BackupError, OSError."""
    if not _is_sqlite():
        copy, schema = folder / _PG_DUMP, dumps.state()[0]
        try:
            dumps.write(copy)
        except dumps.DumpError as error:
            raise BackupError(str(error)) from None
        return copy, schema
    copy = folder / _DATABASE
    installation.copy_database(copy)
    if checked and not _is_sound(copy):
        raise BackupError("The database is damaged, and no backup was made of it. Restore the last one.")
    return copy, _schema_of(copy)


def _require_space(data: Path, folder: Path) -> None:
    """For a copy of the database beside it, and an archive that is at most as large. Raises BackupError."""
    size = condition.size_of(Path(str(db.engine.url.database))) if _is_sqlite() else dumps.state()[1]
    size += installation.SPARE_BYTES
    try:
        needed = {data: size * 2, folder: size * 2} if _is_one_disk(data, folder) else {data: size, folder: size}
        for place, bytes_ in needed.items():
            if (free := shutil.disk_usage(place).free) < bytes_:
                raise BackupError(
                    f"A backup needs {bytes_ / 1e6:,.0f} MB free in {place}, and there are {free / 1e6:,.0f} MB."
                )
    except OSError as error:
        raise BackupError(f"The backup could not be written: {error}.") from None


def _is_one_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def _is_sound(database: Path) -> bool:
    try:
        with closing(sqlite3.connect(database)) as connection:
            return bool(connection.execute("PRAGMA quick_check").fetchone() == ("ok",))
    except sqlite3.Error:
        return False


def _pack(draft: Path, database: Path, schema: str, keys: list[Path]) -> None:
    manifest = {
        "format": FORMAT,
        "version": __version__,
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "schema": schema,
        "keys": [key.name for key in keys],
    }
    note = database.with_name(_MANIFEST)
    note.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as raw:
        with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6) as pack:
            for path in (note, database, *keys):
                pack.add(path, arcname=path.name, recursive=False)
        raw.flush()
        os.fsync(raw.fileno())  # older ones may be removed once this one has its name


def _schema_of(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0])


# ---------------------------------------------------------------- restoring


def restore(app: Flask, source: Path) -> Path:
    """Put a backup in the place of the present data, which is first copied aside. Returns where to.

    httpstep must not be serving. Raises BackupError; then nothing was changed.
    """
    _only_sqlite()
    settings: config.Config = app.config["HTTPSTEP"]
    refuse_while_serving(settings)
    with tempfile.TemporaryDirectory(dir=settings.data) as name:
        folder = Path(name)
        manifest = _unpack(source, folder)
        _check(folder / _DATABASE)
        _require_room(folder / _DATABASE, settings.data)
        aside = _copy_aside(app, settings.data)
        db.engine.dispose()
        _replace_database(folder / _DATABASE)
        for key in manifest["keys"]:
            (folder / key).chmod(0o600)
            (folder / key).replace(settings.data / key)
    installation.prepare(app)
    return aside


def _require_room(database: Path, data: Path) -> None:
    """An older database is upgraded once it is in place: too late to find that the disk is full. Raises BackupError."""
    try:
        installation.check_room(database, data)
    except config.StartError as error:
        raise BackupError(f"Nothing was restored. {error}") from None


def _unpack(source: Path, folder: Path) -> dict[str, Any]:
    """Only the files that a backup of ours has, by name; a file that is not one is refused."""
    refused = BackupError(f"{source} is not a backup of httpstep, or it is damaged.")
    try:
        with tarfile.open(source, "r:gz") as pack:
            for member in pack.getmembers():
                if member.name not in (_MANIFEST, _DATABASE, *_KEYS) or not member.isreg():
                    raise refused
                content = pack.extractfile(member)
                assert content is not None, "a regular file has content"
                with (folder / member.name).open("wb") as file:
                    shutil.copyfileobj(content, file)
        manifest: dict[str, Any] = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        good = manifest["format"] == FORMAT and all((folder / key).is_file() for key in (_DATABASE, *manifest["keys"]))
    except (OSError, tarfile.TarError, EOFError, ValueError, KeyError, TypeError):
        raise refused from None
    if not good or not set(manifest["keys"]) <= set(_KEYS):
        raise refused
    return manifest


def _check(database: Path) -> None:
    try:
        with closing(sqlite3.connect(database)) as connection:
            sound = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        schema = _schema_of(database)
    except (sqlite3.Error, TypeError):
        sound, schema = False, ""
    if not sound:
        raise BackupError("The database in this backup is damaged.")
    if schema in BEFORE_THE_FIRST_RELEASE:
        raise BackupError(
            "This backup was made by a version of httpstep from before its first release. Restore it there."
        )
    if schema not in revisions():
        raise BackupError("This backup was made by a newer version of httpstep. Restore it with that version.")


def _copy_aside(app: Flask, data: Path) -> Path:
    folder = data / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    name = time.strftime("before-restore-%Y%m%d-%H%M%S", time.gmtime())
    return make(app, folder / f"{name}-{secrets.token_hex(3)}.tar.gz").file


def _replace_database(source: Path) -> None:
    """Page by page into the database's own file, which SQLite's backup does under its locks."""
    try:
        with closing(sqlite3.connect(source)) as kept, closing(sqlite3.connect(str(db.engine.url.database))) as present:
            kept.backup(present)
    except sqlite3.Error as error:
        raise BackupError(f"The database could not be replaced: {error}.") from None


def _is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def _only_sqlite() -> None:
    if not _is_sqlite():
        raise BackupError(
            "The data is in PostgreSQL: make an empty database, unpack the backup (tar -xzf), put httpstep.pgdump into the "
            "database with pg_restore and the keys into the data folder, and name the database in HTTPSTEP_DATABASE_URL. "
            "docs/operating.md has the commands."
        )


def refuse_while_serving(settings: config.Config) -> None:
    """Raise BackupError where a server of this data folder is running."""
    if installation.is_served(settings.data):
        raise BackupError(f"httpstep is serving the data in {settings.data}. Stop it first.")
