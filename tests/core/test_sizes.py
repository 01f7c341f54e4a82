"""What one execution gives a bot: 256 KB a value, 1 MB in all, whole or missing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpstep.core.answer.mapping import CallFacts, apply_rules
from httpstep.core.answer.sizes import MAX_ATTRIBUTES, MAX_VALUE, _Sizes
from httpstep.core.jsontext import Json, dumps, loads
from httpstep.core.step.execution import MappingResult
from httpstep.core.step.spec import MappingRule
from httpstep.core.workcounter import WorkCounter

CALL = CallFacts(status=200, error=None, duration_ms=1, headers=())


def mapped(document: Json, *rules: MappingRule) -> MappingResult:
    return apply_rules(rules, document, True, CALL)


def text(size: int) -> str:
    """A text whose JSON has so many bytes."""
    return "x" * (size - 2)


@pytest.mark.parametrize(("size", "given_"), [(MAX_VALUE, True), (MAX_VALUE + 1, False)])
@pytest.mark.parametrize("shape", [text, lambda size: [text(size - 4), 1], lambda size: {"k": text(size - 6)}])
def test_a_value_is_whole_or_missing(size: int, given_: bool, shape: Any) -> None:
    document = {"v": shape(size), "small": 1}
    assert len(dumps(document["v"])) == size
    result = mapped(document, MappingRule("v", path=("v",)), MappingRule("small", path=("small",)))
    assert result.values == ({"v": document["v"], "small": 1} if given_ else {"small": 1})
    assert result.missing == (() if given_ else ("v",))
    assert given_ or "256 KB" in result.rows[0].why


def test_bytes_count_and_not_characters() -> None:
    assert mapped({"v": "ä" * (MAX_VALUE // 2)}, MappingRule("v", path=("v",))).missing == ("v",)
    assert mapped({"v": '"' * (MAX_VALUE // 2)}, MappingRule("v", path=("v",))).missing == ("v",)


def test_all_together_are_at_most_1_mb_and_smaller_ones_after_a_large_one_still_come() -> None:
    document = {f"v{number}": text(250_000) for number in range(5)} | {"small": 1}
    result = mapped(document, *(MappingRule(name, path=(name,)) for name in document))
    assert list(result.values) == ["v0", "v1", "v2", "v3", "small"] and result.missing == ("v4",)
    assert "1 MB" in result.rows[4].why
    assert len(dumps(dict(result.values))) <= MAX_ATTRIBUTES


def test_all_together_may_be_1_mb_to_the_byte() -> None:
    whole = {f"v{number}": text(MAX_VALUE) for number in range(4)}
    short = len(dumps(whole)) - MAX_ATTRIBUTES
    for less, missing in ((short, ()), (short - 1, ("v3",))):
        document = whole | {"v3": text(MAX_VALUE - less)}
        result = mapped(document, *(MappingRule(name, path=(name,)) for name in document))
        assert result.missing == missing
        assert missing or len(dumps(dict(result.values))) == MAX_ATTRIBUTES


def test_a_default_takes_the_place_of_what_is_too_much() -> None:
    rule = MappingRule("v", path=("v",), default="none")
    result = mapped({"v": text(MAX_VALUE + 1)}, rule)
    assert (result.values, result.missing, result.rows[0].state) == ({"v": "none"}, ("v",), "default")


def test_a_second_rule_for_an_attribute_takes_no_room() -> None:
    rules = [MappingRule("v", path=("v",)) for _ in range(9)]
    assert mapped({"v": text(200_000)}, *rules, MappingRule("w", path=("v",))).missing == ()


def test_what_a_rule_makes_of_a_value_counts() -> None:
    long = ["y" * 50] * 5000
    assert mapped(long, MappingRule("v", path=(), convert="json")).missing == ("v",)
    assert mapped(long, MappingRule("v", jsonpath="$[*]"), MappingRule("w", jsonpath="$[*]", take="all")).missing == (
        "w",
    )


NESTED = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=3), inside, max_size=4),
    max_leaves=20,
)


def paths_in(value: Json, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(inner for key, member in members for inner in paths_in(member, (*path, key)))]


@settings(max_examples=200, deadline=None)
@given(NESTED, st.data())
def test_what_is_measured_in_parts_is_the_length_of_the_text(document: Json, data: st.DataObject) -> None:
    document = loads(dumps(document))
    paths = data.draw(st.lists(st.sampled_from(paths_in(document)), max_size=6))
    rules = [MappingRule(f"n{number}", path=path) for number, path in enumerate(paths)]
    sizes = _Sizes(rules, document, WorkCounter())
    for row in mapped(document, *rules).rows:
        assert sizes.of(row.value) == len(dumps(row.value))


def steps(levels: int, width: int) -> int:
    document: Json = [[1]] * width
    for _ in range(levels):
        document = [document]
    work = WorkCounter()
    apply_rules([MappingRule(f"n{n}", path=(0,) * n) for n in range(levels)], document, True, CALL, work)
    return work.spent


def test_the_work_does_not_grow_with_the_levels_times_what_is_in_them() -> None:
    assert steps(80, 8000) < 4.5 * steps(80, 2000) and steps(80, 8000) < 2 * steps(20, 8000)
