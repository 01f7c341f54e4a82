"""A sentence is filled in with attributes, for a person to look at."""

from __future__ import annotations

import pytest

from httpstep.core.inserting.sentences import MAX_CHARACTERS, Part, example_of, sentence_of
from httpstep.core.jsontext import Json

ORDER: dict[str, Json] = {
    "id": 4711,
    "order_status": "shipped",
    "customer": {"name": "Ada"},
    "paid": True,
    "note": None,
}


def said(typed: str) -> str:
    return "".join(part.text for part in sentence_of(typed, ORDER).parts)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("Order {{id}} is {{ order_status }}.", "Order 4711 is shipped."),
        ("Hi {{customer.name}}", "Hi Ada"),
        ("{{paid}}, {{note}}, {{customer}}", 'true, , {"name":"Ada"}'),
        (r"\{{id}}", "{{id}}"),
        ("no names", "no names"),
        ("{{id|number}}", "4711"),
    ],
)
def test_values_stand_where_their_names_stood(typed: str, text: str) -> None:
    assert said(typed) == text


def test_a_name_that_nobody_has_and_a_secret_stay_as_they_are_typed() -> None:
    found = sentence_of("{{never}} {{secret.TOKEN}}", ORDER | {"secret": {"TOKEN": "s3cret"}})
    assert found.parts == (
        Part("{{never}}", "never", unknown=True), Part(" "), Part("{{secret.TOKEN}}", "secret.TOKEN", unknown=True)
    )  # fmt: skip


def test_a_sentence_that_is_half_typed_is_filled_as_far_as_it_goes_and_says_what_is_wrong() -> None:
    found = sentence_of("Order {{id}} is {{order_sta", ORDER)
    assert [part.text for part in found.parts] == ["Order ", "4711", " is "]
    assert "never closed" in found.faults[0]


def test_where_nothing_is_typed_there_is_an_example_of_what_is_there() -> None:
    found = sentence_of("  ", ORDER)
    assert (found.typed, "".join(part.text for part in found.parts)) == ("", "Your order status is shipped.")
    assert example_of({"id": 7}) == "Your id is {{id}}." and example_of({"paid": True, "empty": ""}) == ""
    assert sentence_of("", {}).parts == ()
    assert example_of({"carrier": "DHL", "order_status": "shipped"}) == "Your order status is {{order_status}}."
    assert sentence_of("", {"order": "9999"}, {}).parts == () and sentence_of("{{id}}", ORDER, {}).example == ""


def test_long_texts_are_cut() -> None:
    found = sentence_of("x" * MAX_CHARACTERS + "{{id}}", ORDER)
    assert found.typed == "x" * MAX_CHARACTERS
    assert len(sentence_of("{{long}}", {"long": "y" * 900}).parts[0].text) == 201
