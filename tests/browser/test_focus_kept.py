"""Whatever takes away what has the focus leaves it at a sensible neighbour, never at the top of the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, OrderApi, browsing, order_api, settle, sign_in

SQLITE_ONLY = "what a person does and sees"
STEP = (
    '{"format": "httpstep/1", "key": "%s", "name": "%s", "request": {"method": "GET", "url": "%s/orders/1",'
    ' "headers": [{"name": "X-One", "value": "1"}, {"name": "X-Two", "value": "2"}]}}'
)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[tuple[Page, OrderApi]]:
    """Signed in, where there are two steps."""
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (server, page, complaints):
        for key in ("order-status", "other"):
            (tmp_path / "step.json").write_text(STEP % (key, key, api.url))
            server.command("step", "import", str(tmp_path / "step.json"))
        sign_in(page, to=None)
        yield page, api
        page.evaluate("sessionStorage.clear()")
        assert complaints == []


def focused(page: Page) -> str:
    """What has the focus, once the page has settled: its text or name. Never the page itself."""
    settle(page)
    assert page.evaluate("document.activeElement !== document.body"), "the focus is lost"
    return str(
        page.evaluate(
            "document.activeElement.innerText || document.activeElement.getAttribute('aria-label') || document.activeElement.name"
        )
    )


def test_a_new_key_has_its_copy_button_in_sight_and_in_the_focus(here: tuple[Page, OrderApi]) -> None:
    page, _ = here
    page.set_viewport_size({"width": 1280, "height": 560})
    page.goto("/steps/1")
    page.locator(".usage-menu > summary").click()
    make = page.get_by_role("button", name="Make a key for this bot")
    make.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#bot-token")).to_be_in_viewport()
    expect(page.locator("#bot-key-made [data-copy]")).to_be_focused()
    expect(page.locator("#bot-key-made [data-copy]")).to_have_accessible_description(
        "Copy it now: it is not shown again. Until you leave the page of this step it stands in the lines above too. API keys has it as “Bot, order-status” and can revoke it."
    )
    expect(page.locator("#toasts[aria-live]")).to_contain_text("The key “Bot, order-status” is ready: copy it now.")

    page.goto("/settings/keys")
    page.get_by_label("Name").fill("My bot")
    page.keyboard.press("Enter")
    expect(page.locator("#new-token")).to_be_in_viewport()
    expect(page.locator('[data-copy="#new-token"]')).to_be_focused()


def test_after_delete_the_undo_has_the_focus_and_after_it_what_came_back(here: tuple[Page, OrderApi]) -> None:
    page, _ = here
    page.goto("/steps")
    page.get_by_label("More for other").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete", exact=True).first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("“other” is deleted.")).to_be_visible()
    assert focused(page) == "Undo"
    page.keyboard.press("Enter")
    expect(page.get_by_text("“other” is back.")).to_be_visible()
    assert focused(page).strip() == "“other” is back."


def test_moves_of_the_editor_leave_the_focus_beside_what_they_took(here: tuple[Page, OrderApi]) -> None:
    page, _ = here
    page.goto("/steps/1")
    page.locator("#test-btn").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    assert focused(page).startswith("Test")

    page.locator("#part-headers > summary").click()
    page.get_by_label("Remove header 1").focus()
    page.keyboard.press("Enter")
    assert focused(page) == "Header 2 name"

    row = page.locator("#mapping [data-rule]").first
    row.locator("[data-remove-rule]").focus()
    page.keyboard.press("Enter")
    assert focused(page) == "Undo"
    page.keyboard.press("Enter")
    focused(page)

    page.locator(".rule-removed").evaluate_all("all => all.forEach((one) => one.remove())")
    page.locator("[data-remove-rule]").first.focus()
    page.keyboard.press("Enter")
    page.locator(".rule-removed").evaluate("one => one.remove()")  # as its time ends
    focused(page)


def test_a_part_that_comes_again_gives_the_focus_to_the_same_field_with_the_caret(here: tuple[Page, OrderApi]) -> None:
    page, _ = here
    page.goto("/steps/1")
    page.locator("#part-auth > summary").click()
    page.locator("#part-headers > summary").click()
    value = page.get_by_role("textbox", name="Header 2 value")
    value.fill("abcdef")
    value.evaluate("one => one.setSelectionRange(2, 2)")
    page.evaluate("""() => htmx.ajax("POST", document.querySelector("[data-editor]").dataset.moves,
        { source: "#mapping-adder", target: "#step-form", swap: "outerHTML", values: { op: "redraw" } })""")
    expect(value).to_be_focused()
    assert value.evaluate("one => one.selectionStart") == 2


def test_it_is_given_back_when_the_part_is_whole_whatever_else_changes_meanwhile(here: tuple[Page, OrderApi]) -> None:
    """On a machine with much to do a swap settles late."""
    page, _ = here
    page.goto("/steps/1")
    page.evaluate("htmx.config.defaultSettleDelay = 150")
    page.locator("#part-headers > summary").click()
    value = page.get_by_role("textbox", name="Header 2 value")
    value.fill("abcdef")
    page.evaluate("setInterval(() => document.body.append(document.createElement('i')), 5)")
    for _ in range(5):
        page.evaluate("""() => htmx.ajax("POST", document.querySelector("[data-editor]").dataset.moves,
            { source: "#mapping-adder", target: "#step-form", swap: "outerHTML", values: { op: "redraw" } })""")
        settle(page)
        expect(value).to_be_focused()


def test_a_notice_that_is_closed_gives_the_focus_back(here: tuple[Page, OrderApi]) -> None:
    page, _ = here
    page.goto("/steps/1")
    name = page.locator('[name="name"]')
    name.focus()
    page.evaluate("httpstep.toast({ text: 'Something', undo: 'nothing' })")
    for button in ("Undo", "Close this notice"):
        page.evaluate("httpstep.toast({ text: 'Something', undo: 'nothing' })")
        page.get_by_role("button", name=button).last.focus()
        page.keyboard.press("Enter")
        expect(name).to_be_focused()


def test_who_clicks_beside_everything_is_left_alone(here: tuple[Page, OrderApi]) -> None:
    page, _ = here
    page.goto("/steps/1")
    page.locator('[name="name"]').focus()
    page.evaluate("document.activeElement.blur()")
    page.evaluate("document.querySelector('#section-alerts').remove()")
    settle(page)
    assert page.evaluate("document.activeElement === document.body")
