""" "Use in your bot": what the bot is built on, its lines with the step's address, and a key, without leaving the step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing, order_api, sign_in
from tests.server import Server

SQLITE_ONLY = "what a person does and sees"
STEP = '{"format": "httpstep/1", "key": "order-status", "name": "Order status", "request": {"method": "GET", "url": "%s/orders/1"}}'


@pytest.fixture
def here(tmp_path: Path) -> Iterator[tuple[Page, Server]]:
    """At a saved step."""
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (server, page, complaints):
        (tmp_path / "step.json").write_text(STEP % api.url)
        server.command("step", "import", str(tmp_path / "step.json"))
        sign_in(page, to="/steps/1")
        yield page, server
        assert complaints == []


def opened(page: Page) -> Locator:
    page.locator(".usage-menu > summary").click()
    panel = page.locator("#usage")
    expect(panel).to_be_visible()
    return panel


def test_it_asks_what_the_bot_is_and_remembers_it(here: tuple[Page, Server]) -> None:
    page, server = here
    panel = opened(page)
    expect(panel.locator(".bot")).to_have_count(12)
    expect(panel.locator("#use-curl")).to_be_hidden()
    panel.get_by_role("radio", name="ManyChat").check()
    expect(panel.locator("#recipe-manychat-address")).to_contain_text(f"{server.url}/api/v1/steps/order-status/execute")
    expect(panel.locator("#recipe-manychat-address")).to_be_visible()
    expect(panel.locator("#use-url")).to_be_hidden()
    page.reload()
    panel = opened(page)
    expect(panel.locator(".bot").first).to_have_text("ManyChat")
    expect(panel.locator("#recipe-manychat-body")).to_be_visible()
    panel.get_by_role("radio", name="A program of your own").check()
    panel.get_by_role("tab", name="Python").click()
    expect(panel.locator("#use-python")).to_be_visible()


def test_it_closes_by_its_button_and_by_escape(here: tuple[Page, Server]) -> None:
    page, _ = here
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        panel = opened(page)
        close = panel.get_by_role("button", name="Close")
        expect(close).to_be_in_viewport(ratio=1)
        close.click()
        expect(panel).to_be_hidden()
        expect(page.locator(".usage-menu > summary")).to_be_focused()
        panel = opened(page)
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        expect(page.locator(".usage-menu > summary")).to_be_focused()


def test_a_key_is_made_by_one_press_stands_in_the_lines_and_works(here: tuple[Page, Server]) -> None:
    page, server = here
    panel = opened(page)
    panel.get_by_role("radio", name="Typebot").check()
    panel.get_by_role("button", name="Make a key for this bot").click()
    token = panel.locator("#bot-token").text_content() or ""
    expect(panel.locator("#recipe-typebot-headers")).to_contain_text(f"Bearer {token}")
    answered = server.execute("order-status", {}, token)
    assert (answered.status_code, answered.json()["outcome"]) == (200, "success")
    for _ in range(2):
        with page.expect_response("**/usage"):
            page.evaluate("document.body.dispatchEvent(new CustomEvent('values:changed'))")
        page.wait_for_timeout(300)  # until it is in its place: what listens stands in it
    expect(panel.locator("#recipe-typebot-headers")).to_contain_text(f"Bearer {token}")
    page.reload()
    assert token not in page.content()
    page.goto("/settings/keys")
    expect(page.get_by_role("row", name="Bot, Order status")).to_contain_text("execute")


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
@pytest.mark.parametrize("bot", ["Typebot", "A program of your own"])
def test_a_key_that_was_made_is_seen_whole_and_can_be_copied_at_once(
    here: tuple[Page, Server], width: int, height: int, bot: str
) -> None:
    page, _ = here
    page.set_viewport_size({"width": width, "height": height})
    panel = opened(page)
    panel.get_by_role("radio", name=bot).check()
    panel.get_by_role("button", name="Make a key for this bot").click()
    token = panel.locator("#bot-token")
    expect(panel.locator("#bot-key-made").get_by_role("button", name="Copy")).to_be_focused()
    expect(page.locator(".toast")).to_contain_text("is ready: copy it now")
    expect(token).to_be_in_viewport(ratio=0.99)  # a browser scrolls by whole pixels
    assert token.evaluate("""(token) => {
      const box = token.getBoundingClientRect();
      return [box.top + 20, box.bottom - 4].every((y) => document.elementFromPoint(box.left + 20, y) === token);
    }""")


def test_who_does_not_know_the_bot_gets_advice_and_the_request_itself(here: tuple[Page, Server]) -> None:
    page, server = here
    panel = opened(page)
    panel.get_by_role("radio", name="I don't know").check()
    expect(panel.get_by_text("Look at the page where you change what your bot says")).to_be_visible()
    expect(panel.locator("#use-plain-address")).to_have_text(f"{server.url}/api/v1/steps/order-status/execute")
    expect(panel.locator("#use-plain-body")).to_have_text('{"attributes":{}}')
    lines = panel.locator("#use-plain-headers")
    expect(lines).to_have_text("Authorization: Bearer YOUR_API_KEY Content-Type: application/json")
    where = panel.get_by_text("in the place of YOUR_API_KEY", exact=True)
    expect(where).to_be_visible()
    panel.get_by_role("button", name="Make a key for this bot").click()
    token = panel.locator("#bot-token").text_content() or ""
    expect(lines).to_contain_text(f"Bearer {token}")
    expect(where).to_be_hidden()  # it is in the lines


def test_who_may_make_no_key_sees_who_can(here: tuple[Page, Server]) -> None:
    page, server = here
    server.command("user", "add", "edith@example.com", "--role", "editor", "--password", PASSWORD)
    page.context.clear_cookies()
    page.goto("/login")
    page.get_by_label("E-mail").fill("edith@example.com")
    page.locator('[name="password"]').fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/steps")
    page.goto("/steps/1")
    panel = opened(page)
    expect(panel).to_contain_text(f"An admin of your account makes keys: {ADMIN}.")
    expect(panel.get_by_role("button", name="Make a key for this bot")).to_have_count(0)


def test_all_of_it_works_without_scripts(here: tuple[Page, Server]) -> None:
    page, server = here
    assert page.context.browser is not None
    context = page.context.browser.new_context(
        java_script_enabled=False, storage_state=page.context.storage_state(), base_url=server.url
    )
    plain = context.new_page()
    plain.goto("/steps/1")
    panel = opened(plain)
    panel.get_by_role("radio", name="n8n").check()
    expect(panel.locator("#recipe-n8n-address")).to_be_visible()
    panel.get_by_role("button", name="Make a key for this bot").click()
    token = plain.locator("#new-token").text_content() or ""
    assert server.execute("order-status", {}, token).status_code == 200
    context.close()
