"""Steps by API: bad documents are refused whole, with a sentence that names the place."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]


def test_put_get_list_and_delete(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    assert house.put(document()).status_code == 201
    assert house.put(document(name="Renamed")).status_code == 200
    got = house.call("GET", "/steps/order-status")
    assert (got.json["format"], got.json["name"]) == ("httpstep/1", "Renamed")
    assert [step["key"] for step in house.call("GET", "/steps").json["steps"]] == ["order-status"]
    house.execute()
    assert house.call("DELETE", "/steps/order-status").status_code == 204
    for method, path in (("GET", ""), ("GET", "/logs"), ("DELETE", "")):
        assert house.call(method, f"/steps/order-status{path}").status_code == 404


def test_what_was_got_can_be_put_again(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    house.put(document(mapping=[{"path": ["a", 0, "b c"], "attribute": "x", "default": None}], timeout=2.5))
    got = house.call("GET", "/steps/order-status").json
    assert house.put(got).status_code == 200
    assert house.call("GET", "/steps/order-status").json == got


@pytest.mark.parametrize(
    ("broken", "place"),
    [
        ({"urll": "x"}, "urll"),
        ({"format": "httpstep/2"}, "format"),
        ({"url": "ftp://x/"}, "request.url"),
        ({"url": "not a url"}, "request.url"),
        ({"method": "BREW"}, "request.method"),
        ({"headers": [{"name": "X\nY", "value": "1"}]}, "request.headers[0].name"),
        ({"headers": [{"name": "X", "value": "a\r\nb"}]}, "request.headers[0].value"),
        ({"headers": [{"name": "Content-Length", "value": "1"}]}, "request.headers[0].name"),
        ({"method": "POST", "body": {"mode": "json", "text": '{"a": }'}}, "request.body.text"),
        ({"url": "https://a/{{7*7}}"}, "request.url"),
        ({"timeout": 61}, "timeout"),
        ({"retries": 3}, "retries"),
        ({"alert_emails": ["a"]}, "alert_emails[0]"),
        ({"alert_emails": [f"a{n}@b.example" for n in range(11)]}, "alert_emails"),
        ({"mapping": [{"path": ["a"], "attribute": "1"}]}, "mapping[0].attribute"),
        ({"mapping": [{"path": ["a"], "attribute": "a"}, {"path": ["b"], "attribute": "a"}]}, "mapping[1].attribute"),
        ({"mapping": [{"jsonpath": "$[", "attribute": "a"}]}, "mapping[0].jsonpath"),
        ({"success_statuses": "abc"}, "success_statuses"),
        ({"fallback": "maybe"}, "fallback"),
    ],
)
@pytest.mark.sqlite_only("refused above the database")
def test_a_bad_document_is_refused_with_its_place_and_nothing_is_saved(
    make_house: MakeHouse, broken: dict[str, Any], place: str
) -> None:
    house = make_house(ThirdParty())
    sent = document(**{name: value for name, value in broken.items() if name != "format"})
    sent |= {name: value for name, value in broken.items() if name == "format"}
    response = house.put(sent)
    assert response.status_code == 422, response.data
    faults = response.json["faults"]
    assert any(fault["place"].startswith(place) or place in fault["message"] for fault in faults), faults
    assert house.call("GET", "/steps").json["steps"] == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"", b"\xff\xfe"])
@pytest.mark.sqlite_only("refused above the database")
def test_a_body_that_is_no_document_is_a_sentence(make_house: MakeHouse, body: bytes) -> None:
    house = make_house(ThirdParty())
    response = house.call("PUT", "/steps/a", data=body, content_type="application/json")
    assert response.status_code in (400, 422)
    assert len(response.json["detail"]) > 10


@pytest.mark.parametrize(
    ("more", "status", "says"),
    [
        ({"data": b"a=b", "content_type": "application/x-www-form-urlencoded"}, 415, "application/json"),
        ({"data": b"{}"}, 415, "application/json"),
        ({"data": b"{}", "content_type": "application/json", "headers": {"Content-Encoding": "gzip"}}, 415, "Encoding"),
        ({"data": b'{"name": "' + b"x" * 300_000 + b'"}', "content_type": "application/json"}, 413, "256 KB"),
        ({"data": b"x" * 5_000_000, "content_type": "application/json"}, 413, "256 KB"),
        ({"data": b"{", "content_type": "application/json"}, 400, "not JSON"),
    ],
)
@pytest.mark.sqlite_only("refused above the database")
def test_a_body_of_the_wrong_kind_or_size_is_refused_and_nothing_is_saved(
    make_house: MakeHouse, more: dict[str, Any], status: int, says: str
) -> None:
    house = make_house(ThirdParty())
    response = house.call("PUT", "/steps/order-status", **more)
    assert response.status_code == status and response.content_type == "application/problem+json"
    assert says in response.json["detail"]
    assert house.call("GET", "/steps").json["steps"] == []


def test_a_key_to_execute_may_not_manage(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    house.put(document())
    token = house.token("execute")
    assert house.execute(token=token).status_code == 200
    for method, path in (("GET", ""), ("GET", "/order-status"), ("PUT", "/order-status"), ("DELETE", "/order-status")):
        assert house.call(method, f"/steps{path}", token=token, json={}).status_code == 403


def test_a_put_with_an_old_etag_is_refused(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    old = house.put(document()).headers["ETag"]
    house.put(document(name="Second"))
    assert house.put(document(name="Third"), headers={"If-Match": old}).status_code == 412
    assert house.call("GET", "/steps/order-status").json["name"] == "Second"


CONDITIONS = [
    ("order-status", {"If-Match": "*"}, 200), ("order-status", {"If-Match": '"7", "1"'}, 200), ("order-status", {"If-Match": 'W/"1"'}, 412),
    ("order-status", {"If-None-Match": "*"}, 412), ("order-status", {"If-None-Match": '"7", W/"1"'}, 412), ("order-status", {"If-None-Match": '"7"'}, 200),
    ("new", {"If-Match": "*"}, 412), ("new", {"If-Match": '"1"'}, 412), ("new", {"If-None-Match": "*"}, 201), ("new", {"If-None-Match": '"1"'}, 201),
]  # fmt: skip
"""By RFC 9110, 13.1.1 and 13.1.2: If-Match compares strongly, If-None-Match weakly."""


@pytest.mark.parametrize(("key", "headers", "status"), CONDITIONS)
@pytest.mark.sqlite_only("the conditions are looked at above the database; those of old ETags run on both")
def test_a_put_keeps_to_its_conditions(make_house: MakeHouse, key: str, headers: dict[str, str], status: int) -> None:
    house = make_house(ThirdParty())
    house.put(document())
    assert house.put(document(key, name="Put"), headers=headers).status_code == status
    names = [step["name"] for step in house.call("GET", "/steps").json["steps"]]
    assert ("Put" in names) == (status != 412)


def test_a_delete_with_an_old_etag_is_refused(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    old = house.put(document()).headers["ETag"]
    new = house.put(document(name="Second")).headers["ETag"]
    assert house.call("DELETE", "/steps/order-status", headers={"If-Match": old}).status_code == 412
    assert house.call("DELETE", "/steps/order-status", headers={"If-Match": new}).status_code == 204


def test_of_many_that_make_a_step_only_once_one_does(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    house.token()

    def make(_: int) -> int:
        client = house.app.test_client()
        headers = {"Authorization": f"Bearer {house.token()}", "If-None-Match": "*"}
        return client.put("/api/v1/steps/order-status", json=document(), headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(make, range(8))) == [201] + [412] * 7


def test_logs_are_listed_without_bodies_and_had_one_by_one_with_them(make_house: MakeHouse) -> None:
    """Twenty of them are a few KB, so whoever asks for them and reads nothing holds little."""
    house = make_house(ThirdParty(answer(200, {"found": "x" * 70_000})))
    house.put(document(mapping=[], method="POST", body={"mode": "raw", "text": "y" * 70_000}))
    house.limit(100)
    for _ in range(20):
        house.execute()
    listed = house.call("GET", "/steps/order-status/logs")
    assert len(listed.json["logs"]) == 20 and len(listed.data) < 64 * 1024
    one = house.call("GET", f"/steps/order-status/logs/{listed.json['logs'][3]['id']}").json
    assert one["request"].pop("body").startswith("yyy") and one["response"].pop("body").startswith('{"found": "xxx')
    assert one == listed.json["logs"][3]


def test_a_log_is_found_only_under_its_own_step(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    house.put(document())
    house.put(document("other"))
    log_id = house.execute().json["log_id"]
    assert house.call("GET", f"/steps/order-status/logs/{log_id}").json["id"] == log_id
    for path in (f"other/logs/{log_id}", "order-status/logs/999", "nothing/logs/1", "order-status/logs/" + "9" * 30):
        assert house.call("GET", f"/steps/{path}").status_code == 404, path
    refused = house.call("GET", f"/steps/order-status/logs/{log_id}", token=house.token("execute"))
    assert refused.status_code == 403
    foreign = house.call("GET", f"/steps/order-status/logs/{log_id}", token=house.token(account="b"))
    assert foreign.status_code == 404


def test_a_secret_is_written_by_name_and_never_comes_back(make_house: MakeHouse) -> None:
    from httpstep.storage.database import editing
    from httpstep.upkeep import installation

    house = make_house(third := ThirdParty())
    owner = house.account()
    with house.app.app_context(), editing():
        vault = house.app.extensions["httpstep"].vault
        installation.put_secret(vault, owner, "token", "s3cr3t-value", 0.0, hosts=("https://api.example",))
    house.put(document(headers=[{"name": "X-Token", "value": "{{secret.token}}"}]))
    house.execute()
    assert dict(third.requests[0].headers)["X-Token"] == "s3cr3t-value"
    for path in ("", "/logs", f"/logs/{house.logs()[0]['id']}"):
        assert "s3cr3t-value" not in house.call("GET", f"/steps/order-status{path}").get_data(as_text=True)
    assert "••••" in house.call("GET", "/steps/order-status/logs").get_data(as_text=True)


def test_twelve_who_make_the_same_step_at_once_all_get_it(make_house: MakeHouse) -> None:
    house = make_house()
    token = house.token()

    def put(number: int) -> int:
        body = document(name=f"N {number}")
        for _ in range(3):
            got = house.app.test_client().put(
                "/api/v1/steps/order-status", json=body, headers={"Authorization": f"Bearer {token}"}
            )
            if got.status_code != 503:  # a machine that stands still for seconds: whoever waits for SQLite is told so
                break
        return got.status_code

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(put, range(12)))
    assert sorted(set(statuses)) in ([200, 201], [200, 201, 409]) and statuses.count(201) == 1
