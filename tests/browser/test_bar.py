"""The bars over the editor: names take the room that is there."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import OrderApi

SQLITE_ONLY = "what a person sees"
NAME, EMAIL = "Order status of a customer, by number", "margarethe@care.shop.example"
IS_CUT = "one => one.scrollWidth > one.clientWidth"


@pytest.fixture
def step(desk: tuple[Page, OrderApi]) -> Page:
    page, api = desk
    page.locator('[name="name"]').fill(NAME)
    page.locator("#at-request-url").fill(f"{api.url}/orders/1001")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    return page


@pytest.mark.parametrize("width", [1280, 1024])
def test_the_name_of_the_step_and_of_who_is_signed_in_are_whole_where_there_is_room(step: Page, width: int) -> None:
    step.set_viewport_size({"width": width, "height": 800})
    step.reload()
    label = step.locator(".topbar .menu-label")
    label.evaluate("(one, email) => { one.textContent = email; }", EMAIL)
    assert not label.evaluate(IS_CUT)
    assert not step.locator("#step-title").evaluate(IS_CUT)
    assert not step.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_a_message_in_the_bar_leaves_a_short_name_whole(step: Page) -> None:
    step.set_viewport_size({"width": 1280, "height": 800})
    title = step.locator("#step-title")
    title.evaluate("one => { one.textContent = 'Order status'; }")
    step.evaluate("httpstep.toast({ text: 'Saved. No test has succeeded yet: press Test to see what your bot gets.' })")
    assert not title.evaluate(IS_CUT)
    toast = step.locator(".editor-where .toast:last-child > p")
    expect(toast).to_be_visible()
    assert not toast.evaluate("one => one.scrollHeight > one.clientHeight + 1")
