"""Test, as somebody sees it: the result in view at every width, what stays, and what comes up to date by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Error, Page, Route, expect

from tests.browser.chromium import ADMIN, PASSWORD, OrderApi, browsing, look_at_drift, order_api, settle, sign_in
from tests.house import document
from tests.server import Server

SQLITE_ONLY = "what a person does and sees"
VARIABLES = {
    "ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD,
    "SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "steps@shop.example",
}  # fmt: skip
POLL = "document.body.dispatchEvent(new CustomEvent('logs:changed'))"


class Desk:
    """One person before the editor of a saved step, and the order API behind it."""

    def __init__(self, server: Server, page: Page, api: OrderApi) -> None:
        self.server, self.page, self.api = server, page, api
        self.result = page.locator("#test-result")
        self.bar = page.locator(".bottom-bar")

    def make_step(self) -> None:
        self.page.goto("/steps/new")
        self.page.locator('[name="name"]').fill("Order status")
        self.page.locator("#at-request-url").fill(f"{self.api.url}/orders/1")
        self.test()
        self.page.locator('[name="alert_emails"]').fill("ops@shop.example")
        self.page.keyboard.press("Control+s")
        self.page.wait_for_url("**/steps/1")

    def test(self) -> None:
        with self.page.expect_response("**/test") as made:
            self.page.keyboard.press("Control+Enter")
        assert made.value.status == 200
        expect(self.page.locator("#test-btn")).to_be_enabled()

    def allow(self, per_minute: int) -> None:
        self.server.command("account", "limit", "default", str(per_minute))

    def execute(self, times: int) -> None:
        token = self.server.command("key", "create", "--name", "bot")
        for _ in range(times):
            self.server.execute("order-status", {}, token)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with order_api() as api, browsing(tmp_path / "data", **VARIABLES) as (server, page, complaints):
        sign_in(page, to=None)
        found = Desk(server, page, api)
        found.make_step()
        yield found
        told = ("422", "429", "htmx:sendAbort", "htmx:afterRequest")
        assert [text for text in complaints if not any(one in text for one in told)] == []


@pytest.mark.parametrize("width", [390, 1000])
def test_the_bottom_bars_test_shows_its_progress_and_result(desk: Desk, width: int) -> None:
    page = desk.page
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(reduced_motion="reduce")
    desk.bar.get_by_role("button", name="Test").click()
    expect(page.locator(".result-line")).to_be_in_viewport()
    page.locator("#at-request-url").fill(f"{desk.api.url}/slow")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    desk.bar.get_by_role("button", name="Test").click()
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_be_in_viewport()
    cancel.click()
    expect(page.get_by_text("Cancelled after")).to_be_in_viewport()


def test_over_the_budget_the_answer_stays_and_the_budget_counts_down(desk: Desk) -> None:
    page = desk.page
    desk.test()
    desk.allow(2)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#rate-limited")).to_contain_text("Rate Limit Exceeded")
    expect(desk.result.locator(".tree")).to_contain_text("shipped")
    budget = page.locator("#budget")
    expect(budget).to_have_text(re.compile(r"None left for \d+ s\."))
    before = budget.text_content()
    expect(budget).not_to_have_text(before or "")
    desk.allow(50)
    page.evaluate(
        "document.querySelector('#budget span')?.dispatchEvent(new CustomEvent('countdown:done', {bubbles: true}))"
    )
    expect(budget).to_have_text(re.compile(r"of 50 requests this minute\. \d+ left\."))
    page.locator("#test-btn").evaluate("button => { button.disabled = false; }")
    desk.test()
    expect(page.locator("#rate-limited")).not_to_contain_text("Rate Limit Exceeded")


def test_a_countdown_that_is_over_says_so(desk: Desk) -> None:
    words = '<span data-wait>Try again in <span data-countdown="1">1</span> s</span>'
    answer = f'<div id="rate-limited" hx-swap-oob="true">{words}</div>'
    desk.page.route("**/test", lambda route: route.fulfill(status=429, content_type="text/html", body=answer))
    desk.page.keyboard.press("Control+Enter")
    expect(desk.page.locator("#rate-limited")).to_have_text("You can try again now")


def test_mail_and_drift_come_up_to_date_beside_what_is_typed(desk: Desk) -> None:
    page = desk.page
    page.locator('[name="name"]').fill("Typed meanwhile")
    desk.api.changed = True
    desk.execute(3)
    page.evaluate(POLL)
    banner = page.locator("#drift-banner")
    expect(banner).to_contain_text("JSON Structure Change Detected")
    expect(page.locator('[name="name"]')).to_have_value("Typed meanwhile")
    look_at_drift(page)
    banner.locator("select").nth(0).select_option("$['data']['state']")
    banner.get_by_role("button", name="Re-map & accept").click()
    expect(banner).to_contain_text("The new structure is accepted.")
    settle(page)  # the new banner listens a moment after it is there
    with page.expect_response("**/drift"):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('drift:changed'))")
    expect(banner).to_contain_text("The new structure is accepted.")


def test_what_is_accepted_is_not_called_missing_under_test(desk: Desk) -> None:
    page, notes = desk.page, desk.page.locator("#test-notes")
    desk.api.changed = True
    desk.test()
    expect(notes).to_contain_text("3 missing")
    expect(notes).to_contain_text("JSON Structure Change Detected")
    look_at_drift(page)
    selects = page.locator("#drift-banner select")
    selects.nth(0).select_option("$['data']['state']")
    page.get_by_role("button", name="Re-map & accept").click()
    expect(page.locator("#drift-undo")).to_be_focused()
    expect(notes).not_to_contain_text("missing")
    expect(notes).not_to_contain_text("JSON Structure Change Detected")
    page.keyboard.press("Enter")
    expect(page.locator("#drift-look")).to_be_focused()
    expect(notes).to_contain_text("3 missing")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Accept new structure").click()
    expect(page.locator("#drift-undo")).to_be_focused()


def test_a_button_keeps_the_focus_through_its_answer(desk: Desk) -> None:
    page = desk.page
    page.get_by_role("button", name="Reset Mail Timeout").click()
    expect(page.locator(".toast").last).to_contain_text("Next alert can be sent at once.")
    expect(page.get_by_role("button", name="Reset Mail Timeout")).to_be_focused()
    page.locator("#at-request-url").fill(f"{desk.api.url}/orders/{{{{brand.new}}}}")
    page.get_by_role("button", name="Keep this name for other steps").click()
    expect(page.locator('[name="value:brand.new"]')).to_be_focused()
    page.keyboard.press("Control+s")
    expect(page.locator("[data-dirty]")).to_be_hidden()
    page.goto("/settings/mail")
    page.get_by_role("button", name="Send test e-mail").click()
    expect(page.locator("#mail-test")).to_contain_text("The mail was not sent")
    expect(page.get_by_role("button", name="Send test e-mail")).to_be_focused()


def test_run_again_sends_what_that_call_had_and_nothing_else_to_the_step_as_it_is_now(desk: Desk) -> None:
    """The bot gave {"order": {"id": "0042"}} and no channel; since then the step has moved, and was tested with others."""
    page, url = desk.page, f"{desk.api.url}/v1/{{{{order.id}}}}"
    token = desk.server.command("key", "create", "--name", "bot", "--scope", "manage")
    put = partial(requests.put, f"{desk.server.url}/api/v1/steps/order-status", timeout=30)
    bearer = {"Authorization": f"Bearer {token}"}
    assert put(json=document(url=url), headers=bearer).status_code == 200
    desk.server.execute("order-status", {"order": {"id": "0042"}}, token)
    moved = url.replace("v1", "v2") + "?c={{channel}}&n={{n}}"
    assert put(json=document(url=moved, missing_attributes="empty"), headers=bearer).status_code == 200
    page.goto("/steps/1")
    for name in ("order.id", "channel", "n"):
        page.locator(f'[name="value:{name}"]').fill("other")
    desk.test()
    assert desk.api.paths[-2:] == ["/v1/0042", "/v2/other?c=other&n=other"]
    page.locator(".logs-table").get_by_role("link", name="View").nth(1).click()
    with page.expect_response("**/test") as made:
        page.get_by_role("link", name="Run again").click()
    assert made.value.status == 200 and desk.api.paths[-1] == "/v2/0042?c=&n="
    expect(page.locator("#modal")).to_be_hidden()
    expect(page.locator(".result-line")).to_contain_text("200")
    for name, value in (("order.id", "0042"), ("channel", ""), ("n", "")):
        expect(page.locator(f'[name="value:{name}"]')).to_have_value(value)
    page.locator('[name="value:n"]').fill("7")
    desk.test()
    assert desk.api.paths[-1] == "/v2/0042?c=&n=7", "the next test is that of the screen"


def test_a_duplicate_is_told_once_and_faults_say_what_they_stop(desk: Desk) -> None:
    page = desk.page
    names = page.locator(".rule-name")
    names.nth(1).fill(names.nth(0).input_value())
    expect(page.get_by_text("is already filled by")).to_have_count(1)
    page.keyboard.press("Control+s")
    expect(page.locator("#fault-summary")).to_contain_text("Fix this before saving")
    settle(page, 0.8)
    expect(page.locator(".rules .field-error")).to_have_count(1)
    names.nth(1).fill("another")
    page.locator("#at-request-url").fill("nonsense")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#fault-summary")).to_contain_text("before testing")
    expect(page.locator("#test-btn")).to_contain_text("Ctrl+Enter")
    page.evaluate("sessionStorage.clear()")
    page.on("dialog", lambda dialog: dialog.accept())


def test_nothing_sticks_out(desk: Desk) -> None:
    """At 200 % zoom the menu of the mapping, and at full width a long key of the answer."""
    page = desk.page
    page.set_viewport_size({"width": 640, "height": 450})
    page.get_by_text("Status, time or error").click()
    menu = page.locator(".add-rules .menu-list").bounding_box()
    assert menu and menu["x"] >= 0 and menu["x"] + menu["width"] <= 640
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    page.set_viewport_size({"width": 1280, "height": 900})
    page.reload()
    page.get_by_text("Map from a sample").click()
    long = "a_rather_long_key_of_an_answer_that_goes_on_and_on"
    page.locator("#at-sample").fill(f'{{"data": {{"order": [{{"{long}": "{long}"}}]}}}}')
    page.get_by_role("button", name="Show it as a tree").click()
    row = page.locator(f'.tree-row:has-text("{long}")').last
    add, card = row.locator("[data-map]").bounding_box(), page.locator("#test-panel").bounding_box()
    assert add and card and add["x"] + add["width"] <= card["x"] + card["width"] - 8


def test_a_dialog_that_was_closed_stays_closed_when_what_was_asked_for_in_it_arrives(desk: Desk) -> None:
    page, dialog = desk.page, desk.page.locator("#modal")
    desk.test()
    desk.test()
    held: list[Route] = []
    view = page.get_by_role("link", name="View").first
    for key in ("j", "click"):
        with page.expect_response("**/logs/*"):  # what the dialog showed before is no sign
            view.click()
        expect(dialog).to_contain_text("Request sent")
        settle(page)  # nobody is quicker than the links of a part that has just come
        page.route("**/logs/*", lambda route: held.append(route))
        if key == "j":
            page.keyboard.press("j")
        else:
            page.locator("[data-log-older]").click()
        while not held:  # until pytest's own time is up
            page.wait_for_timeout(20)
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        page.unroute("**/logs/*")
        for route in held:
            with suppress(Error):  # given up by the page
                route.continue_()
        held.clear()
        page.wait_for_timeout(1000)
        expect(dialog).to_be_hidden()
        expect(view).to_be_focused()


@pytest.mark.parametrize("width", [390, 700, 1000, 1280])
def test_the_head_of_the_answer_keeps_its_result_and_its_button_apart(desk: Desk, width: int) -> None:
    page = desk.page
    page.set_viewport_size({"width": width, "height": 844})
    desk.test()
    badge = page.locator(".answer-result > .result-line .badge").first
    badge.scroll_into_view_if_needed()
    button = next(one for one in page.locator(".answer-head > .btn").all() if one.is_visible())
    told, pressed = badge.bounding_box(), button.bounding_box()
    assert told and pressed and told["x"] + told["width"] <= pressed["x"]
    assert pressed["x"] + pressed["width"] <= width
