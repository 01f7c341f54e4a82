"""All JSON there is goes through here: digits stay, odd cases have one rule each, nothing but UnreadableAnswer comes out."""

from __future__ import annotations

import copy
import json
import pickle
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpstep.core.errors import UnreadableAnswer
from httpstep.core.jsonnumbers import UnkeptNumber
from httpstep.core.jsontext import dumps, dumps_text, json_type, loads, pretty
from tests.core.timing import within

NUMBERS = (
    "0", "-0", "7", "-12", "12345678901234567890123", "-9223372036854775809", "0.1", "1.10", "1.0", "-0.0", "1e5", "1E5",
    "1E+2", "1e-7", "0.0000001", "0.00000000", "2.50e-10", "100000000000000000000000.000000000000000000001", "1e300", "-1e-300",
)  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_comes_out_as_the_text_it_came_in_as(number: str) -> None:
    for text in (number, f"[{number}]", f'{{"a":{{"b":[1,{number}]}}}}'):
        assert dumps(loads(text)) == text.encode()
        assert dumps(loads(text.encode())) == text.encode()


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_keeps_its_digits_in_copies_and_as_text(number: str) -> None:
    value = loads(number)
    assert str(copy.deepcopy(value)) == str(pickle.loads(pickle.dumps(value))) == f"{value}" == number
    assert not isinstance(value, float)


def test_minus_zero_is_kept_beside_dates_and_text_that_look_like_it() -> None:
    text = '{"day":"2024-05-01","text":"x-0,","n":[-0,-0.5,0]}'
    assert dumps_text(loads(text)) == text


numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)


@given(st.lists(numbers))
def test_any_numbers_keep_their_digits(written: list[str]) -> None:
    text = f"[{','.join(written)}]"
    assert dumps_text(loads(text)) == text


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=30,
)


@given(documents)
def test_any_document_survives_writing_and_reading(document: Any) -> None:
    assert loads(dumps(document)) == document
    assert loads(pretty(document)) == document
    assert json.loads(dumps(document)) == document


@given(st.binary(max_size=300))
def test_any_bytes_give_a_document_or_an_unreadable_answer(data: bytes) -> None:
    try:
        value = loads(data)
    except UnreadableAnswer as error:
        assert error.reason in ("empty", "encoding", "syntax", "number", "too_deep")
        assert error.message.endswith(".")
    else:
        assert loads(dumps(value)) == value


@given(st.text(alphabet='{}[],:"\\u0d8e+-.1 \ntrufalsn\ud800\udc00', max_size=60))
def test_any_text_gives_a_document_or_an_unreadable_answer(text: str) -> None:
    try:
        value = loads(text)
    except UnreadableAnswer:
        return
    dumps(value).decode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_it_reads_utf_8_16_and_32_with_and_without_a_mark(encoding: str) -> None:
    assert loads('{"ä": "😀"}'.encode(encoding)) == {"ä": "😀"}


def test_it_reads_text_with_a_mark() -> None:
    assert loads("\ufeff[1]") == [1]


@pytest.mark.parametrize(
    "data",
    [
        rb'"a\ud800b"',
        rb'"a\udc00b"',
        b'"a\xed\xa0\x80b"',
        '"a\ud800b"',
        '"a\ud800b"'.encode("utf-16-le", "surrogatepass"),
    ],
)
def test_a_lone_surrogate_becomes_the_replacement_character(data: bytes | str) -> None:
    assert loads(data) == "a\ufffdb"


def test_a_lone_surrogate_in_a_name_is_replaced_and_a_pair_is_joined() -> None:
    assert loads(rb'{"\ud800": ["\ud83d\ude00", "\ud800"]}') == {"\ufffd": ["😀", "\ufffd"]}


def test_the_last_of_two_equal_names_wins() -> None:
    assert loads('{"a": 1, "b": 2, "a": 3}') == {"a": 3, "b": 2}
    assert loads('{"a": 1, "a": -0}')["a"] == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"), (" \n\t", "empty"), ("\ufeff", "empty"),
        ("NaN", "number"), ("[Infinity]", "number"), ("[-Infinity]", "number"), ("1e400", "number"), ("-1E400", "number"),
        ("1e99999999999999999999", "number"), ("1e-99999999", "number"), ("9" * 4301, "number"), ("-" + "9" * 4301, "number"),
        ("0." + "9" * 4301, "number"),
        ("[" * 201 + "]" * 201, "too_deep"), ('{"a":' * 201 + "1" + "}" * 201, "too_deep"), ("[" * 500_000, "too_deep"),
        ("{'a': 1}", "syntax"), ("[1,]", "syntax"), ('{"a" 1}', "syntax"), ("01", "syntax"), ("1.", "syntax"), (".5", "syntax"),
        ("+1", "syntax"), ("[1] x", "syntax"), ('"a\nb"', "syntax"), (r'"\x"', "syntax"), ("tru", "syntax"), ('"', "syntax"),
    ],
)  # fmt: skip
def test_it_refuses_with_a_reason(text: str, reason: str) -> None:
    for data in (text, text.encode()):
        with pytest.raises(UnreadableAnswer) as refused:
            loads(data)
        assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("around", "levels"),
    [
        ("%s", 0),
        ("[0, %s]", 1),
        ('[{}, [], {"a": "]]["}, %s]', 1),
        ('{"a": 1, "b": [%s], "c": {}}', 2),
        ("[" + "[[]], " * 300 + "%s]", 1),
        ("[" + '{"a": "[[", "b": 1}, ' * 300 + "%s]", 1),
    ],
)
@pytest.mark.parametrize(("opening", "end"), [("[", "]"), ('{"x": ["[{", ', "]}")])
def test_the_deepest_place_counts_whatever_is_beside_it(around: str, levels: int, opening: str, end: str) -> None:
    count, more = divmod(200 - levels, len(end))
    loads(around % (opening * count + "[" * more + "0" + "]" * more + end * count))
    for deepest in ("[]", '{"a": "]"}'):
        with pytest.raises(UnreadableAnswer, match="deeper than 200 levels"):
            loads(around % (opening * count + "[" * more + deepest + "]" * more + end * count))


@pytest.mark.parametrize("zeros", [0, 20, 90, 110, 290, 320, 400])
@pytest.mark.parametrize(
    "exponent", ["", "e9", "e-9", "e99", "E+99", "e-99", "e300", "e-300", "e4300", "e-4300", "e0000000300"]
)
def test_a_number_is_kept_as_written_where_a_double_reaches_that_far(zeros: int, exponent: str) -> None:
    text = f"1{'0' * zeros}.0000001{exponent}"
    if exponent and zeros + int(exponent[1:]) >= 309:
        with pytest.raises(UnreadableAnswer, match="outside the range"):
            loads(text)
    else:
        assert dumps_text(loads(text)) == text


def test_a_number_that_cannot_be_kept_is_known_by_its_own_text() -> None:
    numbers = loads("[1e999, -0, NaN, 1e999, -1e999, 0, -0, NaN]", bad_numbers=True)
    assert [str(number) for number in numbers] == ["1e999", "-0", "NaN", "1e999", "-1e999", "0", "-0", "NaN"]
    assert dumps_text(numbers) == "[null,-0,null,null,null,0,-0,null]"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1e308", ""), ("1e309", "outside the range"), ("-1E+309", "outside the range"), ("9" * 400 + ".5", ""),
        ("9" * 400 + ".5e0", "outside the range"), ("0e999", ""), ("-0E4300", ""), ("0e4301", "outside the range"),
        ("0.00e-0000000004300", ""), ("1e-4300", ""), ("1e-4301", "outside the range"), ("1e-43000", "outside the range"),
        ("0." + "0" * 200 + "1e4300", "outside the range"), ("0." + "0" * 4200 + "1e4201", ""),
        ("9" * 4299 + ".9", ""), ("9" * 4300 + ".9", "more than 4,300 digits"), ("1" + "0" * 4300, "more than 4,300 digits"),
        ("-0", ""), ("NaN", "NaN stands where"), ("-Infinity", "-Infinity stands where"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("beside", ["1", "1e999", "NaN", "-0", '"\\ud800"'])
def test_an_answer_keeps_what_can_be_kept_and_says_why_not_of_the_rest(text: str, why: str, beside: str) -> None:
    for data in (f'[{{"a": {text}}}, {beside}]', f'[{{"a": {text}}}, {beside}]'.encode()):
        number = loads(data, bad_numbers=True)[0]["a"]
        assert dumps_text(number) == ("null" if why else text)
        assert isinstance(number, UnkeptNumber) == bool(why) and why in getattr(number, "why", "")
    if why:
        with pytest.raises(UnreadableAnswer, match=why):
            loads(f"[{text}]")


def test_it_takes_200_levels_and_4300_digits() -> None:
    assert dumps_text(loads("[" * 200 + "]" * 200)) == "[" * 200 + "]" * 200
    assert dumps_text(loads("-" + "9" * 4300)) == "-" + "9" * 4300


def test_the_refusal_names_line_and_column() -> None:
    with pytest.raises(UnreadableAnswer, match="line 3, column 9, a value is missing"):
        loads('{\n  "a": 1,\n  "b":  ,\n}')


def test_bytes_that_are_not_utf_8_are_refused_with_their_place() -> None:
    with pytest.raises(UnreadableAnswer, match="Byte 3 is not UTF-8") as refused:
        loads(b'"a\xff"')
    assert refused.value.reason == "encoding"


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("-Infinity"), float("nan"), float("inf")])
def test_a_number_that_is_none_is_written_as_null(value: Any) -> None:
    assert dumps({"NaN": [value, "Infinity"]}) == b'{"NaN":[null,"Infinity"]}'


def test_it_writes_compact_utf_8_and_takes_tuples() -> None:
    assert dumps({"ä": (1, None, True, "\u2028")}) == '{"ä":[1,null,true,"\u2028"]}'.encode()
    assert dumps("\ud83d\ude00\ud800") == '"😀\ufffd"'.encode()


def test_pretty_keeps_digits_and_characters() -> None:
    assert pretty(loads('{"ä":[1.10,1e5],"b":{}}')) == '{\n  "ä": [\n    1.10,\n    1e5\n  ],\n  "b": {}\n}'


@pytest.mark.parametrize(
    ("text", "name"),
    [("null", "null"), ("true", "boolean"), ("1", "number"), ("1.5", "number"), ("1e5", "number"), ('""', "string"),
     ("[]", "array"), ("{}", "object")],
)  # fmt: skip
def test_types_have_their_json_names(text: str, name: str) -> None:
    assert json_type(loads(text)) == name


HOSTILE = {
    "empty objects": b"[" + b"{}," * 300_000 + b"{}]",
    "empty lists": b"[" + b"[]," * 300_000 + b"[]]",
    "opened only": b"[" * 1_000_000,
    "backslashes": b'"' + b"\\" * 1_000_000,
    "minus signs": b"-" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_megabyte_is_dealt_with_in_half_a_second(name: str) -> None:
    def read() -> None:
        with suppress(UnreadableAnswer):
            loads(HOSTILE[name])

    assert within(0.5, read)
