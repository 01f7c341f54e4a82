"""The rows of the answer on a phone and with a mouse: a press meets its tick, and "Show me" the row that it speaks of."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect
from pytest_httpserver import HTTPServer

from tests.browser.chromium import OrderApi, settle

SQLITE_ONLY = "what a person does and sees"
ROWS = """() => [...document.querySelectorAll(".tree .tree-row")].map((row) => {
  const { top, height } = row.getBoundingClientRect();
  return [Math.round(top + scrollY), Math.round(height)];
})"""


@pytest.fixture
def page(desk: tuple[Page, OrderApi], httpserver: HTTPServer) -> Page:
    page, _ = desk
    got = {"order": {"id": 4711, "status": "in preparation", "eta": None, "carrier": "DHL"}}
    httpserver.expect_request("/orders/4711").respond_with_data(json.dumps(got), content_type="application/json")
    page.locator("#at-request-url").fill(httpserver.url_for("/orders/4711").replace("localhost", "127.0.0.1"))
    with page.expect_response("**/test"):
        page.keyboard.press("Control+Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    expect(page.locator(".tick[aria-pressed=true]")).to_have_count(4)
    return page


@pytest.mark.parametrize("width", [360, 390, 700, 1000, 1280])
def test_no_row_grows_or_moves_when_one_is_touched(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.locator("h1").hover()
    before = page.evaluate(ROWS)
    for key in ("id", "eta"):
        row = page.locator(f"[data-node=\"$['order']['{key}']\"] .tree-row")
        row.locator(".tick").click()
        settle(page)
        assert page.evaluate(ROWS) == before, key
        row.focus()
        assert page.evaluate(ROWS) == before, key
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_word_beside_a_tick_presses_it(page: Page) -> None:
    row = page.locator("[data-node=\"$['order']['status']\"] .tree-row")
    row.locator(".tree-key").click()
    expect(row.locator(".tick")).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".rule-on").nth(1)).not_to_be_checked()
    row.locator(".tree-key").click()
    expect(row.locator(".tick")).to_have_attribute("aria-pressed", "true")


def test_show_me_leads_to_the_ticked_row_whose_value_is_empty_here_else_to_the_first_ticked(page: Page) -> None:
    page.get_by_role("button", name="Untick all").click()
    for key in ("status", "eta"):
        page.locator(f"[data-node=\"$['order']['{key}']\"] .tick").click()
    page.locator("#says").fill("It comes on {{eta}}.")
    page.locator(".says-empty > summary").click()
    page.locator(".says [data-show-default]").click()
    expect(page.locator(".rule").nth(2).get_by_label("If it is missing")).to_be_focused()
    page.locator(".rule-on").nth(2).uncheck()
    page.locator(".says [data-show-default]").click()
    expect(page.locator(".rule").nth(1).get_by_label("If it is missing")).to_be_focused()
