"""A flow in a real browser: steps chosen, moved and tested, and nothing typed is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, Route, expect

from tests.browser.chromium import ADMIN, PASSWORD, OrderApi, browsing, let_go, order_api, settle, sign_in
from tests.house import document
from tests.server import Server

SQLITE_ONLY = "what a person does and sees"
VARIABLES = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD, "ALLOW_NETWORKS": "127.0.0.0/8"}


@pytest.fixture
def api() -> Iterator[OrderApi]:
    with order_api() as api:
        yield api


@pytest.fixture
def page(tmp_path: Path, api: OrderApi) -> Iterator[Page]:
    """On a new flow of an account with the steps First and Second."""
    with browsing(tmp_path / "data", **VARIABLES) as (server, page, complaints):
        make_steps(server, api.url)
        sign_in(page, to="/flows/new")
        yield page
        assert [
            text for text in complaints if "422" not in text and "401" not in text
        ] == []  # 401: typed as the session ended


def make_steps(server: Server, url: str) -> None:
    headers = {"Authorization": f"Bearer {server.command('key', 'create', '--name', 'k', '--scope', 'manage')}"}
    for key in ("first", "second"):
        body = document(key, url=f"{url}/{{{{order.id}}}}")
        assert requests.put(f"{server.url}/api/v1/steps/{key}", json=body, headers=headers, timeout=30).ok


def choose(page: Page) -> None:
    page.get_by_label("Name").fill("Both orders")
    page.locator("#step-1").select_option(label="Second")
    page.locator("#step-2").select_option(label="First")


def test_steps_are_chosen_moved_tested_and_saved(page: Page) -> None:
    expect(page.locator("main")).not_to_contain_text("not right")
    choose(page)
    page.locator('[name="value:order.id"]').fill("42")
    page.get_by_label("Move up: step 2").click()
    expect(page.locator("#step-1 option:checked")).to_have_text("First")
    settle(page)
    page.locator("#when-2").select_option("exists")
    page.locator("#attribute-2").fill("never.there")
    expect(page.locator("#value-2")).to_be_hidden()
    page.keyboard.press("Control+Enter")
    timeline = page.locator(".flow-timeline li")
    expect(timeline.nth(0)).to_contain_text("First")
    expect(timeline.nth(0)).to_contain_text("Success")
    expect(timeline.nth(1)).to_contain_text("Left out")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/flows/1")
    expect(page.locator("#use-curl")).to_contain_text("/api/v1/flows/both-orders/execute")
    expect(page.locator("[data-dirty]")).to_be_hidden()
    expect(page.locator("#draft-offer")).to_be_hidden()
    page.goto("/flows/new")
    expect(page.locator("#draft-offer")).to_be_hidden()


def test_what_was_typed_when_the_session_ended_is_brought_back(page: Page) -> None:
    choose(page)
    settle(page)
    page.context.clear_cookies()
    page.keyboard.press("Control+s")
    page.wait_for_url("**/login?**")
    page.get_by_label("E-mail").fill(ADMIN)
    page.locator('[name="password"]').fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/flows/new")
    page.get_by_role("button", name="Bring it back").click()
    expect(page.get_by_label("Name")).to_have_value("Both orders")
    expect(page.locator("#step-1 option:checked")).to_have_text("Second")
    expect(page.locator("[data-dirty]")).to_be_visible()


def test_cancel_ends_the_step_that_runs(page: Page, api: OrderApi) -> None:
    choose(page)
    page.locator('[name="value:order.id"]').fill("slow")
    page.locator("#test-btn").click()
    assert api.asked.wait(20), "the call has to be under way before it is cancelled"
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#flow-result")).to_contain_text("Cancelled.")
    expect(page.locator("#flow-budget")).to_contain_text("9 left")
    expect(page.locator("#flow-progress")).to_be_hidden()
    assert api.hung_up.wait(20)


def test_removing_the_last_row_by_keyboard_leaves_the_focus_at_the_one_before(page: Page) -> None:
    settle(page)
    for left, at in ((1, "remove-1"), (0, "add-step")):
        page.locator(f"#remove-{left + 1}").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".flow-step")).to_have_count(left)
        expect(page.locator(f"#{at}")).to_be_focused()
        settle(page)


def test_what_is_typed_while_an_answer_is_on_its_way_stays_where_it_belongs(page: Page) -> None:
    choose(page)
    settle(page)
    page.locator("#when-1").select_option("equals")

    held: list[Route] = []
    page.route("**/flows/new/*", lambda route: held.append(route))

    def answer(part: str) -> None:
        with page.expect_response(f"**/{part}"):
            let_go(page, held)
        settle(page)

    page.locator("#step-2").select_option(label="Second")
    page.locator('[name="value:order.id"]').fill("42")
    answer("values")
    expect(page.locator('[name="value:order.id"]')).to_have_value("42")
    page.get_by_label("Move down: step 1").click()
    page.locator("#attribute-1").fill("vip")
    page.get_by_label("Name").fill("Another name")
    answer("move")
    expect(page.locator("#attribute-2")).to_have_value("vip")
    expect(page.locator("#attribute-1")).to_have_value("")
    expect(page.get_by_label("Name")).to_have_value("Another name")
    expect(page.locator('[name="value:order.id"]')).to_have_value("42")


def test_a_fault_goes_with_its_mending_and_the_values_stay_through_a_save(page: Page) -> None:
    choose(page)
    settle(page)
    page.locator("#when-2").select_option("above")
    page.locator("#attribute-2").fill("id")
    page.locator("#value-2").fill("many")
    page.locator('[name="value:order.id"]').fill("42")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#fault-summary")).to_be_visible()
    settle(page)
    page.locator("#value-2").fill("5")
    expect(page.locator("#fault-summary")).to_have_count(0)
    expect(page.locator(".field-invalid")).to_have_count(0)
    page.keyboard.press("Control+s")
    page.wait_for_url("**/flows/1")
    expect(page.locator('[name="value:order.id"]')).to_have_value("42")
    expect(page.locator("#use-curl")).to_contain_text("order.id")


def test_undoing_changes_leaves_the_values_for_test(page: Page) -> None:
    choose(page)
    page.locator('[name="value:order.id"]').fill("42")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/flows/1")
    page.locator('[name="value:order.id"]').fill("43")
    page.get_by_label("Name").fill("Another")
    with page.expect_navigation():
        page.get_by_text("Undo changes").click()
    expect(page.get_by_label("Name")).to_have_value("Both orders")
    expect(page.locator('[name="value:order.id"]')).to_have_value("43")
