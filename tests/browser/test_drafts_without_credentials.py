"""What a browser keeps of a form that is not saved: no credential, wherever it was typed, and the rest as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from httpstep.core.masking.redaction import is_credential_name
from tests.browser.chromium import ADMIN, PASSWORD, browsing, settle, sign_in

SQLITE_ONLY = "what a person does and sees"
URL = "https://x.example/orders"
NAMES = [
    "password", "PASSWORD", "passwd", "pwd", "user_password", "passCode", "pin", "otp", "token", "accessToken", "access_token", "x-token",
    "tokens", "tokenizer", "api_key", "apiKey", "API-KEY", "apikey", "x-api-key", "key", "keyword", "monkey", "primary_key", "clientKey",
    "subscription-key", "licenseKey", "secret", "client_secret", "secretary", "authorization", "Proxy-Authorization", "authorized", "auth",
    "author", "cookie", "Set-Cookie", "cookies", "jwt", "bearer", "credential", "credentials", "sid", "side", "session_id", "sessionId",
    "order_id", "signature", "sig", "signal", "design", "appid", "app_id", "accessKey", "name", "größe", "", "1", "a b", "encryption key",
]  # fmt: skip


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with browsing(tmp_path / "data", ADMIN_EMAIL=ADMIN, ADMIN_PASSWORD=PASSWORD) as (_, opened, complaints):
        sign_in(opened, to=None)
        opened.on("dialog", lambda dialog: dialog.accept())
        yield opened
        assert [text for text in complaints if "422" not in text] == []


def start(page: Page, mode: str, *, url: str = URL) -> None:
    page.goto("/steps/new")
    page.locator('[name="name"]').fill("Order status")
    page.locator("#at-request-url").fill(url)
    page.locator('[name="method"]').select_option("POST")
    choose(page, mode)


def unfold_body(page: Page) -> None:
    while (folded := page.locator("details:has([name=body_mode]):not([open]) > summary").first).count():
        folded.click()


def choose(page: Page, mode: str) -> None:
    unfold_body(page)
    page.locator(f'[name="body_mode"][value="{mode}"]').check()
    settle(page)


def kept(page: Page) -> str:
    """All that is in the tab's storage, a moment after typing."""
    page.wait_for_timeout(400)
    settle(page)
    return str(page.evaluate("JSON.stringify({...sessionStorage})"))


def text_kept(page: Page, name: str) -> str:
    [draft] = [value for key, value in json.loads(kept(page)).items() if key.startswith("httpstep-draft:")]
    return str(dict(json.loads(draft)["pairs"])[name])


def test_members_of_a_json_body_are_left_out_by_the_rule_by_which_the_server_masks(page: Page) -> None:
    start(page, "json")
    body = {name: f"value-{index}" for index, name in enumerate(NAMES)}
    page.locator('[name="json_text"]').fill(json.dumps(body, indent=1, ensure_ascii=False))
    found = json.loads(text_kept(page, "json_text"))
    assert found == {name: "" if is_credential_name(name) else value for name, value in body.items()}


@pytest.mark.parametrize(
    ("mode", "name", "text", "left"),
    [
        ("json", "json_text", '{"pin": 123456, "n": 2, "api_key" : "a\\"b-hidden", "token": "{{secret.T}}", "list": ["password", "c"]}',
         '{"pin": "", "n": 2, "api_key" : "", "token": "{{secret.T}}", "list": ["password", "c"]}'),
        ("json", "json_text", '{"deep": [{"password": "hidden-1"}, {"password": "hidden-2", ', '{"deep": [{"password": ""}, {"password": "", '),
        ("json", "json_text", '{"next": "https://a.example/?token=hidden&page=2"}', '{"next": "https://a.example/?token=&page=2"}'),
        ("raw", "raw_text", "<a><Password kind='x'>hidden</Password><b>c</b></a>", "<a><Password kind='x'></Password><b>c</b></a>"),
        ("raw", "raw_text", "user=ana&password=hid%20den&x=1", "user=ana&password=&x=1"),
        ("graphql", "variables", '{"token": "hidden", "id": "{{order.id}}"}', '{"token": "", "id": "{{order.id}}"}'),
    ],
)  # fmt: skip
def test_a_credential_in_a_body_is_not_kept(page: Page, mode: str, name: str, text: str, left: str) -> None:
    start(page, mode)
    page.locator(f'[name="{name}"]').fill(text)
    assert text_kept(page, name) == left
    assert "hid" not in kept(page) and "123456" not in kept(page)


def test_a_credential_in_the_url_or_a_value_for_test_is_not_kept(page: Page) -> None:
    start(page, "none", url="https://ana:hidden@x.example/{{pin}}?api_key=hidden2&page={{page}}&sig={{secret.S}}")
    settle(page)
    page.locator('[name="value:pin"]').fill("987654")
    page.locator('[name="value:page"]').fill("second")
    found = kept(page)
    assert "hidden" not in found and "987654" not in found and "second" in found
    assert text_kept(page, "url") == "https://@x.example/{{pin}}?api_key=&page={{page}}&sig={{secret.S}}"


def test_what_is_brought_back_keeps_the_credential_of_the_form(page: Page) -> None:
    """The stored step has one: a draft without it does not take it away."""
    start(page, "json")
    page.locator('[name="json_text"]').fill('{"password": "stored-1", "qty": 1}')
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    unfold_body(page)
    page.locator('[name="json_text"]').fill('{"password": "stored-1", "qty": 2}')
    assert "stored-1" not in kept(page)
    page.reload()
    expect(page.locator("#draft-offer")).to_contain_text("passwords and tokens apart")
    page.get_by_role("button", name="Bring it back").click()
    expect(page.locator('[name="json_text"]')).to_have_value('{"password": "stored-1", "qty": 2}')
    expect(page.locator("[data-dirty]")).to_be_visible()
