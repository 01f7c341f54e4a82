"""What varies is learned: answers of one shape do not alarm once its parts came and went; a real change always does."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from httpstep.core.drift import variation
from httpstep.core.drift.structure import Structure, compare, merge, shape_of
from httpstep.core.jsontext import Json
from httpstep.core.step.execution import Drift

# A part: what it is when it is whole, and how it may be instead. Its name in the shape follows from its number.
VALUES = st.sampled_from([1, "x", True, {"n": 1}, {"n": {"m": "x"}}, [1], [{"n": 1}], [{"n": 1, "l": ["x"]}], []])
WAYS = st.sets(st.sampled_from(["away", "null", "empty"]))
SHAPES = st.lists(st.tuples(VALUES, WAYS), min_size=1, max_size=5)
DRAWS = st.lists(st.lists(st.sampled_from(["whole", "away", "null", "empty"]), min_size=5, max_size=5), max_size=8)


def drawn(shape: list[tuple[Json, set[str]]], choice: list[str]) -> Json:
    """One answer of a shape."""
    answer: dict[str, Any] = {"id": 7}
    for number, ((value, ways), way) in enumerate(zip(shape, choice, strict=False)):
        way = way if way in ways else "whole"
        if way == "empty" and not isinstance(value, (dict, list)):
            way = "whole"
        if way != "away":
            answer[f"p{number}"] = {"null": None, "empty": []}.get(way, value)
    return answer


class Watch:
    """What the calls of a step do with its structures, without the step."""

    def __init__(self) -> None:
        self.accepted: Structure = None
        self.odd: Structure = None

    def see(self, answer: Json) -> Drift:
        latest = shape_of(answer)
        if self.accepted is None:
            self.accepted = latest
            return Drift()
        self.accepted, latest = variation.sides(self.accepted, self.odd, latest)
        drift = compare(self.accepted, latest)
        self.odd = shape_of(answer) if drift else None
        if drift.reveals and not drift:
            self.accepted = variation.filled(self.accepted, latest)
        return drift


WHOLE, BARE = ["whole"] * 5, ["away"] * 5


@settings(max_examples=300, deadline=None)
@given(SHAPES, DRAWS, st.booleans())
def test_answers_of_one_shape_never_alarm_after_three_that_showed_its_parts(
    shape: list[tuple[Json, set[str]]], draws: list[list[str]], begins_bare: bool
) -> None:
    watch = Watch()
    for choice in [BARE, WHOLE, BARE] if begins_bare else [WHOLE, BARE, WHOLE]:
        watch.see(drawn(shape, choice))
    for choice in draws:
        assert not watch.see(drawn(shape, choice))


@settings(max_examples=300, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=5), DRAWS)
def test_nulls_and_empty_parts_never_alarm(values: list[Json], draws: list[list[str]]) -> None:
    shape = [(value, {"null", "empty"}) for value in values]
    watch = Watch()
    for choice in draws:
        assert not watch.see(drawn(shape, choice))


@settings(max_examples=300, deadline=None)
@given(SHAPES, DRAWS, st.sampled_from(["renamed", "retyped", "gone"]))
def test_a_real_change_always_alarms_and_goes_on_until_it_is_accepted(
    shape: list[tuple[Json, set[str]]], draws: list[list[str]], change: str
) -> None:
    watch = Watch()
    for choice in [WHOLE, BARE, WHOLE, *draws]:
        watch.see(drawn(shape, choice))
    for _ in range(4):
        answer = drawn(shape, WHOLE)
        value = answer.pop("id")
        answer |= {"renamed": {"order_id": value}, "retyped": {"id": "7"}, "gone": {}}[change]
        assert watch.see(answer)


@settings(max_examples=200, deadline=None)
@given(SHAPES, DRAWS)
def test_what_was_learned_is_never_less_than_what_was_accepted(
    shape: list[tuple[Json, set[str]]], draws: list[list[str]]
) -> None:
    watch = Watch()
    for choice in [WHOLE, *draws]:
        before = watch.accepted
        watch.see(drawn(shape, choice))
        assert before is None or not compare(merge(watch.accepted, before), before)


def test_of_an_odd_answer_with_more_names_than_a_step_can_keep_nothing_is_learned() -> None:
    """An API that answers once with tens of thousands of names must not make every later call slow."""
    usual, few = {"id": 1, "state": "x"}, {f"n{number}": number for number in range(1_500)}
    many = {f"n{number}": {"m": number} for number in range(1_500)}
    long = {"n7": 1, **{f"{number}{'n' * 10_000}": number for number in range(20)}}  # as large as many
    for odd, is_learned in ((few, True), (many, False), (long, False)):
        watch = Watch()
        for answer in (usual, {"id": 1, **odd}, usual):
            watch.see(answer)
        assert ("n7" in watch.accepted["fields"]) is is_learned
        assert bool(watch.see({"id": 1, **odd})) is not is_learned
    watch = Watch()
    for answer in ({"id": 1, **many}, many, {"id": 1, **many}):
        watch.see(answer)
    assert watch.accepted["optional"] == ["id"]


def test_names_that_are_others_each_time_over_entries_alike_are_data() -> None:
    one, two, three = (shape_of({"shelf": {name: {"n": 1, "p": 2}}}) for name in ("oak", "elm", "ash"))
    assert variation.dictionaries_in(variation.learned(one, two, three)) == (("shelf",),)
    assert variation.learned(one, two, two) is one
    other = shape_of({"shelf": {"ash": {"n": "x", "p": 2, "q": 1}}})
    assert variation.dictionaries_in(variation.learned(one, two, other)) == ()


def test_dictionaries_are_found_in_lists_and_in_dictionaries() -> None:
    marks = (("l", "*", "d"), ("d",), ("d", "*", "e"))
    shape = shape_of({"l": [{"d": {"a": 1}}], "d": {"x": {"e": {"y": 1}}}, "n": 1}, marks)
    assert set(variation.dictionaries_in(shape)) == set(marks)
