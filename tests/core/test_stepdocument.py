"""The step document: read with every fault at once, written whole, and the same both ways."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpstep.core.answer.statuses import success
from httpstep.core.authentication import Auth
from httpstep.core.conversion import CONVERSIONS
from httpstep.core.document.stepdocument import (
    DocumentError,
    dump,
    parse,
)
from httpstep.core.step.spec import (
    NO_DEFAULT,
    Body,
    MappingRule,
    Pair,
    RequestSpec,
    StepSpec,
)
from httpstep.core.step.stepkey import is_key, key_from_name

DOCUMENT: dict[str, Any] = {
    "format": "httpstep/1",
    "key": "order-status",
    "name": "Order status",
    "request": {
        "method": "GET",
        "url": "https://shop.example/orders/{{order.id}}",
        "headers": [{"name": "X-Channel", "value": "{{channel}}"}],
        "auth": {"type": "none"},
        "body": {
            "mode": "none",
            "fields": [{"name": "q", "value": "{{q}}"}],
            "send_fields_in": "auto",
            "text": "",
            "content_type": "text/plain",
        },
    },
    "missing_attributes": "error",
    "success_statuses": "200-299",
    "timeout": 60,
    "follow_redirects": True,
    "retries": 0,
    "retry_unsafe": False,
    "mapping": [
        {"path": ["data", 0, "status"], "attribute": "order.status", "take": "one", "convert": "none", "on": True}
    ],
    "dictionaries": [["rates"]],
    "fallback": "stop",
    "alert_emails": ["ops@shop.example"],
    "alert_on_drift": False,
    "enabled": True,
}
LEAST: dict[str, Any] = {"name": "Least", "request": {"url": "https://api.example/"}}


def faults_of(document: Any) -> dict[str, str]:
    with pytest.raises(DocumentError) as caught:
        parse(document)
    return {fault.place: fault.message for fault in caught.value.faults}


def changed(place: str, value: Any) -> dict[str, Any]:
    """DOCUMENT with one member set; `place` is dotted, digits are places in lists."""
    document = copy.deepcopy(DOCUMENT)
    *way, last = place.split(".")
    target: Any = document
    for part in way:
        target = target[int(part)] if part.isdigit() else target[part]
    target[last] = value
    return document


def test_the_documented_example_comes_back_as_it_was() -> None:
    document = dump(parse(DOCUMENT))
    assert document == DOCUMENT and list(document) == list(DOCUMENT)
    assert next(iter(document)) == "format"


def test_missing_members_take_the_defaults() -> None:
    assert parse(LEAST) == StepSpec(name="Least", request=RequestSpec(url="https://api.example/"))


def test_a_mapping_never_set_is_not_an_empty_one() -> None:
    assert parse(LEAST).mapping is None
    assert parse(LEAST | {"mapping": None}).mapping is None
    assert parse(LEAST | {"mapping": []}).mapping == ()
    assert "mapping" not in dump(parse(LEAST)) and dump(parse(LEAST | {"mapping": []}))["mapping"] == []


def test_a_default_of_null_is_not_the_absence_of_a_default() -> None:
    rule = {"call": "status", "attribute": "status"}
    [without] = parse(LEAST | {"mapping": [rule]}).mapping or ()
    [null] = parse(LEAST | {"mapping": [rule | {"default": None}]}).mapping or ()
    assert without.default is NO_DEFAULT and null.default is None


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        ("format", "httpstep/2", "format"),
        ("key", "Order Status", "key"),
        ("key", "-a", "key"),
        ("key", "a" * 64, "key"),
        ("key", 1, "key"),
        ("name", "", "name"),
        ("name", "a" * 101, "name"),
        ("name", "a\r\nBcc: x", "name"),
        ("name", None, "name"),
        ("request", [], "request"),
        ("request.method", "get", "request.method"),
        ("request.method", "TRACE", "request.method"),
        ("request.url", 1, "request.url"),
        ("request.url", "file:///etc/passwd", "request.url"),
        ("request.url", "https://a.example/{{7*7}}", "request.url"),
        ("request.headers", {}, "request.headers"),
        ("request.headers", ["X: 1"], "request.headers[0]"),
        ("request.headers.0.name", "Host", "request.headers[0].name"),
        ("request.headers.0.name", None, "request.headers[0].name"),
        ("request.headers.0.value", "a\nb", "request.headers[0].value"),
        ("request.headers.0.comment", "x", "request.headers[0].comment"),
        ("request.auth", {"type": "kerberos"}, "request.auth.type"),
        ("request.auth", {"type": "bearer"}, "request.auth.token"),
        ("request.auth", {"type": "api_key", "name": "k", "value": "v", "in": "body"}, "request.auth.in"),
        ("request.auth", {"type": "none", "location": "header"}, "request.auth.location"),
        ("request.body.mode", "xml", "request.body.mode"),
        ("request.body.text", None, "request.body.text"),
        ("request.body.send_fields_in", "header", "request.body.send_fields_in"),
        ("request.urll", "x", "request.urll"),
        ("missing_attributes", "ignore", "missing_attributes"),
        ("success_statuses", "ok", "success_statuses"),
        ("success_statuses", "299-200", "success_statuses"),
        ("success_statuses", "200-", "success_statuses"),
        ("success_statuses", "200,,201", "success_statuses"),
        ("success_statuses", "600", "success_statuses"),
        ("success_statuses", "", "success_statuses"),
        ("success_statuses", [200], "success_statuses"),
        ("success_statuses", 200, "success_statuses"),
        ("timeout", 0, "timeout"),
        ("timeout", -1, "timeout"),
        ("timeout", 61, "timeout"),
        ("timeout", Decimal("60.01"), "timeout"),
        ("timeout", True, "timeout"),
        ("timeout", "60", "timeout"),
        ("follow_redirects", 1, "follow_redirects"),
        ("retries", 3, "retries"),
        ("retries", -1, "retries"),
        ("retries", Decimal("1.5"), "retries"),
        ("retries", False, "retries"),
        ("mapping", {}, "mapping"),
        ("mapping", ["$.a"], "mapping[0]"),
        ("mapping.0.path", "$.a", "mapping[0].path"),
        ("mapping.0.path", [-1], "mapping[0].path"),
        ("mapping.0.path", [True], "mapping[0].path"),
        ("mapping.0.path", [Decimal("1.5")], "mapping[0].path"),
        ("mapping.0.attribute", "1a", "mapping[0].attribute"),
        ("mapping.0.attribute", "secret.x", "mapping[0].attribute"),
        ("mapping.0.take", "first", "mapping[0].take"),
        ("mapping.0.convert", "float", "mapping[0].convert"),
        ("mapping.0.call", "status", "mapping[0].path"),
        ("mapping.0.on", "yes", "mapping[0].on"),
        ("mapping.0.filter", "x", "mapping[0].filter"),
        ("dictionaries", [["a"], "b"], "dictionaries[1]"),
        ("fallback", "retry", "fallback"),
        ("alert_emails", "ops@shop.example", "alert_emails"),
        ("alert_emails", [1], "alert_emails"),
        ("alert_on_drift", None, "alert_on_drift"),
        ("enabled", "true", "enabled"),
        ("version", 3, "version"),
    ],
)
def test_a_wrong_member_is_refused_by_its_place(place: str, value: Any, fault: str) -> None:
    faults = faults_of(changed(place, value))
    assert list(faults) == [fault]
    assert faults[fault].endswith((".", "braces themselves."))


@pytest.mark.parametrize("document", [None, [], "x", 1, True])
def test_a_document_that_is_no_object_is_one_fault(document: Any) -> None:
    assert list(faults_of(document)) == [""]


def test_every_fault_is_told_at_once() -> None:
    document = {
        "name": "",
        "request": {
            "urll": "x",
            "headers": [{"name": "Host", "value": 1}],
            "body": {"mode": "json", "text": '{\n"a" 1}'},
        },
        "timeout": 99,
        "mapping": [{"attribute": "9", "call": "status"}],
        "extra": 1,
    }
    faults = faults_of(document)
    assert set(faults) == {
        "name", "request.url", "request.urll", "request.headers[0].name", "request.headers[0].value",
        "request.body.text", "timeout", "mapping[0].attribute", "extra",
    }  # fmt: skip
    assert faults["request.urll"] == 'Unknown member "urll" in request.'
    assert "line 2, column 5" in faults["request.body.text"]


def test_a_draft_may_have_no_name_yet() -> None:
    document = LEAST | {"name": " "}
    assert parse(document, draft=True).name == ""
    assert list(faults_of(document)) == ["name"]


# ---------------------------------------------------------------- alert addresses


@pytest.mark.parametrize(
    "address",
    [
        "a@b.c\nBcc: x", "a@b.c, evil@x.example", "a@b.c\0", "a" * 2000 + "@x.example", "a@" + "b" * 2000 + ".example",
        "", "ops", "ops@", "@x.example", "a@b@c.example", "a b@x.example", "Ops <ops@x.example>", '"a b"@x.example',
        "a@[10.0.0.1]", "a@10.0.0.1", "a..b@x.example", ".a@x.example", "a.@x.example", "a@x..example", "a@-", "é@x.example",
        "a@x.example;b@x.example", "a@x.example\r", "ops@localhost", "a@x_y.example",
    ],
)  # fmt: skip
def test_an_invalid_alert_address_is_refused(address: str) -> None:
    [(place, message)] = faults_of(changed("alert_emails", ["good@x.example", address])).items()
    assert place == "alert_emails[1]" and message.endswith("is not an e-mail address.")
    assert message.isprintable() and len(message) < 120


@pytest.mark.parametrize(
    "address", ["a@b.co", "first.last+tag@x.example", "o'neil@x.example", "ops@mail.local", "a@bücher.example"]
)
def test_a_plain_alert_address_is_taken(address: str) -> None:
    assert parse(changed("alert_emails", [f" {address} "])).alert_emails == (address,)


def test_an_address_doubled_and_one_too_many_have_their_own_sentences() -> None:
    ten = [f"a{number}@x.example" for number in range(10)]
    assert len(parse(changed("alert_emails", ten)).alert_emails) == 10
    faults = faults_of(changed("alert_emails", [*ten[:9], "A0@X.example", "b@x.example", "c@x.example"]))
    assert "there twice" in faults["alert_emails[9]"]
    assert faults["alert_emails[10]"].startswith("At most 10 addresses")
    assert len(faults) == 2


# ---------------------------------------------------------------- round trip

lines = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)
names = st.from_regex(r"[A-Za-rt-z_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
paths = st.lists(st.integers(0, 9) | lines, max_size=4).map(tuple)
json_values = st.none() | st.booleans() | st.integers() | lines | st.lists(st.integers(), max_size=2)
rules = st.builds(
    MappingRule,
    attribute=names,
    path=paths,
    take=st.sampled_from(["one", "last", "all", "count"]),
    convert=st.sampled_from(list(CONVERSIONS)),
    default=st.just(NO_DEFAULT) | json_values,
    on=st.booleans(),
) | st.builds(MappingRule, attribute=names, call=st.sampled_from(["status", "error", "header:X-Id"]))
safe_lines = st.text(alphabet="aZ09 .:/%&?=+é\"'", max_size=20)
auths = (
    st.just(Auth())
    | st.builds(
        Auth,
        st.just("basic"),
        st.fixed_dictionaries({"username": st.just("u"), "password": safe_lines, "token": safe_lines}),
    )
    | st.just(Auth("api_key", {"name": "X-K", "value": "v", "in": "query"}))
    | st.just(
        Auth(
            "oauth2_client_credentials",
            {"token_url": "https://a.example/", "client_id": "i", "client_secret": "{{secret.S}}"},
        )
    )
)
pairs = st.lists(st.builds(Pair, name=st.just("X-A"), value=safe_lines), max_size=3).map(tuple)
bodies = st.builds(
    Body,
    mode=st.sampled_from(["none", "query", "raw"]),
    fields=pairs,
    send_fields_in=st.sampled_from(["auto", "url", "body"]),
    text=safe_lines,
)
requests = st.builds(
    RequestSpec,
    method=st.sampled_from(["GET", "POST", "OPTIONS"]),
    url=st.just("https://a.example/{{x}}"),
    headers=pairs,
    auth=auths,
    body=bodies,
)
steps = st.builds(
    StepSpec,
    key=st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True),
    name=st.text(alphabet="aZ0é中😀 -", max_size=20).map(lambda text: f"n{text}n"),
    request=requests,
    missing_attributes=st.sampled_from(["error", "empty"]),
    success_statuses=st.sampled_from(["200-299", "200, 404", "2xx,304"]),
    timeout=st.integers(1, 60) | st.decimals("0.1", 60, places=2),
    follow_redirects=st.booleans(),
    retries=st.integers(0, 2),
    retry_unsafe=st.booleans(),
    mapping=st.none() | st.lists(rules, max_size=4, unique_by=lambda rule: rule.attribute).map(tuple),
    dictionaries=st.lists(paths, max_size=2).map(tuple),
    fallback=st.sampled_from(["continue", "stop"]),
    alert_emails=st.lists(st.sampled_from(["a@x.example", "b@x.example"]), unique=True).map(tuple),
    alert_on_drift=st.booleans(),
    enabled=st.booleans(),
)


@given(steps)
def test_what_is_written_is_read_as_the_same_step(spec: StepSpec) -> None:
    assert parse(dump(spec)) == spec


# ---------------------------------------------------------------- success rule and key


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ("200-299", [200, 204, 299], [199, 300, 404]),
        ("200,201,404", [200, 201, 404], [202, 403]),
        (" 200 , 300 - 302 ", [200, 301], [201, 303]),
        ("2xx, 4XX", [200, 299, 400, 499], [300, 500]),
    ],
)
def test_the_success_rule(rule: str, good: list[int], bad: list[int]) -> None:
    assert parse(changed("success_statuses", rule)).success_statuses == rule.strip()
    assert all(success(rule, status) for status in good)
    assert not any(success(rule, status) for status in bad)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Order status", "order-status"),
        ("  Créer un lead (2)! ", "creer-un-lead-2"),
        ("Straße & Łódź", "strasse-lodz"),
        ("Статус заказа", "status-zakaza"),
        ("Ελλάδα", "ellada"),
        ("İstanbul ılık", "istanbul-ilik"),
        ("ﬁle ①", "file-1"),
        ("注文", "step"),
        ("", "step"),
        ("---", "step"),
        ("a" * 80, "a" * 63),
    ],
)
def test_a_key_is_made_from_the_name(name: str, key: str) -> None:
    assert key_from_name(name) == key


def test_a_key_that_is_taken_gets_a_number() -> None:
    assert key_from_name("a", {"a"}) == "a-2"
    assert key_from_name("a", {"a", "a-2", "a-3"}) == "a-4"
    assert key_from_name("a" * 70, {"a" * 63}) == "a" * 61 + "-2"


@given(st.text(max_size=100), st.sets(st.sampled_from(["step", "step-2", "a", "a-2"])))
def test_any_name_gives_a_free_and_valid_key(name: str, taken: set[str]) -> None:
    key = key_from_name(name, taken)
    assert is_key(key) and key not in taken
