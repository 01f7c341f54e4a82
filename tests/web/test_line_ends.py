"""A plain form is sent with CRLF for every end of a line, a script's with LF. Both mean what was typed: LF."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House
from tests.web.conftest import Web
from tests.web.screen import Screen, new_step, open_step, web_with

SQLITE_ONLY = "line ends are a matter of the form"
TEXTS = {
    "json": ("json_text", '{\n  "note": "{{user.note}}",\n  "n": 1\n}\n'),
    "raw": ("raw_text", "\nfirst\n\n  second {{user.note}}\n"),
}


@pytest.fixture
def api() -> ThirdParty:
    return ThirdParty(answer(200, {"ok": True}))


@pytest.fixture
def web(make_house: Callable[..., House], api: ThirdParty) -> Web:
    return web_with(make_house, api)


def typed(web: Web, mode: str, ends: str) -> Screen:
    name, text = TEXTS[mode]
    screen = new_step(web.as_("bob"), url="https://api.example/notes").fill(method="POST", body_mode=mode)
    return screen.set("value:user.note", "hello").set(name, text.replace("\n", ends))


@pytest.mark.parametrize("mode", ["json", "raw"])
def test_a_body_is_sent_with_the_same_bytes_by_plain_form_and_by_fragment(web: Web, api: ThirdParty, mode: str) -> None:
    typed(web, mode, "\r\n").press("test")
    assert typed(web, mode, "\n").fragment("test").status_code == 200
    plain, fragment = (request.body for request in api.requests)
    assert plain == fragment == TEXTS[mode][1].replace("{{user.note}}", "hello").encode()


@pytest.mark.parametrize("mode", ["json", "raw"])
def test_a_body_comes_back_and_is_kept_as_typed(web: Web, mode: str) -> None:
    name, text = TEXTS[mode]
    screen = typed(web, mode, "\r\n").press("add_header")
    assert screen.get(name) == text
    screen.press("save")
    assert web.house.call("GET", "/steps/order-status").json["request"]["body"]["text"] == text
    assert open_step(web.as_("bob")).get(name) == text


def test_hidden_rows_and_rules_keep_their_line_ends_too(web: Web) -> None:
    screen = typed(web, "json", "\n").add("field_name", "note").add("field_value", "a\r\nb")
    screen.press("save")
    assert web.house.call("GET", "/steps/order-status").json["request"]["body"]["fields"] == [
        {"name": "note", "value": "a\nb"}
    ]


def test_a_pasted_command_may_go_over_several_lines(web: Web) -> None:
    command = "curl https://api.example/notes \\\r\n  -H 'X-Channel: chat' \\\r\n  --data-raw '{\r\n \"a\": 1\r\n}'"
    screen = new_step(web.as_("bob")).fill(curl=command).press("curl")
    assert screen.get("url") == "https://api.example/notes" and "X-Channel" in screen.all("header_name")
    assert (screen.get("json_text") or screen.get("raw_text")) == '{\n "a": 1\n}'
