"""Test: a real call with the form as it is on the screen, and everything that is shown of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from httpstep.core.errors import NetworkError, TimedOut
from httpstep.extensions import db
from httpstep.storage.database import editing
from httpstep.storage.tables import Alert
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.mailbox import Inbox
from tests.web.conftest import Web
from tests.web.screen import ORDER, Screen, limit, new_step, open_step, put_secret, web_with

SQLITE_ONLY = "what is sent and shown is decided above the database"
Make = Callable[..., House]


def after_test(make_house: Make, *answers: Any, **more: str) -> tuple[Web, ThirdParty, Screen]:
    """The editor of a new step after one press on Test."""
    api = ThirdParty(*answers)
    web = web_with(make_house, api)
    return web, api, new_step(web.as_("bob"), **more).press("test")


def test_it_tests_the_form_as_typed_without_saving(make_house: Make) -> None:
    web, api, screen = after_test(make_house, answer(200, ORDER))
    assert api.requests[0].url == "https://api.example/orders/42"
    assert "200 OK" in screen.text and "JSON" in screen.text
    assert web.house.call("GET", "/steps").json == {"steps": []}


def test_an_unsaved_change_of_a_saved_step_is_what_is_tested(make_house: Make) -> None:
    api = ThirdParty(answer(200, ORDER))
    web = web_with(make_house, api)
    web.house.put(document())
    open_step(web.as_("bob")).fill(url="https://api.example/other", method="POST").press("test")
    assert (api.requests[0].method, api.requests[0].url) == ("POST", "https://api.example/other")
    assert web.house.call("GET", "/steps/order-status").json["request"]["method"] == "GET"


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("42", b"42"), ("true", b"true"), ("null", b"null"), ('{"b": [1]}', b'{"b":[1]}'), ('"42"', b'"42"'), ("1.10", b"1.10"), ("Ada", b'"Ada"'), ("0049", b'"0049"')],
)  # fmt: skip
def test_values_for_test_are_json_where_they_are_written_as_json(make_house: Make, typed: str, sent: bytes) -> None:
    api = ThirdParty()
    web = web_with(make_house, api)
    screen = new_step(web.as_("bob"), url="https://api.example/")
    screen.fill(method="POST", body_mode="json").set("json_text", '{"a": {{v}}}').set("value:v", typed).press("test")
    assert api.requests[0].body == b'{"a": ' + sent + b"}"
    assert screen.get("value:v") == typed


def test_there_is_an_input_for_each_attribute_filled_with_its_sample(make_house: Make) -> None:
    web = web_with(make_house, ThirdParty())
    web.as_("alice").post("/attributes", {"name": "user.name", "sample": "Ada", "default": ""})
    screen = new_step(web.as_("bob"), url="https://api.example/{{user.name}}/{{other}}").press("add_header")
    assert [name for name, _ in screen.fields if name.startswith("value:")] == ["value:user.name", "value:other"]
    assert "New name: your bot has to send it with each call." in screen.text


def test_a_name_that_other_steps_ask_for_is_not_called_new(make_house: Make) -> None:
    web = web_with(make_house, ThirdParty())
    web.house.put(document("first", url="https://api.example/{{order_number}}"))
    screen = new_step(web.as_("bob"), url="https://api.example/{{order_number}}").press("add_header")
    assert "Other steps ask for it too: your bot has to send it with each call." in screen.text
    assert "New name" not in screen.text and "Keep this name for other steps" in screen.text
    screen.set("url", "https://api.example/{{order_number}}/{{city}}").press("add_header")
    assert (
        "New name: your bot has to send it with each call." in screen.text and screen.html.count("new-names-hint") == 2
    )
    assert "Keep 2 names for other steps" in screen.text


def test_a_value_that_is_lacking_is_marked_nothing_is_sent_and_no_log_is_kept(make_house: Make) -> None:
    api = ThirdParty()
    web = web_with(make_house, api)
    screen = new_step(web.as_("bob")).set("value:order.id", "").press("test")
    assert "Give a value to test with." in screen.text and 'aria-invalid="true"' in screen.html
    assert api.requests == [] and 'id="h-logs"' not in screen.html


def test_the_answer_is_shown_as_tree_text_headers_and_the_request_as_sent(make_house: Make) -> None:
    _, _, screen = after_test(make_house, answer(200, ORDER, X_Trace="t-1"))
    assert 'data-node="$[&#39;data&#39;][&#39;customer&#39;][&#39;name&#39;]"' in screen.html
    assert "X-Trace" in screen.text and "GET https://api.example/orders/42" in screen.text
    assert '"status": "shipped"' in screen.text
    for view in ("Map", "Body", "Headers", "Request sent", "Your bot"):
        assert f">{view}</button>" in screen.html


def test_no_secret_is_shown_wherever_the_api_repeats_it(make_house: Make) -> None:
    secret = "s3cr3t-value"
    api = ThirdParty(lambda request: answer(200, {"you sent": dict(request.headers), secret: [secret]}))
    web = web_with(make_house, api)
    put_secret(web, "CRM", secret)
    screen = (
        new_step(web.as_("bob")).add("header_name", "X-Note").add("header_value", "id={{secret.CRM}}").press("test")
    )
    assert dict(api.requests[0].headers)["X-Note"] == f"id={secret}"
    assert secret not in screen.html and "••••" in screen.text
    fragment = screen.fragment("test")
    assert fragment.status_code == 200 and secret not in fragment.text


def test_an_answer_that_is_not_json_says_so_letter_for_letter_and_shows_what_came(make_house: Make) -> None:
    page = answer(200, text="<!doctype html><title>Sign in</title>", Content_Type="text/html")
    _, _, screen = after_test(make_house, page)
    assert "Response Mapping Not Done, Only JSON can be mapped as Response" in screen.text
    assert "Received HTML: Sign in." in screen.text
    assert "&lt;title&gt;Sign in" in screen.html


def test_a_failed_test_shows_message_advice_and_fallback(make_house: Make) -> None:
    api = ThirdParty(answer(404, {"error": "No such order"}))
    web = web_with(make_house, api)
    screen = new_step(web.as_("bob")).fill(fallback="continue").press("test")
    assert "404 Not Found" in screen.text and "The API answered 404 Not Found: No such order" in screen.text
    assert "Check the URL, and the values inserted into it." in screen.text
    assert "In a live call your bot would do this: Continue Further Steps" in screen.text
    assert screen.all("rule") == [], "a 404's JSON is not mapped"


@pytest.mark.parametrize(
    ("mapping", "gets", "gives"),
    [
        ([{"path": ["status"], "attribute": "status"}],
         "It would get no value, and keep what it had in this conversation.", {}),
        ([{"path": ["status"], "attribute": "status", "default": "unknown"}],
         "It would get status.", {"status": "unknown"}),
        ([{"path": ["status"], "attribute": "status", "default": "unknown"}, {"path": ["total"], "attribute": "total"}],
         "It would get status, and keep what else it had in this conversation.", {"status": "unknown"}),
        ([{"call": "status", "attribute": "code"}, {"path": ["total"], "attribute": "total"}],
         "It would get code, and keep what else it had in this conversation.", {"code": 404}),
    ],
)  # fmt: skip
def test_a_failed_test_says_what_the_bot_would_get_and_that_is_what_it_gets(
    make_house: Make, mapping: list[dict[str, Any]], gets: str, gives: dict[str, Any]
) -> None:
    web = web_with(make_house, ThirdParty(answer(404, {"error": "No such order"})))
    web.house.put(document(url="https://api.example/", mapping=mapping))
    screen = open_step(web.as_("bob")).press("test")
    assert gets in screen.text
    assert web.house.execute().json["attributes"] == gives
    assert gets.replace("would get", "got").replace(" keep ", " keeps ") in web.as_("bob").get("/steps/1/logs/2").text


@pytest.mark.parametrize(
    ("got", "is_said"),
    [
        ({"items": [{"sku": "A-1"}, {"sku": "B-2"}]}, True),
        ({"items": [{"sku": "A-1" * 5000}, {"sku": "B-2"}]}, True),
        ({"orders": [{"items": [{"sku": "A-1"}, {"sku": "B-2"}]}]}, True),
        ({"items": [{"sku": "A-1"}]}, False),
        ({"items": []}, False),
        ({"status": "[0]", "a[0]": 1, "b'][0]": 2, "c][0]['d": 3}, False),
    ],
)
def test_that_only_the_first_item_of_a_list_was_mapped_is_said(make_house: Make, got: Any, is_said: bool) -> None:
    _, _, screen = after_test(make_house, answer(200, got))
    assert "200 OK" in screen.text
    assert ("Of a list your bot gets the first item." in screen.text) is is_said


def test_missing_is_said_of_a_success_alone(make_house: Make) -> None:
    """After a good answer that lacks a value, and not after a failed one, in which nothing is looked for."""
    web = web_with(make_house, ThirdParty(answer(200, ORDER), answer(500, {})))
    rules = [{"path": ["data", name], "attribute": name} for name in ("status", "nowhere")]
    web.house.put(document(url="https://api.example/", mapping=rules))
    screen = open_step(web.as_("bob")).press("test")
    assert "Not in this answer: nowhere" in screen.text
    screen.press("save").press("test")
    assert "500 " in screen.text and "Not in this answer" not in screen.text


@pytest.mark.parametrize(
    ("error", "words"),
    [(TimedOut("No answer within 60 seconds.", reason="timeout_waiting"), "Timeout"), (NetworkError("The name is not known.", reason="dns"), "No connection")],
)  # fmt: skip
def test_a_call_without_an_answer_says_why(make_house: Make, error: Exception, words: str) -> None:
    _, _, screen = after_test(make_house, error)
    assert words in screen.text and str(error) in screen.text and "No answer came" in screen.text


def test_a_form_that_is_not_right_is_not_tested(make_house: Make) -> None:
    api = ThirdParty()
    web = web_with(make_house, api)
    screen = new_step(web.as_("bob"), url="nonsense")
    assert screen.fragment("test").status_code == 422
    answered = screen.fragment("test").text
    assert "The form is not right yet" in answered and 'id="at-request-url-error"' in answered
    assert screen.press("test").status == 422
    assert api.requests == []


def test_a_test_needs_no_name(make_house: Make) -> None:
    api = ThirdParty()
    web = web_with(make_house, api)
    assert new_step(web.as_("bob"), name="").press("test").status == 200
    assert len(api.requests) == 1


def test_over_the_budget_no_call_is_made_and_the_wait_is_told(make_house: Make) -> None:
    api = ThirdParty()
    web = web_with(make_house, api)
    limit(web, 2)
    screen = new_step(web.as_("bob"), url="https://api.example/")
    assert "Real call. Uses 1 of 2 requests this minute. 1 left." in screen.press("test").text
    screen.press("test")
    refused = screen.fragment("test")
    assert refused.status_code == 429 and len(api.requests) == 2
    assert "Rate Limit Exceeded" in refused.text and "2 requests per minute per account." in refused.text
    assert "operator" in refused.text and 'data-enables="#test-btn"' in refused.text
    assert refused.headers["HX-Retarget"] == "#rate-limited" and 'id="test-result"' not in refused.text
    assert screen.press("test").status == 429 and "Rate Limit Exceeded" in screen.text


def test_over_the_budget_the_plain_page_keeps_the_answer(make_house: Make) -> None:
    web = web_with(make_house, ThirdParty(answer(200, ORDER)))
    limit(web, 1)
    screen = new_step(web.as_("bob")).press("test").press("test")
    assert screen.status == 429 and "Rate Limit Exceeded" in screen.text
    assert "The answer of an earlier test, with order.id=42" in screen.text and "Ada Lovelace" in screen.text


def test_faults_of_a_test_do_not_speak_of_saving(make_house: Make) -> None:
    screen = new_step(web_with(make_house, ThirdParty()).as_("bob"), url="nonsense").press("test")
    assert screen.status == 422 and "Fix this before testing" in screen.text
    assert "Fix this before saving" in screen.press("save").text


def test_the_fragment_brings_mapping_banner_logs_and_budget_along(make_house: Make) -> None:
    web = web_with(make_house, ThirdParty(answer(200, ORDER)))
    text = new_step(web.as_("bob")).fragment("test").text
    assert text.lstrip().startswith('<div id="test-result"')
    for name in ("mapping", "drift-banner", "logs", "budget"):
        assert f'id="{name}"' in text and 'hx-swap-oob="true"' in text.split(f'id="{name}"')[1].split(">")[0]


# ---------------------------------------------------------------- the alert of a failed test


def mailing(make_house: Make, user: str = "bob", port: int = 1, **members: Any) -> tuple[Web, Screen]:
    """A failed test of a step whose mails go to the server at that port; nobody listens at port 1."""
    mail = {"SMTP_URL": f"smtp://127.0.0.1:{port}", "MAIL_FROM": "steps@shop.example"}
    web = web_with(make_house, ThirdParty(answer(500, {})), **mail)
    web.house.put(document(**{"alert_emails": ["ops@shop.example"]} | members))
    return web, open_step(web.as_(user)).set("value:order.id", "42").press("test")


def test_a_failed_test_mails_nobody_by_itself(make_house: Make) -> None:
    web, screen = mailing(make_house)
    assert "Send this alert now" in screen.text
    with web.house.state() as state:
        assert state.last_alert_at is None


def test_send_this_alert_now_uses_the_same_hour(make_house: Make, inbox: Inbox) -> None:
    web, screen = mailing(make_house, port=inbox.port)
    assert "The mail server took the alert for 1 address." in screen.press("alert").text
    assert "Last alert" in screen.text and "Not delivered" not in screen.text
    with web.house.state() as state:
        assert state.last_alert_at is not None
    assert "An alert was sent within the last hour." in screen.press("alert").text


def test_an_alert_that_nobody_got_is_not_said_to_be_sent(make_house: Make, caplog: pytest.LogCaptureFixture) -> None:
    _, screen = mailing(make_house)
    for _ in range(2):
        screen.press("alert")
        why = "The mail server refused the connection."
        assert f"The alert is not delivered yet: {why} It is tried again in 5 minutes." in screen.text
        assert f"Last mail failed: {why} Not delivered yet to 1 address. Next try at" in screen.text
        assert "Last alert" not in screen.text and "Errno" not in screen.text
        assert "on its way" not in screen.text and "within the last hour" not in screen.text
    [line] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert line == f"mail for 1 of 1 addresses was not taken: {why}"


def test_an_alert_that_waits_is_sent_now_when_somebody_asks_for_it(make_house: Make, inbox: Inbox) -> None:
    inbox.refuse = "451 come again"
    web, screen = mailing(make_house, port=inbox.port)
    assert "not delivered yet: 451 come again." in screen.press("alert").text
    inbox.refuse = ""
    with web.house.app.app_context(), editing():
        db.session.execute(update(Alert).values(due_at=Alert.due_at - 60))  # a minute later, before the next try
    assert "The mail server took the alert for 1 address." in screen.press("alert").text
    assert len(inbox.mails) == 1


def test_an_alert_that_one_of_two_got_says_both(
    make_house: Make, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.refuse_only = "dev@shop.example"
    _, screen = mailing(make_house, port=inbox.port, alert_emails=["ops@shop.example", "dev@shop.example"])
    screen.press("alert")
    assert "Last mail failed: 550 no such user. Not delivered yet to 1 address." in screen.text
    assert re.search(r"Last alert .* to 1 address\.", screen.text)
    assert "mail for 1 of 2 addresses was not taken: the mail server answered 550" in caplog.text
    assert "shop.example" not in caplog.text


def test_an_alert_needs_an_address_and_a_failure(make_house: Make) -> None:
    _, screen = mailing(make_house, user="alice")
    assert "Enter at least one alert address first." in screen.fill(alert_emails="").press("alert").text
    assert (
        "Nothing was sent, because the form is not right: “nobody”"
        in screen.fill(alert_emails="nobody").press("alert").text
    )
    screen.fill(alert_emails="a@b.example", tested_log="")
    assert "The last test did not fail" in screen.press("alert").text


def test_an_editor_is_told_who_can_enter_the_address_an_alert_needs(make_house: Make) -> None:
    _, screen = mailing(make_house, alert_emails=[])
    assert "An admin of your account has to enter an alert address first." in screen.press("alert").text


def test_the_hour_of_alerts_is_reset_only_where_mail_is_on(make_house: Make) -> None:
    _, screen = mailing(make_house)
    assert "Reset Mail Timeout" in screen.html


def test_without_a_mail_server_mail_is_said_to_be_off_and_nothing_is_reset(make_house: Make) -> None:
    web = web_with(make_house, ThirdParty())
    web.house.put(document())
    screen = open_step(web.as_("bob"))
    assert "Mail is off" in screen.text and "Reset Mail Timeout" not in screen.html


# ---------------------------------------------------------------- what the panel says


def test_a_missing_attribute_points_to_the_values_for_test(make_house: Make) -> None:
    _, api, screen = after_test(make_house)
    screen.fill(**{"value:order.id": ""})
    assert "Give a value to test with." in screen.press("test").text
    told = screen.press("preview").text
    assert "Enter a value under Values for test. In a live call your bot has to send it" in told
    assert "Send the attribute with the call" not in screen.text and len(api.requests) == 1


def test_why_no_alert_can_be_sent_yet_stands_beside_the_button(make_house: Make) -> None:
    mail = {"SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "steps@shop.example"}
    web = web_with(make_house, ThirdParty(answer(500, {})), **mail)
    screen = new_step(web.as_("bob")).press("test")
    assert "Send this alert now Save the step first: an alert belongs to a saved step." in screen.text


def test_no_alert_is_offered_while_mail_is_off(make_house: Make) -> None:
    web = web_with(make_house, ThirdParty(answer(500, {})))
    web.house.put(document(alert_emails=["ops@shop.example"]))
    off = open_step(web.as_("bob")).set("value:order.id", "42").press("test").text
    assert "No alert can be sent: mail is off" in off and "Send this alert now" not in off
    page = web.as_("alice").get("/settings/mail").text
    assert "No test can be sent while mail is off" in page and "Send test e-mail" not in page


def test_nothing_is_said_of_mail_that_is_off_where_nobody_would_get_any(make_house: Make) -> None:
    web = web_with(make_house, ThirdParty(answer(500, {})))
    web.house.put(document(alert_emails=[]))
    told = open_step(web.as_("bob")).set("value:order.id", "42").press("test").text
    assert "In a live call your bot would do this" in told and "Tested with order.id = 42" in told
    assert "No alert can be sent" not in told and "mails nobody" not in told


@pytest.mark.parametrize("user", ["bob", "alice"])
def test_no_alert_is_offered_without_an_address(make_house: Make, user: str) -> None:
    _, screen = mailing(make_house, user=user, alert_emails=[])
    assert "No alert can be sent: there is no address under Alert e-mails" in screen.text
    assert "Send this alert now" not in screen.text
    assert ("where an admin of your account enters one" in screen.text) == (user == "bob")


def test_the_panel_says_what_retries_may_use(make_house: Make) -> None:
    _, _, screen = after_test(make_house)
    assert "with retries" not in screen.text
    used = {}
    for method in ("GET", "POST"):
        for unsafe in (None, "1"):
            screen.fill(method=method, retries="2").set("retry_unsafe", unsafe)
            used[method, unsafe] = "minute, up to 3 with retries." in screen.fragment("budget").text
    assert used == {("GET", None): True, ("GET", "1"): True, ("POST", None): False, ("POST", "1"): True}
    assert "Uses 1 of 10 requests this minute, up to 2 with retries." in screen.fill(retries="1").press("preview").text
