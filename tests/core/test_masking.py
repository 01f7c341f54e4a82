"""A value is masked as one text, and cut before it is written: with the same result as leaf by leaf, and as a whole."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpstep.core.drift import maskedshape
from httpstep.core.drift.structure import shape_of
from httpstep.core.jsontext import Json, Path, dumps_text, loads
from httpstep.core.masking import excerpt, masking, redaction, textviews
from httpstep.core.workcounter import WorkCounter

SECRETS = frozenset({"hemmelig", 'p"w/ü+1%', "4711", "ab", "a\x1cb\x1d"})
PIECES = st.sampled_from(
    ["hemmelig", "p%22w%2F%C3%BC%2B1%25", 'p"w/ü', "+1%", "aGVtbWVsaWc=", "aGVt\n", "bWVsaWc=", "4711", "ab", "a\x1cb\x1d",
     "\\u0068emmelig", "&#104;emmelig", " ", "x", "\n", "\x1e", "\x1f", "%", "\\"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=5).map("".join)


def leaf_by_leaf(value: Json) -> Json:
    if isinstance(value, str):
        return redaction.redact(value, SECRETS)
    if isinstance(value, dict):
        return {redaction.redact(name, SECRETS): leaf_by_leaf(member) for name, member in value.items()}
    if isinstance(value, list):
        return [leaf_by_leaf(item) for item in value]
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        hidden = redaction.redact(dumps_text(value), SECRETS)
        return value if hidden == dumps_text(value) else hidden
    return value


LEAVES = st.none() | st.booleans() | st.sampled_from([4711, 147115, Decimal("4711.50"), 7]) | TEXTS
VALUES = st.recursive(
    LEAVES, lambda inside: st.lists(inside, max_size=4) | st.dictionaries(TEXTS, inside, max_size=4), max_leaves=15
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_a_value_is_masked_as_leaf_by_leaf(value: Json) -> None:
    assert masking.masked_json(value, SECRETS) == leaf_by_leaf(value)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_an_object_is_masked_member_by_member_as_a_whole(value: dict[str, Json]) -> None:
    assert masking.masked_members(value, SECRETS) == masking.masked_json(value, SECRETS)


def test_a_member_without_a_secret_is_handed_on_as_it_is() -> None:
    value = {"a": ["hemmelig"], "b": [["plain"]]}
    masked = masking.masked_members(value, SECRETS)
    assert masked == {"a": [redaction.MASK], "b": [["plain"]]} and masked["b"] is value["b"]


LETTERS = [
    "%41",
    "%2541",
    "%252541",
    "\\u0041",
    "\\\\u0041",
    "\\\\\\u0041",
    "\\x41",
    "&#65;",
    "&amp;#x41;",
    "%5C",
    "%30",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*LETTERS, "%", "\\", "-", "&", "25"]), max_size=40).map("".join))
def test_encoded_letters_in_a_row_are_read_as_one_by_one(text: str) -> None:
    view = textviews.with_plain_letters(textviews.View(text))
    one_by_one = textviews._ENCODED_LETTER.sub(lambda found: textviews._letter_of(found[0]), text)
    assert (view.text if view else text) == one_by_one


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, max_size=6))
def test_many_texts_are_masked_as_each_alone(texts: list[str]) -> None:
    assert redaction.redact_all(texts, SECRETS) == [redaction.redact(text, SECRETS) for text in texts]


@settings(deadline=None)
@given(VALUES, st.integers(0, 80))
def test_a_beginning_is_the_beginning_of_the_text(value: Json, most: int) -> None:
    assert excerpt.beginning(value, most) == dumps_text(value)[:most]


@pytest.mark.parametrize(
    "spelled", ["hemmelig", "%68%65%6D%6D%65%6C%69%67", "%252568emmelig", "aGVtbWVsaWc=", "\\u0068emmelig"]
)
@pytest.mark.parametrize("many", [1, 40])
def test_no_part_of_a_spelling_is_left_where_a_value_is_cut(spelled: str, many: int) -> None:
    for before in range(200 - len(spelled), 201):
        value = ["." * before + spelled * many, "tail " * 400]
        start = masking.masked_beginning(value, 200, frozenset({"hemmelig"}))
        assert len(start) <= 200 and spelled[:4] not in start


def test_a_shape_has_the_types_of_the_answer_and_masked_names() -> None:
    document = loads('{"hemmelig": {"x": 4711}, "list": [{"hemmelig-2": 1}], "plain": "hemmelig"}')
    shape, replaced = maskedshape.masked_shape(document, (), frozenset({"hemmelig", "4711"}), WorkCounter())
    assert shape == shape_of({"••••": {"x": 1}, "list": [{"••••-2": 1}], "plain": ""})
    assert list(maskedshape.renamed(replaced, document)) == ["••••", "list", "plain"]


NAMES = st.sampled_from(["hemmelig", "HEMMELIG", "x-hemmelig", "••••", "a", "b", "zhemmelig"])
NAMED = st.recursive(
    st.none() | st.integers() | st.just("x"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=15,
)
MARKED = st.lists(st.lists(NAMES | st.just("*"), max_size=2).map(tuple), max_size=2)


@given(NAMED, st.just([]) | MARKED)
def test_a_masked_shape_is_the_shape_of_the_answer_with_masked_names(document: Json, marked: list[Path]) -> None:
    shape, replaced = maskedshape.masked_shape(document, marked, frozenset({"hemmelig"}), WorkCounter())
    marks = marked + [tuple(replaced.get(part, part) for part in path) for path in marked]
    assert shape == shape_of(maskedshape.renamed(replaced, document), marks)
    assert "hemmelig" not in dumps_text(shape).lower()


# ---------------------------------------------------------------- how much is looked at


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of all texts that are searched for secrets."""
    lengths: list[int] = []
    search = redaction._spans

    def spans(text: str, needles: Any) -> Any:
        lengths.append(len(text))
        return search(text, needles)

    monkeypatch.setattr(redaction, "_spans", spans)
    return lengths


def test_a_value_of_many_texts_is_searched_once(searched: list[int]) -> None:
    masking.masked_json({f"name {number}": f"text {number}" for number in range(5000)}, SECRETS)
    assert len(searched) == 1 and searched[0] < 5000 * 24


def test_the_beginning_of_a_value_looks_at_nothing_behind_it(searched: list[int]) -> None:
    value: Json = [["x" * 50] * 10_000]
    masking.masked_beginning(value, 2000, frozenset({"hemmelig"}))
    assert sum(searched) < 2000 + redaction.margin({"hemmelig"}) + 2
    counted = [0, 0]
    for place, size in enumerate((1_000, 100_000)):
        wide: Json = [[1]] * size

        def count(*_: object, place: int = place) -> None:
            counted[place] += 1

        sys.setprofile(count)
        excerpt.beginning(wide, 500)
        sys.setprofile(None)
    assert counted[0] == counted[1]
