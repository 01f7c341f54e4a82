"""Test and Save that are pressed while the form is being filled: they wait, and are made with what has come."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.chromium import OrderApi, let_go, settle

SQLITE_ONLY = "what a person does and sees"
WAITS = "The test begins when the form is ready."


@pytest.fixture
def pasting(desk: tuple[Page, OrderApi]) -> tuple[Page, OrderApi]:
    """With the box for a command open."""
    page, _ = desk
    page.goto("about:blank")
    page.goto("/steps/new#paste-curl")
    expect(page.locator("#at-curl")).to_be_focused()
    return desk


def hold(page: Page, address: str) -> list[Route]:
    """The first request there."""
    held: list[Route] = []
    seen: list[Route] = []

    def one(route: Route) -> None:
        if seen:
            route.continue_()
        else:
            held.append(route)
        seen.append(route)

    page.route(address, one)
    return held


@pytest.mark.parametrize("by", ["keyboard", "pointer"])
def test_a_test_pressed_while_the_form_is_filled_is_made_with_what_has_come(
    pasting: tuple[Page, OrderApi], by: str
) -> None:
    page, api = pasting
    held = hold(page, "**/move")
    page.locator("#at-curl").fill(f"curl '{api.url}/orders/4711'")
    page.get_by_role("button", name="Fill the form").click()
    if by == "keyboard":
        page.keyboard.press("Control+Enter")
    else:
        page.locator("#test-btn").click()
    expect(page.locator("#test-progress")).to_contain_text(WAITS)
    settle(page)
    expect(page.locator("#fault-summary")).to_have_count(0)
    let_go(page, held)
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    expect(page.locator("#test-progress")).to_be_hidden()
    expect(page.locator("#budget")).to_contain_text("9 left")
    assert api.paths == ["/orders/4711"]


def test_a_save_pressed_meanwhile_is_made_once_with_what_has_come(pasting: tuple[Page, OrderApi]) -> None:
    page, api = pasting
    page.locator('[name="name"]').fill("Order status")
    held = hold(page, "**/move")
    page.locator("#at-curl").fill(f"curl '{api.url}/orders/4711'")
    page.get_by_role("button", name="Fill the form").click()
    for _ in range(2):
        page.keyboard.press("Control+s")
    let_go(page, held)
    expect(page.get_by_text("Saved. Not tested yet: press Test to see what your bot gets.")).to_be_visible()
    expect(page.locator("#at-request-url")).to_have_value(f"{api.url}/orders/4711")
    page.goto("/steps")
    expect(page.get_by_role("link", name="Order status")).to_have_count(1)


def test_a_save_pressed_while_one_is_on_its_way_keeps_what_was_typed_since(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    name = page.locator('[name="name"]')
    name.fill("Order")
    page.locator("#at-request-url").fill(f"{api.url}/orders/1")
    held = hold(page, "**/new/save")
    for typed in ("Order status", "Order status, typed meanwhile"):
        page.keyboard.press("Control+s")
        name.fill(typed)
    page.keyboard.press("Control+s")
    with page.expect_response("**/steps/1/save"):
        let_go(page, held)
    page.goto("/steps/1")
    expect(name).to_have_value("Order status, typed meanwhile")
    page.goto("/steps")
    expect(page.get_by_role("link", name="Order status")).to_have_count(1)


def test_what_waits_for_a_form_that_is_not_filled_is_not_made_and_says_so(pasting: tuple[Page, OrderApi]) -> None:
    page, api = pasting
    page.locator("#at-request-url").fill(f"{api.url}/orders/1")
    held = hold(page, "**/move")
    page.locator("#at-curl").fill("curl --data")
    page.get_by_role("button", name="Fill the form").click()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#test-progress")).to_contain_text(WAITS)
    let_go(page, held)
    expect(page.get_by_text("The form was not filled, so it is neither tested nor saved.")).to_be_visible()
    expect(page.locator("#test-progress")).to_be_hidden()
    settle(page)
    assert api.paths == []
    page.keyboard.press("Control+Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")


def test_a_test_that_waits_can_be_cancelled(pasting: tuple[Page, OrderApi]) -> None:
    page, api = pasting
    held = hold(page, "**/move")
    page.locator("#at-curl").fill(f"curl '{api.url}/orders/4711'")
    page.get_by_role("button", name="Fill the form").click()
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#test-progress")).to_be_hidden()
    let_go(page, held)
    expect(page.locator("#at-request-url")).to_have_value(f"{api.url}/orders/4711")
    settle(page)
    assert api.paths == []


def test_a_refusal_of_the_form_before_it_was_filled_is_not_said_of_the_new_one(pasting: tuple[Page, OrderApi]) -> None:
    page, api = pasting
    held = hold(page, "**/test")
    page.keyboard.press("Control+Enter")
    page.locator("#at-curl").fill(f"curl '{api.url}/orders/4711'")
    page.get_by_role("button", name="Fill the form").click()
    expect(page.locator("#at-request-url")).to_have_value(f"{api.url}/orders/4711")
    let_go(page, held)
    expect(page.get_by_text("The form was filled while the test was looked at.")).to_be_visible()
    expect(page.locator("#fault-summary")).to_have_count(0)
    expect(page.get_by_text("The form is not right yet")).to_have_count(0)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")


@pytest.mark.parametrize("first", ["test", "fill"])
def test_no_order_of_two_answers_takes_the_panel_away(pasting: tuple[Page, OrderApi], first: str) -> None:
    """A test that was sent before the filling is refused with the whole form while that is on its way."""
    page, api = pasting
    tests, fills = hold(page, "**/test"), hold(page, "**/move")
    page.keyboard.press("Control+Enter")
    page.locator("#at-curl").fill(f"curl '{api.url}/orders/4711'")
    page.get_by_role("button", name="Fill the form").click()
    for held in (tests, fills) if first == "test" else (fills, tests):
        let_go(page, held)
        settle(page)
    expect(page.locator("#at-request-url")).to_have_value(f"{api.url}/orders/4711")
    for part in ("#budget", "#test-values", "#test-result", "#rate-limited", "#test-btn"):
        expect(page.locator(part)).to_have_count(1)
    expect(page.locator("#fault-summary")).to_have_count(0)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")
