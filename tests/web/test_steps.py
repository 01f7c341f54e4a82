"""/steps and the step editor: what is typed is saved, or comes back as it was typed with a sentence at its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy.exc import OperationalError

from httpstep.storage import catalogue, deleting, logs, steps
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.mailbox import Inbox, settled
from tests.web.conftest import Web
from tests.web.screen import ORDER, new_step, open_step, web_with


@pytest.fixture
def web(make_house: Callable[..., House]) -> Web:
    return web_with(make_house, ThirdParty(answer(200, ORDER)))


def stored(web: Web, key: str = "order-status") -> dict[str, Any]:
    return dict(web.house.call("GET", f"/steps/{key}").json)


# ---------------------------------------------------------------- the list


@pytest.mark.sqlite_only("the page of nothing is the same")
def test_an_account_without_steps_is_told_what_a_step_is(web: Web) -> None:
    page = web.as_("bob").get("/steps").text
    assert "No steps yet" in page and "A step lets your bot call an HTTP API." in page
    assert "New step" in page and "Paste a cURL command" in page


def test_the_search_finds_by_name_key_and_address(web: Web) -> None:
    web.house.put(document("one", name="Find the order"))
    web.house.put(document("two", name="Another", url="https://crm.example/people"))
    bob = web.as_("bob")
    assert [("Find the order" in page, "Another" in page) for page in (
        bob.get("/steps/list?q=ORDER").text, bob.get("/steps/list?q=crm.example").text, bob.get("/steps/list?q=zzz").text
    )] == [(True, False), (False, True), (False, False)]  # fmt: skip
    assert "Nothing found" in bob.get("/steps?q=zzz").text


# ---------------------------------------------------------------- saving


def test_a_new_step_is_saved_and_gets_its_key_from_its_name(web: Web) -> None:
    screen = new_step(web.as_("alice")).fill(alert_emails="ops@shop.example, help@shop.example")
    screen.add("header_name", "X-Channel").add("header_value", "{{channel}}")
    screen.press("save")
    assert (screen.status, screen.path) == (200, "/steps/1")
    saved = stored(web)
    assert saved["request"]["headers"] == [{"name": "X-Channel", "value": "{{channel}}"}]
    assert saved["alert_emails"] == ["ops@shop.example", "help@shop.example"]
    assert (saved["enabled"], saved["follow_redirects"], saved["fallback"]) == (True, True, "stop")
    assert "mapping" not in saved


def test_every_member_of_a_step_survives_opening_and_saving(web: Web) -> None:
    full = document(
        name="Full", method="POST", headers=[{"name": "A", "value": "{{b}}"}],
        auth={"type": "api_key", "name": "X-Key", "value": "{{secret.K}}", "in": "query"},
        body={"mode": "json", "fields": [{"name": "q", "value": "1"}], "send_fields_in": "body", "text": '{"a": "{{b}}"}\n', "content_type": "text/csv"},
        missing_attributes="empty", success_statuses="200, 404", timeout=7.5, follow_redirects=False, retries=2, retry_unsafe=True,
        mapping=[
            {"path": ["data", 0, "it's"], "attribute": "a", "take": "all", "convert": "text", "default": None, "on": False},
            {"jsonpath": "$.items[?@.sku=='a'].price", "attribute": "b", "take": "last", "convert": "none", "default": "42", "on": True},
            {"call": "header:ETag", "attribute": "c", "take": "one", "convert": "none", "default": "", "on": True},
        ],
        dictionaries=[["rates"], ["items", "*", "rates"]], fallback="continue", alert_emails=["a@b.example"], alert_on_drift=True, enabled=False,
    )  # fmt: skip
    web.house.put(full)
    before = stored(web)
    screen = open_step(web.as_("bob")).press("save")
    assert screen.status == 200
    assert stored(web) == before


def test_a_step_whose_tests_could_not_be_kept_is_not_saved_without_them(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads that the database was away presses Save again, and must not get a second step."""
    screen, keep = new_step(web.as_("alice")), logs.adopt
    with monkeypatch.context() as away:
        away.setattr(logs, "adopt", Mock(side_effect=OperationalError("UPDATE", {}, Exception("database is locked"))))
        screen.press("save")
    assert logs.adopt is keep and web.house.call("GET", "/steps").json["steps"] == []
    new_step(web.as_("alice")).press("save")
    assert [step["key"] for step in web.house.call("GET", "/steps").json["steps"]] == ["order-status"]


@pytest.mark.sqlite_only("refused above the database")
def test_a_form_that_is_not_right_comes_back_as_typed_with_a_sentence_at_each_place(web: Web) -> None:
    screen = new_step(web.as_("alice"), url="ftp://x y").fill(
        name="", timeout="soon", alert_emails="a@b.example, nobody, a@b.example"
    )
    screen.add("header_name", "Bad Name").add("header_value", "{{7*7}}")
    screen.press("save")
    assert screen.status == 422
    assert screen.get("url") == "ftp://x y" and screen.get("timeout") == "soon"
    assert screen.all("header_name") == ["Bad Name"] and screen.all("header_value") == ["{{7*7}}"]
    assert screen.get("alert_emails") == "a@b.example, nobody, a@b.example"
    for place in (
        "name",
        "request-url",
        "request-headers-0-name",
        "request-headers-0-value",
        "timeout",
        "alert_emails",
    ):
        assert f'id="at-{place}-error"' in screen.html, place
        assert f'href="#at-{place}"' in screen.html, place
    assert screen.html.count('aria-invalid="true"') == 6
    assert "“nobody” is not an e-mail address." in screen.text and "“a@b.example” is there twice." in screen.text


@pytest.mark.sqlite_only("refused above the database")
def test_faults_are_told_in_the_order_of_the_page(web: Web) -> None:
    screen = new_step(web.as_("alice"), name="", url="nonsense").fill(body_mode="json", timeout="soon")
    screen.fill(json_text='{"a": ', auth_type="basic", alert_emails="nobody", dictionaries="rates", key="No Key")
    screen.add("header_name", "Bad Name").add("header_value", "x").add("header_name", "Worse Name").add(
        "header_value", "x"
    )
    screen.press("add_rule").press("save")
    summary = screen.html.split('id="fault-summary"')[1].split("</ul>")[0]
    places = re.findall(r'href="#at-([^"]+)"', summary)
    assert places == [
        "name", "request-url", "request-headers-0-name", "request-headers-1-name", "request-body-text",
        "request-auth-username", "key", "timeout", "mapping-0-path", "dictionaries", "alert_emails",
    ]  # fmt: skip
    assert f"Fix these {len(places)} things before saving" in screen.text


@pytest.mark.sqlite_only("refused above the database")
def test_what_is_wrong_is_said_once_at_its_field_and_the_summary_names_the_place(web: Web) -> None:
    screen = new_step(web.as_("alice"), name="", url="{{order id}}").fill(body_mode="json", timeout="soon")
    screen.fill(json_text='{"a": ', auth_type="basic", alert_emails="nobody", dictionaries="rates", key="No Key")
    screen.add("header_name", "Bad Name").add("header_value", "{{x y}}").press("add_rule").press("save")
    summary = screen.html.split('id="fault-summary"')[1].split("</ul>")[0]
    assert re.findall(r">([^<>]+)</a>", summary) == [
        "Name", "URL", "Header 1, name", "Header 1, value", "Body", "Authentication: User name", "Key", "Timeout, in seconds",
        "Row 1 of the mapping", "Names that are data", "Alert e-mails",
    ]  # fmt: skip
    elsewhere = screen.html.replace(summary, "")
    sentences = re.findall(r'data-says="([^"]+)"', summary)
    assert len(sentences) == 11 and all(one in elsewhere for one in sentences), "none is lost"


@pytest.mark.sqlite_only("the form is read above the database")
def test_an_address_that_came_in_several_lines_is_one(web: Web) -> None:
    screen = new_step(web.as_("alice"), url="https://api.example/\r\n  orders\r\n").press("preview")
    assert "GET https://api.example/orders" in screen.text


@pytest.mark.sqlite_only("refused above the database")
def test_too_many_addresses_and_a_bad_one_are_told_at_once(web: Web) -> None:
    good = ", ".join(f"p{number}@shop.example" for number in range(11))
    screen = new_step(web.as_("alice")).fill(alert_emails=f"{good}, nobody").press("save")
    assert "At most 10 addresses can be alerted; there are 12." in screen.text
    assert "“nobody” is not an e-mail address." in screen.text


@pytest.mark.sqlite_only("the form is read and drawn above the database")
def test_an_editor_saves_a_step_and_leaves_its_alert_addresses_as_an_admin_chose_them(web: Web) -> None:
    web.house.put(document(alert_emails=["ops@shop.example", "help@shop.example"]))
    screen = open_step(web.as_("bob"))
    assert "ops@shop.example, help@shop.example" in screen.text and "alert_emails" not in dict(screen.fields)
    assert screen.fill(name="Renamed").press("save").status == 200
    assert (stored(web)["name"], stored(web)["alert_emails"]) == ("Renamed", ["ops@shop.example", "help@shop.example"])


@pytest.mark.parametrize("button", ["save", "test"])
@pytest.mark.sqlite_only("the form is read and drawn above the database")
def test_only_an_admin_changes_whom_the_mails_go_to(web: Web, button: str) -> None:
    web.house.put(document(alert_emails=["ops@shop.example"]))
    screen = open_step(web.as_("bob")).add("alert_emails", "bob@elsewhere.example").press(button)
    assert screen.status == 422
    assert "Only an admin of your account can change whom the mails go to." in screen.text
    assert screen.press("save").status == 200
    assert stored(web)["alert_emails"] == ["ops@shop.example"]
    refused = new_step(web.as_("bob"), name="New").add("alert_emails", "bob@elsewhere.example").press("save")
    assert refused.status == 422
    screen = open_step(web.as_("alice")).fill(alert_emails="").press("save")
    assert (screen.status, stored(web)["alert_emails"]) == (200, [])


@pytest.mark.sqlite_only("the form is drawn above the database")
def test_a_name_can_be_typed_as_long_as_it_can_be_saved(web: Web) -> None:
    assert 'maxlength="100"' in new_step(web.as_("bob")).html.split('name="name"')[1].split(">")[0]


@pytest.mark.sqlite_only("the form is drawn above the database")
def test_without_javascript_a_button_shows_the_fields_of_another_authentication(web: Web) -> None:
    screen = new_step(web.as_("bob"))
    assert "auth_type" in [button.get("value") for button in screen.buttons]
    screen.fill(auth_type="bearer").press("auth_type")
    assert screen.status == 200 and screen.get("auth_type") == "bearer"
    assert '<div class="auth-part" data-shown="auth:bearer" >' in screen.html
    assert '<div class="auth-part" data-shown="auth:basic" hidden>' in screen.html


@pytest.mark.sqlite_only("the form is read and drawn above the database")
def test_blank_rows_are_places_to_type_in_and_are_not_saved(web: Web) -> None:
    screen = new_step(web.as_("bob")).press("add_header").press("add_header")
    assert screen.all("header_name") == ["", ""]
    screen.fields[:] = [(name, "Accept" if name == "header_name" else value) for name, value in screen.fields[:]]
    screen.press("remove_header:0").press("add_header").press("save")
    assert [header["name"] for header in stored(web)["request"]["headers"]] == ["Accept"]


def test_a_taken_key_is_told_at_the_key(web: Web) -> None:
    web.house.put(document("order-status"))
    screen = new_step(web.as_("bob")).fill(key="order-status").press("save")
    assert screen.status == 422 and "Another step has the key “order-status”." in screen.text


@pytest.mark.sqlite_only("the form is read and drawn above the database")
def test_an_emptied_key_keeps_the_one_it_had(web: Web) -> None:
    web.house.put(document("order-status"))
    open_step(web.as_("bob")).fill(key="", name="Renamed").press("save")
    assert stored(web)["name"] == "Renamed"


def test_saving_over_somebody_elses_change_says_who_and_when_and_loses_nothing(web: Web) -> None:
    web.house.put(document("order-status"))
    bob, alice = open_step(web.as_("bob")), open_step(web.as_("alice"))
    alice.fill(name="Alice's").press("save")
    bob.fill(name="Bob's").press("save")
    assert bob.status == 409
    assert "Changed by alice@example.com" in bob.text and "Load theirs" in bob.text and "Overwrite" in bob.text
    assert bob.get("name") == "Bob's" and stored(web)["name"] == "Alice's"
    bob.add("overwrite", "1").press("save")
    assert bob.status == 200 and stored(web)["name"] == "Bob's"


@pytest.mark.sqlite_only("the form is read and drawn above the database")
def test_a_good_save_as_a_fragment_tells_the_page_what_changed_and_leaves_the_form(web: Web) -> None:
    web.house.put(document("order-status"))
    screen = open_step(web.as_("bob")).fill(name="Renamed")
    saved = screen.fragment("save")
    assert (saved.status_code, saved.text, saved.headers["HX-Reswap"]) == (200, "", "none")
    version = {"name": "version", "nth": 0, "was": "1", "now": "2"}
    assert json.loads(saved.headers["HX-Trigger"])["step:saved"] == {
        "title": "Renamed",
        "changed": [version],
        "address": "/steps/1",
    }
    assert screen.fragment("save").status_code == 409, "the version has risen"
    screen.fill(url="")
    assert screen.fragment("save").status_code == 422


@pytest.mark.sqlite_only("the form is read and drawn above the database")
def test_a_good_save_names_each_field_it_changed(web: Web) -> None:
    web.house.put(document("order-status", mapping=[{"path": ["a"], "attribute": "a"}]))
    screen = open_step(web.as_("alice")).press("add_header").press("add_header")
    names = [place for place, (name, _) in enumerate(screen.fields) if name == "header_name"]
    screen.fields[names[-1]] = ("header_name", " X-Channel ")
    screen.fill(url=" https://api.example/a ", alert_emails="a@b.example;c@d.example", name="Renamed ", key="renamed")
    saved = screen.set("rule-1-source", "$.b").fragment("save")
    assert 'id="usage"' in saved.text and "/renamed/execute" in saved.text and 'id="step-form"' not in saved.text
    changed = json.loads(saved.headers["HX-Trigger"])["step:saved"]["changed"]
    assert {(one["name"], one["nth"], one["now"]) for one in changed} == {
        ("version", 0, "2"), ("url", 0, "https://api.example/a"), ("alert_emails", 0, "a@b.example, c@d.example"),
        ("name", 0, "Renamed"), ("header_name", len(names) - 1, "X-Channel"), ("rule-1-source", 0, "$['b']"),
        ("rule-1-kind", 0, "path"),
    } - ({("rule-1-kind", 0, "path")} if screen.get("rule-1-kind") == "path" else set())  # fmt: skip


# ---------------------------------------------------------------- copies, export, lines for the bot


def test_duplicate_export_and_delete(web: Web) -> None:
    web.house.put(document("order-status", name="Order status"))
    bob = web.as_("bob")
    assert bob.post("/steps/1/duplicate").location == "/steps/2"
    assert stored(web, "order-status-copy")["name"] == "Order status (copy)"
    exported = bob.get("/steps/1/export")
    assert exported.headers["Content-Disposition"] == 'attachment; filename="order-status.json"'
    assert json.loads(exported.text) == stored(web)
    assert bob.post("/steps/1/delete").location == "/steps"
    assert bob.get("/steps/1").status_code == 404


@pytest.mark.sqlite_only("the text is made above the database")
def test_the_lines_for_the_bot_have_its_address_and_the_values_for_test(make_house: Callable[..., House]) -> None:
    web = web_with(make_house, ThirdParty(), BASE_URL="http://steps.example")
    web.house.put(document("order-status"))
    screen = open_step(web.as_("bob")).set("value:order.id", "42")
    lines = screen.fragment("values").text
    assert "http://steps.example/api/v1/steps/order-status/execute" in lines
    assert "{&#34;attributes&#34;:{&#34;order.id&#34;:42}}" in lines and "YOUR_API_KEY" in lines


@pytest.mark.sqlite_only("the text is made above the database")
def test_the_lines_for_the_bot_have_the_values_of_a_test_that_went_well(make_house: Callable[..., House]) -> None:
    """What is typed since is taken all the same, and where no test went well the newest."""
    web = web_with(make_house, ThirdParty(answer(404, {}), answer(200, {"a": 1}), answer(404, {})))
    web.house.put(document("order-status"))
    bob = web.as_("bob")

    def body() -> str:
        found = re.search(r'id="use-plain-body"[^>]*>(.*?)</pre>', bob.get("/steps/1").text, re.S)
        return unescape(found[1]) if found else ""

    for number, shown in (("7", "7"), ("42", "42"), ("9999", "42")):
        assert open_step(bob).set("value:order.id", number).fragment("test").status_code == 200
        assert body() == f'{{"attributes":{{"order.id":{shown}}}}}'
    assert "&#34;order.id&#34;:43" in open_step(bob).set("value:order.id", "43").fragment("values").text
    assert "The values are only an example: in their place" in bob.get("/steps/1").text


@pytest.mark.sqlite_only("the text is made above the database")
def test_the_lines_for_the_bot_say_that_a_key_it_has_works_too(web: Web) -> None:
    said = "A key that your bot has already works for this step too."
    web.house.put(document("order-status"))
    bob, alice = web.as_("bob"), web.as_("alice")
    assert said not in bob.get("/steps/1").text, "a key of scope manage runs no step"
    alice.post("/settings/keys", {"name": "Bot", "scope": "execute"})
    assert said in bob.get("/steps/1").text
    alice.post("/settings/keys/2/revoke")
    assert said not in bob.get("/steps/1").text


@pytest.mark.sqlite_only("the text is made above the database")
def test_every_line_for_the_bot_names_all_that_is_asked_for_and_what_to_replace(
    make_house: Callable[..., House],
) -> None:
    """The value of the last test, or the default, or else a place for one; in a flow and in every language alike."""
    web = web_with(make_house, ThirdParty())
    web.house.put(document(url="https://a.example/{{order.id}}?a={{lang}}&b={{who-ever}}"))
    web.house.flow("order-status")
    with web.house.app.app_context():
        catalogue.save(1, catalogue.AttributeEntry("lang", default='"de"', in_bot=True))
    bob = web.as_("bob")
    step = open_step(bob).set("value:order.id", "42").set("value:lang", "").set("value:who-ever", "").fragment("values")
    flow = bob.get("/flows/1")
    own = ("curl", "python", "javascript")
    for html, order, languages in ((step.text, 42, own), (flow.text, "YOUR_ORDER_ID", own[:1])):
        sent = {"attributes": {"order.id": order, "lang": "de", "who-ever": "YOUR_WHO_EVER"}}
        for language in languages:
            found = re.search(f'id="use-{language}"[^>]*>(.*?)</pre>', html, re.S)
            text = unescape(found[1]) if found else ""
            assert json.dumps(sent, separators=(",", ":")) in text, language
            assert "example values: your bot sends its own" in text, language
    web.house.put(document(url="https://a.example/"))
    assert "example values" not in bob.get("/steps/1").text, "there is none"


# ---------------------------------------------------------------- mail


def test_the_mail_line_says_what_happened_and_reset_clears_the_hour(
    make_house: Callable[..., House], inbox: Inbox
) -> None:
    mail = {"SMTP_URL": f"smtp://127.0.0.1:{inbox.port}", "MAIL_FROM": "steps@shop.example"}
    web = web_with(make_house, ThirdParty(answer(500, {})), **mail)
    web.house.put(document("order-status", alert_emails=["a@b.example", "c@d.example"]))
    bob = web.as_("bob")
    assert "Next alert can be sent at once." in open_step(bob).text
    web.house.execute()
    settled(web.house)
    screen = open_step(bob)
    assert "to 2 addresses. Next possible" in screen.text
    assert "Next alert can be sent at once." in screen.press("reset_mail").text


@pytest.mark.sqlite_only("decided above the database")
def test_without_a_mail_server_the_editor_says_that_mail_is_off(web: Web) -> None:
    assert "Mail is off" in new_step(web.as_("bob")).press("add_header").text


# ---------------------------------------------------------------- roles and accounts


@pytest.mark.sqlite_only("decided above the database")
def test_a_viewer_who_asks_for_a_new_step_is_told_why_there_is_none(web: Web) -> None:
    told = web.as_("vera").get("/steps/new", follow_redirects=True)
    assert told.request.path == "/steps" and "Making a step needs the role editor; yours is viewer." in told.text


@pytest.mark.sqlite_only("the form is read and drawn above the database")
def test_a_viewer_sees_everything_and_can_change_nothing(web: Web) -> None:
    web.house.put(document("order-status", auth={"type": "bearer", "token": "typed-token"}))
    vera = web.as_("vera")
    screen = open_step(vera)
    assert "View only" in screen.text and "api.example" in screen.html and screen.fields != []
    assert [button for button in screen.buttons if button.get("name") == "op"] == []
    assert "typed-token" not in screen.html
    for path in (
        "/steps/1",
        "/steps/1/save",
        "/steps/1/test",
        "/steps/1/delete",
        "/steps/1/move",
    ):
        assert vera.post(path, {"op": "save"}).status_code == 403, path


def test_a_save_of_a_step_that_was_deleted_meanwhile_loses_nothing(web: Web) -> None:
    web.house.put(document("order-status"))
    screen = open_step(web.as_("alice")).fill(name="Order status", url="https://api.example/typed/{{order.id}}")
    web.house.call("DELETE", "/steps/order-status")
    told = "This step is no longer there: somebody has deleted it. What you typed is still here; Save makes a new step"
    fragment = screen.fragment("save")
    assert fragment.status_code == 404 and told in fragment.text
    page = screen.press("save")
    assert page.status == 404 and told in page.text
    assert page.get("url") == "https://api.example/typed/{{order.id}}"
    page.path = "/steps/new"  # where its form leads to
    assert 'action="/steps/new"' in page.html and page.press("save").status == 200
    assert (
        web.house.call("GET", "/steps/order-status").json["request"]["url"] == "https://api.example/typed/{{order.id}}"
    )
    assert "somebody has deleted it" in web.as_("alice").post("/steps/99/delete").text


def test_a_step_deleted_while_it_is_saved_is_told_too(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at the step and the lock that saves it."""
    web.house.put(document("order-status"))
    screen = open_step(web.as_("alice")).fill(url="https://api.example/typed")
    whole = steps.save

    def overtaken(*given: Any, **named: Any) -> Any:
        deleting.remove(given[0], "order-status")
        return whole(*given, **named)

    monkeypatch.setattr(steps, "save", overtaken)
    fragment = screen.fragment("save")
    assert fragment.status_code == 404 and "Save makes a new step of it" in fragment.text
    web.house.put(document("order-status"))
    screen = open_step(web.as_("alice"), 2).fill(url="https://api.example/typed")
    page = screen.press("save")
    assert page.status == 404 and page.get("url") == "https://api.example/typed" and "Save makes a new" in page.text


def test_a_step_of_another_account_is_not_there(web: Web) -> None:
    web.house.put(document("order-status"))
    charlie = web.as_("charlie")
    for path in ("/steps/1", "/steps/1/export", "/steps/1/logs", "/steps/1/drift", "/steps/1/tree"):
        assert charlie.get(path).status_code == 404, path
    for path in (
        "",
        "/save",
        "/test",
        "/move",
        "/delete",
        "/duplicate",
    ):
        assert charlie.post(f"/steps/1{path}").status_code == 404, path


@pytest.mark.sqlite_only("the form is read and drawn above the database")
def test_hostile_texts_are_shown_as_texts(web: Web) -> None:
    nasty = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}'
    screen = (
        new_step(web.as_("bob")).fill(name=nasty, raw_text=nasty, content_type=nasty, dictionaries=nasty).press("save")
    )
    assert "<script>alert(1)" not in screen.html and "<img src=x" not in screen.html
    assert screen.get("name") == nasty
