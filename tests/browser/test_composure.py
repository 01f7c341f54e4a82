"""What is calm about the editor: nothing jumps, the row that is new shows itself, and a finger needs no hover."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, OrderApi, browsing, order_api, settle, sign_in

SQLITE_ONLY = "what a person sees"
STATUS = "[data-node=\"$['data']['status']\"]"
PLACES = """() => [scrollY, ...[...document.querySelectorAll("#test-result .tree-row, #step-form h2")].filter((one) => one.offsetParent && !one.closest("#drift-banner"))
  .map((one) => Math.round(one.getBoundingClientRect().top))]"""


def saved(page: Page, api: OrderApi) -> None:
    page.goto("/steps/new")
    page.locator('[name="name"]').fill("Order status")
    page.locator("#at-request-url").fill(f"{api.url}/orders/1")
    page.locator("#test-btn").click()
    expect(page.locator(".rule")).to_have_count(7)
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")


def test_a_change_that_bots_met_is_one_line_and_moves_nothing(tmp_path: Path) -> None:
    """The page learns of it beside whatever is looked at: at its top, and far down."""
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (server, page, complaints):
        sign_in(page)
        saved(page, api)
        token = server.command("key", "create", "--name", "bot")
        page.goto("/steps/1")
        banner = page.locator("#drift-banner")
        before = page.evaluate(PLACES)
        api.changed = True
        for _ in range(3):
            server.execute("order-status", {}, token)
        page.evaluate("document.body.dispatchEvent(new CustomEvent('logs:changed'))")
        expect(banner).to_contain_text("JSON Structure Change Detected")
        settle(page)
        assert page.evaluate(PLACES) == before
        line = banner.bounding_box()
        assert line and line["height"] <= 60, "one quiet line"
        assert complaints == []


def test_the_row_that_is_mapped_shows_itself_and_a_fold_counts_what_is_off(tmp_path: Path) -> None:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (_, page, complaints):
        sign_in(page)
        saved(page, api)
        status, sums = page.locator(STATUS), page.locator('[data-sums="mapping"]')
        assert status.locator(".tree-value").get_attribute("title") == 'string: "shipped"'
        number = page.locator("[data-node=\"$['data']['id']\"] .tree-value")
        assert number.get_attribute("title") == "number: 4711"
        colours = [
            one.evaluate("one => getComputedStyle(one).color") for one in (number, status.locator(".tree-value"))
        ]
        assert colours[0] != colours[1]
        page.get_by_role("button", name="Remove row 2").click()
        settle(page)
        status.locator(".tick").click()
        expect(page.locator(".rule")).to_have_count(7)
        expect(page.locator(".tree .rule-new, .rule.rule-new")).not_to_have_count(0)
        assert page.locator(".tree .rule-new").evaluate_all("all => all.map((one) => one.dataset.node)") == [
            "$['data']['status']"
        ]
        page.keyboard.press("Escape")
        status.locator(".tick").click()
        expect(sums).to_have_text("6 attributes, 1 off")
        page.evaluate("sessionStorage.clear()")
        assert complaints == []


def test_a_finger_maps_without_hovering(tmp_path: Path) -> None:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (server, page, _):
        sign_in(page)
        saved(page, api)
        assert page.context.browser is not None
        context = page.context.browser.new_context(
            viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, base_url=server.url,
            storage_state=page.context.storage_state(),
        )  # fmt: skip
        phone = context.new_page()
        phone.goto("/steps/1")
        tick = phone.locator(STATUS).locator(".tick")
        tick.tap()
        expect(tick).to_have_attribute("aria-pressed", "false")
        expect(tick).to_be_visible()
        box = tick.bounding_box()
        assert box and box["width"] >= 20
        tick.tap()
        expect(tick).to_have_attribute("aria-pressed", "true")
        branch = phone.get_by_role("button", name="Map data › customer", exact=True)
        assert branch.evaluate("one => getComputedStyle(one).opacity") == "1", "a list or object offers it too"
        phone.evaluate("sessionStorage.clear()")
        context.close()
