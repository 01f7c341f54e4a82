"""The rows of the mapping: made by the first answer, changed on the screen, kept by Save."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Web
from tests.web.screen import ORDER, Screen, new_step, open_step, web_with

SQLITE_ONLY = "the mapping is form state"


@pytest.fixture
def api() -> ThirdParty:
    return ThirdParty(answer(200, ORDER))


@pytest.fixture
def web(make_house: Callable[..., House], api: ThirdParty) -> Web:
    return web_with(make_house, api)


@pytest.fixture
def screen(web: Web) -> Screen:
    """A new step after its first test."""
    return new_step(web.as_("bob")).press("test")


def stored(web: Web) -> list[dict[str, Any]]:
    return list(web.house.call("GET", "/steps/order-status").json["mapping"])


def test_every_value_of_a_first_answer_gets_a_row(screen: Screen) -> None:
    assert screen.rules() == {
        "id": "$['data']['id']",
        "status": "$['data']['status']",
        "name": "$['data']['customer']['name']",
        "email": "$['data']['customer']['email']",
        "items": "$['data']['items']",
        "sku": "$['data']['items'][0]['sku']",
    }
    assert screen.get("mapping_set") == "1" and screen.get("accepted_log") == screen.get("tested_log") != ""
    assert "4711" in screen.text and "All 6 values are ticked." in screen.text


def test_what_was_renamed_switched_off_and_removed_is_saved_so(web: Web, screen: Screen) -> None:
    screen.set(f"rule-{screen.rule('id')}-attribute", "order_id")
    screen.set(f"rule-{screen.rule('name')}-on", None)
    screen.press(f"remove_rule:{screen.rule('items')}").press("save")
    assert [(rule["attribute"], rule["on"]) for rule in stored(web)] == [
        ("order_id", True), ("status", True), ("name", False), ("email", True), ("sku", True)
    ]  # fmt: skip
    assert web.house.execute().json["attributes"] == {
        "order_id": 4711, "status": "shipped", "email": "ada@shop.example", "sku": "A-1"
    }  # fmt: skip


def test_a_second_test_never_maps_by_itself_again(screen: Screen) -> None:
    for row in screen.all("rule"):
        screen.press(f"remove_rule:{row}")
    assert screen.press("test").rules() == {}
    assert "Nothing of the answer goes to your bot." in screen.text


def test_an_empty_mapping_is_a_mapping(web: Web, screen: Screen) -> None:
    for row in screen.all("rule"):
        screen.press(f"remove_rule:{row}")
    screen.press("save")
    assert stored(web) == []


def test_a_value_is_mapped_from_the_tree_once(screen: Screen) -> None:
    screen.press(f"remove_rule:{screen.rule('status')}")
    screen.press("map:$['data']['status']").press("map:$['data']['status']")
    assert list(screen.rules().values()).count("$['data']['status']") == 1
    assert "status" in screen.rules() and "“shipped”" not in screen.text and '"shipped"' in screen.text


def test_a_list_is_mapped_as_a_whole_or_in_parts(web: Web, screen: Screen) -> None:
    row = screen.rule("sku")
    for take, value in (("all", ["A-1", "B-2"]), ("last", "B-2"), ("count", 2), ("one", "A-1")):
        screen.set(f"rule-{row}-take", take).press("test").press("save")
        assert web.house.execute().json["attributes"]["sku"] == value, take


def test_first_sets_the_index_back(screen: Screen) -> None:
    row = screen.rule("sku")
    screen.set(f"rule-{row}-source", "$['data']['items'][1]['sku']").set(f"rule-{row}-take", "first").press(
        "add_header"
    )
    assert screen.rules()["sku"] == "$['data']['items'][0]['sku']" and screen.get(f"rule-{row}-take") == "one"


def test_facts_of_the_call_can_be_mapped(web: Web, screen: Screen) -> None:
    screen.press("add_rule:status").press("add_rule:header:")
    screen.set(f"rule-{screen.rule('')}-source", "header:Content-Type")
    screen.set(f"rule-{screen.rule('')}-attribute", "kind").press("save")
    attributes = web.house.execute().json["attributes"]
    assert (attributes["http_status"], attributes["kind"]) == (200, "application/json")


def test_a_query_can_be_typed_as_a_source(web: Web, screen: Screen) -> None:
    screen.press("add_rule")
    row = screen.rule("")
    screen.set(f"rule-{row}-source", "$.data.items[?@.sku=='B-2'].sku").set(f"rule-{row}-attribute", "second").press(
        "save"
    )
    assert web.house.execute().json["attributes"]["second"] == "B-2"


@pytest.mark.parametrize(
    ("member", "typed", "sentence"),
    [
        ("attribute", "no good", "An attribute's name begins with a letter"),
        ("attribute", "secret.x", "are kept for secrets"),
        ("attribute", "status", "is already filled by row"),
        ("source", "$.data[", "The query is not right"),
        ("source", "weather", "“call” must be one of"),
        ("source", "", "Say where in the answer the value is"),
    ],
)
def test_a_row_that_is_not_right_has_a_sentence(screen: Screen, member: str, typed: str, sentence: str) -> None:
    row = screen.rule("sku")
    screen.set(f"rule-{row}-{member}", typed).press("save")
    assert screen.status == 422 and sentence in screen.text
    assert screen.get(f"rule-{row}-{member}") == typed


@pytest.mark.parametrize(("typed", "kept"), [("none", "none"), ("0", 0), ("null", None), ('"0"', "0"), ('""', "")])
def test_a_default_is_json_where_it_is_written_as_json(web: Web, screen: Screen, typed: str, kept: Any) -> None:
    row = screen.rule("sku")
    screen.set(f"rule-{row}-default", typed).press("save")
    assert next(rule for rule in stored(web) if rule["attribute"] == "sku")["default"] == kept
    assert screen.get(f"rule-{screen.rule('sku')}-default") == typed


def test_the_rows_a_bots_call_made_are_shown_and_become_the_editors_by_save(web: Web) -> None:
    web.house.put(document())
    web.house.execute()
    screen = open_step(web.as_("bob"))
    assert "status" in screen.rules() and "mapping" in web.house.call("GET", "/steps/order-status").json
    screen.set(f"rule-{screen.rule('status')}-attribute", "order_status").press("save")
    assert "order_status" in web.house.execute().json["attributes"]


def test_a_pasted_sample_is_a_tree_to_map_from(web: Web) -> None:
    screen = new_step(web.as_("bob")).fill(sample='{"order": {"state": "open"}}').press("sample")
    assert "The pasted sample." in screen.text
    screen.press("map:$['order']['state']")
    assert screen.rules() == {"state": "$['order']['state']"} and '"open"' in screen.text
    assert screen.press("map_all").rules() == {"state": "$['order']['state']"}


def test_a_sample_that_is_no_json_says_where(web: Web) -> None:
    screen = new_step(web.as_("bob")).fill(sample='{"a": }')
    fragment = screen.move("sample")
    assert (fragment.status_code, fragment.headers["HX-Retarget"]) == (422, "#map-sample")
    assert '<details class="disclosure map-sample" id="map-sample" open' in fragment.text
    assert 'aria-invalid="true"' in fragment.text and "This is not valid JSON: at line 1" in fragment.text
    assert "This is not valid JSON: at line 1" in screen.press("sample").text
    assert screen.get("sample") == '{"a": }'


def test_one_value_is_told_in_the_singular(make_house: Callable[..., House]) -> None:
    web = web_with(make_house, ThirdParty(answer(200, {"id": 1})))
    text = new_step(web.as_("bob")).press("test").text
    assert "1 value is ticked." in text


def test_a_fault_calls_the_rows_of_the_mapping_rows(screen: Screen) -> None:
    first, second = screen.all("rule")[:2]
    screen.set(f"rule-{second}-attribute", screen.get(f"rule-{first}-attribute")).press("save")
    assert "is already filled by row 1." in screen.text and "rule 1" not in screen.text


def test_a_row_as_a_fragment(screen: Screen) -> None:
    row = screen.move('map:["data","items",1,"sku"]')
    assert row.status_code == 200 and "sku_2" in row.text
    assert row.text.lstrip().startswith('<section class="section" id="mapping"')
    assert "id_2" not in screen.move('map:["data","id"]').text


def test_objects_whose_names_are_data_are_kept(web: Web, screen: Screen) -> None:
    screen.fill(dictionaries="$['data']['rates']\n$.items[*].rates").press("save")
    assert web.house.call("GET", "/steps/order-status").json["dictionaries"] == [
        ["data", "rates"],
        ["items", "*", "rates"],
    ]
    assert screen.get("dictionaries") == "$['data']['rates']\n$['items'][*]['rates']"
    assert screen.fill(dictionaries="rates").press("save").status == 422


def test_a_hundred_values_are_mapped_and_a_large_answer_is_opened_level_by_level(
    make_house: Callable[..., House],
) -> None:
    rows = [{"id": number, "name": f"n{number}"} for number in range(600)]
    web = web_with(make_house, ThirdParty(answer(200, {"rows": rows, **{f"f{n}": n for n in range(120)}})))
    screen = new_step(web.as_("bob")).press("test")
    assert len(screen.all("rule")) == 100
    assert 'hx-trigger="toggle once"' in screen.html
    log = screen.get("tested_log")
    branch = screen.browser.get(f"/steps/new/tree?log={log}&path=" + json.dumps(["rows"]))
    assert branch.status_code == 200 and "500 more are not shown" in branch.text
    assert screen.browser.get(f"/steps/new/tree?log={log}&path=" + json.dumps(["rows", "x"])).status_code == 404


def test_an_answer_too_large_for_the_log_is_mapped_while_it_is_on_the_screen(make_house: Callable[..., House]) -> None:
    web = web_with(make_house, ThirdParty(answer(200, {"text": "x" * 70_000, "id": 7})))
    screen = new_step(web.as_("bob")).press("test")
    assert "larger than what a log keeps" in screen.text and "id" in screen.rules()


# ---------------------------------------------------------------- the answer of a failed call


@pytest.fixture
def failed(screen: Screen, api: ThirdParty) -> Screen:
    """The saved step after a test whose answer was a 500 with JSON."""
    screen.press("save").set("value:order.id", "42")
    api.answers = [answer(500, {"error": {"code": "E1"}, "n": 1})]
    return screen.press("test")


def test_a_failed_answer_leaves_the_rows_as_they_were(failed: Screen) -> None:
    assert "500 Internal Server Error" in failed.text
    assert "not in the answer" not in failed.text and "nothing at $" not in failed.text
    assert '"shipped"' in failed.text, "what the accepted answer gives"
    assert "There was no JSON answer" not in failed.text
    assert "missing The call failed, so nothing was mapped." in failed.text


def test_a_row_about_the_call_shows_what_the_failed_call_gave(failed: Screen) -> None:
    failed.press("add_rule:status")
    assert re.search(r"http_status.*?500", failed.html.split('id="mapping"')[1], re.S)


def test_nothing_is_mapped_on_a_failed_answer(failed: Screen) -> None:
    assert "E1" in failed.text, "it is shown"
    assert 'value="map_all"' not in failed.html and 'value="map:' not in failed.html
    assert "nothing of this answer goes to your bot" in failed.text
    before = failed.rules()
    assert failed.press("map_all").rules() == before


def test_a_refusal_that_may_be_a_good_answer_says_how_to_make_it_one(screen: Screen, api: ThirdParty) -> None:
    sentence = "is a good answer for you, add it to “Statuses that count as success”, under Options."
    for status in (404, 500):
        api.answers = [answer(status, {"error": "none"})]
        assert (sentence in screen.press("test").text) is (status == 404)


def test_a_branch_of_a_large_failed_answer_offers_no_mapping(make_house: Callable[..., House]) -> None:
    large = {"data": [{"n": n} for n in range(600)]}
    web = web_with(make_house, ThirdParty(answer(500, large), answer(200, large)))
    screen = new_step(web.as_("bob"))
    for offered in (False, True):
        log = screen.press("test").get("tested_log")
        branch = screen.browser.get(f"/steps/new/tree?log={log}&path=[%22data%22]").text
        assert ("+ map" in branch) is offered and "599" not in branch.split("<ul")[0]


def test_a_tests_log_says_what_the_bot_would_be_told(failed: Screen) -> None:
    test_log = failed.browser.get("/steps/1/logs/2").text
    assert "The bot would be told" in test_log and "The bot was told" not in test_log
    failed.browser.house.execute()
    assert "The bot was told" in failed.browser.get("/steps/1/logs/3").text


def test_a_name_with_the_key_in_front_says_why_and_whose_it_is(web: Web, screen: Screen) -> None:
    """Of one name and of many, by the automatic mapping and by + map, as long as it stands there."""
    screen.press("save")
    second = new_step(web.as_("bob")).set("name", "Order by phone").press("test")
    why = "so “order-by-phone_” stands in front here: your bot can use both. To change one, type another name."
    assert second.text.count(f"“id”, “status”, “name” and 3 more come from the step “Order status” already, {why}") == 2
    for attribute in ("id", "name", "email", "items", "sku"):
        second.press(f"remove_rule:{second.rule(f'order-by-phone_{attribute}')}")
    one = "“status” comes from the step “Order status” already, so it is “order-by-phone_status” here: your bot can use"
    assert one in second.text
    second.set(f"rule-{second.rule('order-by-phone_status')}-attribute", "state").press("add_rule")
    assert "already, so" not in second.text
    web.as_("bob").post("/attributes/name/edit", {"name": "name", "in_bot": "on"})
    second.press("map:$['data']['customer']['name']").press("map:$['data']['id']")
    assert "“name”, “id” come from your bot or the step “Order status” already" in second.text
