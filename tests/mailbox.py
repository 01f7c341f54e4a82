"""A mail server that a test can read, and the steps that write to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.fakes import ThirdParty
from tests.house import House, document
from tests.server import free_port

MakeHouse = Callable[..., House]


class Inbox:
    """Takes mail, saying `takes`, or answers `refuse` to every recipient, or refuses one with `refusal`, or hangs up before it says that it took the mail to one.
    on_mail is called with each mail."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.to: list[str] = []
        self.refuse = ""
        self.refuse_only = ""
        self.refusal = "550 no such user"
        self.hangs_up_at = ""
        self.takes = "250 OK"
        self.on_mail: Callable[[], None] | None = None
        self.port = 0

    def text(self) -> str:
        """The newest mail's text."""
        return str(self.mails[-1].get_payload(decode=True).decode())  # type: ignore[union-attr]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuse:
            return self.refuse
        if address == self.refuse_only:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.mails.append(message_from_bytes(envelope.content))  # type: ignore[arg-type]
        self.to += envelope.rcpt_tos
        if self.hangs_up_at in envelope.rcpt_tos:
            server.transport.close()
        if self.on_mail is not None:
            self.on_mail()
        return self.takes


@contextmanager
def open_inbox(**options: Any) -> Iterator[Inbox]:
    """options: aiosmtpd's, such as tls_context for STARTTLS."""
    box = Inbox()
    box.port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=box.port, ready_timeout=60, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def mailing(make_house: MakeHouse, inbox: Any, third: ThirdParty, **more: Any) -> House:
    house = make_house(third, SMTP_URL=f"smtp://127.0.0.1:{inbox.port}", MAIL_FROM="httpstep@here.example")
    emails = ["ops@shop.example", "dev@shop.example"]
    house.put(document(alert_emails=emails, **more))
    house.limit(1000)
    return house


def settled(house: House) -> None:
    house.app.extensions["httpstep"].alerts.finish()
