"""After Test the answer is on the screen: at every size of window, with any number of values for test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.browser.chromium import ADMIN, PASSWORD, browsing, sign_in
from tests.browser.overlaps import overlaps
from tests.sweeps import Sweep

SQLITE_ONLY = "what a person sees"
SIZES = [(1280, 720), (1366, 768), (1280, 800), (1440, 900), (1920, 1080)]
MOST_VALUES = 5
ANSWER = {"order": {"id": 4711, "lines": {f"field_{number}": f"value {number}" for number in range(27)}}}
SEEN = """() => {
  const box = document.querySelector(".answer-scroll").getBoundingClientRect();
  const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
  return [...document.querySelectorAll("#test-result .tree-row")].map((row) => row.getBoundingClientRect())
    .filter((row) => row.height && row.top >= top - 1 && row.bottom <= bottom + 1).length;
}"""
INNER_SCROLLS = """() => [...document.querySelectorAll("#test-panel, #test-panel *")].filter((one) =>
  /auto|scroll/.test(getComputedStyle(one).overflowY) && one.clientHeight && one.scrollHeight > one.clientHeight + 1 && getComputedStyle(one).clipPath === "none"
).map((one) => one.className)"""


@pytest.fixture
def page(tmp_path: Path, httpserver: HTTPServer) -> Iterator[Page]:
    def answer(_: Request) -> Response:
        return Response(json.dumps(ANSWER), content_type="application/json")

    httpserver.expect_request("/orders").respond_with_handler(answer)
    with browsing(tmp_path / "data", ADMIN_EMAIL=ADMIN, ADMIN_PASSWORD=PASSWORD) as (server, page, complaints):
        server.command("account", "limit", "default", "1000")
        sign_in(page, to=None)
        yield page
        page.evaluate("sessionStorage.clear()")
        assert complaints == []


def make_step(page: Page, httpserver: HTTPServer, values: int) -> None:
    url = httpserver.url_for("/orders").replace("localhost", "127.0.0.1")
    page.goto("/steps/new")
    page.locator('[name="name"]').fill(f"Order {values}")
    page.locator("#at-request-url").fill(url + "?" + "&".join(f"v{n}={{{{value_{n}}}}}" for n in range(values)))
    inputs = page.locator('[name^="value:"]')
    expect(inputs).to_have_count(values)
    for number in range(values):
        inputs.nth(number).fill(f"value {number}")


@pytest.mark.parametrize("values", range(MOST_VALUES + 1))
def test_eight_rows_of_the_answer_are_seen_at_every_size(
    page: Page, httpserver: HTTPServer, values: int, sweep: Sweep
) -> None:
    """In part: all sizes with the most values, and with fewer of them one size each, in turn."""
    make_step(page, httpserver, values)
    for width, height in SIZES if values == MOST_VALUES else sweep.portion(SIZES, len(SIZES), values):
        page.set_viewport_size({"width": width, "height": height})
        with page.expect_response("**/test"):
            page.keyboard.press("Control+Enter")
        expect(page.locator("#test-btn")).to_be_enabled()
        expect(page.locator(".result-line")).to_be_in_viewport(ratio=1)
        expect(page.locator("#bot-gets dd").first).to_be_in_viewport(ratio=1)
        expect(page.locator("#bot-gets")).to_contain_text("Your bot gets")
        expect(page.get_by_text("Use in your bot").first).to_be_in_viewport(ratio=1)
        assert page.evaluate(SEEN) >= 8, (width, height, page.evaluate(SEEN))
        assert page.evaluate(INNER_SCROLLS) == ["answer-scroll"], (width, height)


OPENED = """() => document.querySelectorAll("#test-panel details").forEach((fold) => { if (!fold.closest(".tree") && !fold.matches(".what")) fold.open = true; })"""
SEEN_IN_PANEL = """() => {
  const answer = document.querySelector(".answer-scroll"), panel = document.querySelector(".answer-body").getBoundingClientRect();
  answer.scrollIntoView({ block: "nearest" });
  const box = answer.getBoundingClientRect(), foot = document.querySelector(".answer-foot").getBoundingClientRect();
  const top = Math.max(box.top, panel.top), bottom = Math.min(box.bottom, panel.bottom, innerHeight);
  const rows = [...document.querySelectorAll("#test-result .tree-row")].map((row) => row.getBoundingClientRect());
  return [rows.filter((row) => row.height && row.top >= top - 1 && row.bottom <= bottom + 1).length, foot.top >= box.bottom - 1];
}"""
"""How many rows can be seen once the panel is scrolled to the answer, and whether what the bot gets stands below them."""


def test_with_every_fold_open_the_answer_keeps_eight_rows_and_nothing_lies_over_it(
    page: Page, httpserver: HTTPServer
) -> None:
    make_step(page, httpserver, 5)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(OPENED)
        rows, is_free = page.evaluate(SEEN_IN_PANEL)
        assert rows >= 8, (width, height, rows)
        assert is_free, (width, height)
        assert overlaps(page) == []
        page.locator("#bot-gets").scroll_into_view_if_needed()
        expect(page.locator("#bot-gets dd").first).to_be_in_viewport(ratio=1)
        expect(page.locator(".result-line")).to_be_in_viewport(ratio=1)


def test_a_saved_step_is_short_on_a_phone_and_its_parts_say_what_is_in_them(page: Page, httpserver: HTTPServer) -> None:
    make_step(page, httpserver, 1)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".rule")).to_have_count(28)
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    expect(page.locator('[data-sums="mapping"]')).to_have_text("28 attributes")
    expect(page.locator('[data-sums="request"]')).to_have_text("GET 127.0.0.1")
    expect(page.locator("#at-request-url")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollHeight") <= 3000
    assert page.evaluate("getComputedStyle(document.documentElement).scrollPaddingBottom") == "88px"
