"""A credential typed into a step: who may edit the step sees it, who may not sees it nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from httpstep.core.authentication import KINDS
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.mailbox import Inbox
from tests.web.conftest import Web
from tests.web.screen import Screen, new_step, open_step, web_with

SQLITE_ONLY = "who sees what is decided above the database"

KEY = "sk_live_7431abcd"
MASK = "••••"
URL = f"https://api.example/orders?sig={KEY}&id={{{{order.id}}}}"
STEPS: dict[str, dict[str, Any]] = {
    "bearer": {"auth": {"type": "bearer", "token": KEY}},
    "basic": {"auth": {"type": "basic", "username": "ana", "password": KEY}},
    "user": {"auth": {"type": "basic", "username": KEY}},
    "api-key": {"auth": {"type": "api_key", "name": "X-Key", "value": KEY, "in": "query"}},
    "another": {"auth": {"type": "none", "token": KEY, "client_secret": KEY, "password": KEY, "value": KEY}},
    "header": {"headers": [{"name": "Authorization", "value": f"Bearer {KEY}"}]},
    "key-header": {"headers": [{"name": "X-Api-Key", "value": f"{{{{user.name}}}}{KEY}"}]},
    "told": {"headers": [{"name": "X-Of-Ours", "value": f"Bearer {KEY}"}]},
    "url": {"url": URL},
    "field": {"method": "POST", "body": {"mode": "query", "fields": [{"name": "pin", "value": KEY}]}},
    "query": {"body": {"mode": "query", "fields": [{"name": "auth", "value": KEY}]}},
    "json": {"method": "POST", "body": {"mode": "json", "text": f'{{"pwd": "{KEY}"}}'}},
    "raw": {"method": "POST", "body": {"mode": "raw", "text": f"<a><pin>{KEY}</pin></a>"}},
    "idle": {"body": {"mode": "none", "text": f'{{"pwd": "{KEY}"}}', "fields": [{"name": "pin", "value": KEY}]}},
    "token-url": {
        "auth": {
            "type": "oauth2_client_credentials", "token_url": f"https://id.example/?sig={KEY}", "client_id": "me",
            "client_secret": KEY,
        }
    },
}  # fmt: skip
GIVEN = {"order.id": 42, "user.name": "Ada"}


@pytest.fixture
def web(make_house: Callable[..., House]) -> Web:
    return web_with(make_house, ThirdParty(answer(200, {"access_token": "abc", "a": 1})))


def views(web: Web, who: str) -> dict[str, str]:
    """All that shows something of step 1, as that person gets it."""
    browser = web.as_(who)
    log = web.house.execute("one", GIVEN).json["log_id"]
    paths = {
        "page": "/steps/1", "again": f"/steps/1?again={log}", "export": "/steps/1/export", "list": "/steps",
        "fragment": "/steps/list", "logs": "/steps/1/logs", "view": f"/logs/{log}", "log": f"/steps/1/logs/{log}",
        "api": "/docs/api", "drift": "/steps/1/drift", "flows": "/flows",
    }  # fmt: skip
    return {name: unescape(browser.get(path).text) for name, path in paths.items()}


def test_each_kind_of_authentication_is_among_the_steps() -> None:
    assert {one["auth"]["type"] for one in STEPS.values() if "auth" in one} == set(KINDS)


@pytest.mark.parametrize("name", STEPS)
def test_a_viewer_sees_it_nowhere(web: Web, name: str) -> None:
    assert web.house.put(document("one", **STEPS[name])).status_code == 201
    shown = views(web, "vera")
    assert {place for place, text in shown.items() if KEY in text} == set()
    assert MASK in shown["export"] and (MASK in shown["page"] or name == "idle")
    assert KEY in web.as_("bob").get("/steps/1/export").text


@pytest.mark.parametrize("who", ["bob", "alice"])
@pytest.mark.parametrize("name", STEPS)
def test_whoever_may_edit_sees_the_step_as_it_is(web: Web, name: str, who: str) -> None:
    put = web.house.put(document("one", **STEPS[name]))
    shown = views(web, who)
    assert KEY in shown["page"] and KEY in shown["export"]
    assert json.loads(shown["export"])["request"] == put.json["request"]
    assert web.house.call("GET", "/steps/one").json["request"] == put.json["request"], "a key that may replace it"


def test_what_is_masked_is_not_found_by_searching_either(web: Web) -> None:
    web.house.put(document("one", name="Orders", url=URL))
    for who, found in (("vera", False), ("bob", True)):
        for path in ("/steps", "/steps/list"):
            assert ("Orders" in web.as_(who).get(f"{path}?q=7431").text) is found
            assert "Orders" in web.as_(who).get(f"{path}?q=api.example/orders").text


def test_a_key_in_a_url_is_masked_where_the_api_repeats_it(make_house: Callable[..., House]) -> None:
    web = web_with(make_house, ThirdParty(answer(200, {"you_sent": KEY})))
    for number, step in enumerate(
        (
            {"url": f"https://api.example/?api_key={KEY}"},
            {"url": f"https://api.example/?a=b&token={KEY}"},
            {"method": "POST", "body": {"mode": "query", "fields": [{"name": "password", "value": KEY}]}},
            {"body": {"mode": "query", "fields": [{"name": "access_token", "value": KEY}]}},
        ),
        1,
    ):
        web.house.put(document(f"s{number}", **step))
        assert web.house.execute(f"s{number}").json["outcome"] == "success"
        assert KEY not in json.dumps(web.house.logs(f"s{number}"))


def test_a_mail_shows_no_credential_of_the_url(make_house: Callable[..., House], inbox: Inbox) -> None:
    variables = {"SMTP_URL": f"smtp://127.0.0.1:{inbox.port}", "MAIL_FROM": "a@b.example"}
    house = make_house(ThirdParty(answer(500)), **variables)
    house.put(document("one", url=URL, alert_emails=["ops@shop.example"]))
    house.execute("one")
    house.app.extensions["httpstep"].alerts.finish()
    assert f"https://api.example/orders?sig={MASK}&id={{{{order.id}}}}" in inbox.text() and KEY not in inbox.text()


# ---------------------------------------------------------------- a masked document comes back


SENTENCE = "The credential here is masked (••••)"


@pytest.mark.parametrize("name", STEPS)
def test_a_masked_document_is_refused_and_nothing_is_replaced(web: Web, tmp_path: Path, name: str) -> None:
    web.house.put(document("one", **STEPS[name]))
    before = web.house.call("GET", "/steps/one").json
    masked = web.as_("vera").get("/steps/1/export").text
    put = web.house.put(json.loads(masked))
    assert put.status_code == 422 and SENTENCE in put.json["detail"]
    pasted = new_step(web.as_("bob"), url="").fill(curl=masked).press("curl")
    assert pasted.status == 422 and SENTENCE in pasted.text
    (file := tmp_path / "step.json").write_text(masked, encoding="utf-8")
    ran = web.house.app.test_cli_runner().invoke(args=["step", "import", str(file), "--account", "default"])
    assert ran.exit_code == 1 and SENTENCE in ran.output
    assert web.house.call("GET", "/steps/one").json == before


def test_dots_in_the_form_are_neither_saved_nor_sent(web: Web) -> None:
    web.house.put(document("one", **STEPS["bearer"]))
    screen: Screen = open_step(web.as_("bob")).fill(auth_token=MASK)
    for move in ("save", "test", "preview"):
        assert screen.press(move).status == 422 and SENTENCE in screen.text
    assert web.house.call("GET", "/steps/one").json["request"]["auth"]["token"] == KEY
    assert web.house.logs("one") == []


def test_a_masked_curl_line_makes_no_secret(web: Web) -> None:
    line = f"curl https://api.example/x -H 'Authorization: Bearer {MASK}'"
    screen = new_step(web.as_("alice"), url="").fill(curl=line).set("keep_secrets", "1").press("curl")
    assert "Stored under Secrets" not in screen.text and "No secrets yet" in web.as_("alice").get("/secrets").text
    assert SENTENCE in screen.press("save").text


def test_a_masked_body_that_is_no_credential_is_a_body(web: Web) -> None:
    text = json.dumps({"stars": MASK}, ensure_ascii=False)
    step = document("one", method="POST", body={"mode": "json", "text": text}, headers=[{"name": "X", "value": "a"}])
    assert web.house.put(step).status_code == 201
