"""POST /api/v1/steps/<key>/execute: one answer shape for every outcome, one problem shape for every refusal."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from httpstep.core import errors
from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.extensions import db
from httpstep.storage.database import editing
from httpstep.storage.tables import Attribute, BudgetHit, Log
from tests.fakes import ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]
MEMBERS = {
    "request_id", "step", "outcome", "next", "attributes", "missing", "structure_changed", "http", "message", "log_id",
}  # fmt: skip
ORDER = {"status": "shipped", "total": 3}
RULE = {"path": ["status"], "attribute": "order.status"}


def spent(house: House) -> int:
    """How many calls are counted, of whatever account."""
    with house.app.app_context():
        return db.session.query(BudgetHit).count()


def test_a_success_continues_with_the_mapped_attributes(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(200, ORDER)))
    house.put(document(mapping=[RULE]))
    response = house.execute()
    assert response.status_code == 200
    assert set(response.json) == MEMBERS
    assert response.json["attributes"] == {"order.status": "shipped"}
    assert (response.json["next"], response.json["outcome"], response.json["message"]) == ("continue", "success", None)


@pytest.mark.parametrize(
    ("failing", "outcome", "status"),
    [
        (answer(404, {"message": "No such order"}), "http_error", 502),
        (errors.TimedOut("No answer within 60 seconds", reason="timeout_waiting"), "timeout", 504),
        (errors.NetworkError("No such name.", reason="dns"), "network_error", 502),
        (errors.Blocked("Address not allowed: 10.0.0.5 is private.", reason="private"), "blocked", 502),
        (errors.TooLarge("The answer is too large.", reason="too_large_decoded"), "too_large", 502),
        (answer(200, text="<html>hello"), "not_json", 502),
        (answer(200, {"ok": False, "status": "shipped", "error": "No such order"}), "rejected", 502),
        (errors.Cancelled("The caller hung up.", reason="cancelled"), "cancelled", 502),
    ],
)
@pytest.mark.parametrize("fallback", ["continue", "stop"])
@pytest.mark.sqlite_only("the shape is decided above the database")
def test_a_failure_has_the_same_shape_and_does_what_the_fallback_says(
    make_house: MakeHouse, failing: object, outcome: str, status: int, fallback: str
) -> None:
    house = make_house(ThirdParty(failing))  # type: ignore[arg-type]
    rules = [RULE, {"path": ["total"], "attribute": "total", "default": 0}, {"call": "error", "attribute": "why"}]
    says_no = {"path": ["ok"], "is": "not_equals", "value": False}
    house.put(document(mapping=rules, fallback=fallback, success_when=[says_no]))
    plain, strict = house.execute(), house.execute(query="?errors=http")
    assert (plain.status_code, strict.status_code) == (200, status)
    body = plain.json
    assert set(body) == set(strict.json) == MEMBERS
    assert (body["outcome"], body["next"]) == (outcome, fallback)
    assert body["attributes"] == {"total": 0, "why": body["message"]}
    assert sorted(body["missing"]) == ["order.status", "total"]
    assert body["message"]


@pytest.mark.sqlite_only("the sentence is made above the database")
def test_an_answer_that_is_not_json_says_so_in_the_fixed_words(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(200, text="<html>hello")))
    house.put(document(mapping=[RULE]))
    assert house.execute().json["message"] == "Response Mapping Not Done, Only JSON can be mapped as Response"


@pytest.mark.sqlite_only("decided above the database")
def test_without_rules_an_answer_that_is_not_json_is_a_success(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(200, text="thanks")))
    house.put(document(mapping=[]))
    assert house.execute().json["outcome"] == "success"


@pytest.mark.sqlite_only("refused above the database")
def test_a_missing_attribute_is_named_and_no_call_is_made(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty())
    house.put(document())
    body = house.execute(attributes={}).json
    assert (body["outcome"], body["http"]["status"]) == ("invalid_request", None)
    assert "order.id" in body["message"]
    assert third.requests == []


def test_a_missing_attribute_takes_the_default_of_the_catalogue(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty())
    house.put(document())
    owner = house.account()
    with house.app.app_context(), editing():
        db.session.add(Attribute(account_id=owner, name="order.id", default="7"))
    assert house.execute(attributes={}).json["outcome"] == "success"
    assert third.requests[0].url == "https://api.example/orders/7"


@pytest.mark.sqlite_only("decided above the database")
def test_a_step_that_is_switched_off_calls_nobody(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty())
    house.put(document(enabled=False, fallback="continue"))
    body = house.execute().json
    assert (body["outcome"], body["next"]) == ("disabled", "continue")
    assert (third.requests, spent(house)) == ([], 0)


def test_numbers_keep_their_digits_on_the_whole_way(make_house: MakeHouse) -> None:
    text = '{"long": 12345678901234567890123, "price": 1.10, "rate": 0.1}'
    house = make_house(third := ThirdParty(answer(200, text=text)))
    house.put(document(method="POST", body={"mode": "json", "text": '{"n": {{n}}}'}, url="https://api.example/x"))
    sent = '{"attributes": {"n": 1.10}}'
    response = house.call(
        "POST", "/steps/order-status/execute", data=sent, headers={"Content-Type": "application/json"}
    )
    assert third.requests[0].body == b'{"n": 1.10}'
    for digits in (b"12345678901234567890123", b"1.10", b"0.1"):
        assert digits in response.data


@pytest.mark.sqlite_only("decided above the database")
def test_a_bug_of_our_own_is_a_500_in_the_same_shape(make_house: MakeHouse) -> None:
    def bug(_request: RenderedRequest) -> object:
        raise ZeroDivisionError("boom")

    house = make_house(ThirdParty(bug))  # type: ignore[arg-type]
    house.put(document(fallback="continue", mapping=[RULE]))
    response = house.execute()
    assert response.status_code == 500
    assert set(response.json) == MEMBERS
    assert (response.json["outcome"], response.json["next"]) == ("internal", "continue")
    assert "boom" not in response.get_data(as_text=True)
    assert house.logs()[0]["outcome"] == "internal"


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("sent", [None, "Bearer wrong", "Bearer hs_00000000_x", "Basic abc", ""])
@pytest.mark.sqlite_only("the header is read above the database")
def test_without_a_valid_key_it_is_a_401_with_one_body(make_house: MakeHouse, sent: str | None) -> None:
    house = make_house(ThirdParty())
    headers = {} if sent is None else {"Authorization": sent}
    response = house.client.post("/api/v1/steps/any/execute", headers=headers, json={})
    assert response.status_code == 401
    assert response.content_type == "application/problem+json"
    assert response.json["detail"] == "Send a valid API key: Authorization: Bearer <api key>."
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_altered_revoked_and_unknown_keys_get_the_same_401(make_house: MakeHouse) -> None:
    """A key is found by its prefix: the rest of it has to be right as well."""
    house = make_house(third := ThirdParty())
    house.put(document())
    good, revoked, other = (house.token(*names) for names in (("manage",), ("execute",), ("manage", "other")))
    assert house.execute(token=revoked).status_code == 200
    runner = house.app.test_cli_runner()
    assert runner.invoke(args=["key", "revoke", "default/execute", "--account", "default"]).exit_code == 0
    last = "A" if good[-1] != "A" else "B"
    wrong = {
        "unknown": "hs_00000000_" + good[12:], "revoked": revoked, "no tail": good[:12], "shorter": good[:-1],
        "longer": good + "A", "one letter": good[:-1] + last, "another case": good[:12] + good[12:].swapcase(),
        "a revoked prefix": revoked[:12] + good[12:], "another account's tail": good[:12] + other[12:],
    }  # fmt: skip
    same = {"X-Request-Id": "r"}
    for path, method in (("/steps/order-status/execute", "POST"), ("/steps", "GET"), ("/steps/order-status", "DELETE")):
        bodies = {}
        for name, token in wrong.items():
            got = house.call(method, path, token=token, headers=same, **({"json": {}} if method == "POST" else {}))
            assert got.status_code == 401, (name, path)
            bodies[name] = (got.data, got.content_type, got.headers["WWW-Authenticate"])
        assert len(set(bodies.values())) == 1, bodies
    assert len(third.requests) == 1
    assert house.call("GET", "/steps", token=good).status_code == 200


def test_another_accounts_step_is_not_there(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty())
    stranger = house.token("manage", "other")
    house.put(document("theirs"), token=stranger)
    response = house.execute("theirs")
    assert (response.status_code, third.requests, spent(house)) == (404, [], 0)


@pytest.mark.parametrize(
    ("more", "status", "says"),
    [
        ({"data": b"{", "content_type": "application/json"}, 400, "not JSON"),
        ({"data": b"[]", "content_type": "application/json"}, 400, "object"),
        ({"data": b'{"attributes": []}', "content_type": "application/json"}, 400, "attributes"),
        ({"data": b'{"attribute": {}}', "content_type": "application/json"}, 400, "attribute"),
        ({"data": b'{"timeout": 61}', "content_type": "application/json"}, 400, "timeout"),
        ({"data": b'{"timeout": 1e-400}', "content_type": "application/json"}, 400, "timeout"),
        ({"data": b'{"timeout": 1' + b"0" * 400 + b"}", "content_type": "application/json"}, 400, "timeout"),
        ({"data": b'{"timeout": 0}', "content_type": "application/json"}, 400, "timeout"),
        ({"data": b'{"timeout": true}', "content_type": "application/json"}, 400, "timeout"),
        ({"data": b"a=b", "content_type": "application/x-www-form-urlencoded"}, 415, "application/json"),
        ({"data": b"{}", "content_type": "application/json", "headers": {"Content-Encoding": "gzip"}}, 415, "Encoding"),
        ({"data": b'{"attributes": {"a": "' + b"x" * 300_000 + b'"}}', "content_type": "application/json"}, 413, "256"),
        ({"data": b"{}", "content_type": "application/json", "headers": {"Idempotency-Key": "a" * 256}}, 400, "255"),
    ],
)
@pytest.mark.sqlite_only("refused above the database")
def test_a_callers_mistake_is_a_problem_that_carries_next(
    make_house: MakeHouse, more: dict[str, object], status: int, says: str
) -> None:
    house = make_house(third := ThirdParty())
    house.put(document(fallback="continue"))
    response = house.call("POST", "/steps/order-status/execute", **more)
    assert response.status_code == status, response.data
    assert response.content_type == "application/problem+json"
    assert says in response.json["detail"]
    assert response.json["next"] == "continue"
    assert (third.requests, spent(house)) == ([], 0)
    assert "RateLimit" not in response.headers


def test_the_eleventh_call_in_any_minute_is_refused_and_not_made(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty())
    house.put(document())
    assert {house.execute().status_code for _ in range(10)} == {200}
    refused = house.execute()
    assert (refused.status_code, refused.json["title"]) == (429, "Rate Limit Exceeded")
    assert "operator" in refused.json["detail"]
    assert (len(third.requests), len(house.logs())) == (10, 10)
    with house.app.app_context(), editing():
        oldest = db.session.query(BudgetHit).order_by(BudgetHit.id).first()
        oldest.at -= 61
    assert house.execute().status_code == 200
    assert house.execute().status_code == 429


def test_the_operators_figure_is_in_force_at_once(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    house.put(document())
    house.limit(2)
    assert [house.execute().status_code for _ in range(3)] == [200, 200, 429]
    house.limit(3)
    assert [house.execute().status_code for _ in range(2)] == [200, 429]


@pytest.mark.sqlite_only("decided above the database")
def test_a_wrong_key_spends_nobodys_budget(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    house.put(document())
    for _ in range(20):
        house.execute(token="hs_00000000_wrong")
    assert (spent(house), house.execute().headers["RateLimit"].startswith('"account";r=9')) == (0, True)


def test_each_answer_tells_what_is_left_of_the_budget(make_house: MakeHouse) -> None:
    """By draft-ietf-httpapi-ratelimit-headers: the quota and its window, what remains of it, and for how long."""
    house = make_house(ThirdParty())
    house.put(document())
    house.limit(2)
    answers = [house.execute() for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert {one.headers["RateLimit-Policy"] for one in answers} == {'"account";q=2;w=60'}
    left = [re.fullmatch(r'"account";r=(\d+);t=(\d+)', one.headers["RateLimit"]) for one in answers]
    assert [one and int(one[1]) for one in left] == [1, 0, 0]
    assert all(one and 1 <= int(one[2]) <= 60 for one in left)
    wait = answers[2].headers["Retry-After"]
    assert left[2] and left[2][2] == wait and f"Try again in {wait} s" in answers[2].json["detail"]
    with house.app.app_context(), editing():
        for hit in db.session.query(BudgetHit):
            hit.at -= 45
    assert 1 <= int(house.execute().headers["RateLimit"].rpartition("=")[2]) <= 16


@pytest.mark.sqlite_only("decided above the database")
def test_too_many_calls_in_flight_spend_no_budget_and_leave_no_log(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(), IN_FLIGHT="2")
    house.put(document())
    owner = house.account()
    with house.app.app_context(), editing():
        for _ in range(2):
            row = Log(account_id=owner, request_id="r", source="bot", started_at=time.time(), state="running")
            db.session.add(row)
    refused = house.execute()
    assert (refused.status_code, refused.json["title"]) == (429, "Too Many Calls In Flight")
    assert (house.logs(), spent(house)) == ([], 0)


# ---------------------------------------------------------------- idempotency


def test_the_same_key_and_body_give_the_stored_answer_without_a_second_call(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty(answer(200, ORDER), answer(200, {"status": "other"})))
    house.put(document(mapping=[RULE]))
    key = {"Idempotency-Key": "order-42"}
    first, second = house.execute(headers=key), house.execute(headers=key)
    assert first.json == second.json
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(third.requests) == 1
    assert second.headers["RateLimit"].startswith('"account";r=9')


def test_a_failed_outcome_is_stored_too(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty(answer(500, {}), answer(200, ORDER)))
    house.put(document(mapping=[RULE]))
    key = {"Idempotency-Key": "k"}
    assert [house.execute(headers=key).json["outcome"] for _ in range(2)] == ["http_error"] * 2
    assert house.execute(headers=key, query="?errors=http").status_code == 502
    assert len(third.requests) == 1


def test_the_key_with_another_body_is_a_422(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    house.put(document())
    key = {"Idempotency-Key": "k"}
    house.execute(headers=key)
    other = house.execute(attributes={"order.id": 43}, headers=key)
    assert (other.status_code, other.json["next"]) == (422, "stop")
    assert spent(house) == 1


def test_a_refusal_is_not_stored(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty())
    house.put(document())
    house.limit(1)
    house.execute()
    key = {"Idempotency-Key": "k"}
    assert house.execute(headers=key).status_code == 429
    house.limit(5)
    assert house.execute(headers=key).status_code == 200
    assert len(third.requests) == 2


def test_the_stored_answer_is_not_readable_in_the_database(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(200, {"status": "very-private-status"})))
    house.put(document(mapping=[RULE]))
    house.execute(headers={"Idempotency-Key": "k"})
    with house.app.app_context():
        stored = db.session.execute(db.text("SELECT answer FROM idempotency")).scalar_one()
    assert b"very-private-status" not in stored


@pytest.mark.sqlite_only("decided above the database")
def test_an_answer_that_says_no_leaves_the_automatic_mapping_to_the_first_good_one(make_house: MakeHouse) -> None:
    house = make_house(
        ThirdParty(answer(200, {"ok": False, "description": "Unauthorized"}), answer(200, {"ok": True, "id": 7}))
    )
    house.put(document(success_when=[{"path": ["ok"], "is": "equals", "value": True}]))
    first, second = house.execute().json, house.execute().json
    assert (first["outcome"], first["message"], first["attributes"]) == (
        "rejected",
        "The API said no: Unauthorized",
        {},
    )
    assert house.logs()[1]["outcome"] == "rejected"
    assert (second["outcome"], second["attributes"]["id"]) == ("success", 7)


@pytest.mark.sqlite_only("decided above the database")
def test_how_an_odd_answer_was_read_stands_in_the_log(make_house: MakeHouse) -> None:
    odd = HttpResponse(200, "", (("Content-Type", "application/json"),), b'{"status": "verz\xf6gert", "x": NaN}')
    house = make_house(ThirdParty(odd))
    house.put(document(mapping=[RULE, {"path": ["x"], "attribute": "x"}]))
    body = house.execute().json
    assert (body["outcome"], body["attributes"], body["missing"]) == ("success", {"order.status": "verzögert"}, ["x"])
    assert "read as windows-1252" in house.log()["notes"][0]
    assert "NaN" in house.log()["mapping"][1]["why"]
