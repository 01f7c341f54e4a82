"""Save and Test pressed while storage is away: it is said where the person looks, and all that was typed stays."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing, order_api, sign_in

SQLITE_ONLY = "what a person does and sees"


def test_nothing_typed_is_lost_while_the_database_is_locked_and_then_gone(tmp_path: Path) -> None:
    file = tmp_path / "data/httpstep.db"
    with (
        order_api() as api,
        browsing(tmp_path / "data", ADMIN_EMAIL=ADMIN, ADMIN_PASSWORD=PASSWORD) as (_, page, _said),
    ):
        sign_in(page, to="/steps/new")
        page.locator('[name="name"]').fill("Order status")
        page.locator("#at-request-url").fill(f"{api.url}/orders/1")
        page.keyboard.press("Control+s")
        page.wait_for_url("**/steps/1")
        page.locator('[name="name"]').fill("Typed meanwhile")
        at_the_form = page.locator('[data-fault-for="step-form"]')
        with closing(sqlite3.connect(file, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            page.keyboard.press("Control+s")
            expect(at_the_form).to_contain_text("cannot reach its storage just now")
        expect(at_the_form).to_be_in_viewport()
        away = file.rename(tmp_path / "away.db")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#test-result [role=alert]")).to_contain_text("No call was made")
        expect(page.locator("#test-btn")).to_be_enabled()
        away.rename(file)
        expect(page.locator('[name="name"]')).to_have_value("Typed meanwhile")
        page.keyboard.press("Control+s")
        expect(page.locator("#toasts")).to_contain_text("Saved.")
        expect(at_the_form).to_have_count(0)
        page.reload()
        expect(page.locator('[name="name"]')).to_have_value("Typed meanwhile")
        assert api.paths == []
