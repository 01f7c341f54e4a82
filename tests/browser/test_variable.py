"""A literal that is selected in the URL or the body becomes a variable, with the literal as its value for test."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from tests.browser.chromium import OrderApi, let_go, settle

SQLITE_ONLY = "what a person does and sees"


def select(page: Page, field: str, text: str) -> None:
    page.locator(field).evaluate(
        "(one, text) => { one.focus(); const at = one.value.indexOf(text); one.setSelectionRange(at, at + text.length); }",
        text,
    )


def test_a_literal_of_the_address_becomes_a_variable_by_keyboard(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    url = page.locator("#at-request-url")
    url.fill(f"{api.url}/orders/4711?lang=de%20AT")
    offer = page.get_by_role("button", name="Make this a variable")
    select(page, "#at-request-url", "4711")
    offer.click()
    expect(page.get_by_label("Its name")).to_have_value("order_id")
    page.keyboard.type("order.id")
    page.keyboard.press("Enter")
    expect(url).to_have_value(f"{api.url}/orders/{{{{order.id}}}}?lang=de%20AT")
    expect(page.locator('[name="value:order.id"]')).to_have_value("4711")
    expect(offer).to_be_hidden()
    select(page, "#at-request-url", "de%20AT")
    offer.click()
    expect(page.get_by_label("Its name")).to_have_value("lang")
    page.keyboard.press("Enter")
    expect(page.locator('[name="value:lang"]')).to_have_value("de AT")
    expect(page.locator('[name="value:order.id"]')).to_have_value("4711")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    assert api.paths == ["/orders/4711?lang=de%20AT"]
    url.focus()
    page.keyboard.press("Control+z")
    expect(url).to_have_value(f"{api.url}/orders/{{{{order.id}}}}?lang=de%20AT")


def test_what_is_a_variable_or_has_another_value_already_is_not_made_one(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    page.locator("#at-request-url").fill(f"{api.url}/orders/{{{{id}}}}")
    expect(page.locator('[name="value:id"]')).to_be_visible()
    page.locator('[name="value:id"]').fill("7")
    offer = page.get_by_role("button", name="Make this a variable")
    select(page, "#at-request-url", "{{id}}")
    settle(page)
    expect(offer).to_be_hidden()
    page.get_by_role("radio", name="JSON").check()
    page.locator(".body-text").fill('{"city": "Berlin", "count": 3}')
    select(page, ".body-text", '"Berlin"')
    offer.click()
    expect(page.get_by_label("Its name")).to_have_value("city")
    page.keyboard.type("id")
    page.keyboard.press("Enter")
    expect(page.get_by_text("has another value already")).to_be_visible()
    page.get_by_label("Its name").fill("city")
    page.keyboard.press("Enter")
    expect(page.locator(".body-text")).to_have_value('{"city": "{{city}}", "count": 3}')
    expect(page.locator('[name="value:city"]')).to_have_value("Berlin")
    select(page, ".body-text", "3")
    offer.click()
    page.keyboard.press("Enter")
    expect(page.locator(".body-text")).to_have_value('{"city": "{{city}}", "count": {{count}}}')
    expect(page.locator('[name="value:count"]')).to_have_value("3")


def test_what_is_made_a_variable_or_typed_while_an_answer_is_on_its_way_keeps_its_value(
    desk: tuple[Page, OrderApi],
) -> None:
    """A second name and a new value, both while the fields for the first name are asked for."""
    page, api = desk
    page.locator("#at-request-url").fill(f"{api.url}/orders/{{{{id}}}}")
    page.locator('[name="value:id"]').fill("7")
    page.get_by_role("radio", name="JSON").check()
    page.locator(".body-text").fill('{"city": "Berlin", "count": 3}')
    settle(page)
    held: list[Route] = []
    page.route("**/values", lambda route: held.append(route), times=1)
    for literal in ('"Berlin"', "3"):
        select(page, ".body-text", literal)
        page.get_by_role("button", name="Make this a variable").click()
        page.keyboard.press("Enter")
        expect(page.locator(".body-text")).not_to_have_value(re.compile(literal))
    page.locator('[name="value:id"]').fill("8")
    let_go(page, held)
    for name, value in (("city", "Berlin"), ("count", "3"), ("id", "8")):
        expect(page.locator(f'input.input[name="value:{name}"]')).to_have_value(value)


def test_a_press_below_the_offer_falls_on_what_it_was_aimed_at(desk: tuple[Page, OrderApi]) -> None:
    """The offer goes when the field is left; were it to go while the button is held down, the press would end on whatever
    moves up."""
    page, api = desk
    page.locator("#at-request-url").fill(f"{api.url}/orders/4711")
    offer = page.get_by_role("button", name="Make this a variable")
    for opened in (True, False):
        select(page, "#at-request-url", "4711")
        expect(offer).to_be_visible()
        page.locator("#part-preview > summary").click(delay=80)
        expect(page.locator("#part-preview")).to_have_js_property("open", opened)
        expect(offer).to_be_hidden()
