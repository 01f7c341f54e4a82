"""Queries by RFC 9535, in bounded time, and normalized paths."""

from __future__ import annotations

from typing import Any

import jsonpath as library
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpstep.core.jsontext import Path, dumps_text, loads
from httpstep.core.query.jsonpath import (
    QueryRefused,
    check_query,
    find,
    in_words,
    normalized,
    parse_normalized,
    searched_path,
    singular_path,
    source_in_words,
)
from tests.core.timing import within

SHOP = loads(
    '{"store": {"book": [{"category": "reference", "author": "Nigel Rees", "price": 8.95},'
    '{"category": "fiction", "author": "Evelyn Waugh", "price": 12.99},'
    '{"category": "fiction", "isbn": "0-553-21311-3", "price": 8.99},'
    '{"category": "fiction", "isbn": "0-395-19395-8", "price": 22.99}], "bicycle": {"color": "red", "price": 399}},'
    ' "id": 12345678901234567890123, "limit": 10}'
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("$.store.book[*].price", "[8.95,12.99,8.99,22.99]"),
        ("$..price", "[8.95,12.99,8.99,22.99,399]"),
        ("$.store.book[-1:].price", "[22.99]"),
        ("$.store.book[0,2].price", "[8.95,8.99]"),
        ("$.store.book[::-2].price", "[22.99,12.99]"),
        ("$.store.book[?@.isbn].price", "[8.99,22.99]"),
        ("$.store.book[?!@.isbn].price", "[8.95,12.99]"),
        ("$.store.book[?@.price<10].price", "[8.95,8.99]"),
        ("$.store.book[?@.price==8.95].category", '["reference"]'),
        ("$.store.book[?@.price>$.limit && @.category=='fiction'].price", "[12.99,22.99]"),
        ("$.store.book[?match(@.author, 'N.*')].price", "[8.95]"),
        ("$.store.book[?search(@.isbn, '[0-9]{5}')].price", "[8.99,22.99]"),
        ("$.store.book[?length(@.category)==9].price", "[8.95]"),
        ("$.store.book[?count(@.*)==3].price", "[8.95,12.99,8.99,22.99]"),
        ("$.store[?value(@..color)=='red'].price", "[399]"),
        ("$[?@==12345678901234567890123]", "[12345678901234567890123]"),
        ("$[?@==12345678901234567890124]", "[]"),
        ("$.nothing[0]", "[]"),
        ("$.store.book[0].category[1:]", "[]"),
        ("$.store.book[::0]", "[]"),
        ("$['store']['bicycle']", '[{"color":"red","price":399}]'),
    ],
)
def test_a_query_finds_what_the_rfc_says(query: str, found: str) -> None:
    assert check_query(query) is None
    assert dumps_text(find(query, SHOP)) == found


def test_true_is_no_number_and_null_is_no_absence() -> None:
    document = loads('[{"a": 1}, {"a": true}, {"a": null}, {}, {"a": [1]}, {"a": [true]}]')
    assert find("$[?@.a==1]", document) == [{"a": 1}]
    assert dumps_text(find("$[?@.a==true]", document)) == '[{"a":true}]'
    assert find("$[?@.a==null]", document) == [{"a": None}]
    assert len(find("$[?@.a]", document)) == 5
    assert dumps_text(find("$[?@.a==$[4].a]", document)) == '[{"a":[1]}]'
    assert find("$[?@.a==$.nothing]", document) == [{}]


names = st.sampled_from(["a", "b", "c"])
trees = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["x", "y", "xy"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=3),
    max_leaves=25,
)
STEPS = (
    ".a", ".b", "..a", "[0]", "[-1]", "[*]", ".*", "..*", "[0,1]", "['a','b']", "..[0]", "[?@.a]", "[?@.a==1]",
    "[?@.a!=@.b]", "[?@>1]", "[?@.a<='x']", "[?!@.a||@.b]", "[?@.*]", "[?@==$.a]", "[?count(@.*)>1]",
    "[?match(@,'x.?')]", "[?search(@.a,'y')]", "[?length(@)>=2]", "[?@[0]==@[-1]]", "[?value(@..b)==2]",
    "[?@.a&&(@.b||@.c)]",
)  # fmt: skip
_reference = library.JSONPathEnvironment(strict=True)


@settings(max_examples=400)
@given(trees, st.lists(st.sampled_from(STEPS), max_size=4))
def test_it_finds_what_the_parsers_own_evaluation_finds(document: Any, parts: list[str]) -> None:
    """Slices are left out: there the parser's package cuts texts too, which the RFC does not (2.3.4.2)."""
    query = "$" + "".join(parts)
    if not isinstance(document, (list, dict)):
        document = [document]
    mine = [repr(value) for value in find(query, document)]
    theirs = [repr(value) for value in _reference.findall(query, document)]
    assert mine == theirs


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "begins with “$”"), ("items[0]", "begins with “$”"), ("$.", "expected"), ("$[", "end of query"),
        ("$.a | $.b", "unexpected"), ("$[?@.a in ['x']]", "expected"), ("$[?foo(@.a)]", "not defined"), ("$ ", "whitespace"),
        ("$[?@.*==1]", "not comparable"), ("$[?length(@.*)==1]", "length"), ("$[?true]", "must be compared"),
        ("$[?@.a==01]", "not a number"), ("$[?match(@.a, @.b)]", "must be written into the query"),
        ("$[?search(@.a, '^x')]", "no “^” and “$”"), ("$[?match(@.a, '(x')]", "pattern of match"),
        ("$[?search(@.a, 'x{9999}{9999}')]", "pattern of search"), ("$.x" * 700, "characters"), ("$[?" + "(" * 900, "nested"),
        ("$[?" + "!" * 1900 + "@.a]", "nested"),
    ],
)  # fmt: skip
def test_a_wrong_query_gets_a_sentence(query: str, words: str) -> None:
    sentence = check_query(query)
    assert sentence is not None
    assert words in sentence
    assert sentence.endswith(".")
    with pytest.raises(QueryRefused):
        find(query, {})


@given(st.text(alphabet="$.[]*?@='\"()!&|<>ab01,:-^~#\\u \ud800", max_size=30))
def test_any_text_is_a_query_or_gets_a_sentence(text: str) -> None:
    for query in (text, "$" + text):
        sentence = check_query(query)
        assert sentence is None or sentence.endswith(".")


MEGABYTES = {
    "records": [
        {"id": n, "price": n, "name": f"item {n}", "tags": ["a", "b"], "geo": {"lat": 1, "lng": 2}} for n in range(9000)
    ],
    "empty objects": [{} for _ in range(300_000)],
    "numbers": list(range(170_000)),
    "long texts": [{"s": "a" * 1000} for _ in range(1000)],
    "many keys": {f"k{n}": n for n in range(90_000)},
    "deep": loads("[" * 199 + ",".join(["{}"] * 300_000) + "]" * 199),
    "one text": {"a": "a" * 250_000, "b": "b".join(["a" * 249_999, ""]), "l": [0] * 250_000},
    "long numbers": [int("9" * 4000)] + [1] * 100_000,
}


@pytest.mark.parametrize("name", MEGABYTES)
@pytest.mark.parametrize(
    "query",
    [
        "$..*", "$..*..*", "$..*..*..*", "$[*].price", "$..[?@.lat]", "$[?count($..*)>1]", "$[?count(@..*)>1]", "$[?@==$]",
        "$[?$==$]", "$..[0,0,0,0,0,0,0]", "$" + "[*,*]" * 30, "$[?search(@.s,'(a|aa)*b')]", "$[?match(@.s,'(a*)*b')]",
        "$[?search(@.s,'(a?){50}a{50}')]", "$.l[?$.a==$.b]", "$.l[?search($.a,'b')]", "$[?@<$[0]]", "$[?$[?@==1]]",
    ],
)  # fmt: skip
def test_no_query_takes_long_on_a_megabyte(name: str, query: str) -> None:
    """The limit of work is set for 0.1 s; the test allows for a slow and busy machine."""

    def ask() -> None:
        try:
            find(query, MEGABYTES[name])
        except QueryRefused as refused:
            assert "too many values" in str(refused)

    assert within(0.2, ask)


def test_an_ordinary_query_on_a_megabyte_is_answered() -> None:
    assert len(find("$[?@.price>4000 && @.geo.lat==1].name", MEGABYTES["records"])) == 4999
    assert len(find("$[?search(@.name,'7.*8')].id", MEGABYTES["records"])) > 100
    assert len(find("$..price", MEGABYTES["records"])) == 9000


@pytest.mark.parametrize(
    ("query", "searched", "singular"),
    [
        ("$", (), ()),
        ("$.a[0]['b']", ("a", 0, "b"), ("a", 0, "b")),
        ("$.a[?@.b].c", ("a",), None),
        ("$..a", (), None),
        ("$.a[-1]", ("a",), None),
        ("$.a['b','c']", ("a",), None),
    ],
)
def test_it_knows_the_place_a_query_searches(query: str, searched: tuple[Any, ...], singular: Any) -> None:
    assert searched_path(query) == searched
    assert singular_path(query) == singular


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), "$"),
        (("data", 0, "status"), "$['data'][0]['status']"),
        (("a.b c", "", "'", "\\"), r"$['a.b c']['']['\'']['\\']"),
        (("\x00\n\x0b\x1f", "ä", '"', "[0]"), r"""$['\u0000\n\u000b\u001f']['ä']['"']['[0]']"""),
    ],
)
def test_a_path_is_written_as_a_normalized_path(path: tuple[Any, ...], text: str) -> None:
    assert normalized(path) == text
    assert parse_normalized(text) == path


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])) | st.integers(0, 10**9)))
def test_a_normalized_path_can_be_read_again_and_is_a_query_for_that_place(parts: list[str | int]) -> None:
    path = tuple(parts)
    assert parse_normalized(normalized(path)) == path
    if len(normalized(path)) < 2000:
        assert singular_path(normalized(path)) == path


@pytest.mark.parametrize(
    "text", ["", "data", "$.data", "$['a'", "$[-1]", "$[01]", "$['a']x", "$['\\x']", '$["a"]', "$ ['a']"]
)
def test_what_is_no_normalized_path_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"path.*"):
        parse_normalized(text)


@pytest.mark.parametrize(
    ("path", "most", "words"),
    [
        (("order", "items", 0, "price"), 0, "order › items › 1 › price"),
        (("order", "items", 0, "price"), 25, "order › items › 1 › price"),
        (("order", "items", 0, "price"), 24, "… › items › 1 › price"),
        (("order", "items", 0, "price"), 14, "… › 1 › price"),
        (("order", "a very long name"), 10, "…long name"),
        ((), 0, "the whole answer"),
        ((9, "", "two\nlines"), 0, "10 › “” › two lines"),
    ],
)
def test_a_path_is_said_as_people_say_it_and_cut_in_front(path: Path, most: int, words: str) -> None:
    assert in_words(path, most) == words
    assert source_in_words(normalized(path), most) == words


@given(st.lists(st.text(max_size=20) | st.integers(0, 10**6), max_size=6).map(tuple), st.integers(2, 40))
def test_the_words_of_a_path_fit_and_end_as_the_path_does(path: Path, most: int) -> None:
    words = in_words(path, most)
    assert len(words) <= most
    assert in_words(path).endswith(words.removeprefix("…").removeprefix(" › "))


@given(st.lists(st.text(max_size=20) | st.integers(0, 10**6), max_size=60).map(tuple), st.integers(5, 120))
def test_so_many_words_are_kept_as_there_is_room_for(path: Path, most: int) -> None:
    words = in_words(path, most)
    if len(in_words(path)) <= most:
        assert words == in_words(path)
    elif len(in_words(path[-1:])) + len("… › ") <= most:
        fitting = [in_words(path[at:]) for at in range(1, len(path)) if len(in_words(path[at:])) + len("… › ") <= most]
        assert words == f"… › {fitting[0]}"


def test_the_words_of_a_long_name_take_no_longer_than_those_of_a_short_one() -> None:
    """There may be a hundred rules below a name that is nearly the whole answer."""
    path = (*["A" * 800_000] * 50, "a")
    assert within(0.2, lambda: [in_words(path, 120) for _ in range(1000)])
    assert in_words(path, 120) == "… › a" and in_words(path[:1], 120) == "…" + "A" * 119


@pytest.mark.parametrize("source", ["$.items[*].price", "call status", "header:X-Total", "$[?@.a==1]"])
def test_what_is_no_single_place_stays_as_it_is_written(source: str) -> None:
    assert source_in_words(source) == source
