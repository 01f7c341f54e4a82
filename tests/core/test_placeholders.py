"""What counts as a placeholder, what it is called, and where its value is looked up."""

from __future__ import annotations

import gc
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpstep.core.inserting.placeholders import (
    NOT_FOUND,
    Literal,
    Placeholder,
    PlaceholderFault,
    faults_in,
    is_name,
    lookup,
    names_in,
    scan,
)


def filled(text: str) -> str:
    """The text with each placeholder shown as <name>."""
    return "".join(piece.text if isinstance(piece, Literal) else f"<{piece.name}>" for piece in scan(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain", "plain"),
        ("{{name}}", "<name>"),
        ("{{ name }}", "<name>"),
        ("{{\tname}}", "<name>"),
        ("a{{x}}b{{y}}c", "a<x>b<y>c"),
        ("{{x}}{{x}}", "<x><x>"),
        ("{{order.id}} {{_a-b.c_1}}", "<order.id> <_a-b.c_1>"),
        ("{{secret.TOKEN}}", "<secret.TOKEN>"),
        (r"\{{name}}", "{{name}}"),
        (r"\{{ and {{x}}", "{{ and <x>"),
        (r"C:\\{{x}}", "C:\\<x>"),
        (r"\\\{{x}}", r"\{{x}}"),
        (r"\{{{{x}}", "{{<x>"),
        (r"\\server\{x}", r"\\server\{x}"),
        ("}} {x} { {", "}} {x} { {"),
        ('{"a":{"b":{{x}}}}', '{"a":{"b":<x>}}'),
        ("{% for x in y %} ${7*7} #{x} <%= x %>", "{% for x in y %} ${7*7} #{x} <%= x %>"),
    ],
)
def test_it_finds_names_and_leaves_the_rest(text: str, expected: str) -> None:
    assert filled(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{{}}",
        "{{ }}",
        "{{7*7}}",
        "{{''.__class__}}",
        "{{config|safe}}",
        "{{a b}}",
        "{{1a}}",
        "{{.a}}",
        "{{-a}}",
        "{{{name}}}",
        "{{a{b}}",
        "{{name",
        "{{name}",
        "{{ {{name}} }}",
        "{{na\nme}}",
        "{{\nname}}",
        "{{имя}}",
        "{{secret.}}",
        "{{secret.1}}",
        "{{secret. A}}",
        "{{" + "a" * 101 + "}}",
    ],
)
def test_it_refuses_every_other_pair_of_braces(text: str) -> None:
    with pytest.raises(PlaceholderFault):
        scan(text)
    assert faults_in(text)


def test_a_fault_says_what_and_where() -> None:
    [one] = faults_in('{"a": 1,\n "b": "{{7*7}}"}')
    assert "{{7*7}}" in one and "line 2, column 8" in one
    [other] = faults_in("https://x/{{id")
    assert "character 11" in other and "never closed" in other


def test_every_fault_is_told_and_long_ones_are_cut() -> None:
    assert len(faults_in("{{1}} {{a}} {{2}}")) == 2
    assert all(len(sentence) < 300 for sentence in faults_in("{{" + "é" * 10_000 + "}}"))


def test_names_are_listed_once_and_in_order() -> None:
    assert names_in(r"{{b}} {{a}} {{b}} \{{c}} {{secret.K}} {{1}}") == ["b", "a", "secret.K"]


def test_a_secret_is_told_from_an_attribute() -> None:
    assert Placeholder("secret.API_KEY", "").secret == "API_KEY"
    assert Placeholder("secrets.API_KEY", "").secret is None
    assert Placeholder("secret", "").secret is None
    assert is_name("a" * 100) and not is_name("a" * 101)


@given(st.text(alphabet="\\{}ab.\n é", max_size=60))
def test_nothing_of_a_text_is_lost(text: str) -> None:
    try:
        pieces = scan(text)
    except PlaceholderFault as fault:
        assert fault.sentences
    else:
        assert "".join(piece.source for piece in pieces) == text


ATTRIBUTES = {
    "name": "Ana",
    "order": {"id": 7, "items": [{"sku": "a"}, {"sku": "b"}], "x.y": 1, "none": None},
    "order.id": "exact",
    "order.items": {"0": "by key"},
    "list": [10, [20]],
    "a.b": {"c": 1},
    "a": {"b": {"c": 2, "d": 3}},
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "Ana"),
        ("order.id", "exact"),
        ("order.items.0", "by key"),
        ("order.items.1.sku", "b"),
        ("order.none", None),
        ("list.0", 10),
        ("list.1.0", 20),
        ("a.b.c", 1),
        ("a.b.d", 3),
        ("missing", NOT_FOUND),
        ("name.0", NOT_FOUND),
        ("list.2", NOT_FOUND),
        ("list.-1", NOT_FOUND),
        ("list.x", NOT_FOUND),
        ("order.none.x", NOT_FOUND),
        ("order.", NOT_FOUND),
    ],
)
def test_an_exact_name_comes_before_a_walk(name: str, value: object) -> None:
    assert lookup(name, ATTRIBUTES) == value


def _seconds(text: str) -> float:
    """Without the garbage collector, whose work grows with all that earlier tests have left in this process."""
    gc.disable()
    try:
        start = process_time()
        names_in(text)
        faults_in(text)
        return process_time() - start
    finally:
        gc.enable()


@pytest.mark.parametrize("unit", ["{{", "{{x}}", "{{}}", "}}", "\\{{", "\\", "{{ ", "{"])
def test_a_text_four_times_as_long_takes_about_four_times_as_long(unit: str) -> None:
    small, large = unit * (60_000 // len(unit)), unit * (240_000 // len(unit))
    least = min(_seconds(small) for _ in range(3))
    assert min(_seconds(large) for _ in range(3)) < 12 * least + 0.05


def test_a_megabyte_of_open_braces_is_quick() -> None:
    assert _seconds("{{" * 500_000) < 0.5
