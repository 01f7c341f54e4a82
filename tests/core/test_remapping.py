"""After drift: what surely moved is moved, nothing is ever moved to a wrong place, the rest gets ranked candidates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path as File
from typing import Any

import pytest

from benchmarks import api_changes
from httpstep.core.drift.remapping import Move, candidates, remap
from httpstep.core.jsontext import Path, loads
from httpstep.core.step.spec import MappingRule
from tests.core.drifting import drifted
from tests.core.timing import within


def moved(before: str | None, after: str, *paths: Path) -> list[Path | None]:
    """Where rules with these paths read afterwards; None: broken and left to the editor."""
    rules = [MappingRule(attribute=f"a{number}", path=path) for number, path in enumerate(paths)]
    result, moves = remap(rules, None if before is None else loads(before), loads(after))
    broken = {move.index for move in moves if move.path is None}
    assert [rule.attribute for rule in result] == [rule.attribute for rule in rules]
    return [None if index in broken else rule.path for index, rule in enumerate(result)]


def test_of_300_drifted_answers_95_in_100_keep_what_is_beyond_doubt_and_none_is_mapped_wrong() -> None:
    wrong: list[tuple[int, Move]] = []
    failed, sure_rules, kept_rules, placed_first, left = 0, 0, 0, 0, 0
    for seed in range(300):
        change = drifted(seed)
        rules = [MappingRule(attribute=f"a{number}", path=path) for number, path in enumerate(change.truth)]
        result, moves = remap(rules, change.old, change.new)
        told = {move.index: move for move in moves}
        all_kept = True
        for index, (rule, after) in enumerate(zip(rules, result, strict=True)):
            truth, sure = change.truth[rule.path or ()]
            assert index not in told or told[index].likely in (None, truth)
            if after.path != rule.path and after.path != truth:
                wrong.append((seed, told[index]))
            if truth is not None and sure:
                sure_rules += 1
                kept_rules += after.path == truth
                all_kept = all_kept and after.path == truth
            if truth is not None and truth != rule.path and after.path == rule.path:
                left += 1
                ranked = told[index].candidates
                placed_first += bool(ranked) and ranked[0].path == truth
        failed += not all_kept
    assert wrong == []
    assert failed <= 15, f"{failed} of 300 answers lost a rule that was beyond doubt"
    assert kept_rules >= 0.99 * sure_rules
    assert placed_first >= 0.8 * left


def test_a_rule_that_still_works_is_left_alone() -> None:
    before = '{"id": 1, "status": "open", "items": [{"sku": "A"}], "note": "x"}'
    for after in (
        before,
        '{"id": "1", "status": null, "items": [], "note": "x"}',
        '{"items": null, "status": 5, "id": 2}',
    ):
        assert moved(before, after, ("id",), ("status",), ("items", 0, "sku"), ("items",)) == [
            ("id",),
            ("status",),
            ("items", 0, "sku"),
            ("items",),
        ]


def test_a_wrapped_answer_keeps_every_rule() -> None:
    before = '{"order": {"id": 7, "status": "open"}, "customer": {"id": 8, "name": "Ann"}}'
    after = '{"data": {"order": {"id": 17, "status": "sent"}, "customer": {"id": 18, "name": "Bo"}}}'
    assert moved(before, after, ("order", "id"), ("customer", "id"), ("customer", "name"), ("order",)) == [
        ("data", "order", "id"),
        ("data", "customer", "id"),
        ("data", "customer", "name"),
        ("data", "order"),
    ]


def test_another_spelling_is_the_same_name() -> None:
    before = '{"order_id": 1, "order_status": "open", "total_price": 5}'
    after = '{"orderId": 2, "orderStatus": "sent", "totalPrice": 6}'
    assert moved(before, after, ("order_status",)) == [("orderStatus",)]


def test_a_rule_keeps_its_own_place_in_a_list() -> None:
    before = '{"items": [{"sku": "A", "n": 1}, {"sku": "B", "n": 2}]}'
    after = '{"order": {"items": [{"sku": "A", "n": 1}, {"sku": "B", "n": 2}]}}'
    assert moved(before, after, ("items", 1, "sku"), ("items", 0, "n"), ("items",)) == [
        ("order", "items", 1, "sku"),
        ("order", "items", 0, "n"),
        ("order", "items"),
    ]
    assert moved(before, '{"order": {"items": [{"sku": "A", "n": 1}]}}', ("items", 1, "sku")) == [None]


def test_two_places_that_may_be_meant_are_left_to_the_editor() -> None:
    before = '{"contact": {"phone": "1"}}'
    after = '{"home": {"phone": "2"}, "office": {"phone": "3"}}'
    assert moved(before, after, ("contact", "phone")) == [None]


def test_a_field_of_the_same_name_and_another_meaning_is_not_taken() -> None:
    before = '{"id": 1, "status": "shipped", "total": 5}'
    after = '{"id": 1, "total": 5, "payment": {"status": "captured", "method": "card"}}'
    assert moved(before, after, ("status",)) == [None]


def test_an_equal_value_alone_moves_nothing() -> None:
    before = '{"created_at": "2026-01-01T10:00:00Z", "total": 1249.50, "id": 1}'
    after = '{"updated_at": "2026-01-01T10:00:00Z", "price": 1249.50, "id": 1}'
    assert moved(before, after, ("created_at",), ("total",)) == [None, None]


def test_neighbours_and_value_that_point_to_two_places_move_nothing() -> None:
    before = '{"payment": {"status": "active", "method": "card"}}'
    after = '{"data": {"status": "active", "payment": {"status": "void", "method": "cash"}}}'
    assert moved(before, after, ("payment", "status")) == [None]


def test_a_place_of_which_two_fields_may_have_come_is_not_taken() -> None:
    before = '{"home": {"phone": "1", "fax": "4"}, "office": {"phone": "2", "fax": "5"}}'
    after = '{"contact": {"phone": "3", "fax": "6"}}'
    assert moved(before, after, ("home", "phone"), ("office", "phone")) == [None, None]
    assert moved(before, after, ("home", "phone")) == [None]


def test_one_object_that_became_a_list_of_many_is_not_taken_for_its_first() -> None:
    before = '{"order": {"code": "X1", "state": "open"}}'
    after = '{"orders": [{"code": "Y1", "state": "sent"}, {"code": "Y2", "state": "open"}]}'
    assert moved(before, after, ("order", "code")) == [None]


def test_another_kind_of_value_is_not_taken_and_the_same_one_in_another_type_is() -> None:
    assert moved('{"a": {"total": 5}}', '{"b": {"a": {"total": "five"}}}', ("a", "total")) == [None]
    assert moved('{"a": {"total": 5}}', '{"b": {"a": {"total": "5"}}}', ("a", "total")) == [("b", "a", "total")]


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("12345", '"12345"'),
        ('"2013-12-14T04:35:55Z"', '"Sat, 14 Dec 2013 04:35:55 +0000"'),
        ('"2013-12-14T04:35:55Z"', "1386995755"),
        ('"(02) 9374 4000"', '"+61 2 9374 4000"'),
        ('"http://www.cafe.example"', '"https://cafe.example/"'),
        ('"<p>Solid oak</p>"', '"Solid oak"'),
        ('"Visa"', '"VISA"'),
    ],
)
def test_a_value_is_known_again_in_another_spelling(was: str, now: str) -> None:
    before, after = f'{{"order": {{"made": {was}, "n": 1}}}}', f'{{"d": {{"made_by": 8, "made_for": {now}, "n": 2}}}}'
    (best, *_) = candidates(MappingRule("x", path=("order", "made")), loads(before), loads(after))
    assert best.path == ("d", "made_for") and "in another spelling" in best.reason


def test_a_text_that_became_an_object_or_a_list_is_broken_and_what_is_in_it_is_offered() -> None:
    before = '{"issue": {"key": "A-1", "description": "Main order flow broken"}}'
    after = '{"issue": {"key": "A-1", "description": {"version": 1, "content": [{"text": "Main order flow broken"}]}}}'
    inside: Path = ("issue", "description", "content", 0, "text")
    assert ranked(("issue", "description"), before, after)[0] == inside
    assert likely(before, after, ("issue", "description"), ("issue", "key")) in ([inside], [None])
    assert moved(before, '{"issue": {"key": "A-1", "description": {}}}', ("issue", "description")) == [
        ("issue", "description")
    ], "an empty one says nothing"


def test_an_object_that_became_a_plain_value_is_where_it_was() -> None:
    before = '{"person": {"value": 1101, "name": "Ana"}, "n": 1}'
    assert ranked(("person", "value"), before, '{"person": 1101, "n": 1}')[0] == ("person",)


def test_a_value_of_another_kind_at_its_old_place_is_told_only_with_a_better_place() -> None:
    before = '{"place": {"timezone": 7200, "n": 1}}'
    assert moved(before, '{"place": {"timezone": "Europe/Rome", "n": 1}}', ("place", "timezone")) == [
        ("place", "timezone")
    ]
    after = '{"place": {"timezone": "Europe/Rome", "timezone_offset": 7200, "n": 1}}'
    assert moved(before, after, ("place", "timezone")) == [("place", "timezone_offset")]


def test_what_moved_together_tells_two_of_one_name_apart() -> None:
    before = '{"billing_address": {"city": "Graz", "zip": "8010"}, "shipping_address": {"city": "Wien", "zip": "1010"}}'
    after = '{"billing": {"city": "Bonn", "zip": "53111"}, "shipping": {"city": "Ulm", "zip": "89073"}}'
    rules = [MappingRule("b", path=("billing_address", "city")), MappingRule("s", path=("shipping_address", "city"))]
    moves = remap(rules, loads(before), loads(after))[1]
    assert [move.chosen for move in moves] == [("billing", "city"), ("shipping", "city")]


def test_a_yes_or_no_of_another_name_is_never_chosen() -> None:
    before, after = '{"deleted": false, "id": 77001}', '{"data": {"archived": false, "id": 77001}}'
    (move,) = remap([MappingRule("d", path=("deleted",))], loads(before), loads(after))[1]
    assert move.chosen is None and move.candidates[0].path == ("data", "archived")


@pytest.mark.parametrize(("same", "one_press", "one_choice"), [(True, 0.9, 0.98), (False, 0.75, 0.93)])
def test_of_what_real_apis_changed_nine_in_ten_are_right_and_none_is_chosen_wrong(
    same: bool, one_press: float, one_choice: float
) -> None:
    for file in (api_changes.FILE, File(__file__).with_name("api_changes.json")):
        changes = list(api_changes.changes(file))
        if not same:
            changes = [replace(change, after=api_changes.scrambled(change.after)) for change in changes]
        told = api_changes.score(changes)
        assert told.silent == 0
        assert told.right >= one_press * told.rules and told.with_a_choice >= one_choice


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_of_the_same_changes_backwards_none_is_chosen_wrong(seed: int | None) -> None:
    for file in (api_changes.FILE, File(__file__).with_name("api_changes.json")):
        changes = [api_changes.backwards(change) for change in api_changes.changes(file)]
        if seed is not None:
            changes = [replace(change, after=api_changes.scrambled(change.after, seed)) for change in changes]
        told = api_changes.score(changes)
        assert told.silent == 0
        assert told.right >= (0.9 if seed is None else 0.75) * told.rules and told.with_a_choice >= 0.97


def test_of_a_value_that_is_in_several_places_a_name_half_alike_chooses_none() -> None:
    before = '{"task": {"creator_id": "2671355", "title": "Buy milk", "n": 1}}'
    after = '{"task": {"user_id": "2671355", "added_by_uid": "2671355", "title": "Buy milk", "n": 1}}'
    (move,) = remap([MappingRule("x", path=("task", "creator_id"))], loads(before), loads(after))[1]
    assert move.chosen is None


def test_the_path_of_a_resource_is_not_taken_for_a_name() -> None:
    before = '{"results": [{"name": "Tetsuya", "rating": 4.6, "place_id": "ChIJ2VkJbj2u"}]}'
    after = (
        '{"places": [{"name": "places/ChIJ9", "rating": 4.1, "id": "ChIJ9AbJbj2u", "displayName": {"text": "Quay"}}]}'
    )
    (move,) = remap([MappingRule("n", path=("results", 0, "name"))], loads(before), loads(after))[1]
    assert move.chosen is None and ("places", 0, "displayName", "text") in [one.path for one in move.candidates]


@pytest.mark.parametrize(
    ("before", "after", "was", "now"),
    [
        (
            '{"repo": {"id": 5, "last_updated": "2026-05-06"}}',
            '{"repo": {"id": 6, "updated_on": "2027-01-02"}}',
            ("repo", "last_updated"),
            ("repo", "updated_on"),
        ),
        (
            '{"day": {"temperatureHigh": 20.5, "humidity": 5}}',
            '{"day": {"temperatureMax": 22.5, "temperatureMin": 2.5, "humidity": 6}}',
            ("day", "temperatureHigh"),
            ("day", "temperatureMax"),
        ),
        (
            '{"post": {"title": "A day", "slug": "x"}}',
            '{"post": {"title": {"rendered": "Two days", "protected": false}, "slug": "y"}}',
            ("post", "title"),
            ("post", "title", "rendered"),
        ),
        (
            '{"space": {"id": 1234567, "key": "D"}, "title": "x"}',
            '{"spaceId": "7654321", "parentId": "3333333", "title": "y"}',
            ("space", "id"),
            ("spaceId",),
        ),
    ],
)
def test_a_name_in_other_words_or_joined_with_the_one_around_it_is_chosen(
    before: str, after: str, was: Path, now: Path
) -> None:
    (move,) = remap([MappingRule("x", path=was)], loads(before), loads(after))[1]
    assert move.chosen == now


def test_without_the_old_answer_only_a_longer_tail_is_moved() -> None:
    after = '{"data": {"order": {"status": "x"}, "id": 1}}'
    assert moved(None, after, ("order", "status"), ("id",)) == [("data", "order", "status"), None]


def test_rules_keep_all_but_their_path() -> None:
    rule = MappingRule("s", path=("order", "status"), take="one", convert="text", default="?", on=False)
    (after,), (move,) = remap(
        [rule], loads('{"order": {"status": "a", "n": 1}}'), loads('{"d": {"order": {"status": "b", "n": 2}}}')
    )
    assert after == MappingRule("s", path=("d", "order", "status"), take="one", convert="text", default="?", on=False)
    assert move.path == ("d", "order", "status")
    assert move.reason == "same name, same neighbours, same type"


def test_a_query_for_one_place_is_moved_and_any_other_is_left() -> None:
    before, after = loads('{"order": {"status": "a", "n": [1]}}'), loads('{"d": {"order": {"status": "b", "n": [1]}}}')
    rules = [
        MappingRule("a", jsonpath="$.order.status"),
        MappingRule("b", jsonpath="$.order.n[?@>0]"),
        MappingRule("c", jsonpath="$..status"),
        MappingRule("d", call="status"),
        MappingRule("e", jsonpath="$["),
    ]
    result, moves = remap(rules, before, after)
    assert result[0] == MappingRule("a", path=("d", "order", "status"))
    assert result[1:] == tuple(rules[1:])
    assert [(move.index, move.path) for move in moves] == [(0, ("d", "order", "status")), (1, None)]


def ranked(rule_path: Path, before: str | None, after: str) -> list[Path]:
    rule = MappingRule("x", path=rule_path)
    found = candidates(rule, None if before is None else loads(before), loads(after))
    assert [candidate.score for candidate in found] == sorted((candidate.score for candidate in found), reverse=True)
    assert all(0 < candidate.score <= 1 and candidate.reason for candidate in found)
    return [candidate.path for candidate in found]


def likely(before: str, after: str, *paths: Path) -> list[Path | None]:
    """What is chosen beforehand for rules that are left to the editor."""
    rules = [MappingRule(attribute=f"a{number}", path=path) for number, path in enumerate(paths)]
    return [move.likely for move in remap(rules, loads(before), loads(after))[1]]


def test_a_lone_place_with_value_neighbours_and_something_of_the_name_is_likely_and_not_moved_to() -> None:
    before = '{"order": {"id": 42, "status": "shipped", "total": 19.5}, "customer": {"name": "Ana", "email": "a@b"}}'
    after = '{"order": {"id": 42, "state": "shipped", "total": 19.5}, "carrier": {"name": "DHL", "code": 7}}'
    paths: list[Path] = [("order", "status"), ("customer", "name"), ("customer", "email")]
    assert moved(before, after, *paths) == [None, None, None]
    assert likely(before, after, *paths) == [("order", "state"), None, None]


def test_of_two_places_that_look_alike_and_for_an_equal_value_alone_none_is_likely() -> None:
    two = '{"id": 1, "state": "shipped", "stage": "shipped", "n": 3}'
    assert likely('{"id": 1, "status": "shipped", "n": 3}', two, ("status",)) == [None]
    equal = '{"id": 1, "checked_against": "shipped", "n": 3}'
    assert likely('{"id": 1, "status": "shipped", "n": 3}', equal, ("status",)) == [None]


def test_one_place_is_never_likely_for_two_rules() -> None:
    before = '{"id": 1, "status": "shipped", "stat": "shipped", "n": 3}'
    assert likely(before, '{"id": 1, "state": "shipped", "n": 3}', ("status",), ("stat",)) == [None, None]


def test_candidates_are_ranked_by_name_type_neighbours_and_value() -> None:
    before = '{"order": {"status": "shipped", "number": "SO-1", "total": 5}}'
    after = (
        '{"order": {"order_status": "shipped", "number": "SO-1", "total": 5, "state": "shipped", "colour": "red"},'
        ' "payment": {"status": 7}}'
    )
    assert ranked(("order", "status"), before, after)[:2] == [("order", "order_status"), ("order", "state")]
    assert ("order", "colour") not in ranked(("order", "status"), before, after)[:2]


def test_a_candidate_says_why_in_a_few_words() -> None:
    best = candidates(
        MappingRule("x", path=("order", "status")),
        loads('{"order": {"status": "shipped", "id": 1}}'),
        loads('{"order": {"order_status": "shipped", "id": 1}}'),
    )[0]
    assert best.reason == "similar name, same value, same neighbours, same type"


def test_candidates_without_the_old_answer_go_by_the_name() -> None:
    assert ranked(("status",), None, '{"result": {"status": "x", "id": 5}}')[0] == ("result", "status")
    assert ranked(("a",), None, "5") == []


def test_candidates_are_new_places_only() -> None:
    assert ranked(("status",), '{"status": "x", "other": "x"}', '{"other": "x"}') == []


def test_large_answers_are_compared_in_bounded_time() -> None:
    def large(wrap: bool) -> Any:
        inner = {f"group{number}": {"id": number, "name": f"n{number}", "value": number} for number in range(6000)}
        return {"data": inner} if wrap else inner

    rules = [MappingRule(f"a{number}", path=(f"group{number}", "name")) for number in range(100)]
    before, after = large(False), large(True)
    assert within(4, lambda: remap(rules, before, after))
