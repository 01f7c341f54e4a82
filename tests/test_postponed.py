"""What follows from a call is written as soon as the database answers again; the bot has its answer before."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import DataError, OperationalError

from httpstep.execution import (
    idempotency,
    postponed,
    runs,
    starting,
)
from httpstep.execution.budget import ratelimit
from httpstep.extensions import db
from httpstep.storage import logs, steps
from httpstep.storage.database import editing
from httpstep.storage.tables import Account, Idempotency
from tests.fakes import ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]
MAIL = {"SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "steps@shop.example"}


class Away:
    """Stands before a function: raises while `away`, and counts how often it was asked then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        self.away, self.asked, self._whole = True, 0, getattr(owner, name)
        monkeypatch.setattr(owner, name, self)
        monkeypatch.setattr(postponed, "AGAIN_AFTER", 0.02)

    def __call__(self, *given: Any, **named: Any) -> Any:
        if self.away:
            self.asked += 1
            raise OperationalError("UPDATE", {}, Exception("database is locked"))
        return self._whole(*given, **named)


def waited(done: Callable[[], bool]) -> bool:
    ends = time.monotonic() + 20
    while not done() and time.monotonic() < ends:
        time.sleep(0.02)
    return done()


def key_states(house: House) -> list[str]:
    with house.app.app_context():
        return list(db.session.scalars(db.select(Idempotency.state)))


def test_the_end_of_a_call_is_written_when_the_database_answers_again(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(ThirdParty(answer(500, {})), **MAIL)
    house.put(document(alert_emails=["ops@shop.example"]))
    with house.app.app_context(), editing():
        db.session.scalars(db.select(Account)).one().in_flight = 1
    away = Away(monkeypatch, runs.logs, "finish")
    assert house.execute().json["outcome"] == "http_error"
    assert house.logs()[0]["state"] == "running"
    assert house.execute().json["title"] == "Too Many Calls In Flight"
    away.away = False
    assert waited(lambda: house.logs()[0]["state"] == "done")
    with house.state() as state:
        assert state.failures == 1 and state.last_alert_at is not None
    assert house.execute().status_code == 200 and away.asked >= 1


def test_an_answer_that_was_given_can_be_had_again(make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    third = ThirdParty(answer(200, {"a": 1}))
    house = make_house(third)
    house.put(document())
    finish, store = Away(monkeypatch, runs.logs, "finish"), Away(monkeypatch, idempotency, "store")
    first = house.execute(headers={"Idempotency-Key": "k"})
    assert first.status_code == 200 and key_states(house) == ["running"]
    assert (finish.asked > 0, store.asked) == (True, 0), "behind a write that waits, the next one is not waited for"
    finish.away = store.away = False
    assert waited(lambda: key_states(house) == ["done"])
    again = house.execute(headers={"Idempotency-Key": "k"})
    assert again.json == first.json and len(third.requests) == 1


def test_a_refused_call_gives_its_key_back(make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    third = ThirdParty(answer(200, {"a": 1}))
    house = make_house(third)
    house.put(document(fallback="continue"))
    begin, release = Away(monkeypatch, starting, "begin"), Away(monkeypatch, idempotency, "release")
    refused = house.execute(headers={"Idempotency-Key": "k"})
    assert (refused.status_code, refused.json["next"]) == (503, "continue") and "Retry-After" in refused.headers
    begin.away = release.away = False
    assert waited(lambda: key_states(house) == [])
    assert house.execute(headers={"Idempotency-Key": "k"}).status_code == 200 and len(third.requests) == 1


def test_a_record_that_no_database_takes_still_ends_the_call(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(ThirdParty(answer(200, {"a": 1})))
    house.put(document())
    whole = logs.finish

    def picky(connection: Any, log_id: int, values: dict[str, Any]) -> bool:
        if "detail" in values:
            raise DataError("UPDATE", {}, Exception("invalid byte sequence"))
        return whole(connection, log_id, values)

    monkeypatch.setattr(logs, "finish", picky)
    assert house.execute().json["outcome"] == "success"
    [log] = house.logs()
    assert (log["state"], log["outcome"]) == ("done", "success")


def test_a_retry_whose_budget_cannot_be_asked_is_not_made(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    third = ThirdParty(answer(503, {}))
    house = make_house(third)
    house.put(document(retries=2))
    whole = ratelimit.spend

    def once(*given: Any) -> ratelimit.Budget:
        if third.requests:
            raise OperationalError("INSERT", {}, Exception("database is locked"))
        return whole(*given)

    monkeypatch.setattr(ratelimit, "spend", once)
    response = house.execute()
    assert (response.status_code, response.json["outcome"], response.json["http"]["status"]) == (200, "http_error", 503)
    assert len(third.requests) == 1 and len(house.logs()[0]["tries"]) == 1


def test_a_first_answer_without_a_database_is_a_success_that_maps_nothing(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(ThirdParty(answer(200, {"a": 1})))
    house.put(document())
    names, finish = Away(monkeypatch, steps, "names_taken"), Away(monkeypatch, logs, "finish")
    first = house.execute()
    assert (first.status_code, first.json["outcome"], first.json["attributes"]) == (200, "success", {})
    names.away = finish.away = False
    assert waited(lambda: house.logs()[0]["state"] == "done")
    assert house.execute().json["attributes"] == {"a": 1}
    assert house.call("GET", "/steps/order-status").json["mapping"][0]["attribute"] == "a"


def test_a_nul_in_an_answer_is_kept_as_a_mark_and_the_failure_counted(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(500, {"message": "bad\0thing"})), **MAIL)
    house.put(document(alert_emails=["ops@shop.example"]))
    assert house.execute(attributes={"order.id": "a\0b"}).json["outcome"] == "http_error"
    [log] = house.logs()
    assert (log["state"], log["message"]) == ("done", "The API answered 500 Internal Server Error: bad\ufffdthing")
    with house.state() as state:
        assert state.failures == 1 and state.last_alert_at is not None


def test_a_nul_in_an_address_is_a_404(make_house: MakeHouse) -> None:
    house = make_house()
    for method, path in (("POST", "/steps/a%00/execute"), ("GET", "/steps/a%00"), ("DELETE", "/steps/a%00"),
                         ("GET", "/steps/a%00/logs"), ("POST", "/flows/a%00/execute")):  # fmt: skip
        assert house.call(method, path, json={} if method == "POST" else None).status_code == 404, path


def test_a_command_waits_for_the_database_before_its_process_ends(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(ThirdParty(answer(200, {"a": 1})))
    house.put(document())
    whole, asked = logs.finish, list[int]()

    def once_away(*given: Any) -> bool:
        asked.append(1)
        if len(asked) == 1:
            raise OperationalError("UPDATE", {}, Exception("database is locked"))
        return whole(*given)

    monkeypatch.setattr(runs.logs, "finish", once_away)
    ran = house.app.test_cli_runner().invoke(args=["step", "run", "order-status", "--attributes", '{"order.id": 1}'])
    assert ran.exit_code == 0
    assert house.logs()[0]["state"] == "done"
