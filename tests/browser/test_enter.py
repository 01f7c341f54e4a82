"""Enter does the harmless thing, an empty value costs nothing, and an old verdict goes when a new test starts."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, OrderApi, browsing, order_api, settle, sign_in

SQLITE_ONLY = "what a person does and sees"


def enter_in_the_address(page: Page, api: OrderApi) -> None:
    """It tests where the call only reads; else it leads to the button, and calls nobody."""
    url = page.locator("#at-request-url")
    url.fill(f"{api.url}/orders/1")
    url.press("Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    page.locator('[name="method"]').select_option("POST")
    url.press("Enter")
    expect(page.locator("#test-btn")).to_be_focused()
    settle(page)
    assert api.paths == ["/orders/1"]
    page.locator('[name="method"]').select_option("GET")


def enter_in_rows(page: Page) -> None:
    page.get_by_role("button", name="Add Header").click()
    page.keyboard.type("Accept")
    page.keyboard.press("Enter")
    rows = page.locator("#headers .pair")
    expect(rows).to_have_count(2)
    expect(rows.nth(1).locator('[name="header_name"]')).to_be_focused()
    expect(page.locator('[data-sums="headers"]')).to_have_text("1: Accept")
    page.locator('[name="name"]').press("Enter")
    page.locator('[name="success_statuses"]').evaluate("one => { one.closest('details').open = true; }")
    page.locator('[name="success_statuses"]').press("Enter")
    settle(page)
    assert page.url.endswith("/steps/new"), "nothing is saved"


def an_empty_value(page: Page, api: OrderApi) -> None:
    page.locator("#at-request-url").fill(f"{api.url}/orders/{{{{order.id}}}}")
    value = page.locator('[name="value:order.id"]')
    expect(value).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(value).to_have_attribute("aria-invalid", "true")
    expect(value).to_be_focused()
    expect(page.locator(".tree")).to_contain_text("shipped")
    assert len(api.paths) == 1
    expect(page.locator(".logs-table tbody tr")).to_have_count(1)
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    expect(page.locator(".logs-table tbody tr")).to_have_count(2)
    assert api.paths[-1] == "/orders/7"


def the_old_verdict_goes(page: Page, api: OrderApi) -> None:
    expect(page.locator(".result-line")).to_be_visible()
    page.locator("#at-request-url").fill(f"{api.url}/slow")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    expect(page.locator(".result-line")).to_be_hidden()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled after")).to_be_visible()


def test_enter_tests_or_adds_and_never_saves(tmp_path: Path) -> None:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (_, page, complaints):
        sign_in(page, to="/steps/new")
        enter_in_the_address(page, api)
        enter_in_rows(page)
        an_empty_value(page, api)
        the_old_verdict_goes(page, api)
        page.evaluate("sessionStorage.clear()")
        assert [text for text in complaints if "422" not in text] == []
