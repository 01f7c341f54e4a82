"""A name that is in use is known to `</>`, also before anybody keeps it among the attributes."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, OrderApi, browsing, settle, sign_in

SQLITE_ONLY = "what a person does and sees"
STEP = (
    '{"format": "httpstep/1", "name": "One", "request": {"method": "GET", "url": "https://a.example/{{order_number}}"}}'
)


def test_names_of_this_form_and_of_other_steps_are_offered_at_the_second_step(tmp_path: Path) -> None:
    with browsing(tmp_path / "data", ADMIN_EMAIL=ADMIN, ADMIN_PASSWORD=PASSWORD) as (server, page, complaints):
        (tmp_path / "step.json").write_text(STEP)
        server.command("step", "import", str(tmp_path / "step.json"))
        sign_in(page, to="/steps/new")
        page.get_by_role("radio", name="JSON").check()
        body = page.locator(".body-text")
        body.press_sequentially('{"city": "{{city')
        page.keyboard.press("Escape")
        page.keyboard.type('}}"}')
        url = page.locator("#at-request-url")
        url.press_sequentially("https://b.example/{{")
        options = page.locator("#picker [role=option]")
        expect(options.filter(has_text="order_number")).to_be_visible()
        expect(options.filter(has_text="city")).to_be_visible()
        page.keyboard.type("orde")
        expect(options.filter(has_text="city")).to_be_hidden()
        expect(page.get_by_text("Used in other steps, not among the attributes yet")).to_be_visible()
        page.keyboard.press("Enter")
        expect(url).to_have_value("https://b.example/{{order_number}}")
        settle(page)
        page.get_by_role("button", name="Keep 2 names for other steps").click()
        expect(page.get_by_role("button", name="for other steps")).to_have_count(0)
        page.keyboard.press("Escape")
        page.locator(".url-line [data-picker]").click()
        expect(page.get_by_role("group", name="From your bot")).to_contain_text("city")
        page.evaluate("sessionStorage.clear()")
        assert complaints == []


def test_a_name_with_the_key_in_front_says_why_until_it_is_changed(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    for name in ("Order status", "Order by phone"):
        page.goto("/steps/new")
        page.locator('[name="name"]').fill(name)
        page.locator("#at-request-url").fill(f"{api.url}/orders/1")
        page.locator("#test-btn").click()
        expect(page.locator(".result-line")).to_contain_text("200 OK")
        if name == "Order status":
            page.keyboard.press("Control+s")
            page.wait_for_url("**/steps/1")
    why = page.locator(".answer-notes").get_by_text("come from the step “Order status” already")
    expect(why).to_be_visible()
    expect(page.locator("#mapping").get_by_text("come from the step “Order status” already")).to_be_visible()
    page.get_by_role("button", name="Untick all").click()
    page.locator("[data-node=\"$['data']['status']\"] .tick").click()
    expect(why).to_be_visible()
    page.locator("[data-node=\"$['data']['status']\"] .name-input").fill("state")
    expect(why).to_be_hidden()
