"""Where people who see the editor for the first time stopped: names with blanks, long addresses, paths, and notices."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import OrderApi, settle

SQLITE_ONLY = "what a person does and sees"
COVERED = """(notice) => {
  const box = notice.getBoundingClientRect(), found = new Set();
  notice.style.visibility = "hidden";
  for (let x = box.left; x < box.right; x += 4) for (let y = box.top; y < box.bottom; y += 4) {
    const one = document.elementFromPoint(x, y)?.closest("a[href], button, summary, input, select, textarea, label");
    if (one) found.add(one.outerHTML.slice(0, 90));
  }
  notice.style.visibility = "";
  return [...found];
}"""
"""What could be pressed where a notice lies, if it were not there."""
CUT_BY = """(notice) => {
  const box = notice.getBoundingClientRect();
  return [...document.querySelectorAll(".editor-bar > * > *:not(.toasts), .editor-bar .editor-actions > *, .bottom-bar, .bottom-bar > *")].filter((one) => {
    const other = one.checkVisibility() && one.getBoundingClientRect();
    return other && other.left < box.right - 1 && other.right > box.left + 1 && other.top < box.bottom - 1 && other.bottom > box.top + 1;
  }).map((one) => one.outerHTML.slice(0, 90));
}"""
"""What of the bars a notice lies over: their title, the badge beside it, their buttons."""


def press_test(page: Page, address: str) -> None:
    page.locator("#at-request-url").fill(address)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")


def test_a_name_with_a_blank_is_no_dead_end_and_no_mouse_is_needed(desk: tuple[Page, OrderApi]) -> None:
    page, _ = desk
    url, picker = page.locator("#at-request-url"), page.locator("#picker")
    url.fill("https://x.example/")
    page.locator(".url-line [data-picker]").focus()
    page.keyboard.press("Enter")
    expect(picker).to_contain_text("No attributes yet. Type a name")
    page.keyboard.type("order number")
    expect(picker.get_by_role("option", name="Add order_number")).to_be_visible()
    expect(picker).to_contain_text("Spaces become underscores.")
    page.keyboard.press("Enter")
    expect(url).to_have_value("https://x.example/{{order_number}}")
    expect(url).to_be_focused()
    page.keyboard.type("/{{")
    expect(picker).to_be_visible()
    page.keyboard.type("line item")
    expect(picker).to_contain_text("Add line_item")
    page.keyboard.press("Enter")
    expect(url).to_have_value("https://x.example/{{order_number}}/{{line_item}}")
    page.locator(".url-line [data-picker]").click()
    page.keyboard.type("größe 7*7")
    expect(picker).to_contain_text("it can be none: a name begins with a letter")
    page.keyboard.press("Enter")
    expect(url).to_have_value("https://x.example/{{order_number}}/{{line_item}}")


def test_all_of_a_long_address_is_seen_and_it_stays_one_line(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    url = page.locator("#at-request-url")
    address = f"{api.url}/orders/1?" + "&".join(f"parameter_{number}=a-value-of-it" for number in range(8))
    url.fill(address)
    assert url.evaluate("box => box.scrollHeight <= box.clientHeight && box.scrollWidth <= box.clientWidth")
    url.evaluate("""(box, text) => {
      box.select();
      const pasted = new DataTransfer();
      pasted.setData("text", text);
      box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: pasted, bubbles: true, cancelable: true }));
    }""", f"{api.url}/\r\n  orders/1?a=1\n")  # fmt: skip
    expect(url).to_have_value(f"{api.url}/orders/1?a=1")
    url.press("Enter")
    expect(page.locator(".result-line")).to_contain_text("200 OK")
    expect(url).to_have_value(f"{api.url}/orders/1?a=1")
    assert api.paths == ["/orders/1?a=1"]


def test_rows_of_the_mapping_say_paths_as_people_do_and_edit_them_as_they_are(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    press_test(page, f"{api.url}/orders/1")
    source, words = page.locator(".rule-source").nth(6), page.locator(".rule-path").nth(6)
    expect(words).to_have_text("data › items › 1 › price")
    expect(source).to_have_attribute("title", "$['data']['items'][0]['price']")
    expect(words).to_be_visible()
    source.click()
    expect(words).to_be_hidden()
    expect(source).to_have_css("opacity", "1")
    source.fill("$['data']['items'][1]['it\\'s']")
    page.locator('[name="name"]').focus()
    expect(words).to_have_text("data › items › 2 › it's")
    source.fill("$.data.items[?@.price > 5].sku")
    expect(words).to_have_text("$.data.items[?@.price > 5].sku")


def test_all_values_are_ticked_at_first_says_one_line_and_one_press_unticks_them(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    press_test(page, f"{api.url}/orders/1")
    expect(page.locator(".tick[aria-pressed=true]")).to_have_count(7)
    expect(page.locator(".answer-notes")).to_contain_text("All 7 values are ticked. Untick")
    page.get_by_role("button", name="Untick all").click()
    expect(page.locator(".tick[aria-pressed=true]")).to_have_count(0)
    expect(page.locator(".rule-on:checked")).to_have_count(0)
    expect(page.locator(".answer-notes")).to_contain_text("No value is ticked. Tick what your bot needs, then save.")
    expect(page.locator(".answer-notes")).not_to_contain_text("All 7 values")
    page.locator(".tick").first.click()
    expect(page.locator(".answer-notes")).to_contain_text("1 of 7 values are ticked.")
    page.get_by_role("button", name="Tick all").click()
    expect(page.locator(".rule-on:checked")).to_have_count(7)


@pytest.mark.parametrize("width", [390, 1000, 1280])
def test_a_notice_covers_nothing_of_the_bars_nor_what_can_be_pressed_at_the_foot_and_no_gap_is_left(
    desk: tuple[Page, OrderApi], width: int
) -> None:
    page, _ = desk
    page.set_viewport_size({"width": width, "height": 800})
    page.locator("#at-request-url").fill("https://x.example/")
    page.locator('[name="name"]').fill("A step with quite a long name, longer than there is room")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    notice = page.locator(".toast")
    notice.dispatch_event("pointerenter")  # it stays as long as somebody points at it
    expect(notice).to_be_in_viewport(ratio=1)
    assert notice.evaluate(CUT_BY) == []
    notice.locator("p").evaluate(
        "p => { p.textContent = 'Saved. Your bot can use this step now. Stored under Secrets: SHOP_KEY. It may be sent to https://api.shop.example only.'; }"
    )
    assert notice.locator("p").evaluate("p => p.scrollHeight - p.clientHeight") <= 1
    assert notice.evaluate(CUT_BY) == []
    expect(page.locator(".editor-log")).to_be_visible()
    expect(page.locator("#paste-box")).to_contain_text("Next, let your bot call this step.")
    page.locator("#paste-box").get_by_role("button", name="Use in your bot").click()
    expect(page.locator("#use-url")).to_be_visible()
    page.keyboard.press("Escape")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    settle(page, 0.1)
    expect(notice).to_be_in_viewport(ratio=1)
    assert notice.evaluate(CUT_BY) == []
    assert notice.evaluate(COVERED) == []
    page.locator('[name="name"]').evaluate("field => { field.closest('details').open = true; field.focus(); }")
    page.keyboard.type(" and more of it")
    expect(page.locator("[data-dirty]")).to_be_visible()
    assert notice.evaluate(CUT_BY) == []
    page.locator("#paste-box").get_by_role("button", name="Use in your bot").click()
    notice.get_by_role("button").click()
    expect(notice).to_have_count(0)
    expect(page.locator("#use-url")).to_be_visible()


PLACE = "one => { const { top, bottom } = one.getBoundingClientRect(); return [top, bottom]; }"
CUT_TABS = """() => [...document.querySelectorAll("[role=tab], .tabs a, .nav a")].filter((tab) => {
  const { left, right } = tab.getBoundingClientRect(), list = tab.parentElement.getBoundingClientRect();
  return tab.checkVisibility() && (left < list.left - 8 || right > list.right + 8 || tab.scrollWidth > tab.clientWidth);
}).map((tab) => tab.textContent)"""
SUMS_CUT = """() => [...document.querySelectorAll("#part-request .part-sum")].filter((sum) => sum.checkVisibility()
  && (sum.scrollWidth > sum.clientWidth || sum.scrollHeight > sum.clientHeight + 1)).map((sum) => sum.textContent)"""


def test_what_was_mapped_by_itself_is_told_until_it_is_saved(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    press_test(page, f"{api.url}/orders/1")
    expect(page.locator(".answer-notes")).to_contain_text("All 7 values are ticked. Untick")
    page.locator('[name="name"]').fill("Order status")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    expect(page.get_by_text("are ticked. Untick")).to_have_count(0)
    expect(page.get_by_role("button", name="Untick all")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 360])
def test_on_a_phone_no_tab_is_cut_and_the_way_to_the_bot_has_words(desk: tuple[Page, OrderApi], width: int) -> None:
    page, api = desk
    page.set_viewport_size({"width": width, "height": 844})
    press_test(page, f"{api.url}/orders/1")
    assert page.evaluate(CUT_TABS) == []
    tops = page.locator(".view-bar [role=tab]").evaluate_all("all => all.map((one) => one.offsetTop)")
    assert len(tops) == 5 and len(set(tops)) == 1
    label = page.locator(".usage-label")
    expect(label).to_have_text("Use in your bot")
    expect(label).to_be_in_viewport(ratio=1)
    box = label.bounding_box()
    assert box and box["width"] > 40
    page.evaluate("sessionStorage.clear()")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/settings/account")
    assert page.evaluate(CUT_TABS) == []


@pytest.mark.parametrize("by", ["a press", "a letter"])
def test_a_notice_with_more_to_read_is_short_and_goes_with_what_is_done_next(
    desk: tuple[Page, OrderApi], by: str
) -> None:
    page, api = desk
    page.locator("#paste-curl > summary").click()
    page.locator("#at-curl").fill(f'curl {api.url}/orders/1 -H "Authorization: Bearer abcdef123456789"')
    page.locator("#paste-fill").click()
    expect(page.locator('[name="auth_type"]')).to_have_value("bearer")
    page.locator('[name="name"]').fill("Order status")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/steps/1")
    notice = page.locator(".toast")
    expect(notice.locator("p")).to_have_text(f"Saved. Stored under Secrets: API_TOKEN. It may be sent to {api.url}.")
    page.keyboard.press("Tab")
    expect(notice).to_have_count(1)  # whoever goes to its button by keyboard gets there
    if by == "a press":
        page.locator("#part-body > summary").click()
    else:
        page.locator('[name="name"]').press("x")
    expect(notice).to_have_count(0, timeout=1000)
    expect(page.locator('[name="auth_token"]')).to_have_value("{{secret.API_TOKEN}}")  # and there one finds it


def test_to_keep_a_new_name_is_said_to_be_optional(desk: tuple[Page, OrderApi]) -> None:
    page, _ = desk
    page.locator("#at-request-url").fill("https://x.example/{{order}}")
    page.locator("#at-request-url").blur()
    keep = page.get_by_role("button", name="Keep this name for other steps")
    for width in (1280, 390, 360):
        page.set_viewport_size({"width": width, "height": 844})
        expect(keep).to_have_text("Keep this name for other steps (optional)")
        keep.scroll_into_view_if_needed()
        expect(keep).to_be_in_viewport(ratio=1)


def test_the_tick_of_a_list_stands_before_its_name_like_that_of_a_value(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    page.emulate_media(reduced_motion="reduce")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        press_test(page, f"{api.url}/orders/1")
        row = page.locator("[data-node=\"$['data']['items']\"]")
        tick, name = row.locator("> .tree-beside > .tick"), row.locator("> details > summary .tree-key")
        expect(tick).to_have_attribute("aria-pressed", "true")
        boxes = tick.bounding_box(), name.bounding_box()
        assert boxes[0] and boxes[1] and 0 < boxes[1]["x"] - (boxes[0]["x"] + boxes[0]["width"]) < 12
        tick.click()
        expect(row.locator("> .tree-beside > .tick")).to_be_hidden()
        name.click()
        expect(row.locator("> details")).not_to_have_attribute("open", "")
        page.reload()


def test_the_line_of_the_options_says_what_is_in_force_and_is_whole(desk: tuple[Page, OrderApi]) -> None:
    page, _ = desk
    line = page.locator('[data-sums="options"]')
    for width in (1280, 390, 360):
        page.set_viewport_size({"width": width, "height": 844})
        expect(line).to_have_text("60 s at most, no retries")
        assert page.evaluate(SUMS_CUT) == []
    page.locator("#options > summary").click()
    page.locator('[name="timeout"]').fill("20")
    page.locator('[name="retries"]').select_option("1")
    page.locator('[name="enabled"]').uncheck()
    expect(line).to_have_text("20 s at most, 1 retry, switched off")


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_a_part_that_is_opened_comes_into_sight_and_one_that_is_seen_stays(
    desk: tuple[Page, OrderApi], size: tuple[int, int]
) -> None:
    page, _ = desk
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    part = page.locator("#part-auth")
    part.evaluate("part => { part.open = false; scrollTo(0, 0); }")
    foot = page.locator(".bottom-bar")
    edge = size[1] - (foot.bounding_box() or {"height": 0})["height"] if foot.is_visible() else size[1]
    part.evaluate("(part, edge) => scrollBy(0, part.getBoundingClientRect().bottom - edge + 2)", edge)
    part.locator("> summary").click()
    settle(page, 0.2)
    top, bottom = part.evaluate(PLACE)
    assert bottom <= edge + 1 and top > 0
    part.locator("> summary").click()
    part.evaluate("part => scrollBy(0, part.getBoundingClientRect().top - 300)")
    before = part.evaluate(PLACE)[0]
    part.locator("> summary").click()
    settle(page, 0.2)
    assert part.evaluate(PLACE)[0] == before
