"""Addresses and forms with what no database holds: numbers of more than 64 bits, and NUL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Browser, Web

PLACE = re.compile(r"<(?:(\w+):)?(\w+)>")
NUMBERS = ["9223372036854775807", "9223372036854775808", "9" * 5000, "²", "٣", "-1"]


@pytest.fixture
def alice(make_house: Callable[..., House]) -> Browser:
    web = Web(make_house(ThirdParty(answer(200, {"a": 1}))))
    web.house.put(document())
    web.house.execute()
    return web.as_("alice")


def addresses(house: House, method: str, words: str) -> Iterator[str]:
    """Every address of that method with a place in it, the words in the place."""
    for rule in house.app.url_map.iter_rules():
        if method in (rule.methods or ()) and rule.arguments and rule.endpoint != "static":
            yield PLACE.sub(words, rule.rule)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:20])
def test_no_address_takes_a_number_that_no_row_has(alice: Browser, number: str) -> None:
    form = {"csrf_token": alice.token()}
    for path in addresses(alice.house, "GET", number):
        assert 400 <= alice.get(path).status_code < 500, path
    for path in addresses(alice.house, "POST", number):
        assert 400 <= alice.client.post(path, data=form).status_code < 500, path


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:20])
def test_no_field_takes_a_number_that_no_row_has(alice: Browser, number: str) -> None:
    for path in ("/steps/1?again={}", "/steps/1/tree?log={}", "/attributes/picker?step={}", "/steps/1/tree?from={}"):
        assert alice.get(path.format(number)).status_code < 500, path
    form = {"csrf_token": alice.token(), "name": "A", "method": "GET", "url": "https://api.example/"}
    numbered = ["version", "tested_log", "accepted_log", "accepted_again", "drift_log", "structure", "rules", "row"]
    for op in ("save", "add_row", f"remove_header:{number}", f"remove_field:{number}", f"remove_row:{number}"):
        sent = form | dict.fromkeys(numbered, number) | {"op": op}
        assert alice.client.post("/steps/1", data=sent).status_code < 500, op


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_no_address_takes_a_nul(alice: Browser, method: str) -> None:
    form = {"csrf_token": alice.token()}
    key = {"Authorization": f"Bearer {alice.house.token()}"}
    for path in addresses(alice.house, method, "a%00"):
        answered = alice.client.open(path, method=method, headers=key, data=form)
        assert answered.status_code in (400, 404, 415), path


FIELDS = [
    ("/attributes", {"name": "order.id", "sample": "a", "description": "a"}), ("/secrets", {"name": "CRM", "secret_value": "a", "hosts": "a"}),
    ("/settings/account", {"name": "Shop"}), ("/settings/keys", {"name": "Bot", "scope": "execute"}),
    ("/settings/users/invite", {"email": "dora@example.com", "role": "viewer"}), ("/settings/accounts", {"slug": "b", "name": "B", "email": "e@example.com"}),
    ("/steps/new", {"op": "save", "draft_id": "d", "name": "A", "key": "a", "method": "GET", "url": "https://api.example/", "alert_emails": "a@example.com"}),
    ("/steps/new/test", {"draft_id": "d", "name": "A", "method": "GET", "url": "https://api.example/", "value:a": "b"}),
    ("/login", {"email": "alice@example.com", "password": "a"}), ("/settings/password", {"current_password": "a", "password": "a"}),
]  # fmt: skip


@pytest.mark.parametrize("path", [path for path, _ in FIELDS])
def test_a_nul_in_a_field_is_passed_over(alice: Browser, path: str) -> None:
    form = dict(FIELDS)[path]
    for name, value in form.items():
        answered = alice.post(path, form | {name: f"\0{value}\0"})
        assert answered.status_code < 500, name


def test_a_nul_in_a_query_is_passed_over(alice: Browser) -> None:
    for path in ("/steps/new/logs?draft_id=%00a", "/steps?q=%00a", "/attributes?q=%00a", "/attributes/picker?q=%00", "/login?next=%00"):  # fmt: skip
        assert alice.get(path).status_code < 500, path


def test_a_nul_in_a_document_or_an_attribute_is_no_fault_of_ours(alice: Browser) -> None:
    for member in ("name", "url", "key"):
        assert alice.house.call("PUT", "/steps/b", json=document("b") | {member: "a\0b"}).status_code < 500, member
    assert alice.house.execute(attributes={"order.id": "a\0b", "a\0": 1}).status_code < 500
    assert alice.house.execute(body={"idempotency": "a\0"}).status_code < 500
