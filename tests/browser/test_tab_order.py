"""The keyboard goes through the editor as it is seen, lists are one stop, and no bar lies over what has the focus."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, OrderApi, browsing, order_api, settle, sign_in

SQLITE_ONLY = "what a person does and sees"
WIDTHS = (390, 900, 1280)
HERE = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect();
  if (one === document.body) return null;
  const bars = [...document.querySelectorAll(".topbar, .editor-bar, .bottom-bar")]
    .filter((bar) => !bar.contains(one) && /sticky|fixed/.test(getComputedStyle(bar).position))
    .map((bar) => bar.getBoundingClientRect()).filter((bar) => bar.height);
  const covered = bars.some((bar) => bar.top < box.bottom - 1 && bar.bottom > box.top + 1);
  const column = one.closest(".bench") && !one.closest("#test-aside") ? "form" : one.closest("#test-aside") ? "answer" : "bar";
  return {name: one.id || one.className || one.tagName, rule: Boolean(one.closest(".rule")), tree: Boolean(one.closest(".tree")), top: Math.round(box.top + scrollY),
    covered: covered && box.height < innerHeight / 2, column};
}"""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[tuple[Page, OrderApi]]:
    """A saved step of seven values, as it is after its test."""
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (_, page, complaints):
        sign_in(page, to="/steps/new")
        page.locator('[name="name"]').fill("Order")
        page.locator("#at-request-url").fill(f"{api.url}/orders/1")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".rule")).to_have_count(7)
        page.keyboard.press("Control+s")
        page.wait_for_url("**/steps/1")
        page.reload()
        yield page, api
        assert [text for text in complaints if "422" not in text] == []


def tabs_from(page: Page, selector: str, most: int = 120) -> list[dict[str, Any]]:
    """Where Tab goes from there to the end of the page."""
    page.locator(selector).first.focus()
    stops = []
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(HERE)
        if stop is None or stop["name"] in [one["name"] for one in stops if one["column"] == "bar"]:
            break
        stops.append(stop)
    return stops


@pytest.mark.parametrize("width", WIDTHS)
def test_the_test_button_is_a_few_tabs_from_the_address_and_nothing_is_covered(
    here: tuple[Page, OrderApi], width: int
) -> None:
    page, _ = here
    page.set_viewport_size({"width": width, "height": 844})
    stops = tabs_from(page, "#at-request-url")
    names = [stop["name"] for stop in stops]
    assert names.index("test-btn") <= 10, names
    assert [stop["name"] for stop in stops if stop["covered"]] == []
    columns = [stop["column"] for stop in stops if stop["column"] != "bar"]
    first, last = columns.index("answer"), len(columns) - 1 - columns[::-1].index("answer")
    assert set(columns[first : last + 1]) == {"answer"}, "the answer is gone through in one piece"
    for column in ("form", "answer"):
        tops = [stop["top"] for stop in stops if stop["column"] == column]
        assert all(now >= before - 24 for before, now in pairwise(tops)), (column, tops)


def test_the_rows_of_the_answer_and_of_the_mapping_are_one_stop_each(here: tuple[Page, OrderApi]) -> None:
    page, _ = here
    stops = tabs_from(page, "#at-request-url")
    assert [[stop[list_] for stop in stops].count(True) for list_ in ("tree", "rule")] == [1, 1]
    go_through_the_answer(page)
    rows = page.locator(".rule")
    page.locator('[data-switch-rules="off"]').focus()
    page.keyboard.press("Tab")
    expect(rows.nth(0)).to_be_focused()
    for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Space")
    expect(rows.nth(1).locator(".rule-on")).not_to_be_checked()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(rows.nth(1).locator(".rule-name")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("order_status")
    page.keyboard.press("Tab")
    expect(rows.nth(1).locator(".rule-source")).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.locator('[data-switch-rules="off"]')).to_be_focused()
    page.keyboard.press("Tab")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    expect(rows.nth(6).locator(".rule-name")).to_be_focused()
    settle(page)
    expect(page.locator("#bot-gets")).to_contain_text("order_status")
    page.evaluate("sessionStorage.clear()")


def go_through_the_answer(page: Page) -> None:
    """Branches and leaves alike, and what a row offers is reached from it and left again."""
    row = {
        name: page.locator(f'.tree-row:has(> .tree-key:text-is("{name}"))').first for name in ("data", "id", "items")
    }
    page.locator(".answer-scroll").focus()
    page.keyboard.press("Tab")
    expect(row["data"]).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(row["id"]).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(row["id"].locator(".tick")).to_be_focused()
    page.keyboard.press("Tab")
    expect(row["id"].locator(".name-input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row["id"]).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(row["data"]).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Map data", exact=True)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(row["id"]).to_be_hidden()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    stop = page.locator('.tree-row[tabindex="0"]')
    expect(stop).to_have_count(1)
    expect(stop).to_be_focused()


def test_a_refused_save_leaves_the_answer_and_its_focus_order_as_they_are(here: tuple[Page, OrderApi]) -> None:
    """The form comes anew around the panel, which stays the very same one."""
    page, api = here
    page.keyboard.press("Control+Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    page.locator("#says").fill("It is {{status}}.")
    expect(page.locator("#bubble")).to_have_text("It is shipped.")
    panel = page.locator("#test-aside").element_handle()
    page.locator('[name="name"]').fill("")
    with page.expect_response("**/save") as refused:
        page.keyboard.press("Control+s")
    assert refused.value.status == 422
    expect(page.locator('[name="name"]')).to_be_focused()
    assert panel is not None and panel.evaluate("one => one.isConnected && one.closest('form').id") == "step-form"
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    expect(page.locator("#bubble")).to_have_text("It is shipped.")
    page.locator('[name="name"]').fill("Order two")
    with page.expect_response("**/save") as saved:
        page.keyboard.press("Control+s")
    assert saved.value.status == 200 and len(api.paths) == 2
