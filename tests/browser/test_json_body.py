"""The JSON of a body has its colours and its first error marked, behind a text field that stays what it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from httpstep.core.inserting.jsonbodies import JsonBodyFault, compile_json
from tests.browser.chromium import ADMIN, PASSWORD, browsing, settle, sign_in

SQLITE_ONLY = "what a person does and sees"
TEXTS = (
    "{}", "[]", "null", '"x"', "-0.5e+3", "{{all}}", '[{"a": [{}, []]}]', '{"a": "{{name}}", "b": {{count|number}}}',
    '{"a": "\\u00e9\\n \\{{x"}', '"a {{b}} c"', ' \n{"a" : 1 }\t', '{"é": "日本"}', '{"a": "{{x}}{{y}}"}',
    '{"a": ', '{"a" 1}', '{"a": 1,}', "[1,]", "{a: 1}", '{"a": True}', "{\'a\': 1}", '{"a": "x', "[1 2]", '{"a": 1}}',
    "[01]", '{"a": 1{{x}}}', '{"a": "\\q"}', "{“a”: 1}", "[1, 2", "[.5]", "[1.]", '{"a":: 1}', ",", "]",
    '{"a": "line\nbreak"}', "[1, {{x}} {{y}}]", "[NaN]", '{"a": "\\u12"}', "[-]", "[1e]", '"a" "b"', "[,1]", '{"a"}', "//x\n1",
)  # fmt: skip
SIZES = """field => {
  const layer = field.parentElement.querySelector(".colours"), [one, other] = [layer, field].map((each) => getComputedStyle(each));
  const same = ["fontSize", "fontFamily", "lineHeight", "paddingLeft", "paddingRight", "paddingTop", "whiteSpace", "tabSize"];
  return [...same.filter((name) => one[name] !== other[name]), layer.clientWidth === field.clientWidth, layer.scrollTop === field.scrollTop,
    Math.abs(layer.scrollHeight - field.scrollHeight) <= 24];
}"""


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with browsing(tmp_path / "data", **variables) as (_, found, complaints):
        sign_in(found, to="/steps/new")
        found.get_by_role("radio", name="JSON").check()
        expect(found.locator(".body-text")).to_be_visible()
        yield found
        found.evaluate("sessionStorage.clear()")
        assert complaints == []


def is_json(text: str) -> bool:
    try:
        compile_json(text)
    except JsonBodyFault:
        return False
    return True


def test_it_finds_an_error_exactly_where_save_would(page: Page) -> None:
    for text in TEXTS:
        fault = page.evaluate("text => httpstep.readJson(text).fault", text)
        assert (fault is None) == is_json(text), (text, fault)


def test_keys_texts_numbers_and_names_have_colours_and_the_error_a_mark_and_a_sentence(page: Page) -> None:
    field, said = page.locator(".body-text"), page.locator(".json-said")
    field.fill('{\n  "customer": "{{user.name}}",\n  "count": [{{count}}, 2.5, true],\n  "more": Yes\n}')
    for kind, texts in {
        "key": ['"customer"', '"count"', '"more"'], "name": ["{{user.name}}", "{{count}}"], "number": ["2.5"], "word": ["true"],
    }.items():  # fmt: skip
        assert page.locator(f".colours .json-{kind}").all_text_contents() == texts
    expect(page.locator(".colours mark")).to_have_text("Yes")
    expect(said).to_have_text("At line 4, column 11: “Yes” needs double quotes around it.")
    field.fill('{"a": 1,}')
    expect(page.locator(".colours mark")).to_have_text(",")
    expect(said).to_contain_text("At line 1, column 8: is a comma after the last item")
    field.fill('{"a": 1}')
    expect(page.locator(".colours mark")).to_have_count(0)
    expect(said).to_have_text("This is valid JSON.")


def test_the_field_stays_what_it_is_and_its_colours_lie_behind_it(page: Page) -> None:
    field = page.locator(".body-text")
    field.press_sequentially('{"a": 1}')
    page.keyboard.press("ArrowLeft")
    page.keyboard.insert_text(", 2")
    expect(field).to_have_value('{"a": 1, 2}')
    page.keyboard.press("Control+z")
    expect(field).to_have_value('{"a": 1}')
    expect(page.locator(".colours")).to_have_text('{"a": 1}')
    expect(page.locator(".colours")).to_have_attribute("aria-hidden", "true")
    expect(page.get_by_role("textbox", name="Body, JSON")).to_be_focused()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        field.fill(
            "[\n"
            + "".join(
                f'  {{"{n}": "{{{{name_{n}}}}} and a text that is long enough to be wrapped"}},\n' for n in range(20)
            )
        )
        field.evaluate("field => field.scrollTo(0, 120)")
        settle(page)
        assert field.evaluate(SIZES) == [True, True, True]
    page.get_by_role("radio", name="Raw").check()
    expect(page.locator(".colours")).to_have_count(0)
