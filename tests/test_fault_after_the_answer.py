"""Whatever goes wrong inside httpstep after a call has left: the row is ended, the place is free, the key is settled,
and the answer has its `next`."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from types import CodeType
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DataError, OperationalError

from httpstep.execution import calls, postponed
from httpstep.extensions import db
from httpstep.storage import logs
from httpstep.storage.tables import Idempotency, Log
from tests.fakes import ThirdParty, answer
from tests.faulty import Watched, forget, functions_by_code
from tests.house import House, document
from tests.sweeps import Sweep
from tests.web.conftest import Web
from tests.web.screen import limit, open_step, web_with

pytestmark = [
    pytest.mark.timeout(900),  # some hundred functions, each with several faults
    # A generator that is given up half-way is closed by Python, which drops what is raised there, a fault of ours too.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <generator:pytest.PytestUnraisableExceptionWarning"),
]
SQLITE_ONLY = "which function fails is no matter of the database"
MakeHouse = Callable[..., House]
KINDS: list[Callable[[], Exception]] = [
    lambda: RuntimeError("boom"),
    lambda: KeyError("boom"),
    lambda: RecursionError("boom"),
    lambda: MemoryError("boom"),
    lambda: DataError("boom", {}, Exception("boom")),
    lambda: OperationalError("boom", {}, Exception("database is locked")),
]
USUAL = {"id": 7, "name": "Ada", "tags": ["a"]}
RULES = [{"path": ["id"], "attribute": "customer.id"}, {"jsonpath": "$.tags[*]", "attribute": "tags", "take": "all", "convert": "text"}]  # fmt: skip
LAST_RESORT = (
    "execution/postponed:Postponed.write_first_of", "storage/database:", "storage/sqlitefile:", "storage/patience:",
    "storage/tables/columns:Text.", "extensions:kept",
)  # fmt: skip
"""What even the last of several ways to end a row goes through: if one of these never works, nothing is written."""


class Scene:
    """A step, what was asked of it before, and the answer during which a fault happens."""

    def __init__(self, key: str, before: list[Any], then: Any, status: int = 200, **members: Any) -> None:
        self.key, self.before, self.then, self.status, self.members = key, before, then, status, members

    def prepare(self, web: Web, third: Watched, key: str) -> None:
        mail = {"alert_emails": ["ops@shop.example"], "alert_on_drift": True, "fallback": "continue"}
        web.house.put(document(key, url="https://api.example/x", **mail | self.members))
        for earlier in self.before:
            third.answers = [answer(200, earlier)]
            assert web.house.execute(key).json["outcome"] == "success"
        third.answers, third.requests[:] = [answer(self.status, self.then)], []


SCENES = [
    Scene("first", [], USUAL),
    Scene("usual", [USUAL, {"odd": 1}], USUAL, mapping=RULES),
    Scene("odd", [USUAL, {"odd": 1}, {"odd": 1}], {"odd": 1}, mapping=RULES),
    Scene("failed", [], {"message": "no"}, 500, mapping=RULES),
]


@pytest.fixture
def faulty(make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Web, Watched]]:
    monkeypatch.setattr(postponed, "AGAIN_AFTER", 0.01)
    third = Watched(answer(200, USUAL))
    web = web_with(make_house, third, SMTP_URL="smtp://127.0.0.1:1", MAIL_FROM="a@b.example")
    limit(web, 1_000_000)
    yield web, third
    forget()
    gc.collect()


def settled(web: Web, what: str) -> None:
    """No row is running, no place is held, no key waits; at once, but for what waits for the database."""
    parts: calls.Parts = web.house.app.extensions["httpstep"]
    assert parts.postponed.finish(20) == 0, what
    ends = time.monotonic() + 20
    while (left := unsettled(web)) and time.monotonic() < ends:
        time.sleep(0.02)
    assert not left, (what, left)
    assert parts.places._value == parts.places._initial_value, what  # type: ignore[attr-defined]


def unsettled(web: Web) -> list[str]:
    with web.house.app.app_context():
        rows = db.session.scalar(select(func.count()).select_from(Log).where(Log.state == "running"))
        keys = db.session.scalar(select(func.count()).select_from(Idempotency).where(Idempotency.state == "running"))
        return [f"{rows} rows"] * bool(rows) + [f"{keys} keys"] * bool(keys)


def faults(found: dict[CodeType, str], each: int) -> Iterator[tuple[str, Callable[[Watched], Any]]]:
    """Every function with so many kinds of error the first time, and with one of them each time."""
    known, kinds, in_turn = functions_by_code(), cycle(KINDS[:5]), cycle(KINDS)
    for code, name in found.items():
        for kind in islice(in_turn, each):
            yield f"{name} once", lambda third, code=code, kind=kind: third.failing_once(code, kind())
        if code in known and not name.startswith(LAST_RESORT):
            one = next(kinds)
            yield f"{name} always", lambda third, code=code, one=one: third.failing_always(known[code], one())


def check_answer(response: Any, what: str, *next_: str) -> None:
    assert response.is_json and response.json.get("next") in next_, (what, response.status_code, response.text)
    assert {"outcome", "attributes", "missing", "http", "message", "log_id"} <= set(response.json), (
        what,
        response.json,
    )
    assert response.status_code == (500 if response.json["outcome"] == "internal" else 200), what
    assert "boom" not in response.text


def functions_in(scene: Scene, web: Web, third: Watched) -> dict[CodeType, str]:
    """What a bot's call reaches there, once the process has made what it keeps in memory from a first call on."""
    scene.prepare(web, third, f"warm-{scene.key}")
    web.house.execute(f"warm-{scene.key}")
    key = f"watched-{scene.key}"
    scene.prepare(web, third, key)
    return third.functions_of(lambda: web.house.execute(key, headers={"Idempotency-Key": key}))


def share_of(scene: Scene, every: dict[CodeType, str], web: Web, third: Watched) -> dict[CodeType, str]:
    """Of every function that it reaches its part, where each is tried in one of the scenes that reach it: they have turns."""
    reached = {one.key: functions_in(one, web, third) for one in SCENES if one is not scene} | {scene.key: every}
    share = set()
    for place, name in enumerate(sorted({name for found in reached.values() for name in found.values()})):
        keys = [one.key for one in SCENES if name in reached[one.key].values()]
        if keys[place % len(keys)] == scene.key:
            share.add(name)
    return {code: name for code, name in every.items() if name in share}


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.key)
def test_a_bots_call_is_ended_and_answered(faulty: tuple[Web, Watched], scene: Scene, sweep: Sweep) -> None:
    web, third = faulty
    every = functions_in(scene, web, third)
    found = every if sweep.whole else share_of(scene, every, web, third)
    sweep.tell(len(found), len(every))
    each_time_anew = scene.key == "first"
    scene.prepare(web, third, scene.key)
    reached = number = 0
    for number, (what, failing) in enumerate(faults(found, 2 if each_time_anew and sweep.whole else 1)):
        key = f"{scene.key}-{number}" if each_time_anew else scene.key
        if each_time_anew:
            web.house.call("DELETE", f"/steps/{scene.key}-{number - 1}")
            scene.prepare(web, third, key)
        del third.requests[:]
        head = {"Idempotency-Key": f"k{number}"}
        with failing(third) as done:
            response = web.house.execute(key, headers=head)
        reached += bool(done)
        check_answer(response, what, "continue")
        settled(web, what)
        again = web.house.execute(key, headers=head)
        assert again.status_code in (200, 409, 500) and again.json["next"] == "continue", what
        assert len(third.requests) == 1, (what, "a call was sent twice")
    # Some are not called each time: what was read of a text before is kept, and a portion may fall on such.
    assert reached > (0.85 if sweep.whole else 0.7) * number
    assert web.house.execute(key).json["outcome"] == ("http_error" if scene.status == 500 else "success")


def test_a_flow_is_ended_and_answered(faulty: tuple[Web, Watched], sweep: Sweep) -> None:
    web, third = faulty
    for key in ("find", "greet"):
        SCENES[1].prepare(web, third, key)
    web.house.flow("find", "greet")
    third.answers = [answer(200, USUAL)]
    found = third.functions_of(lambda: web.house.run_flow(headers={"Idempotency-Key": "k"}))
    reached = number = 0
    for number, (what, failing) in enumerate(sweep.portion(faults(found, 1), 6)):
        del third.requests[:]
        head = {"Idempotency-Key": f"k{number}"}
        with failing(third) as done:
            response = web.house.run_flow(headers=head)
        reached += bool(done)
        check_answer(response, what, "continue", "stop")  # stop: of a step that cannot be read
        settled(web, what)
        made = len(third.requests)
        again = web.house.run_flow(headers=head)
        assert again.json["next"] in ("continue", "stop") and len(third.requests) == made <= 2, what
    assert reached > 0.85 * number  # what only a first answer teaches is not reached again


def test_a_test_is_ended_and_says_so(faulty: tuple[Web, Watched], sweep: Sweep) -> None:
    web, third = faulty
    SCENES[2].prepare(web, third, "tested")
    screen = open_step(web.as_("bob"), 1)
    found = third.functions_of(lambda: screen.fragment("test"))
    reached, tried = 0, sweep.portion(zip(found.items(), cycle(KINDS), strict=False), 11)
    for (code, name), kind in tried:
        with third.failing_once(code, kind()) as done:
            shown = screen.fragment("test")
        reached += bool(done)
        failed = "httpstep itself failed" in shown.text or "cannot reach its storage" in shown.text
        assert failed or 'id="test-result"' in shown.text, (name, kind, shown.status_code, shown.text)
        assert "No call was made" not in shown.text and "boom" not in shown.text, (name, kind)
        settled(web, name)
    assert reached > 0.9 * len(tried)


def test_a_command_is_ended_and_answered(faulty: tuple[Web, Watched], sweep: Sweep) -> None:
    web, third = faulty
    SCENES[1].prepare(web, third, "told")
    runner = web.house.app.test_cli_runner()

    def run() -> Any:
        return runner.invoke(args=["step", "run", "told", "--account", "default"])

    run()  # takes in once what the odd answer before it taught
    found = third.functions_of(run)
    reached, tried = 0, sweep.portion(zip(found.items(), cycle(KINDS), strict=False), 5)
    for (code, name), kind in tried:
        with third.failing_once(code, kind()) as done:
            ran = run()
        reached += bool(done)
        settled(web, name)
        if name not in ("core/jsontext:pretty", "core/jsontext:dumps"):  # the answer itself cannot be written then
            said = json.loads(ran.stdout)
            too_deep = name == "core/jsontext:_read" and isinstance(kind(), RecursionError)
            outcome = "not_json" if too_deep else "success"
            assert said["next"] == "continue" and (ran.exit_code != 0 or said["outcome"] == outcome), (name, said)
    assert reached > 0.9 * len(tried)


def test_the_test_panel_says_that_httpstep_failed_and_what_a_bot_would_do(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = web_with(make_house, ThirdParty(answer(200, USUAL)))
    web.house.put(document(url="https://api.example/x", fallback="continue"))

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("boom")

    monkeypatch.setattr("httpstep.core.outcome.record.record_of", broken)
    shown = open_step(web.as_("bob"), 1).fragment("test")
    assert shown.status_code == 200
    assert "httpstep itself failed. The operator finds the reason in the application&#39;s log." in shown.text
    assert "In a live call your bot would do this: Continue Further Steps." in shown.text
    assert web.house.logs()[0]["outcome"] == "internal"


def test_the_end_of_the_process_leaves_the_row_to_be_interrupted(make_house: MakeHouse) -> None:
    class Third(ThirdParty):
        def __call__(self, *_: Any) -> Any:
            raise SystemExit(1)

    house = make_house(Third())
    house.put(document())
    with pytest.raises(SystemExit):
        house.execute(headers={"Idempotency-Key": "k"})
    assert [log["state"] for log in house.logs()] == ["running"]
    parts: calls.Parts = house.app.extensions["httpstep"]
    assert parts.places._value == parts.places._initial_value  # type: ignore[attr-defined]
    with house.app.app_context():
        assert logs.interrupt(parts.instance) == 1
    assert [log["outcome"] for log in house.logs()] == ["interrupted"]
    assert house.execute(headers={"Idempotency-Key": "k"}).json["title"] == "Outcome Unknown"
