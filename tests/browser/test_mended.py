"""What a new user stumbled over in the editor, and only a browser shows: typing names, errors, focus, and drafts."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing, order_api, settle, sign_in

SQLITE_ONLY = "what a person does and sees"


def names_are_typed_by_hand(page: Page) -> None:
    """Whatever is typed after {{ stands in the field, and the list follows it without taking the focus."""
    url, picker = page.locator("#at-request-url"), page.locator("#picker")
    url.press_sequentially("https://x.example/{{order.id}}/{{")
    expect(picker).to_be_visible()
    url.press_sequentially("new")
    expect(url).to_be_focused()
    expect(picker).to_contain_text("Add new")
    page.keyboard.press("Escape")
    expect(picker).to_be_hidden()
    url.press_sequentially("er}}?a={{lang")
    expect(picker).to_be_visible()
    page.locator('[name="name"]').click()
    expect(picker).to_be_hidden()
    expect(url).to_have_value("https://x.example/{{order.id}}/{{newer}}?a={{lang")
    url.fill("")
    url.press_sequentially("https://x.example/{{order.id}}")
    expect(url).to_have_value("https://x.example/{{order.id}}")
    expect(picker).to_be_hidden()


def a_key_takes_what_fits_the_typing(page: Page) -> None:
    """Enter and Tab at once after the typing, before the server's list has come; arrows among several."""
    url, picker = page.locator("#at-request-url"), page.locator("#picker")
    url.fill("https://x.example/")
    url.press("End")
    url.press_sequentially("{{")
    expect(picker.get_by_role("option")).to_have_count(2)
    url.press_sequentially("beta")
    page.keyboard.press("Enter")
    expect(url).to_have_value("https://x.example/{{lead.beta}}")
    url.press_sequentially("/{{")
    expect(picker.get_by_role("option")).to_have_count(2)
    url.press_sequentially("lead.al")
    page.keyboard.press("Tab")
    expect(url).to_have_value("https://x.example/{{lead.beta}}/{{lead.alpha}}")
    page.keyboard.press("Control+z")
    expect(url).to_have_value("https://x.example/{{lead.beta}}/{{lead.al")
    url.fill("")
    url.press_sequentially("{{")
    expect(picker.get_by_role("option")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(url).to_have_value("{{lead.beta}}")
    url.press_sequentially("/{{")
    picker.get_by_text("{{lead.alpha}}").click()
    expect(url).to_have_value("{{lead.beta}}/{{lead.alpha}}")


def a_bad_sample_says_so_at_its_field(page: Page) -> None:
    page.get_by_text("Map from a sample").click()
    page.locator("#at-sample").fill('{"a": }')
    page.get_by_role("button", name="Show it as a tree").click()
    expect(page.locator("#at-sample-error")).to_contain_text("This is not valid JSON")
    expect(page.locator("#at-sample")).to_be_focused()
    page.locator("#at-sample").fill('{"a": 1}')
    expect(page.locator("#at-sample-error")).to_have_count(0)
    page.locator("#at-sample").fill("")


def errors_go_when_mended(page: Page, api: str) -> None:
    url, summary = page.locator("#at-request-url"), page.locator("#fault-summary")
    url.fill("nonsense")
    page.locator('[name="alert_emails"]').fill("nobody")
    page.keyboard.press("Control+s")
    expect(summary).to_contain_text("Fix these 3 things before saving")
    expect(page.locator('[name="name"]')).to_be_focused()
    url.fill(f"{api}/orders/1")
    expect(url).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator("#at-request-url-error")).to_have_count(0)
    expect(summary.get_by_role("listitem")).to_have_count(2)
    page.locator('[name="alert_emails"]').fill("ops@shop.example")
    expect(summary).to_contain_text("Fix this before saving")
    test = page.locator("#test-btn")
    test.click()
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    expect(summary).to_have_count(0)
    expect(test).to_be_focused()


def cancel_gives_the_focus_back(page: Page, api: str) -> None:
    page.locator("#at-request-url").fill(f"{api}/slow")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#test-result")).to_contain_text("Cancelled")
    expect(page.locator("#test-btn")).to_be_focused()


def a_preview_says_when_it_is_old(page: Page) -> None:
    page.locator("#at-request-url").fill("https://x.example/1")
    page.locator("#part-preview > summary").click()
    page.get_by_role("button", name="Preview request").click()
    expect(page.locator("#preview")).to_contain_text("GET https://x.example/1")
    settle(page)
    expect(page.locator("#preview")).not_to_contain_text("The form has changed since.")
    page.locator("#at-request-url").fill("https://x.example/2")
    expect(page.locator("#preview")).to_contain_text("The form has changed since.")


def an_offered_draft_waits(page: Page) -> None:
    """Typing something else does not overwrite what is offered, nor does bringing it back lose what was typed since."""
    name, offer = page.locator('[name="name"]'), page.locator("#draft-offer")
    name.fill("The older one")
    settle(page)
    page.reload()
    expect(offer).to_be_visible()
    name.fill("The newer one")
    settle(page)
    page.reload()
    page.get_by_role("button", name="Bring it back").click()
    expect(name).to_have_value("The newer one")
    expect(offer).to_be_visible()
    page.get_by_role("button", name="Bring it back").click()
    expect(name).to_have_value("The older one")
    page.get_by_role("button", name="Forget it").click()
    expect(offer).to_be_hidden()


def a_curl_command_fills_the_top(page: Page, api: str) -> None:
    page.goto("/steps")
    page.get_by_role("link", name="Paste a cURL command").first.click()
    expect(page.locator("#at-curl")).to_be_focused()
    page.locator("#at-curl").fill(f"curl {api}/orders/1 --compressed")
    page.get_by_role("button", name="Fill the form").click()
    expect(page.get_by_text("Filled from the cURL command")).to_be_in_viewport()
    expect(page.locator('[name="name"]')).to_be_focused()
    expect(page.locator("#paste-curl")).not_to_have_attribute("open", "")
    assert page.evaluate("scrollY") == 0


def loading_theirs_keeps_mine(page: Page) -> None:
    """Somebody else saves in between."""
    name = page.locator('[name="name"]')
    name.fill("First")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    other = page.context.new_page()
    other.goto("/steps/1")
    other.locator('[name="name"]').fill("Theirs")
    other.keyboard.press("Control+s")
    expect(other.locator(".toast")).to_contain_text("Saved.")
    other.close()
    name.fill("Mine")
    page.keyboard.press("Control+s")
    page.get_by_role("link", name="Load theirs").click()
    expect(name).to_have_value("Theirs")
    page.get_by_role("button", name="Bring it back").click()
    expect(name).to_have_value("Mine")


def retries_are_counted_as_they_are_chosen(page: Page) -> None:
    budget = page.locator("#budget")
    page.locator("#options > summary").click()
    for name, chosen, told in (("retries", "2", "up to 3 with retries"), ("method", "POST", "this minute.")):
        page.locator(f'[name="{name}"]').select_option(chosen)
        expect(budget).to_contain_text(told)
        settle(page)  # the new element listens a moment after it is there
    page.locator('[name="retry_unsafe"]').check()
    expect(budget).to_contain_text("up to 3 with retries")


def a_session_that_ends_leads_back_to_what_was_typed(page: Page) -> None:
    page.locator('[name="name"]').fill("Typed before the session ended")
    settle(page)
    page.context.clear_cookies()
    page.keyboard.press("Control+s")
    page.wait_for_url("**/login?**")
    expect(page.locator("main")).to_contain_text("What you typed into the step and did not save is kept in this tab")
    page.get_by_label("E-mail").fill(ADMIN)
    page.locator('[name="password"]').fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/steps/1")
    page.get_by_role("button", name="Bring it back").click()
    expect(page.locator('[name="name"]')).to_have_value("Typed before the session ended")


def test_what_a_new_user_stumbled_over(tmp_path: Path) -> None:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (_, page, complaints):
        page.on("dialog", lambda dialog: dialog.accept())
        sign_in(page, to=None)
        for attribute in ("lead.alpha", "lead.beta"):
            page.goto("/attributes")
            page.locator('main [name="name"]').first.fill(attribute)
            page.keyboard.press("Enter")
            expect(page.locator("main")).to_contain_text(attribute)
        page.goto("/steps/new")
        names_are_typed_by_hand(page)
        a_key_takes_what_fits_the_typing(page)
        a_bad_sample_says_so_at_its_field(page)
        errors_go_when_mended(page, api.url)
        cancel_gives_the_focus_back(page, api.url)
        a_preview_says_when_it_is_old(page)
        an_offered_draft_waits(page)
        a_curl_command_fills_the_top(page, api.url)
        loading_theirs_keeps_mine(page)
        retries_are_counted_as_they_are_chosen(page)
        a_session_that_ends_leads_back_to_what_was_typed(page)
        expected, told = ("htmx:afterRequest", "htmx:sendAbort"), ("401", "409", "422")
        assert [
            text for text in complaints if not text.startswith(expected) and not any(one in text for one in told)
        ] == []
