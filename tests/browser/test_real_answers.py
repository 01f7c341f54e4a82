"""Answers shaped like those of real APIs: each is shown as a tree and mapped with names a person would choose."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect
from pytest_httpserver import HTTPServer
from werkzeug import Response

from tests.browser.chromium import ADMIN, PASSWORD, browsing, sign_in

SQLITE_ONLY = "what a person does and sees"

# name: (answer, attributes that must be among the rows)
ANSWERS: dict[str, tuple[Any, set[str]]] = {
    "order": (
        {"order": {"id": 9007199254740993, "total": "19.90", "customer": {"name": "Ana"}, "lines": [{"sku": "A"}]}},
        {"id", "total", "name", "lines", "sku"},
    ),
    "contacts": (
        {"contacts": [{"id": 1, "emails": [{"type": "work", "value": "a@b.example"}], "tags": ["vip"]}], "page": 1},
        {"contacts", "id", "emails", "type", "emails_value", "tags", "page"},
    ),
    "search": (
        {"took": 3, "hits": {"total": {"value": 2}, "hits": [{"_id": "x", "_source": {"title": "One"}}]}},
        {"took", "total_value", "id", "title"},
    ),
    "weather": (
        {"lat": 59.33, "current": {"temp_c": -3.10, "wind": {"speed": 4}}, "hourly": {"time": ["00:00"], "t": [1]}},
        {"lat", "temp_c", "speed", "time", "t"},
    ),
    "rates": ({"base": "EUR", "date": "2026-11-20", "rates": {"USD": 1.0950, "SEK": 11.2}}, {"base", "date"}),
    "json-api": (
        {"data": {"type": "orders", "id": "7", "attributes": {"order_status": "open"}, "links": {"self": "/7"}}},
        {"type", "id", "order_status", "self"},
    ),
    "hal": (
        {"_links": {"self": {"href": "/o/1"}}, "_embedded": {"items": [{"name": "Cup"}]}, "state": "new"},
        {"href", "items", "name", "state"},
    ),
    "graphql": (
        {"data": {"order": None}, "errors": [{"message": "Not found", "path": ["order"], "locations": [{"line": 1}]}]},
        {"order", "errors", "message", "path", "line"},
    ),
    "odata": (
        {"@odata.context": "$metadata#Orders", "value": [{"OrderID": 10248, "Freight": 32.38}], "@odata.count": 1},
        {"value", "OrderID", "Freight"},
    ),
    "bare-list": ([{"id": 1, "name": "Ana"}, {"id": 2, "name": "Bo"}], {"id", "name"}),
    "bare-string": ("shipped", {"answer"}),
    "odd-names": ({"a b": 1, "": 2, "x.y": 3, "it's": 4, "ключ": 5}, {"a_b", "x.y", "it_s"}),
}


def mapped(page: Page, url: str) -> list[str]:
    """The names of the rows that a first test of this address makes."""
    page.goto("/steps/new")
    page.locator('[name="name"]').fill("Try it")
    page.locator("#at-request-url").fill(url)
    page.get_by_role("button", name="Test", exact=True).first.click()
    expect(page.locator(".result-line")).to_contain_text("200")
    expect(page.locator(".tree")).to_be_visible()
    expect(page.locator(".rule-name").first).to_be_visible()
    return [field.input_value() for field in page.locator(".rule-name").all()]


def test_answers_of_every_usual_shape_are_shown_and_mapped(tmp_path: Path, httpserver: HTTPServer) -> None:
    for name, (document, _) in ANSWERS.items():
        body = json.dumps(document, ensure_ascii=False)
        answer = Response(body, content_type="application/json")
        httpserver.expect_request(f"/{name}").respond_with_response(answer)
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with browsing(tmp_path / "data", **variables) as (server, page, complaints):
        server.command("account", "limit", "default", "100")
        sign_in(page, to=None)
        for name, (_, wanted) in ANSWERS.items():
            names = mapped(page, httpserver.url_for(f"/{name}").replace("localhost", "127.0.0.1"))
            assert wanted <= set(names), (name, names)
            assert len(names) == len(set(names)), (name, names)
            assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", one) for one in names), names
            if name == "order":
                expect(page.locator(".tree")).to_contain_text("9007199254740993")
        assert complaints == []
