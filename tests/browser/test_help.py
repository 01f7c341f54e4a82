"""Help stands where it is needed: headers are suggested, "?" explains a section or shows the keys, the answer can be wide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing, sign_in

SQLITE_ONLY = "what a person does and sees"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with browsing(tmp_path / "data", **variables) as (_, page, complaints):
        sign_in(page, to="/steps/new")
        yield page
        page.evaluate("sessionStorage.clear()")
        assert complaints == []


def test_names_of_headers_and_the_values_of_the_name_are_suggested(page: Page) -> None:
    page.get_by_role("button", name="Add Header").click()
    suggested = "one => [...one.list.options].map((option) => option.value)"
    assert "Accept" in page.get_by_label("Header 1 name").evaluate(suggested)
    page.keyboard.type("accept")
    page.keyboard.press("Tab")
    assert "application/json" in page.locator('#headers [name="header_value"]').evaluate(suggested)
    page.get_by_label("Header 1 name").fill("X-Own")
    page.keyboard.press("Tab")
    assert page.locator('#headers [name="header_value"]').evaluate("one => one.list") is None


def test_a_section_says_what_it_is(page: Page) -> None:
    page.get_by_label("What is this: Request").click()
    text = page.get_by_text("the question your bot asks another program")
    expect(text).to_be_in_viewport(ratio=1)
    page.keyboard.press("Escape")
    expect(text).to_be_hidden()
    for name in ("Headers", "Body"):
        page.get_by_label(f"What is this: {name}").click()
        expect(page.locator(f"#part-{name.lower()} .what-text")).to_be_in_viewport(ratio=1)
        page.keyboard.press("Escape")
    told = set(page.locator(".what > summary").evaluate_all("all => all.map((one) => one.title && one.ariaLabel)"))
    assert told == {
        f"What is this: {name}" for name in (
            "Request", "Headers", "Body", "Authentication", "Options", "Counts as success when", "Preview", "Test",
            "Response mapping", "If the call fails", "Alert e-mails", "Use in your bot",
        )
    }  # fmt: skip
    parts = page.locator(".parts > details, details.part-section")
    assert parts.evaluate_all("all => all.filter((one) => !one.querySelector(':scope > .what')).length") == 0


def test_the_question_mark_shows_the_keys_outside_of_fields(page: Page) -> None:
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    page.locator('[name="name"]').fill("")
    page.keyboard.type("Where?")
    expect(dialog).to_be_hidden()
    expect(page.locator('[name="name"]')).to_have_value("Where?")
    page.locator("#test-btn").focus()
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#test-btn")).to_be_focused()
    page.goto("/steps")
    page.locator("header summary").click()
    page.get_by_role("link", name="Keyboard shortcuts").click()
    expect(dialog).to_be_visible()


def test_a_wide_answer_takes_the_whole_width_and_is_remembered(page: Page) -> None:
    panel, toggle = page.locator("#test-panel"), page.get_by_label("Wide answer")
    width = "one => one.getBoundingClientRect().width"
    narrow = panel.evaluate(width)
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    assert panel.evaluate(width) > narrow * 1.5
    expect(page.locator("#at-request-url")).to_be_hidden()
    page.reload()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    assert panel.evaluate(width) > narrow * 1.5
    expect(page.locator("#at-request-url")).to_be_focused()
    toggle.click()
    expect(page.locator("#at-request-url")).to_be_visible()
    assert panel.evaluate(width) == narrow
