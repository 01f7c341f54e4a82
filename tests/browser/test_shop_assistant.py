"""Where a shop assistant stopped: what the bot gets, values for test, and which field is meant."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect
from pytest_httpserver import HTTPServer

from tests.browser.chromium import OrderApi

SQLITE_ONLY = "what a person sees"
ANSWER = {
    "carrier": "Parcel Service", "eta": "2026-12-01", "id": 1042, "name": "Lamp", "qty": 2, "price": 9.5, "ok": True,
    "note": "Ring twice", "floor": 3, "city": "Ulm", "status": "shipped", "zip": "89073",
}  # fmt: skip

SEEN_WHOLE = "(all) => all.every((dt) => dt.scrollWidth <= dt.clientWidth && dt.nextElementSibling.clientWidth > 40)"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_value_she_came_for_is_among_those_that_are_seen(
    desk: tuple[Page, OrderApi], httpserver: HTTPServer, width: int, height: int
) -> None:
    page, _ = desk
    httpserver.expect_request("/order").respond_with_data(json.dumps(ANSWER), content_type="application/json")
    page.set_viewport_size({"width": width, "height": height})
    page.locator("#at-request-url").fill(httpserver.url_for("/order"))
    page.keyboard.press("Control+Enter")
    expect(page.locator("#bot-gets dt:visible")).to_have_text([*ANSWER])
    names = page.locator("#bot-gets dt")
    for _ in range(50):  # while the panel is still being laid out
        if fits := names.evaluate_all(SEEN_WHOLE):
            break
        page.wait_for_timeout(100)
    assert fits
    expect(page.locator("#bot-gets [data-gets-more]")).to_be_hidden()
    expect(page.locator("#bubble")).to_have_text("For example: Your status is shipped.")
    expect(page.locator("#says")).to_have_attribute("placeholder", "Your status is {{status}}.")


def test_change_puts_the_cursor_into_the_value(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    page.locator("#at-request-url").fill(f"{api.url}/orders/{{{{order}}}}/{{{{line}}}}")
    for name, value in (("order", "1042"), ("line", "7")):
        page.locator(f'[name="value:{name}"]').fill(value)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    page.locator(".values-edit").click()
    expect(page.locator('[name="value:order"]')).to_be_focused()
    page.keyboard.type("9999")
    expect(page.locator('[name="value:order"]')).to_have_value("9999")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#values-for-test")).not_to_have_attribute("open", "")
    page.locator(".value-chip").last.click()
    expect(page.locator('[name="value:line"]')).to_be_focused()
    page.keyboard.type("8")
    expect(page.locator('[name="value:line"]')).to_have_value("8")


def test_what_is_to_be_mended_names_its_section_and_is_focused(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    page.locator("#at-request-url").fill(f"{api.url}/orders/1")
    page.locator("#part-auth > summary").click()
    page.locator('[name="auth_type"]').select_option("api_key")
    name = page.locator("#at-request-auth-name")
    expect(name).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#fault-summary a").first).to_have_text("Authentication: Name")
    expect(name).to_be_focused()


def test_what_the_bot_says_of_a_failed_call_is_one_press_away(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    page.locator("#at-request-url").fill(f"{api.url}/orders/1")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".rule").first).to_be_attached()
    page.locator("#part-mapping > summary").click()
    section = page.locator("#section-fallback")
    expect(section).to_contain_text("refuses the answer (Succeed only then)")
    expect(section).to_contain_text("may be those of the customer's earlier question")
    section.get_by_role("button", name="Show me").click()
    default = page.get_by_label("If it is missing").first
    expect(default).to_be_focused()
    expect(default).to_be_in_viewport(ratio=1)
    assert default.evaluate("(field) => field.scrollWidth <= field.clientWidth")


def test_the_box_to_paste_into_has_the_cursor_once_it_is_open(desk: tuple[Page, OrderApi]) -> None:
    page, _ = desk
    page.locator("#paste-curl > summary").click()
    expect(page.locator("#at-curl")).to_be_focused()


@pytest.mark.parametrize("where", ["headers", "auth"])
def test_what_a_401_speaks_of_is_shown(desk: tuple[Page, OrderApi], httpserver: HTTPServer, where: str) -> None:
    page, _ = desk
    httpserver.expect_request("/order").respond_with_json({"error": "bad key"}, 401)
    page.locator("#at-request-url").fill(httpserver.url_for("/order"))
    if where == "headers":
        page.get_by_role("button", name="Add Header").click()
        page.locator("#part-headers [name='header_name']").last.fill("X-Api-Key")
        page.locator("#part-headers [name='header_value']").last.fill("wrong")
    page.locator(f"#part-{where}").evaluate("(part) => { part.open = false; }")
    page.locator("#at-request-url").focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-show-part]")).to_have_attribute("data-show-part", where)
    page.locator("[data-show-part]").click()
    expect(page.locator(f"#part-{where} .part-body :focus")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_what_may_be_an_error_of_the_api_is_told_in_lines_and_not_in_a_column(
    desk: tuple[Page, OrderApi], httpserver: HTTPServer, width: int
) -> None:
    page, _ = desk
    httpserver.expect_request("/order/1").respond_with_json({"ok": True, "order": {"status": "sent", "eta": "today"}})
    httpserver.expect_request("/order/2").respond_with_json({"ok": False, "error": "order not found"})
    page.locator("#at-name").fill("Order")
    page.locator("#at-request-url").fill(httpserver.url_for("/order/1"))
    page.keyboard.press("Control+Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    page.keyboard.press("Control+s")
    expect(page).not_to_have_url(re.compile("new"))
    page.set_viewport_size({"width": width, "height": 800})
    page.locator("#at-request-url").fill(httpserver.url_for("/order/2"))
    page.keyboard.press("Control+Enter")
    told = page.locator("section.drift > p")
    expect(told).to_have_text("2 values are not there any more.")
    told.scroll_into_view_if_needed()
    box = told.bounding_box()
    assert box and box["height"] < 50 and box["width"] > 100
