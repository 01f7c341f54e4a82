"""The ways that people go, with their clicks and keys counted: who never saw an API tool, who never leaves the keyboard, and who
has a phone. The one with a line of a documentation is in test_paste_walk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, OrderApi, browsing, order_api, sign_in

SQLITE_ONLY = "what a person does and sees"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[tuple[Page, OrderApi]]:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (_, page, complaints):
        sign_in(page)
        yield page, api
        assert complaints == []


class Hands:
    """Presses and counts."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.keys = page, 0, 0

    def click(self, place: Locator) -> None:
        self.clicks += 1
        place.click()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.keys += 1
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)


def test_who_never_saw_an_api_tool_has_a_saved_step_in_seven_clicks(here: tuple[Page, OrderApi]) -> None:
    page, api = here
    hands = Hands(page)
    hands.click(page.get_by_role("link", name="New step").first)
    expect(page.locator("#at-request-url")).to_be_focused()
    page.wait_for_load_state()
    hands.type(f"{api.url}/orders/4711")
    hands.click(page.locator('[name="name"]'))
    hands.type("Order status")
    hands.click(page.locator("#test-btn"))
    expect(page.locator("#bubble")).to_contain_text("Your status is shipped.")
    hands.click(page.locator("[data-node=\"$['data']['customer']['email']\"] .tick"))
    hands.click(page.get_by_label("What your bot says"))
    hands.type("Hello {{name}}, your order is {{status}}.")
    expect(page.locator("#bubble")).to_have_text("Hello Ada Lovelace, your order is shipped.")
    hands.click(page.locator("[data-save]"))
    page.wait_for_url("**/steps/1")
    hands.click(page.locator(".usage-menu > summary"))
    expect(page.locator("#use-url")).to_be_visible()
    assert hands.clicks == 7 and len(api.paths) == 1


def test_a_developer_makes_a_step_without_a_click(here: tuple[Page, OrderApi]) -> None:
    page, api = here
    hands = Hands(page)
    hands.press("n")
    expect(page.locator("#at-request-url")).to_be_focused()
    page.wait_for_load_state()
    hands.type(f"{api.url}/orders/4711")
    hands.press("Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    hands.press("Shift+Tab", "Shift+Tab")
    expect(page.locator('[name="name"]')).to_be_focused()
    hands.type("Order status")
    hands.press("Control+s")
    page.wait_for_url("**/steps/1")
    assert (hands.clicks, hands.keys) == (0, 5) and len(api.paths) == 1


def test_an_operator_tests_a_step_on_a_phone_in_two_touches(here: tuple[Page, OrderApi]) -> None:
    page, api = here
    page.keyboard.press("n")
    page.wait_for_url("**/steps/new")
    page.locator("#at-request-url").fill(f"{api.url}/orders/4711")
    page.locator('[name="name"]').fill("Order status")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".rule")).to_have_count(7)
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/steps")
    hands = Hands(page)
    hands.click(page.get_by_role("link", name="Order status").first)
    hands.click(page.locator(".bottom-bar").get_by_role("button", name="Test"))
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    expect(page.locator(".result-line .badge")).to_be_in_viewport(ratio=1)
    expect(page.locator("[data-node=\"$['data']['status']\"] .tree-value")).to_be_in_viewport(ratio=1)
    assert hands.clicks == 2 and page.evaluate("document.documentElement.scrollWidth") <= 390
