"""Values of the answer are ticked like a shopping list, and named in place; the rows of the mapping say the same."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing, order_api, settle, sign_in

SQLITE_ONLY = "what a person does and sees"


def test_a_tick_is_the_mapping_and_its_name_is_edited_in_place(tmp_path: Path) -> None:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (_, page, complaints):
        sign_in(page, to="/steps/new")
        page.locator('[name="name"]').fill("Order")
        page.locator("#at-request-url").fill(f"{api.url}/orders/1")
        page.locator("#test-btn").click()
        status = page.locator("[data-node=\"$['data']['status']\"]")
        tick, gets = status.locator(".tick"), page.locator("#bot-gets")
        expect(tick).to_have_attribute("aria-pressed", "true")
        expect(status.get_by_text("+ map")).to_be_hidden()
        status.locator(".name-input").fill("order_status")
        expect(page.locator(".rule-name").nth(1)).to_have_value("order_status")
        expect(gets).to_contain_text("order_status")
        expect(gets).to_contain_text("data › status")

        tick.click()
        expect(tick).to_have_attribute("aria-pressed", "false")
        expect(page.locator(".rule-on").nth(1)).not_to_be_checked()
        expect(gets).not_to_contain_text("order_status")
        tick.click()
        expect(status.locator(".name-input")).to_have_value("order_status")
        expect(page.locator(".rule")).to_have_count(7)

        page.get_by_role("button", name="Remove row 2").click()
        settle(page)
        expect(tick).to_have_attribute("aria-pressed", "false")
        tick.click()
        expect(page.locator(".rule")).to_have_count(7)
        expect(status.locator(".name-input")).to_be_focused()
        expect(page.locator(".rule-name").last).to_have_value("status")
        page.keyboard.type("state_now")
        expect(page.locator(".rule-name").last).to_have_value("state_now")
        page.keyboard.press("Escape")
        page.keyboard.press("Space")
        expect(tick).to_have_attribute("aria-pressed", "false")
        page.keyboard.press("Control+s")
        page.wait_for_url("**/steps/1")
        expect(page.locator(".rule-on").last).not_to_be_checked()
        assert complaints == []
