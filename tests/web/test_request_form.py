"""Section 1 of the editor: the body's modes, the preview, and a pasted cURL command."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Web
from tests.web.screen import ORDER, URL, new_step, put_secret, web_with

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
    assert "Other steps can use brand.new too." in screen.move("add_attribute:brand.new").headers["HX-Trigger"]
    screen.press("add_attribute:brand.new")
    assert "New name" not in screen.text and screen.get("value:brand.new") == "7"
    assert "brand.new" in web.as_("bob").get("/attributes").get_data(as_text=True)


NO_ROWS = "Your JSON text is kept; it has no flat fields to show as rows."


@pytest.mark.parametrize("text", ['{"deep": {"er": 1}}', '{"n": }', "[1, 2]", "{}"])
def test_json_that_cannot_be_rows_is_said_to_be_kept(web: Web, text: str) -> None:
    screen = new_step(web.as_("bob")).fill(body_mode="json").press("body_mode")
    screen.fill(json_text=text, body_mode="query").press("body_mode")
    assert NO_ROWS in screen.text and screen.get("json_text") == text
    assert screen.fill(body_mode="json").press("body_mode").get("json_text") == text and NO_ROWS not in screen.text


@pytest.mark.parametrize("text", ["", '{"a": 1}'])
def test_nothing_is_said_where_rows_were_made_or_nothing_was_typed(web: Web, text: str) -> None:
    screen = new_step(web.as_("bob")).fill(body_mode="json").press("body_mode")
    assert NO_ROWS not in screen.fill(json_text=text, body_mode="query").press("body_mode").text


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


COMMAND = "curl https://api.example/x -H 'Authorization: Bearer abcdef123456'"


def test_an_admins_pasted_credential_becomes_a_secret_when_the_step_is_saved(web: Web) -> None:
    for before, said in (
        (
            "When you save the step it is kept under Secrets (API_TOKEN), for https://api.example only.",
            "Stored under Secrets: API_TOKEN.",
        ),
        (
            "a credential that is kept under Secrets already: when you save the step, API_TOKEN takes its place.",
            "It uses your secret API_TOKEN.",
        ),
    ):
        screen = new_step(web.as_("alice"), url="").fill(curl=COMMAND).set("keep_secrets", "1").press("curl")
        assert before in screen.text
        screen.press("save")
        assert "abcdef123456" not in screen.html and said in screen.text
        assert screen.get("auth_token") == "{{secret.API_TOKEN}}"


def test_no_name_that_another_secret_has_is_named(web: Web) -> None:
    put_secret(web, "API_TOKEN", "another value")
    screen = new_step(web.as_("alice"), url="").fill(curl=COMMAND).set("keep_secrets", "1").press("curl")
    assert "it is kept under Secrets (API_TOKEN_2), for https://api.example only." in screen.text
    assert screen.press("save").get("auth_token") == "{{secret.API_TOKEN_2}}"


def test_an_abandoned_step_leaves_no_secret(web: Web) -> None:
    new_step(web.as_("alice"), url="").fill(curl=COMMAND).set("keep_secrets", "1").press("curl")
    assert "No secrets yet" in web.as_("alice").get("/secrets").text


@pytest.mark.parametrize("spoil", [{"url": "no address"}, {"key": "taken"}])
def test_a_save_that_is_refused_leaves_no_secret(web: Web, spoil: dict[str, str]) -> None:
    web.house.put(document("taken"))
    screen = new_step(web.as_("alice"), url="").fill(curl=COMMAND).set("keep_secrets", "1").press("curl")
    assert screen.fill(**spoil).press("save").status == 422
    assert "No secrets yet" in web.as_("alice").get("/secrets").text


def test_what_somebody_typed_into_a_new_step_is_no_pasted_credential(web: Web) -> None:
    screen = new_step(web.as_("alice")).fill(auth_type="bearer", auth_token="abcdef123456").press("save")
    assert screen.status == 200 and "No secrets yet" in web.as_("alice").get("/secrets").text


def test_whoever_does_not_want_it_keeps_no_secret(web: Web) -> None:
    screen = new_step(web.as_("alice"), url="").fill(curl=COMMAND)
    screen.set("keep_secrets", None).press("curl")
    assert screen.get("auth_token") == "abcdef123456" and not screen.all("keep_secrets")
    screen.press("save")
    assert "No secrets yet" in web.as_("alice").get("/secrets").text


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_placeholder_is_asked_for_and_is_never_a_secret(web: Web, who: str) -> None:
    command = "curl https://api.shop.example/orders -H 'Authorization: Bearer YOUR_API_KEY'"
    screen = new_step(web.as_(who), url="").fill(curl=command).press("curl")
    assert "The command has a placeholder where your token goes: paste it here (YOUR_API_KEY)." in screen.text
    screen.press("save")
    assert "No secrets yet" in web.as_("alice").get("/secrets").text


def test_the_answer_to_a_placeholder_is_kept_as_a_secret_of_its_host(web: Web) -> None:
    command = "curl https://api.shop.example/orders -H \"Authorization: Bearer $TOKEN\" -H 'X-Api-Key: <key>'"
    screen = new_step(web.as_("alice"), url="").fill(curl=command).set("keep_secrets", "1").press("curl")
    assert screen.all("answer_for") == ["{{secret.TOKEN}}", "<key>"]
    places = [place for place, (name, _) in enumerate(screen.fields) if name == "answer"]
    for place, value in zip(places, ["real-token-1", "real-key-1"], strict=True):
        screen.fields[place] = ("answer", value)
    screen.press("answer")
    assert screen.get("auth_token") == "real-token-1" and "real-key-1" in screen.all("header_value")
    assert screen.all("answer_for") == []
    screen.press("save")
    assert screen.get("auth_token") == "{{secret.SHOP_TOKEN}}" and "{{secret.SHOP_KEY}}" in screen.all("header_value")
    assert "real-" not in screen.html


def test_a_placeholder_in_a_json_body_is_asked_for_and_its_answer_becomes_a_secret(web: Web) -> None:
    command = """curl https://api.shop.example/orders -d '{"token": "YOUR_API_KEY", "n": 1}'"""
    screen = new_step(web.as_("alice"), url="").fill(curl=command).set("keep_secrets", "1").press("curl")
    screen.set("answer", 'real-"1').press("answer")
    assert screen.get("json_text") == '{"token": "real-\\"1", "n": 1}'
    screen.press("save")
    stored = web.house.call("GET", "/steps/order-status").json["request"]["body"]["text"]
    assert stored == '{"token": "{{secret.SHOP_TOKEN}}", "n": 1}'


@pytest.mark.parametrize(("body", "ends"), [(r"a\r\nb\r\nc\nd", "CRLF"), (r"a\nb\r\nc\nd", "LF")])
def test_a_body_that_mixes_its_line_ends_gets_one_and_says_so(web: Web, body: str, ends: str) -> None:
    command = f"curl https://api.shop.example/notes -H 'Content-Type: text/plain' --data-raw $'{body}'"
    screen = new_step(web.as_("bob"), url="").fill(curl=command).press("curl")
    assert f"Some lines of the body ended with CRLF and some with LF. All end with {ends} now." in screen.text
    screen.press("save")
    stored = web.house.call("GET", "/steps/order-status").json["request"]["body"]["text"]
    assert stored == "a\nb\nc\nd".replace("\n", "\r\n" if ends == "CRLF" else "\n")


def test_a_text_without_a_curl_command_is_told_so(web: Web) -> None:
    screen = new_step(web.as_("bob"), url="").fill(curl="hello").press("curl")
    assert screen.status == 422 and "There is no curl command here." in screen.text and screen.get("curl") == ""


# ---------------------------------------------------------------- a document with many requests


def described(*paths: str, more: str = "") -> str:
    found = {path: {"get": {"summary": f"Get {path}", "description": more}} for path in paths}
    return json.dumps({"openapi": "3.1.0", "servers": [{"url": "https://api.example"}], "paths": found})


def test_a_document_is_shown_as_a_list_and_the_chosen_request_fills_the_form(web: Web) -> None:
    text = described("/a/{id}", "/b")
    screen = new_step(web.as_("bob"), url="", name="").fill(curl=text).press("curl")
    assert screen.status == 200 and "The OpenAPI document has 2 requests. Choose one" in screen.text
    assert screen.get("curl") == text and 'value="GET /b"' in screen.html
    screen.set("operation", "GET /a/{id}").press("curl")
    assert (screen.get("url"), screen.get("name")) == ("https://api.example/a/{{id}}", "Get /a/{id}")
    assert "Filled from the OpenAPI document" in screen.text and screen.get("curl") == ""


def test_an_operation_that_is_not_in_the_document_is_a_sentence(web: Web) -> None:
    screen = new_step(web.as_("bob"), url="").fill(curl=described("/a", "/b")).set("operation", "GET /c").press("curl")
    assert screen.status == 422 and "This operation is not in the text." in screen.text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (described("/a")[:-2], "This document is no JSON."),
        ("openapi: 3.0.0\npaths: [", "This document is no YAML"),
        (described("/a", more="x" * 2 * 1024 * 1024), "This document is larger than 2 MB."),
    ],
)
def test_a_document_that_cannot_be_taken_is_a_sentence(web: Web, text: str, sentence: str) -> None:
    screen = new_step(web.as_("bob"), url="").fill(curl=text).press("curl")
    assert screen.status == 422 and sentence in screen.text


@pytest.mark.parametrize(
    ("text", "url", "source"),
    [
        ("https://api.example/x?y=1", "https://api.example/x?y=1", "the address"),
        ("fetch('https://api.example/x', {method: 'POST'})", "https://api.example/x", "the fetch"),
        ("GET /x HTTP/1.1\nHost: api.example", "https://api.example/x", "the HTTP request"),
        (
            '{"info": {}, "item": [{"request": "https://api.example/x"}]}',
            "https://api.example/x",
            "the Postman collection",
        ),
    ],
)
def test_what_else_the_box_takes(web: Web, text: str, url: str, source: str) -> None:
    screen = new_step(web.as_("bob"), url="").fill(curl=text).press("curl")
    assert screen.get("url") == url and f"Filled from {source}" in screen.text


# ---------------------------------------------------------------- an exported step


def exported(web: Web, **members: object) -> str:
    """What Export gives for a step with that much in it."""
    more = {"url": URL, "method": "POST", "retries": 2, "fallback": "continue", "alert_emails": ["ops@shop.example"]}
    rule = {"path": ["data", "id"], "attribute": "order_id"}
    web.house.put(document(name="Order status", mapping=[rule], **more | members))
    return str(web.as_("bob").get("/steps/1/export").text)


def test_an_exported_step_is_pasted_as_a_new_step_that_is_not_saved(web: Web) -> None:
    text = exported(web)
    screen = new_step(web.as_("alice"), url="").fill(curl=f"  {text}").press("curl")
    assert screen.status == 200 and "Filled from the step document" in screen.text
    assert (screen.get("name"), screen.get("method"), screen.get("url")) == ("Order status", "POST", URL)
    assert screen.rules() == {"order_id": "$['data']['id']"} and screen.get("retries") == "2"
    assert screen.get("alert_emails") == "ops@shop.example" and screen.get("fallback") == "continue"
    assert "Another step has its key “order-status”" in screen.text and screen.get("key") == ""
    assert len(web.house.call("GET", "/steps").json["steps"]) == 1, "nothing is saved"
    screen.press("save")
    copy = web.house.call("GET", "/steps/order-status-2").json
    assert copy == {**web.house.call("GET", "/steps/order-status").json, "key": "order-status-2"}


def test_a_key_that_is_free_is_kept(web: Web) -> None:
    text = exported(web).replace("order-status", "from-elsewhere")
    assert new_step(web.as_("alice"), url="").fill(curl=text).press("curl").get("key") == "from-elsewhere"


def test_an_editors_pasted_step_alerts_nobody_and_says_so(web: Web) -> None:
    text = exported(web).replace("ops@shop.example", "me@elsewhere.example")
    screen = new_step(web.as_("bob"), url="").fill(curl=text).press("curl")
    assert "Its alert addresses are left out: an admin of your account chooses them." in screen.text
    assert "me@elsewhere.example" not in screen.html
    screen.press("save")
    assert web.house.call("GET", "/steps/order-status-2").json["alert_emails"] == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"format": "httpstep/1", "nmae": "x"}', 'Unknown member "nmae" in the step.'),
        ('{"format": "httpstep/1", "timeout": 90}', "The timeout must be more than 0 and at most 60 seconds."),
        ('{"format": "httpstep/1", "request": {"verb": "GET"}}', 'request.verb: Unknown member "verb" in request.'),
        ('{"format": "httpstep/9"}', "This is not a document of format httpstep/1."),
        ('{"name": "x"}', 'This JSON is no step document: one begins with {"format": "httpstep/1"}.'),
        ('{"format": "httpstep/1",', "This step document is no JSON."),
    ],
)
def test_a_step_document_that_cannot_be_taken_says_why_and_stays(web: Web, text: str, sentence: str) -> None:
    screen = new_step(web.as_("bob")).fill(curl=text).press("curl")
    assert screen.status == 422 and sentence in screen.text
    assert screen.get("curl") == text and screen.get("url") == URL, "what was typed is still there"
    part = web.as_("bob")
    answered = part.htmx("POST", "/steps/new/move", data=screen.data(csrf_token=part.token(), op="curl"))
    assert answered.status_code == 422 and 'id="step-form"' in answered.text
