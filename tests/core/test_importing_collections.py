"""Collections drawn from what Postman's published schema of v2.1 allows: each request is a step, and nothing of it is
lost without a word."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from hypothesis import given, settings
from hypothesis import strategies as st

from httpstep.core import jsontext
from httpstep.core.document import stepdocument
from httpstep.core.importing import anything
from httpstep.core.importing.steps import storable

# The strategies follow the published schema of v2.1 (https://schema.postman.com/collection/json/v2.1.0/, definitions "auth",
# "event", "header", "item", "item-group", "request", "response", "url", "variable"): each alternative it allows is drawn.

Strategy = st.SearchStrategy[Any]

words = st.sampled_from(
    ["a", "X-Shop", "order id", "{{order id}}", "größe", "page[size]", "v1", "a/b", "100%", "名前", ""]
)
texts = words | st.text(st.characters(codec="utf-8"), max_size=12)
markers = st.integers(1000, 9999).map(lambda number: f"mark{number}")
"""Texts that are found again."""


def members(required: dict[str, Strategy], optional: dict[str, Strategy]) -> Strategy:
    return st.fixed_dictionaries(required, optional=optional)


descriptions = texts | st.none() | members({}, {"content": texts, "type": texts, "version": st.integers() | texts})
disabled = {"disabled": st.booleans(), "description": descriptions}
anything_at_all = texts | st.integers() | st.none() | st.booleans() | st.lists(texts, max_size=1)
a_variable = {"value": anything_at_all, "type": st.sampled_from(["string", "boolean", "any", "number"]), "name": texts,
              "system": st.booleans(), **disabled}  # fmt: skip
variables = st.lists(
    members({"id": words}, a_variable) | members({"key": words}, a_variable) | members({"id": texts, "key": words}, a_variable),
    max_size=2,
)  # fmt: skip
headers = st.lists(members({"key": markers, "value": texts}, disabled), max_size=3)
rows = st.lists(members({"key": markers}, {"value": texts, **disabled}), max_size=3)
parts = st.lists(
    members({"key": markers}, {"value": texts, "type": st.just("text"), "contentType": texts, **disabled})
    | members({"key": markers}, {"type": st.just("file"), "src": texts | st.none() | st.lists(texts, max_size=2), "contentType": texts, **disabled}),
    max_size=3,
)  # fmt: skip
path_parts = texts | markers | members({}, {"type": texts, "value": texts})
queries = st.lists(
    members({}, {"key": markers | words | st.none(), "value": texts | st.none(), **disabled}), max_size=3
)
urls = st.sampled_from(["https://shop.example/a", "{{baseUrl}}/orders/:id", "shop.example/x?y=1#z", ""]) | members(
    {},
    {
        "raw": st.sampled_from(["https://shop.example/a?q=1", "{{baseUrl}}/b", ""]), "protocol": st.sampled_from(["http", "https", "https:", "{{scheme}}"]),
        "host": st.just("shop.example") | st.lists(st.sampled_from(["shop", "example", "{{host}}"]), max_size=3),
        "path": texts | st.just("/a/b") | st.lists(path_parts, max_size=3), "port": st.sampled_from(["8443", "", "{{port}}"]), "hash": texts,
        "variable": variables, "query": queries,
    },
)  # fmt: skip
KINDS = ["apikey", "awsv4", "basic", "bearer", "digest", "edgegrid", "hawk", "noauth", "oauth1", "oauth2", "ntlm"]
ATTRIBUTES = ["key", "value", "in", "username", "password", "token", "accessToken", "grant_type", "accessTokenUrl", "clientId",
              "client_authentication", "addTokenTo", "headerPrefix", "audience"]  # fmt: skip
attributes = st.lists(
    members({"key": st.sampled_from(ATTRIBUTES)}, {"value": anything_at_all, "type": texts}), max_size=4
)
grants = st.fixed_dictionaries(
    {"grant_type": st.sampled_from(["client_credentials", "authorization_code"]), "accessTokenUrl": st.just("https://shop.example/token"),
     "client_authentication": st.sampled_from(["header", "body"]), "headerPrefix": st.sampled_from(["", "Bearer", "Token"]),
     "addTokenTo": st.sampled_from(["header", "queryParams"])}
).map(lambda given: {"type": "oauth2", "oauth2": [{"key": key, "value": value} for key, value in given.items()]})  # fmt: skip
auths = st.none() | grants | st.sampled_from(KINDS).flatmap(
    lambda kind: members({"type": st.just(kind)}, {kind: st.none() | attributes if kind != "noauth" else anything_at_all})
)  # fmt: skip
languages = members(
    {}, {"raw": members({}, {"language": st.sampled_from(["json", "xml", "text", "html", "javascript", "graphql"])})}
)
contents = st.one_of(
    members({"mode": st.just("raw")}, {"raw": texts | markers | st.sampled_from(['{"a": {{b}}}', "a=b&c=d"]), "options": languages}),
    members({"mode": st.just("urlencoded")}, {"urlencoded": rows}),
    members({"mode": st.just("formdata")}, {"formdata": parts}),
    members({"mode": st.just("file")}, {"file": members({}, {"src": texts | st.none(), "content": texts})}),
    members({"mode": st.just("graphql")}, {"graphql": members({}, {"query": texts, "variables": texts | st.just('{"n": 1}'), "operationName": texts})}),
    members({}, {"raw": texts, "urlencoded": rows, "formdata": parts, "options": languages}),
)  # fmt: skip
bodies = st.none() | st.tuples(contents, members({}, {"disabled": st.booleans()})).map(lambda both: both[0] | both[1])
scripts = members(
    {}, {"id": texts, "type": texts, "exec": texts | st.lists(texts, max_size=2), "src": urls, "name": texts}
)
events = st.lists(members({"listen": st.sampled_from(["test", "prerequest"])}, {"id": texts, "script": scripts, "disabled": st.booleans()}), max_size=1)  # fmt: skip
proxies = st.none() | members(
    {},
    {"match": texts, "host": texts, "port": st.integers(0, 70000), "tunnel": st.booleans(), "disabled": st.booleans()},
)
certificates = st.none() | members(
    {}, {"name": texts, "matches": st.lists(texts, max_size=1), "key": members({}, {"src": texts}), "passphrase": texts}
)
METHODS = ["GET", "PUT", "POST", "PATCH", "DELETE", "COPY", "HEAD", "OPTIONS", "LINK", "UNLINK", "PURGE", "LOCK", "UNLOCK",
           "PROPFIND", "VIEW", "", "get", "MY-OWN"]  # fmt: skip
request_members = st.sampled_from(["https://shop.example/plain", "shop.example"]) | members(
    {},
    {
        "url": urls, "auth": auths, "method": st.sampled_from(METHODS), "description": descriptions,
        "header": headers | st.sampled_from(["A: b\nC: d", ""]) | st.none(), "body": bodies, "proxy": proxies, "certificate": certificates,
    },
)  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> Any:
    """A strategy with a short name: Hypothesis writes others out."""
    return draw(request_members)


responses = st.lists(
    members({}, {
        "id": texts, "originalRequest": requests(), "responseTime": st.none() | texts | st.integers(), "timings": st.none() | members({}, {}),
        "header": st.none() | texts | st.lists(texts, max_size=1) | headers, "cookie": st.just([{"domain": "a.example", "path": "/"}]),
        "body": st.none() | texts, "status": texts, "code": st.integers(),
    }), max_size=1,
)  # fmt: skip
behaviors = members(
    {}, {"disableBodyPruning": st.booleans(), "followRedirects": st.booleans(), "strictSSL": st.booleans()}
)
items = members(
    {"request": requests()},
    {"name": texts, "id": texts, "description": descriptions, "variable": variables, "event": events, "response": responses,
     "protocolProfileBehavior": behaviors},
)  # fmt: skip
groups = st.recursive(
    st.lists(items, min_size=1, max_size=2),
    lambda inner: st.tuples(
        members({"item": inner}, {"name": texts, "description": descriptions, "variable": variables, "auth": auths, "event": events}), items
    ).map(list),
    max_leaves=4,
)  # fmt: skip
versions = texts | members(
    {"major": st.integers(0), "minor": st.integers(0), "patch": st.integers(0)}, {"identifier": texts, "meta": texts}
)
collection_members = members(
    {"info": members({"name": texts, "schema": texts}, {"description": descriptions, "version": versions}), "item": groups},
    {"event": events, "variable": variables, "auth": auths, "protocolProfileBehavior": behaviors},
)  # fmt: skip


@st.composite
def collections(draw: st.DrawFn) -> Any:
    return draw(collection_members)


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
@given(collections())
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


@settings(max_examples=300, deadline=None)
@given(requests(), behaviors)
def test_every_row_of_a_request_is_in_the_step_or_is_named(request: Any, behavior: Any) -> None:
    item = {"request": request, "protocolProfileBehavior": behavior}
    source = anything.read(json.dumps({"info": {"name": "a"}, "item": [item]}))
    spec, notes = storable(source.read(source.operations[0]), source.operations[0])
    told = jsontext.dumps_text(stepdocument.dump(spec)) + " ".join(notes)
    asked = request if isinstance(request, dict) else {}
    body, url = asked.get("body") or {}, asked.get("url")
    content = body.get(body.get("mode"))
    named = [*(asked.get("header") or []), *(content or []), *(url.get("query", []) if isinstance(url, dict) else [])]
    wanted = [row["key"] for row in named if isinstance(row, dict) and row.get("key")]
    wanted += [content] if isinstance(content, str) else []
    wanted += [name for name in ("proxy", "certificate") if asked.get(name) and not asked[name].get("disabled")]
    assert [one for one in wanted if one.startswith(("mark", "proxy", "cert")) and one not in told] == []


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.none() | st.sampled_from(["1", "x y", "p&q", "ä", ""]), st.booleans()),
        max_size=4,
    )
)
def test_the_rows_of_a_query_are_what_is_sent(rows: list[tuple[str, str | None, bool]]) -> None:
    """`raw` has all of them, as an export has that was written by hand or is older than its rows."""
    query = [{"key": key, "value": value, "disabled": is_off} for key, value, is_off in rows]
    raw = "https://shop.example/a?" + "&".join(f"{key}={(value or '').replace('&', '%26')}" for key, value, _ in rows)
    for url in (
        {"raw": raw, "query": query},
        {"host": ["shop", "example"], "protocol": "https", "path": ["a"], "query": query},
    ):
        source = anything.read(json.dumps({"info": {}, "item": [{"request": {"url": url}}]}))
        sent = source.read(source.operations[0]).spec.url.partition("?")[2]
        assert parse_qsl(sent, keep_blank_values=True) == [
            (key, value or "") for key, value, is_off in rows if not is_off
        ]
