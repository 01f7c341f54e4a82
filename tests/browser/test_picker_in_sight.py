"""The list behind `</>` is all on the screen, wherever its field is, and nothing in it is chosen before somebody chooses."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import OrderApi

SQLITE_ONLY = "what a person does and sees"
NAMES = [f"customer.part_{number}" for number in range(12)]
IN_SIGHT = """(box) => {
  const { top, bottom, left, right } = box.getBoundingClientRect();
  const corners = [[left + 4, top + 4], [right - 4, bottom - 4]].map(([x, y]) => box.contains(document.elementFromPoint(x, y)));
  return [top >= 0, bottom <= innerHeight, left >= 0, right <= innerWidth, ...corners].every(Boolean) && bottom - top > 150;
}"""


@pytest.fixture
def page(desk: tuple[Page, OrderApi]) -> Page:
    """A new step, and names to choose from."""
    page, _ = desk
    token = page.locator('[name="csrf_token"]').first.input_value()
    for name in NAMES:
        sent = {"csrf_token": token, "name": name, "in_bot": "on"}
        assert page.request.post("/attributes", form=sent, headers={"Referer": page.url}).ok
    page.reload()
    return page


@pytest.mark.parametrize("at", ["start", "center", "end"])
@pytest.mark.parametrize("size", [(390, 844), (390, 480), (1280, 800)])
def test_the_list_is_all_in_sight_wherever_its_field_is(page: Page, size: tuple[int, int], at: str) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    url, picker = page.locator("#at-request-url"), page.locator("#picker")
    url.evaluate("(field, block) => field.scrollIntoView({ block, behavior: 'instant' })", at)
    for _opened_again in range(2):
        page.locator(".url-line [data-picker]").dispatch_event("click")
        expect(picker.get_by_role("option")).to_have_count(len(NAMES))
        assert picker.evaluate(IN_SIGHT), picker.bounding_box()
        page.keyboard.type("part_11")
        expect(picker.get_by_role("option").filter(visible=True)).to_have_count(2)
        field, box = url.bounding_box(), picker.bounding_box()
        assert field is not None and box is not None
        assert abs(box["y"] - field["y"] - 50) < 60 or abs(box["y"] + box["height"] + 6 - field["y"]) < 2
        page.keyboard.press("Escape")


def test_no_name_is_chosen_before_somebody_types_or_chooses(page: Page) -> None:
    url, picker = page.locator("#at-request-url"), page.locator("#picker")
    chosen = picker.locator('[aria-selected="true"]')
    url.fill("https://x.example/")
    page.locator(".url-line [data-picker]").click()
    expect(picker.get_by_role("option")).to_have_count(len(NAMES))
    expect(chosen).to_have_count(0)
    page.keyboard.press("Enter")
    expect(url).to_have_value("https://x.example/")
    page.keyboard.press("ArrowDown")
    expect(chosen).to_have_text(f"{{{{{NAMES[0]}}}}}")
    page.keyboard.press("Escape")
    page.locator(".url-line [data-picker]").click()
    page.keyboard.type("part_2")
    expect(chosen).to_have_text("{{customer.part_2}}")
    page.keyboard.press("Enter")
    expect(url).to_have_value("https://x.example/{{customer.part_2}}")
