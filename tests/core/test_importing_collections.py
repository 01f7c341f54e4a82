"""Collections drawn from what Postman's published schema of v2.1 allows: each request is a step, and nothing of it is
lost without a word."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from httpstep.core import jsontext
from httpstep.core.document import stepdocument
from httpstep.core.importing import anything
from httpstep.core.importing.steps import storable

Strategy = st.SearchStrategy[Any]

words = st.sampled_from(["a", "X-Shop", "order id", "{{order id}}", "größe", "page[size]", "v1", "a/b", "100%", "名前"])
texts = words | st.text(st.characters(codec="utf-8"), max_size=12)
markers = st.integers(1000, 9999).map(lambda number: f"mark{number}")
"""Texts that are found again."""


def members(required: dict[str, Strategy], optional: dict[str, Strategy]) -> Strategy:
    return st.fixed_dictionaries(required, optional=optional)


descriptions = texts | st.none() | members({}, {"content": texts, "type": texts, "version": st.integers() | texts})
disabled = {"disabled": st.booleans(), "description": descriptions}
variables = st.lists(
    members({}, {"id": texts, "key": words, "value": texts | st.integers() | st.none() | st.booleans(), "type": texts, "name": texts, **disabled}),
    max_size=2,
)  # fmt: skip
rows = st.lists(members({"key": markers, "value": texts}, disabled), max_size=3)
parts = st.lists(
    members({"key": markers}, {"value": texts, "type": st.just("text"), "contentType": texts, **disabled})
    | members({"key": markers, "type": st.just("file")}, {"src": texts | st.none() | st.lists(texts, max_size=2), **disabled}),
    max_size=3,
)  # fmt: skip
path_parts = texts | members({}, {"type": texts, "value": texts})
urls = st.sampled_from(["https://shop.example/a", "{{baseUrl}}/orders/:id", "shop.example/x?y=1#z", ""]) | members(
    {},
    {
        "raw": st.sampled_from(["https://shop.example/a?q=1", "{{baseUrl}}/b"]), "protocol": st.sampled_from(["http", "https"]),
        "host": st.just("shop.example") | st.lists(st.sampled_from(["shop", "example", "{{host}}"]), max_size=3),
        "path": texts | st.lists(path_parts, max_size=3), "port": st.just("8443"), "hash": texts, "variable": variables,
        "query": st.lists(members({}, {"key": words | st.none(), "value": texts | st.none(), **disabled}), max_size=3),
    },
)  # fmt: skip
KINDS = ["apikey", "awsv4", "basic", "bearer", "digest", "edgegrid", "hawk", "noauth", "oauth1", "oauth2", "ntlm"]
attributes = st.lists(
    members({"key": st.sampled_from(["key", "value", "in", "username", "password", "token", "accessToken", "grant_type"])},
            {"value": texts | st.integers() | st.none(), "type": texts}),
    max_size=4,
)  # fmt: skip
auths = st.none() | st.sampled_from(KINDS).flatmap(lambda kind: members({"type": st.just(kind)}, {kind: attributes}))
bodies = st.none() | st.one_of(
    members({"mode": st.just("raw")}, {"raw": texts | st.just('{"a": {{b}}}'), "options": members({}, {"raw": members({}, {"language": st.sampled_from(["json", "xml", "text"])})}), "disabled": st.booleans()}),
    members({"mode": st.just("urlencoded")}, {"urlencoded": rows}),
    members({"mode": st.just("formdata")}, {"formdata": parts}),
    members({"mode": st.just("file")}, {"file": members({}, {"src": texts | st.none(), "content": texts})}),
    members({"mode": st.just("graphql")}, {"graphql": members({}, {"query": texts, "variables": texts | st.just('{"n": 1}')})}),
)  # fmt: skip
events = st.lists(members({"listen": st.sampled_from(["test", "prerequest"])}, {"script": members({}, {"exec": st.lists(texts, max_size=1)})}), max_size=1)  # fmt: skip
requests = st.sampled_from(["https://shop.example/plain", "shop.example"]) | members(
    {},
    {
        "url": urls, "auth": auths, "method": st.sampled_from(["GET", "POST", "PUT", "DELETE", "LINK", "purge", ""]), "description": descriptions,
        "header": rows | st.sampled_from(["A: b\nC: d", ""]) | st.none(), "body": bodies, "proxy": st.none(), "certificate": st.none(),
    },
)  # fmt: skip
items = members(
    {"request": requests}, {"name": texts, "id": texts, "variable": variables, "event": events, "response": st.just([])}
)
groups = st.recursive(
    st.lists(items, min_size=1, max_size=2),
    lambda inner: st.tuples(members({"item": inner}, {"name": texts, "auth": auths, "event": events}), items).map(list),
    max_leaves=4,
)
collections = members(
    {"info": members({"name": texts, "schema": texts}, {"description": descriptions}), "item": groups},
    {"event": events, "variable": variables, "auth": auths, "protocolProfileBehavior": st.just({})},
)


def requests_of(entries: list[dict[str, Any]]) -> list[Any]:
    found = []
    for entry in entries:
        found += requests_of(entry["item"]) if "item" in entry else [entry["request"]]
    return found


def is_step(document: Any) -> bool:
    """Whether the step reader takes it, and gives it back."""
    read_back = jsontext.loads(jsontext.dumps_text(document))
    return stepdocument.dump(stepdocument.parse(read_back)) == document


@settings(max_examples=150, deadline=None)
@given(collections)
def test_every_request_is_a_step_or_a_sentence(collection: dict[str, Any]) -> None:
    source = anything.read(json.dumps(collection))
    assert source.fault == "" and len(source.operations) == len(requests_of(collection["item"]))
    for operation in source.operations:
        found = source.read(operation)
        spec, notes = storable(found, operation)
        try:
            assert is_step(stepdocument.dump(spec))
        except stepdocument.DocumentError as error:
            assert any("cannot be kept like this" in note for note in notes), f"{error} of {collection}"


@settings(max_examples=150, deadline=None)
@given(requests)
def test_every_row_of_a_request_is_in_the_step_or_is_named(request: Any) -> None:
    source = anything.read(json.dumps({"info": {"name": "a"}, "item": [{"request": request}]}))
    spec, notes = storable(source.read(source.operations[0]), source.operations[0])
    told = jsontext.dumps_text(stepdocument.dump(spec)) + " ".join(notes)
    asked = request if isinstance(request, dict) else {}
    body = asked.get("body") or {}
    wanted = [*(asked.get("header") or []), *(body.get(body.get("mode")) or [])]
    assert [row["key"] for row in wanted if isinstance(row, dict) and row["key"] not in told] == []
