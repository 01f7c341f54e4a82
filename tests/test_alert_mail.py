"""What an alert mail says, to whom, and how many there are while the mail server is away."""

from __future__ import annotations

from collections.abc import Callable
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from httpstep.alerts import alerts
from httpstep.core import errors
from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.core.outcome import mailtext
from httpstep.extensions import db
from httpstep.storage import catalogue
from httpstep.storage.database import editing, writing
from httpstep.storage.tables import Alert, StepState
from tests.contention import contend
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.mailbox import Inbox, mailing, settled

MakeHouse = Callable[..., House]
FAILING = answer(500, {"detail": "boom"})


def hours_pass(house: House, hours: float) -> None:
    """Everything about mails is that much longer ago."""
    past = hours * alerts.HOUR
    with house.app.app_context(), writing() as connection:
        connection.execute(update(StepState).values(last_alert_at=StepState.last_alert_at - past))
        connection.execute(update(Alert).values(due_at=Alert.due_at - past, created_at=Alert.created_at - past))


def try_again(house: House) -> None:
    house.app.extensions["httpstep"].alerts.kick()
    settled(house)


def due(house: House) -> list[Any]:
    with house.app.app_context():
        return db.session.query(Alert).filter_by(state="due").all()


# ---------------------------------------------------------------- what it says


@pytest.mark.sqlite_only("what a mail says is made above the database")
def test_a_mail_says_which_step_what_failed_since_when_how_often_and_where_to_look(
    make_house: MakeHouse, inbox: Inbox
) -> None:
    house = mailing(make_house, inbox, ThirdParty(FAILING), name="Order status")
    house.execute()
    settled(house)
    assert inbox.mails[0]["Subject"] == "Step failed - Order status"
    lines = inbox.text().splitlines()
    assert 'The step "Order status" failed.' in lines
    assert "What happened: The API answered with status 500." in lines
    assert "Call: GET https://api.example/orders/{{order.id}}" in lines
    assert "Open the step: http://127.0.0.1:8080/steps/1" in lines
    [since] = [line for line in lines if line.startswith("Failed calls since the last mail: 1, the first at ")]
    assert since.endswith(" UTC")


@pytest.mark.sqlite_only("the address is made above the database")
def test_the_link_is_the_address_that_people_open(make_house: MakeHouse, inbox: Inbox) -> None:
    variables = {"SMTP_URL": f"smtp://127.0.0.1:{inbox.port}", "MAIL_FROM": "a@b.example"}
    house = make_house(ThirdParty(FAILING), BASE_URL="https://steps.example.com/x/", **variables)
    house.put(document(alert_emails=["ops@shop.example"]))
    house.execute()
    settled(house)
    assert "Open the step: https://steps.example.com/x/steps/1" in inbox.text().splitlines()


@pytest.mark.sqlite_only("what a mail says is made above the database")
def test_a_mail_holds_no_secret_and_nothing_of_a_customer(make_house: MakeHouse, inbox: Inbox) -> None:
    customer, secret = "kunde-7431", "sesame-9942"

    def not_found(request: RenderedRequest) -> HttpResponse:
        host = request.url.split("/")[2]
        raise errors.NetworkError(f"The name {host} was not found.", reason="dns")

    echo = answer(422, {"detail": f"unknown customer {customer}, token {secret}"})
    house = mailing(
        make_house, inbox, ThirdParty(not_found, echo), url="https://{{shop}}.example/{{secret.CRM}}/{{customer.id}}"
    )
    with house.app.app_context():
        token = house.app.extensions["httpstep"].vault.encrypt(secret.encode())
        catalogue.put_secret(house.account(), "CRM", token, hosts=None, now=0, new=True)
    for _ in range(2):
        house.execute(attributes={"shop": customer, "customer": {"id": customer}})
        settled(house)
        hours_pass(house, 1.1)
    first, second = (str(mail.get_payload()) for mail in (inbox.mails[0], inbox.mails[-1]))
    assert "The name the host of this call was not found." in first
    assert "status 422" in second
    for mail in (first, second):
        assert customer not in mail and secret not in mail
        assert "https://{{shop}}.example/{{secret.CRM}}/{{customer.id}}" in mail


OAUTH = {
    "type": "oauth2_client_credentials", "token_url": "https://id.example/token?for={{customer}}", "client_id": "me",
    "client_secret": "sesame-9942", "scope": "",
}  # fmt: skip


@pytest.mark.parametrize("status", [200, 401])
@pytest.mark.sqlite_only("the text is made above the database")
def test_a_mail_holds_nothing_that_a_token_address_said(make_house: MakeHouse, inbox: Inbox, status: int) -> None:
    echo = answer(status, {"error_description": "secret sesame-9942 of Jane Roe is wrong"})
    house = mailing(make_house, inbox, ThirdParty(echo), auth=OAUTH)
    house.execute(attributes={"order.id": 1, "customer": "jane@roe.example"})
    settled(house)
    assert "What happened: The token address gave no access token." in inbox.text().splitlines()
    assert "Roe" not in inbox.text() and "sesame" not in inbox.text()


@pytest.mark.parametrize("customer", ["janeroe", "jane.roe", "JaneRoe", "127.0.0.9"])
@pytest.mark.sqlite_only("the text is made above the database")
def test_a_mail_names_no_token_host_that_an_attribute_gave(make_house: MakeHouse, inbox: Inbox, customer: str) -> None:
    def not_found(request: RenderedRequest) -> HttpResponse:
        raise errors.NetworkError(f"{request.url.split('/')[2]} refused the connection.", reason="refused")

    auth = OAUTH | {"token_url": "https://{{customer}}/token"}
    house = mailing(make_house, inbox, ThirdParty(not_found), auth=auth)
    house.execute(attributes={"order.id": 1, "customer": customer})
    settled(house)
    assert "What happened: the host of this call refused the connection." in inbox.text().splitlines()


def failed(message: str, *, kind: str = "network_error", location: str = "", **members: Any) -> dict[str, Any]:
    hop = {"url": "https://api.example/a", "location": location}
    return {
        "request": {"url": "https://api.example/a"}, "response": None, "tries": [{"hops": [hop]}],
        "failure": {"kind": kind, "message": message},
    } | members  # fmt: skip


@pytest.mark.parametrize(
    ("location", "host"),
    [("https://jane-roe.invalid/", "jane-roe.invalid"), ("https://JANE.Roe/x", "jane.roe"), ("//janeroe/", "janeroe"),
     ("https://jané-roe.example/", "xn--jan-roe-dya.example")],
)  # fmt: skip
def test_a_mail_names_no_host_that_the_api_redirected_to(location: str, host: str) -> None:
    detail = failed(f"The name {host} was not found.", location=location)
    written = ("https://api.example/{{x}}", "")
    assert mailtext.failure_sentence(detail, written) == "The name the host of this call was not found."


@pytest.mark.parametrize(
    "written", ["https://api.example/{{x}}?y={{z}}", "HTTPS://API.example:443/", "https://{{sub}}.example/"]
)
def test_a_mail_names_the_host_where_the_editor_wrote_it(written: str) -> None:
    said = mailtext.failure_sentence(failed("The name api.example was not found."), (written, ""))
    named = "the host of this call" if "sub" in written else "api.example"
    assert said == f"The name {named} was not found."


@pytest.mark.parametrize(
    ("kind", "message"),
    [("timeout", "No answer within 0.5 seconds."), ("too_large", "The answer is too large: more than 1 MB."),
     ("invalid_request", "The attribute “order.id” is not there, and the URL needs it.")],
)  # fmt: skip
def test_a_sentence_without_a_host_stays_as_it_is(kind: str, message: str) -> None:
    assert mailtext.failure_sentence(failed(message, kind=kind), ("https://api.example/", "")) == message


@pytest.mark.sqlite_only("what a mail says is made above the database")
def test_a_mail_is_plain_text_whatever_the_names_are(make_house: MakeHouse, inbox: Inbox) -> None:
    house = mailing(make_house, inbox, ThirdParty(FAILING), name="<b>Größe & Co</b> " + "ü" * 80)
    house.execute()
    settled(house)
    subject = str(make_header(decode_header(inbox.mails[0]["Subject"])))
    assert subject.startswith("Step failed - <b>Größe & Co</b> üüü")
    assert subject.endswith("ü" * 80) and "\n" not in subject
    assert inbox.mails[0].get_content_type() == "text/plain"


@pytest.mark.parametrize(
    "address",
    ["a@b.example\nBcc: x@evil.example", "a@b.example\r\nBcc: x@evil.example", "a@b.example, evil@x.example",
     "a@b.example;evil@x.example", "a\0@b.example", "a@b.example\0", "x" * 2000 + "@b.example", "a@" + "b" * 2000 + ".example",
     "Ops <a@b.example>", "a b@c.example", "a@b@c.example", "a@localhost", "@b.example", "a@", ""],
)  # fmt: skip
@pytest.mark.sqlite_only("refused above the database")
def test_an_address_that_could_reach_a_header_is_refused_at_save(make_house: MakeHouse, address: str) -> None:
    refused = make_house().put(document(alert_emails=["good@b.example", address]))
    assert refused.status_code == 422
    assert refused.json["detail"].startswith("alert_emails[1]: ")
    assert "\0" not in refused.json["detail"] and "\n" not in refused.json["detail"]


@pytest.mark.sqlite_only("refused above the database")
def test_the_eleventh_and_a_doubled_address_get_a_sentence(make_house: MakeHouse) -> None:
    house = make_house()
    eleven = house.put(document(alert_emails=[f"a{number}@b.example" for number in range(11)]))
    doubled = house.put(document(alert_emails=["a@b.example", "A@B.example"]))
    assert "At most 10 addresses" in eleven.json["detail"]
    assert "there twice" in doubled.json["detail"]
    assert house.put(document(alert_emails=[f"a{number}@b.example" for number in range(10)])).status_code == 201


@pytest.mark.parametrize("name", ["Orders\r\nBcc: x@evil.example", "Orders\0", "Orders\u2028x"])
@pytest.mark.sqlite_only("refused above the database")
def test_a_name_that_could_reach_a_header_is_refused_at_save(make_house: MakeHouse, name: str) -> None:
    refused = make_house().put(document(name=name))
    assert (refused.status_code, refused.json["faults"][0]["place"]) == (422, "name")


# ---------------------------------------------------------------- drift


def drifting() -> ThirdParty:
    return ThirdParty(answer(200, {"a": 1}), answer(200, {"b": 1}))


def test_a_mail_on_drift_comes_when_the_step_is_marked(make_house: MakeHouse, inbox: Inbox) -> None:
    house = mailing(make_house, inbox, drifting(), alert_on_drift=True)
    for _ in range(3):
        house.execute()
    settled(house)
    assert inbox.mails == []
    for _ in range(5):
        house.execute()
    settled(house)
    assert sorted(inbox.to) == ["dev@shop.example", "ops@shop.example"]
    assert inbox.mails[0]["Subject"] == "JSON Structure Change Detected - Order-status"
    assert "differs from the accepted sample" in inbox.text()
    assert "Failed calls" not in inbox.text()


@pytest.mark.sqlite_only("what a mail says is made above the database")
def test_a_mail_on_drift_names_what_the_mapping_reads_as_people_say_it_and_nothing_else(
    make_house: MakeHouse, inbox: Inbox
) -> None:
    before = {"order": {"items": [{"price": 5}], "kunde-7431": 1, "status": "open"}}
    after = {"order": {"items": [{"cost": 5}], "kunde-7432": 1, "status": 7}}
    rules = [
        {"path": ["order", "items", 0, "price"], "attribute": "price"},
        {"path": ["order", "status"], "attribute": "status"},
    ]
    third = ThirdParty(answer(200, before), answer(200, after))
    house = mailing(make_house, inbox, third, alert_on_drift=True, mapping=rules)
    for _ in range(5):
        house.execute()
    settled(house)
    text = " ".join(inbox.text().split())
    assert "The mapping reads what is gone or of another type: order › items › * › price, order › status." in text
    assert "kunde" not in text


@pytest.mark.sqlite_only("what a mail says is made above the database")
def test_a_rejected_answer_is_mailed_without_its_words(make_house: MakeHouse, inbox: Inbox) -> None:
    ok = [{"path": ["ok"], "is": "equals", "value": True}]
    house = mailing(
        make_house, inbox, ThirdParty(answer(200, {"ok": False, "error": "no kunde-7431"})), success_when=ok
    )
    assert house.execute().json["outcome"] == "rejected"
    settled(house)
    assert inbox.mails[0]["Subject"] == "Step failed - Order-status"
    assert "The API said no in its answer" in inbox.text() and "kunde" not in inbox.text()


@pytest.mark.sqlite_only("the address is made above the database")
def test_a_mail_goes_to_the_domain_that_was_written_and_not_to_its_namesake(
    make_house: MakeHouse, inbox: Inbox
) -> None:
    """By IDNA 2003 straße is strasse; a dot at the end is no part of an address for a mail server."""
    house = mailing(make_house, inbox, ThirdParty(FAILING))
    house.put(document(alert_emails=["a@straße.example", "b@shop.example."]))
    house.execute()
    settled(house)
    assert inbox.to == ["a@xn--strae-oqa.example", "b@shop.example"]


def test_drift_mails_nobody_who_did_not_ask_for_it(make_house: MakeHouse, inbox: Inbox) -> None:
    house = mailing(make_house, inbox, drifting())
    for _ in range(6):
        house.execute()
    settled(house)
    assert inbox.mails == []


def test_drift_and_failures_share_the_hour(make_house: MakeHouse, inbox: Inbox) -> None:
    house = mailing(
        make_house, inbox, ThirdParty(answer(200, {"a": 1}), FAILING, answer(200, {"b": 1})), alert_on_drift=True
    )
    for _ in range(6):
        house.execute()
    settled(house)
    assert {mail["Subject"] for mail in inbox.mails} == {"Step failed - Order-status"}


# ---------------------------------------------------------------- how many


def test_64_failures_in_eight_processes_are_one_mail(
    make_house: MakeHouse, inbox: Inbox, tmp_path: Path, database: dict[str, str]
) -> None:
    make_house().put(document())
    mail = {"SMTP_URL": f"smtp://127.0.0.1:{inbox.port}", "MAIL_FROM": "a@b.example"}
    assert contend("alerts", {"DATA": str(tmp_path / "data")} | mail | database) == 1
    assert inbox.to == ["ops@shop.example"]


def test_a_mail_server_away_for_a_day_gets_one_mail_that_counts_all_failures(
    make_house: MakeHouse, inbox: Inbox
) -> None:
    house = mailing(make_house, inbox, ThirdParty(FAILING))
    inbox.refuse = "451 greylisted"
    for _ in range(5):
        house.execute()
        settled(house)
        hours_pass(house, 1.1)
    assert len(due(house)) == 1
    inbox.refuse = ""
    try_again(house)
    assert sorted(inbox.to) == ["dev@shop.example", "ops@shop.example"]
    assert "Failed calls since the last mail: 5, the first at" in inbox.text()
    house.execute()
    settled(house)
    assert len(inbox.to) == 2, "the hour begins when the mail was taken"
    hours_pass(house, 1.1)
    house.execute()
    settled(house)
    assert "Failed calls since the last mail: 2, the first at" in inbox.text()


def test_a_mail_that_is_tried_again_counts_what_failed_meanwhile(make_house: MakeHouse, inbox: Inbox) -> None:
    house = mailing(make_house, inbox, ThirdParty(FAILING))
    inbox.refuse = "451 greylisted"
    for _ in range(3):
        house.execute()
        settled(house)
    inbox.refuse = ""
    hours_pass(house, 0.09)
    try_again(house)
    assert len(inbox.to) == 2 and "Failed calls since the last mail: 3, the first at" in inbox.text()
    with house.state() as state:
        assert (state.failures, state.failing_since) == (0, None)


@pytest.mark.sqlite_only("what a mail says is made above the database")
def test_an_address_that_is_refused_alone_does_not_mail_the_others_twice(make_house: MakeHouse, inbox: Inbox) -> None:
    house = mailing(make_house, inbox, ThirdParty(FAILING))
    inbox.refuse_only = "dev@shop.example"
    house.execute()
    settled(house)
    with house.state() as state:
        assert state.mail_error == "550 no such user"
    assert [one.recipients for one in due(house)] == ["dev@shop.example"]
    with house.app.app_context(), writing() as connection:
        connection.execute(update(Alert).values(due_at=0))
    inbox.refuse_only = ""
    try_again(house)
    assert inbox.to == ["ops@shop.example", "dev@shop.example"]


@pytest.mark.parametrize("how", ["421", "drop"])
@pytest.mark.sqlite_only("what a mail says is made above the database")
def test_a_server_that_hangs_up_at_one_address_keeps_no_mail_from_the_others(
    make_house: MakeHouse, inbox: Inbox, how: str
) -> None:
    house = mailing(make_house, inbox, ThirdParty(FAILING))
    if how == "421":
        inbox.refuse_only, inbox.refusal = "ops@shop.example", "421 try later"
    else:
        inbox.hangs_up_at = "ops@shop.example"
    house.execute()
    settled(house)
    assert inbox.to.count("dev@shop.example") == 1
    assert [one.recipients for one in due(house)] == ["ops@shop.example"]


def test_a_mail_that_a_killed_process_did_not_note_comes_again_under_its_message_id(
    make_house: MakeHouse, inbox: Inbox
) -> None:
    house = mailing(make_house, inbox, ThirdParty(answer(500)))
    house.execute()
    settled(house)
    with house.app.app_context(), editing():
        recipients = "ops@shop.example,dev@shop.example"
        db.session.execute(update(Alert).values(state="due", due_at=0, recipients=recipients))
    house.app.extensions["httpstep"].alerts.kick()
    settled(house)
    names = [(mail["To"], mail["Message-ID"]) for mail in inbox.mails]
    assert names[:2] == names[2:] and len(set(names)) == 2
    assert all(name.endswith("@here.example>") for _, name in names)
    assert {mail["Auto-Submitted"] for mail in inbox.mails} == {"auto-generated"}


def test_a_mail_that_was_sent_while_the_database_was_away_is_noted_later_and_comes_once(
    make_house: MakeHouse, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the note is written twice, because the answer to its commit was lost."""
    house = mailing(make_house, inbox, ThirdParty(FAILING))
    whole, asked = alerts._note, list[int]()

    def failing(*given: Any) -> None:
        asked.append(1)
        if len(asked) == 1:
            raise OperationalError("UPDATE", {}, Exception("database is locked"))
        for _ in range(2):
            whole(*given)

    monkeypatch.setattr(alerts, "_note", failing)
    house.execute()
    settled(house)
    assert house.app.extensions["httpstep"].postponed.finish(20) == 0
    assert due(house) == [] and len(asked) == 2
    with house.state() as state:
        assert (state.failures, state.mail_error) == (0, None) and state.last_alert_at is not None
    sent = len(inbox.mails)
    hours_pass(house, 0.5)
    try_again(house)
    assert len(inbox.mails) == sent == len(set(inbox.to))


def test_a_mail_that_is_being_sent_is_not_written_a_second_time(make_house: MakeHouse, inbox: Inbox) -> None:
    """The hour ends while the server takes its time over the mail: the next failure waits for what comes of it."""
    house = mailing(make_house, inbox, ThirdParty(FAILING))
    inbox.refuse = "451 later"
    house.execute()
    settled(house)
    with house.app.app_context(), writing() as connection:
        connection.execute(update(StepState).values(last_alert_at=0))
    house.execute()
    assert len(due(house)) == 1
    with house.app.app_context():
        assert db.session.query(Alert).one().failures == 1, "the first mail stands: it was tried a moment ago"


def test_reset_mail_timeout_while_a_mail_is_sent_leaves_the_hour_free(make_house: MakeHouse, inbox: Inbox) -> None:
    house = mailing(make_house, inbox, ThirdParty(FAILING))
    with house.state() as state:
        step_id = state.step_id
    inbox.on_mail = lambda: reset_now(house, step_id)
    house.execute()
    settled(house)
    inbox.on_mail = None
    assert len(inbox.to) == 2
    with house.state() as state:
        assert state.last_alert_at is None
    house.execute()
    settled(house)
    assert len(inbox.to) == 4


def reset_now(house: House, step_id: int) -> None:
    with house.app.app_context():
        alerts.reset(step_id)


def test_after_a_day_a_mail_is_given_up_and_the_hour_given_back(make_house: MakeHouse, inbox: Inbox) -> None:
    house = mailing(make_house, inbox, ThirdParty(FAILING))
    inbox.refuse = "550 no"
    house.execute()
    settled(house)
    hours_pass(house, 24.5)
    try_again(house)
    assert due(house) == []
    with house.state() as state:
        assert (state.last_alert_at, state.mail_error, state.failures) == (None, "550 no", 1)


def test_a_failed_mail_is_tried_again_by_whatever_comes_next(make_house: MakeHouse, inbox: Inbox) -> None:
    """Also by a success of another step, five minutes later, without anybody asking."""
    house = mailing(make_house, inbox, ThirdParty(FAILING, answer(200, {"a": 1})))
    house.put(document("healthy"))
    inbox.refuse = "451 later"
    house.execute()
    settled(house)
    inbox.refuse = ""
    sender = house.app.extensions["httpstep"].alerts
    sender._looked = 0.0
    house.execute("healthy")
    settled(house)
    assert inbox.to == []
    hours_pass(house, 0.09)
    sender._looked = 0.0
    house.execute("healthy")
    settled(house)
    assert len(inbox.to) == 2


@pytest.mark.sqlite_only("what a mail says is made above the database")
def test_a_mail_of_a_refused_secret_names_neither_it_nor_a_host_that_an_attribute_gave(
    make_house: MakeHouse, inbox: Inbox
) -> None:
    house = mailing(make_house, inbox, ThirdParty(), url="https://{{shop}}/{{secret.crm.token}}")
    with house.app.app_context():
        token = house.app.extensions["httpstep"].vault.encrypt(b"sesame-9942")
        catalogue.put_secret(house.account(), "crm.token", token, hosts=("https://api.example",), now=0, new=True)
    assert house.execute(attributes={"shop": "jane.roe.example"}).json["outcome"] == "invalid_request"
    settled(house)
    assert "What happened: A secret may not be sent to the host of this call; an admin can allow it" in inbox.text()
    assert "roe" not in inbox.text() and "9942" not in inbox.text()
