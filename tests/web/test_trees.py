"""The tree of an answer stays small however large the answer is, and nothing that can be mapped is lost without a word."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from httpstep.web.editor.tree import MAX_PRINTED, Node, tree_of
from tests.fakes import ThirdParty, answer
from tests.house import House
from tests.web.screen import new_step, open_step, web_with

SQLITE_ONLY = "what is shown is decided above the database"


def nodes(node: Node) -> int:
    return 1 + sum(map(nodes, node.children or ()))


def order(number: int) -> dict[str, Any]:
    return {"id": number, "customer": {"name": f"Customer {number}", "city": "Köln"}, "lines": list(range(9))}


def found(node: Node, *path: str) -> Node:
    for part in path:
        [node] = [child for child in node.children or () if child.label == part]
    return node


LARGE = {
    "records": {"data": [order(n) for n in range(5000)], "page": 1},
    "a list": list(range(50_000)),
    "lists in lists": [[[list(range(20)) for _ in range(20)] for _ in range(20)] for _ in range(20)],
    "names that are data": {f"2026-{n}": {f"k{m}": {"a": 1, "b": [1, 2]} for m in range(200)} for n in range(200)},
    "wide records": {"data": [{f"field_{n}": n for n in range(90)} for _ in range(1000)]},
}


@pytest.mark.parametrize("document", LARGE.values(), ids=LARGE)
def test_a_large_answer_that_cannot_be_asked_for_later_is_a_small_tree(document: Any) -> None:
    tree = tree_of(document, {}, whole=True)
    assert 1 < nodes(tree) <= 2 * MAX_PRINTED


def test_lists_are_cut_and_say_so_and_every_field_is_there() -> None:
    tree = tree_of(LARGE["records"], {}, whole=True)
    data = found(tree, "data")
    assert found(tree, "page").text == "1" and data.size == 5000
    assert data.more == 5000 - len(data.children or ()) > 0
    assert found(data, "0", "customer", "city").text == '"Köln"'


def test_a_small_answer_is_there_to_its_last_item() -> None:
    document = {"data": [{"id": n, "lines": [1, 2]} for n in range(90)]}
    assert nodes(tree_of(document, {}, whole=True)) == nodes(tree_of(document, {})) == 2 + 90 * 5


def test_a_test_with_an_answer_of_a_megabyte_is_answered_in_a_few_kilobytes(make_house: Callable[..., House]) -> None:
    body = json.dumps({"data": [order(n) for n in range(8500)], "page": 1})
    assert 900_000 < len(body) < 1_000_000
    api = ThirdParty(answer(200, text=body, Content_Type="application/json"))
    web = web_with(make_house, api)
    screen = new_step(web.as_("bob"))
    html = screen.browser.htmx("POST", f"{screen.path}/test", data=screen.data(), headers={"Accept-Encoding": "gzip"})
    assert html.status_code == 200 and html.headers["Content-Encoding"] == "gzip"
    assert len(html.data) < 100_000
    page = screen.press("test")
    assert "more are not shown. Map one by hand with its path, like $['data'][" in page.text
    assert "Customer 0" in page.text and "page" in page.text


def test_a_key_that_is_no_name_is_not_held_by_all_that_is_below_it(make_house: Callable[..., House]) -> None:
    """It is 240 MB otherwise: 100 rules and 300 rows, each with the whole way to it."""
    long = "a" * 800_000
    web = web_with(make_house, ThirdParty(answer(200, {"status": "ok", long: {f"f{n}": n for n in range(300)}})))
    screen = new_step(web.as_("alice"), url="https://api.example/x").press("test")
    assert len(screen.html) < 2_000_000
    screen.press("save")
    again = open_step(web.as_("alice"))
    assert len(again.html) < 2_000_000 and [*again.rules()] == ["status"]
