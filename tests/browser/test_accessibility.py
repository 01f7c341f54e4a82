"""axe-core finds nothing on any page or state of it, in both themes and at both widths. No rule and no element is left out."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any, Literal

import pytest
import requests
from playwright.sync_api import Page, Route

from tests.browser.chromium import ADMIN, PASSWORD, chromium, look_at_drift, sign_in
from tests.server import Server, free_port
from tests.sweeps import Sweep

SQLITE_ONLY = "what a person sees"
Theme = Literal["light", "dark"]
AXE = (Path(__file__).parent / "vendor/axe-core-4.14.1.min.js").read_text(encoding="utf-8")
SETTLED = """new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
  for (const one of document.getAnimations()) if (one.effect.getComputedTiming().endTime !== Infinity) one.finish();
  requestAnimationFrame(done);
})))"""
"""Colours that fade from one theme to the other have arrived."""
PAGES = (
    "/steps", "/steps/new", "/flows", "/attributes", "/secrets", "/settings/account", "/settings/keys", "/settings/users",
    "/settings/mail", "/settings/sessions", "/settings/accounts", "/settings/backup", "/settings/audit", "/about", "/docs/api", "/nothing-here", "/attributes/order.id/edit", "/invitation/gone", "/new-password/gone",
)  # fmt: skip
WIDTHS = (1280, 390)
THEMES: tuple[Theme, ...] = ("light", "dark")
NEWCOMER = "nora@example.com"


class Judge:
    """Runs axe-core on what the page shows, and keeps each fault once with the places it was found at."""

    def __init__(self, page: Page, *, whole: bool) -> None:
        self.page = page
        self.whole, self.states, self.judged, self.possible = whole, count(), 0, 0
        self.found: dict[str, list[str]] = {}

    def look(self, name: str) -> None:
        """Both themes at both widths, and at neither may anything stick out at the side.

        In part, each state in one of these ways, in turn.
        """
        ways = [(width, theme) for width in WIDTHS for theme in THEMES]
        taken = ways if self.whole else [ways[next(self.states) % len(ways)]]
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 844})
            self.page.evaluate(SETTLED)  # at once, what sticks out is not yet counted
            if self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                self.found.setdefault("wider than the window", []).append(f"{name} {width}")
            for theme in (theme for at, theme in taken if at == width):
                self._judge_in(theme, f"{name} {width}")
        self.possible += len(ways)
        self.judged += len(taken)
        self.page.set_viewport_size({"width": WIDTHS[0], "height": 844})

    def look_here(self, name: str) -> None:
        """Both themes at the width that is: of what closes when it changes."""
        for theme in THEMES:
            self._judge_in(theme, name)
        self.possible += len(THEMES)
        self.judged += len(THEMES)

    def _judge_in(self, theme: Theme, place: str) -> None:
        self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        self.page.evaluate(SETTLED)
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        result: dict[str, Any] = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        for fault in result["violations"]:
            for node in fault["nodes"]:
                text = f"{fault['impact']} {fault['id']}: {node['html'][:160]}: {node['failureSummary']}"
                self.found.setdefault(text, []).append(f"{place} {theme}")


def a_flow(judge: Judge) -> None:
    """A new one with faults, with conditions, and after its test."""
    page = judge.page
    page.goto("/flows/new")
    page.locator("#test-btn").click()
    page.locator("#fault-summary").wait_for()
    judge.look("flow, faults")
    page.locator("#step-1").select_option(index=1)
    page.locator("#step-2").select_option(index=1)
    page.locator("#when-2").select_option("exists")
    page.locator("#attribute-2").fill("never.there")
    page.locator("#test-btn").click()
    page.locator(".flow-timeline").wait_for()
    judge.look("flow, tested")


def help_in_place(judge: Judge) -> None:
    """The keys, what a section is, a literal that becomes a variable, a wide answer."""
    page = judge.page
    page.locator("#test-btn").focus()
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keyboard shortcuts").wait_for()
    judge.look("keys")
    page.keyboard.press("Escape")
    page.locator("#part-mapping > .what > summary").click()
    judge.look("what is this")
    page.keyboard.press("Escape")
    page.locator("#at-request-url").evaluate("one => { one.focus(); one.setSelectionRange(0, 4); }")
    page.get_by_role("button", name="Make this a variable").click()
    page.get_by_label("Its name").fill("not a name")
    page.keyboard.press("Enter")
    judge.look("variable")
    page.keyboard.press("Escape")
    page.get_by_label("Wide answer").click()
    judge.look("wide answer")
    page.get_by_label("Wide answer").click()


def the_editor(judge: Judge, server: Server, api_port: int) -> None:
    """As it is after a test, with everything opened, with its dialogs, with faults, and with drift."""
    page = judge.page
    page.get_by_role("link", name="Order status").first.click()
    page.locator("#test-btn").click()
    page.locator("#test-result").get_by_text("200 OK").wait_for()
    judge.look("after a test")
    an_earlier_answer(judge)
    help_in_place(judge)
    for width in reversed(WIDTHS):
        page.set_viewport_size({"width": width, "height": 844})
        page.locator("[data-picker]").first.click()
        page.locator(".picker-option").first.wait_for()
        judge.look_here(f"picker {width}")
        page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    page.locator("#logs td.actions .btn").first.click()
    page.locator("dialog[open] .modal-head").wait_for()
    judge.look("log")
    editor = page.url
    page.get_by_role("button", name="Keep as test case").click()
    page.locator("dialog[open]").get_by_role("link", name="Test cases").click()
    page.get_by_role("button", name="Run all").click()
    page.get_by_text("Same: 1.").wait_for()
    page.locator("details.fold").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    judge.look("test cases")
    page.goto(editor)
    page.keyboard.press("Escape")
    requests.post(f"http://127.0.0.1:{api_port}/demo/change", timeout=10)
    page.locator("#test-btn").click()
    page.locator("#h-drift").wait_for()
    page.locator("details:not([data-menu])").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    judge.look("drift, everything open")
    look_at_drift(page)
    judge.look("drift, its dialog")
    page.keyboard.press("Escape")
    page.locator(".usage-menu > summary").click()
    page.get_by_role("radio", name="Typebot").check()
    page.get_by_role("button", name="Make a key for this bot").click()
    page.locator("#bot-token").wait_for()
    judge.look("use in your bot")
    page.keyboard.press("Escape")
    page.locator("[name=url]").fill("nowhere")
    page.keyboard.press("Control+s")
    page.locator("#fault-summary").wait_for()
    judge.look("faults in the form")
    page.evaluate("sessionStorage.clear()")


def failed_tests(judge: Judge, server: Server, api_port: int) -> None:
    """While one runs, and each way in which it ends without a good answer."""
    page = judge.page
    url, test = page.locator("#at-request-url"), page.locator("#test-btn")
    for name, address, words in (
        ("a status of failure", f"http://127.0.0.1:{api_port}/nowhere", "404 Not Found"),
        ("an answer that is not JSON", f"{server.url}/login", "Only JSON can be mapped as Response"),
        ("an address that is not allowed", "http://10.0.0.5/", "Address not allowed"),
    ):
        url.fill(address)
        test.click()
        page.locator("#test-result").get_by_text(words).first.wait_for()
        judge.look(name)
    held: list[Route] = []
    page.route("**/test", lambda route: held.append(route))
    test.click()
    page.locator("[data-cancel-test]").wait_for()
    judge.look("a test that runs")
    page.locator("[data-cancel-test]").click()
    page.get_by_text("Cancelled after").first.wait_for()
    judge.look("a test that was cancelled")
    page.unroute("**/test")
    url.fill(f"http://127.0.0.1:{api_port}/orders/{{{{order}}}}")
    page.locator('[name="value:order"]').wait_for()
    test.click()
    page.get_by_text("Give a value to test with.").wait_for()
    judge.look("a value for test that is lacking")
    page.locator('[name="value:order"]').fill("7")
    server.command("account", "limit", "default", "1")
    test.click()
    page.locator("#rate-limited").get_by_text("Rate Limit Exceeded").wait_for()
    judge.look("over the budget")
    server.command("account", "limit", "default", "1000")


def calls_and_conflicts(judge: Judge) -> None:
    """A call by its own address, two that are compared, and a save that somebody else was quicker than."""
    page = judge.page
    editor = page.url
    page.goto(page.locator(".logs-table").get_by_role("link", name="View").first.get_attribute("href") or "")
    judge.look("a call by its address")
    page.get_by_role("button", name="Compare").click()
    page.get_by_text("Two calls compared").wait_for()
    judge.look("two calls compared")
    page.goto(editor)
    other = page.context.new_page()
    other.goto(editor)
    for one, name in ((other, "Order status now"), (page, "Where is my order?")):
        one.locator('[name="name"]').fill(name)
        one.keyboard.press("Control+s")
        one.locator("[data-conflict]" if one is page else ".toast").first.wait_for()
    other.close()
    judge.look("somebody else was quicker")
    page.evaluate("sessionStorage.clear()")


def a_pasted_command(judge: Judge) -> None:
    """With a question where a token goes, and what was left out of it."""
    page = judge.page
    page.goto("/steps/new#paste-curl")
    page.locator("#at-curl").fill("curl --compressed https://api.example/o -H 'Authorization: Bearer YOUR_API_KEY'")
    page.get_by_role("button", name="Fill the form").click()
    page.get_by_text("The command has a placeholder").wait_for()
    judge.look("a pasted command")
    page.evaluate("sessionStorage.clear()")


def a_new_account(judge: Judge) -> None:
    """Nothing is there yet: the picker has no names, a body of JSON has an error, a token wants to be a secret."""
    page = judge.page
    page.goto("/steps/new")
    for width in reversed(WIDTHS):
        page.set_viewport_size({"width": width, "height": 844})
        page.locator(".url-line [data-picker]").click()
        page.get_by_text("No attributes yet.").wait_for()
        judge.look_here(f"picker without attributes {width}")
        page.locator("#picker-search").fill("order number")
        page.get_by_role("option", name="Add order_number").wait_for()
        judge.look_here(f"picker with a new name {width}")
        page.keyboard.press("Escape")
    page.get_by_role("radio", name="JSON").check()
    page.locator(".body-text").fill('{"a": ["{{name}}", 1, true],}')
    page.get_by_role("button", name="Add Header").click()
    page.keyboard.type("Authorization")
    page.locator(".secret-hint").first.wait_for()
    page.locator(".json-fault").wait_for()
    judge.look("JSON with an error, a hint at secrets")
    page.locator("#headers .secret-hint button").click()
    page.locator("#new-secret-name").wait_for()
    judge.look("making a secret")
    page.keyboard.press("Escape")
    page.evaluate("sessionStorage.clear()")


def an_earlier_answer(judge: Judge) -> None:
    """A rule from the tree with its notice, and the answer after the form was changed and its test refused."""
    page = judge.page
    row = page.locator("[data-node=\"$['data']['status']\"] .tree-row")
    row.hover()
    row.get_by_role("button", name="Succeeds only if").click()
    page.locator(".toast").get_by_role("button", name="Undo").wait_for()
    judge.look("a rule from the answer")
    page.get_by_role("button", name="Remove condition 1").click()
    url = page.locator("#at-request-url").input_value()
    page.locator("#at-request-url").fill("https://x.example/{{order id}}")
    page.keyboard.press("Control+Enter")
    page.get_by_text("The form is not right yet").wait_for()
    judge.look("a refused test beside an earlier answer")
    page.locator("#at-request-url").fill(url)


@pytest.mark.timeout(600)
def test_axe_finds_nothing_on_any_page_in_both_themes_and_widths(tmp_path: Path, sweep: Sweep) -> None:
    api_port = free_port()
    with Server(tmp_path / "data", "--demo", str(api_port)) as server, chromium() as browser:
        # Only here: axe-core is put into the page, which the page's own rules forbid.
        context = browser.new_context(bypass_csp=True, base_url=server.url)
        page = context.new_page()
        page.on("dialog", lambda dialog: dialog.accept())
        judge = Judge(page, whole=sweep.whole)
        page.goto("/setup")
        judge.look("/setup")
        server.command("user", "add", ADMIN, "--operator", "--password", PASSWORD)
        page.goto("/login")
        judge.look("/login")
        sign_in(page)
        for path in PAGES:
            page.goto(path)
            judge.look(path)
        server.command("account", "create", "second", "--name", "The second shop, with quite a long name")
        page.goto("/settings/accounts")
        page.locator("details.confirm summary").click()
        judge.look("deleting an account")
        a_flow(judge)
        page.goto("/steps")
        page.locator("[data-choose]").last.check()
        page.locator("[data-chosen-bar]").get_by_role("button", name="Delete").click()
        page.get_by_role("button", name="Undo").wait_for()
        page.locator("[data-choose]").first.check()
        judge.look("the list, ticked and deleted")
        page.get_by_role("button", name="Undo").click()
        the_editor(judge, server, api_port)
        failed_tests(judge, server, api_port)
        calls_and_conflicts(judge)
        a_pasted_command(judge)
        server.command("user", "add", NEWCOMER, "--account", "second", "--password", PASSWORD, "--role", "admin")
        context.clear_cookies()
        sign_in(page, NEWCOMER)
        a_new_account(judge)
        context.close()
    sweep.tell(judge.judged, judge.possible)
    assert judge.found == {}, "\n".join(f"{text}\n    {', '.join(at)}" for text, at in judge.found.items())
