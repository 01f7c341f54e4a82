"""The record of executions: a row before the call, the newest twenty after it, whoever writes at the same time."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.extensions import db
from httpstep.storage import logs
from httpstep.storage.database import reading, writing
from httpstep.storage.tables import Log
from tests.contention import PROCESSES, ROWS, THREADS, contend
from tests.fakes import ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]


def kept(house: House) -> list[Any]:
    with house.app.app_context(), reading() as connection:
        return list(connection.execute(select(Log.__table__).order_by(Log.id)))


def test_exactly_the_newest_twenty_remain_of_64_writers_in_eight_processes(
    make_house: MakeHouse, tmp_path: Path, database: dict[str, str]
) -> None:
    house = make_house()
    house.put(document())
    written = contend("logs", {"DATA": str(tmp_path / "data")} | database)
    assert written == PROCESSES * THREADS * ROWS
    rows = kept(house)
    assert [row.id for row in rows] == list(range(rows[-1].id - 19, rows[-1].id + 1))
    assert rows[-1].id == written
    assert {row.state for row in rows} == {"done"}


def test_exactly_the_newest_twenty_remain_of_64_calls_at_once(make_house: MakeHouse) -> None:
    """The whole line, each call waiting for all the others: no row of a running call goes."""
    all_there = threading.Barrier(64)

    def waiting(_request: RenderedRequest) -> HttpResponse:
        all_there.wait(90)
        return answer(200, {"a": 1})

    house = make_house(ThirdParty(waiting), IN_FLIGHT="64", THREADS="128")
    house.put(document())
    house.limit(1000)
    house.token()
    answers: list[int] = []

    def call() -> None:
        client = house.app.test_client()
        headers = {"Authorization": f"Bearer {house.token()}"}
        path = "/api/v1/steps/order-status/execute"
        answers.append(client.post(path, json={"attributes": {"order.id": 1}}, headers=headers).status_code)

    threads = [threading.Thread(target=call) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 64
    assert [row.id for row in kept(house)] == list(range(45, 65))


def test_a_running_call_keeps_its_row_and_its_place_however_many_follow(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(), IN_FLIGHT="2")
    house.put(document())
    house.limit(1000)
    house.execute()
    with house.app.app_context(), writing() as connection:
        connection.execute(update(Log).values(state="running", started_at=time.time()))
    for _ in range(25):
        house.execute()
    rows = kept(house)
    assert (rows[0].id, rows[0].state, len(rows)) == (1, "running", 21)
    with house.app.app_context(), writing() as connection:
        logs.finish(connection, 1, {"outcome": "success"})
    assert [row.id for row in kept(house)] == list(range(7, 27))


def test_the_order_is_the_order_of_writing_and_not_of_the_clock(make_house: MakeHouse) -> None:
    """A clock that was put back must not make a new entry the oldest."""
    house = make_house(ThirdParty())
    house.put(document())
    house.limit(1000)
    for _ in range(20):
        house.execute()
    with house.app.app_context(), writing() as connection:
        connection.execute(update(Log).values(started_at=time.time() + 10_000))
    house.execute()
    assert [row.id for row in kept(house)] == list(range(2, 22))
    assert [int(entry["id"]) for entry in house.logs()] == list(range(21, 1, -1))


def test_each_step_keeps_twenty_of_its_own(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    for key in ("busy", "quiet"):
        house.put(document(key))
    house.limit(1000)
    house.execute("quiet")
    for _ in range(23):
        house.execute("busy")
    assert (len(house.logs("busy")), len(house.logs("quiet"))) == (20, 1)


def test_the_start_row_is_there_before_the_call(make_house: MakeHouse) -> None:
    seen: list[Any] = []

    def look(_request: RenderedRequest) -> HttpResponse:
        seen.extend(kept(house))
        return answer(200, {"a": 1})

    house = make_house(ThirdParty(look))
    house.put(document())
    house.execute(headers={"X-Request-Id": "r-7431"})
    [row] = seen
    assert (row.state, row.outcome, row.request_id, row.actor) == ("running", None, "r-7431", "key default/manage")


@pytest.mark.parametrize("character", ["a", "é", "€", "😀"])
def test_a_body_is_cut_at_64_kb_on_a_character_and_marked(make_house: MakeHouse, character: str) -> None:
    text = "x" + character * (70_000 // len(character.encode()))
    house = make_house(ThirdParty(answer(200, text=text)))
    house.put(document(mapping=[], method="POST", body={"mode": "raw", "text": text}))
    assert house.execute().json["outcome"] == "success"
    [row] = kept(house)
    entry = house.log()
    for body, part in ((row.request_body, entry["request"]), (row.response_body, entry["response"])):
        assert 64 * 1024 - 3 <= len(body) <= 64 * 1024
        assert text.startswith(bytes(body).decode())
        assert part["cut"] is True and part["size"] == len(text.encode())


def test_what_a_dead_process_left_is_interrupted_and_trimmed(make_house: MakeHouse) -> None:
    """Thirty calls under way when the process was killed: the next start leaves twenty rows, none of them running."""
    house = make_house(ThirdParty())
    house.put(document())
    house.execute()
    parts = house.app.extensions["httpstep"]
    with house.app.app_context():
        with writing() as connection:
            row = {"account_id": 1, "step_id": 1, "request_id": "r", "source": "bot", "actor": "", "state": "running"}
            row |= {"instance": parts.instance, "pid": 1, "method": "GET", "started_at": time.time()}
            connection.execute(insert(Log), [row] * 30)
        assert logs.running(1, time.time()) == 30
        assert logs.interrupt(parts.instance) == 30
        assert logs.running(1, time.time()) == 0
        assert db.session.scalar(select(func.count()).select_from(Log)) == 20
    assert {entry["outcome"] for entry in house.logs()} == {"interrupted"}


def test_another_installations_calls_are_left_alone(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    with house.app.app_context():
        start = logs.Start(1, None, "d", 0, "r", "test", "a", "GET", time.time(), "another host")
        logs.begin(start, 10)
        assert logs.interrupt(house.app.extensions["httpstep"].instance) == 0
        assert logs.running(1, time.time()) == 1


def test_a_call_that_is_refused_pushes_no_row_of_another_out(make_house: MakeHouse) -> None:
    """Its start row is there for a moment, and is newer than the twenty."""
    house = make_house(ThirdParty(answer(200, {})))
    house.put(document())
    house.limit(100)
    for _ in range(logs.MAX_LOGS):
        house.execute()
    with house.app.app_context():
        start = logs.Start(house.account(), 1, None, 1, "r", "bot", "key k", "GET", time.time(), "i")
        refused = [logs.begin(start, 100) for _ in range(5)]
        house.execute()
        for log_id in refused:
            assert log_id is not None
            logs.forget(log_id)
    assert [log["id"] for log in house.logs()] == [str(number) for number in (26, *range(20, 1, -1))]


def test_what_every_call_asks_of_the_logs_is_read_in_indexes(tmp_path: Path) -> None:
    """A row has what was sent and answered, and fills a page: those of the newest twenty and of all that run were read."""
    with House(tmp_path / "data").app.app_context(), reading() as asking:
        connection = asking.connection.dbapi_connection
        for statement, of_rows in (
            (logs.BEGIN, []),
            (logs._trimming(draft=False), ["SEARCH logs USING INDEX ix_logs_step_id_id (step_id=? AND id<?)"]),
            (logs._trimming(draft=True), ["SEARCH logs USING INDEX ix_logs_draft_id (draft_id=? AND rowid<?)"]),
        ):
            names = re.findall(r":([a-z_]+)", statement)
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", dict.fromkeys(names))]
            assert [each for each in plan if " logs " in each and "COVERING" not in each] == of_rows
            assert any("COVERING INDEX ix_logs_running" in each for each in plan)
