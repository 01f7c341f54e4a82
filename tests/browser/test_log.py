"""The kept calls of a step: the list under its form, and each call whole, on a wide window and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, OrderApi, browsing, order_api, settle, sign_in
from tests.server import Server

SQLITE_ONLY = "what a person does and sees"
SIZES = ((1280, 800), (390, 844))
LONGEST = """() => {
  for (const row of document.querySelectorAll(".logs-table tbody tr")) {
    const cells = row.querySelectorAll("td");
    cells[0].firstElementChild.replaceWith("Sept 28, 2026, 10:47:48 PM");
    cells[2].lastChild.textContent = " 200";
    cells[2].firstElementChild.textContent = "OPTIONS";
    cells[3].textContent = "59.9 s";
    cells[4].querySelector(".badge").textContent = "Rate Limit Exceeded";
    cells[4].append(cells[4].querySelector(".badge").cloneNode(true));
  }
}"""
CUT = """() => {
  const section = document.querySelector("#logs").getBoundingClientRect();
  const cut = [...document.querySelectorAll(".logs-body, .logs-body *")].filter((one) => one.scrollWidth > one.clientWidth + 1
    && one.clientWidth && /auto|scroll|hidden/.test(getComputedStyle(one).overflowX) && getComputedStyle(one).clipPath === "none");
  const out = [...document.querySelectorAll(".logs-table td > *")].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width && (box.left < section.left || box.right > section.right);
  });
  const over = [...document.querySelectorAll(".logs-table tr")].filter((row) => {
    const boxes = [...row.querySelectorAll("td")].map((cell) => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      return range.getBoundingClientRect();
    });
    return boxes.some((one, at) => boxes.slice(at + 1).some((other) =>
      one.left < other.right - 1 && other.left < one.right - 1 && one.top < other.bottom - 1 && other.top < one.bottom - 1));
  });
  return [...cut, ...out, ...over].map((one) => one.outerHTML.slice(0, 200));
}"""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[tuple[Page, OrderApi, Server]]:
    """At a saved step that was tested once."""
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (server, page, complaints):
        sign_in(page, to="/steps/new")
        page.locator('[name="name"]').fill("Order status")
        page.locator("#at-request-url").fill(f"{api.url}/orders/1001")
        with page.expect_response("**/test"):
            page.keyboard.press("Control+Enter")
        expect(page.locator(".result-line")).to_be_visible()
        page.keyboard.press("Control+s")
        page.wait_for_url("**/steps/1")
        yield page, api, server
        assert complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_every_column_of_the_list_is_seen_and_a_row_opens_wherever_it_is_pressed(
    here: tuple[Page, OrderApi, Server], size: tuple[int, int]
) -> None:
    page, _, _ = here
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.reload()
    if page.locator("#part-logs").get_attribute("open") is None:
        page.locator("#part-logs > summary").click()
    row = page.locator(".logs-table tbody tr").first
    view = row.get_by_role("link", name="View")
    row.scroll_into_view_if_needed()
    expect(view).to_be_in_viewport(ratio=1)
    assert page.evaluate(CUT) == []
    dialog = page.locator("#modal")
    for cell in row.locator("td").all():
        box = cell.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(dialog).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
    expect(view).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    page.evaluate(LONGEST)
    assert page.evaluate(CUT) == []


def test_without_scripts_a_row_is_a_link_to_its_call(here: tuple[Page, OrderApi, Server]) -> None:
    page, _, _ = here
    assert page.context.browser is not None
    context = page.context.browser.new_context(
        java_script_enabled=False, storage_state=page.context.storage_state(), base_url=page.url
    )
    plain = context.new_page()
    plain.goto("/steps/1")
    plain.locator(".logs-table tbody tr").first.locator("td").first.click(force=True)
    plain.wait_for_url("**/steps/1/logs/1")
    expect(plain.get_by_text("The call succeeded.")).to_be_visible()
    context.close()


def open_call(page: Page, number: int, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto("/steps/1")
    if page.locator("#part-logs").get_attribute("open") is None:
        page.locator("#part-logs > summary").click()
    page.locator(".logs-table").get_by_role("link", name="View").nth(number).click()
    expect(page.locator("#modal")).to_be_visible()


def two_more_calls(page: Page, api: OrderApi) -> None:
    """A good one with another answer, and one that nobody answered."""
    api.changed = True
    with page.expect_response("**/test"):
        page.keyboard.press("Control+Enter")
    expect(page.locator("#test-btn")).to_be_enabled()
    page.locator("#at-request-url").fill("http://127.0.0.1:9/orders/1001")
    with page.expect_response("**/test"):
        page.keyboard.press("Control+Enter")
    expect(page.locator(".logs-table tbody tr")).to_have_count(3)
    page.locator("[data-revert]").click()


def test_the_first_screen_of_a_call_says_what_happened(here: tuple[Page, OrderApi, Server]) -> None:
    page, api, _ = here
    page.on("dialog", lambda dialog: dialog.accept())
    two_more_calls(page, api)
    for number, told in ((0, "Stop Executing Further Steps"), (1, "The call succeeded. The bot goes on.")):
        open_call(page, number, (1280, 800))
        log = page.locator("#modal #log")
        expect(log.get_by_text(told)).to_be_in_viewport(ratio=1)
        expect(log.get_by_role("heading", name="Request sent")).to_be_in_viewport(ratio=1)
        expect(log.get_by_text("/orders/1001", exact=False).first).to_be_in_viewport(ratio=1)
        expect(log.get_by_role("heading", name="Answer", exact=True)).to_be_in_viewport(ratio=1)
        for part in log.locator(".fold > summary").all():
            expect(part).to_be_in_viewport(ratio=1)
            foot, box = log.locator(".modal-foot").bounding_box(), part.bounding_box()
            assert foot and box and box["y"] + box["height"] <= foot["y"] + 1, "no part lies under the buttons"
        for button in log.locator(".modal-foot .btn").all():
            expect(button).to_be_in_viewport(ratio=1)


def test_on_a_phone_request_and_answer_are_tabs_and_every_button_is_on_the_screen(
    here: tuple[Page, OrderApi, Server],
) -> None:
    page, _, _ = here
    with page.expect_response("**/test"):
        page.keyboard.press("Control+Enter")
    expect(page.locator(".logs-table tbody tr")).to_have_count(2)
    open_call(page, 0, (390, 844))
    log = page.locator("#modal #log")
    expect(log.get_by_text("The call succeeded.")).to_be_in_viewport(ratio=1)
    expect(log.get_by_text('"status": "shipped"').first).to_be_in_viewport()
    expect(log.locator(".sent-line")).to_be_hidden()
    log.get_by_role("radio", name="Request sent").check()
    expect(log.locator(".sent-line")).to_be_in_viewport(ratio=1)
    expect(log.get_by_text('"status": "shipped"').first).to_be_hidden()
    for button in log.locator(".modal-foot .btn, .modal-head .btn").all():
        expect(button).to_be_in_viewport(ratio=1)
    page.keyboard.press("j")
    expect(log.locator(".modal-head")).to_contain_text("2 of 2")


def test_a_call_is_compared_with_the_one_before_it_or_with_any_other(here: tuple[Page, OrderApi, Server]) -> None:
    page, api, _ = here
    page.on("dialog", lambda dialog: dialog.accept())
    two_more_calls(page, api)
    open_call(page, 1, (1280, 800))
    log = page.locator("#modal #log")
    log.get_by_role("button", name="Compare").click()
    expect(log.locator(".diff .in", has_text='"state": "shipped"')).to_be_visible()
    log.get_by_label("The other call").select_option(index=1)
    log.get_by_role("button", name="Compare").click()
    expect(log.locator(".diff .out", has_text='"state": "shipped"')).to_be_visible()
    expect(log.get_by_label("The other call")).to_have_value("3")


POLL = "document.body.dispatchEvent(new CustomEvent('logs:changed'))"
ELSEWHERE = "document.querySelector('.brand').focus({ preventScroll: true })"


def poll(page: Page) -> None:
    """What the page does every 20 seconds."""
    with page.expect_response("**/logs?*"):
        page.evaluate(POLL)
    settle(page)


def calls_of_a_bot(server: Server, calls: int) -> None:
    token = server.command("key", "create", "--name", "bot")
    for _ in range(calls):
        server.execute("order-status", {}, token)


@pytest.mark.parametrize("by", ["pointer", "keyboard"])
def test_new_calls_wait_while_somebody_is_in_the_list(here: tuple[Page, OrderApi, Server], by: str) -> None:
    page, _, server = here
    page.reload()
    rows, show = page.locator(".logs-table tbody tr"), page.locator("[data-show-calls]")
    view = rows.first.get_by_role("link", name="View")
    view.scroll_into_view_if_needed()
    if by == "pointer":
        view.hover()
    else:
        view.focus()
    before = view.bounding_box()
    calls_of_a_bot(server, 2)
    poll(page)
    expect(show).to_have_text("Show 2 new calls")
    assert (rows.count(), view.bounding_box()) == (1, before), "what one is about to press stays where it is"
    calls_of_a_bot(server, 1)
    poll(page)
    expect(show).to_have_text("Show 3 new calls")
    page.mouse.move(5, 5)
    show.press("Enter")
    expect(rows).to_have_count(4)
    expect(show).to_have_count(0)
    expect(rows.first.get_by_role("link", name="View")).to_be_focused()
    page.locator("#at-request-url").focus()
    calls_of_a_bot(server, 1)
    poll(page)
    expect(rows).to_have_count(5)  # nobody is in it
    rows.first.hover()
    calls_of_a_bot(server, 1)
    with page.expect_response("**/test"):
        page.keyboard.press("Control+Enter")
    expect(rows).to_have_count(7)  # one's own is there at once


def test_under_a_finger_new_calls_wait_wherever_the_list_is_seen(here: tuple[Page, OrderApi, Server]) -> None:
    page, _, server = here
    assert page.context.browser is not None
    context = page.context.browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, base_url=server.url,
        storage_state=page.context.storage_state(),
    )  # fmt: skip
    phone = context.new_page()
    phone.goto("/steps/1")
    phone.locator("#part-logs > summary").tap()
    rows, show = phone.locator(".logs-table tbody tr"), phone.locator("[data-show-calls]")
    rows.first.scroll_into_view_if_needed()
    phone.evaluate(ELSEWHERE)
    calls_of_a_bot(server, 1)
    poll(phone)
    expect(show).to_be_in_viewport(ratio=1)
    expect(rows).to_have_count(1)
    show.tap()
    expect(rows).to_have_count(2)
    phone.evaluate(f"{ELSEWHERE}; scrollTo(0, 0)")
    calls_of_a_bot(server, 1)
    poll(phone)
    expect(rows).to_have_count(3)
    context.close()


def test_the_link_beside_the_title_opens_the_logs_where_they_are_folded(here: tuple[Page, OrderApi, Server]) -> None:
    page, _, server = here
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    view = page.locator("#logs tbody .actions > a")
    expect(view).to_be_hidden()
    page.get_by_role("link", name="Log", exact=True).click()
    expect(view).to_be_visible()
    page.goto("about:blank")
    page.goto(f"{server.url}/steps/1#logs")
    expect(view).to_be_visible()
