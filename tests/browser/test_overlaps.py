"""Nothing that can be pressed lies over another or sticks out, and no date is cut: on the editor, the list and a call."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing, order_api, settle, sign_in
from tests.browser.overlaps import overlaps

SQLITE_ONLY = "what a person sees"
CUT = """() => {
  for (const one of document.querySelectorAll(".state-cell time, .state-cell .muted")) one.textContent = "Sept 28, 2026, 10:47:48 PM";
  return [...document.querySelectorAll(".state-cell, .state-cell *")].filter((one) => {
    const cell = one.closest("td").getBoundingClientRect(), box = one.getBoundingClientRect();
    return box.width && (box.right > cell.right + 1 || one.scrollWidth > one.clientWidth + 1 && one.clientWidth);
  }).map((one) => one.outerHTML.slice(0, 120));
}"""
EDGE = """() => {
  const note = document.querySelector(".logs-note a"), card = note.closest("section").getBoundingClientRect();
  return note.getBoundingClientRect().left - card.left;
}"""


class Looks:
    """What was found, each with the state it was found in."""

    def __init__(self, page: Page) -> None:
        self.page, self.found = page, dict[str, list[str]]()

    def at(self, state: str) -> None:
        for width, height in ((1280, 800), (760, 800), (390, 844)):
            self.page.set_viewport_size({"width": width, "height": height})
            settle(self.page, 0.2)
            if found := overlaps(self.page):
                self.found[f"{state} {width}"] = found
        self.page.set_viewport_size({"width": 1280, "height": 800})


def a_new_step(page: Page, looks: Looks, api: str) -> None:
    """With two names that nobody knows, tested, then with one that is left; saved, changed."""
    page.goto("/steps/new")
    looks.at("a new step")
    page.locator('[name="name"]').fill("Order status, with the longer name that people give")
    page.locator("#at-request-url").fill(f"{api}/orders/{{{{order.id}}}}?lang={{{{user.language}}}}")
    page.locator("#at-request-url").blur()
    page.locator('[name="value:order.id"]').fill("1001")
    page.locator('[name="value:user.language"]').fill("a rather long value for the test")
    with page.expect_response("**/test"):
        page.keyboard.press("Control+Enter")
    expect(page.locator(".rule")).to_have_count(7)
    looks.at("tested")
    page.locator("#at-request-url").fill(f"{api}/orders/{{{{order.id}}}}")
    page.locator("#at-request-url").blur()
    expect(page.get_by_role("button", name="Keep this name for other steps")).to_be_visible()
    with page.expect_response("**/test"):
        page.keyboard.press("Control+Enter")
    looks.at("one new name")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    page.locator('[name="name"]').fill("Changed")
    settle(page)
    looks.at("changed")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-dirty]")).to_be_hidden()


def test_nothing_that_can_be_pressed_lies_over_another(tmp_path: Path) -> None:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (_, page, complaints):
        sign_in(page)
        looks = Looks(page)
        looks.at("an empty list")
        a_new_step(page, looks, api.url)
        for width, height in ((1280, 800), (760, 800), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            page.reload()
            page.locator("#part-logs").evaluate("one => { one.open = true; }")
            assert page.evaluate(EDGE) >= 12, "the line below the calls keeps off the edge"
        page.locator(".logs-table").get_by_role("link", name="View").first.click()
        expect(page.locator("#modal")).to_be_visible()
        looks.at("a call")
        page.goto("/steps/1/logs/1")
        looks.at("the page of a call")
        page.goto("/steps")
        looks.at("the list")
        for width, height in ((1280, 800), (760, 800), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate(CUT) == []
        page.set_viewport_size({"width": 1280, "height": 800})
        page.locator("[data-choose]").first.check()
        looks.at("the list, ticked")
        assert looks.found == {}
        assert complaints == []
