"""A mail server that is silent, drips, or cannot be verified: it costs its ten seconds, off the path of the answer."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from sqlalchemy import update

from httpstep.alerts import alerts, mailserver
from httpstep.storage.database import writing
from httpstep.storage.tables import Alert
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.mailbox import open_inbox, settled
from tests.server import free_port
from tests.web.conftest import Web
from tests.web.screen import open_step

SQLITE_ONLY = "the mail server is what is tested"
MakeHouse = Callable[..., House]
SOON = 1.0
LATER = 4.0
"""Long enough for an answer to come before it, on a machine that has much else to do."""


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of ten seconds, made one."""
    monkeypatch.setattr(mailserver, "SECONDS", SOON)


@contextmanager
def rude_server(say: bytes = b"", every: float = 0.1) -> Iterator[int]:
    """Accepts everybody, says that byte again and again, and never finishes a line. Gives its port."""
    stopped, held = threading.Event(), list[socket.socket]()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            listener.settimeout(0.05)
            while not stopped.wait(every if held else 0):
                with suppress(TimeoutError):
                    held.append(listener.accept()[0])
                for one in held:
                    with suppress(OSError):
                        one.sendall(say)

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1])
        stopped.set()
        thread.join()
    for one in held:
        one.close()


@contextmanager
def held_server(then: bytes) -> Iterator[tuple[int, threading.Event, threading.Event]]:
    """(port, is set once it has a caller, to be set): holds its one caller, then says that and hangs up."""
    called, let_go = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                listener.settimeout(20)
                with listener.accept()[0] as caller:
                    called.set()
                    let_go.wait(20)
                    caller.sendall(then)

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1]), called, let_go
        let_go.set()
        thread.join()


def failing(make_house: MakeHouse, url: str, **variables: str) -> House:
    house = make_house(ThirdParty(answer(500)), SMTP_URL=url, MAIL_FROM="httpstep@here.example", **variables)
    house.put(document(alert_emails=["ops@shop.example", "dev@shop.example"]))
    house.limit(1000)
    return house


def mail_error(house: House) -> str:
    with house.state() as state:
        return state.mail_error or ""


def test_a_mail_has_ten_seconds_at_most() -> None:
    assert mailserver.SECONDS <= 10


@pytest.mark.parametrize(
    ("then", "why"), [(b"554 go away\r\n", "554 go away."), (b"", "The mail server closed the connection.")]
)
def test_the_answer_is_back_while_the_mail_server_still_holds_the_connection(
    make_house: MakeHouse, then: bytes, why: str
) -> None:
    """And what came of the mail stands on the step's page."""
    with held_server(then) as (port, called, let_go):
        house = failing(make_house, f"smtp://127.0.0.1:{port}")
        bob = Web(house).as_("bob")
        assert [house.execute().json["outcome"] for _ in range(2)] == ["http_error"] * 2
        assert called.wait(20)
        assert alerts.THREAD in {thread.name for thread in threading.enumerate()}
        assert "An alert is on its way to 2 addresses." in open_step(bob).text and mail_error(house) == ""
        let_go.set()
        settled(house)
    shown = open_step(bob).text
    assert f"Last mail failed: {why} Not delivered yet to 2 addresses. Next try at" in shown
    assert "on its way" not in shown


@pytest.mark.parametrize("say", [b"", b"2"], ids=["silent", "dripping"])
def test_a_server_that_never_greets_delays_no_answer_and_is_given_up_in_time(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch, say: bytes
) -> None:
    """Delayed by it, the answer would come after the thread that sends the mail has ended."""
    monkeypatch.setattr(mailserver, "SECONDS", LATER)
    with rude_server(say) as port:
        house = failing(make_house, f"smtp://127.0.0.1:{port}")
        began = time.monotonic()
        assert house.execute().json["outcome"] == "http_error"
        assert [thread.name for thread in threading.enumerate()].count(alerts.THREAD) == 1
        settled(house)
        assert LATER - 0.1 < time.monotonic() - began < LATER + 15
        assert mail_error(house) == "No answer from the mail server within 10 seconds."
        assert house.execute().json["outcome"] == "http_error"


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_silent_handshake_ends_in_time_too(make_house: MakeHouse, tls: str) -> None:
    with rude_server() as port:
        house = failing(make_house, f"smtp://127.0.0.1:{port}?tls={tls}")
        began = time.monotonic()
        house.execute()
        settled(house)
        assert time.monotonic() - began < SOON + 15
        assert mail_error(house)


def certified(tmp_path: Path, host: str) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS with a certificate for that host, and the file of the authority that signed it."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    return context, tmp_path / "authority.pem"


def test_starttls_with_a_certificate_of_an_unknown_authority_is_refused_and_shown(
    make_house: MakeHouse, tmp_path: Path
) -> None:
    context, _ = certified(tmp_path, "127.0.0.1")
    with open_inbox(tls_context=context) as inbox:
        house = failing(make_house, f"smtp://127.0.0.1:{inbox.port}?tls=starttls")
        house.execute()
        settled(house)
        assert inbox.mails == []
        shown = mail_error(house)
        assert shown.startswith("The mail server's certificate or TLS was not accepted: ")
        assert "unable to get local issuer certificate" in shown or "self-signed" in shown


def test_starttls_with_a_certificate_for_another_name_is_refused(make_house: MakeHouse, tmp_path: Path) -> None:
    context, authority = certified(tmp_path, "mail.example")
    with open_inbox(tls_context=context) as inbox:
        house = failing(make_house, f"smtp://127.0.0.1:{inbox.port}?tls=starttls", CA_FILE=str(authority))
        house.execute()
        settled(house)
        assert inbox.mails == []
        assert "not valid for '127.0.0.1'" in mail_error(house)


def test_starttls_with_the_operators_own_authority_is_good(make_house: MakeHouse, tmp_path: Path) -> None:
    context, authority = certified(tmp_path, "127.0.0.1")
    with open_inbox(tls_context=context, require_starttls=True) as inbox:
        house = failing(make_house, f"smtp://127.0.0.1:{inbox.port}?tls=starttls", CA_FILE=str(authority))
        house.execute()
        settled(house)
        assert (len(inbox.mails), mail_error(house)) == (2, "")


def test_an_authority_whose_file_is_gone_is_shown_and_the_mail_goes_once_it_is_back(
    make_house: MakeHouse, tmp_path: Path
) -> None:
    context, authority = certified(tmp_path, "127.0.0.1")
    with open_inbox(tls_context=context, require_starttls=True) as inbox:
        house = failing(make_house, f"smtp://127.0.0.1:{inbox.port}?tls=starttls", CA_FILE=str(authority))
        away = authority.rename(tmp_path / "away.pem")
        house.execute()
        settled(house)
        assert mail_error(house) == "The mail server could not be reached: HTTPSTEP_CA_FILE cannot be read."
        away.rename(authority)
        with house.app.app_context(), writing() as connection:
            connection.execute(update(Alert).values(due_at=0))
        house.app.extensions["httpstep"].alerts.kick()
        settled(house)
        assert (len(inbox.mails), mail_error(house)) == (2, "")


def test_a_server_without_starttls_gets_no_mail_in_the_clear(make_house: MakeHouse) -> None:
    with open_inbox() as inbox:
        house = failing(make_house, f"smtp://127.0.0.1:{inbox.port}?tls=starttls")
        house.execute()
        settled(house)
        assert inbox.mails == []
        assert "STARTTLS" in mail_error(house)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_server_that_refuses_the_sender_is_shown_in_its_own_words(make_house: MakeHouse) -> None:
    with open_inbox(auth_required=True, auth_require_tls=False) as inbox:
        house = failing(make_house, f"smtp://127.0.0.1:{inbox.port}")
        house.execute()
        settled(house)
        assert mail_error(house).startswith("530 ")


def listening_to(auth: list[tuple[str, str]]) -> dict[str, Any]:
    """Options of a mail server that notes user and password, and takes them."""

    def check(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
        auth.append((given.login.decode(), given.password.decode()))
        return AuthResult(success=True)

    return {"authenticator": check, "auth_required": True, "auth_require_tls": False}


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("without", ["", "PLAIN"], ids=["plain", "login"])
def test_a_password_beyond_ascii_is_sent_as_utf_8(make_house: MakeHouse, without: str) -> None:
    auth: list[tuple[str, str]] = []
    with open_inbox(**listening_to(auth), auth_exclude_mechanism=[without]) as inbox:
        house = failing(make_house, f"smtp://j%C3%BCrgen:stra%C3%9Fe@127.0.0.1:{inbox.port}?tls=none")
        house.execute()
        settled(house)
        assert (len(inbox.mails), mail_error(house)) == (2, "")
    assert auth == [("jürgen", "straße")]


def test_a_host_that_no_lookup_takes_is_said_and_no_fault_of_ours(make_house: MakeHouse) -> None:
    house = failing(make_house, f"smtp://{'a' * 70}.example:25")
    house.execute()
    settled(house)
    assert "HTTPSTEP_SMTP_URL" in mail_error(house)


def test_a_greeting_that_refuses_is_shown_in_its_own_words(make_house: MakeHouse) -> None:
    with rude_server(b"554 go away\r\n", every=1) as port:
        house = failing(make_house, f"smtp://127.0.0.1:{port}")
        house.execute()
        settled(house)
    assert mail_error(house) == "554 go away"


def test_a_server_that_is_not_there_is_said_without_an_error_number(make_house: MakeHouse) -> None:
    house = failing(make_house, f"smtp://127.0.0.1:{free_port()}")
    house.execute()
    settled(house)
    assert mail_error(house) == "The mail server refused the connection."
