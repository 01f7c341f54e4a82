"""The list of steps in a browser: tick, delete, undo, filter; and what axe finds in it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.chromium import browsing, order_api, sign_in
from tests.browser.test_drafts import VARIABLES


def test_ticked_steps_are_deleted_and_brought_back(tmp_path: Path) -> None:
    with browsing(tmp_path / "data", **VARIABLES) as (server, page, complaints):
        document = '{"format": "httpstep/1", "name": "%s", "request": {"method": "GET", "url": "https://a.example"}}'
        for name in ("One", "Two", "Three"):
            (tmp_path / "step.json").write_text(document % name)
            server.command("step", "import", str(tmp_path / "step.json"))
        sign_in(page)
        _tick_delete_undo(page)
        assert complaints == []


def _tick_delete_undo(page: Page) -> None:
    names = page.locator(".step-name").all_text_contents()
    assert len(names) > 2
    bar = page.locator("[data-chosen-bar]")
    expect(bar).to_be_hidden()
    page.get_by_label("Choose all").check()
    expect(bar).to_contain_text(f"{len(names)} ticked")
    page.get_by_label(f"Choose {names[0]}").uncheck()
    page.get_by_label(f"Choose {names[1]}").uncheck()
    expect(page.get_by_label("Choose all")).not_to_be_checked()
    bar.get_by_role("button", name="Delete").click()
    expect(page.locator(".step-name")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".step-name")).to_have_count(len(names))
    page.get_by_role("link", name="Unused").click()
    expect(page.get_by_role("link", name="Unused")).to_have_attribute("aria-current", "true")
    page.locator("#step-search").fill("thr")
    expect(page.locator(".step-name")).to_have_count(1)
    page.locator("#step-sort").select_option("called")
    expect(page.locator(".step-name")).to_have_text("Three")


def test_the_dots_lead_to_their_calls_and_are_one_stop(tmp_path: Path) -> None:
    with order_api() as api, browsing(tmp_path / "data", **VARIABLES) as (server, page, complaints):
        document = '{"format": "httpstep/1", "name": "One", "request": {"method": "GET", "url": "%s/orders/1"}}'
        (tmp_path / "step.json").write_text(document % api.url)
        server.command("step", "import", str(tmp_path / "step.json"))
        token = server.command("key", "create", "--name", "bot")
        for _ in range(3):
            assert server.execute("one", {}, token).status_code == 200
        sign_in(page)
        link = page.get_by_role("link", name="Last 3 calls, newest at the right: 3 good")
        dots = link.locator("svg")
        # Three of twenty places, the newest at the right.
        middle = {call: {"x": 4 + (16 + call) * 10.5, "y": 8} for call in (1, 2)}
        dots.hover(position=middle[2])
        assert (link.get_attribute("title") or "").endswith(": Success")
        assert (link.get_attribute("href") or "").endswith("/steps/1/logs/2")
        page.mouse.move(0, 0)
        assert (link.get_attribute("href") or "").endswith("/steps/1/logs/3")
        page.get_by_role("link", name="One", exact=True).focus()
        page.keyboard.press("Tab")
        expect(link).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_label("More for One")).to_be_focused()
        dots.click(position=middle[1])
        page.wait_for_url("**/steps/1/logs/1")
        expect(page.get_by_text("The call succeeded.")).to_be_visible()
        assert complaints == []


def test_the_first_steps_lead_on_to_the_step_that_is_there(tmp_path: Path) -> None:
    with browsing(tmp_path / "data", **VARIABLES) as (server, page, complaints):
        sign_in(page)
        first = page.get_by_role("link", name="Describe a call")
        assert (first.get_attribute("href") or "").endswith("/steps/new")
        document = '{"format": "httpstep/1", "name": "One", "request": {"method": "GET", "url": "https://a.example"}}'
        (tmp_path / "step.json").write_text(document)
        server.command("step", "import", str(tmp_path / "step.json"))
        page.goto("/steps")
        for name in ("Make a key for your bot", "Let your bot call the step"):
            page.get_by_role("link", name=name).click()
            page.wait_for_url("**/steps/1#usage")
            expect(page.get_by_role("button", name="Make a key for this bot")).to_be_visible()
            page.goto("/steps")
        page.get_by_role("link", name="Press Test and see the answer").click()
        page.wait_for_url("**/steps/1")
        assert complaints == []


def test_a_row_says_what_is_called_and_its_menu_is_on_the_screen_at_both_widths(tmp_path: Path) -> None:
    with browsing(tmp_path / "data", **VARIABLES) as (server, page, complaints):
        document = (
            '{"format": "httpstep/1", "name": "%s", "request": {"method": "DELETE", "url": "https://%s/tickets"}}'
        )
        for index in range(9):
            (tmp_path / "step.json").write_text(document % (f"Ticket {index}", f"desk-{index}.example"))
            server.command("step", "import", str(tmp_path / "step.json"))
        sign_in(page)
        for width, height in ((1280, 640), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            for index in (0, 7, 8):
                row = page.locator(".steps-table tbody tr").nth(index)
                expect(row.locator(".step-call .method")).to_be_visible()
                expect(row.locator(".step-call .mono")).to_be_visible()
                method, host = (row.locator(f".step-call .{one}").bounding_box() for one in ("method", "mono"))
                assert method is not None
                assert host is not None
                assert method["x"] + method["width"] < host["x"]
                page.evaluate("scrollTo(0, document.body.scrollHeight)")
                row.locator("summary").click()
                expect(row.locator(".menu-list")).to_be_in_viewport(ratio=1)
                page.keyboard.press("Escape")
        for edge in ("list-tick", "list-menu"):
            assert page.locator(f"thead .{edge}").evaluate("one => getComputedStyle(one).borderBottomWidth") == "1px"
        page.locator(".list-menu summary").first.click()
        page.locator("tbody tr").first.get_by_role("button", name="Delete").click()
        banner, title = page.locator(".flashes").bounding_box(), page.locator("h1").bounding_box()
        assert banner is not None
        assert title is not None
        assert title["y"] - banner["y"] - banner["height"] >= 16
        assert complaints == []


def test_a_step_switched_off_in_the_list_says_so_on_its_page_until_it_is_saved_as_on(tmp_path: Path) -> None:
    with browsing(tmp_path / "data", **VARIABLES) as (server, page, complaints):
        document = '{"format": "httpstep/1", "name": "One", "request": {"method": "GET", "url": "https://a.example"}}'
        (tmp_path / "step.json").write_text(document)
        server.command("step", "import", str(tmp_path / "step.json"))
        sign_in(page)
        page.get_by_label("More for One").click()
        page.get_by_role("button", name="Switch off").click()
        page.get_by_role("link", name="One", exact=True).click()
        off = page.locator("#step-off")
        expect(off).to_be_visible()
        for shown in (False, True):
            page.locator('[name="enabled"]').evaluate("box => box.click()")
            page.keyboard.press("Control+s")
            (expect(off).to_be_visible if shown else expect(off).to_be_hidden)()
        assert complaints == []


def test_the_list_is_in_order_on_a_desk_and_on_a_phone(tmp_path: Path) -> None:
    """The dots end where their heading does, a notice is as wide as what it is of, and the filters are one line."""
    with order_api() as api, browsing(tmp_path / "data", **VARIABLES) as (server, page, complaints):
        document = '{"format": "httpstep/1", "name": "One", "request": {"method": "GET", "url": "%s/orders/1"}}'
        (tmp_path / "step.json").write_text(document % api.url)
        server.command("step", "import", str(tmp_path / "step.json"))
        token = server.command("key", "create", "--name", "bot")
        assert server.execute("one", {}, token).status_code == 200
        sign_in(page)
        page.get_by_label("More for One").click()
        page.get_by_role("button", name="Switch off").click()
        places = page.evaluate("""() => ["thead .list-dots", "tbody .list-dots svg", ".flashes .banner", ".page-wide .table-wrap"].map((one) => {
          const range = document.createRange(), part = document.querySelector(one);
          range.selectNodeContents(part);
          const box = (one.startsWith("thead") ? range : part).getBoundingClientRect();
          return [box.left, box.right];
        })""")
        (_, heading), (_, dots), banner, table = places
        assert abs(heading - dots) < 2 and banner == table
        assert page.locator("#step-search").get_attribute("placeholder") == "Search   ( / )"
        page.set_viewport_size({"width": 390, "height": 844})
        page.reload()
        assert page.locator("#step-search").get_attribute("placeholder") == "Search"
        tops = page.locator(".filters a").evaluate_all("all => all.map((one) => one.getBoundingClientRect().top)")
        assert len(set(tops)) == 1
        assert complaints == []
