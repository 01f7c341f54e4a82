"""The attributes of a call, read from the beginning of what is kept of it."""

from __future__ import annotations

import pytest

from httpstep.core import jsontext
from httpstep.core.jsontext import Json
from httpstep.core.outcome.given import MAX_CHARACTERS, given_in


def kept(given: Json, name: str = "Order", rest: Json = None) -> str:
    return jsontext.dumps_text({"key": "order", "name": name, "given": given, "timeout": None, "mapping": rest})


@pytest.mark.parametrize(
    "given",
    [{}, {"order.id": "4711", "price": 110, "flags": [True, None, {"a": {}}]}, {'"q"\\': 'a"}, "b": 1'}],
)
def test_they_are_read_as_they_were_kept(given: Json) -> None:
    assert given_in(kept(given, name='A "name": \\ {"given":{"x":1}}', rest=["z" * MAX_CHARACTERS])) == given


@pytest.mark.parametrize("long", ["x" * MAX_CHARACTERS, 1, ["x"] * MAX_CHARACTERS])
def test_those_that_are_not_whole_in_the_beginning_are_left_out(long: Json) -> None:
    text = '{"key":"k","name":"n","given":{"a":1,"long":%s,"c":2},"timeout":null}'
    long_text = "1" * (MAX_CHARACTERS * 2) if isinstance(long, int) else jsontext.dumps_text(long)
    assert given_in(text % long_text) == {"a": 1}


def test_there_may_be_none() -> None:
    assert given_in("{}") == given_in("") == {}
    assert given_in(kept({"deep": jsontext.loads("[" * 90 + "]" * 90)}))["deep"]
