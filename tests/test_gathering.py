"""What a process keeps of an account, the number that tells whether it may, and the commits that callers share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from httpstep.execution import gathering, ratelimit, runs
from httpstep.extensions import db
from httpstep.storage import database
from httpstep.storage.database import ask, editing, together, writing
from httpstep.storage.tables import BudgetHit
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


def test_of_jobs_that_share_a_commit_one_that_fails_costs_the_others_nothing(make_house: MakeHouse) -> None:
    house = make_house()
    got: dict[int, Any] = {}

    def job(number: int, connection: Connection) -> int:
        ask(connection, "INSERT INTO budget_hits (key, at) VALUES (:key, :at)", {"key": f"job/{number}", "at": 1.0})
        if number == 2:
            raise ZeroDivisionError
        return number

    def wait(number: int) -> None:
        with house.app.app_context():
            try:
                got[number] = together(lambda connection: job(number, connection))
            except ZeroDivisionError as error:
                got[number] = error

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(5)]
    turn = house.app.extensions.get(database._TURN, threading.Lock())
    with turn:
        for thread in threads:
            thread.start()
        ends = time.monotonic() + 20
        while len(house.app.extensions.get(database._WAITING, range(5))) < 5 and time.monotonic() < ends:
            time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert isinstance(got.pop(2), ZeroDivisionError) and got == {0: 0, 1: 1, 3: 3, 4: 4}
    with house.app.app_context():
        keys = set(db.session.scalars(db.select(BudgetHit.key)))
    assert keys == {f"job/{number}" for number in (0, 1, 3, 4)}


def test_whoever_waits_too_long_for_a_shared_commit_gives_up_and_holds_up_nobody(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the one that was to commit for all of them: another one does it then."""
    house, got = make_house(), []
    turn = house.app.extensions.get(database._TURN)
    if turn is None:
        return  # PostgreSQL groups its commits by itself

    def add(number: int) -> None:
        with house.app.app_context():
            try:
                values = {"key": f"job/{number}", "at": 1.0}
                together(lambda c: ask(c, "INSERT INTO budget_hits (key, at) VALUES (:key, :at)", values))
                got.append(number)
            except PoolTimeout:
                got.append(None)

    def run(numbers: range) -> None:
        threads = [threading.Thread(target=add, args=(number,)) for number in numbers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in threads)

    with monkeypatch.context() as patched, turn:
        patched.setattr(database, "BUSY_SECONDS", 0.3)
        run(range(8))
    assert got == [None] * 8 and not house.app.extensions[database._WAITING]
    got.clear()
    run(range(100, 140))
    assert sorted(got) == list(range(100, 140))
    with house.app.app_context():
        keys = set(db.session.scalars(db.select(BudgetHit.key)))
    assert keys == {f"job/{number}" for number in range(100, 140)}


def test_a_clock_that_is_set_back_grants_nothing(make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are counted by the numbers at the window's ends, so no row may have an earlier time than the one before."""
    house, spent = make_house(), 0
    with house.app.app_context():
        for back in (0.0, 0.3, 0.6, 0.9, 0.2) * 4:
            monkeypatch.setattr(ratelimit, "_now", lambda _connection, back=back: time.time() - back)
            try:
                ratelimit.spend(1, None)
                spent += 1
            except ratelimit.RateLimited:
                pass
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

    def no_write(_job: object) -> None:
        raise AssertionError("a refusal wrote")

    with monkeypatch.context() as patched:
        patched.setattr(runs, "together", no_write)
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
