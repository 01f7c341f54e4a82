"""Attributes, secrets and execute keys by API. A secret's value comes back by nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]
VALUE = "s3cr3t-value-of-the-test"


@pytest.fixture
def third() -> ThirdParty:
    return ThirdParty(answer(200, {"a": 1}))


@pytest.fixture
def house(make_house: MakeHouse, third: ThirdParty) -> House:
    return make_house(third)


# ---------------------------------------------------------------- attributes


def test_an_attribute_is_put_listed_and_deleted(house: House) -> None:
    assert (
        house.call(
            "PUT", "/attributes/city", data='{"sample": 1.10, "default": null}', content_type="application/json"
        ).status_code
        == 201
    )
    house.put(document(url="https://api.example/{{city}}", mapping=[{"path": ["a"], "attribute": "state"}]))
    listed = house.call("GET", "/attributes")
    assert '"sample":1.10' in listed.text
    city, state = listed.json["attributes"]
    assert city["default"] is None and (city["listed"], city["in_bot"], city["used_in"]) == (
        True,
        True,
        ["order-status"],
    )
    assert state == {
        "name": "state", "in_bot": False, "listed": False, "given_by": ["order-status"], "used_in": [],
    }  # fmt: skip
    changed = house.call("PUT", "/attributes/city", json={"in_bot": False})
    assert changed.status_code == 200
    assert changed.json == {"format": "httpstep-attribute/1", "name": "city", "in_bot": False}
    assert "sample" not in house.call("GET", "/attributes").json["attributes"][0]
    assert house.call("DELETE", "/attributes/city").status_code == 204
    assert house.call("DELETE", "/attributes/city").status_code == 404
    assert [one["name"] for one in house.call("GET", "/attributes").json["attributes"]] == ["state"]


def test_a_default_by_api_is_used_by_the_next_call(house: House, third: ThirdParty) -> None:
    house.put(document(url="https://api.example/{{city}}"))
    assert house.execute(attributes={}).json["outcome"] == "invalid_request"
    house.call("PUT", "/attributes/city", json={"default": "Bern"})
    house.execute(attributes={})
    assert third.requests[-1].url == "https://api.example/Bern"


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("secret.x", {}, "kept for secrets"), ("1", {}, "A name begins with"), ("x", {"name": "y"}, "not the one in the address"),
        ("x", {"sample": "x" * 10_001}, "At most 10,000"), ("x", {"default": [1] * 6000}, "At most 10,000"),
        ("x", {"in_bot": "yes"}, "true or false"), ("x", {"hue": 1}, 'Unknown member "hue" in the attribute.'),
        ("x", [], "An attribute must be an object"),
    ],
)  # fmt: skip
@pytest.mark.sqlite_only("refused above the database")
def test_a_bad_attribute_is_a_sentence_and_nothing_is_saved(house: House, name: str, body: Any, says: str) -> None:
    got = house.call("PUT", f"/attributes/{name}", json=body)
    assert got.status_code == 422 and says in got.json["detail"], got.json
    assert house.call("GET", "/attributes").json["attributes"] == []


# ---------------------------------------------------------------- secrets


def put_secret(house: House, name: str = "token", **body: Any) -> Any:
    return house.call("PUT", f"/secrets/{name}", json={"value": VALUE, "hosts": ["https://api.example/x"]} | body)


def test_a_secret_is_written_used_and_never_given_back(house: House, third: ThirdParty) -> None:
    made = put_secret(house)
    assert made.status_code == 201 and made.json["hosts"] == ["https://api.example"]
    house.put(document(headers=[{"name": "X-Token", "value": "{{secret.token}}"}]))
    house.execute()
    assert dict(third.requests[-1].headers)["X-Token"] == VALUE
    listed = house.call("GET", "/secrets")
    [one] = listed.json["secrets"]
    assert (one["name"], one["hosts"], one["used_in"]) == ("token", ["https://api.example"], ["order-status"])
    replaced = put_secret(house, value="another", hosts=["other.example"])
    assert replaced.status_code == 200
    assert house.execute().json["outcome"] == "invalid_request"
    for got in (made, listed, replaced, house.call("GET", "/steps/order-status"), house.call("GET", "/secrets/token")):
        assert VALUE not in got.text and "another" not in got.text
    assert house.call("DELETE", "/secrets/token").status_code == 204
    assert house.call("DELETE", "/secrets/token").status_code == 404


def test_where_a_secret_may_be_sent_is_changed_only_with_its_value(house: House) -> None:
    put_secret(house)
    for body in ({"hosts": ["evil.example"]}, {"hosts": ["evil.example"], "value": ""}):
        assert house.call("PUT", "/secrets/token", json=body).status_code == 422
    assert house.call("GET", "/secrets").json["secrets"][0]["hosts"] == ["https://api.example"]


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("token", {"hosts": []}, "Say where this secret may be sent."), ("token", {"hosts": ["*.example"]}, "each host is written out"),
        ("token", {"hosts": "api.example"}, "must be a list"), ("token", {"hosts": [1]}, "a list of texts"),
        ("token", {"hosts": [f"h{n}.example" for n in range(21)]}, "At most 20 hosts"), ("token", {"value": "\n"}, "Enter the value."),
        ("token", {"value": VALUE * 800}, "at most 16 KB"), ("token", {"value": {"a": VALUE}}, "must be a text"),
        ("token", {"valeu": VALUE}, 'Unknown member "valeu" in the secret.'), ("1", {}, "A name begins with"), ("secret.x", {}, "A name begins with"),
    ],
)  # fmt: skip
@pytest.mark.sqlite_only("refused above the database")
def test_a_bad_secret_is_a_sentence_without_its_value_and_nothing_is_stored(
    house: House, name: str, body: Any, says: str
) -> None:
    got = put_secret(house, name, **body)
    assert got.status_code == 422 and says in got.json["detail"] and VALUE not in got.text, got.json
    assert house.call("GET", "/secrets").json["secrets"] == []


def test_a_broken_body_does_not_show_the_value(house: House) -> None:
    body = f'{{"value": "{VALUE}", "hosts": '
    got = house.call("PUT", "/secrets/token", data=body, content_type="application/json")
    assert got.status_code == 400 and VALUE not in got.text


# ---------------------------------------------------------------- both, and their versions

ENTRIES = [
    ("/attributes", {"sample": 1, "default": "\u20ac"}, {"sample": 2}),
    ("/secrets", {"value": VALUE, "hosts": ["api.example"]}, {"value": "another", "hosts": ["api.example"]}),
]
CONDITIONS = [
    ("made", {"If-Match": "*"}, 200), ("made", {"If-Match": '"7", {tag}'}, 200), ("made", {"If-Match": '"7"'}, 412),
    ("made", {"If-None-Match": "*"}, 412), ("new", {"If-Match": "*"}, 412), ("new", {"If-None-Match": "*"}, 201),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "_"), ENTRIES)
def test_one_is_had_by_its_name_with_the_etag_that_writing_it_gave(house: House, path: str, body: Any, _: Any) -> None:
    assert house.call("GET", f"{path}/made").status_code == 404
    put = house.call("PUT", f"{path}/made", json=body)
    got = house.call("GET", f"{path}/made")
    assert got.status_code == 200 and VALUE not in got.text
    assert got.headers["ETag"] == put.headers["ETag"] and got.json.items() >= put.json.items()


@pytest.mark.parametrize(("path", "body", "other"), ENTRIES)
@pytest.mark.parametrize(("name", "headers", "status"), CONDITIONS)
@pytest.mark.sqlite_only("the conditions are looked at above the database; tests/test_two_edits.py runs on both")
def test_a_put_keeps_to_its_conditions(
    house: House, path: str, body: Any, other: Any, name: str, headers: dict[str, str], status: int
) -> None:
    tag = house.call("PUT", f"{path}/made", json=body).headers["ETag"]
    sent = {header: value.replace("{tag}", tag) for header, value in headers.items()}
    assert house.call("PUT", f"{path}/{name}", json=other, headers=sent).status_code == status
    assert (house.call("GET", f"{path}/made").headers["ETag"] == tag) == (status != 200)
    assert house.call("GET", f"{path}/new").status_code == (200 if status == 201 else 404)


@pytest.mark.parametrize(("path", "body", "other"), ENTRIES)
def test_what_somebody_else_wrote_meanwhile_is_not_written_over_or_deleted(
    house: House, path: str, body: Any, other: Any
) -> None:
    """A secret's new value alone is another version, with the same hosts."""
    old = house.call("PUT", f"{path}/made", json=body).headers["ETag"]
    new = house.call("PUT", f"{path}/made", json=other).headers["ETag"]
    refused = house.call("PUT", f"{path}/made", json=body, headers={"If-Match": old})
    assert refused.status_code == 412 and "is not in the version named in If-Match" in refused.json["detail"]
    for tag, status in ((old, 412), (new, 204), (new, 412)):
        assert house.call("DELETE", f"{path}/made", headers={"If-Match": tag}).status_code == status


# ---------------------------------------------------------------- keys


def test_an_execute_key_is_made_shown_once_used_and_revoked(house: House) -> None:
    house.put(document())
    made = house.call("POST", "/keys", json={"name": " bot "})
    assert made.status_code == 201 and made.headers["Cache-Control"] == "no-store"
    token = made.json["token"]
    assert house.execute(token=token).status_code == 200
    assert house.call("GET", "/steps", token=token).status_code == 403
    listed = house.call("GET", "/keys")
    assert token not in listed.text
    [one] = [one for one in listed.json["keys"] if one["name"] == "bot"]
    assert one["prefix"] == token[:11] and one["last_used_at"] and one["revoked_at"] is None
    assert house.call("DELETE", f"/keys/{one['id']}").status_code == 204
    assert house.execute(token=token).status_code == 401
    assert house.call("DELETE", f"/keys/{one['id']}").status_code == 404
    assert house.call("GET", "/keys").json["keys"][0]["revoked_at"]


def test_a_key_makes_sees_and_revokes_no_manage_key(house: House) -> None:
    for scope in ("manage", "admin", None, 1):
        got = house.call("POST", "/keys", json={"name": "more", "scope": scope})
        assert got.status_code == 403 and "token" not in got.json
    assert house.call("POST", "/keys", json={"name": "bot", "scope": "execute"}).status_code == 201
    assert [one["scope"] for one in house.call("GET", "/keys").json["keys"]] == ["execute"]
    assert house.call("DELETE", "/keys/1").status_code == 404, "the key that asks"
    for key_id in ("0", "999", "9" * 30, "-1", "x"):
        assert house.call("DELETE", f"/keys/{key_id}").status_code == 404
    assert house.call("GET", "/steps").status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"name": " "}, {"name": "x" * 101}, {"name": 1}, {"name": "x", "who": 1}, [], "x"]
)
@pytest.mark.sqlite_only("refused above the database")
def test_a_key_needs_a_name_and_nothing_else(house: House, body: Any) -> None:
    house.token()
    got = house.call("POST", "/keys", json=body)
    assert got.status_code == 422 and got.json["title"] == "Invalid Key" and got.json["detail"].endswith(".")
    assert house.call("GET", "/keys").json["keys"] == []


def test_execute_keys_may_not_manage(house: House) -> None:
    token = house.token("execute")
    for method, path in (
        ("GET", "/flows"), ("PUT", "/flows/x"), ("DELETE", "/flows/x"), ("GET", "/attributes"), ("PUT", "/attributes/x"),
        ("DELETE", "/attributes/x"), ("GET", "/secrets"), ("PUT", "/secrets/x"), ("DELETE", "/secrets/x"), ("GET", "/keys"),
        ("POST", "/keys"), ("DELETE", "/keys/1"),
    ):  # fmt: skip
        assert house.call(method, path, token=token, json={}).status_code == 403, (method, path)
