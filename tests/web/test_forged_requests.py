"""Requests that another site's page makes a browser send, and requests that change something by a method that must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from httpstep.extensions import db
from httpstep.storage.database import reading
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import PASSWORD, Browser, Web
from tests.web.test_access import pages

SQLITE_ONLY = "what is refused is refused above the database"
HERE = "https://steps.example.com"
COOKIE = "__Host-httpstep_session"


def send(browser: Browser, name: str, **headers: str) -> TestResponse:
    """A form with a valid token, from a page that the headers tell."""
    form = {"csrf_token": browser.token(), "name": name}
    return browser.client.post("/attributes", data=form, headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"}, {"Origin": "null"}, {"Origin": "http://localhost:81"},
        {"Origin": "http://localhost.evil.test"}, {"Origin": "http://evil@localhost"}, {"Origin": "http://["},
        {"Referer": "https://evil.test/localhost"}, {"Origin": "http://localhost", "Referer": "https://evil.test/"},
    ],
)  # fmt: skip
def test_a_valid_token_from_another_sites_page_changes_nothing(web: Web, headers: dict[str, str]) -> None:
    bob = web.as_("bob")
    refused = send(bob, "forged.one", **headers)
    assert refused.status_code == 403 and "HTTPSTEP_BASE_URL" in refused.text
    by_htmx = bob.htmx(
        "POST", "/attributes", data={"name": "forged.one"}, headers={"X-CSRFToken": bob.token()} | headers
    )
    assert by_htmx.status_code == 403 and "data-fault" in by_htmx.text and "<html" not in by_htmx.text
    assert "forged.one" not in bob.get("/attributes").text


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://localhost"}, {"Origin": "http://LOCALHOST"}, {"Referer": "http://localhost/attributes"}],
)
def test_a_form_of_an_own_page_is_taken(web: Web, headers: dict[str, str]) -> None:
    assert send(web.as_("bob"), "order.id", **headers).status_code == 303


def test_a_sign_in_that_another_site_makes_is_refused(web: Web) -> None:
    refused = web.browser().sign_in("bob@example.com", headers={"Origin": "https://evil.test"})
    assert refused.status_code == 403 and "Set-Cookie" not in refused.headers


def test_behind_a_proxy_that_hides_the_host_the_configured_address_is_here(make_house: Callable[..., House]) -> None:
    bob = Web(make_house(BASE_URL="http://steps.example.com")).as_("bob")
    assert send(bob, "order.id", Origin="http://steps.example.com").status_code == 303
    assert send(bob, "order.id", Origin="http://other.example.com").status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": HERE, "Referer": f"{HERE}/attributes"}, 303), ({"Referer": f"{HERE}/attributes"}, 303),
        ({"Origin": "https://evil.test", "Referer": f"{HERE}/attributes"}, 403), ({"Referer": "https://evil.test/"}, 403),
        ({"Origin": "null", "Referer": f"{HERE}/attributes"}, 403), ({"Referer": "http://steps.example.com/"}, 403),
        ({}, 403), ({"Origin": HERE}, 303),
    ],
)  # fmt: skip
def test_over_https_the_page_has_to_be_known(
    make_house: Callable[..., House], headers: dict[str, str], status: int
) -> None:
    """There every browser tells it: a form that comes without was sent by something else."""
    web = Web(make_house(BASE_URL=HERE))
    bob = web.as_("bob")
    held = bob.client.get_cookie("httpstep_session")
    assert held
    client = web.house.app.test_client()
    client.set_cookie(COOKIE, held.value, domain="steps.example.com", secure=True)
    page = client.get("/attributes", base_url=HERE)
    form = {"csrf_token": page.text.split('name="csrf_token" value="')[1].split('"')[0], "name": "order.id"}
    assert client.post("/attributes", base_url=HERE, data=form, headers=headers).status_code == status


def test_a_proxy_on_another_port_may_hide_it_where_the_address_is_configured(make_house: Callable[..., House]) -> None:
    web = Web(make_house(BASE_URL=f"{HERE}:8443", PROXY_HOPS="1"))
    browser = web.browser()
    by_proxy = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "steps.example.com", "Referer": f"{HERE}:8443/login"}
    page = browser.client.get("/login", base_url=HERE, headers=by_proxy)
    form = {"email": "bob@example.com", "password": PASSWORD}
    form["csrf_token"] = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    assert browser.client.post("/login", base_url=HERE, data=form, headers=by_proxy).status_code == 303


# ---------------------------------------------------------------- methods


def rows(web: Web) -> dict[str, list[Any]]:
    """Every row there is, but for what a request leaves behind by being counted and seen."""
    with web.house.app.app_context(), reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in db.metadata.sorted_tables
            if table.name not in ("sessions", "budget_hits", "call_counts")
        }


@pytest.fixture
def furnished(make_house: Callable[..., House]) -> Web:
    """One of everything that a route with 1 or "x" in its address could change."""
    web = Web(make_house(ThirdParty(answer(200, {"a": 1}))))
    web.house.put(document("x"))
    web.house.execute("x")
    web.house.flow("x", name="x")
    alice = web.as_("alice")
    alice.post("/attributes", {"name": "x"})
    alice.post("/secrets", {"name": "x", "secret_value": "y", "hosts": "https://api.example"})
    alice.post("/settings/users/invite", {"email": "dora@example.com", "role": "viewer"})
    return web


def changing(web: Web) -> set[str]:
    """The addresses that take a method which changes something."""
    found = {path for method, path in pages(web) if method != "GET"}
    return found | {"/api/v1/steps/x", "/api/v1/steps/x/execute", "/api/v1/flows/x/execute", "/login", "/setup"}


OVERRIDES = [{"X-HTTP-Method-Override": "POST"}, {"X-HTTP-Method": "DELETE"}, {"X-Method-Override": "PUT"}]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_address_changes_anything_by_a_method_that_asks(furnished: Web, method: str) -> None:
    alice, before = furnished.as_("alice"), rows(furnished)
    form = {"csrf_token": alice.token(), "role": "viewer", "name": "changed", "_method": "POST"}
    asked = {pair for pair in pages(furnished) if pair[0] == "GET"}
    bearer = {"Authorization": f"Bearer {furnished.house.token()}"}
    for path in sorted(changing(furnished)):
        for headers in [bearer | override for override in OVERRIDES]:
            got = alice.client.open(path, method=method, query_string=form, headers=headers)
            reads = ("GET", path) in asked or path in ("/api/v1/steps/x", "/login", "/setup")
            assert reads or got.status_code == 405, (method, path, got.status_code)
            assert got.status_code < 500
    assert rows(furnished) == before


def _forms(client: FlaskClient, path: str, form: dict[str, str]) -> list[TestResponse]:
    headers = [{"X-HTTP-Method-Override": "GET"}, {"X-HTTP-Method": "HEAD"}, {}]
    return [client.post(f"{path}?_method=GET", data=form | {"_method": "GET"}, headers=one) for one in headers]


def test_calling_a_change_a_look_does_not_spare_it_its_token(furnished: Web) -> None:
    alice, before = furnished.as_("alice"), rows(furnished)
    for path in sorted({path for method, path in pages(furnished) if method == "POST"}):
        assert [got.status_code for got in _forms(alice.client, path, {"role": "viewer"})] == [400] * 3, path
    assert rows(furnished) == before


def test_a_key_to_execute_does_not_manage_by_another_name_of_the_method(furnished: Web) -> None:
    token = furnished.house.token("execute")
    assert furnished.house.call("GET", "/steps/x", token=token).status_code == 403
    before = rows(furnished)
    for override in ({"X-HTTP-Method-Override": "DELETE"}, {"X-HTTP-Method-Override": "PUT"}):
        for method, status in (("GET", 403), ("POST", 405)):
            got = furnished.house.call(method, "/steps/x?_method=DELETE", token=token, headers=override)
            assert got.status_code == status
    assert rows(furnished) == before
