"""JSON Structure Change Detected: what changed is shown, rules are moved on the screen, Save makes it so."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House
from tests.web.conftest import Web
from tests.web.screen import CHANGED, ORDER, Screen, limit, new_step, open_step, web_with

SQLITE_ONLY = "drift is told and answered in the form"
TITLE = "JSON Structure Change Detected"


@pytest.fixture
def api() -> ThirdParty:
    return ThirdParty(answer(200, ORDER))


@pytest.fixture
def web(make_house: Callable[..., House], api: ThirdParty) -> Web:
    return web_with(make_house, api)


@pytest.fixture
def saved(web: Web) -> Screen:
    """A step whose first answer was tested, mapped and saved."""
    return new_step(web.as_("bob")).press("test").press("save").set("value:order.id", "42")


@pytest.fixture
def drifted(saved: Screen, api: ThirdParty) -> Screen:
    """The same after a test of the changed API."""
    api.answers = [answer(200, CHANGED)]
    return saved.press("test")


def test_save_accepts_what_the_first_test_saw(web: Web, saved: Screen) -> None:
    with web.house.state() as state:
        assert state.structure is not None and state.sample is not None
    assert TITLE not in saved.text and TITLE not in saved.press("test").text


def test_a_test_of_a_changed_api_says_what_went_came_and_changed(drifted: Screen) -> None:
    assert TITLE in drifted.text
    assert "4 mapped fields affected, 2 new fields" in drifted.text
    assert "data › status" in drifted.text and "number → string" in drifted.text
    assert "data › buyer" in drifted.text
    assert "Show both" in drifted.text


def test_the_sure_place_is_chosen_and_others_are_offered(drifted: Screen) -> None:
    name, status = drifted.rule("name"), drifted.rule("status")
    assert drifted.get(f"remap-{name}") == "$['data']['buyer']['name']"
    assert drifted.get(f"remap-{status}") == ""
    assert "same name, same value" in drifted.html


def test_remap_and_accept_moves_the_rules_keeps_their_names_and_is_kept_by_save(web: Web, drifted: Screen) -> None:
    drifted.set(f"remap-{drifted.rule('status')}", "$['data']['state']").press("remap")
    assert "The new structure is accepted." in drifted.text and "3 rows read from a new place." in drifted.text
    assert drifted.rules()["name"] == "$['data']['buyer']['name']"
    with web.house.state() as state:
        assert state.drift is not None, "nothing is done before Save"
    drifted.press("save")
    with web.house.state() as state:
        assert state.drift is None
    attributes = web.house.execute().json
    assert attributes["attributes"]["name"] == "Ada Lovelace" and attributes["attributes"]["status"] == "new"
    assert attributes["structure_changed"] is False and TITLE not in drifted.text


def test_save_as_a_fragment_takes_the_banner_away(drifted: Screen) -> None:
    saved = drifted.press("remap").fragment("save")
    assert saved.status_code == 200 and 'id="drift-banner"' in saved.text
    assert TITLE not in saved.text and "accepted" not in saved.text.split('id="drift-banner"')[1].split("</div>")[0]


def test_a_likely_place_is_chosen_and_said_to_be_no_more_than_likely(saved: Screen, api: ThirdParty) -> None:
    api.answers = [answer(200, {"data": {**without("status"), "state": "shipped"}})]
    saved.press("test")
    assert saved.get(f"remap-{saved.rule('status')}") == "$['data']['state']"
    assert "Likely, not certain: have a look before you accept." in saved.text
    assert saved.press("remap").rules()["status"] == "$['data']['state']"
    assert "nothing any more" not in saved.text


def without(name: str) -> dict[str, object]:
    return {key: value for key, value in ORDER["data"].items() if key != name}


def test_rows_that_will_find_nothing_are_named_before_and_after_accepting(drifted: Screen) -> None:
    assert "Left as it is, 1 row finds nothing any more: status ." in drifted.text
    told = drifted.move("remap")
    assert "2 rows read from a new place. 1 row finds nothing any more: status. Save" in told.headers["HX-Trigger"]
    drifted.press("remap")
    assert "2 rows read from a new place. 1 row finds nothing any more: status. Save" in drifted.text


def test_accepting_alone_names_them_too(drifted: Screen) -> None:
    told = drifted.move("accept").headers["HX-Trigger"]
    assert "The new structure is accepted. 3 rows find nothing any more: status, name, email. Save to keep it." in told


def test_nothing_moved_is_not_said_to_read_from_a_new_place(drifted: Screen) -> None:
    for row in drifted.all("rule"):
        drifted.set(f"remap-{row}", "") if drifted.get(f"remap-{row}") else None
    assert "from a new place" not in drifted.move("remap").headers["HX-Trigger"]


def test_what_the_last_good_answer_left_missing_stays_on_the_step_and_in_the_list(
    web: Web, drifted: Screen, api: ThirdParty
) -> None:
    drifted.press("remap").press("save")
    bob = web.as_("bob")
    assert "1 missing" in drifted.text and "The last good answer had nothing for: status ." in drifted.text
    assert "1 missing" in bob.get("/steps").text and "Structure changed" not in bob.get("/steps").text
    api.answers = [answer(500, {"error": "down"})]
    web.house.execute()
    assert "1 missing" in bob.get("/steps").text, "a failed answer says nothing of it"
    screen = open_step(bob)
    screen.set(f"rule-{screen.rule('status')}-source", "$['data']['state']").press("save")
    assert "1 missing" not in bob.get("/steps").text + screen.text, "the row that found nothing is another one now"
    api.answers = [answer(200, CHANGED)]
    assert web.house.execute().json["missing"] == []
    assert "missing" not in bob.get("/steps").text


def test_undo_gives_the_old_places_back(drifted: Screen) -> None:
    before = drifted.rules()
    drifted.press("remap").press("undo")
    assert drifted.rules() == before and TITLE in drifted.text and "Re-map & accept" in drifted.text


def test_the_new_structure_can_be_accepted_without_moving_anything(web: Web, drifted: Screen) -> None:
    before = drifted.rules()
    drifted.press("accept").press("save")
    assert drifted.rules() == before and TITLE not in drifted.text
    assert web.house.execute().json["structure_changed"] is False


def test_a_test_after_accepting_compares_with_what_was_accepted(drifted: Screen) -> None:
    drifted.press("accept").press("test")
    assert TITLE not in drifted.text


def test_keep_old_reminds_when_the_step_is_opened_again(web: Web, drifted: Screen) -> None:
    drifted.press("keep")
    assert "The old mapping stays in force." in drifted.text and "Re-map & accept" not in drifted.text
    assert "Re-map & accept" in open_step(web.as_("bob")).text


def test_a_step_marked_by_bot_calls_shows_the_banner_and_can_be_remapped(
    web: Web, saved: Screen, api: ThirdParty
) -> None:
    api.answers = [answer(200, CHANGED)]
    for _ in range(3):
        assert web.house.execute().json["structure_changed"] is True
    bob = web.as_("bob")
    assert "Structure changed" in bob.get("/steps").text
    screen = open_step(bob)
    assert TITLE in screen.text
    screen.press("remap").press("save")
    assert web.house.execute().json["attributes"]["name"] == "Ada Lovelace"


def test_one_good_test_takes_the_mark_away(web: Web, drifted: Screen, api: ThirdParty) -> None:
    assert "Structure changed" in web.as_("bob").get("/steps").text
    api.answers = [answer(200, ORDER)]
    screen = open_step(web.as_("bob")).set("value:order.id", "42")
    assert TITLE in screen.text and "Re-map" not in screen.press("test").text
    assert "Re-map" not in open_step(web.as_("bob")).text
    assert "Structure changed" not in web.as_("bob").get("/steps").text


def test_a_test_of_another_request_leaves_the_mark(web: Web, drifted: Screen, api: ThirdParty) -> None:
    api.answers = [answer(200, ORDER)]
    screen = open_step(web.as_("bob")).set("value:order.id", "42")
    screen.fill(url="https://old.example/orders/{{order.id}}").press("test")
    assert "Re-map" in open_step(web.as_("bob")).text


def test_a_test_is_judged_by_what_is_in_force_not_by_what_the_form_holds(
    web: Web, drifted: Screen, api: ThirdParty
) -> None:
    drifted.press("accept").press("test")
    assert TITLE not in drifted.text
    assert "Re-map" in open_step(web.as_("bob")).text, "nothing was saved: the bot is still told of the change"
    api.answers = [answer(200, ORDER)]
    assert TITLE in drifted.press("test").text, "the form holds the new structure, from which the old answer differs"
    assert "Re-map" not in open_step(web.as_("bob")).text, "for the bot the old answer is the usual one"


def test_one_odd_answer_shows_no_banner(web: Web, saved: Screen, api: ThirdParty) -> None:
    api.answers = [answer(200, CHANGED)]
    web.house.execute()
    screen = open_step(web.as_("bob"))
    assert "Re-map" not in screen.text and "Structure changed" in screen.text, "the log says it, the step does not"


def test_the_banner_has_an_address_of_its_own(web: Web, drifted: Screen) -> None:
    banner = web.as_("vera").get("/steps/1/drift")
    assert banner.status_code == 200 and TITLE in banner.text and "Re-map" not in banner.text


def test_a_draft_drifts_against_its_own_first_answer(web: Web, api: ThirdParty) -> None:
    screen = new_step(web.as_("bob")).press("test")
    api.answers = [answer(200, CHANGED)]
    assert TITLE in screen.press("test").text
    screen.press("remap").press("save")
    assert screen.rules()["name"] == "$['data']['buyer']['name']"
    assert web.house.execute().json["structure_changed"] is False


def test_an_answer_gone_from_the_logs_still_tells_what_changed(web: Web, drifted: Screen, api: ThirdParty) -> None:
    api.answers = [answer(500, {})]
    limit(web, 100)
    for _ in range(20):
        web.house.execute()
    screen = open_step(web.as_("bob"))
    assert TITLE in screen.text and "The new answer is no longer in the logs." in screen.text


def test_a_forged_log_of_another_step_is_not_accepted(web: Web, saved: Screen) -> None:
    other = new_step(web.as_("bob"), name="Other").press("test")
    saved.set("accepted_log", other.get("tested_log")).press("save")
    with web.house.state() as state:
        assert state.drift is None and state.structure is not None
    assert saved.status == 200


def test_of_very_many_differences_the_first_are_shown_and_the_others_counted(web: Web, api: ThirdParty) -> None:
    api.answers = [answer(200, {"shop": {f"old{number}": 1 for number in range(1500)}, "id": 1})]
    screen = new_step(web.as_("bob")).press("test").press("save").set("value:order.id", "42")
    api.answers = [answer(200, {"shop": {f"new{number}": 1 for number in range(1300)}, "id": 1})]
    told = screen.press("test")
    assert "1,300 new fields" in told.text and "and 1,100 more" in told.text and "and 1,300 more" in told.text
    assert told.html.count('class="mark-out"') <= 200 and told.html.count('class="mark-in"') == 200
    accepted = told.press("accept").press("save")
    assert "1,300 new, 1,500 gone" in accepted.text and "and 2,400 more" in accepted.text


def test_every_row_says_what_it_was_and_why_none_is_chosen(drifted: Screen) -> None:
    assert "None is chosen: " in drifted.text
    assert "status was at data › status Old value shipped" in drifted.text.replace("“", "").replace('"', "")
    assert """title="$['data']['status']">data › status</code>""" in html.unescape(drifted.html)
    assert re.search(r"""title="\$\['data'\]\['state'\]"[^>]*>data › state = """, html.unescape(drifted.html))


def test_the_kept_answer_to_the_same_values_is_compared_and_else_they_can_be_asked_again(
    web: Web, saved: Screen, api: ThirdParty
) -> None:
    api.answers = [answer(200, CHANGED)]
    other = saved.set("value:order.id", "43").press("test")
    assert "Compare with the same values" in other.text, "the older answers were to another order.id"
    same = other.set("value:order.id", "42").press("test")
    assert "Compare with the same values" not in same.text
