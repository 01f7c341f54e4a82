"""Alert mails through a real SMTP server: one an hour, none lost, none in the way of an answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from httpstep.alerts import alerts
from httpstep.core import errors
from httpstep.extensions import db
from httpstep.storage.database import editing, writing
from httpstep.storage.tables import Alert
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.mailbox import Inbox, mailing, settled

MakeHouse = Callable[..., House]


def test_a_failure_mails_every_address_once_an_hour(make_house: MakeHouse, inbox: Inbox) -> None:
    house = mailing(make_house, inbox, ThirdParty(answer(500, {"detail": "secret customer"})))
    for _ in range(5):
        house.execute()
    settled(house)
    assert sorted(inbox.to) == ["dev@shop.example", "ops@shop.example"]
    mail = inbox.mails[0]
    assert mail["Subject"] == "Step failed - Order-status"
    text = str(mail.get_payload())
    assert "status 500" in text
    assert "{{order.id}}" in text and "/42" not in text
    assert "customer" not in text


def test_the_next_mail_comes_after_the_hour_and_counts_what_failed_since(make_house: MakeHouse, inbox: Inbox) -> None:
    house = mailing(make_house, inbox, ThirdParty(answer(500)))
    for _ in range(3):
        house.execute()
    settled(house)
    with house.state() as state, editing():
        state = db.session.merge(state)
        state.last_alert_at -= 3599
    house.execute()
    settled(house)
    assert len(inbox.mails) == 2
    with house.state() as state, editing():
        state = db.session.merge(state)
        state.last_alert_at -= 2
    house.execute()
    settled(house)
    assert len(inbox.mails) == 4
    assert "Failed calls since the last mail: 4" in str(inbox.mails[-1].get_payload())


def test_a_clock_that_was_ahead_keeps_no_mail_back(make_house: MakeHouse, inbox: Inbox) -> None:
    """A mail sent, and one that waits for its next try, under a clock a day ahead that is then put right."""
    house = mailing(make_house, inbox, ThirdParty(answer(500)))
    house.execute()
    settled(house)
    with house.state() as state, editing():
        db.session.merge(state).last_alert_at += 86_400
    house.execute()
    settled(house)
    assert len(inbox.mails) == 4
    with house.app.app_context(), editing():
        db.session.execute(db.update(Alert).values(state="due", due_at=time.time() + 86_400))
    with house.app.app_context():
        house.app.extensions["httpstep"].alerts.kick_if_due(time.time() + alerts.LOOK_EVERY)
    settled(house)
    assert len(inbox.mails) > 4


def test_reset_mail_timeout_clears_the_hour(make_house: MakeHouse, inbox: Inbox) -> None:
    house = mailing(make_house, inbox, ThirdParty(answer(500)))
    house.execute()
    settled(house)
    with house.state() as state:
        alerts.reset(state.step_id)
    house.execute()
    settled(house)
    assert len(inbox.mails) == 4


def test_sixty_four_failures_at_once_are_one_mail(make_house: MakeHouse, inbox: Inbox) -> None:
    house = mailing(make_house, inbox, ThirdParty(answer(500)))
    with house.state() as state:
        step_id = state.step_id
    won = []

    def contend() -> None:
        occasion = alerts.Occasion(step_id, "A", "It failed.", "https://a", "GET", ("ops@shop.example",), time.time())
        with house.app.app_context():
            for _ in range(4):
                with writing() as connection:
                    won.append(alerts.claim(connection, occasion))

    threads = [threading.Thread(target=contend) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), sum(won)) == (64, 1)
    with house.app.app_context():
        assert db.session.query(Alert).count() == 1


@pytest.mark.parametrize("failing", [errors.Cancelled("Gone.", reason="cancelled")])
@pytest.mark.sqlite_only("nothing is written for it")
def test_a_cancelled_call_never_mails(make_house: MakeHouse, inbox: Inbox, failing: Exception) -> None:
    house = mailing(make_house, inbox, ThirdParty(failing))
    house.execute()
    settled(house)
    assert inbox.mails == []


@pytest.mark.sqlite_only("nothing is written for it")
def test_a_success_mails_nobody(make_house: MakeHouse, inbox: Inbox) -> None:
    house = mailing(make_house, inbox, ThirdParty(answer(200, {"a": 1})))
    house.execute()
    settled(house)
    assert inbox.mails == []


def test_a_refused_mail_is_shown_and_tried_again(make_house: MakeHouse, inbox: Inbox) -> None:
    house = mailing(make_house, inbox, ThirdParty(answer(500)))
    inbox.refuse = "451 try later"
    house.execute()
    settled(house)
    with house.state() as state:
        assert state.mail_error == "451 try later"
    inbox.refuse = ""
    with house.app.app_context(), editing():
        for alert in db.session.query(Alert):
            alert.due_at -= alerts.AGAIN_AFTER + 1
    house.app.extensions["httpstep"].alerts.kick()
    settled(house)
    assert sorted(inbox.to) == ["dev@shop.example", "ops@shop.example"]
    with house.state() as state:
        assert state.mail_error is None


def test_a_mail_server_that_is_away_does_not_change_the_answer(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(500)), SMTP_URL="smtp://127.0.0.1:1", MAIL_FROM="httpstep@here.example")
    house.put(document(alert_emails=["ops@shop.example"]))
    assert house.execute().json["outcome"] == "http_error"
    settled(house)
    with house.state() as state:
        assert "refused" in (state.mail_error or "").lower()


@pytest.mark.sqlite_only("nothing is written for it")
def test_without_a_mail_server_nothing_is_claimed(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(500)))
    house.put(document(alert_emails=["ops@shop.example"]))
    house.execute()
    with house.state() as state:
        assert state.last_alert_at is None


def test_a_subject_is_one_line_of_at_most_150_characters() -> None:
    occasion = alerts.Occasion(1, "A\r\nBcc: x@evil.example " + "n" * 300, "x", "u", "GET", ("a@b.c",), 0.0)
    subject, body = alerts.compose(occasion, 1, None)
    assert "\n" not in subject and "\r" not in subject and len(subject) <= 150
    assert "\nBcc:" not in body
