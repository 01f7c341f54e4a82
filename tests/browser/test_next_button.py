"""Of Test and Save the one that comes next stands out."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import OrderApi

SQLITE_ONLY = "what a person sees"


def stands_out(page: Page, *words: str) -> None:
    expect(page.locator("[data-first].btn-primary:visible")).to_contain_text(list(words))


def sizes_of(page: Page) -> list[tuple[float, float]]:
    boxes = [button.bounding_box() for button in page.locator("[data-first]:visible").all()]
    return [(box["width"], box["height"]) for box in boxes if box]


def press_test(page: Page) -> None:
    with page.expect_response("**/test"):
        page.keyboard.press("Control+Enter")
    expect(page.locator("#test-btn")).to_be_enabled()


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_test_comes_first_then_save_then_neither(desk: tuple[Page, OrderApi], size: tuple[int, int]) -> None:
    page, api = desk
    page.set_viewport_size({"width": size[0], "height": size[1]})
    tests = ("Test", "Test") if size[0] < 1100 else ("Test",)
    stands_out(page, *tests)
    page.locator('[name="name"]').fill("Order status")
    page.locator("#at-request-url").fill("http://127.0.0.1:9/")
    press_test(page)
    stands_out(page, *tests)
    page.locator("#at-request-url").fill(f"{api.url}/orders/1001")
    sizes = sizes_of(page)
    press_test(page)
    stands_out(page, "Save")
    page.wait_for_timeout(400)
    stands_out(page, "Save")
    assert sizes_of(page) == sizes
    page.locator("#at-request-url").fill(f"{api.url}/orders/1002")
    stands_out(page, *tests)
    press_test(page)
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    stands_out(page)
    page.locator('[name="name"]').fill("Order")
    stands_out(page, "Save")


def test_in_a_flow_too(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    page.locator('[name="name"]').fill("Order status")
    page.locator("#at-request-url").fill(f"{api.url}/orders/1001")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    page.goto("/flows/new")
    stands_out(page, "Test")
    page.get_by_label("Name").fill("Order")
    for number in (1, 2):
        page.locator(f"#step-{number}").select_option(label="Order status")
    stands_out(page, "Test")
    page.locator("#test-btn").click()
    expect(page.locator(".flow-timeline")).to_be_visible()
    stands_out(page, "Save")
    page.locator("#when-1").select_option("exists")
    stands_out(page, "Test")
