"""A curl command pasted into any field of a new step fills the whole form."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing, sign_in

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
