"""An API that answers 200 and says no: seen in a test, made a condition by one press, and refused from then on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, OrderApi, browsing, order_api, sign_in

SQLITE_ONLY = "what a person does and sees"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Page, OrderApi]]:
    with (
        order_api() as api,
        browsing(tmp_path / "data", ADMIN_EMAIL=ADMIN, ADMIN_PASSWORD=PASSWORD) as (_, page, complaints),
    ):
        sign_in(page, to="/steps/new")
        page.locator('[name="name"]').fill("Refusing")
        page.locator("#at-request-url").fill(f"{api.url}/refusing")
        yield page, api
        assert complaints == []


def press_test(page: Page) -> None:
    with page.expect_response("**/test"):
        page.keyboard.press("Control+Enter")
    expect(page.locator("#test-btn")).to_be_enabled()


def condition(page: Page) -> tuple[str, str, str]:
    row = page.locator("#success-when .condition").last
    return (
        row.locator('[name="success_source"]').input_value(),
        row.locator('[name="success_is"]').input_value(),
        row.locator('[name="success_value"]').input_value(),
    )


def test_one_press_on_the_suggestion_rejects_an_answer_that_says_no(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    press_test(page)
    expect(page.locator("#success-suggestion")).to_contain_text("ok is true")
    page.get_by_role("button", name="Succeed only then").click()
    expect(page.locator("#success-when")).to_have_attribute("open", "")
    assert condition(page) == ("$['ok']", "equals", "true")
    expect(page.locator("#success-suggestion")).to_be_hidden()
    press_test(page)
    expect(page.locator("#test-result")).to_contain_text("The API said no: No such order")
    expect(page.locator("#success-suggestion")).to_be_hidden()
    api.agrees = True
    press_test(page)
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    assert condition(page) == ("$['ok']", "equals", "true")


def test_a_value_of_the_tree_becomes_a_condition_beside_its_row(desk: tuple[Page, OrderApi]) -> None:
    page, _ = desk
    press_test(page)
    row = page.locator("li[data-node=\"$['order']['id']\"] .tree-row")
    button = row.get_by_role("button", name=re.compile("Succeeds only if"))
    expect(button).to_be_hidden()
    row.hover()
    button.click()
    expect(page.locator("#success-when .condition")).to_have_count(1)
    assert condition(page) == ("$['order']['id']", "equals", "7")
    page.get_by_role("button", name="Remove condition 1").click()
    expect(page.locator("#success-when .condition")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_rows_fit_the_page(desk: tuple[Page, OrderApi], width: int) -> None:
    page, _ = desk
    page.set_viewport_size({"width": width, "height": 844})
    press_test(page)
    page.get_by_role("button", name="Succeed only then").click()
    expect(page.locator("#success-when .condition")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
