"""Alert mails: at most one an hour and step, whoever fails and however often.

The hour is claimed by one conditional UPDATE, and the mail that follows from it is a row committed with the
claim. A thread started after the answer sends it; what a mail server refused is tried again after five
minutes by whatever comes next, so no server, however slow, is ever waited for by a bot.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, case, delete, exists, func, insert, or_, select, update

from httpstep.alerts.mailserver import SECONDS, send
from httpstep.storage.database import reading, writing
from httpstep.storage.tables import Alert, StepState

__all__ = ["Occasion", "Sender", "claim", "compose", "count_failure", "reset", "send"]

HOUR = 3600.0
AGAIN_AFTER = 300.0
GIVEN_UP_AFTER = 24 * HOUR
UNDER_WAY = AGAIN_AFTER - 3 * SECONDS
"""A due mail whose next try is further off than this is being sent just now."""
_AHEAD = 2 * AGAIN_AFTER
"""An hour claimed, or a try planned, further in the future than this was by a clock that has been put right since."""
LOOK_EVERY = 10.0
THREAD = "httpstep-alerts"
MAX_SUBJECT_CHARACTERS = 150


class Occasion(Struct, frozen=True):
    """What a mail is about. url is the URL as the editor wrote it: no value of a customer is ever mailed."""

    step_id: int
    name: str
    what: str
    url: str
    method: str
    recipients: tuple[str, ...]
    at: float
    link: str = ""
    drift: bool = False


def count_failure(connection: Connection, step_id: int, now: float) -> None:
    connection.execute(
        update(StepState)
        .where(StepState.step_id == step_id)
        .values(failures=StepState.failures + 1, failing_since=func.coalesce(StepState.failing_since, now))
    )


def claim(connection: Connection, occasion: Occasion) -> bool:
    """Take the step's hour and write the due mail, both or neither. False where the hour is taken.

    A mail of the step that could not be delivered until now is replaced, so that a mail server that comes back
    after a day gets one mail and not twenty-four.
    """
    mine = (Alert.step_id == occasion.step_id) & (Alert.state == "due")
    last, now = StepState.last_alert_at, occasion.at
    free = or_(last.is_(None), last <= now - HOUR, last > now + _AHEAD)
    under_way = exists().where(mine, Alert.tries > 0, Alert.due_at.between(now + UNDER_WAY, now + _AHEAD))
    taken = connection.execute(
        update(StepState)
        .where(StepState.step_id == occasion.step_id, free, ~under_way)
        .values(last_alert_at=occasion.at, last_alert_to=len(occasion.recipients))
        .returning(StepState.failures, StepState.failing_since)
    ).one_or_none()
    if taken is None:
        return False
    connection.execute(delete(Alert).where(mine))
    subject, body = compose(occasion, int(taken[0]), taken[1])
    connection.execute(
        insert(Alert).values(
            step_id=occasion.step_id, subject=subject, body=body, recipients=",".join(occasion.recipients),
            failures=taken[0], due_at=occasion.at, created_at=occasion.at,
        )
    )  # fmt: skip
    return True


def compose(occasion: Occasion, failures: int, since: float | None) -> tuple[str, str]:
    """(subject, body) of a mail; the subject is one line of at most 150 characters."""
    name = " ".join(occasion.name.split())
    title = f"JSON Structure Change Detected - {name}" if occasion.drift else f"Step failed - {name}"
    lines = [
        f'The step "{name}" {"got an answer of another structure" if occasion.drift else "failed"}.',
        "",
        f"What happened: {occasion.what}",
        f"When: {_utc(occasion.at)}",
        f"Call: {occasion.method} {occasion.url}",
    ]
    if failures and since is not None:
        lines.append(_counted(failures, since))
    if occasion.link:
        lines += ["", f"Open the step: {occasion.link}"]
    lines += ["", "At most one mail an hour is sent for this step. Reset Mail Timeout on its page clears the hour."]
    return title[:MAX_SUBJECT_CHARACTERS], "\n".join(lines) + "\n"


_COUNT = "Failed calls since the last mail: "


def _counted(failures: int, since: float) -> str:
    return f"{_COUNT}{failures}, the first at {_utc(since)}"


def _counted_anew(body: str, failures: int, since: float) -> str:
    """The mail with the figure of now: more calls may have failed while it could not be delivered."""
    return "\n".join(_counted(failures, since) if line.startswith(_COUNT) else line for line in body.split("\n"))


def _utc(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))


def reset(step_id: int) -> None:
    """Reset Mail Timeout: the hour and what could not be delivered go; the next failure mails at once."""
    with writing() as connection:
        connection.execute(delete(Alert).where(Alert.step_id == step_id, Alert.state != "sent"))
        connection.execute(
            update(StepState).where(StepState.step_id == step_id).values(last_alert_at=None, mail_error=None)
        )


def hurry(connection: Connection, step_id: int, now: float) -> bool:
    """Make the next try of the step's undelivered mail due now. False where there is none, or it is under way."""
    waiting = Alert.step_id == step_id, Alert.state == "due", Alert.tries > 0, Alert.due_at <= now + UNDER_WAY
    return connection.execute(update(Alert).where(*waiting).values(due_at=now)).rowcount > 0


class Undelivered(Struct, frozen=True):
    """A step's mail that is due. addresses: how many have not got it. why: what went wrong at the last try, "" before
    the first one ended; again: when the next may be made, in seconds since the epoch."""

    addresses: int
    why: str
    again: float


def undelivered(step_id: int) -> Undelivered | None:
    mine = (Alert.step_id == step_id) & (Alert.state == "due")
    with reading() as connection:
        row = connection.execute(select(Alert.recipients, Alert.error, Alert.due_at).where(mine)).first()
    return None if row is None else Undelivered(row.recipients.count(",") + 1, row.error or "", row.due_at)


# ---------------------------------------------------------------- sending


class Sender:
    """Sends what is due, off the request's thread, one thread at a time in this process.
    instance: names this installation in its mails. write: `execution.postponed.Postponed.write`.
    """

    def __init__(self, app: Flask, instance: str, write: Callable[[Callable[[], None]], object]) -> None:
        self._app = app
        self._instance = instance
        self._write = write
        self._busy = threading.Lock()
        self._asked = threading.Event()
        self._looked = 0.0

    @property
    def on(self) -> bool:
        """False where the operator has named no mail server."""
        return self._app.config["HTTPSTEP"].smtp_url is not None

    def kick(self) -> None:
        """Send what is due, soon. Returns at once."""
        if not self.on:
            return
        self._asked.set()
        threading.Thread(target=self._run, name=THREAD, daemon=True).start()

    def finish(self, seconds: float = 2 * SECONDS) -> None:
        """Wait for the mails under way: for a command, whose process ends after it, and for somebody who pressed a
        button to know what came of it."""
        ends = time.monotonic() + seconds
        for thread in threading.enumerate():
            if thread.name == THREAD:
                thread.join(max(0.0, ends - time.monotonic()))

    def kick_if_due(self, now: float) -> None:
        """The same where a mail is waiting whose time has come: called by whatever comes next."""
        if now - self._looked < LOOK_EVERY or not self.on:
            return
        self._looked = now
        with reading() as connection:
            due = connection.execute(select(Alert.id).where(_is_due(now)).limit(1)).first()
        if due is not None:
            self.kick()

    def _run(self) -> None:
        with self._busy:
            if not self._asked.is_set():
                return
            self._asked.clear()
            try:
                with self._app.app_context():
                    while self._send_one():
                        pass
            except Exception:
                self._app.logger.exception("alert mails could not be sent")

    def _send_one(self) -> bool:
        """Take one due mail, for five minutes in which nobody else takes it, and send it."""
        now = time.time()
        due = _is_due(now)
        with writing() as connection:
            first = select(Alert.id).where(due).order_by(Alert.id).limit(1).scalar_subquery()
            row = connection.execute(
                update(Alert)
                .where(Alert.id == first, due)
                .values(due_at=now + AGAIN_AFTER, tries=Alert.tries + 1)
                .returning(*_TAKEN)
            ).one_or_none()
            if row is None:
                return False
            told = _telling(connection, row, now)
        reference = f"{self._instance} alert {row.id}"
        wrong = send(self._app, row.recipients.split(","), row.subject, told.body, reference=reference)
        ended = time.time()

        def note() -> None:
            with writing() as connection:
                _note(connection, row, told, wrong, ended)

        # A mail that is not noted as sent is sent once more.
        self._write(note)
        return True


def _is_due(now: float) -> ColumnElement[bool]:
    return (Alert.state == "due") & or_(Alert.due_at <= now, Alert.due_at > now + _AHEAD)


_TAKEN = (
    Alert.id, Alert.step_id, Alert.subject, Alert.body, Alert.recipients, Alert.created_at, Alert.failures, Alert.due_at
)  # fmt: skip


class _Told(Struct, frozen=True):
    """What a mail tells: its body, and how many failed calls it names, as they were counted at that moment."""

    body: str
    failures: int
    at: float


def _telling(connection: Connection, row: Any, now: float) -> _Told:
    """A mail that some addresses have got already, or that names no failures, stays as it is."""
    mine = select(StepState.failures, StepState.failing_since).where(StepState.step_id == row.step_id)
    failures, since = connection.execute(mine).one() if row.failures else (0, None)
    if not failures or since is None:
        return _Told(row.body, 0, now)
    return _Told(_counted_anew(row.body, failures, since), int(failures), now)


def _note(connection: Connection, row: Any, told: _Told, wrong: dict[str, str], now: float) -> None:
    """Keep what came of a mail, also where it was kept already. wrong: why, by address, where the server did not take it.

    What Reset Mail Timeout dropped while it was sent does not take the hour again.
    """
    mine = Alert.id == row.id
    there = connection.execute(select(Alert.state, Alert.due_at).where(mine).with_for_update()).one_or_none()
    if there is not None and there != ("due", row.due_at):
        return
    error = next(iter(wrong.values()), None)
    alert: dict[str, Any] = {"recipients": ",".join(wrong), "error": error, "due_at": now + AGAIN_AFTER}
    state: dict[str, Any] = {"mail_error": alert["error"]}
    if len(wrong) < row.recipients.count(",") + 1:
        state["last_alert_at"] = now
        if told.failures:
            left = StepState.failures - told.failures
            state["failures"] = case((left > 0, left), else_=0)
            state["failing_since"] = case((left > 0, told.at), else_=None)
        alert["failures"] = 0
    if not wrong:
        alert = {"state": "sent", "error": None}
    elif now - row.created_at > GIVEN_UP_AFTER:
        alert |= {"state": "given_up"}
        state["last_alert_at"] = None
    if there is None:
        state.pop("last_alert_at", None)
    connection.execute(update(Alert).where(mine).values(**alert))
    connection.execute(update(StepState).where(StepState.step_id == row.step_id).values(**state))
    old = select(Alert.id).where(Alert.state != "due", Alert.created_at < now - 2 * GIVEN_UP_AFTER)
    connection.execute(
        delete(Alert).where(Alert.id.in_(old.limit(50).with_for_update(skip_locked=True).scalar_subquery()))
    )
