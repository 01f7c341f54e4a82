"""What a rule may do to a value. Nothing is guessed."""

from __future__ import annotations

import subprocess
import sys
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
        ("parse", '"{\\"a\\":[1.10,12345678901234567890]}"', '{"a":[1.10,12345678901234567890]}'), ("parse", '" 5 "', "5"),
        ("parse", '{"a":1}', '{"a":1}'), ("parse", '"null"', "null"), ("parse", "1.10", "1.10"),
        ("phone", '"+49 (30) 90182-0"', '"+4930901820"'), ("phone", '"tel:+1-650-253-0000"', '"+16502530000"'),
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
        ('"28 Nov 2026"', "2026-11-28"), ('"November 28, 2026"', "2026-11-28"), ('"Nov. 28th, 2026"', "2026-11-28"),
        ('"28-Nov-2026"', "2026-11-28"), ('"1st of May 2024"', "2024-05-01"), ('"28. November 2026"', "2026-11-28"),
        ('"2026-Nov-28"', "2026-11-28"), ('"Saturday, November 28, 2026"', "2026-11-28"), ('"Sat, 28 Nov 2026"', "2026-11-28"),
        ('"28.11.2026 07:00"', "2026-11-28T07:00:00"), ('"2026/11/28 07:00:00"', "2026-11-28T07:00:00"),
        ('"28/11/2026, 7:05"', "2026-11-28T07:05:00"), ('"11/28/2026 7:05 PM"', "2026-11-28T19:05:00"),
        ('"11/28/2026 12:05:09 a.m."', "2026-11-28T00:05:09"), ('"2026-11-28 7:05 am"', "2026-11-28T07:05:00"),
        ('"November 28, 2026 at 7:05 PM"', "2026-11-28T19:05:00"), ('"28 Nov 2026 07:00:00.123456"', "2026-11-28T07:00:00.123456"),
        ('"Sat Nov 28 2026 07:00:00 GMT+0100 (Central European Standard Time)"', "2026-11-28T07:00:00+01:00"),
        ('"Sat Nov 28 07:00:00 2026"', "2026-11-28T07:00:00"), ('"Sat Nov 28 07:00:00 UTC 2026"', "2026-11-28T07:00:00Z"),
        ('"2026-11-28 07:00:00 UTC"', "2026-11-28T07:00:00Z"), ('"2026-11-28 07:00:00.5 +0000 UTC"', "2026-11-28T07:00:00.5Z"),
        ('"2026-11-28T07:00:00+01:00[Europe/Berlin]"', "2026-11-28T07:00:00+01:00"),
        ('"/Date(1795849200000+0100)/"', "2026-11-28T07:00:00Z"), ('"/Date(1795849200000-0500)/"', "2026-11-28T07:00:00Z"),
        ('"20261128070000"', "2026-11-28T07:00:00"), ("20261128070000", "2026-11-28T07:00:00"),
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
        ("date", '"31 Nov 2026"'), ("date", '"05/06/2024 07:00"'), ("date", '"28 Nov 26"'), ("date", '"28 Foo 2026"'),
        ("date", '"11/28/2026 13:00 PM"'), ("date", '"28.11.2026 25:00"'),
        ("parse", '"{"'), ("parse", '"hello"'), ("parse", '""'), ("parse", '"[NaN]"'),
        ("phone", '"030 901820"'), ("phone", '"hello"'), ("phone", "true"), ("phone", "[]"), ("phone", '"+49 1"'), ("phone", '""'),
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


@pytest.mark.parametrize(
    ("value", "separator", "result"),
    [
        (["A", "B", "C"], ", ", "A, B, C"), ([], ", ", ""), ("A", ", ", "A"), (7, ", ", "7"), ([None, "A", None], "; ", "A"),
        ([True, {"a": 1}, ["x"]], "|", 'true|{"a":1}|["x"]'), (["A", "B"], "", "AB"), (["A", "B"], "\n", "A\nB"),
    ],
)  # fmt: skip
def test_a_list_is_joined_with_the_separator(value: Any, separator: str, result: str) -> None:
    assert convert(value, "join", separator) == result


def test_numbers_keep_their_digits_when_they_are_joined() -> None:
    assert convert(loads("[1.10, 12345678901234567890123, 1e5]"), "join", " ") == "1.10 12345678901234567890123 1e5"


@pytest.mark.parametrize(
    ("value", "region", "result"),
    [
        ("030 901820", "DE", "+4930901820"), ("(650) 253-0000", "us", "+16502530000"), ("0049 30 901820", "DE", "+4930901820"),
        (4930901820, "DE", "+4930901820"), ("02 9374 4000", "AU", "+61293744000"), ("+49 30 901820", "US", "+4930901820"),
    ],
)  # fmt: skip
def test_a_phone_number_becomes_e_164(value: Any, region: str, result: str) -> None:
    assert convert(value, "phone", region) == result


@pytest.mark.parametrize(
    ("value", "region", "words"),
    [
        ("030 901820", "", "Give the rule its region"), ("253-0000", "US", "can exist in US"), ("+1 650-253-0000 ext. 5", "", "extension"),
        ("12", "DE", "no phone number"), ("030 901820", "US", "can exist in US"),
    ],
)  # fmt: skip
def test_a_number_that_would_be_guessed_is_refused(value: str, region: str, words: str) -> None:
    with pytest.raises(CannotConvert, match=words):
        convert(value, "phone", region)


@pytest.mark.parametrize(
    "library", ["phonenumbers", "jsonpath", "re2", "yaml", "alembic", "sqlalchemy.dialects.postgresql"]
)
def test_what_few_steps_need_is_loaded_when_the_first_asks_for_it(library: str) -> None:
    code = f"import sys, app; print({library!r} in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize("text", ["November 28, 2026 7:00 PM EST", "28 Nov 2026 07:00 CET", "28 Nov 2026 07:00 noon"])
def test_a_date_is_not_taken_for_one_without_what_stands_behind_it(text: str) -> None:
    with pytest.raises(CannotConvert):
        convert(text, "date")


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("1795849200.000123", "2026-11-28T07:00:00.000123Z"),
        ("28 Nov 2026 07:00:00 EST", "2026-11-28T07:00:00-05:00"),
        ("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z"),
    ],
)
def test_dates_of_mail_and_of_slack_are_read(text: str, date: str) -> None:
    assert convert(text, "date") == date


@pytest.mark.parametrize(
    ("number", "region", "e164"),
    [
        ("491701234567", "DE", "+491701234567"),
        (491701234567, "DE", "+491701234567"),
        ("14159929960", "US", "+14159929960"),
        ("4159929960", "US", "+14159929960"),
        ("0612345678", "IT", "+390612345678"),
        ("5511912345678", "BR", "+5511912345678"),
    ],
)
def test_a_phone_number_with_its_country_but_without_plus_gets_that_once(
    number: str | int, region: str, e164: str
) -> None:
    assert convert(number, "phone", region) == e164
