"""Logs: absent before the first call, then twenty of them, each opened whole, never with a secret."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from html import unescape

import pytest
from sqlalchemy import update

from httpstep.storage.database import writing
from httpstep.storage.tables import Log, StepState
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Browser, Web
from tests.web.screen import ORDER, limit, new_step, open_step, put_secret, web_with

SQLITE_ONLY = "the views of a row, not the row"


def change(web: Web, **values: object) -> None:
    """The machine learns something of the step."""
    with web.house.app.app_context(), writing() as connection:
        connection.execute(update(StepState).values(**values))


@pytest.fixture
def api() -> ThirdParty:
    return ThirdParty(answer(200, ORDER))


@pytest.fixture
def web(make_house: Callable[..., House], api: ThirdParty) -> Web:
    return web_with(make_house, api)


def known(browser: Browser) -> str:
    """What a page that was just loaded has already."""
    return unescape(browser.get("/steps/1/logs").text).split('"have": "')[1].split('"')[0]


def test_there_is_no_log_section_before_the_first_call(web: Web) -> None:
    web.house.put(document())
    bob = web.as_("bob")
    assert "Logs" not in open_step(bob).text
    web.house.execute()
    assert "Logs" in open_step(bob).text and "View" in open_step(bob).text


def test_the_newest_twenty_are_listed(web: Web) -> None:
    web.house.put(document())
    limit(web, 100)
    for _ in range(23):
        web.house.execute()
    page = web.as_("bob").get("/steps/1/logs").text
    assert page.count(">View</a>") == 20 and 'href="/steps/1/logs/23"' in page and 'href="/steps/1/logs/3"' not in page


def test_an_unchanged_list_is_not_sent_again(web: Web) -> None:
    web.house.put(document())
    web.house.execute()
    bob = web.as_("bob")
    have = known(bob)
    assert bob.get(f"/steps/1/logs?have={have}").status_code == 204
    web.house.execute()
    assert bob.get(f"/steps/1/logs?have={have}").status_code == 200


def test_with_the_list_comes_what_else_has_changed_by_itself(web: Web) -> None:
    web.house.put(document(alert_emails=["ops@shop.example"]))
    web.house.execute()
    bob, vera = web.as_("bob"), web.as_("vera")
    have = known(bob)
    change(web, last_alert_at=time.time(), last_alert_to=1)
    mailed = bob.get(f"/steps/1/logs?have={have}")
    assert 'id="mail-status"' in mailed.text and 'id="budget"' not in mailed.text
    assert "drift:changed" not in mailed.headers.get("HX-Trigger", "")
    have = known(bob)
    change(web, drift="{}", drift_at=time.time())
    assert "drift:changed" in bob.get(f"/steps/1/logs?have={have}").headers["HX-Trigger"]
    have = known(bob)
    web.house.execute()
    assert 'id="budget"' in bob.get(f"/steps/1/logs?have={have}").text
    assert 'id="budget"' not in vera.get(f"/steps/1/logs?have={have}").text


def test_view_opens_the_whole_execution_in_the_dialog(web: Web) -> None:
    web.house.put(document())
    answered = web.house.execute(headers={"X-Request-Id": "from-the-bot"}).json
    view = web.as_("bob").htmx("GET", f"/logs/{answered['log_id']}")
    assert json.loads(view.headers["HX-Trigger"]) == {"modal:open": "#modal"}
    for words in (
        "from-the-bot",
        "key default/manage",
        "https://api.example/orders/42",
        "shipped",
        "order.id",
        "Copy as cURL",
        "Run again",
    ):
        assert words in view.text, words


def test_the_same_is_a_page_of_its_own(web: Web) -> None:
    web.house.put(document())
    log = web.house.execute().json["log_id"]
    bob = web.as_("bob")
    page = bob.get(f"/steps/1/logs/{log}")
    assert page.status_code == 200 and "<!doctype html>" in page.text and "shipped" in page.text
    assert bob.get(f"/steps/new/logs/{log}").status_code == 404


def test_previous_and_next_lead_through_the_steps_own_logs(web: Web) -> None:
    web.house.put(document("one"))
    web.house.put(document("two"))
    logs = [web.house.execute(key).json["log_id"] for key in ("one", "two", "one")]
    view = web.as_("bob").get(f"/logs/{logs[2]}").text
    assert f'hx-get="/logs/{logs[0]}"' in view and f'hx-get="/logs/{logs[1]}"' not in view


def test_a_failure_is_a_sentence_with_advice(web: Web, api: ThirdParty) -> None:
    api.answers = [answer(401, {"message": "Token expired"})]
    web.house.put(document())
    log = web.house.execute().json["log_id"]
    view = web.as_("bob").get(f"/logs/{log}").text
    assert "The API answered 401 Unauthorized: Token expired" in view
    assert "Check the credentials under Authentication." in view and "Stop Executing Further Steps" in view


def test_no_secret_stands_in_a_log_or_its_curl_line(web: Web) -> None:
    put_secret(web, "CRM", "s3cr3t-value")
    web.house.put(document(auth={"type": "bearer", "token": "{{secret.CRM}}"}))
    log = web.house.execute().json["log_id"]
    view = web.as_("bob").get(f"/logs/{log}").text
    assert "s3cr3t-value" not in view and "Bearer ••••" in view


def test_an_interrupted_call_says_so(web: Web) -> None:
    web.house.put(document())
    web.house.execute()
    with web.house.app.app_context(), writing() as connection:
        connection.execute(update(Log).values(state="running", outcome=None, started_at=time.time() - 100))
    bob = web.as_("bob")
    assert "Interrupted" in bob.get("/steps/1/logs").text and "Interrupted" in bob.get("/logs/1").text


def test_logs_of_another_account_are_not_there(web: Web) -> None:
    web.house.put(document())
    log = web.house.execute().json["log_id"]
    charlie = web.as_("charlie")
    for path in (f"/logs/{log}", f"/steps/1/logs/{log}", f"/steps/new/logs/{log}", f"/steps/1/tree?log={log}"):
        assert charlie.get(path).status_code == 404, path
    assert "shipped" not in charlie.get(f"/steps/new/tree?log={log}").text


def test_a_drafts_tests_are_its_logs_and_become_the_steps(web: Web) -> None:
    screen = new_step(web.as_("bob")).press("test")
    assert "Logs" in screen.text
    screen.press("save")
    assert "Logs" in screen.text and len(web.house.logs()) == 1


def test_run_again_fills_in_the_values_of_that_call(web: Web) -> None:
    web.house.put(document())
    log = web.house.execute(attributes={"order.id": "0042"}).json["log_id"]
    screen = open_step(web.as_("bob"))
    screen.show(screen.browser.get(f"/steps/1?again={log}"), "/steps/1")
    assert screen.get("value:order.id") == "0042"


def test_run_again_fills_in_nothing_that_the_call_did_not_have(web: Web, api: ThirdParty) -> None:
    """Neither a sample nor what another test had, on the page of a log and in a test that names the log."""
    web.house.put(document(url="https://api.example/{{order.id}}/{{channel}}", missing_attributes="empty"))
    bob = web.as_("bob")
    bob.post("/attributes", {"name": "channel", "sample": "sample", "in_bot": "on"})
    log = web.house.execute(attributes={"order": {"id": "0042"}}).json["log_id"]
    open_step(bob).fill(**{"value__order.id": "other", "value__channel": "other"}).press("test")
    screen = open_step(bob)
    tested = screen.fragment("test", again=str(log))
    assert tested.status_code == 200 and [one.url for one in api.requests[-2:]] == [
        "https://api.example/other/other", "https://api.example/0042/",
    ]  # fmt: skip
    assert 'name="value:order.id" value="0042"' in tested.text and 'name="value:channel" value=""' in tested.text
    screen.show(bob.get(f"/steps/1?again={log}"), "/steps/1")
    assert (screen.get("value:order.id"), screen.get("value:channel")) == ("0042", "")
    web.house.put(document("another"))
    foreign = open_step(bob, 2).set("value:order.id", "mine").fragment("test", again=str(log))
    assert foreign.status_code == 200 and api.requests[-1].url.endswith("/mine"), "the log of another step"


def test_the_sentence_of_an_api_ends_before_the_advice_begins(make_house: Callable[..., House]) -> None:
    web = web_with(make_house, ThirdParty(answer(404, {"message": "no such order"}), answer(404, {"message": "Gone!"})))
    web.house.put(document())
    for log, expected in enumerate(
        ("no such order.</strong><p>Check the URL", "Gone!</strong><p>Check the URL"), start=1
    ):
        web.house.execute()
        assert expected in web.as_("bob").get(f"/steps/1/logs/{log}").text


def test_run_again_on_the_page_of_a_log_says_to_press_test(web: Web) -> None:
    web.house.put(document())
    web.house.execute(attributes={"order.id": 77})
    told = "The values of that call are filled in. Press Test to run it again."
    bob = web.as_("bob")
    again = bob.get("/steps/1?again=1").text
    assert told in again and 'value="77"' in again
    assert told not in bob.get("/steps/1").text + web.as_("vera").get("/steps/1?again=1").text


# ---------------------------------------------------------------- two calls compared


def test_two_calls_are_compared_in_request_answer_and_mapping(make_house: Callable[..., House]) -> None:
    web = web_with(make_house, ThirdParty(answer(200, {"a": "old", "same": 1}), answer(200, {"a": "new", "same": 1})))
    web.house.put(document(url="https://api.example/{{id}}", mapping=[{"path": ["a"], "attribute": "word"}]))
    for number in (1, 2):
        web.house.execute(attributes={"id": number})
    bob = web.as_("bob")
    for address in ("/logs/2/compare?with=1", "/steps/1/logs/1/compare?with=2"):
        page = bob.get(address).text
        lines = re.findall(r'<li(?: class="(\w+)")?>(?:<span[^>]*>[^<]*</span>)?([^<]*)</li>', page)
        assert ("out", "GET https://api.example/1") in lines and ("in", "GET https://api.example/2") in lines
        assert ("out", "word = &#34;old&#34;") in lines and ("in", "word = &#34;new&#34;") in lines
        assert any(kind == "" and "same" in text for kind, text in lines)
    same = bob.get("/logs/1/compare?with=1").text
    assert same.count("The same in both.") == 3
    assert 'value="1"' in bob.get("/logs/2").text and 'name="with"' in bob.get("/logs/2").text


def test_hidden_values_are_not_called_the_same(web: Web) -> None:
    for key in ("the-wrong-key", "the-right-key"):
        web.house.put(document(headers=[{"name": "X-API-Key", "value": key}]))
        web.house.execute()
    page = web.as_("bob").get("/logs/2/compare?with=1").text
    assert "X-API-Key" not in page and page.count("The same in both, as far as it is shown: hidden values") == 1
    assert "are not compared" in page and page.count("The same in both.") == 2


def test_a_test_of_the_draft_is_compared_with_a_later_call_of_the_step(web: Web) -> None:
    bob = web.as_("bob")
    new_step(bob).press("test").press("save")
    open_step(bob).press("test")
    page = bob.get("/logs/2/compare?with=1")
    assert page.status_code == 200 and "Two calls compared" in page.text and 'value="1" selected' in page.text
    assert page.text.count("order.id = 42") >= 2, "each says the values it came with"


def test_calls_of_two_steps_cannot_be_compared(web: Web) -> None:
    for key in ("one", "two"):
        web.house.put(document(key))
        web.house.execute(key)
    bob = web.as_("bob")
    assert [bob.get(f"/logs/1/compare?with={other}").status_code for other in ("2", "99", "x", "")] == [404] * 4
    assert bob.get("/steps/2/logs/1/compare?with=1").status_code == 404


def values_of(page: str) -> list[str]:
    return [unescape(cell) for cell in re.findall(r'<td class="log-values"[^>]*>([^<]*)</td>', page)]


def test_a_row_says_the_values_its_call_came_with_those_of_the_request_first(web: Web) -> None:
    web.house.put(document(url="https://shop.example/orders/{{order.id}}?for={{customer.id}}"))
    for number in (4711, 4712):
        web.house.execute(
            attributes={"channel": "web", "customer": {"id": 1.10, "name": "Ana"}, "order.id": str(number)}
        )
    web.house.execute(attributes={"order.id": "x" * 100, "customer.id": "a\nb", "transcript": "z" * 20000})
    page = web.as_("bob").get("/steps/1/logs").text
    assert values_of(page) == [
        f"order.id = {'x' * 40}…, customer.id = a\nb",
        "order.id = 4712, customer.id = 1.1, channel = web",
        "order.id = 4711, customer.id = 1.1, channel = web",
    ]
    assert "order.id = 4711" in unescape(web.as_("bob").get("/steps/1/logs/2").text.split('name="with"')[1])


def test_no_row_says_what_the_view_of_its_call_masks(web: Web) -> None:
    put_secret(web, "TOKEN", "sesame-open-4711")
    web.house.put(
        document(
            url="https://shop.example/orders/{{order.id}}", headers=[{"name": "X-Token", "value": "{{secret.TOKEN}}"}]
        )
    )
    web.house.execute(attributes={"order.id": "sesame-open-4711", "sesame-open-4711": {"id": "in sesame-open-4711"}})
    for person in ("bob", "vera"):
        page = web.as_(person).get("/steps/1/logs").text
        assert "order.id = ••••" in page and "sesame" not in page
