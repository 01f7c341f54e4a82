"""The step editor, as a person walks through it: a step made, tested, mapped, saved, and run by a bot."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing, order_api, set_up, settle, sign_in
from tests.server import free_port

SQLITE_ONLY = "what a person does and sees"
MAIL = {"SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "steps@shop.example"}
VARIABLES = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD} | MAIL


def make_request(page: Page, api: str) -> None:
    """Section 1: name, URL with an attribute from the picker, a header."""
    page.get_by_role("link", name="New step").click()
    expect(page.locator("#at-request-url")).to_be_focused()
    page.locator('[name="name"]').fill("Order status")
    url = page.locator("#at-request-url")
    url.press_sequentially(f"{api}/orders/{{{{")
    expect(page.locator("#picker")).to_be_visible()
    page.keyboard.type("order.id")
    page.keyboard.press("Enter")
    expect(url).to_have_value(f"{api}/orders/{{{{order.id}}}}")
    page.keyboard.press("Control+z")
    expect(url).to_have_value(re.compile(r".*\{\{order\.id$"))
    page.keyboard.press("Control+Shift+z")
    expect(url).to_have_value(f"{api}/orders/{{{{order.id}}}}")
    page.get_by_role("button", name="Add Header").click()
    page.keyboard.type("X-Channel")
    page.keyboard.press("Tab")
    page.keyboard.type("chat")


def watch_and_cancel(page: Page, api: str) -> None:
    page.locator("#at-request-url").fill(f"{api}/slow")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text(re.compile(r"Calling 127\.0\.0\.1… \d+ s of 60 s"))).to_be_visible()
    expect(page.get_by_role("button", name="Test", exact=True).first).to_be_disabled()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(re.compile(r"Cancelled after \d+ s"))).to_be_visible()
    expect(page.locator("#logs")).to_contain_text("Cancelled")


def run_a_test(page: Page, api: str) -> None:
    page.locator("#at-request-url").fill(f"{api}/orders/{{{{order.id}}}}")
    page.locator('[name="value:order.id"]').fill("1042")
    page.get_by_role("button", name="Test", exact=True).first.click()
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    expect(page.locator(".tree")).to_contain_text("shipped")
    page.get_by_role("tab", name="Body").click()
    expect(page.locator("#panel-body")).to_contain_text("MUG-BLUE")
    page.get_by_role("tab", name="Headers").click()
    expect(page.locator("#panel-headers")).to_contain_text("application/json")
    page.get_by_role("tab", name="Request sent").click()
    expect(page.locator("#panel-sent")).to_contain_text("X-Channel")
    page.get_by_role("tab", name="Map").click()


def map_values(page: Page) -> None:
    """All are mapped; rename one, switch one off, remove one and map it again from the tree."""
    expect(page.locator(".rule")).to_have_count(9)
    names = page.locator(".rule-name")
    expect(names.nth(0)).to_have_value("id")
    names.nth(0).fill("order_id")
    expect(page.locator("[data-node=\"$['data']['id']\"] .name-input")).to_have_value("order_id")
    page.locator(".rule-on").nth(1).uncheck()
    page.get_by_role("button", name="Remove row 3").click()
    expect(page.locator(".rule")).to_have_count(8)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".rule")).to_have_count(9)
    page.get_by_role("button", name="Remove row 3").click()
    row = page.locator("[data-node=\"$['data']['total']\"] .tree-row")
    row.hover()
    row.locator("[data-map]").click()
    expect(page.locator(".rule")).to_have_count(9)
    expect(page.locator(".rule-name").last).to_have_value("total")
    names.nth(2).fill("order_id")
    expect(page.get_by_text("“order_id” is already filled by another row.")).to_be_visible()
    names.nth(2).fill("currency")


def save(page: Page) -> None:
    page.get_by_text("Continue Further Steps").click()
    page.locator('[name="alert_emails"]').fill("ops@shop.example, help@shop.example")
    settle(page)
    expect(page.locator("[data-dirty]")).to_be_visible()
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/4")
    expect(page.locator("[data-dirty]")).to_be_hidden()
    expect(page.locator('[name="value:order.id"]')).to_have_value("1042")
    expect(page.locator(".rule-name").nth(0)).to_have_value("order_id")


def look_at_a_log(page: Page) -> None:
    view = page.get_by_role("link", name="View").first
    view.click()
    dialog = page.locator("#modal")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Request sent")
    settle(page, 0.1)  # htmx takes over the dialog's links a moment after they are shown
    page.keyboard.press("j")
    expect(dialog).to_contain_text("Cancelled")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(view).to_be_focused()


def run_it(page: Page) -> None:
    """The copied line for the bot in a real shell, with a key of one's own in it."""
    line = page.locator("#use-curl").text_content() or ""
    page.goto("/settings/keys")
    page.locator('[name="name"]').first.fill("bot")
    page.get_by_role("button", name="Create the key").click()
    token = page.locator("#new-token").text_content() or ""
    shell = subprocess.run(
        ["/bin/sh", "-c", line.replace("YOUR_API_KEY", token.strip())], capture_output=True, text=True, timeout=30
    )
    answer = json.loads(shell.stdout)
    assert answer["next"] == "continue" and answer["attributes"]["order_id"] == 1042
    assert "status" not in answer["attributes"], "it was switched off"


def test_a_person_sets_up_makes_a_step_tests_maps_saves_and_runs_it(tmp_path: Path) -> None:
    port = free_port()
    demo = f"http://127.0.0.1:{port}"
    with (
        order_api() as silent,
        browsing(tmp_path / "data", "--demo", str(port), **MAIL) as (server, page, complaints),
    ):
        set_up(server, page)
        make_request(page, demo)
        watch_and_cancel(page, silent.url)
        assert silent.hung_up.wait(20), "the connection to the API was not closed"
        run_a_test(page, demo)
        map_values(page)
        save(page)
        look_at_a_log(page)
        page.get_by_role("button", name="Reset Mail Timeout").click()
        expect(page.locator(".toast").last).to_contain_text("Next alert can be sent at once.")
        run_it(page)
        assert complaints == []


def test_faults_come_to_their_fields_and_nothing_typed_is_lost(tmp_path: Path) -> None:
    with order_api() as api, browsing(tmp_path / "data", width=390, **VARIABLES) as (_, page, complaints):
        sign_in(page, to="/steps/new")
        page.locator("#at-request-url").fill("ftp://nowhere")
        page.get_by_role("radio", name="JSON").check()
        page.locator(".body-text").fill('{"a": ')
        page.locator(".bottom-bar").get_by_role("button", name="Save").click()
        expect(page.locator("#fault-summary")).to_contain_text("Fix these 3 things before saving")
        expect(page.locator('[name="name"]')).to_be_focused()
        expect(page.locator("#at-request-url")).to_have_value("ftp://nowhere")
        expect(page.locator(".body-text")).to_have_value('{"a": ')
        settle(page)
        page.on("dialog", lambda dialog: dialog.accept())
        page.reload()
        page.get_by_role("button", name="Bring it back").click()
        expect(page.locator("#at-request-url")).to_have_value("ftp://nowhere")
        expect(page.locator(".body-text")).to_have_value('{"a": ')
        page.locator("#at-request-url").fill(f"{api.url}/orders/1")
        page.locator('[name="name"]').fill("Order")
        page.locator(".body-text").fill('{"a": 1}')
        page.locator(".bottom-bar").get_by_role("button", name="Save").click()
        page.wait_for_url("**/steps/1")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert [text for text in complaints if "422" not in text] == []
