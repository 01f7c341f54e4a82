"""The first minute: the form of the first user, and what a refusal of it leaves."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing

SQLITE_ONLY = "what a person does and sees"


def test_a_wrong_code_leaves_the_passwords_that_were_typed(tmp_path: Path) -> None:
    with browsing(tmp_path / "data") as (server, page, complaints):
        page.goto("/setup")
        code, first, again = (
            page.get_by_label("One-time code"),
            page.locator("#f-password"),
            page.locator("#f-password_again"),
        )
        send = page.get_by_role("button", name="Create the user and sign in")
        code.fill("0000-0000-0000-0000")
        page.get_by_label("E-mail").fill(ADMIN)
        first.fill(PASSWORD)
        again.fill("another password")
        send.click()
        expect(again).to_be_focused()
        expect(page.locator("#f-password_again-error")).to_contain_text("not the same")
        expect(first).to_have_value("")
        first.fill(PASSWORD)
        again.fill(PASSWORD)
        send.click()
        expect(page.locator("#f-code-error")).to_contain_text("This code is not the one in the log")
        expect(code).to_be_focused()
        for field in (first, again):
            expect(field).to_have_value(PASSWORD)
            expect(field).not_to_have_attribute("aria-invalid", "true")
        code.fill(server.log.read_text().split("one-time code ")[1].split()[0])
        code.press("Enter")
        page.wait_for_url("**/steps")
        assert [text for text in complaints if "422" not in text] == []
