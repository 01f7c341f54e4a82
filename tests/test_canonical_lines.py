"""One canonical line for each execution, flow, replay and refusal, and nothing in it that is a customer's."""

from __future__ import annotations

import io
import json
import logging
import shlex
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text as sql
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from httpstep.core import errors
from httpstep.core.errors import FailureKind
from httpstep.core.outcome.canonical import CanonicalLine
from httpstep.execution import executor, recording, starting
from httpstep.serving.server import JsonLines, TextLines
from httpstep.storage.database import writing
from httpstep.storage.tables import Idempotency
from httpstep.storage.vault import VaultError
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Web
from tests.web.screen import open_step, put_secret

SQLITE_ONLY = "the lines are written beside the database"
MEMBERS = (
    "request_id", "account", "step", "flow", "source", "outcome", "reason", "next", "status", "duration_ms", "tries",
    "database_ms", "drift", "log_id",
)  # fmt: skip
RULE = {"path": ["status"], "attribute": "order.status"}
VALUE, SECRET, ANSWERED = "customer-4711-value", "sesame-open-9921-wide", "answered-by-them-313"
GOOD = answer(200, {"status": ANSWERED})
MakeHouse = Callable[..., House]


class Lines:
    """The application's log in both formats."""

    def __init__(self) -> None:
        self.text, self.json = io.StringIO(), io.StringIO()

    def all(self) -> list[dict[str, Any]]:
        """The canonical lines since the last look, those in JSON; the ones in text say the same."""
        found = [json.loads(line) for line in self.json.getvalue().splitlines()]
        texts = [line for line in self.text.getvalue().splitlines() if " httpstep.calls: " in line]
        mine = [line for line in found if line["logger"] == "httpstep.calls"]
        for text, line in zip(texts, mine, strict=True):
            words = shlex.split(text.partition(" httpstep.calls: ")[2])
            assert words[0] == line["message"]
            assert dict(word.split("=", 1) for word in words[1:]) == {name: _text(line[name]) for name in MEMBERS}
        for stream in (self.text, self.json):
            stream.seek(0)
            stream.truncate()
        return mine

    def one(self) -> dict[str, Any]:
        [line] = self.all()
        return line


def _text(value: Any) -> str:
    return "-" if value is None else {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


@pytest.fixture
def lines() -> Iterator[Lines]:
    seen, root = Lines(), logging.getLogger()
    forms = (TextLines("%(levelname)s %(name)s: %(message)s"), JsonLines())
    handlers = []
    for stream, form in zip((seen.text, seen.json), forms, strict=True):
        handlers.append(logging.StreamHandler(stream))
        handlers[-1].setFormatter(form)
        root.addHandler(handlers[-1])
    level = root.level
    root.setLevel(logging.INFO)
    yield seen
    root.setLevel(level)
    for handler in handlers:
        root.removeHandler(handler)


OUTCOMES: dict[str, Any] = {
    "success": GOOD,
    "http_error": answer(404, {"message": ANSWERED}),
    "rejected": answer(200, {"ok": False, "status": "x", "error": ANSWERED}),
    "timeout": errors.TimedOut("No answer within 60 seconds", reason="timeout_waiting"),
    "network_error": errors.NetworkError("No such name.", reason="dns"),
    "blocked": errors.Blocked(f"Address not allowed: {ANSWERED}.", reason="private"),
    "too_large": errors.TooLarge("The answer is too large.", reason="too_large_decoded"),
    "not_json": answer(200, text=f"<html>{ANSWERED}"),
    "cancelled": errors.Cancelled("The caller hung up.", reason="cancelled"),
    "internal": RuntimeError(ANSWERED),
    "invalid_request": GOOD,
    "disabled": GOOD,
}


def test_every_outcome_there_is_has_a_line_below() -> None:
    assert OUTCOMES.keys() | {"rate_limited"} == {"success", *(kind.value for kind in FailureKind)}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_execution_is_one_line(make_house: MakeHouse, lines: Lines, outcome: str) -> None:
    web = Web(make_house(ThirdParty(OUTCOMES[outcome])))
    put_secret(web, "CRM", SECRET)
    house = web.house
    headers = [{"name": "X-Token", "value": "{{secret.CRM}}"}]
    url = f"https://api.example/orders/{{{{order.id}}}}?who={VALUE}"
    says_no = [{"path": ["ok"], "is": "not_equals", "value": False}]
    on = outcome != "disabled"
    house.put(document(url=url, headers=headers, mapping=[RULE], success_when=says_no, enabled=on))
    lines.all()
    given = {} if outcome == "invalid_request" else {"order.id": VALUE}
    said = house.execute(attributes=given, headers={"X-Request-Id": "r-1"}).json
    line = lines.one()
    assert (line["message"], line["outcome"], said["outcome"]) == ("execution", outcome, outcome)
    assert (line["request_id"], line["account"], line["step"], line["source"]) == (
        "r-1",
        "default",
        "order-status",
        "bot",
    )
    assert (line["next"], line["status"], line["log_id"]) == (said["next"], said["http"]["status"], said["log_id"])
    sent = outcome not in ("internal", "invalid_request", "disabled")
    assert line["tries"] == int(sent) and line["drift"] is False
    assert not any(word in json.dumps(line) for word in (VALUE, SECRET, ANSWERED, "api.example"))


def test_the_line_tells_tries_drift_and_how_long_it_all_took(make_house: MakeHouse, lines: Lines) -> None:
    third = ThirdParty(answer(200, {"status": "a"}), answer(503, {}, retry_after="0"), answer(200, {"other": 1}))
    house = make_house(third)
    house.put(document(mapping=[RULE], retries=1))
    house.execute()
    lines.all()
    said = house.execute().json
    line = lines.one()
    assert (line["tries"], line["drift"], line["status"]) == (2, True, 200)
    assert line["duration_ms"] == said["http"]["duration_ms"] and line["database_ms"] >= 0


def test_waiting_for_the_database_is_told_apart_from_the_call(
    make_house: MakeHouse, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(ThirdParty(GOOD))
    house.put(document(mapping=[RULE]))
    finish = recording.finish
    lines.all()

    def slowly(*args: Any) -> tuple[bool, bool]:
        time.sleep(0.2)
        return finish(*args)

    monkeypatch.setattr(recording, "finish", slowly)
    house.execute()
    line = lines.one()
    assert line["database_ms"] >= 200 > line["duration_ms"]


def test_every_refusal_of_a_call_is_one_line(make_house: MakeHouse, lines: Lines) -> None:
    house = make_house(ThirdParty(GOOD), IN_FLIGHT="1")
    house.put(document(mapping=[RULE]))
    lines.all()
    url = "/steps/order-status/execute"

    def refused(reason: str, status: int, *, step: str | None = "order-status") -> dict[str, Any]:
        line = lines.one()
        assert (line["message"], line["outcome"], line["reason"]) == ("refusal", "refused", reason)
        assert (line["step"], line["status"], line["log_id"]) == (step, status, None)
        return line

    house.execute(token="wrong")
    assert refused("unauthorized", 401)["account"] is None
    house.execute("there-is-none")
    refused("not_found", 404, step="there-is-none")
    house.call("POST", f"/steps/{VALUE}%20%22=x/execute", json={})
    refused("not_found", 404, step=None)
    house.call("POST", url, data="{", content_type="application/json")
    assert refused("malformed_request", 400)["next"] == "stop"
    house.call("POST", url, data="x", content_type="text/plain")
    refused("unsupported_media_type", 415)
    house.execute(attributes={"a": "x" * 300_000})
    refused("content_too_large", 413)
    assert house.execute(headers={"Idempotency-Key": "k"}).status_code == 200
    lines.one()
    house.execute(attributes={"order.id": 43}, headers={"Idempotency-Key": "k"})
    refused("idempotency_key_reused", 422)
    house.limit(1)
    house.execute()
    assert refused("rate_limit_exceeded", 429)["account"] == "default"
    house.call("GET", url)
    refused("method_not_allowed", 405, step=None)


def test_what_a_process_kept_of_a_key_that_was_revoked_is_not_told(make_house: MakeHouse, lines: Lines) -> None:
    """It is tried with what was kept first, and that it was leaves no line."""
    house = make_house(ThirdParty(GOOD))
    house.put(document(mapping=[RULE]))
    assert [house.execute().status_code for _ in range(2)] == [200, 200]
    lines.all()
    with house.app.app_context(), writing() as connection:
        connection.execute(sql("UPDATE api_keys SET revoked_at = 1"))
    assert house.execute().status_code == 401
    line = lines.one()
    assert (line["account"], line["reason"], line["status"]) == (None, "unauthorized", 401)


def test_a_full_account_and_a_full_process_are_refusals(make_house: MakeHouse, lines: Lines) -> None:
    house: Any = None

    def meanwhile(_: object) -> Any:
        assert house.app.test_client().post(
            "/api/v1/steps/order-status/execute", json={"attributes": {"order.id": 1}},
            headers={"Authorization": f"Bearer {house.token()}"},
        ).status_code == 429  # fmt: skip
        return GOOD

    house = make_house(ThirdParty(meanwhile), IN_FLIGHT="1")
    house.put(document(mapping=[RULE]))
    house.token()
    lines.all()
    house.execute()
    refused, executed = lines.all()
    assert (refused["message"], refused["reason"], refused["status"]) == ("refusal", "too_many_calls_in_flight", 429)
    assert executed["message"] == "execution"
    places = house.app.extensions["httpstep"].places
    while places.acquire(blocking=False):
        pass
    assert house.execute().status_code == 503
    line = lines.one()
    assert (line["reason"], line["status"]) == ("server_busy", 503)


def test_a_key_whose_call_is_under_way_or_was_lost_is_a_refusal(make_house: MakeHouse, lines: Lines) -> None:
    house: Any = None
    seen: list[dict[str, Any]] = []

    def again() -> None:
        url, bearer = "/api/v1/steps/order-status/execute", {"Authorization": f"Bearer {house.token()}"}
        given = {"attributes": {"order.id": VALUE}}
        got = house.app.test_client().post(url, json=given, headers=bearer | {"Idempotency-Key": SECRET})
        assert got.status_code == 409
        seen.append(lines.one())

    def meanwhile(_: object) -> Any:
        again()
        return GOOD

    house = make_house(ThirdParty(meanwhile))
    house.put(document(mapping=[RULE]))
    house.token()
    lines.all()
    house.execute(attributes={"order.id": VALUE}, headers={"Idempotency-Key": SECRET})
    lines.one()
    with house.app.app_context(), writing() as connection:
        connection.execute(update(Idempotency).values(state="unknown", answer=None))
    again()
    assert [(line["message"], line["reason"], line["status"], line["next"]) for line in seen] == [
        ("refusal", reason, 409, "stop") for reason in ("call_in_progress", "outcome_unknown")
    ]
    assert not any(word in json.dumps(seen) for word in (VALUE, SECRET))


def test_secrets_and_storage_that_are_away_are_refusals(
    make_house: MakeHouse, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = Web(make_house(ThirdParty(GOOD)))
    put_secret(web, "CRM", SECRET)
    headers = [{"name": "X-Token", "value": "{{secret.CRM}}"}]
    web.house.put(document(headers=headers, mapping=[RULE]))
    lines.all()
    parts = web.house.app.extensions["httpstep"]
    with monkeypatch.context() as broken:
        broken.setattr(parts.vault, "secret", _raises(VaultError(f"“CRM” cannot be read: {SECRET}")))
        assert web.house.execute(attributes={"order.id": VALUE}).status_code == 503
    vault = lines.one()
    monkeypatch.setattr(starting, "begin", _raises(OperationalError("INSERT", {"x": VALUE}, Exception(SECRET))))
    assert web.house.execute(attributes={"order.id": VALUE}).status_code == 503
    storage = lines.one()
    assert [(line["account"], line["reason"], line["status"]) for line in (vault, storage)] == [
        ("default", "secrets_unavailable", 503), ("default", "storage_unavailable", 503),
    ]  # fmt: skip
    assert not any(word in json.dumps([vault, storage]) for word in (VALUE, SECRET))


def _raises(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def test_a_repeated_answer_is_a_line_of_its_own(make_house: MakeHouse, lines: Lines) -> None:
    house = make_house(ThirdParty(answer(404, {})))
    house.put(document(mapping=[RULE]))
    first = house.execute(headers={"Idempotency-Key": "k"}).json
    lines.all()
    house.execute(headers={"Idempotency-Key": "k"})
    line = lines.one()
    assert (line["message"], line["outcome"], line["log_id"]) == ("replay", "http_error", first["log_id"])


def test_a_flow_is_a_line_for_each_step_and_one_for_all(make_house: MakeHouse, lines: Lines) -> None:
    house = make_house(ThirdParty(GOOD))
    house.put(document("one", mapping=[RULE]))
    house.put(document("two", mapping=[RULE], fallback="continue"))
    house.flow("one", "two")
    house.limit(1)
    lines.all()
    house.run_flow(headers={"X-Request-Id": "r-2"})
    one, two, whole = lines.all()
    assert [line["message"] for line in (one, two, whole)] == ["execution", "refusal", "flow"]
    assert {(line["flow"], line["request_id"], line["source"]) for line in (one, two, whole)} == {
        ("order-flow", "r-2", "bot")
    }
    assert (one["step"], two["step"], whole["step"]) == ("one", "two", None)
    assert (two["reason"], whole["outcome"]) == ("rate_limit_exceeded", "rate_limited")


def test_a_test_is_a_line_as_well(make_house: MakeHouse, lines: Lines) -> None:
    web = Web(make_house(ThirdParty(GOOD)))
    web.house.put(document(url="https://api.example/", mapping=[RULE]))
    web.house.limit(1)
    bob = web.as_("bob")
    lines.all()
    assert open_step(bob, 1).fragment("test").status_code == 200
    line = lines.one()
    assert (line["message"], line["source"], line["step"], line["outcome"]) == (
        "execution",
        "test",
        "order-status",
        "success",
    )
    assert open_step(bob, 1).fragment("test").status_code == 429
    line = lines.one()
    assert (line["message"], line["source"], line["reason"]) == ("refusal", "test", "rate_limit_exceeded")


def test_a_fault_of_our_own_before_the_call_is_a_line(
    make_house: MakeHouse, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(ThirdParty(GOOD))
    house.put(document(mapping=[RULE]))
    lines.all()
    monkeypatch.setattr(executor, "Known", None)
    assert house.execute().status_code == 500
    line = lines.one()
    assert (line["message"], line["reason"], line["step"]) == ("refusal", "internal", "order-status")


def test_nothing_in_a_line_can_end_it() -> None:
    line = CanonicalLine("execution", 'r\n" x=1', step="a b")
    assert "\n" not in str(line)
    assert dict(word.split("=", 1) for word in shlex.split(str(line))[1:])["step"] == "a b"


def test_a_line_in_json_has_numbers_as_numbers() -> None:
    record = logging.LogRecord("httpstep.calls", logging.INFO, "", 0, "%s", (), None)
    record.canonical = CanonicalLine("execution", "r", status=200, drift=True)
    said = json.loads(JsonLines().format(record))
    assert (said["status"], said["drift"], said["message"], said["level"]) == (200, True, "execution", "info")
