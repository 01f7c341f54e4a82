"""The list of steps in a browser: tick, delete, undo, filter; and what axe finds in it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.chromium import browsing, sign_in
from tests.browser.test_drafts import VARIABLES


def test_ticked_steps_are_deleted_and_brought_back(tmp_path: Path) -> None:
    with browsing(tmp_path / "data", **VARIABLES) as (server, page, complaints):
        document = '{"format": "httpstep/1", "name": "%s", "request": {"method": "GET", "url": "https://a.example"}}'
        for name in ("One", "Two", "Three"):
            (tmp_path / "step.json").write_text(document % name)
            server.command("step", "import", str(tmp_path / "step.json"))
        sign_in(page)
        _tick_delete_undo(page)
        assert complaints == []


def _tick_delete_undo(page: Page) -> None:
    names = page.locator(".step-name").all_text_contents()
    assert len(names) > 2
    bar = page.locator("[data-chosen-bar]")
    expect(bar).to_be_hidden()
    page.get_by_label("Choose all").check()
    expect(bar).to_contain_text(f"{len(names)} ticked")
    page.get_by_label(f"Choose {names[0]}").uncheck()
    page.get_by_label(f"Choose {names[1]}").uncheck()
    expect(page.get_by_label("Choose all")).not_to_be_checked()
    bar.get_by_role("button", name="Delete").click()
    expect(page.locator(".step-name")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".step-name")).to_have_count(len(names))
    page.get_by_role("link", name="Unused").click()
    expect(page.get_by_role("link", name="Unused")).to_have_attribute("aria-current", "true")
    page.locator("#step-search").fill("thr")
    expect(page.locator(".step-name")).to_have_count(1)
    page.locator("#step-sort").select_option("called")
    expect(page.locator(".step-name")).to_have_text("Three")
