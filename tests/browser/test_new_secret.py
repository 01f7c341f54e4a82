"""A secret is made beside the field that wants one: nothing typed is lost, and its value stays nowhere."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing, settle, sign_in

SQLITE_ONLY = "what a person does and sees"
VALUE = "tok-7431-sesame"
STORED = "JSON.stringify(sessionStorage) + JSON.stringify(localStorage)"


def make(page: Page, name: str) -> None:
    dialog = page.locator("#modal")
    dialog.locator("#new-secret-name").fill(name)
    dialog.get_by_role("button", name="Store and insert it").click()
    expect(dialog).to_be_hidden()


def a_token_in_a_header(page: Page) -> None:
    page.get_by_role("button", name="Add Header").click()
    page.keyboard.type("Authorization")
    page.keyboard.press("Tab")
    page.keyboard.type(f"Bearer {VALUE}")
    page.locator("#headers").get_by_role("button", name="Keep it as a secret").click()
    dialog = page.locator("#modal")
    expect(dialog.locator("#new-secret-value")).to_have_value(VALUE)
    expect(dialog.get_by_label("May be sent to")).to_have_value("https://api.example")
    dialog.locator("#new-secret-name").fill("no name")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("A name begins with a letter")
    expect(dialog.locator("#new-secret-value")).to_have_value(VALUE)
    make(page, "SHOP_TOKEN")
    value = page.locator('[name="header_value"]').first
    expect(value).to_have_value("Bearer {{secret.SHOP_TOKEN}}")
    expect(value).to_be_focused()
    expect(page.locator("#headers .secret-hint")).to_have_count(0)


def a_key_in_the_address_and_one_of_the_authentication(page: Page) -> None:
    url = page.locator("#at-request-url")
    url.fill("https://api.example/orders?page=1&api_key=k-99887766&x=2")
    url.locator("xpath=ancestor::div[contains(@class, 'field')][1]").get_by_role("button", name="Keep it").click()
    expect(page.locator("#new-secret-name")).to_have_value("API_KEY")
    make(page, "API_KEY")
    expect(url).to_have_value("https://api.example/orders?page=1&api_key={{secret.API_KEY}}&x=2")
    page.locator("#part-auth > summary").click()
    page.locator('[name="auth_type"]').select_option("bearer")
    page.locator("#authentication").get_by_role("button", name="Keep it as a secret").locator("visible=true").click()
    page.locator("#new-secret-value").fill("b-123456789")
    make(page, "BEARER")
    expect(page.locator('[name="auth_token"]')).to_have_value("{{secret.BEARER}}")


def test_a_secret_is_made_where_it_is_wanted(tmp_path: Path) -> None:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with browsing(tmp_path / "data", **variables) as (server, page, complaints):
        sign_in(page)
        page.goto("/steps/new")
        page.locator('[name="name"]').fill("Typed before")
        page.locator("#at-request-url").fill("https://api.example/orders")
        a_token_in_a_header(page)
        a_key_in_the_address_and_one_of_the_authentication(page)
        expect(page.locator('[name="name"]')).to_have_value("Typed before")
        expect(page.locator("#modal")).to_be_hidden()
        settle(page)
        kept, shown = page.evaluate(STORED), page.content()
        for value in (VALUE, "k-99887766", "b-123456789"):
            assert value not in kept and value not in shown and value not in server.log.read_text()
        assert "Typed before" in kept, "the draft goes on being kept"
        page.keyboard.press("Control+s")
        page.wait_for_url("**/steps/1")
        assert [text for text in complaints if "422" not in text] == []
