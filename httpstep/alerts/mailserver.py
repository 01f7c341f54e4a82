"""One mail to a mail server, within ten seconds whatever it does: silent, slow, refusing or unverifiable.

Flask-Mail opens SMTP without a time limit and without checking the certificate of STARTTLS; both are mended here.
"""

from __future__ import annotations

import hashlib
import logging
import smtplib
import socket
import ssl
import threading
import time
import uuid
from contextlib import suppress
from typing import Any

from flask import Flask
from flask_mail import Connection as MailConnection
from flask_mail import Mail, Message

from httpstep.config import SmtpServer
from httpstep.core.document.addressees import deliverable

SECONDS = 10.0
TOO_SLOW = "The mail server was too slow."
_log = logging.getLogger(__name__)


class _Utf8(str):
    """Text that is UTF-8 as bytes, whatever the writer asks for: so PLAIN takes it (RFC 4616, 2); smtplib wants ASCII."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return super().encode("utf-8", errors)


class _Client(smtplib.SMTP):
    """SMTP that ends by a deadline: a time limit per read would let a server that drips take hours.

    The connection is shut down by a timer, through a second descriptor, because the first one changes hands with TLS.
    """

    def __init__(self, server: SmtpServer, context: ssl.SSLContext, ends: float) -> None:
        self._server = server
        self._context = context
        self._wire: socket.socket | None = None
        self._timer = threading.Timer(max(0.0, ends - time.monotonic()), self._cut)
        self._timer.daemon = True
        self.is_late = False
        self.is_ready = False
        self.took = ""
        super().__init__(timeout=max(0.1, ends - time.monotonic()))
        self._host = server.host  # what STARTTLS compares the certificate with
        self._timer.start()

    def start(self) -> None:
        code, text = self.connect(self._server.host, self._server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)
        if self._server.tls == "starttls":
            self.starttls(context=self._context)
        if self._server.username and self._server.password:
            self.login(_Utf8(self._server.username), _Utf8(self._server.password))
        self.is_ready = True

    @property
    def is_open(self) -> bool:
        return self.sock is not None

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Keeps what the server says as it takes a mail, which smtplib drops: it often names the mail's place in a queue."""
        code, text = super().data(msg)
        self.took = f"{code} {_text(text)}"
        return code, text

    def auth_plain(self, challenge: Any = None) -> str:
        return _Utf8(super().auth_plain(challenge))

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made = socket.create_connection((host, port), timeout)
        self._wire = made.dup()
        if self._server.tls == "tls":
            return self._context.wrap_socket(made, server_hostname=host)
        return made

    def _cut(self) -> None:
        self.is_late = True
        if self._wire is not None:
            with suppress(OSError):
                self._wire.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """A server that hangs up at QUIT has still taken the mail."""
        try:
            if self.sock is not None:
                self.quit()
        except (OSError, smtplib.SMTPException):
            self.close()
        finally:
            self._timer.cancel()
            if self._wire is not None:
                self._wire.close()


class _Connection(MailConnection):
    """Flask-Mail's connection over such a client."""

    def __init__(self, mail_: Mail, server: SmtpServer, ca_file: str, ends: float) -> None:
        super().__init__(mail_)
        self._ca_file, self._context = ca_file, ssl.create_default_context()
        self.client = _Client(server, self._context, ends)

    def configure_host(self) -> smtplib.SMTP:
        try:
            self._trust()
            self.client.start()
        except BaseException:
            self.client.end()
            raise
        return self.client

    def _trust(self) -> None:
        """Also the operator's authority, whose file was there at the start and may be gone since."""
        if self._ca_file:
            try:
                self._context.load_verify_locations(self._ca_file)
            except OSError as error:
                raise OSError(error.errno, "HTTPSTEP_CA_FILE cannot be read") from None

    def __exit__(self, *error: Any) -> None:
        self.client.end()


def send(
    app: Flask, recipients: list[str], subject: str, body: str, *, reference: str = "", heard: dict[str, str] | None = None,
) -> dict[str, str]:  # fmt: skip
    """One message per address over one connection, and over a further one where the server hangs up at an address: the
    others still get theirs. Returns what went wrong, by address; {} is success.

    reference: names this mail for ever. Sent once more, because the process was killed before it noted that the server
    took it, it has the same Message-ID, by which mail servers and readers drop the second (RFC 5322, 3.6.4).
    heard: takes what the server said to the addresses whose mail it took.
    """
    config = app.config["HTTPSTEP"]
    if config.smtp_url is None:
        return dict.fromkeys(recipients, "E-mail is not set up on this server.")
    ends = time.monotonic() + SECONDS
    wrong, taken, left = dict[str, str](), set[str](), list(recipients)
    with app.app_context():
        while left:
            link = _Connection(app.extensions["mail"], config.smtp_url, config.ca_file, ends)
            try:
                with link:
                    while left and link.client.is_open:
                        address = left[0]
                        try:
                            link.send(_message(config.mail_from, address, subject, body, reference))
                            taken.add(address)
                            if heard is not None:
                                heard[address] = link.client.took
                        except smtplib.SMTPRecipientsRefused as error:
                            wrong[address] = server_reply(error)
                        left.pop(0)
            except (OSError, smtplib.SMTPException, UnicodeError) as error:
                late = link.client.is_late or time.monotonic() >= ends
                why = (TOO_SLOW if taken else server_reply(TimeoutError())) if late else server_reply(error)
                wrong[left.pop(0)] = why
                if late or not link.client.is_ready or not _hung_up(error):
                    wrong |= dict.fromkeys(left, why)
                    break
    if wrong:
        _log.warning("mail for %d of %d addresses was not taken: %s", len(wrong), len(recipients), _told(wrong))
    return wrong


def _hung_up(error: Exception) -> bool:
    """Whether the server ended the connection over one mail (421: RFC 5321, 3.8)."""
    return isinstance(error, (smtplib.SMTPServerDisconnected, ConnectionError)) or getattr(error, "smtp_code", 0) == 421


def _message(sender: str, address: str, subject: str, body: str, reference: str) -> Message:
    """auto-generated: no out-of-office note answers it (RFC 3834, 5)."""
    headers = {"Auto-Submitted": "auto-generated"}
    message = Message(subject, [deliverable(address)], body, sender=deliverable(sender), extra_headers=headers)
    name = hashlib.sha256(f"{reference} {address}".encode()).hexdigest() if reference else uuid.uuid4().hex
    message.msgId = f"<{name[:32]}@{deliverable(sender).rpartition('@')[2].rstrip('>')}>"
    return message


def answered(why: str) -> bool:
    """Whether that is what a mail server said, which begins with its reply code (RFC 5321, 4.2), or our own sentence."""
    return why[:3].isdigit()


def _told(wrong: dict[str, str]) -> str:
    """The reasons for the operator's log: of an answer the code alone, since its text may repeat an address."""
    reasons = (f"the mail server answered {why[:3]}" if answered(why) else why for why in wrong.values())
    return "; ".join(dict.fromkeys(reasons))


def server_reply(error: Exception) -> str:
    """What a mail server said, in a line for a person."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return f"{code} {_text(text)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    if isinstance(error, TimeoutError):
        return "No answer from the mail server within 10 seconds."
    if isinstance(error, ssl.SSLError):
        return f"The mail server's certificate or TLS was not accepted: {_why(error)}"
    if isinstance(error, UnicodeError):
        return "HTTPSTEP_SMTP_URL or HTTPSTEP_MAIL_FROM holds something that cannot be said to a mail server."
    if isinstance(error, ConnectionRefusedError):
        return "The mail server refused the connection."
    if isinstance(error, socket.gaierror):
        return "The mail server's name was not found."
    if isinstance(error, (ConnectionError, smtplib.SMTPServerDisconnected)):
        return "The mail server closed the connection."
    if isinstance(error, OSError) and error.strerror:
        return f"The mail server could not be reached: {error.strerror}."
    return " ".join(str(error).split()) or type(error).__name__


def _why(error: ssl.SSLError) -> str:
    """The reason in words where a certificate was not accepted ("self-signed certificate"), else OpenSSL's."""
    return str(getattr(error, "verify_message", "") or error.reason or error).rstrip(".") + "."


def _text(raw: bytes | str) -> str:
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    return " ".join(text.split())[:300]
