"""Patterns by RFC 9485, matched in linear time."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpstep.core.query.patterns import BadPattern, Pattern
from tests.core.timing import within


@pytest.mark.parametrize(
    ("pattern", "text", "whole", "part"),
    [
        ("abc", "abc", True, True),
        ("abc", "xabcx", False, True),
        ("", "x", False, True),
        ("a.c", "a\nc", False, False),
        ("1974-05-..", "1974-05-16", True, True),
        ("[a-c]+", "abcabc", True, True),
        ("[^a-c]+", "xyz", True, True),
        ("[-a]", "-", True, True),
        ("[a-]", "-", True, True),
        (r"[\]\-]", "]", True, True),
        ("(ab|cd){2,3}", "abcdab", True, True),
        ("(ab|cd){2}", "ab", False, False),
        ("a{0}b", "b", True, True),
        ("a{2,}", "aaaa", True, True),
        ("a?b", "b", True, True),
        (r"\p{Lu}\p{Ll}*", "Ärger", True, True),
        (r"\P{L}+", "123", True, True),
        (r"\d{4}", "2024", True, True),
        (r"\w+\s\D", "a1 x", True, True),
        (r"a\.b\$", "a.b$", True, True),
        ("😀+", "😀😀", True, True),
        ("(|a)b", "b", True, True),
    ],
)
def test_a_pattern_fits_the_whole_text_or_a_part(pattern: str, text: str, whole: bool, part: bool) -> None:
    assert Pattern(pattern).matches(text) is whole
    assert Pattern(pattern).found_in(text) is part


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "a)", "[", "[a", "[]", "[b-a]", "*", "+a", "?", "a**b{", "a{", "a{x}", "a{3,2}", "a{99999}", "\\", r"\q", "^a", "a$",
     r"\p{Xx}", r"\pL", "(a{1000}){1000}", "(" * 60, "a" * 501, "a*?", "a++", "(?i)a", "(?=a)", "[[:alpha:]]", r"[\W]", r"\b", r"\p{Greek}", "a{,3}", "\udc00"],
)  # fmt: skip
def test_a_wrong_pattern_is_refused_with_a_sentence(pattern: str) -> None:
    with pytest.raises(BadPattern, match=r"\.$|\}\.$"):
        Pattern(pattern)


pieces = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", "[^a]"]),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map("".join)
        | st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,}"])).map(
            lambda both: f"({both[0]}){both[1]}"
        )
        | st.tuples(inner, inner).map(lambda both: f"({both[0]}|{both[1]})")
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(pieces, st.text(alphabet="abc", max_size=8))
def test_it_agrees_with_the_regular_expressions_of_python(pattern: str, text: str) -> None:
    mine = Pattern(pattern)
    assert mine.matches(text) == bool(re.fullmatch(pattern, text))
    assert mine.found_in(text) == bool(re.search(pattern, text))


@given(st.text(alphabet="ab()[]{}*+?|\\^$.,-12pPLdn", max_size=20))
def test_any_text_is_a_pattern_or_is_refused(text: str) -> None:
    with suppress(BadPattern):
        Pattern(text).found_in("abab12")


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|aa)+b", "(a?){100}a{100}", "(.*)*x(.*)*y", "[ab]*a[ab]{200}c"])
def test_no_pattern_hangs_on_a_long_text(pattern: str) -> None:
    assert within(2, lambda: Pattern(pattern).found_in("a" * 100_000))


def test_nothing_is_written_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    with suppress(BadPattern):
        Pattern("[b-a]")
    Pattern("[ab]*a[ab]{200}c").found_in("ab" * 10_000)
    assert capfd.readouterr() == ("", "")
