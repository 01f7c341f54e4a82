"""The kept calls of a step: the list under its form, and each call whole, on a wide window and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, OrderApi, browsing, order_api, sign_in
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
        sign_in(page)
        page.goto("/steps/new")
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
