"""What your bot says: the sentence follows the typing, the names and the ticks, and stays with its step in this browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing, order_api, settle, sign_in

SQLITE_ONLY = "what a person does and sees"


def test_a_sentence_is_filled_in_with_the_values_of_the_answer(tmp_path: Path) -> None:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (_, page, complaints):
        sign_in(page, to="/steps/new")
        page.locator('[name="name"]').fill("Order")
        page.locator("#at-request-url").fill(f"{api.url}/orders/1")
        page.locator("#test-btn").click()
        says, bubble = page.get_by_label("What your bot says"), page.locator("#bubble")
        expect(bubble).to_have_text("For example: Your status is shipped.")
        page.keyboard.press("Control+s")
        page.wait_for_url("**/steps/1")

        says.fill("Order {{id}} is {{status}}.")
        expect(bubble).to_have_text("Order 4711 is shipped.")
        settle(page)
        expect(page.locator("[data-dirty]")).to_be_hidden()
        page.locator("[data-node=\"$['data']['status']\"] .name-input").fill("state")
        expect(bubble).to_have_text("Order 4711 is {{status}}.")
        says.fill("Order {{id}} is {{state}}.")
        expect(bubble).to_have_text("Order 4711 is shipped.")
        page.locator("[data-node=\"$['data']['id']\"] .tick").click()
        expect(bubble).to_have_text("Order {{id}} is shipped.")

        page.locator("#test-btn").click()
        expect(page.locator("#test-btn")).to_be_enabled()
        expect(page.locator(".result-line")).to_be_visible()
        expect(says).to_have_value("Order {{id}} is {{state}}.")
        expect(bubble).to_have_text("Order {{id}} is shipped.")
        page.keyboard.press("Control+s")
        expect(page.locator("[data-dirty]")).to_be_hidden()
        page.reload()
        expect(says).to_have_value("Order {{id}} is {{state}}.")
        expect(bubble).to_have_text("Order {{id}} is shipped.")
        assert len(api.paths) == 2 and complaints == []


OTHER = "bob@example.com"


def test_a_sentence_is_there_another_day_in_the_same_browser_and_for_nobody_else(tmp_path: Path) -> None:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (server, page, complaints):
        server.command("user", "add", OTHER, "--role", "editor", "--password", PASSWORD)
        sign_in(page, to="/steps/new")
        page.locator('[name="name"]').fill("Order")
        page.locator("#at-request-url").fill(f"{api.url}/orders/1")
        page.locator("#test-btn").click()
        page.get_by_label("What your bot says").fill("Order {{id}}.")
        fresh = page.context.new_page()
        fresh.goto("/steps/new")
        fresh.locator("#at-request-url").fill(f"{api.url}/orders/1")
        fresh.locator("#test-btn").click()
        expect(fresh.get_by_label("What your bot says")).to_have_value("")
        fresh.close(run_before_unload=False)
        page.keyboard.press("Control+s")
        page.wait_for_url("**/steps/1")
        page.close()

        later = page.context.new_page()
        later.goto("/steps/1")
        expect(later.get_by_label("What your bot says")).to_have_value("Order {{id}}.")
        expect(later.locator("#bubble")).to_have_text("Order 4711.")
        later.context.clear_cookies()
        sign_in(later, OTHER)
        assert "Order" not in later.evaluate("JSON.stringify(localStorage)")
        assert complaints == []
