"""What a process keeps of an account, the number that tells whether it may, and what is written around a call."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Dialect, text
from sqlalchemy.exc import OperationalError

from httpstep.execution import gathering, recording, starting
from httpstep.execution.budget import hits, ratelimit
from httpstep.extensions import db
from httpstep.storage import sqlitefile
from httpstep.storage.database import editing, writing
from httpstep.storage.tables import BudgetHit, Log
from httpstep.upkeep import installation
from tests.fakes import ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]
EDITS = (
    "UPDATE accounts SET per_minute = 7", "UPDATE accounts SET in_flight = 7", "UPDATE api_keys SET revoked_at = 1",
    "UPDATE steps SET document = document || ' '", "UPDATE step_states SET automatic = '[]'",
    "UPDATE step_states SET structure = '{}'", "INSERT INTO attributes (account_id, name, in_bot) VALUES (1, 'a', true)",
    "DELETE FROM attributes", "INSERT INTO secrets (account_id, name, token, updated_at) VALUES (1, 'a', '', 0)",
    "DELETE FROM secrets", "DELETE FROM steps",
)  # fmt: skip


def edition(house: House) -> int:
    with house.app.app_context():
        return house.app.extensions["httpstep"].accounts.get(1).edition  # type: ignore[no-any-return]


def write(house: House, statement: str) -> None:
    with house.app.app_context(), writing() as connection:
        connection.execute(text(statement))


def test_each_edit_of_what_calls_read_draws_a_new_edition(make_house: MakeHouse) -> None:
    house = make_house()
    house.put(document())
    seen = [edition(house)]
    for statement in EDITS:
        write(house, statement)
        seen.append(edition(house))
    assert len(set(seen)) == len(seen)
    write(house, "UPDATE api_keys SET last_used_at = 1")
    write(house, "UPDATE step_states SET failures = failures + 1")
    assert edition(house) == seen[-1], "what calls write themselves makes nothing old"


def test_a_trigger_that_was_lost_is_put_back_by_the_next_start(make_house: MakeHouse) -> None:
    """As by a migration that copies a table on SQLite: a revoked key would stay good."""
    house = make_house(ThirdParty(answer(200, {"a": 1})))
    house.put(document())
    assert house.execute().status_code == 200
    with house.app.app_context(), db.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        kind = "sqlite_master WHERE type = 'trigger' AND tbl_name = 'api_keys'"
        kept = "information_schema.triggers WHERE event_object_table = 'api_keys'"
        names = connection.execute(
            text(f"SELECT {'name' if sqlite else 'trigger_name'} FROM {kind if sqlite else kept}")
        )
        found = {str(name) for (name,) in names}
        for name in found:
            connection.execute(text(f"DROP TRIGGER {name}" + ("" if sqlite else " ON api_keys")))
        connection.execute(text("UPDATE api_keys SET revoked_at = 1"))
        connection.commit()
    assert len(found) == 3
    before = edition(house)
    installation.prepare(house.app)
    assert edition(house) != before
    assert house.execute().status_code == 401
    before = edition(house)
    write(house, "UPDATE api_keys SET revoked_at = NULL")
    assert edition(house) != before and house.execute().status_code == 200


def rows_of_23_calls(house: House) -> tuple[list[Any], list[Any], list[Any]]:
    """What was answered, the hits and the logs, but times and ids."""
    answers = [house.execute() for _ in range(23)]
    own = ("id", "request_id", "started_at", "duration_ms", "detail")
    columns = [column for column in Log.__table__.columns if column.name not in own]
    with house.app.app_context():
        counted = db.session.execute(db.select(BudgetHit.key, BudgetHit.number).order_by(BudgetHit.id)).all()
        logs = db.session.execute(db.select(*columns).order_by(Log.id)).all()
    told = [(a.status_code, a.headers["RateLimit"].split(";")[1], a.json.get("attributes")) for a in answers]
    write(house, "DELETE FROM budget_hits")
    write(house, "DELETE FROM logs")
    return told, [tuple(row) for row in counted], [tuple(row) for row in logs]


def test_one_step_writes_what_a_transaction_writes(make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start rows, ends, the newest twenty kept, the budget and what is told of it."""
    house = make_house(ThirdParty(*[answer(200, {"a": 1})] * 45))
    house.put(document())
    house.limit(22)
    assert house.execute().status_code == 200, "the first answer teaches the step its structure"
    write(house, "DELETE FROM budget_hits")
    write(house, "DELETE FROM logs")
    in_one_step = rows_of_23_calls(house)
    for module in (starting, recording):
        monkeypatch.setattr(module, "can_do_one_step", lambda: False)
    assert in_one_step == rows_of_23_calls(house)
    assert (len(in_one_step[1]), len(in_one_step[2])) == (22, 20)


def test_an_error_while_a_connection_learns_its_step_costs_one_call_and_no_other(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, asked = make_house(ThirdParty(*[answer(200, {"a": 1})] * 2)), sqlitefile.run
    house.put(document())

    def once(dialect: Dialect, driver: Any, statement: str, values: Mapping[str, Any]) -> list[Any]:
        if statement.startswith("CREATE TEMP TRIGGER"):
            monkeypatch.setattr(sqlitefile, "run", asked)
            raise OperationalError("CREATE", {}, Exception("database is locked"))
        return asked(dialect, driver, statement, values)

    monkeypatch.setattr(sqlitefile, "run", once)
    first = house.execute().status_code
    with house.app.app_context():
        assert first == (503 if db.engine.dialect.name == "sqlite" else 200)
    assert house.execute().status_code == 200


@pytest.mark.sqlite_only("on PostgreSQL the edition is read first, in Flask's way")
def test_what_is_not_begun_before_flask_is_asked_again_by_its_way(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the body that was read, and once; the answer carries the same headers either way."""
    house = make_house(third := ThirdParty(*[answer(200, {"a": 1})] * 6))
    house.put(document(method="POST", body={"mode": "json", "text": '{"order": {{order.id}}}'}))
    house.limit(5)
    for _ in range(2):  # the first answer is an edit: its structure is kept
        assert house.execute().status_code == 200
    by_flask: list[str] = []
    dispatch = type(house.app).full_dispatch_request

    def noted(app: Any) -> Any:
        by_flask.append("called")
        return dispatch(app)

    monkeypatch.setattr(type(house.app), "full_dispatch_request", noted)
    before = house.execute(attributes={"order.id": 7})
    assert (before.status_code, by_flask) == (200, [])
    write(house, "UPDATE accounts SET per_minute = 4")
    after = house.execute(attributes={"order.id": 8})
    assert (after.status_code, len(by_flask)) == (200, 1)
    assert sorted(before.headers.keys()) == sorted(after.headers.keys())
    assert before.headers["Cache-Control"] == "no-store"
    assert [request.body for request in third.requests[2:]] == [b'{"order": 7}', b'{"order": 8}']
    assert (house.execute().status_code, len(third.requests), len(by_flask)) == (429, 4, 2)


@pytest.mark.sqlite_only("on PostgreSQL the edition is read first, in Flask's way")
def test_a_database_that_is_away_is_waited_for_once(make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    house = make_house(ThirdParty(*[answer(200, {"a": 1})] * 2))
    house.put(document())
    for _ in range(2):
        assert house.execute().status_code == 200
    asked: list[str] = []

    def away(*_: Any, key: str, **__: Any) -> None:
        asked.append(key)
        raise OperationalError("SELECT", {}, Exception("unable to open database file"))

    monkeypatch.setattr(gathering.steps, "load", away)
    refused = house.execute("another")
    assert (refused.status_code, asked) == (503, ["another"])


def test_a_call_without_a_place_in_flight_spends_nothing(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(200, {"a": 1})))
    house.put(document())
    write(house, "UPDATE accounts SET in_flight = 1")
    assert house.execute().status_code == 200
    write(house, f"UPDATE logs SET state = 'running', started_at = {time.time()}")
    refused = house.execute()
    assert (refused.status_code, refused.json["title"]) == (429, "Too Many Calls In Flight")
    with house.app.app_context():
        assert db.session.scalars(db.select(BudgetHit.number)).all() == [1]


def test_a_call_takes_away_hits_that_nobody_counts_any_more(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(200, {"a": 1}), answer(200, {"a": 1})))
    house.put(document())
    assert house.execute().status_code == 200
    write(house, "UPDATE budget_hits SET at = at - 4000")
    assert house.execute().status_code == 200
    with house.app.app_context():
        assert db.session.scalars(db.select(BudgetHit.number)).all() == [2]


def test_a_clock_that_is_set_back_grants_nothing(make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are counted by the numbers at the window's ends, so no row may have an earlier time than the one before."""
    house, spent = make_house(ThirdParty(*[answer(200, {"a": 1})] * 10)), 0
    house.put(document())
    for number, back in enumerate((0.0, 0.3, 0.6, 0.9, 0.2) * 4):
        clock = SimpleNamespace(time=lambda back=back: time.time() - back, monotonic=time.monotonic)
        for counting in (hits, starting):
            monkeypatch.setattr(counting, "time", clock)
        if number % 2:
            spent += house.execute().status_code == 200
            continue
        with house.app.app_context(), suppress(ratelimit.RateLimited):
            ratelimit.spend(1, None)
            spent += 1
    with house.app.app_context():
        rows = db.session.execute(db.select(BudgetHit.number, BudgetHit.at).order_by(BudgetHit.number)).all()
    assert spent == 10 and [number for number, _ in rows] == list(range(1, 11))
    assert [at for _, at in rows] == sorted(at for _, at in rows)


def test_what_is_known_to_be_spent_is_refused_without_a_transaction_that_writes(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(ThirdParty(answer(200, {"a": 1})))
    house.put(document())
    house.limit(1)
    assert [house.execute().status_code for _ in range(2)] == [200, 429]

    def no_write(*_: object) -> None:
        raise AssertionError("a refusal wrote")

    with monkeypatch.context() as patched:
        patched.setattr(starting, "begin", no_write)
        refused = house.execute()
    assert (refused.status_code, refused.json["title"]) == (429, "Rate Limit Exceeded")
    assert 55 <= int(refused.headers["Retry-After"]) <= 60
    house.limit(2)
    assert house.execute().status_code == 200, "a limit that is raised is in force at once"


def test_a_step_that_is_saved_is_what_the_next_call_runs(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty(answer(200, {"a": 1})))
    for path in ("one", "two"):
        house.put(document(url=f"https://api.example/{path}"))
        assert house.execute().status_code == 200 and third.requests[-1].url.endswith(path)
    with house.app.app_context(), editing():
        db.session.execute(text("DELETE FROM steps"))
    assert house.execute().status_code == 404


@pytest.mark.parametrize(
    ("edit", "status", "told"),
    [
        ("UPDATE api_keys SET revoked_at = 1", 401, "Unauthorized"),
        ("UPDATE accounts SET per_minute = 2", 429, "Rate Limit Exceeded"),
        ("DELETE FROM steps", 404, "Not Found"),
        ("UPDATE steps SET document = replace(document, 'GET', 'DELETE')", 200, "DELETE"),
    ],
)
def test_what_was_edited_elsewhere_is_in_force_with_the_next_call(
    make_house: MakeHouse, edit: str, status: int, told: str
) -> None:
    third_party = ThirdParty(*[answer(200, {"a": 1})] * 3)
    house = make_house(third_party)
    house.put(document())
    assert [house.execute().status_code for _ in range(2)] == [200, 200]
    write(house, edit)
    given = house.execute()
    assert given.status_code == status
    last = third_party.requests[-1].method if status == 200 else given.json["title"]
    assert (last, len(third_party.requests)) == (told, 3 if status == 200 else 2)
    with house.app.app_context():
        assert db.session.query(BudgetHit).count() == len(third_party.requests)


def test_a_refusal_says_what_the_step_is_now(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(*[answer(200, {"a": 1})] * 2))
    house.put(document(fallback="continue"))
    assert [house.execute().status_code for _ in range(2)] == [200, 200]
    address = "/steps/order-status/execute"
    assert house.call("POST", address, data="{").json["next"] == "continue"
    write(house, "UPDATE steps SET document = replace(document, 'continue', 'stop')")
    assert house.call("POST", address, data="{").json["next"] == "stop"


def test_a_call_of_an_account_that_is_kept_reads_nothing(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(ThirdParty(*[answer(200, {"a": 1})] * 4))
    house.put(document())
    assert [house.execute().status_code for _ in range(2)] == [200, 200]
    with house.app.app_context():
        reads_first = db.engine.dialect.name != "sqlite"  # where no statement begins a call by itself
    monkeypatch.setattr(gathering, "look", None)
    assert house.execute().status_code == (500 if reads_first else 200)


def test_steps_are_kept_up_to_a_number_of_characters(make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    house = make_house(ThirdParty(answer(200, {"a": 1})))
    for number in range(4):
        house.put(document(key=f"step-{number}"))
    accounts = house.app.extensions["httpstep"].accounts
    with house.app.app_context():
        first = accounts.get(1)
        one = first.step(key="step-0").characters
        monkeypatch.setattr(gathering, "_MAX_CHARACTERS", one + 1)
        assert accounts.get(1) is first
        first.step(key="step-0")
        first.step(key="step-1")
        assert accounts.get(1) is not first, "more than that is forgotten"
        monkeypatch.setattr(gathering, "_LARGE", one - 1)
        account = accounts.get(1)
        assert account.step(key="step-0") is not account.step(key="step-0"), "a large one is not kept"
