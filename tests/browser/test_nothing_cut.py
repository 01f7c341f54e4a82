"""What was cut, broken in two or out of line on one of the pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import OrderApi

SQLITE_ONLY = "what a person sees"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 800}


@pytest.fixture
def step(desk: tuple[Page, OrderApi]) -> Page:
    """Saved, tested, and its call opened."""
    page, api = desk
    page.locator('[name="name"]').fill("Order status")
    page.locator("#at-request-url").fill(f"{api.url}/orders/1001")
    for _ in range(2):
        with page.expect_response("**/test"):
            page.keyboard.press("Control+Enter")
        expect(page.locator("#test-btn")).to_be_enabled()
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    page.get_by_role("link", name="View", exact=True).first.click()
    expect(page.locator("#modal")).to_be_visible()
    return page


def test_a_call_has_its_two_panes_in_line(step: Page) -> None:
    step.set_viewport_size(DESK)
    heads = [head.bounding_box() for head in step.locator(".pane > header").all()]
    assert len({head["height"] for head in heads if head}) == 1


def test_a_call_that_was_kept_as_a_test_case_can_be_compared_and_its_case_is_whole_on_a_phone(step: Page) -> None:
    step.set_viewport_size(PHONE)
    step.get_by_role("button", name="Keep as test case").click()
    expect(step.get_by_role("status").filter(has_text="Kept as")).to_be_visible()
    for button in step.locator(".log-foot .btn:visible").all():
        expect(button).to_be_in_viewport(ratio=1)
    step.goto("/steps/1/cases")
    summary = step.locator(".fold > summary").first
    box, card = summary.locator("> :last-child").bounding_box(), step.locator("main .card").bounding_box()
    assert box and card and box["x"] + box["width"] <= card["x"] + card["width"]
    summary.click()
    code = step.locator(".check code").first
    assert code.evaluate("one => one.getBoundingClientRect().width < one.parentElement.getBoundingClientRect().width")


def test_the_name_in_a_flows_condition_has_room(step: Page) -> None:
    step.set_viewport_size(DESK)
    step.goto("/flows/new")
    step.locator("#step-1").select_option(label="Order status")
    step.locator("#when-1").select_option("equals")
    step.locator("#attribute-1").fill("order.status")
    assert not step.locator("#attribute-1").evaluate("one => one.scrollWidth > one.clientWidth")


def test_the_name_of_a_secret_stands_on_one_line(step: Page) -> None:
    step.set_viewport_size(DESK)
    step.goto("/secrets")
    step.get_by_label("Name").fill("ORDER_DESK_TOKEN")
    step.get_by_label("Value").fill("sesame-open-4711")
    step.get_by_label("May be sent to").fill("https://api.shop-assistant.example:8443")
    step.get_by_role("button", name="Store the secret").click()
    assert step.locator("td > code").first.evaluate("one => one.getClientRects().length") == 1
