"""Idempotency-Key: one call to the third party however often and however close together it is asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.exc import OperationalError

from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.execution import idempotency
from httpstep.extensions import db
from httpstep.storage import logs
from httpstep.storage.database import writing
from httpstep.storage.sqlitefile import KeptConnections
from httpstep.storage.tables import (
    Account,
    Alert,
    BudgetHit,
    Idempotency,
    Log,
)
from tests.contention import contend, upstream
from tests.fakes import ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]
KEY = {"Idempotency-Key": "order-42"}


def age(house: House, seconds: float, **values: Any) -> None:
    """Make every key that much older, and as `values` say."""
    with house.app.app_context(), writing() as connection:
        connection.execute(update(Idempotency).values(created_at=Idempotency.created_at - seconds, **values))


def count(house: House, table: Any) -> int:
    with house.app.app_context():
        return db.session.scalar(select(func.count()).select_from(table)) or 0


def interrupted(make_house: MakeHouse) -> tuple[House, ThirdParty]:
    """A call whose process ended in the middle: its claim is there, its answer is not."""
    house = make_house(third := ThirdParty())
    house.put(document())
    house.execute(headers=KEY)
    age(house, 0, state="running", answer=None)
    third.requests.clear()
    return house, third


def test_ten_at_once_with_one_key_are_one_call(make_house: MakeHouse) -> None:
    arrived, go = threading.Event(), threading.Event()

    def slow(_request: RenderedRequest) -> HttpResponse:
        arrived.set()
        go.wait(60)
        return answer(200, {"a": 1})

    house = make_house(third := ThirdParty(slow))
    house.put(document())
    bearer = {"Authorization": f"Bearer {house.token()}"} | KEY
    got: list[tuple[int, Any]] = []

    def call() -> None:
        client = house.app.test_client()
        one = client.post("/api/v1/steps/order-status/execute", json={"attributes": {"order.id": 1}}, headers=bearer)
        got.append((one.status_code, one.json))
        if len(got) == 9:
            go.set()

    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in got) == [200] + [409] * 9
    assert {body["title"] for status, body in got if status == 409} == {"Call In Progress"}
    assert {body["next"] for status, body in got if status == 409} == {"stop"}
    assert (len(third.requests), count(house, Log), count(house, BudgetHit)) == (1, 1, 1)
    again = house.execute(attributes={"order.id": 1}, headers=KEY)
    assert again.json == next(body for status, body in got if status == 200)
    assert len(third.requests) == 1


def test_sixty_four_claims_in_eight_processes_are_one(
    make_house: MakeHouse, tmp_path: Path, database: dict[str, str]
) -> None:
    make_house().put(document())
    assert contend("idempotency", {"DATA": str(tmp_path / "data")} | database) == 1


def test_sixty_four_calls_in_eight_processes_reach_the_third_party_once(
    make_house: MakeHouse, tmp_path: Path, database: dict[str, str]
) -> None:
    make_house().put(document())
    assert contend("calls", {"DATA": str(tmp_path / "data")} | database) == 1
    assert upstream(tmp_path / "data").read_bytes() == b"."


def test_after_a_kill_the_outcome_is_unknown_as_soon_as_the_process_is_known_to_be_gone(make_house: MakeHouse) -> None:
    house, third = interrupted(make_house)
    assert house.execute(headers=KEY).json["title"] == "Call In Progress"
    with house.app.app_context():
        logs.interrupt("another installation")
        assert house.execute(headers=KEY).json["title"] == "Call In Progress"
        logs.interrupt(house.app.extensions["httpstep"].instance)
    refused = house.execute(headers=KEY)
    assert (refused.status_code, refused.json["title"], refused.json["next"]) == (409, "Outcome Unknown", "stop")
    assert 860 <= int(refused.headers["Retry-After"]) <= 900
    assert "15 minutes" in refused.json["detail"]
    assert third.requests == []


def test_a_clock_that_was_ahead_holds_the_key_of_a_killed_call_for_fifteen_minutes_at_most(
    make_house: MakeHouse,
) -> None:
    house, _ = interrupted(make_house)
    with house.app.app_context(), writing() as connection:
        connection.execute(update(Idempotency).values(created_at=time.time() + 86400))
    with house.app.app_context():
        logs.interrupt(house.app.extensions["httpstep"].instance)
    held = house.execute(headers=KEY)
    assert (held.json["title"], int(held.headers["Retry-After"]) <= 900) == ("Outcome Unknown", True)


def test_without_that_knowledge_it_is_unknown_once_no_call_can_be_so_long(make_house: MakeHouse) -> None:
    house, third = interrupted(make_house)
    age(house, logs.MAX_CALL_SECONDS - 5)
    assert house.execute(headers=KEY).json["title"] == "Call In Progress"
    age(house, 10)
    assert house.execute(headers=KEY).json["title"] == "Outcome Unknown"
    assert third.requests == []


@pytest.mark.parametrize("state", ["running", "unknown"])
def test_an_unknown_key_is_released_after_fifteen_minutes(make_house: MakeHouse, state: str) -> None:
    house, third = interrupted(make_house)
    age(house, idempotency.UNKNOWN_FOR - 5, state=state)
    assert house.execute(headers=KEY).status_code == 409
    age(house, 10)
    assert house.execute(headers=KEY).status_code == 200
    assert house.execute(headers=KEY).headers["Idempotency-Replayed"] == "true"
    assert len(third.requests) == 1


def test_an_answer_is_kept_for_24_hours(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty())
    house.put(document())
    house.execute(headers=KEY)
    age(house, 24 * 3600 - 10)
    assert "Idempotency-Replayed" in house.execute(headers=KEY).headers
    age(house, 20)
    assert "Idempotency-Replayed" not in house.execute(headers=KEY).headers
    assert len(third.requests) == 2


def test_what_has_expired_goes_beside_new_ones(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    house.put(document())
    for number in range(3):
        house.execute(headers={"Idempotency-Key": f"old-{number}"})
    age(house, 25 * 3600)
    house.execute(headers=KEY)
    assert count(house, Idempotency) == 1


def test_the_same_key_at_another_step_or_account_is_another_key(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty())
    stranger = house.token("manage", "other")
    for key, token in (("order-status", None), ("other-step", None), ("order-status", stranger)):
        house.put(document(key), token=token)
        assert "Idempotency-Replayed" not in house.execute(key, headers=KEY, token=token).headers
    assert len(third.requests) == 3


def test_a_deleted_step_takes_its_keys_logs_and_mails_along(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(500)), SMTP_URL="smtp://127.0.0.1:1", MAIL_FROM="a@b.example")
    house.put(document(alert_emails=["ops@shop.example"]))
    house.execute(headers=KEY)
    house.app.extensions["httpstep"].alerts.finish()
    assert [count(house, table) for table in (Idempotency, Log, Alert)] == [1, 1, 1]
    assert house.call("DELETE", "/steps/order-status").status_code == 204
    assert [count(house, table) for table in (Idempotency, Log, Alert)] == [0, 0, 0]


def test_a_deleted_account_leaves_nothing_of_its_customers(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    token = house.token("manage", "other")
    house.put(document(), token=token)
    house.execute(headers=KEY, token=token)
    with house.app.app_context(), writing() as connection:
        connection.execute(delete(Account).where(Account.slug == "other"))
    assert [count(house, table) for table in (Idempotency, Log)] == [0, 0]


def test_storage_that_goes_away_during_the_call_does_not_unmake_it(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third party got the call: the bot gets its answer, and the key is not given back for a second one."""

    def gone(*_: Any, **__: Any) -> Any:
        raise OperationalError("SELECT 1", {}, Exception("the server closed the connection"))

    def call(_request: RenderedRequest) -> HttpResponse:
        monkeypatch.setattr(Engine, "connect", gone)
        monkeypatch.setattr(KeptConnections, "take", gone)
        return answer(200, {"a": 1})

    mail = {"SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "a@b.example"}
    house = make_house(third := ThirdParty(call, answer(200, {"a": 2})), **mail)
    house.put(document(mapping=[{"path": ["a"], "attribute": "a"}]))
    house.token()
    first = house.execute(headers=KEY)
    monkeypatch.undo()
    assert (first.status_code, first.json["outcome"], first.json["attributes"]) == (200, "success", {"a": 1})
    assert "RateLimit" not in first.headers
    again = house.execute(headers=KEY)
    assert again.status_code == 409 or again.headers["Idempotency-Replayed"] == "true", "it is written within a moment"
    assert len(third.requests) == 1


def bytes_kept(house: House) -> int:
    with house.app.app_context():
        return int(db.session.scalar(select(func.coalesce(func.sum(func.length(Idempotency.answer)), 0))) or 0)


def repeated(house: House, key: str) -> tuple[int, str]:
    got = house.execute(headers={"Idempotency-Key": key})
    return got.status_code, got.json.get("title") or got.headers["Idempotency-Replayed"]


def test_an_account_keeps_so_many_bytes_of_answers_and_never_makes_a_call_twice(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "MAX_KEPT_BYTES", 400_000)
    house = make_house(third := ThirdParty(answer(200, {"a": "x" * 70_000})))
    house.put(document(mapping=[{"path": ["a"], "attribute": "a"}]))
    for number in range(8):
        assert house.execute(headers={"Idempotency-Key": f"k{number}"}).status_code == 200
        assert bytes_kept(house) <= 400_000
    assert bytes_kept(house) > 250_000 and count(house, Idempotency) == 8
    gone = (409, "Answer No Longer Kept")
    assert [repeated(house, f"k{number}") for number in (0, 1, 6, 7)] == [gone, gone, (200, "true"), (200, "true")]
    refused = house.execute(headers={"Idempotency-Key": "k0"})
    assert refused.json["next"] == "stop" and "Retry-After" not in refused.headers
    assert house.execute(attributes={"order.id": 2}, headers={"Idempotency-Key": "k0"}).status_code == 422
    assert len(third.requests) == 8, "a call was made twice"
    age(house, idempotency.RETENTION_SECONDS + 1)
    assert house.execute(headers={"Idempotency-Key": "k0"}).status_code == 200
    assert len(third.requests) == 9


def test_small_answers_are_capped_as_well_and_those_of_other_accounts_stay(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "MAX_KEPT_BYTES", 5000)
    house = make_house(ThirdParty(answer(200, {"a": 1})))
    house.put(document())
    house.account("other")
    theirs = house.token(account="other")
    house.put(document(), token=theirs)
    house.limit(1000)
    for token in (theirs, house.token()):
        for number in range(40 if token != theirs else 3):
            headers = {"Idempotency-Key": f"small-{number}"}
            assert house.execute(headers=headers, token=token).status_code == 200
    assert repeated(house, "small-0") == (409, "Answer No Longer Kept")
    assert repeated(house, "small-39") == (200, "true")
    again = house.execute(headers={"Idempotency-Key": "small-0"}, token=theirs)
    assert again.headers["Idempotency-Replayed"] == "true"
