"""The API changes under a saved step: the editor is told, re-maps, saves, and the bot goes on."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing, look_at_drift, order_api, settle, sign_in

SQLITE_ONLY = "what a person does and sees"


def test_a_changed_structure_is_shown_remapped_and_saved(tmp_path: Path) -> None:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (_, page, complaints):
        sign_in(page, to="/steps/new")
        page.locator('[name="name"]').fill("Order status")
        page.locator("#at-request-url").fill(f"{api.url}/orders/42")
        page.get_by_role("button", name="Test", exact=True).first.click()
        expect(page.locator(".rule")).to_have_count(7)
        page.keyboard.press("Control+s")
        page.wait_for_url("**/steps/1")

        api.changed = True
        page.get_by_role("button", name="Test", exact=True).first.click()
        banner = page.locator("#drift-banner")
        expect(banner).to_contain_text("JSON Structure Change Detected")
        look_at_drift(page)
        expect(banner).to_contain_text("Missing")
        expect(banner).to_contain_text("number → string")
        expect(banner).to_contain_text(re.compile(r"\d new fields"))
        selects = banner.locator("select")
        expect(selects).to_have_count(3)
        expect(selects.nth(0)).to_have_value("$['data']['state']")
        dialog = page.get_by_role("dialog", name="What changed")
        for _ in range(30):
            page.keyboard.press("Tab")
            assert page.evaluate(
                "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
            )
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(page.locator("#drift-look")).to_be_focused()
        where = page.locator("#test-result .tree-row").first.bounding_box()
        page.keyboard.press("Enter")
        expect(dialog).to_be_visible()
        assert page.locator("#test-result .tree-row").first.bounding_box() == where, "nothing moves behind it"
        page.evaluate("document.body.dispatchEvent(new CustomEvent('drift:changed'))")
        settle(page)
        expect(dialog).to_be_visible()
        row = banner.locator(".drift-row").nth(0)
        expect(row.locator(".drift-now")).to_contain_text("shipped")
        selects.nth(0).select_option("")
        expect(row.locator(".drift-now")).not_to_contain_text("shipped")
        selects.nth(0).select_option("$['data']['state']")
        expect(row.locator(".drift-now")).to_contain_text("shipped")
        before, after = page.locator("pre.both").nth(0).bounding_box(), page.locator("pre.both").nth(1).bounding_box()
        assert before and after and before["y"] == after["y"] and before["x"] < after["x"], "both answers side by side"
        expect(row).to_contain_text("was at data › status")
        expect(row.locator(".drift-was")).to_contain_text("shipped")
        expect(row.locator("option:checked")).to_contain_text("data › state = ")
        expect(row.locator("option:checked")).to_have_attribute("title", "$['data']['state']")
        was, now = row.locator(".drift-was").bounding_box(), selects.nth(0).bounding_box()
        assert was and now and was["x"] + was["width"] <= now["x"], "the old value stands beside the new one"
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.set_viewport_size({"width": 1280, "height": 900})
        expect(selects.nth(1)).to_have_value("$['data']['buyer']['name']")

        banner.get_by_role("button", name="Re-map & accept").click()
        expect(banner).to_contain_text("The new structure is accepted.")
        expect(page.locator(".rule-source").nth(1)).to_have_value("$['data']['state']")
        banner.get_by_role("button", name="Undo").click()
        expect(page.locator(".rule-source").nth(1)).to_have_value("$['data']['status']")
        look_at_drift(page)
        banner.locator("select").nth(0).select_option("$['data']['state']")
        banner.get_by_role("button", name="Re-map & accept").click()
        expect(banner).to_contain_text("Save to keep it.")

        page.keyboard.press("Control+s")
        expect(page.locator(".toast")).to_contain_text(["Saved."], use_inner_text=True)
        expect(banner).not_to_contain_text("structure")
        page.reload()
        expect(page.locator(".rule-name").nth(1)).to_have_value("status")
        expect(page.locator(".rule-source").nth(1)).to_have_value("$['data']['state']")
        page.get_by_role("button", name="Test", exact=True).first.click()
        expect(page.locator(".result-line")).to_contain_text("200 OK")
        expect(banner).not_to_contain_text("JSON Structure Change Detected")
        assert complaints == []


def test_the_old_values_are_asked_for_again_to_compare_like_with_like(tmp_path: Path) -> None:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (_, page, complaints):
        sign_in(page, to="/steps/new")
        page.locator('[name="name"]').fill("Order status")
        page.locator("#at-request-url").fill(f"{api.url}/orders/{{{{order.id}}}}")
        page.locator('[name="value:order.id"]').fill("42")
        test = page.get_by_role("button", name="Test", exact=True).first
        test.click()
        expect(page.locator(".rule")).to_have_count(7)
        page.keyboard.press("Control+s")
        page.wait_for_url("**/steps/1")

        api.changed = True
        page.locator("#values-for-test > summary").click()
        page.locator('[name="value:order.id"]').fill("43")
        test.click()
        banner = page.locator("#drift-banner")
        expect(banner).to_contain_text("JSON Structure Change Detected")
        look_at_drift(page)
        again = banner.get_by_role("link", name="Compare with the same values")
        expect(again).to_be_visible()
        with page.expect_response("**/test") as told:
            again.click()
        assert told.value.status == 200
        expect(page.locator('[name="value:order.id"]')).to_have_value("42")
        expect(banner).to_contain_text("JSON Structure Change Detected")
        look_at_drift(page)
        expect(banner.get_by_role("link", name="Compare with the same values")).to_have_count(0)
        expect(banner.locator("select").nth(0)).to_have_value("$['data']['state']")
        assert complaints == []
