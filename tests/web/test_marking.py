"""Objects whose names are data: recognised after a test, marked with one click, also where they are what drifted."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House
from tests.web.conftest import Web
from tests.web.screen import Screen, new_step, open_step, web_with

SQLITE_ONLY = "marks are form state"
TITLE = "JSON Structure Change Detected"
RATES = {"base": "EUR", "rates": {"USD": 1.09, "SEK": 11.2, "NOK": 11.6, "DKK": 7.4}}
OTHERS = {"base": "EUR", "rates": {"USD": 1.09, "CHF": 0.9}}
SHELF = {"base": "EUR", "shelf": {"oak": {"n": 1, "p": 2}, "elm": {"n": 3, "p": 4}}}
OTHER_SHELF = {"base": "EUR", "shelf": {"oak": {"n": 1, "p": 2}, "ash": {"n": 3, "p": 4}}}


@pytest.fixture
def api() -> ThirdParty:
    return ThirdParty(answer(200, RATES))


@pytest.fixture
def web(make_house: Callable[..., House], api: ThirdParty) -> Web:
    return web_with(make_house, api)


@pytest.fixture
def screen(web: Web) -> Screen:
    return new_step(web.as_("bob")).press("test")


def stored(web: Web) -> Any:
    return web.house.call("GET", "/steps/order-status").json["dictionaries"]


def test_a_test_offers_what_looks_like_a_dictionary_with_examples(screen: Screen) -> None:
    assert "with names like USD, SEK, NOK" in screen.text and "DKK, " not in screen.text
    assert [button["value"] for button in screen.buttons if button.get("value", "").startswith("mark:")] == [
        "mark:$['rates']"
    ]


def test_nothing_is_offered_before_a_test_and_for_an_ordinary_object(web: Web, api: ThirdParty) -> None:
    screen = new_step(web.as_("bob"))
    assert 'value="mark:' not in screen.html
    api.answers = [answer(200, {"customer": {"name": "Ada", "city": "Ume"}})]
    assert 'value="mark:' not in screen.press("test").html


def test_mark_writes_the_place_down_offers_it_no_more_and_is_kept_by_save(web: Web, screen: Screen) -> None:
    screen.press("mark:$['rates']")
    assert screen.get("dictionaries") == "$['rates']" and 'value="mark:' not in screen.html
    screen.press("mark:$['rates']").press("save")
    assert stored(web) == [["rates"]]


def test_a_mark_that_is_no_path_is_not_written_down(screen: Screen) -> None:
    assert screen.press("mark:rates").get("dictionaries") == ""


def test_mark_as_a_fragment_brings_the_mapping_and_the_banner(screen: Screen) -> None:
    found = screen.move("mark:$['rates']")
    assert found.status_code == 200 and found.text.lstrip().startswith('<section class="section" id="mapping"')
    assert ">\n$['rates']</textarea>" in unescape(found.text) and 'id="drift-banner" hx-swap-oob' in found.text


def test_items_of_a_list_are_offered_once_with_a_star(web: Web, api: ThirdParty) -> None:
    days = [{"id": number, "free": {f"2026-01-0{number}": 1}} for number in range(1, 6)]
    api.answers = [answer(200, {"rooms": days})]
    screen = new_step(web.as_("bob")).press("test")
    assert screen.html.count('value="mark:') == 1
    screen.press("mark:$['rooms'][*]['free']").press("save")
    assert stored(web) == [["rooms", "*", "free"]]


def test_after_the_mark_a_new_name_is_no_change(web: Web, screen: Screen, api: ThirdParty) -> None:
    screen.press("mark:$['rates']").press("save")
    api.answers = [answer(200, OTHERS)]
    assert web.house.execute().json["structure_changed"] is False
    assert TITLE not in screen.press("test").text


def test_a_value_of_another_type_in_it_is_still_a_change(web: Web, screen: Screen, api: ThirdParty) -> None:
    screen.press("mark:$['rates']").press("save")
    api.answers = [answer(200, {"base": "EUR", "rates": {"USD": "1.09"}})]
    assert web.house.execute().json["structure_changed"] is True


def shelved(web: Web, api: ThirdParty, before: Any = SHELF, after: Any = OTHER_SHELF) -> Screen:
    """A saved step after a test of which the names in an object are others."""
    api.answers = [answer(200, before)]
    screen = new_step(web.as_("bob")).press("test").press("save")
    api.answers = [answer(200, after)]
    return screen.press("test")


def test_the_banner_offers_the_mark_where_two_answers_differ_in_names_alone(web: Web, api: ThirdParty) -> None:
    screen = shelved(web, api)
    assert TITLE in screen.text and "Names differ from answer to answer" in screen.text
    screen.press("mark:$['shelf']")
    assert "The new structure is accepted." in screen.text and TITLE not in screen.text
    screen.press("save")
    with web.house.state() as state:
        assert state.drift is None
    assert stored(web) == [["shelf"]] and web.house.execute().json["structure_changed"] is False


def test_the_whole_answer_can_be_such_an_object(web: Web, api: ThirdParty) -> None:
    screen = shelved(web, api, SHELF["shelf"], OTHER_SHELF["shelf"]).press("mark:$")
    assert "The new structure is accepted." in screen.text
    screen.press("save")
    assert stored(web) == [[]] and web.house.execute().json["structure_changed"] is False


def test_names_that_are_recognised_are_no_change_without_a_mark(web: Web, screen: Screen, api: ThirdParty) -> None:
    screen.press("save")
    api.answers = [answer(200, OTHERS)]
    assert TITLE not in screen.press("test").text and web.house.execute().json["structure_changed"] is False
    assert screen.rules()["rates"] == "$['rates']"


def test_what_was_mapped_name_by_name_gets_one_row_for_the_whole(web: Web, api: ThirdParty) -> None:
    screen = shelved(web, api)
    names = set(screen.rules())
    screen.press("mark:$['shelf']")
    assert set(screen.rules()) - names == {"shelf"} and screen.rules()["shelf"] == "$['shelf']"
    assert set(screen.press("undo").rules()) == names
    twice = screen.press("mark:$['shelf']").press("mark:$['shelf']")
    assert [*twice.rules()].count("shelf") == 1
    twice.press("save")
    assert web.house.execute().json["attributes"]["shelf"] == OTHER_SHELF["shelf"]


def test_a_mark_on_what_no_row_reads_adds_none(screen: Screen) -> None:
    before = set(screen.press("mark:$['base']").rules())
    assert set(screen.press("mark:$['rates']").rules()) == before


def test_undo_takes_the_mark_back(web: Web, api: ThirdParty) -> None:
    screen = shelved(web, api).press("mark:$['shelf']").press("undo")
    assert screen.get("dictionaries") == "" and TITLE in screen.text


def test_a_mark_leaves_a_change_elsewhere_to_be_answered(screen: Screen, api: ThirdParty) -> None:
    screen.press("save")
    api.answers = [answer(200, OTHERS | {"base": 7})]
    screen.press("test").press("mark:$['rates']")
    assert TITLE in screen.text and "string → number" in screen.text and "['CHF']" not in screen.text


def test_a_change_outside_of_it_offers_no_mark_in_the_banner(screen: Screen, api: ThirdParty) -> None:
    screen.press("save")
    api.answers = [answer(200, RATES | {"base": 7})]
    assert TITLE in screen.press("test").text and "Names differ from answer to answer" not in screen.text


def test_a_mark_typed_by_hand_answers_the_change_with_save(web: Web, screen: Screen, api: ThirdParty) -> None:
    screen.press("save")
    api.answers = [answer(200, OTHERS)]
    screen.press("test")
    bob = web.as_("bob")
    open_step(bob).fill(dictionaries="$.rates").press("save")
    with web.house.state() as state:
        assert state.drift is None
    assert "Structure changed" not in bob.get("/steps").text
    assert TITLE not in open_step(bob).text.split("Logs")[0]


def test_a_viewer_is_offered_nothing_to_press(web: Web, screen: Screen) -> None:
    screen.press("save")
    assert 'value="mark:' not in open_step(web.as_("vera")).html
