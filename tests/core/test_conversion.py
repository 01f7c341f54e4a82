"""What a rule may do to a value. Nothing is guessed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpstep.core.conversion import CONVERSIONS, CannotConvert, convert
from httpstep.core.jsontext import dumps_text, loads


def converted(text: str, conversion: str) -> str:
    return dumps_text(convert(loads(text), conversion))


@pytest.mark.parametrize(
    ("conversion", "value", "result"),
    [
        ("text", '"x"', '"x"'), ("text", "1.10", '"1.10"'), ("text", "1e5", '"1e5"'), ("text", "true", '"true"'),
        ("text", '[1.10, "ä"]', '"[1.10,\\"ä\\"]"'), ("text", "12345678901234567890123", '"12345678901234567890123"'),
        ("integer", "7", "7"), ("integer", "7.0", "7"), ("integer", "1e5", "100000"), ("integer", '" 42 "', "42"),
        ("integer", '"007"', "7"), ("integer", '"-0"', "0"), ("integer", '"12345678901234567890123"', "12345678901234567890123"),
        ("number", '"1.10"', "1.10"), ("number", '"+5"', "5"), ("number", '".5"', "0.5"), ("number", '"5."', "5"),
        ("number", '"1E5"', "1e5"), ("number", '"-007.50"', "-7.50"), ("number", "0.1", "0.1"),
        ("boolean", '"Yes"', "true"), ("boolean", '"off"', "false"), ("boolean", "1", "true"), ("boolean", '"0"', "false"),
        ("boolean", "false", "false"), ("boolean", '" TRUE "', "true"),
        ("json", '{"a":[1.10]}', '"{\\"a\\":[1.10]}"'), ("json", '"x"', '"\\"x\\""'), ("json", "5", '"5"'),
        ("none", "1.10", "1.10"),
    ],
)  # fmt: skip
def test_a_value_is_converted(conversion: str, value: str, result: str) -> None:
    assert converted(value, conversion) == result


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ('"2024-05-01"', "2024-05-01"),
        ('"2024-05-01T12:30:00Z"', "2024-05-01T12:30:00Z"),
        ('"2024-05-01 12:30"', "2024-05-01T12:30"),
        ('"2024-05-01t12:30:00.123456789+0200"', "2024-05-01T12:30:00.123456789+02:00"),
        ('"2024-05-01T12:30:00,5+02"', "2024-05-01T12:30:00.5+02:00"),
        ('"20240501"', "2024-05-01"), ("20240501", "2024-05-01"), ('"20240501T123000Z"', "2024-05-01T12:30:00Z"),
        ('"Wed, 01 May 2024 12:30:00 GMT"', "2024-05-01T12:30:00Z"),
        ('"Wed, 01 May 2024 12:30:00 +0200"', "2024-05-01T12:30:00+02:00"),
        ('"1.5.2024"', "2024-05-01"), ('"2024/05/01"', "2024-05-01"), ('"25/12/2024"', "2024-12-25"), ('"12/25/2024"', "2024-12-25"),
        ('"05/05/2024"', "2024-05-05"),
        ("1714567800", "2024-05-01T12:50:00Z"), ('"1714567800"', "2024-05-01T12:50:00Z"), ("1714567800123", "2024-05-01T12:50:00.123000Z"),
        ("1714567800.5", "2024-05-01T12:50:00.500000Z"), ('"/Date(1714567800000)/"', "2024-05-01T12:50:00Z"),
    ],
)  # fmt: skip
def test_a_date_becomes_iso_8601(value: str, result: str) -> None:
    assert convert(loads(value), "date") == result


@pytest.mark.parametrize(
    ("conversion", "value"),
    [
        ("integer", "1.5"), ("integer", '"1,234"'), ("integer", '""'), ("integer", '"x"'), ("integer", "true"), ("integer", "[1]"),
        ("integer", '"١٢"'), ("integer", '"1_000"'), ("number", '"1,5"'), ("number", '"NaN"'), ("number", '"1e999"'), ("number", '"0x10"'),
        ("number", "{}"), ("number", '"--5"'), ("number", '"' + "9" * 4301 + '"'),
        ("boolean", '"maybe"'), ("boolean", "2"), ("boolean", '""'), ("boolean", "[]"),
        ("date", '"05/06/2024"'), ("date", '"2024-02-30"'), ("date", '"2024-05-01T25:00"'), ("date", '"tomorrow"'), ("date", "5"),
        ("date", "true"), ("date", '"May"'), ("date", "1e300"), ("date", '"99999999999999999999"'), ("date", "20241301"), ("date", '"13/13/2024"'),
        ("date", "[]"), ("date", '"0000-00-00"'), ("date", '"0000-00-00T00:00:00Z"'),
    ],
)  # fmt: skip
def test_what_cannot_be_converted_is_refused_with_a_sentence(conversion: str, value: str) -> None:
    with pytest.raises(CannotConvert, match=r"\.$") as refused:
        convert(loads(value), conversion)
    assert len(str(refused.value)) < 160


def test_a_date_that_can_be_read_two_ways_says_so() -> None:
    with pytest.raises(CannotConvert, match="day and month or month and day"):
        convert("05/06/2024", "date")


@pytest.mark.parametrize("conversion", CONVERSIONS)
def test_null_stays_null(conversion: str) -> None:
    assert convert(None, conversion) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="0123456789-+.:/eETZ, abMaynJul\x00ä", max_size=30),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@given(
    values | st.from_regex(r"-?[0-9]{1,15}(\.[0-9]{1,9})?(e-?[0-9]{1,2})?", fullmatch=True),
    st.sampled_from(list(CONVERSIONS)),
)
def test_any_value_is_converted_or_refused(value: Any, conversion: str) -> None:
    try:
        result = convert(value, conversion)
    except CannotConvert:
        return
    loads(dumps_text(result))
