"""The catalogue: what is known, where it comes from, and a rename that reaches every step."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from httpstep.core.document.renaming import meant
from httpstep.web.settings.attributes import read, typed
from tests.house import document
from tests.web.conftest import Browser, Web


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture
def alice(web: Web) -> Browser:
    return web.as_("alice")


def test_the_list_says_where_an_attribute_comes_from_and_where_it_is_used(web: Web, alice: Browser) -> None:
    assert "Attributes are the values your bot knows, e.g. {{user.email}}." in unescape(alice.get("/attributes").text)
    alice.post("/attributes", {"name": "order.id", "sample": "42", "in_bot": "on"})
    web.house.put(document("first", mapping=[{"path": ["a"], "attribute": "state"}]))
    web.house.put(document("second", url="https://api.example/{{order.id}}", body={"mode": "raw", "text": "{{state}}"}))
    seen = text_of(alice.get("/attributes").text)
    assert "order.id 42 – The bot 2 steps Edit" in seen
    assert "state – – First 1 step Edit" in seen
    assert "Comes from First" in text_of(alice.get("/attributes/state/edit").text)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("", "Give the attribute a name."), ("secret.x", "kept for secrets"), ("1x", "begins with a letter"),
     ("a b", "begins with a letter"), ("x" * 101, "at most 100"), ("é", "begins with a letter"), ("{{x}}", "begins with")],
)  # fmt: skip
@pytest.mark.sqlite_only("refused above the database")
def test_a_name_that_cannot_be_written_is_refused_and_kept_as_typed(alice: Browser, name: str, sentence: str) -> None:
    refused = alice.post("/attributes", {"name": name, "sample": "what I typed"})
    assert refused.status_code == 422
    assert sentence in refused.text and "what I typed" in refused.text and 'aria-invalid="true"' in refused.text


def test_a_name_is_there_once(web: Web, alice: Browser) -> None:
    web.house.put(document(mapping=[{"path": ["a"], "attribute": "state"}]))
    alice.post("/attributes", {"name": "order.id"})
    for name in ("order.id", "state"):
        assert "There is an attribute of this name already." in alice.post("/attributes", {"name": name}).text
    assert alice.post("/attributes/order.id/edit", {"name": "state"}).status_code == 422


@pytest.mark.parametrize(
    ("written", "stored"),
    [("42", "42"), ("1.10", "1.10"), ("true", "true"), ("null", "null"), ('{"a": 1}', '{"a":1}'), ("hello", '"hello"'),
     ('"42"', '"42"'), ('""', '""'), ("", None), ("{oops", '"{oops"'), ("NaN", '"NaN"'), ("12345678901234567890", "12345678901234567890")],
)  # fmt: skip
def test_a_value_is_json_where_it_reads_as_json_and_text_elsewhere(written: str, stored: str | None) -> None:
    assert read(written) == stored
    assert read(typed(stored)) == stored


def test_a_rename_reaches_every_step_and_nothing_else(web: Web, alice: Browser) -> None:
    alice.post("/attributes", {"name": "order.id", "in_bot": "on"})
    alice.post("/attributes", {"name": "order.identity", "in_bot": "on"})
    web.house.put(
        document(
            url="https://api.example/{{ order.id }}?x={{order.identity}}",
            headers=[{"name": "X-Order", "value": r"\{{order.id}} {{order.id.part}} {{secret.order.id}}"}],
            body={"mode": "json", "text": '{"id": "{{order.id}}"}', "fields": [{"name": "q", "value": "{{order.id}}"}]},
            mapping=[{"path": ["id"], "attribute": "order.id"}, {"path": ["b"], "attribute": "other"}],
        )
    )
    web.house.put(document("untouched", url="https://api.example/"))
    answer = alice.post(
        "/attributes/order.id/edit", {"name": "purchase", "sample": "7", "in_bot": "on"}, follow_redirects=True
    )
    assert "It was renamed in 1 step." in answer.text
    changed: Any = web.house.call("GET", "/steps/order-status")
    request = changed.json["request"]
    assert request["url"] == "https://api.example/{{purchase}}?x={{order.identity}}"
    assert request["headers"][0]["value"] == r"\{{order.id}} {{purchase.part}} {{secret.order.id}}"
    assert request["body"]["text"] == '{"id": "{{purchase}}"}'
    assert request["body"]["fields"][0]["value"] == "{{purchase}}"
    assert [rule["attribute"] for rule in changed.json["mapping"]] == ["purchase", "other"]
    assert changed.headers["ETag"] == '"2"', "an open editor must notice"
    assert web.house.call("GET", "/steps/untouched").headers["ETag"] == '"1"'
    assert alice.get("/attributes/order.id/edit").status_code == 404


def test_a_placeholder_means_its_longest_known_part() -> None:
    known = {"customer", "customer.address"}
    assert meant("customer.address.city", known) == "customer.address"
    assert meant("customer.name", known) == "customer"
    assert meant("customers.name", known) == "customers.name"


def test_deleting_a_used_attribute_says_so_first(web: Web, alice: Browser) -> None:
    alice.post("/attributes", {"name": "order.id"})
    web.house.put(document(name="Order status"))
    page = text_of(alice.get("/attributes/order.id/edit").text)
    assert "1 step uses it: Order status" in page
    assert alice.post("/attributes/order.id/delete").status_code == 303
    assert alice.get("/attributes/order.id/edit").status_code == 404
    assert alice.post("/attributes/order.id/delete").status_code == 404


def test_a_default_is_what_a_call_uses(web: Web, alice: Browser) -> None:
    alice.post("/attributes", {"name": "order.id", "default": "7"})
    assert "7" in text_of(alice.get("/attributes").text)
    edited = alice.post("/attributes/order.id/edit", {"name": "order.id", "default": ""})
    assert edited.status_code == 303
    assert "7" not in text_of(alice.get("/attributes").text)
