"""While somebody types: no part folds around the focus, nothing typed is lost, and what is said of the form as it was goes."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.browser.chromium import OrderApi, settle

SQLITE_ONLY = "what a person does and sees"


def test_a_part_that_was_closed_and_opened_by_a_fault_stays_open_around_the_typing(
    desk: tuple[Page, OrderApi],
) -> None:
    page, api = desk
    url, part = page.locator("#at-request-url"), page.locator("#part-request")
    url.fill("nonsense")
    page.locator("#part-request > summary").click()
    expect(part).not_to_have_attribute("open", "")
    page.locator("#test-btn").click()
    expect(url).to_be_focused()
    url.fill("")
    url.press_sequentially(f"{api.url}/orders/{{{{order.id")
    settle(page)
    page.keyboard.type("}}/items")
    settle(page, 0.8)
    page.keyboard.type("?full=1")
    expect(part).to_have_attribute("open", "")
    expect(url).to_be_focused()
    expect(url).to_have_value(f"{api.url}/orders/{{{{order.id}}}}/items?full=1")


def test_what_is_typed_on_in_a_value_for_test_that_folded_is_in_it(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    page.locator("#at-request-url").fill(f"{api.url}/orders/{{{{order.id}}}}")
    value = page.locator('[name="value:order.id"]')
    value.fill("4")
    value.press("Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    expect(page.locator("#values-for-test")).not_to_have_attribute("open", "")
    page.keyboard.type("2")
    expect(value).to_be_focused()
    expect(value).to_have_value("42")


def test_a_refused_test_keeps_what_was_typed_while_it_was_asked(desk: tuple[Page, OrderApi]) -> None:
    page, _ = desk
    held: list[Route] = []
    page.locator("#at-request-url").fill("nonsense")
    settle(page)
    page.route("**/test", lambda route: held.append(route))
    page.keyboard.press("Control+Enter")
    page.locator('[name="name"]').fill("Typed meanwhile")
    while not held:
        settle(page, 0.1)
    held[0].continue_()
    summary = page.locator("#fault-summary")
    expect(summary).to_contain_text("Fix this before testing")
    expect(summary).to_contain_text("http")
    expect(page.locator('[name="name"]')).to_have_value("Typed meanwhile")


def test_a_refusal_is_said_once_and_leaves_the_earlier_answer_marked_as_such(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    url, line = page.locator("#at-request-url"), page.locator(".result-line")
    url.fill(f"{api.url}/orders/1")
    page.keyboard.press("Control+Enter")
    expect(line).to_contain_text("200 OK")
    settle(page)
    expect(line).not_to_contain_text("before your last changes", use_inner_text=True)

    url.fill(f"{api.url}/orders/{{{{order id}}}}")
    expect(line).to_contain_text("before your last changes", use_inner_text=True)
    page.keyboard.press("Control+Enter")
    told = page.locator("#test-panel").get_by_text("The form is not right yet")
    expect(told).to_be_visible()
    assert page.locator("main").inner_text().count("is not an attribute") == 1
    expect(page.locator("#fault-summary").get_by_role("link")).to_have_text("URL")
    expect(page.locator(".tree")).to_contain_text("shipped")
    expect(line).to_contain_text("before your last changes", use_inner_text=True)

    url.fill(f"{api.url}/orders/1")
    expect(told).to_have_count(0)
    expect(page.locator("#fault-summary")).to_have_count(0)
    expect(line).not_to_contain_text("before your last changes", use_inner_text=True)
    page.locator('[name="method"]').select_option("POST")
    expect(line).to_contain_text("before your last changes", use_inner_text=True)


def held_while(page: Page, address: str) -> list[Route]:
    held: list[Route] = []
    page.route(address, lambda route: held.append(route))
    return held


def let_go(page: Page, held: list[Route], address: str) -> None:
    while not held:
        settle(page, 0.1)
    for route in held:
        route.continue_()
    page.unroute(address)


def test_what_is_changed_in_the_mapping_while_a_row_is_made_stays(desk: tuple[Page, OrderApi]) -> None:
    """A name, a tick and a removed row, and what is typed elsewhere."""
    page, api = desk
    page.locator("#at-request-url").fill(f"{api.url}/orders/1")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".rule")).to_have_count(7)
    settle(page)
    held = held_while(page, "**/move")
    page.locator("#mapping-adder [data-add-rule]").first.click()
    names = page.locator(".rule-name")
    was = names.nth(2).input_value()
    names.nth(1).evaluate(
        "one => { one.value = 'meanwhile'; one.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    page.locator(".rule-on").nth(3).evaluate("one => one.click()")
    page.locator("[data-remove-rule]").nth(2).evaluate("one => one.click()")
    page.locator('[name="name"]').fill("Typed too")
    let_go(page, held, "**/move")
    expect(page.locator(".rule")).to_have_count(7)
    expect(names.nth(1)).to_have_value("meanwhile")
    expect(names.nth(2)).not_to_have_value(was)
    expect(page.locator(".rule-on").nth(2)).not_to_be_checked()
    expect(page.locator('[name="name"]')).to_have_value("Typed too")
    page.locator("[data-remove-rule]").last.evaluate("one => one.click()")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    page.reload()
    expect(names).to_have_count(6)
    expect(names.nth(1)).to_have_value("meanwhile")
