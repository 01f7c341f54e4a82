"""Nobody is sent to themselves: where the operator can act, an operator is told what to do and everybody else whom to ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from httpstep.alerts import mailserver
from httpstep.extensions import db
from httpstep.storage.database import editing
from httpstep.storage.tables import User
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Browser, Web
from tests.web.screen import limit, open_step, web_with

SQLITE_ONLY = "who is told what is decided above the database"
OPERATOR, EDITOR = "alice", "bob"


@pytest.fixture
def web(make_house: Callable[..., House]) -> Web:
    """Mail is off in it. Its step has an alert address, and its flow runs the step."""
    web = web_with(make_house, ThirdParty(answer(500)))
    web.house.put(document(url="https://api.example/", alert_emails=["a@shop.example"]))
    web.house.flow("order-status")
    return web


def over_the_budget(browser: Browser) -> str:
    return open_step(browser).press("test").fragment("test").text


def over_the_budget_of_a_flow(browser: Browser) -> str:
    open_step(browser).press("test")
    sent = {"name": "Flow", "step": ["1"], "when": [""], "attribute": [""], "value": [""]}
    return browser.post("/flows/1/test", sent).text


def failed_test(browser: Browser) -> str:
    return open_step(browser).press("test").html


def alert_of_a_failed_test(browser: Browser) -> str:
    return open_step(browser).press("test").press("alert").html


def limits(browser: Browser) -> str:
    return browser.get("/settings/account").text


def from_elsewhere(browser: Browser) -> str:
    return browser.post("/attributes", {"name": "a"}, headers={"Origin": "https://elsewhere.example"}).text


@pytest.mark.parametrize(
    ("see", "words"),
    [
        (over_the_budget, "You can allow more under"),
        (over_the_budget_of_a_flow, "or allow more under"),
        (failed_test, "mail is off, because HTTPSTEP_SMTP_URL is not set"),
        (alert_of_a_failed_test, "Mail is off: HTTPSTEP_SMTP_URL is not set."),
        (limits, "You can change the limits under"),
        (from_elsewhere, "you can mend it: HTTPSTEP_BASE_URL"),
    ],
)
def test_an_operator_is_told_what_to_do(web: Web, see: Callable[[Browser], str], words: str) -> None:
    limit(web, 1)
    shown = see(web.as_(OPERATOR))
    assert words in shown and "the operator" not in shown.lower()
    limit(web, 2)
    shown = see(web.as_(EDITOR))
    assert words not in shown and "the operator" in shown.lower()


@pytest.mark.parametrize("see", [failed_test, alert_of_a_failed_test])
def test_who_runs_no_server_reads_of_no_variable(web: Web, see: Callable[[Browser], str]) -> None:
    shown = see(web.as_(EDITOR))
    assert "e-mail is not set up on this server" in shown and "HTTPSTEP_" not in shown
    with web.house.app.app_context():
        said = mailserver.send(web.house.app, ["a@shop.example"], "Subject", "Text")
    assert said == {"a@shop.example": "E-mail is not set up on this server."}  # kept, and read by all


def test_on_the_page_of_mail_an_admin_is_told_who_turns_it_on(web: Web) -> None:
    assert "Set HTTPSTEP_SMTP_URL and" in (own := web.as_(OPERATOR).get("/settings/mail").text)
    assert "operator" not in own.replace("alice@example.com", "").replace("admin, operator", "").lower()
    with web.house.app.app_context(), editing():
        more = {"role": "admin", "operator": False, "created_at": 0.0, "password_hash": "x"}
        db.session.add(User(account_id=web.house.account(), email="ada@example.com", **more))
    assert web.as_("ada").get("/settings/mail").text.count("The operator ") == 2


def test_who_reads_of_a_fault_of_ours_is_told_where_its_reason_is(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("boom")

    monkeypatch.setattr("httpstep.core.outcome.record.record_of", broken)
    for name, finder in ((OPERATOR, "You find"), (EDITOR, "The operator finds")):
        words = f"httpstep itself failed. {finder} the reason in the application&#39;s log."
        browser = web.as_(name)
        assert words in open_step(browser).fragment("test").text
        assert words in browser.get(f"/steps/1/logs/{web.house.logs()[0]['id']}").text
