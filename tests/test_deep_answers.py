"""An answer may nest as deep as the limit for foreign text lets in, and what is written of it is read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from httpstep.core import jsontext
from httpstep.core.drift import structure
from httpstep.core.errors import UnreadableAnswer
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.sweeps import Sweep
from tests.web.conftest import Web
from tests.web.screen import limit, open_step, web_with

SQLITE_ONLY = "what is read back is text on either database"
MakeHouse = Callable[..., House]
DEEPEST = jsontext.MAX_DEPTH


def nested(kinds: str, leaf: Any = 1) -> Any:
    """A document of as many levels as `kinds` has letters: o an object, l a list, w an object and d one with others
    beside, t a list with others beside."""
    for kind in reversed(kinds):
        beside = {"o": {}, "w": {"b": 1}, "d": {"b": {"c": [1]}}}.get(kind)
        leaf = {"a": leaf} | beside if beside is not None else [leaf] if kind == "l" else [leaf, {"z": 1}]
    return leaf


DEEP = nested("ol" * (DEEPEST // 2 - 1))
"""As deep as an attribute can be in a request."""
depths = st.one_of(
    st.text("olwdt", min_size=1, max_size=30),
    st.builds(lambda kinds, levels: (kinds * levels)[:levels], st.text("olwdt", min_size=1, max_size=5), st.integers(60, DEEPEST - 2)),
    st.builds(lambda kind, levels: kind * levels, st.sampled_from("ol"), st.integers(DEEPEST - 5, DEEPEST)),
)  # fmt: skip
"""The levels beside a branch take two more at its end."""


@given(depths)
@settings(deadline=None)
def test_a_structure_is_read_back_whatever_it_was_made_from(kinds: str) -> None:
    shape = structure.shape_of(nested(kinds))
    text = jsontext.dumps(shape)
    assert jsontext.read_back(text) == jsontext.read_back(text.decode()) == shape
    assert not structure.compare(shape, jsontext.read_back(text)) and structure.merge(shape, shape) == shape


@pytest.mark.parametrize("value", [1, "\ud800", "-0"], ids=["plain", "lone surrogate", "negative zero"])
def test_what_was_written_is_read_back_and_a_foreign_text_of_that_depth_is_refused(value: Any) -> None:
    for levels in (DEEPEST, DEEPEST + 1, 2 * DEEPEST + 10):
        text = jsontext.dumps(
            nested("ol" * (levels // 2) + "o" * (levels % 2), jsontext.WrittenNumber("-0") if value == "-0" else value)
        )
        assert jsontext.dumps(jsontext.read_back(text)) == text
        if levels > DEEPEST:
            with pytest.raises(UnreadableAnswer) as refused:
                jsontext.loads(text)
            assert refused.value.reason == "too_deep"
        else:
            jsontext.loads(text)


def test_a_step_that_got_any_answer_goes_on_working(make_house: MakeHouse, sweep: Sweep) -> None:
    third = ThirdParty()
    web = web_with(make_house, third, IN_FLIGHT="2")
    limit(web, 100_000)
    seen = []

    @given(depths, depths, st.booleans())
    @settings(deadline=None, max_examples=sweep.count(1, 8), phases=(Phase.generate,))
    def goes_on_working(first: str, later: str, shared: bool) -> None:
        seen.append(first)
        goes_on(web, third, len(seen), nested(first), nested((first + later)[: DEEPEST - 2] if shared else later))

    goes_on_working()
    goes_on(web, third, len(seen) + 1, nested("o" * DEEPEST), nested("l" * DEEPEST))
    goes_on(web, third, len(seen) + 2, nested("lo" * (DEEPEST // 2)), nested("l" * (DEEPEST - 1), {}))


def goes_on(web: Web, third: ThirdParty, number: int, first: Any, later: Any) -> None:
    """A bot's calls, the editor's page, a test, the views of both, and a flow, for a step whose answers are these."""
    house, key, bob = web.house, f"step-{number}", web.as_("bob")
    house.put(document(key, url="https://api.example/x"))
    ref = house_id(house, key)
    for times, document_ in enumerate((first, first, later, later, later, later, first)):
        third.answers = [answer(200, document_)]
        called = house.execute(key, {"deep": DEEP}, headers={"Idempotency-Key": f"k{times}"})
        assert (called.status_code, called.json["outcome"], called.json["next"]) == (200, "success", "continue")
    again = house.execute(key, {"deep": DEEP}, headers={"Idempotency-Key": f"k{times}"})
    assert again.data == called.data and again.headers["Idempotency-Replayed"] == "true"
    screen = open_step(bob, ref)
    assert screen.status == 200
    tested = screen.fragment("test")
    assert tested.status_code == 200 and 'id="panel-map"' in tested.text, tested.text[:2000]
    assert screen.press("test").status == 200 and screen.press("save").status == 200
    rows = house.logs(key)
    assert {row["state"] for row in rows} == {"done"} and {row["outcome"] for row in rows} == {"success"}
    for row in (rows[0], rows[-1]):
        assert bob.get(f"/steps/{ref}/logs/{row['id']}").status_code == 200
    assert bob.get("/steps").status_code == bob.get("/attributes").status_code == 200
    house.flow(key, key, name=f"Flow {number}")
    ran = house.run_flow(f"flow-{number}", headers={"Idempotency-Key": "k"})
    assert (ran.status_code, ran.json["outcome"], len(ran.json["steps"])) == (200, "success", 2)
    assert house.run_flow(f"flow-{number}", headers={"Idempotency-Key": "k"}).data == ran.data


def house_id(house: House, key: str) -> int:
    with house.state(key) as state:
        return int(state.step_id)


def test_a_rule_gives_a_value_that_is_itself_as_deep_as_the_answer(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(200, nested("o" * DEEPEST)), answer(500, {})))
    rule = {"path": ["a"], "attribute": "all", "default": nested("l" * (DEEPEST - 10))}
    assert house.put(document(mapping=[rule])).status_code == 201
    for _ in range(2):
        deep = house.execute(headers={"Idempotency-Key": "k"}).json["attributes"]["all"]
        assert deep == nested("o" * (DEEPEST - 1))
    assert house.execute().json["attributes"]["all"] == rule["default"]


def test_a_default_typed_as_deep_as_a_text_may_be_does_not_lock_the_step(make_house: MakeHouse) -> None:
    web = web_with(make_house, ThirdParty(answer(200, {"b": 1})))
    rule = {"path": ["a"], "attribute": "all"}
    web.house.put(document(mapping=[rule]))
    default = json.dumps(nested("l" * DEEPEST))
    screen = open_step(web.as_("bob"), 1)
    [name] = [name for name, _ in screen.fields if name.startswith("rule-") and name.endswith("-default")]
    assert screen.set(name, default).press("save").status == 200
    assert web.house.execute().json["attributes"]["all"] == json.loads(default)
