"""A curl command pasted into any field of a new step fills the whole form."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, OrderApi, browsing, fill_from, settle, sign_in

SQLITE_ONLY = "what a person does and sees"
COMMAND = "curl -X POST https://api.example/leads -H 'X-Channel: web' --json '{\"a\": 1}'"


def test_a_command_pasted_into_the_url_fills_the_form_and_the_preview_shows_it(tmp_path: Path) -> None:
    with browsing(tmp_path / "data", ADMIN_EMAIL=ADMIN, ADMIN_PASSWORD=PASSWORD) as (_, page, complaints):
        sign_in(page, to="/steps/new")
        url = page.locator("#at-request-url")
        url.focus()
        page.evaluate(
            """text => {
                const data = new DataTransfer();
                data.setData("text", text);
                const paste = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
                document.activeElement.dispatchEvent(paste);
            }""",
            COMMAND,
        )
        expect(url).to_have_value("https://api.example/leads")
        expect(page.locator('[name="method"]')).to_have_value("POST")
        expect(page.locator(".body-text")).to_have_value('{"a": 1}')
        page.locator("#part-preview > summary").click()
        page.get_by_role("button", name="Preview request").click()
        expect(page.locator("#preview")).to_contain_text("POST https://api.example/leads")
        expect(page.locator("#preview")).to_contain_text("X-Channel")
        assert complaints == []


def test_the_cursor_is_in_the_name_and_a_suggested_one_is_selected(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    name = page.locator('[name="name"]')
    request = {"method": "GET", "url": f"{api.url}/orders/1"}
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    collection = {"info": {"name": "Shop", "schema": schema}, "item": [{"name": "Get order", "request": request}]}
    fill_from(page, json.dumps(collection))
    expect(name).to_have_value("Get order")
    page.keyboard.type("Order status")
    expect(name).to_have_value("Order status")


def test_the_cursor_is_in_the_name_once_the_question_about_a_token_is_answered(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    fill_from(page, f"curl '{api.url}/orders/1' -H 'Authorization: Bearer $TOKEN'")
    expect(page.locator("#answer-1")).to_be_focused()
    page.keyboard.type("abcdef123456")
    page.get_by_role("button", name="Put it in").click()
    expect(page.locator("#answer-1")).to_have_count(0)
    settle(page)
    expect(page.locator('[name="name"]')).to_be_focused()
