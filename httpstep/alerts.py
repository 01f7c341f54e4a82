"""Alert mails: at most one an hour and step, whoever fails and however often.

The hour is claimed by one conditional UPDATE, and the mail that follows from it is a row committed with the
claim. A thread started after the answer sends it; what a mail server refused is tried again after five
minutes by whatever comes next, so no server, however slow, is ever waited for by a bot.
"""

from __future__ import annotations

import smtplib
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask_mail import Connection as MailConnection
from flask_mail import Mail, Message
from sqlalchemy import Connection, delete, func, insert, or_, select, update

from httpstep.config import SmtpServer
from httpstep.models.database import reading, writing
from httpstep.models.tables import Alert, StepState

HOUR = 3600.0
AGAIN_AFTER = 300.0
GIVEN_UP_AFTER = 24 * HOUR
SECONDS = 10.0
LOOK_EVERY = 10.0
THREAD = "httpstep-alerts"
MOST_SUBJECT = 150


@dataclass(frozen=True, slots=True)
class Occasion:
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
    """Take the step's hour and write the due mail, both or neither. False where the hour is taken."""
    free = or_(StepState.last_alert_at.is_(None), StepState.last_alert_at <= occasion.at - HOUR)
    taken = connection.execute(
        update(StepState)
        .where(StepState.step_id == occasion.step_id, free)
        .values(last_alert_at=occasion.at, last_alert_to=len(occasion.recipients))
        .returning(StepState.failures, StepState.failing_since)
    ).one_or_none()
    if taken is None:
        return False
    subject, body = compose(occasion, int(taken[0]), taken[1])
    connection.execute(
        insert(Alert).values(
            step_id=occasion.step_id, subject=subject, body=body, recipients=",".join(occasion.recipients),
            due_at=occasion.at, created_at=occasion.at,
        )
    )  # fmt: skip
    connection.execute(
        update(StepState).where(StepState.step_id == occasion.step_id).values(failures=0, failing_since=None)
    )
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
    if failures > 1 and since is not None:
        lines.append(f"Failed calls since the last mail: {failures}, the first at {_utc(since)}")
    if occasion.link:
        lines += ["", f"Open the step: {occasion.link}"]
    lines += ["", "At most one mail an hour is sent for this step. Reset Mail Timeout on its page clears the hour."]
    return title[:MOST_SUBJECT], "\n".join(lines) + "\n"


def _utc(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))


def reset(step_id: int) -> None:
    """Reset Mail Timeout: the hour and what could not be delivered go; the next failure mails at once."""
    with writing() as connection:
        connection.execute(delete(Alert).where(Alert.step_id == step_id, Alert.state != "sent"))
        connection.execute(
            update(StepState).where(StepState.step_id == step_id).values(last_alert_at=None, mail_error=None)
        )


# ---------------------------------------------------------------- sending


class _BoundedConnection(MailConnection):
    """Flask-Mail's connection with a time limit and with STARTTLS verified, which it has neither of."""

    def __init__(self, mail_: Mail, server: SmtpServer, seconds: float) -> None:
        super().__init__(mail_)
        self._server = server
        self._seconds = seconds

    def configure_host(self) -> smtplib.SMTP | smtplib.SMTP_SSL:
        server = self._server
        if server.tls == "tls":
            host: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=self._seconds, context=ssl.create_default_context()
            )
        else:
            host = smtplib.SMTP(server.host, server.port, timeout=self._seconds)
        if server.tls == "starttls":
            host.starttls(context=ssl.create_default_context())
        if server.username and server.password:
            host.login(server.username, server.password)
        return host

    def __exit__(self, *error: Any) -> None:
        """A server that hangs up at QUIT has still taken the mail."""
        if self.host is not None:
            try:
                self.host.quit()
            except (OSError, smtplib.SMTPException):
                self.host.close()


def send(app: Flask, recipients: list[str], subject: str, body: str) -> dict[str, str]:
    """One message per address over one connection. Returns what went wrong, by address; {} is success."""
    config = app.config["HTTPSTEP"]
    if config.smtp_url is None:
        return dict.fromkeys(recipients, "Mail is off: HTTPSTEP_SMTP_URL is not set.")
    wrong: dict[str, str] = {}
    ends = time.monotonic() + SECONDS
    try:
        with app.app_context(), _BoundedConnection(app.extensions["mail"], config.smtp_url, SECONDS) as link:
            for address in recipients:
                if (left := ends - time.monotonic()) <= 0:
                    wrong[address] = "The mail server was too slow."
                    continue
                if link.host is not None and link.host.sock is not None:
                    link.host.sock.settimeout(left)
                try:
                    link.send(Message(subject, [address], body, sender=config.mail_from))
                except smtplib.SMTPRecipientsRefused as error:
                    wrong[address] = said(error)
    except (OSError, smtplib.SMTPException) as error:
        for address in recipients:
            wrong.setdefault(address, said(error))
    return wrong


def said(error: Exception) -> str:
    """What a mail server said, in a line for a person."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return f"{code} {_text(text)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    if isinstance(error, TimeoutError):
        return "No answer from the mail server within 10 seconds."
    if isinstance(error, ssl.SSLError):
        return f"The mail server's certificate or TLS was not accepted: {error.reason or error}"
    return " ".join(str(error).split()) or type(error).__name__


def _text(raw: bytes | str) -> str:
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    return " ".join(text.split())[:300]


class Sender:
    """Sends what is due, off the request's thread, one thread at a time in this process."""

    def __init__(self, app: Flask) -> None:
        self._app = app
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

    def finish(self) -> None:
        """Wait for the mails under way: for a command, whose process ends after it."""
        for thread in threading.enumerate():
            if thread.name == THREAD:
                thread.join(2 * SECONDS)

    def kick_if_due(self, now: float) -> None:
        """The same where a mail is waiting whose time has come: called by whatever comes next."""
        if now - self._looked < LOOK_EVERY or not self.on:
            return
        self._looked = now
        with reading() as connection:
            due = connection.execute(select(Alert.id).where(Alert.state == "due", Alert.due_at <= now).limit(1)).first()
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
        due = (Alert.state == "due") & (Alert.due_at <= now)
        with writing() as connection:
            first = select(Alert.id).where(due).order_by(Alert.id).limit(1).scalar_subquery()
            row = connection.execute(
                update(Alert)
                .where(Alert.id == first, due)
                .values(due_at=now + AGAIN_AFTER, tries=Alert.tries + 1)
                .returning(Alert.id, Alert.step_id, Alert.subject, Alert.body, Alert.recipients, Alert.created_at)
            ).one_or_none()
        if row is None:
            return False
        wrong = send(self._app, row.recipients.split(","), row.subject, row.body)
        self._note(row.id, row.step_id, row.created_at, wrong)
        return True

    def _note(self, alert_id: int, step_id: int, created_at: float, wrong: dict[str, str]) -> None:
        now = time.time()
        state: dict[str, Any] = {"mail_error": next(iter(wrong.values()), None)}
        if not wrong:
            alert, state["last_alert_at"] = {"state": "sent", "error": None}, now
        elif now - created_at > GIVEN_UP_AFTER:
            alert, state["last_alert_at"] = {"state": "given_up", "error": state["mail_error"]}, None
        else:
            alert = {"recipients": ",".join(wrong), "error": state["mail_error"]}
        with writing() as connection:
            connection.execute(update(Alert).where(Alert.id == alert_id).values(**alert))
            connection.execute(update(StepState).where(StepState.step_id == step_id).values(**state))
            connection.execute(delete(Alert).where(Alert.state != "due", Alert.created_at < now - 2 * GIVEN_UP_AFTER))
