"""The history of accepted structures: when, by whom, how large, what changed; and one of them used again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Web
from tests.web.screen import CHANGED, ORDER, Screen, new_step, open_step, web_with

SQLITE_ONLY = "the history is read and used in the form"
TITLE = "JSON Structure Change Detected"


@pytest.fixture
def api() -> ThirdParty:
    return ThirdParty(answer(200, ORDER))


@pytest.fixture
def web(make_house: Callable[..., House], api: ThirdParty) -> Web:
    return web_with(make_house, api)


@pytest.fixture
def twice(web: Web, api: ThirdParty) -> Screen:
    """A step whose structure Bob accepted, and Alice after it had changed."""
    new_step(web.as_("bob")).press("test").press("save")
    api.answers = [answer(200, CHANGED)]
    screen = open_step(web.as_("alice")).set("value:order.id", "42")
    return screen.press("test").press("accept").press("save").set("value:order.id", "42")


def used(screen: Screen) -> list[str]:
    return [button["value"] for button in screen.buttons if button.get("value", "").startswith("use_structure:")]


def test_a_step_without_one_shows_no_history(web: Web) -> None:
    assert "Accepted structures" not in new_step(web.as_("bob")).press("test").text


def test_it_says_who_how_many_fields_which_is_in_force_and_what_changed(twice: Screen) -> None:
    history = twice.text.split("Accepted structures")[1].split("If the call fails")[0]
    newest, oldest = history.split("by bob@example.com")
    assert "by alice@example.com · 8 fields In force" in newest and "In force" not in oldest
    assert "2 new, 2 gone, 1 of another type" in newest and "data › buyer" in newest
    assert "8 fields" in oldest and "The oldest that is kept." in oldest


def test_the_first_call_of_a_bot_is_in_it(web: Web) -> None:
    web.house.put(document())
    web.house.execute()
    assert "Accepted structures" in open_step(web.as_("vera")).text


def test_only_five_are_kept(web: Web, api: ThirdParty, twice: Screen) -> None:
    for number in range(6):
        api.answers = [answer(200, {f"f{number}": 1})]
        twice.press("test").press("accept").press("save").set("value:order.id", "42")
    assert len(used(twice)) == 4


def test_an_old_one_is_used_again_from_save_on(web: Web, twice: Screen, api: ThirdParty) -> None:
    twice.press(used(twice)[0])
    assert "From the next save on" in twice.text
    assert web.house.execute().json["structure_changed"] is False, "nothing is done before Save"
    twice.press("save")
    assert len(used(twice)) == 2 and twice.get("accepted_again") == ""
    assert web.house.execute().json["structure_changed"] is True
    api.answers = [answer(200, ORDER)]
    assert web.house.execute().json["structure_changed"] is False


def test_a_test_compares_with_the_chosen_one_before_save(twice: Screen, api: ThirdParty) -> None:
    assert TITLE not in twice.press("test").text.split("Logs")[0]
    twice.press(used(twice)[0])
    assert TITLE in twice.text, "the last test is compared at once"
    assert TITLE not in twice.press("use_structure:").text.split("Logs")[0]
    assert twice.get("accepted_again") == ""


def test_accepting_what_a_test_saw_takes_the_place_of_the_chosen_one_and_undo_gives_it_back(twice: Screen) -> None:
    chosen = used(twice)[0].partition(":")[2]
    twice.press("test").press(f"use_structure:{chosen}").press("accept")
    assert twice.get("accepted_again") == "" and twice.get("accepted_log") == twice.get("tested_log")
    assert twice.press("undo").get("accepted_again") == chosen


def test_another_steps_structure_cannot_be_used(web: Web, twice: Screen) -> None:
    other = new_step(web.as_("bob"), name="Other").press("test").press("save")
    foreign = other.press("test").press("accept").press("save")
    assert used(foreign) == []
    screen = open_step(web.as_("bob"), 2)
    for structure_id in (1, 2, 999, "x"):
        assert screen.press(f"use_structure:{structure_id}").get("accepted_again") == ""
    screen.set("accepted_again", "1").press("save")
    assert screen.status == 200 and screen.text.count("by bob@example.com ·") == 1


def test_the_choice_as_a_fragment_and_not_for_a_viewer(web: Web, twice: Screen) -> None:
    found = twice.move("use_structure:1")
    assert found.status_code == 200 and 'name="accepted_again" value="1"' in found.text
    assert 'id="mapping"' in found.text and 'hx-swap-oob="true"' in found.text
    vera = web.as_("vera")
    assert "Accepted structures" in vera.get("/steps/1").text and "use_structure" not in vera.get("/steps/1").text
    assert vera.htmx("POST", "/steps/1/move", data=twice.data(op="use_structure:1")).status_code == 403
