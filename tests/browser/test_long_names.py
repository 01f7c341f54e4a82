"""Names of a second step begin alike: what tells them apart is seen, and none is longer than it has to be."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.chromium import ADMIN, PASSWORD, browsing, order_api, settle, sign_in

SQLITE_ONLY = "what a person does and sees"
ENDS_ARE_CUT = """() => {
  const fields = [...document.querySelectorAll(".rule-name, .name-input")].filter((one) => one.checkVisibility() && one !== document.activeElement);
  const cut = fields.filter((one) => one.scrollWidth > one.clientWidth && getComputedStyle(one).direction !== "rtl").map((one) => one.value);
  const texts = [...document.querySelectorAll(".gets dt, .tree-chip")].filter((one) => one.checkVisibility());
  for (const one of texts) {
    const [end, edge] = [one.firstElementChild, one].map((each) => each.getBoundingClientRect().right);
    if (end > edge + 1) cut.push(one.textContent);
  }
  return [fields.length, texts.length, cut, fields.filter((one) => one.title !== one.value).map((one) => one.value)];
}"""


def after_a_test(page: Page, url: str, name: str) -> None:
    page.goto("/steps/new")
    page.locator('[name="name"]').fill(name)
    page.locator("#at-request-url").fill(url)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    settle(page)


def test_names_that_begin_alike_show_their_ends_and_a_name_that_nothing_else_gives_is_plain(tmp_path: Path) -> None:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (_, page, complaints):
        sign_in(page, to=None)
        after_a_test(page, f"{api.url}/orders/1", "Order status")
        page.locator("[data-node=\"$['data']['status']\"] .tick").click()
        page.keyboard.press("Control+s")
        page.wait_for_url(re.compile(r"/steps/1$"), wait_until="commit")
        after_a_test(page, f"{api.url}/orders/1", "Order status for returns and complaints of customers")
        names = [field.input_value() for field in page.locator(".rule-name").all()]
        front = "order-status-for-returns-and-complaints-of-customers_"
        assert names == [f"{front}id", "status", *(front + one for one in ("name", "email", "items", "sku", "price"))]
        for width, height in ((1280, 800), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            settle(page)
            fields, texts, cut, untitled = page.evaluate(ENDS_ARE_CUT)
            assert fields >= 11
            assert texts >= 4
            assert (cut, untitled) == ([], []), width
        # A sign at an end would move to the other one: such a name stays as it is.
        first = page.locator(".rule-name").first
        first.fill("_id")
        first.blur()
        settle(page, 0.8)
        assert first.evaluate("field => getComputedStyle(field).direction") == "ltr"
        page.evaluate("sessionStorage.clear()")
        assert complaints == []


LINES = """(host) => {
  const text = host.textContent, walker = document.createTreeWalker(host, NodeFilter.SHOW_TEXT), lines = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) for (let at = 0; at < node.length; at += 1) {
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + 1);
    const top = Math.round(range.getBoundingClientRect().top), last = lines.at(-1);
    if (last?.top === top) last.text += node.data[at]; else lines.push({ top, text: node.data[at] });
  }
  return lines.map(({ text }) => text);
}"""


def test_a_host_breaks_after_a_dot_or_before_its_port_and_nowhere_else(tmp_path: Path) -> None:
    hosts = ["http://127.0.0.1:45249", "https://api-eu.my-shop.example:8443", f"https://{'x' * 60}.example:8443"]
    with browsing(tmp_path / "data", ADMIN_EMAIL=ADMIN, ADMIN_PASSWORD=PASSWORD) as (_, page, complaints):
        sign_in(page, to="/secrets")
        page.get_by_label("Name", exact=True).fill("SHOP_TOKEN_OF_THE_WAREHOUSE")
        page.get_by_label("Value", exact=True).fill("abcdef123456")
        page.get_by_label("May be sent to").fill("\n".join(hosts))
        page.get_by_role("button", name="Store the secret").click()
        shown = page.locator(".host")
        expect(shown).to_have_text(hosts)
        for width in (1280, 760, 390, 360):
            page.set_viewport_size({"width": width, "height": 800})
            for number in (0, 1):
                lines = shown.nth(number).evaluate(LINES)
                for line, after in itertools.pairwise(lines):
                    assert line.endswith(".") or after.startswith(":"), (width, lines)
            assert shown.nth(2).evaluate(LINES)[-1].endswith(":8443")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert complaints == []
