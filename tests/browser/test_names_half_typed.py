"""A name that is half typed is no new one: what is known is taken first."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.chromium import OrderApi, settle

SQLITE_ONLY = "what a person does and sees"


def test_enter_takes_the_known_name_that_begins_so(desk: tuple[Page, OrderApi]) -> None:
    page, _ = desk
    url, chosen = page.locator("#at-request-url"), page.locator('#picker-options [aria-selected="true"]')
    url.fill("https://x.example/{{reorder}}/{{order}}")
    settle(page)
    url.press_sequentially("/{{ord")
    expect(page.locator("#pick-new")).to_be_visible()
    expect(chosen).to_have_text("{{order}}")
    page.keyboard.press("Enter")
    expect(url).to_have_value("https://x.example/{{reorder}}/{{order}}/{{order}}")


def test_a_secret_is_found_by_its_own_name_and_a_new_name_is_one_arrow_away(desk: tuple[Page, OrderApi]) -> None:
    page, _ = desk
    token = page.locator('[name="csrf_token"]').first.input_value()
    sent = {"csrf_token": token, "name": "CORNER_KEY", "secret_value": "corner-4711", "hosts": "https://x.example"}
    kept = page.request.post("/secrets", form=sent, headers={"Referer": page.url})
    assert kept.ok, kept.text()
    page.reload()
    url = page.locator("#at-request-url")
    url.fill("https://x.example/")
    url.press_sequentially("{{CORN")
    expect(page.locator("#pick-new")).to_be_visible()
    page.keyboard.press("Enter")
    expect(url).to_have_value("https://x.example/{{secret.CORNER_KEY}}")
    url.press_sequentially("/{{CORN")
    expect(page.locator("#pick-new")).to_be_visible()
    settle(page)  # the list is that of all letters
    page.keyboard.press("ArrowDown")
    expect(page.locator("#pick-new")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(url).to_have_value("https://x.example/{{secret.CORNER_KEY}}/{{CORN}}")
