"""Section 1 of the editor: the body's modes, the preview, and a pasted cURL command."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House
from tests.web.conftest import Web
from tests.web.screen import ORDER, new_step, put_secret, web_with

SQLITE_ONLY = "the form and what is made of it"


@pytest.fixture
def web(make_house: Callable[..., House]) -> Web:
    return web_with(make_house, ThirdParty(answer(200, ORDER)))


# ---------------------------------------------------------------- the body


def test_query_string_and_json_are_turned_into_each_other(web: Web) -> None:
    screen = new_step(web.as_("bob")).fill(body_mode="query").press("body_mode")
    screen.set("field_name", "name").set("field_value", "{{user.name}}").fill(body_mode="json").press("body_mode")
    assert json.loads(screen.get("json_text")) == {"name": "{{user.name}}"}
    screen.fill(json_text='{"name": "{{user.name}}", "count": {{count}}}', body_mode="query").press("body_mode")
    assert list(zip(screen.all("field_name"), screen.all("field_value"), strict=True)) == [
        ("name", "{{user.name}}"), ("count", "{{count}}")
    ]  # fmt: skip
    screen.fill(body_mode="raw").press("body_mode")
    assert screen.all("field_name") == ["name", "count"] and '"count": {{count}}' in screen.get("json_text")


def test_a_json_body_is_laid_out_on_request_and_only_then(web: Web) -> None:
    screen = new_step(web.as_("bob")).fill(body_mode="json").press("body_mode")
    screen.fill(json_text='{"n":{{count}},"t":"{{user.name}}"}').press("format_json")
    assert screen.get("json_text") == '{\n  "n": {{count}},\n  "t": "{{user.name}}"\n}'
    screen.fill(json_text='{"n": }').press("format_json")
    assert screen.status == 422 and screen.get("json_text") == '{"n": }' and "line 1" in screen.text


def test_a_name_nobody_knows_can_be_added_where_it_is_used(web: Web) -> None:
    screen = new_step(web.as_("bob"), url="https://api.example/{{brand.new}}")
    screen.fill(**{"value:brand.new": "7"}).press("body_mode")
    assert "New name: your bot has to send it" in screen.text
    screen.press("add_attribute:brand.new")
    assert "New name" not in screen.text and screen.get("value:brand.new") == "7"
    assert "brand.new" in web.as_("bob").get("/attributes").get_data(as_text=True)


def test_a_text_of_ones_own_is_never_replaced_by_switching(web: Web) -> None:
    screen = new_step(web.as_("bob")).fill(body_mode="json").press("body_mode")
    screen.fill(json_text='{"deep": {"er": 1}}', body_mode="query").press("body_mode")
    screen.set("field_name", "q").set("field_value", "1").fill(body_mode="json").press("body_mode")
    assert screen.get("json_text") == '{"deep": {"er": 1}}' and screen.all("field_name") == ["q"]


def test_the_form_says_where_query_string_rows_go(web: Web) -> None:
    screen = new_step(web.as_("bob")).fill(body_mode="query").press("body_mode")
    assert "added to the URL" in screen.text
    assert "sent as the form-encoded body" in screen.fill(method="POST").press("body_mode").text


# ---------------------------------------------------------------- preview, curl, copies


def test_the_preview_shows_the_request_with_masked_secrets_and_makes_no_call(make_house: Callable[..., House]) -> None:
    api = ThirdParty()
    web = web_with(make_house, api)
    put_secret(web, "CRM", "s3cr3t-value")
    screen = new_step(web.as_("bob")).fill(auth_type="bearer", auth_token="{{secret.CRM}}").press("preview")
    assert "GET https://api.example/orders/42" in screen.text
    assert "Authorization: Bearer ••••" in screen.text and "s3cr3t-value" not in screen.html
    assert api.requests == []


def test_the_preview_names_the_attribute_that_is_not_there(web: Web) -> None:
    screen = new_step(web.as_("bob")).set("value:order.id", "").press("preview")
    assert "The attribute “order.id” is not there" in screen.text


def test_a_curl_command_fills_the_form_and_says_what_it_ignored(web: Web) -> None:
    screen = new_step(web.as_("bob"), url="").fill(name="Kept")
    screen.fill(curl="curl -X POST https://api.example/leads -H 'X-Channel: chat' -d '{\"a\": 1}' --compressed").press(
        "curl"
    )
    assert (screen.get("method"), screen.get("url"), screen.get("name")) == (
        "POST",
        "https://api.example/leads",
        "Kept",
    )
    assert "X-Channel" in screen.all("header_name") and "Ignored options: --compressed" in screen.text


def test_an_admins_pasted_credential_becomes_a_secret_and_the_same_one_stays_one(web: Web) -> None:
    command = "curl https://api.example/x -H 'Authorization: Bearer abcdef123456'"
    for said in (
        "Stored under Secrets now, whether or not you save the step: API_TOKEN.",
        "Was kept under Secrets already: API_TOKEN.",
    ):
        screen = new_step(web.as_("alice"), url="").fill(curl=command).set("keep_secrets", "1").press("curl")
        assert "abcdef123456" not in screen.html
        assert said in screen.text


def test_a_text_without_a_curl_command_is_told_so(web: Web) -> None:
    screen = new_step(web.as_("bob"), url="").fill(curl="hello").press("curl")
    assert screen.status == 422 and "There is no curl command here." in screen.text and screen.get("curl") == ""
