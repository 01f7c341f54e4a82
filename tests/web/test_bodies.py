"""The editor's inputs for bodies, authentication and values that came later: typed, kept, sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Web
from tests.web.screen import Screen, new_step, open_step, web_with

SQLITE_ONLY = "inputs are a matter of the form"
URL = "https://api.example/orders"


@pytest.fixture
def api() -> ThirdParty:
    return ThirdParty(answer(200, {"ok": True}))


@pytest.fixture
def web(make_house: Callable[..., House], api: ThirdParty) -> Web:
    return web_with(make_house, api)


def begun(web: Web, mode: str) -> Screen:
    return new_step(web.as_("bob"), url=URL).fill(method="POST", body_mode=mode).press("body_mode")


def saved(web: Web) -> Any:
    return web.house.call("GET", "/steps/order-status").json


def test_a_form_with_parts_is_typed_tested_and_saved(web: Web, api: ThirdParty) -> None:
    screen = begun(web, "multipart").set("field_name", "from").set("field_value", "{{v}}").set("value:v", "x")
    assert "Files cannot be sent yet" in screen.text
    screen.fill(lists="repeat", fields_when_empty="leave_out").press("test")
    assert b'name="from"\r\n\r\nx\r\n' in (api.requests[0].body or b"")
    screen.press("save")
    body = saved(web)["request"]["body"]
    assert (
        body["fields"] == [{"name": "from", "value": "{{v}}", "when_empty": "leave_out"}] and body["lists"] == "repeat"
    )


def test_a_graphql_query_has_its_variables(web: Web, api: ThirdParty) -> None:
    screen = (
        begun(web, "graphql")
        .fill(raw_text="query ($id: ID!) { a(id: $id) }", variables='{"id": "{{id}}"}')
        .set("value:id", "7")
    )
    screen.press("test")
    assert api.requests[0].body == b'{"query":"query ($id: ID!) { a(id: $id) }","variables":{"id": "7"}}'
    faulty = screen.fill(variables="[1]").press("save")
    assert faulty.status == 422 and "The variables are a JSON object" in faulty.text
    screen.fill(variables='{"id": "{{id}}"}').press("save")
    assert open_step(web.as_("bob")).get("variables") == '{"id": "{{id}}"}'


@pytest.mark.parametrize("press", ["add_header", "save"])
def test_what_other_kinds_of_body_have_is_not_lost_by_a_press(web: Web, press: str) -> None:
    """Rows and members that the screen does not show just now are in it all the same."""
    body = {
        "mode": "json", "text": "{}", "fields": [{"name": "a", "value": "1", "when_empty": "leave_out"}, {"name": "b", "value": "2"}],
        "lists": "brackets", "escape": "auto", "variables": "{}",
    }  # fmt: skip
    headers = [{"name": "X-A", "value": "", "when_empty": "leave_out"}]
    auth = {
        "type": "oauth2_client_credentials", "token_url": "https://id.example/", "client_id": "me", "client_secret": "s",
        "client_auth": "body", "parameters": [{"name": "audience", "value": "a=b"}, {"name": "n", "value": "x\ny"}],
    }  # fmt: skip
    mapping = [
        {"path": ["a"], "attribute": "a", "convert": "join", "separator": "; "},
        {"path": ["p"], "attribute": "p", "convert": "phone", "region": "DE"},
    ]
    web.house.put(document(method="POST", url=URL, body=body, headers=headers, auth=auth, mapping=mapping))
    before = saved(web)
    screen = open_step(web.as_("alice")).press(press).press("save")
    assert screen.status == 200, screen.text
    assert saved(web) == before


def test_when_fields_say_different_things_the_screen_leaves_them_so(web: Web) -> None:
    fields = [{"name": "a", "value": "1", "when_empty": "leave_out"}, {"name": "b", "value": "2"}]
    web.house.put(document(method="POST", url=URL, body={"mode": "query", "fields": fields}))
    before, screen = saved(web), open_step(web.as_("alice"))
    assert screen.get("fields_when_empty") == ""
    screen.press("save")
    assert saved(web) == before
    screen.fill(fields_when_empty="leave_out").press("save")
    assert [row.get("when_empty") for row in saved(web)["request"]["body"]["fields"]] == ["leave_out"] * 2


def test_a_new_xml_body_escapes_its_values_and_one_of_before_does_not(web: Web, api: ThirdParty) -> None:
    screen = begun(web, "raw").fill(raw_text="<n>{{v}}</n>", content_type="text/xml").set("value:v", "a & b")
    screen.press("test").press("save")
    assert api.requests[0].body == b"<n>a &amp; b</n>" and saved(web)["request"]["body"]["escape"] == "auto"
    body = {"mode": "raw", "text": "<n>{{v}}</n>", "content_type": "text/xml"}
    web.house.put(document("before", method="POST", url=URL, body=body))
    old = open_step(web.as_("alice"), 2).set("value:v", "a & b").press("test")
    old.press("save")
    assert api.requests[1].body == b"<n>a & b</n>"
    assert "escape" not in web.house.call("GET", "/steps/before").json["request"]["body"]


def test_crlf_survives_the_form_and_can_be_chosen(web: Web, api: ThirdParty) -> None:
    text = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nHello\r\n--x--\r\n'
    written = text.replace("\r\n", "\\r\\n")
    pasted = new_step(web.as_("bob")).fill(
        curl=f"curl '{URL}' -H 'content-type: multipart/mixed; boundary=x' --data-raw $'{written}'"
    )
    screen = pasted.press("curl").press("add_header").press("test")
    assert api.requests[0].body == text.encode()
    screen.fill(name="Order status").press("save")
    assert saved(web)["request"]["body"]["text"] == text
    open_step(web.as_("bob")).press("save")
    assert saved(web)["request"]["body"]["text"] == text
    open_step(web.as_("bob")).fill(line_ends="lf").press("save")
    assert saved(web)["request"]["body"]["text"] == text.replace("\r\n", "\n")


def test_a_form_that_a_browser_copied_is_sent_with_crlf_between_its_parts(web: Web, api: ThirdParty) -> None:
    written = r'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nHello\r\n--x--\r\n'
    command = f"curl '{URL}' -H 'content-type: multipart/form-data; boundary=x' --data-raw $'{written}'"
    new_step(web.as_("bob")).fill(curl=command).press("curl").press("test")
    [request] = api.requests
    boundary = dict(request.headers)["Content-Type"].partition("boundary=")[2]
    assert request.body == written.replace(r"\r\n", "\r\n").replace("--x", f"--{boundary}").encode()


def test_further_fields_of_a_token_request_are_typed_one_a_line(web: Web) -> None:
    screen = new_step(web.as_("bob"), url=URL).fill(
        auth_type="oauth2_client_credentials", auth_token_url="https://id.example/", auth_client_id="me", auth_client_secret="s",
        auth_client_auth="body", auth_parameters="audience=https://x.example/?a=b\n\n resource = c ",
    )  # fmt: skip
    screen.press("save")
    auth = saved(web)["request"]["auth"]
    assert auth["parameters"] == [
        {"name": "audience", "value": "https://x.example/?a=b"},
        {"name": "resource", "value": "c"},
    ]
    assert auth["client_auth"] == "body"
    faulty = open_step(web.as_("bob")).fill(auth_parameters="=x").press("save")
    assert faulty.status == 422 and "no name" in faulty.text


def test_a_wrong_region_is_said_in_its_row(web: Web) -> None:
    web.house.put(document(url=URL, mapping=[{"path": ["p"], "attribute": "p", "convert": "phone"}]))
    faulty = open_step(web.as_("alice")).fill(**{"rule-1-region": "Germany"}).press("save")
    assert faulty.status == 422 and "two letters" in faulty.text
