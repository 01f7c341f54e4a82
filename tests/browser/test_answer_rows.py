"""The rows of the answer: nothing moves under the pointer, a list is ticked off like a value, and a rule that is added says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing, order_api, settle, sign_in

SQLITE_ONLY = "what a person does and sees"
PLACES = """row => [...row.closest("li").querySelectorAll(":scope > .tree-row > *, :scope > .tree-beside > *, :scope > details > .tree-row > *")]
  .filter((one) => one.offsetParent).map((one) => [one.className, one.getBoundingClientRect().x, one.getBoundingClientRect().width])"""


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (_, found, complaints):
        sign_in(found, to="/steps/new")
        found.locator("#at-request-url").fill(f"{api.url}/orders/1")
        found.keyboard.press("Control+Enter")
        expect(found.locator(".result-line")).to_contain_text("200 OK")
        expect(node(found, "$['data']['status']").locator(".name-input")).to_be_visible()
        settle(found)
        yield found
        found.evaluate("sessionStorage.clear()")
        assert complaints == []


def node(page: Page, source: str) -> Locator:
    return page.locator(f'[data-node="{source}"]')


def test_nothing_of_a_row_moves_under_the_pointer_or_with_the_focus(page: Page) -> None:
    node(page, "$['data']['id']").locator(".tick").click()
    settle(page)
    for source in ("$['data']['id']", "$['data']['status']", "$['data']['items']", "$['data']['customer']"):
        row = node(page, source).locator(".tree-row").first
        page.locator("h1").hover()
        before = row.evaluate(PLACES)
        row.hover()
        assert row.evaluate(PLACES) == before, source
        page.locator("h1").hover()
        row.focus()
        assert row.evaluate(PLACES) == before, source
        row.evaluate("row => row.blur()")


def test_a_press_on_the_pill_of_a_list_meets_the_pill_and_its_tick_drops_the_mapping(page: Page) -> None:
    items = node(page, "$['data']['items']")
    pill = items.locator(":scope > .tree-beside .tree-chip")
    box = pill.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    settle(page)
    expect(page.locator("#success-when .condition")).to_have_count(0)
    expect(page.locator(".rule-name").nth(4)).to_be_focused()

    items.locator(":scope > .tree-beside .tick").click()
    expect(page.locator(".rule-on").nth(4)).not_to_be_checked()
    expect(pill).to_have_count(0)
    expect(page.locator("#bot-gets")).to_contain_text("6 values")
    add = items.locator(":scope > .tree-beside [data-map]")
    expect(add).to_be_focused()
    add.click()
    expect(page.locator(".rule-on").nth(4)).to_be_checked()
    expect(page.locator(".rule")).to_have_count(7)
    expect(pill).to_have_text("→ {{items}}")


def test_a_rule_that_is_added_from_the_answer_says_so_and_can_be_taken_back(page: Page) -> None:
    row = node(page, "$['data']['status']").locator(".tree-row")
    page.locator("#part-request > summary").click()
    row.hover()
    row.get_by_role("button", name="Succeeds only if").click()
    notice, rules = page.locator(".toast"), page.locator("#success-when .condition")
    expect(notice).to_contain_text('Succeeds from now on only if data › status is "shipped".')
    expect(rules).to_have_count(1)
    notice.get_by_role("button", name="Undo").click()
    expect(rules).to_have_count(0)
    expect(notice).to_have_count(0)


def test_down_goes_past_branches_that_are_closed_and_saved_leads_into_the_lines_for_the_bot(page: Page) -> None:
    branches = page.locator(".tree details[open] > summary.tree-row")
    while branches.count() > 1:
        branches.last.evaluate("(row) => { row.parentElement.open = false; }")
    page.locator(".tree .tree-row").first.focus()
    passed = []
    for _ in range(page.locator(".tree .tree-row").count() + 1):
        passed.append(page.evaluate("document.activeElement.closest('li').dataset.node"))
        page.keyboard.press("ArrowDown")
    shown = page.evaluate(
        "[...document.querySelectorAll('.tree .tree-row')].filter((one) => one.checkVisibility()).length"
    )
    assert len(set(passed)) == shown > 3, passed
    page.locator('[name="name"]').fill("Order status")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    page.locator(".saved-line button").press("Enter")
    expect(page.locator(".usage-menu > summary")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#usage') !== null")
