"""Ctrl+S leaves everything where it is: the focus with its caret, and the answer as that of this very form."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.chromium import OrderApi, settle

SQLITE_ONLY = "what a person does and sees"
EARLIER = "before your last changes"


def put_caret(page: Page, field: str, at: int) -> None:
    page.locator(field).evaluate("(one, at) => { one.focus(); one.setSelectionRange(at, at); }", at)


def caret(page: Page) -> list[object]:
    settle(page)
    found: list[object] = page.evaluate("[document.activeElement.name, document.activeElement.selectionStart]")
    return found


def test_the_first_save_and_the_next_leave_focus_and_caret(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    page.locator("#at-request-url").fill(f"{api.url}/orders/7")
    page.locator('[name="name"]').fill("Order status")
    for save in (1, 2):
        put_caret(page, '[name="name"]', 3)
        page.keyboard.type("x")
        page.keyboard.press("Control+s")
        expect(page.get_by_text("Saved.").first).to_be_visible()
        assert caret(page) == ["name", 4], save
        page.get_by_role("button", name="Close this notice").last.click()
    put_caret(page, ".rule-name, [name=alert_emails]", 0)
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved.").first).to_be_visible()
    assert caret(page) == ["alert_emails", 0]


def test_a_key_that_the_save_made_a_secret_is_no_change_since_the_test(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    page.goto("/steps/new#paste-curl")
    page.locator("#at-curl").fill(f"curl '{api.url}/orders/4711' -H 'X-Api-Key: abcdef123456'")
    page.get_by_role("button", name="Fill the form").click()
    expect(page.locator("#at-request-url")).to_have_value(f"{api.url}/orders/4711")
    page.locator('[name="name"]').fill("Order status")
    page.keyboard.press("Control+Enter")
    line = page.locator(".result-line")
    expect(line).to_contain_text("200 OK")
    page.keyboard.press("Control+s")
    expect(page.locator('[name="header_value"]').first).to_have_value("{{secret.API_KEY}}")
    settle(page)
    expect(line).not_to_contain_text(EARLIER, use_inner_text=True)
    page.locator("#at-request-url").fill(f"{api.url}/orders/4712")
    expect(line).to_contain_text(EARLIER, use_inner_text=True)
    page.keyboard.press("Control+s")
    settle(page, 1)
    expect(line).to_contain_text(EARLIER, use_inner_text=True)
