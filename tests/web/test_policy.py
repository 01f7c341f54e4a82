"""What a browser may do with an answer of ours: the one strict policy on every kind of answer, and htmx tied down."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from limits.errors import StorageError
from werkzeug.test import TestResponse

from httpstep.core.exchange import RenderedRequest
from tests.fakes import ThirdParty
from tests.house import House, document
from tests.web.conftest import Browser, Web

SQLITE_ONLY = "the headers are set above the database, and a moved file stands for one that is away"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
BESIDE = {
    "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}  # fmt: skip


@pytest.fixture
def web(make_house: Callable[..., House]) -> Web:
    """With a third party that is a bug of ours, and pages that fail."""

    def bug(_request: RenderedRequest) -> object:
        raise ZeroDivisionError("boom")

    web = Web(make_house(ThirdParty(bug)))  # type: ignore[arg-type]

    def broken() -> str:
        raise ZeroDivisionError("boom")

    def away() -> str:
        raise StorageError(ConnectionError("away"))

    web.house.app.add_url_rule("/broken", view_func=broken)
    web.house.app.add_url_rule("/away", view_func=away)
    web.house.put(document())
    return web


def answers(web: Web, tmp_path: Path) -> Iterator[tuple[str, int, TestResponse]]:
    """(what it is, the status it has to have, the answer)."""
    house, alice, vera, stranger = web.house, web.as_("alice"), web.as_("vera"), web.browser()
    large = {"name": "x" * 4_500_000}
    yield "page", 200, alice.get("/steps")
    yield "sign-in page", 200, stranger.get("/login")
    yield "fragment", 200, alice.htmx("GET", "/steps/list")
    yield "file", 200, alice.get("/static/app.js")
    yield "unchanged file", 304, alice.get("/static/app.js", headers={"If-None-Match": _etag(alice)})
    yield "export", 200, alice.get("/steps/1/export")
    yield "redirect", 303, stranger.get("/steps")
    yield "form without its token", 400, alice.client.post("/attributes")
    yield "the same by htmx", 400, alice.htmx("POST", "/attributes")
    yield "signed out, by htmx", 401, stranger.htmx("GET", "/steps/list")
    yield "role too low", 403, vera.post("/attributes", {"name": "x"})
    yield "the same by htmx", 403, vera.htmx("GET", "/settings/keys")
    yield "no such page", 404, alice.get("/nothing")
    yield "no such fragment", 404, alice.htmx("GET", "/nothing")
    yield "no such file", 404, alice.get("/static/nothing.js")
    yield "method", 405, alice.get("/logout")
    yield "a gone link", 410, stranger.get("/invitation/x")
    yield "form too large", 413, alice.client.post("/attributes", data=large)
    yield "the same by htmx", 413, alice.htmx("POST", "/attributes", data=large)
    yield "form with a fault", 422, alice.post("/attributes", {"name": "a b"})
    for _ in range(5):
        stranger.sign_in("nobody@example.com", "x")
    yield "throttled", 429, stranger.sign_in("nobody@example.com", "x")
    yield "page that fails", 500, alice.get("/broken")
    yield "fragment that fails", 500, alice.htmx("GET", "/broken")
    yield "storage away", 503, alice.get("/away")
    yield "storage away, by htmx", 503, alice.htmx("GET", "/away")
    yield "contract", 200, stranger.get("/api/v1/openapi.json")
    yield "API", 200, house.call("GET", "/steps")
    yield (
        "API, malformed",
        400,
        house.call("POST", "/steps/order-status/execute", data="{", content_type="application/json"),
    )
    yield "API, no key", 401, stranger.get("/api/v1/steps")
    yield "API, scope", 403, house.call("GET", "/steps", token=house.token("execute"))
    yield "API, no such step", 404, house.execute("nothing")
    yield "API, no such address", 404, stranger.get("/api/nothing")
    yield "API, method", 405, house.call("GET", "/steps/order-status/execute")
    yield "API, too large", 413, house.execute(attributes={"a": "x" * 300_000})
    yield "API, kind of body", 415, house.call("POST", "/steps/order-status/execute", data="a")
    yield "API, a document with faults", 422, house.put({"key": "x"})
    yield "API, a bug of ours", 500, house.execute()
    house.limit(1)
    yield "API, budget", 429, house.execute()
    yield "health", 200, stranger.get("/health")
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    yield "health, database away", 503, stranger.get("/health")
    (tmp_path / "elsewhere").rename(tmp_path / "data")


def _etag(browser: Browser) -> str:
    with browser.get("/static/app.js") as answer:
        return str(answer.headers["ETag"])


def test_every_kind_of_answer_carries_the_whole_policy(web: Web, tmp_path: Path) -> None:
    for what, status, answer in answers(web, tmp_path):
        with answer:
            assert answer.status_code == status, f"{what}: {answer.status_code} {answer.text[:300]}"
            assert answer.headers.getlist("Content-Security-Policy") == [POLICY], what
            assert {name: answer.headers.get(name) for name in BESIDE} == BESIDE, what
            assert "Access-Control-Allow-Origin" not in answer.headers, what


def _htmx_config(page: str) -> dict[str, object]:
    [found] = re.findall(r"""<meta name="htmx-config" content='([^']*)'>""", page)
    config: dict[str, object] = json.loads(unescape(found))
    return config


@pytest.mark.parametrize("path", ["/steps", "/steps/new", "/login", "/nothing", "/broken"])
def test_htmx_evaluates_nothing_and_asks_nobody_else(web: Web, path: str) -> None:
    config = _htmx_config(web.as_("alice").get(path, follow_redirects=True).text)
    wanted = {
        "allowEval": False, "allowScriptTags": False, "includeIndicatorStyles": False, "selfRequestsOnly": True,
        "historyCacheSize": 0,
    }  # fmt: skip
    assert {name: config.get(name) for name in wanted} == wanted


def test_no_template_needs_what_the_policy_forbids() -> None:
    """Styles and handlers in attributes, scripts in the page, and what htmx would evaluate."""
    forbidden = re.compile(
        r"""\sstyle=|\son[a-z]+=|\shx-on|<style|<script(?![^>]*\ssrc=)|javascript:|hx-vals=["']js:|hx-headers=["']js:|\|\s*safe\b"""
    )
    folder = Path(__file__).resolve().parents[2] / "templates"
    templates = sorted(folder.rglob("*.html"))
    assert len(templates) > 40
    found = {(file.name, match[0]) for file in templates for match in forbidden.finditer(file.read_text())}
    assert found == set()
