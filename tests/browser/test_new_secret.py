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
        sign_in(page, to="/steps/new")
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


def test_a_key_that_is_kept_is_offered_and_a_pasted_one_is_told_of_once(tmp_path: Path) -> None:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with browsing(tmp_path / "data", **variables) as (_, page, complaints):
        sign_in(page, to="/steps/new#paste-curl")
        page.locator("#at-curl").fill(f"curl https://api.example/orders -H 'X-Api-Key: {VALUE}'")
        page.get_by_role("button", name="Fill the form").click()
        expect(page.get_by_text("It carries a credential.")).to_have_count(1)
        settle(page)
        expect(page.locator(".secret-hint")).to_have_count(0)
        page.get_by_text("Keep tokens and passwords in it as secrets").evaluate(
            "one => { one.closest('details').open = true; one.click(); }"
        )
        page.locator('[name="name"]').fill("Orders")
        expect(page.locator("#headers .secret-hint")).to_have_count(1)
        page.get_by_text("Keep tokens and passwords in it as secrets").click()
        page.locator('[name="name"]').fill("All orders")
        expect(page.locator(".secret-hint")).to_have_count(0)
        page.keyboard.press("Control+s")
        page.wait_for_url("**/steps/1")
        value = page.locator('[name="header_value"]').first
        expect(value).to_have_value("{{secret.API_KEY}}")
        kept = value.input_value()

        page.goto("/steps/new")
        page.locator("#at-request-url").fill("https://api.example/orders")
        page.get_by_role("button", name="Add Header").click()
        page.keyboard.type("X-Api-Key")
        page.keyboard.press("Tab")
        page.keyboard.type(VALUE)
        page.locator("#headers").get_by_role("button", name="Keep it as a secret").click()
        dialog = page.locator("#modal")
        expect(dialog).to_contain_text("This value is kept already")
        insert = dialog.get_by_role("button", name="Insert it")
        expect(insert).to_be_focused()
        page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
        expect(value).to_have_value(kept)
        expect(value).to_be_focused()
        value.fill("another-key-55")
        page.locator("#headers").get_by_role("button", name="Keep it as a secret").click()
        expect(dialog.locator("#new-secret-value")).to_have_value("another-key-55")
        expect(dialog.locator("#new-secret-name")).not_to_have_value(kept[9:-2])
        dialog.locator("#new-secret-name").fill("no name")
        dialog.get_by_role("button", name="Store and insert it").click()
        expect(dialog).to_contain_text("A name begins with a letter")
        dialog.get_by_label("One that is kept already").select_option(kept[9:-2])
        dialog.get_by_role("button", name="Insert it", exact=True).click()
        expect(value).to_have_value(kept)
        page.evaluate("sessionStorage.clear()")
        assert [text for text in complaints if "422" not in text] == []
