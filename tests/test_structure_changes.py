"""Automatic mapping by a bot call, and drift: said at once, marked after three in a row, never a failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from httpstep.core import jsontext
from httpstep.core.exchange import HttpResponse
from tests.fakes import ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]
USUAL = answer(200, {"order": {"status": "shipped", "total": 3}})
RENAMED = answer(200, {"order": {"state": "shipped", "total": 3}})
WITHOUT_TOTAL = answer(200, {"order": {"status": "shipped"}})


def test_the_first_answer_makes_the_mapping_once(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(USUAL, RENAMED))
    house.put(document())
    assert house.execute().json["attributes"] == {"status": "shipped", "total": 3}
    second = house.execute().json
    assert (second["attributes"], second["missing"]) == ({"total": 3}, ["status"])
    assert (second["structure_changed"], second["outcome"], second["next"]) == (True, "success", "continue")


def test_a_failed_answer_does_not_use_up_the_once(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(401, {"error": "no"}), USUAL))
    house.put(document())
    assert house.execute().json["attributes"] == {}
    assert house.execute().json["attributes"] == {"status": "shipped", "total": 3}


@pytest.mark.sqlite_only("structures are compared above the database")
def test_an_empty_mapping_counts_as_set(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(USUAL))
    house.put(document(mapping=[]))
    assert house.execute().json["attributes"] == {}


@pytest.mark.sqlite_only("structures are compared above the database")
def test_a_name_that_another_step_gives_gets_the_steps_key_in_front(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(USUAL))
    house.put(document("first"))
    house.put(document("second"))
    assert set(house.execute("first").json["attributes"]) == {"status", "total"}
    assert set(house.execute("second").json["attributes"]) == {"second_status", "second_total"}


def test_the_automatic_mapping_is_no_edit(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(USUAL))
    before = house.put(document()).headers["ETag"]
    house.execute()
    response = house.call("GET", "/steps/order-status")
    assert response.headers["ETag"] == before
    assert [rule["attribute"] for rule in response.json["mapping"]] == ["status", "total"]


def test_one_odd_answer_marks_its_log_and_not_the_step(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(USUAL, RENAMED, USUAL))
    house.put(document())
    for _ in range(3):
        house.execute()
    assert [row["structure_changed"] for row in house.logs()] == [False, True, False]
    with house.state() as state:
        assert state.drift is None


def test_three_in_a_row_mark_the_step(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(USUAL, RENAMED))
    house.put(document())
    for _ in range(3):
        house.execute()
    with house.state() as state:
        assert state.drift is None
    house.execute()
    with house.state() as state:
        drift = jsontext.loads(state.drift or "null")
    assert [change["text"] for change in drift["missing"]] == ["$['order']['status']"]
    assert [change["text"] for change in drift["new"]] == ["$['order']['state']"]
    assert drift["missing"][0]["mapped"] is True


RETYPED = answer(200, {"order": {"status": 7, "total": 3}})


def _marked(house: House) -> bool:
    with house.state() as state:
        return state.drift is not None


def _after(house: House, third_party: ThirdParty, *answers: HttpResponse) -> list[bool]:
    """Whether the step is marked after each of these answers to the bot."""
    found = []
    for one in answers:
        third_party.answers = [one]
        house.execute()
        found.append(_marked(house))
    return found


def test_three_usual_answers_in_a_row_take_the_mark_away(make_house: MakeHouse) -> None:
    api = ThirdParty(USUAL)
    house = make_house(api)
    house.limit(100)
    house.put(document())
    assert _after(house, api, USUAL, RETYPED, RETYPED, RETYPED) == [False, False, False, True]
    assert _after(house, api, USUAL, USUAL, USUAL, USUAL) == [True, True, False, False]
    with house.state() as state:
        assert (state.drift_at, state.drift_log_id, state.odd, state.odd_streak) == (None, None, None, 0)
    assert _after(house, api, RETYPED, RETYPED, RETYPED) == [False, False, False], "it was seen to go back"
    flag = answer(200, {"order": {"status": True, "total": 3}})
    assert _after(house, api, flag, flag, flag) == [False, False, True], "and is marked anew like the first time"


@pytest.mark.sqlite_only("structures are compared above the database")
def test_an_api_that_alternates_is_told_once(make_house: MakeHouse) -> None:
    api = ThirdParty(USUAL)
    house = make_house(api)
    house.limit(100)
    house.put(document())
    assert not any(_after(house, api, USUAL, *[RETYPED, USUAL] * 4)), "never three in a row"
    assert [row["structure_changed"] for row in house.logs()].count(True) == 1


# ---------------------------------------------------------------- what varies

SEQUENCES: dict[str, tuple[list[Any], str]] = {
    "an empty list of PHP for an object": ([{"a": 1, "meta": {"page": 1}}, {"a": 1, "meta": []}] * 2, "...."),
    "an object after an empty list": ([{"a": 1, "meta": []}, {"a": 1, "meta": {"page": 2}}, {"a": 1, "meta": []}], "..."),
    "an empty list for the whole": ([{"id": 1, "name": "x"}, [], {"id": 2, "name": "y"}], "..."),
    "false for no object": ([{"a": 1, "u": {"n": "x"}}, {"a": 1, "u": False}, {"a": 1, "u": {"n": "y"}}, {"a": 1, "u": False}], ".!.."),
    "a number or a text": ([{"q": 3}, {"q": "3"}, {"q": 3}, {"q": "4"}, {"q": 3}], ".!..."),
    "one or the other or both": ([{"photo": 1}, {"video": 1}, {"photo": 1, "video": 1}, {"video": 1}], ".!.."),
    "behind an empty list": ([{"l": [], "k": 1}, {"l": [{"n": 1}], "k": 1}, {"l": [{"n": 2}], "k": 1}, {"l": [{"number": 3}], "k": 1}], "...!"),
    "behind a null": ([{"o": None, "k": 1}, {"o": {"n": 1}, "k": 1}, {"o": {"number": 1}, "k": 1}], "..!"),
    "two that take turns": ([{"p": 1, "q": 1}, {"q": 1}, {"p": 1}, {"q": 1}, {"p": 1}, {"p": 1, "q": 1}], ".!!..."),
    "a type that is null meanwhile": ([{"q": 3, "r": 1}, {"q": "3", "r": 1}, {"q": None, "r": 1}, {"q": 3, "r": 1}], ".!.."),
    "a change for good": ([{"a": 1}, {"b": 1}, {"b": 1}, {"b": 1}], ".!!!"),
    "days": ([{"days": {f"2026-11-{day}": 3, f"2026-11-{day + 1}": 4}} for day in (10, 11, 12)], "..."),
    "ids": ([{"users": {f"800{number}": {"n": "A"}}} for number in range(3)], "..."),
    "rates": ([{"rates": {"USD": 1.1, code: 2}} for code in ("GBP", "SEK", "NOK")], "..."),
    "ids at the root": ([{f"80{number}": {"n": "A"}} for number in range(3)], "..."),
    "SKUs": ([{"stock": {f"A-{n}": 3, f"B-{n + 1}": 4}} for n in (110, 220, 330)], "..."),
    "host names": ([{"up": {f"{name}.shop.example": True, f"{name}2.shop.example": False}} for name in ("a", "b", "c")], "..."),
    "lower-case codes": ([{"prices": {"usd": 1.1, "eur": 1, code: 2}} for code in ("gbp", "sek", "nok")], "..."),
    "short hashes": ([{"commits": {one: {"n": 1}, two: {"n": 2}}} for one, two in (("634396b", "a6a09eb"), ("99f3c2a", "0b1c2d3"), ("cafe123", "1234abc"))], "..."),
    "SKUs at the root": ([{f"A-{n}": {"n": 3}, f"B-{n + 1}": {"n": 4}} for n in (110, 220, 330)], "..."),
    "months under free names": ([{"sales": {f"2026-{m:02}": {"total": 1, "by": {f"C-{m}": 2, f"D-{m}": 3}}}} for m in (1, 2, 3)], "..."),
    "whole and broken numbers": ([{"p": 1}, {"p": 1.5}, {"p": 2}], "..."),
    "true or a text": ([{"p": True, "k": 1}, {"p": "yes", "k": 1}, {"p": True, "k": 1}, {"p": "no", "k": 1}], ".!.."),
    "a list or one of it": ([{"l": [{"n": 1}], "k": 1}, {"l": {"n": 1}, "k": 1}, {"l": [{"n": 1}, {"n": 2}], "k": 1}, {"l": {"n": 2}, "k": 1}], ".!.."),
    "nothing in several ways, an object without its fields told once": ([{"o": {"n": 1}}, {"o": None}, {"o": []}, {"o": {}}, {"o": {"n": 2}}, {"o": {}}, {"o": []}], "...!..."),
    "an empty list within a list": ([{"l": [{"t": []}]}, {"l": [{"t": [{"n": 1}]}]}, {"l": []}, {"l": [{"t": [{"n": 1}]}, {"t": []}]}], "...."),
    "a field in some items only": ([{"l": [{"a": 1}, {"a": 1, "b": 2}]}, {"l": [{"a": 1}]}, {"l": [{"a": 2, "b": 3}]}], "..."),
    "a text as null, then a number": ([{"a": None, "k": 1}, {"a": "x", "k": 1}, {"a": 5, "k": 1}, {"a": 6, "k": 1}], "..!!"),
    "free names": ([{"shelf": {name: {"n": 1, "p": 2}}} for name in ("oak", "elm", "ash", "yew", "fir")], ".!..."),
}  # fmt: skip


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.sqlite_only("what varies is found above the database")
def test_what_varies_is_told_once_and_a_change_for_good_each_time(make_house: MakeHouse, name: str) -> None:
    answers, expected = SEQUENCES[name]
    house = make_house(ThirdParty(*[answer(200, one) for one in answers]))
    house.limit(100)
    house.put(document())
    told = [house.execute().json["structure_changed"] for _ in answers]
    assert "".join("!" if one else "." for one in told) == expected


@pytest.mark.parametrize("nothing", [[], {}, None, {"orders": [], "next": None}, [{}], {"a": {"b": []}}])
@pytest.mark.sqlite_only("decided above the database")
def test_a_first_answer_that_holds_nothing_does_not_use_up_the_once(make_house: MakeHouse, nothing: Any) -> None:
    house = make_house(ThirdParty(answer(200, nothing), answer(200, [{"id": 1, "st": "x"}])))
    house.put(document())
    first = house.execute().json
    assert (first["outcome"], first["attributes"], first["structure_changed"]) == ("success", {}, False)
    assert house.execute().json["attributes"].keys() == {"answer", "id", "st"}


@pytest.mark.sqlite_only("decided above the database")
def test_an_object_that_is_recognised_as_a_dictionary_gets_one_rule(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(200, {"base": "EUR", "rates": {"USD": 1.1, "SEK": 11}})))
    house.put(document())
    assert house.execute().json["attributes"] == {"base": "EUR", "rates": {"USD": 1.1, "SEK": 11}}


@pytest.mark.sqlite_only("structures are compared above the database")
def test_a_mark_for_a_field_that_comes_and_goes_goes_by_itself(make_house: MakeHouse) -> None:
    api = ThirdParty(USUAL)
    house = make_house(api)
    house.limit(100)
    house.put(document())
    assert _after(house, api, USUAL, WITHOUT_TOTAL, WITHOUT_TOTAL, WITHOUT_TOTAL)[-1]
    assert _after(house, api, USUAL, WITHOUT_TOTAL, USUAL, WITHOUT_TOTAL) == [True, True, False, False]


@pytest.mark.sqlite_only("structures are compared above the database")
def test_a_failed_answer_says_nothing_of_the_structure(make_house: MakeHouse) -> None:
    api = ThirdParty(USUAL)
    house = make_house(api)
    house.limit(100)
    house.put(document())
    _after(house, api, USUAL, RETYPED, RETYPED, RETYPED)
    down = answer(500, {"error": "down"})
    assert _after(house, api, USUAL, USUAL, down, USUAL) == [True, True, True, False]


@pytest.mark.sqlite_only("structures are compared above the database")
def test_a_field_that_was_seen_to_come_and_go_is_optional_from_then_on(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(USUAL, WITHOUT_TOTAL, USUAL, WITHOUT_TOTAL))
    house.put(document())
    changed = [house.execute().json["structure_changed"] for _ in range(4)]
    assert changed == [False, True, False, False]


@pytest.mark.sqlite_only("structures are compared above the database")
def test_other_values_are_no_drift(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(USUAL, answer(200, {"order": {"total": 4.5, "status": None}})))
    house.put(document())
    house.execute()
    assert house.execute().json["structure_changed"] is False
