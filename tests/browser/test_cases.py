"""A call that is kept as a test case, run again from a page of its step, and what differs then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, OrderApi, browsing, order_api, sign_in

SQLITE_ONLY = "what a person does and sees"


@pytest.fixture
def at_the_editor(tmp_path: Path) -> Iterator[tuple[Page, OrderApi]]:
    """A saved step that was tested once, with {{order.id}} in its address."""
    with (
        order_api() as api,
        browsing(tmp_path / "data", ADMIN_EMAIL=ADMIN, ADMIN_PASSWORD=PASSWORD) as (
            _,
            page,
            complaints,
        ),
    ):
        sign_in(page, to="/steps/new")
        page.locator('[name="name"]').fill("Order status")
        page.locator("#at-request-url").fill(f"{api.url}/orders/{{{{order.id}}}}")
        page.locator("#at-request-url").blur()
        page.locator('[name="value:order.id"]').fill("1001")
        with page.expect_response("**/test"):
            page.keyboard.press("Control+Enter")
        expect(page.locator(".result-line")).to_be_visible()  # or the mapping it proposes would not be saved
        page.keyboard.press("Control+s")
        page.wait_for_url("**/steps/1")
        yield page, api
        assert complaints == []


def test_a_call_of_the_log_is_kept_run_and_compared(at_the_editor: tuple[Page, OrderApi]) -> None:
    page, api = at_the_editor
    page.locator("#logs td.actions .btn").first.click()
    page.get_by_role("button", name="Keep as test case").click()
    expect(page.locator("dialog").get_by_text("Kept as “order.id = 1001”.")).to_be_visible()
    page.locator("dialog").get_by_role("link", name="Test cases").click()
    page.wait_for_url("**/steps/1/cases")
    before = len(api.paths)
    page.get_by_role("button", name="Run all").click()
    expect(page.get_by_text("Same: 1. Different: 0.")).to_be_visible()
    assert len(api.paths) == before + 1, "one press, one call"
    api.changed = True
    page.get_by_role("button", name="Run all").dblclick()
    expect(page.get_by_text("Same: 0. Different: 1.")).to_be_visible()
    assert len(api.paths) == before + 2, "two quick presses are one"
    row = page.get_by_role("row", name="price 9.95")
    expect(row).to_contain_text("9.95")
    page.get_by_text("Values and what is expected").click()
    for width, height in ((1280, 800), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for box in page.locator('[name="compared"]').all():
        box.uncheck()
    page.locator('[name="name"]').fill("An order on its way")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="An order on its way")).to_be_visible()
    expect(page.locator(".badge", has_text="Same")).to_be_visible()


def test_the_answer_of_a_test_is_kept_beside_its_result(at_the_editor: tuple[Page, OrderApi]) -> None:
    page, _ = at_the_editor
    with page.expect_response("**/test"):
        page.keyboard.press("Control+Enter")
    page.get_by_role("tab", name="Your bot").click()
    page.locator("#panel-bot").get_by_role("button", name="Keep as test case").click()
    expect(page.locator("#panel-bot").get_by_text("Kept as “order.id = ")).to_be_visible()
    expect(page.locator("[data-dirty]")).to_be_hidden()
