"""What is typed is never lost: not while a Save is on its way, not by leaving at once, and never to another person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing, let_go, settle, sign_in
from tests.server import Server

SQLITE_ONLY = "what a person does and sees"
VARIABLES = {
    "ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD, "ALLOW_NETWORKS": "127.0.0.0/8",
    "SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "steps@shop.example",
}  # fmt: skip
URL = "https://x.example/orders"
OTHER = "bob@example.com"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[tuple[Server, Page]]:
    with browsing(tmp_path / "data", **VARIABLES) as (server, page, complaints):
        sign_in(page, to=None)
        yield server, page
        told = ("422", "404", "sendError", "ERR_FAILED")
        assert [text for text in complaints if not any(word in text for word in told)] == []


def make_new(page: Page, url: str) -> None:
    page.goto("/steps/new")
    page.locator('[name="name"]').fill("Order status")
    page.locator("#at-request-url").fill(url)


def make_step(page: Page) -> None:
    make_new(page, URL)
    page.get_by_role("button", name="Add Header").click()
    page.keyboard.type("X-Channel")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")


@contextmanager
def while_it_saves(page: Page) -> Iterator[None]:
    """What is done inside happens while a Save, pressed first, is on its way."""
    held: list[Route] = []
    page.route("**/save", lambda route: held.append(route))
    with page.expect_response("**/save"):
        with page.expect_request("**/save"):
            page.keyboard.press("Control+s")
        yield
        settle(page)
        let_go(page, held)
    page.unroute("**/save")


def test_what_is_typed_while_a_save_is_on_its_way_stays_and_is_not_called_saved(here: tuple[Server, Page]) -> None:
    _, page = here
    make_step(page)
    name, url = page.locator('[name="name"]'), page.locator("#at-request-url")
    name.fill("Order status two")
    with while_it_saves(page):
        url.fill(f"{URL}/typed")
        page.get_by_text("Continue Further Steps").click()
        page.get_by_role("button", name="Add Header").click()
        page.keyboard.type("X-Later")
        url.focus()
        page.keyboard.press("Home")
    expect(page.locator(".toast").last).to_have_text(re.compile("^Saved\\.×"))
    expect(url).to_have_value(f"{URL}/typed")
    expect(url).to_be_focused()
    assert url.evaluate("field => field.selectionStart") == 0
    expect(page.get_by_role("radio", name="Continue Further Steps")).to_be_checked()
    expect(page.get_by_label("Header 2 name")).to_have_value("X-Later")
    expect(page.locator("[data-dirty]")).to_be_visible()
    with page.expect_response("**/save") as second:
        page.keyboard.press("Control+s")
    assert second.value.status == 200
    expect(page.locator("[data-dirty]")).to_be_hidden()
    page.reload()
    expect(url).to_have_value(f"{URL}/typed")
    expect(page.get_by_label("Header 2 name")).to_have_value("X-Later")
    expect(name).to_have_value("Order status two")


def test_a_good_save_leaves_caret_and_undo_and_takes_only_what_it_changed(here: tuple[Server, Page]) -> None:
    _, page = here
    make_step(page)
    name, url = page.locator('[name="name"]'), page.locator("#at-request-url")
    name.fill("Order status two  ")
    url.focus()
    page.keyboard.press("End")
    page.keyboard.type("/abcd")
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    node = url.element_handle()
    with page.expect_response("**/save") as saving:
        page.keyboard.press("Control+s")
    assert saving.value.status == 200
    expect(page.locator("[data-dirty]")).to_be_hidden()
    expect(name).to_have_value("Order status two")
    expect(page.locator("#step-title")).to_have_text("Order status two")
    expect(url).to_be_focused()
    assert node is not None and node.evaluate("field => [field.isConnected, field.selectionStart]") == [
        True,
        len(URL) + 3,
    ]
    page.keyboard.type("X")
    expect(url).to_have_value(f"{URL}/abXcd")
    page.keyboard.press("Control+z")
    expect(url).to_have_value(f"{URL}/abcd")
    page.keyboard.press("Control+z")
    expect(url).not_to_have_value(f"{URL}/abcd")
    page.keyboard.press("Control+Shift+z")
    expect(url).to_have_value(f"{URL}/abcd")
    with page.expect_response("**/save") as again:
        page.keyboard.press("Control+s")
    assert again.value.status == 200, "the version of the first Save is the form's"


def test_a_refused_save_keeps_what_was_typed_meanwhile(here: tuple[Server, Page]) -> None:
    _, page = here
    make_step(page)
    page.locator("#at-request-url").fill("nonsense")
    with while_it_saves(page):
        page.locator('[name="name"]').fill("Typed later")
    expect(page.locator("#fault-summary")).to_be_visible()
    expect(page.locator('[name="name"]')).to_have_value("Typed later")
    page.evaluate("sessionStorage.clear()")
    page.on("dialog", lambda dialog: dialog.accept())


def test_the_first_save_leaves_the_page_as_it_is(here: tuple[Server, Page]) -> None:
    """Caret, undo, scroll and the shown answer stay; the address, the menu and the sentence for the bot are the step's."""
    server, page = here
    page.set_viewport_size({"width": 1280, "height": 500})
    make_new(page, f"{server.url}/nothing-is-here")
    url, asked = page.locator("#at-request-url"), page.locator("#test-result")
    page.locator("#test-btn").click()
    expect(asked.get_by_role("button", name="Send this alert now")).to_be_disabled()
    page.locator("#at-request-url").evaluate("field => field.scrollIntoView({ block: 'center' })")
    url.focus()
    page.keyboard.press("End")
    page.keyboard.type("/abcd")
    page.keyboard.press("ArrowLeft")
    node, answer = url.element_handle(), asked.element_handle()
    assert node is not None and answer is not None
    place = "field => [scrollY, Math.round(field.getBoundingClientRect().top)]"
    before = node.evaluate(place)
    with page.expect_response("**/save"):
        page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    expect(page.locator("[data-dirty]")).to_be_hidden()
    expect(url).to_be_focused()
    assert node.evaluate("field => [field.isConnected, field.selectionStart === field.value.length - 1]") == [
        True,
        True,
    ]
    assert answer.evaluate("part => part.isConnected"), "the answer that was shown is the one that is shown"
    assert node.evaluate(place) == before
    expect(asked.get_by_role("button", name="Send this alert now")).to_be_enabled()
    page.keyboard.press("Control+z")
    expect(url).not_to_have_value(re.compile("/abcd$"))
    page.keyboard.press("Control+Shift+z")
    expect(url).to_have_value(re.compile("/abcd$"))
    expect(page.get_by_label("More for this step")).to_be_visible()
    page.locator(".usage-menu > summary").click()
    expect(page.locator("#use-url")).to_contain_text("/steps/order-status/execute")
    page.keyboard.press("Escape")
    with page.expect_request("**/steps/1/test"):
        page.locator("#test-btn").click()
    expect(page.locator("#logs tbody tr")).to_have_count(2)
    page.reload()
    expect(url).to_have_value(re.compile("/abcd$"))
    page.goto("/steps")
    page.go_back()
    expect(page.locator("#step-title")).to_have_text("Order status")
    expect(page).to_have_url(re.compile("/steps/1$"))
    expect(page.locator("[data-dirty]")).to_be_hidden()


def test_save_pressed_twice_and_a_save_whose_answer_was_lost_make_one_step(here: tuple[Server, Page]) -> None:
    _, page = here
    make_new(page, URL)
    page.route("**/save", lambda route: (route.fetch(), route.abort()))
    page.keyboard.press("Control+s")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("No Connection", exact=True)).to_be_visible()
    page.unroute("**/save")
    page.get_by_role("button", name="Save").first.dblclick()
    page.wait_for_url("**/steps/1")
    expect(page.locator("[data-dirty]")).to_be_hidden()
    with page.context.new_page() as other:
        other.goto("/steps")
        expect(other.locator("#step-list tbody tr")).to_have_count(1)
        make_new(other, URL)
        other.keyboard.press("Control+s")
        other.wait_for_url("**/steps/2")
    with page.expect_response("**/steps/1/save") as saving:
        page.keyboard.press("Control+s")
    assert saving.value.status == 200


def test_a_test_under_way_during_the_first_save_is_shown(here: tuple[Server, Page]) -> None:
    """It comes to the page of the step, and is in its logs; what its answer offers asks the step."""
    server, page = here
    make_new(page, f"{server.url}/health")
    held: list[Route] = []
    page.route("**/test", lambda route: held.append(route))
    with page.expect_request("**/steps/new/test"):
        page.locator("#test-btn").click()
    page.locator('[name="name"]').press("Control+s")
    page.wait_for_url("**/steps/1")
    let_go(page, held)
    page.unroute("**/test")
    expect(page.locator("#test-result .result-line")).to_be_visible()
    expect(page.locator("#logs tbody tr")).to_have_count(1)
    page.keyboard.press("Control+s")
    expect(page.locator("[data-dirty]")).to_be_hidden()
    page.reload()
    expect(page.locator("#logs tbody tr")).to_have_count(1)


def test_the_first_save_takes_along_what_was_typed_meanwhile(here: tuple[Server, Page]) -> None:
    _, page = here
    page.goto("/steps/new")
    page.locator('[name="name"]').fill("Order status")
    page.locator("#at-request-url").fill(URL)
    page.get_by_text("Authentication").first.click()
    page.locator('[name="auth_type"]').select_option("bearer")
    page.locator('[name="auth_token"]').fill("typed-as-it-is")
    with while_it_saves(page):
        page.locator("#at-request-url").fill(f"{URL}/typed")
    page.wait_for_url("**/steps/1")
    expect(page.locator("#at-request-url")).to_have_value(f"{URL}/typed")
    expect(page.locator('[name="auth_token"]')).to_have_value("typed-as-it-is")
    expect(page.locator("[data-dirty]")).to_be_visible()
    expect(page.locator("#draft-offer")).to_be_hidden()
    page.keyboard.press("Control+s")
    expect(page.locator("[data-dirty]")).to_be_hidden()
    page.goto("/steps/new")
    expect(page.locator("#draft-offer")).to_be_hidden()


def test_a_step_deleted_meanwhile_is_saved_as_a_new_one(here: tuple[Server, Page]) -> None:
    """Somebody deletes it in another window: the Save says so and shows what was typed, the next one keeps it."""
    _, page = here
    make_step(page)
    page.locator("#at-request-url").fill(f"{URL}/typed")
    token = page.locator('#step-form [name="csrf_token"]').input_value()
    deleted = page.request.post("/steps/1/delete", form={"csrf_token": token}, headers={"Referer": page.url})
    assert deleted.ok
    with page.expect_navigation():
        page.keyboard.press("Control+s")
    expect(page.get_by_text("Save makes a new step of it")).to_be_visible()
    expect(page.locator("#at-request-url")).to_have_value(f"{URL}/typed")
    expect(page.locator("[data-dirty]")).to_be_visible()
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/2")
    expect(page.locator("#at-request-url")).to_have_value(f"{URL}/typed")
    expect(page.locator("#draft-offer")).to_be_hidden()


def test_leaving_at_once_asks_and_keeps_the_draft(here: tuple[Server, Page]) -> None:
    _, page = here
    make_step(page)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.locator('[name="name"]').fill("Typed a moment ago")
    page.reload()
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Bring it back").click()
    expect(page.locator('[name="name"]')).to_have_value("Typed a moment ago")


@pytest.mark.parametrize("way", ["Forget it", "Undo changes"])
def test_what_was_thrown_away_is_not_offered_again(here: tuple[Server, Page], way: str) -> None:
    """Nor what was typed, and offered, before it; and the focus is where a new step begins."""
    _, page = here
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/steps/new")
    for text in ("First", "Second"):
        page.locator('[name="name"]').fill(text)
        settle(page)
        page.reload()
        expect(page.locator("#draft-offer")).to_be_visible()
    if way == "Undo changes":
        page.locator('[name="name"]').fill("Third")
    page.locator("#draft-offer, .editor-actions").get_by_text(way, exact=True).click()
    if way == "Undo changes":
        expect(page.locator('[name="name"]')).to_have_value("")
    expect(page.locator("#draft-offer")).to_be_hidden()
    for _again in range(2):
        page.reload()
        settle(page)
        expect(page.locator("#draft-offer")).to_be_hidden()
        expect(page.locator("#at-request-url")).to_be_focused()
    page.locator('[name="name"]').fill("Fourth")
    page.reload()
    page.get_by_role("button", name="Bring it back").click()
    expect(page.locator('[name="name"]')).to_have_value("Fourth")


def test_undoing_changes_leaves_the_values_for_test_as_they_were_typed(here: tuple[Server, Page]) -> None:
    """Also where the newest test had another; "Run again" still brings those of its call."""
    server, page = here
    page.on("dialog", lambda dialog: dialog.accept())
    make_new(page, f"{server.url}/nothing/{{{{id}}}}")
    value, values = page.locator('input.input[name="value:id"]'), page.locator("#values-for-test > summary")
    value.fill("7")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    page.locator("#test-btn").click()
    expect(page.locator("#logs tbody tr")).to_have_count(1)
    value.evaluate("field => { field.closest('details').open = true; }")
    value.fill("8")
    page.locator('[name="name"]').fill("Another")
    with page.expect_navigation():
        page.get_by_text("Undo changes").click()
    expect(page.locator('[name="name"]')).to_have_value("Order status")
    expect(value).to_have_value("8")
    expect(values).to_contain_text("8")
    page.goto("/steps/1?again=1")
    settle(page)
    expect(value).to_have_value("7")


def test_a_draft_is_not_the_next_persons(here: tuple[Server, Page]) -> None:
    server, page = here
    server.command("user", "add", OTHER, "--role", "editor", "--password", PASSWORD)
    page.goto("/steps/new")
    page.locator('[name="name"]').fill("Ana's own")
    page.locator("header summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    page.get_by_label("E-mail").fill(OTHER)
    page.locator('[name="password"]').fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/steps")
    assert page.evaluate("JSON.stringify(sessionStorage)").find("Ana") == -1
    page.goto("/steps/new")
    expect(page.locator("#draft-offer")).to_be_hidden()


def test_duplicating_says_that_the_changes_stay_behind(here: tuple[Server, Page]) -> None:
    _, page = here
    make_step(page)
    asked: list[str] = []
    answers = [False, True]
    page.on(
        "dialog",
        lambda dialog: (asked.append(dialog.message), dialog.accept() if answers.pop(0) else dialog.dismiss()),
    )
    page.locator('[name="name"]').fill("Changed")
    page.get_by_label("More for this step").click()
    page.get_by_role("button", name="Duplicate").click()
    expect(page.locator("[data-dirty]")).to_be_visible()
    page.get_by_role("button", name="Duplicate").click()
    page.wait_for_url("**/steps/2")
    assert len(asked) == 2 and all("The copy has what is saved." in text for text in asked)
    expect(page.locator('[name="name"]')).to_have_value("Order status (copy)")
    page.goto("/steps/1")
    page.get_by_role("button", name="Bring it back").click()
    expect(page.locator('[name="name"]')).to_have_value("Changed")
