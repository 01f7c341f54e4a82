"""What the bot gets of an answer of a dozen values, and the example of a sentence with them."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect
from pytest_httpserver import HTTPServer

from tests.browser.chromium import OrderApi

SQLITE_ONLY = "what a person sees"
ANSWER = {
    "carrier": "Parcel Service", "eta": "2026-12-01", "id": 1042, "name": "Lamp", "qty": 2, "price": 9.5, "ok": True,
    "note": "Ring twice", "floor": 3, "city": "Ulm", "status": "shipped", "zip": "89073",
}  # fmt: skip


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
    for name in page.locator("#bot-gets dt").all():
        assert name.evaluate("(dt) => dt.scrollWidth <= dt.clientWidth && dt.nextElementSibling.clientWidth > 40")
    expect(page.locator("#bot-gets [data-gets-more]")).to_be_hidden()
    expect(page.locator("#bubble")).to_have_text("For example: Your status is shipped.")
    expect(page.locator("#says")).to_have_attribute("placeholder", "Your status is {{status}}.")
