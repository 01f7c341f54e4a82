"""The nightly backup of the whole installation: made by one of its processes, told where it failed, a number of them kept.

What is due is read from the files themselves (their names have the time), so it is right over processes and restarts:
a night that was slept through is made up for after the start. Of PostgreSQL it is made where pg_dump is (`config`), and
of several hosts by the one that made the last, or by another where that one does not (`upkeep.nights`).
"""

from __future__ import annotations

import fcntl
import json
import logging
import shutil
import threading
import time
from calendar import timegm
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from flask import Flask
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from httpstep.alerts import mailserver
from httpstep.config import Config
from httpstep.core.errors import place_of
from httpstep.core.regex import regex
from httpstep.storage.database import reading
from httpstep.storage.tables import User
from httpstep.upkeep import backups, nights

LOOK_EVERY: Final = 30.0
AGAIN_AFTER: Final = 3600.0
"""Seconds after which one that failed is tried again."""
ANOTHER_AFTER: Final = 900.0
"""Seconds that other hosts leave to the one that made the last."""
THREAD: Final = "httpstep-nightly"
_DAY: Final = 24 * 3600.0
_NAME: Final = regex(r"nightly-(\d{8}-\d{6})\.tar\.gz")
_STAMP: Final = "%Y%m%d-%H%M%S"
_log = logging.getLogger("httpstep")
_making = threading.Lock()


class Kept(Struct, frozen=True):
    """A nightly backup that is complete. at: seconds since the epoch."""

    file: Path
    at: float
    size: int


class Failure(Struct, frozen=True):
    """Of the last try, where no backup came after it. at: seconds since the epoch; why: a sentence."""

    at: float
    why: str


def kept(settings: Config) -> list[Kept]:
    """The newest first. One from the future, by a clock that was put right since, counts as the oldest."""
    found, now = [], time.time()
    with suppress(OSError):
        for file in settings.backup_folder.iterdir():
            if name := _NAME.fullmatch(file.name):
                found.append(Kept(file, float(timegm(time.strptime(name[1], _STAMP))), file.stat().st_size))
    return sorted(found, key=lambda one: (one.at <= now + 1, one.at), reverse=True)


def failure(settings: Config) -> Failure | None:
    try:
        told = json.loads(_note(settings).read_text(encoding="utf-8"))
        return Failure(float(told["at"]), str(told["why"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_due(settings: Config, now: float) -> bool:
    """Whether a night has passed since the last one, or since the installation was made."""
    if settings.backup_at == "off":
        return False
    made = [one.at for one in kept(settings) if one.at <= now + 1]
    since = max(made, default=(settings.data / "instance").stat().st_mtime)
    failed = failure(settings)
    return since < _tonight(settings, now) and (failed is None or not failed.at <= now < failed.at + AGAIN_AFTER)


def _tonight(settings: Config, now: float) -> float:
    """The last moment at which one was to be made."""
    hours, minutes = map(int, settings.backup_at.split(":"))
    return now - (now - hours * 3600 - minutes * 60) % _DAY


def made_elsewhere(app: Flask) -> float | None:
    """When another host made one, where that is newer than those of this one. Raises SQLAlchemyError."""
    night, own = nights.last(), kept(app.config["HTTPSTEP"])
    is_newer = night and night.instance != app.extensions["httpstep"].instance and night.at >= (own[0].at if own else 0)
    return night.at if night and is_newer else None


def unmended(app: Flask) -> Failure | None:
    """The failure of this host, where no other has made one since. Raises SQLAlchemyError."""
    failed, elsewhere = failure(app.config["HTTPSTEP"]), made_elsewhere(app)
    return None if failed and elsewhere and elsewhere >= failed.at else failed


def _is_left_to_another(app: Flask, now: float) -> bool:
    """Whether another host has made tonight's, or is given the time to: then the backups stay together on one."""
    settings: Config = app.config["HTTPSTEP"]
    night, tonight = nights.last(), _tonight(settings, now)
    if night is None or night.instance == app.extensions["httpstep"].instance or night.at > now + ANOTHER_AFTER:
        return False
    if night.at >= tonight:
        _note(settings).unlink(missing_ok=True)
        return True
    return now < tonight + ANOTHER_AFTER


def watch(app: Flask) -> None:
    """Look every half minute, in a thread of this process, whether one is due, and make it unless another process does."""
    if app.config["HTTPSTEP"].backup_at != "off":
        threading.Thread(target=_watch, args=(app,), name=THREAD, daemon=True).start()


def is_making() -> bool:
    """Whether this process is making one just now."""
    return _making.locked()


def _watch(app: Flask) -> None:
    while True:
        try:
            with _making:
                make_if_due(app, time.time())
        except Exception as error:
            _log.error("the nightly backup could not be looked after\n%s", place_of(error))
        time.sleep(LOOK_EVERY)


def make_if_due(app: Flask, now: float) -> Kept | None:
    """The backup, where it was due and no other process was making it. What fails is logged, noted and mailed."""
    settings: Config = app.config["HTTPSTEP"]
    if not is_due(settings, now):
        return None
    with _alone(settings) as alone, app.app_context():
        if not alone or not is_due(settings, now):
            return None
        started = time.monotonic()
        try:
            with nights.alone() as is_ours:
                if not is_ours or _is_left_to_another(app, now):
                    return None
                made = _make(app, settings, now)
                nights.note(nights.Night(made.at, app.extensions["httpstep"].instance))
        except (backups.BackupError, OSError, SQLAlchemyError) as error:
            why = "The database is away." if isinstance(error, SQLAlchemyError) else str(error)
            _failed(app, settings, why, now)
            return None
        _note(settings).unlink(missing_ok=True)
        _log.info("nightly backup: %s, %.1f MB, %.1f s", made.file, made.size / 1e6, time.monotonic() - started)
        _remove_old(settings)
        return made


@contextmanager
def _alone(settings: Config) -> Iterator[bool]:
    """Whether this is the one process that makes it. The lock goes with the process, however it ends."""
    with (settings.data / "nightly.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _make(app: Flask, settings: Config, now: float) -> Kept:
    settings.backup_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_drafts(settings, now)
    file = settings.backup_folder / time.strftime(f"nightly-{_STAMP}.tar.gz", time.gmtime(now))
    made = backups.make(app, file, with_keys=settings.backup_keys == "yes", checked=True)
    return Kept(made.file, float(int(now)), made.size)


def _remove_drafts(settings: Config, now: float) -> None:
    """What a process that was killed has left; a command that makes one just now keeps its own."""
    for draft in settings.backup_folder.glob(".nightly-*"):
        draft.unlink(missing_ok=True)
    for folder in settings.data.glob(f"{backups.DRAFT}*"):
        if folder.stat().st_mtime < now - _DAY:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_old(settings: Config) -> None:
    for one in kept(settings)[settings.backup_keep :]:
        try:
            one.file.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("an old nightly backup could not be removed: %s", error)


# ---------------------------------------------------------------- one that failed


def _note(settings: Config) -> Path:
    return settings.data / "nightly.failed"


def _failed(app: Flask, settings: Config, why: str, now: float) -> None:
    is_first = failure(settings) is None
    _log.error("the nightly backup failed, and is tried again in an hour: %s", why)
    with suppress(OSError):
        _note(settings).write_text(json.dumps({"at": now, "why": why}), encoding="utf-8")
    if is_first and settings.smtp_url is not None:
        _mail(app, settings, why)


def _mail(app: Flask, settings: Config, why: str) -> None:
    """To every operator, once until one was made again."""
    able: Any = User.operator.is_(True) & User.disabled_at.is_(None)
    with reading() as connection:
        operators = [str(email) for email in connection.execute(select(User.email).where(able)).scalars()]
    body = (
        f"The nightly backup of httpstep failed.\n\nWhat happened: {why}\nData folder: {settings.data}\n\n"
        "It is tried again every hour. No older backup was removed. No further mail is sent until one was made.\n"
    )
    for address, wrong in mailserver.send(app, operators, "The nightly backup of httpstep failed", body).items():
        _log.warning("the mail about it could not be sent to %s: %s", address, wrong)
