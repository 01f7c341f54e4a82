"""From a line of a documentation, with a placeholder where the token goes, to a mapped value; and a document to choose from."""

from __future__ import annotations

import json
import os
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing, order_api, sign_in

SQLITE_ONLY = "what a person does and sees"


class Clicks:
    """Counts what a person presses."""

    def __init__(self, page: Page) -> None:
        self._page, self.made = page, 0

    def press(self, name: str) -> None:
        self.made += 1
        self._page.get_by_role("button", name=name, exact=True).first.click()


def paste(page: Page, text: str) -> None:
    """Ctrl+V into the field that has the focus."""
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData("text", text);
            const paste = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
            document.activeElement.dispatchEvent(paste);
        }""",
        text,
    )


def look(page: Page, name: str) -> None:
    """A picture for whoever asks for one."""
    if folder := os.environ.get("SCREENS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_from_a_documented_line_to_a_mapped_value_in_six_clicks(tmp_path: Path) -> None:
    with (
        order_api() as api,
        browsing(tmp_path / "data", ADMIN_EMAIL=ADMIN, ADMIN_PASSWORD=PASSWORD, ALLOW_NETWORKS="127.0.0.1") as (
            _,
            page,
            complaints,
        ),
    ):
        sign_in(page)
        clicks = Clicks(page)
        page.get_by_role("link", name="New step").first.click()
        page.wait_for_url("**/steps/new")  # with its scripts: one hears of the paste
        clicks.made += 1
        page.locator("#at-request-url").focus()
        paste(page, f'curl {api.url}/orders/1 \\\n  -H "Authorization: Bearer YOUR_API_KEY"')
        token = page.get_by_label("The command has a placeholder where your token goes: paste it here (YOUR_API_KEY).")
        expect(token).to_be_focused()
        look(page, "paste-question")
        page.set_viewport_size({"width": 390, "height": 844})
        look(page, "paste-question-narrow")
        page.set_viewport_size({"width": 1280, "height": 800})
        token.fill("real-token-1")
        clicks.press("Put it in")
        expect(token).to_have_count(0)
        page.locator("#test-btn").click()
        clicks.made += 1
        expect(page.locator("#mapping")).to_contain_text("shipped")
        page.locator('[name="name"]').fill("Order status")
        page.locator("[data-save]").click()
        clicks.made += 1
        page.wait_for_url("**/steps/1")
        expect(page.locator("body")).to_contain_text("Stored under Secrets: ")
        assert "real-token-1" not in page.content()
        look(page, "paste-saved")
        assert clicks.made <= 6
        assert complaints == []


def test_a_document_is_searched_and_one_of_its_requests_fills_the_form(tmp_path: Path) -> None:
    words = "x" * 6000  # the document comes to 1.8 MB
    paths = {
        f"/things/{number}": {"get": {"summary": f"Thing {number}", "description": words}} for number in range(300)
    }
    paths["/orders/{id}"] = {
        "get": {"summary": "Find an order", "parameters": [{"name": "id", "in": "path", "schema": {"example": 7}}]}
    }
    document = json.dumps({"openapi": "3.1.0", "servers": [{"url": "https://shop.example"}], "paths": paths})
    (file := tmp_path / "shop.json").write_text(document, encoding="utf-8")
    with browsing(tmp_path / "data", ADMIN_EMAIL=ADMIN, ADMIN_PASSWORD=PASSWORD) as (_, page, complaints):
        sign_in(page, to="/steps/new#paste-curl")
        page.locator("[data-read-into]").set_input_files(file)
        search = page.get_by_label("Search the requests")
        expect(search).to_be_focused()
        expect(page.locator("#paste-box")).to_contain_text("has 301 requests. Choose one")
        search.press_sequentially("find ord")
        look(page, "paste-choose")
        page.set_viewport_size({"width": 390, "height": 844})
        look(page, "paste-choose-narrow")
        search.press("Enter")
        expect(page.locator("#at-request-url")).to_have_value("https://shop.example/orders/{{id}}")
        expect(page.locator('[name="value:id"]')).to_have_value("7")
        expect(page.locator('[name="name"]')).to_have_value("Find an order")
        assert page.locator("#at-curl").input_value() == ""
        assert complaints == []


def test_a_form_with_parts_keeps_its_lines_until_it_is_saved(tmp_path: Path) -> None:
    with browsing(tmp_path / "data", ADMIN_EMAIL=ADMIN, ADMIN_PASSWORD=PASSWORD) as (_, page, complaints):
        sign_in(page, to="/steps/new")
        page.locator("#at-request-url").focus()
        paste(
            page, "curl https://mail.example/send -F to=a@b.example -F $'text=Hello,\\nsecond line' -F file=@report.pdf"
        )
        expect(page.locator("#paste-box")).to_contain_text("the part “file” is a file: files cannot be sent yet")
        expect(page.locator("#body-multipart")).to_be_checked()
        text = page.locator('[data-row="field"] [name="field_value"]').nth(1)
        expect(text).to_have_value("Hello,\nsecond line")
        look(page, "paste-parts")
        page.locator("#part-preview > summary").click()
        page.get_by_role("button", name="Preview request").click()
        expect(page.locator("#preview")).to_contain_text("second line")
        page.locator('[name="name"]').fill("Mail")
        page.locator("[data-save]").click()
        page.wait_for_url("**/steps/1")
        expect(text).to_have_value("Hello,\nsecond line")
        assert complaints == []
