"""Fill the form is the button that stands out while something is in the box, and says that it works."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.browser.chromium import OrderApi, let_go

SQLITE_ONLY = "what a person sees"


def test_fill_the_form_comes_first_while_something_is_in_the_box_and_says_that_it_works(
    desk: tuple[Page, OrderApi],
) -> None:
    page, api = desk
    held: list[Route] = []
    page.route(
        "**/steps/new/move",
        lambda route: held.append(route) if "curl" in (route.request.post_data or "") else route.continue_(),
    )
    first = page.locator(".btn-primary[data-first]:visible")
    page.locator("#paste-curl > summary").click()
    expect(first).to_contain_text("Test")
    page.locator("#at-curl").fill(f"curl {api.url}/orders/1")
    expect(first).to_have_text("Fill the form")
    page.locator("#paste-curl > summary").click()
    expect(first).to_contain_text("Test")
    page.locator("#paste-curl > summary").click()
    page.locator("#paste-fill").click()
    expect(first).to_have_text("Filling…")
    expect(first).to_have_attribute("aria-busy", "true")
    let_go(page, held)
    expect(page.locator("#at-request-url")).to_have_value(f"{api.url}/orders/1")
    expect(first).to_contain_text("Test")
