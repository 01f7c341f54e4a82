"""After the answer has arrived: the work grows with the answer alone, the deadline still holds, and a bot gets so much."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from httpstep.core import jsontext
from httpstep.core.answer.automatic import automatic_rules
from httpstep.core.answer.sizes import MAX_ATTRIBUTES
from httpstep.core.authentication import Auth
from httpstep.core.drift.structure import shape_of
from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.core.jsontext import Json
from httpstep.core.outcome import record
from httpstep.core.step.execution import Execution
from httpstep.core.step.spec import MappingRule, RequestSpec, StepSpec
from httpstep.execution import executor
from httpstep.extensions import db
from httpstep.storage.tables import Log
from tests.fakes import Clock, NoTokens, ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]
SECRET = "pl41n-s3cr3t"
SPEC = StepSpec(
    key="a",
    request=RequestSpec(url="https://api.example/", auth=Auth("bearer", {"token": "{{secret.plain}}"})),
    timeout=3,
)


class Slow(Clock):
    """A clock that goes on by `tick` seconds with every look at it, once the answer has arrived."""

    def __init__(self, tick: float) -> None:
        super().__init__()
        self.tick = tick
        self.arrived = False

    def monotonic(self) -> float:
        self.now += self.tick if self.arrived else 0
        return self.now

    def sending(self, response: HttpResponse) -> Callable[[RenderedRequest, float], HttpResponse]:
        def send(_: RenderedRequest, __: float) -> HttpResponse:
            self.now += 0.5
            self.arrived = True
            return response

        return send


def run(given: Json, clock: Slow, *rules: MappingRule, accepted: Json = None, spec: StepSpec = SPEC) -> Execution:
    structure = None if accepted is None else shape_of(accepted)
    known = executor.Known(secrets={"plain": SECRET}, hosts={"plain": None}, structure=structure)
    step = StepSpec(key=spec.key, request=spec.request, timeout=spec.timeout, mapping=rules or None)
    send = clock.sending(answer(200, given))
    return executor.execute(step, {}, send=send, clock=clock, tokens=NoTokens(), known=known)


# ---------------------------------------------------------------- the deadline

WORK: dict[str, tuple[Json, tuple[MappingRule, ...]]] = {
    "reading": (["x"] * 60_000, (MappingRule("a", path=(0,)),)),
    "names": ({f"key {number}": number for number in range(20_000)}, (MappingRule("a", path=("key 0",)),)),
    "mapping": (
        [{"n": number} for number in range(3_000)],
        tuple(MappingRule(f"a{number}", path=(0, "n"), take="all") for number in range(200)),
    ),
    "queries": (
        [{"n": number} for number in range(3_000)],
        tuple(MappingRule(f"a{number}", jsonpath="$..[?@.n>1].n", take="count") for number in range(50)),
    ),
}


@pytest.mark.parametrize("what", WORK)
def test_an_answer_that_came_in_time_and_is_too_much_work_is_a_timeout_that_says_so(what: str) -> None:
    given, rules = WORK[what]
    status = MappingRule("status", call="status")
    default = MappingRule("d", path=("gone",), default=1)
    execution = run(given, Slow(1.0), status, default, *rules, accepted=given)
    assert (execution.outcome.outcome, execution.outcome.next) == ("timeout", "stop")
    assert execution.failure is not None and execution.failure.reason == "timeout_working"
    assert re.fullmatch(
        r"The answer came after [12]\.\d seconds, but it was too much work to read within the 3 seconds allowed\.",
        execution.outcome.message or "",
    )
    assert execution.outcome.attributes == {"status": 200, "d": 1}
    assert execution.outcome.missing == ("d", *(rule.attribute for rule in rules))
    assert not execution.has_document and execution.structure is None and not execution.drift
    assert record.record_of(execution, {}).detail["response"]["status"] == 200


@pytest.mark.parametrize("what", WORK)
def test_with_time_enough_it_is_a_success(what: str) -> None:
    given, rules = WORK[what]
    assert run(given, Slow(0.0001), *rules, accepted=given).outcome.outcome == "success"


def test_a_first_answer_that_is_too_much_work_makes_no_rules() -> None:
    execution = run(WORK["names"][0], Slow(1.0))
    assert execution.outcome.outcome == "timeout" and execution.automatic is None


def test_a_small_answer_is_read_however_late_it_is() -> None:
    assert run({"status": "shipped"}, Slow(1.4), MappingRule("s", path=("status",))).outcome.attributes == {
        "s": "shipped"
    }


# ---------------------------------------------------------------- the work


def bytecodes(work: Callable[[], object]) -> int:
    """How many instructions of Python the work takes: steps that no machine and no load changes."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def nested(size: int) -> Json:
    value: Json = [[[1]]] * size
    for _ in range(size // 50):
        value = [value]
    return value


SHAPES: dict[str, Callable[[int, str], Json]] = {
    "ids, others each call": lambda size, call: {f"{call}{number}": {"n": 1, "s": "x"} for number in range(size)},
    "flat keys": lambda size, _: {f"key {number}": number for number in range(size)},
    "names with a secret": lambda size, _: {f"{SECRET} {number}": number for number in range(size)},
    "objects with a key of their own": lambda size, call: [{f"{call}{number}": 1} for number in range(size)],
    "records, some with a field of their own": lambda size, call: [
        {"n": 1, "s": "x"} | ({call: 1} if number % 3 else {}) for number in range(size)
    ],
    "lists by name, others each call": lambda size, call: {f"{call}{number}": [1, {"b": 2}] for number in range(size)},
    "every second name another": lambda size, call: {
        f"{call if number % 2 else ''}{number}": {call: 1} for number in range(size)
    },
    "nested lists": lambda size, _: nested(size),
    "empty objects": lambda size, _: [{}] * size,
    "texts": lambda size, _: [f"text {number}" for number in range(size)],
    "texts with a secret": lambda size, _: [f"{SECRET} {number}" for number in range(size)],
    "one text": lambda size, _: "x\n" * size,
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_work_of_a_whole_execution_grows_at_most_with_the_answer_and_its_rules(name: str) -> None:
    def line(size: int) -> int:
        accepted, given = (json.loads(json.dumps(SHAPES[name](size, call))) for call in ("a", "b"))
        rules = automatic_rules(accepted, step_key="a", limit=size // 20)

        def work() -> None:
            execution = run(given, Slow(0), *rules, accepted=accepted)
            assert execution.outcome.outcome == "success"
            jsontext.dumps(record.record_of(execution, {}).detail)

        work()
        return bytecodes(work)

    assert line(2000) < 4.6 * line(500)


# ---------------------------------------------------------------- what the bot gets


def test_every_level_mapped_is_an_answer_of_at_most_1_mb(make_house: MakeHouse) -> None:
    text = "[" * 95 + ",".join(["[[1]]"] * 20_000) + "]" * 95
    house = make_house(ThirdParty(answer(200, text=text)))
    house.put(document(mapping=None))
    first, second = house.execute(), house.execute()
    for response in (first, second):
        body = response.json
        assert body["outcome"] == "success"
        assert len(jsontext.dumps(body["attributes"])) <= MAX_ATTRIBUTES
        assert len(response.data) < MAX_ATTRIBUTES + 10_000
        assert len(body["attributes"]) > 5 and len(body["missing"]) > 80


def test_an_answer_too_large_to_hand_on_is_missing_and_its_row_says_why(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(200, {"large": "x" * 300_000, "small": 1})))
    house.put(document(mapping=[{"path": [name], "attribute": name} for name in ("large", "small")]))
    body = house.execute().json
    assert (body["outcome"], body["attributes"], body["missing"]) == ("success", {"small": 1}, ["large"])
    with house.app.app_context():
        rows = jsontext.loads(db.session.query(Log).one().detail)["mapping"]
    assert [row["state"] for row in rows] == ["missing", "ok"] and "256 KB" in rows[0]["why"]
