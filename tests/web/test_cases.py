"""Test cases of a step: kept from a call, run again with one button, each the same or different."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from httpstep.core import errors
from httpstep.core.outcome import cases
from httpstep.extensions import db
from httpstep.storage.database import editing
from httpstep.storage.tables import Case, Log, Step
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Browser, Web
from tests.web.screen import ORDER, limit, new_step, open_step, web_with

MAPPING = [{"path": ["data", "status"], "attribute": "order.status"}, {"call": "duration_ms", "attribute": "ms"}]


@pytest.fixture
def api() -> ThirdParty:
    return ThirdParty(answer(200, ORDER))


@pytest.fixture
def web(make_house: Callable[..., House], api: ThirdParty) -> Web:
    web = web_with(make_house, api)
    web.house.put(document(mapping=MAPPING))
    return web


def keep(web: Web, browser: Browser, attributes: dict[str, Any] | None = None) -> str:
    """Keep a call of the bot; what stands in the place of the button then."""
    log = web.house.execute("order-status", attributes or {"order.id": 42}).json["log_id"]
    assert "Keep as test case" in browser.get(f"/logs/{log}").text
    kept = browser.post(f"/logs/{log}/keep")
    assert kept.status_code == 200
    return kept.text


def stored(web: Web) -> list[Case]:
    with web.house.app.app_context():
        return list(db.session.scalars(select(Case).order_by(Case.id)))


def run(browser: Browser) -> str:
    return browser.post("/steps/1/cases/run", follow_redirects=True).text


def test_a_kept_call_is_run_again_and_is_the_same(web: Web, api: ThirdParty) -> None:
    bob = web.as_("bob")
    assert "Kept as “order.id = 42”." in keep(web, bob)
    assert "Not run yet" in bob.get("/steps/1/cases").text
    page = run(bob)
    assert "Same: 1. Different: 0." in page and ">Same<" in page
    assert [request.url for request in api.requests] == ["https://api.example/orders/42"] * 2
    with web.house.app.app_context():
        last = db.session.scalars(select(Log).order_by(Log.id.desc())).first()
        assert last is not None and (last.source, last.actor) == ("test", "bob@example.com"), "it is a test like others"


@pytest.mark.sqlite_only("run, compared and shown above the database")
def test_what_differs_is_shown_attribute_by_attribute(web: Web, api: ThirdParty) -> None:
    bob = web.as_("bob")
    keep(web, bob)
    api.answers = [answer(200, {"data": ORDER["data"] | {"status": "delivered"}})]
    page = run(bob)
    assert "Same: 0. Different: 1." in page and ">Different<" in page
    row = re.search(r"<tr><td><code>order\.status</code>.*?</tr>", page, re.DOTALL)
    assert row and "&#34;shipped&#34;" in row[0] and "&#34;delivered&#34;" in row[0]
    assert "<code>ms</code></td>" not in page, "a duration differs every time"
    api.answers = [answer(500, {})]
    failed = run(bob)
    assert "<td>Outcome</td>" in failed and "HTTP error" in failed


@pytest.mark.sqlite_only("run, compared and shown above the database")
def test_an_attribute_that_is_ticked_off_is_not_compared_any_more(web: Web, api: ThirdParty) -> None:
    bob = web.as_("bob")
    keep(web, bob)
    api.answers = [answer(200, {"data": ORDER["data"] | {"status": "delivered"}})]
    run(bob)
    changed = bob.post("/cases/1", {"name": "  An order  on its way "}, follow_redirects=True).text
    assert ">Same<" in changed and "An order on its way" in changed
    assert "Same: 1." in run(bob)


@pytest.mark.sqlite_only("run, compared and shown above the database")
def test_no_credential_is_kept(web: Web) -> None:
    bob = web.as_("bob")
    told = keep(web, bob, {"order.id": 42, "customer.password": "hunter2-x"})
    assert "Not kept, because it looks like a credential: customer.password." in told
    [case] = stored(web)
    assert "hunter2-x" not in case.document and "hunter2-x" not in case.name


def test_a_step_has_at_most_twenty(web: Web) -> None:
    limit(web, 1000)
    bob = web.as_("bob")
    for _ in range(20):
        keep(web, bob)
    assert "This step has 20 test cases, which is the most. Delete one first." in keep(web, bob)
    assert len(stored(web)) == 20
    bob.post("/cases/1/delete")
    assert "Kept as" in keep(web, bob)


@pytest.mark.sqlite_only("run, compared and shown above the database")
def test_one_press_runs_ten_and_the_next_those_that_wait(web: Web, api: ThirdParty) -> None:
    limit(web, 1000)
    bob = web.as_("bob")
    for number in range(12):
        keep(web, bob, {"order.id": number})
    assert "Run 10 of 12" in bob.get("/steps/1/cases").text
    before = len(api.requests)
    assert "Same: 10." in run(bob) and len(api.requests) == before + 10
    run(bob)
    called = [request.url.rpartition("/")[2] for request in api.requests[before:]]
    assert called[:12] == [str(number) for number in range(12)]


def test_each_run_counts_in_the_budget_and_the_rest_is_said(web: Web, api: ThirdParty) -> None:
    bob = web.as_("bob")
    for _ in range(3):
        keep(web, bob)
    limit(web, 5)
    page = run(bob)
    assert "Same: 2. Different: 0." in page
    assert "Rate Limit Exceeded: 5 requests per minute per account." in page and "Not run: 1." in page
    assert len(api.requests) == 5
    assert [case.ran_at is None for case in stored(web)] == [False, False, True]


def test_a_run_uses_the_step_as_it_is_saved(web: Web) -> None:
    bob = web.as_("bob")
    keep(web, bob)
    web.house.put(document(mapping=[{"path": ["data", "id"], "attribute": "order.number"}]))
    page = run(bob)
    assert "<code>order.status</code>" in page and "<code>order.number</code>" in page


@pytest.mark.sqlite_only("run, compared and shown above the database")
def test_a_fault_of_our_own_is_told_and_the_run_goes_on(web: Web, api: ThirdParty) -> None:
    bob = web.as_("bob")
    keep(web, bob)
    keep(web, bob)
    api.answers = [RuntimeError("of a test"), answer(200, ORDER)]
    page = run(bob)
    assert "Same: 1. Different: 1." in page and "httpstep failed" in page


@pytest.mark.sqlite_only("run, compared and shown above the database")
def test_who_goes_away_ends_the_run(web: Web, api: ThirdParty) -> None:
    bob = web.as_("bob")
    keep(web, bob)
    keep(web, bob)
    api.answers = [errors.Cancelled("The caller hung up.", reason="cancelled")]
    before = len(api.requests)
    assert "Not run: 2." in run(bob) and len(api.requests) == before + 1
    assert [case.ran_at for case in stored(web)] == [None, None]


def test_the_test_of_a_step_that_is_not_saved_cannot_be_kept(web: Web) -> None:
    bob = web.as_("bob")
    new_step(bob).set("value:order.id", "42").press("test")
    with web.house.app.app_context():
        draft = db.session.scalars(select(Log.id).where(Log.step_id.is_(None))).one()
    assert "Save the step first" in bob.post(f"/logs/{draft}/keep").text and stored(web) == []


@pytest.mark.sqlite_only("run, compared and shown above the database")
def test_who_may_not_edit_sees_cases_and_runs_none(web: Web) -> None:
    keep(web, web.as_("bob"))
    vera = web.as_("vera")
    page = vera.get("/steps/1/cases").text
    assert "order.id = 42" in page and "Run all" not in page and ">Delete<" not in page
    assert "Keep as test case" not in vera.get("/logs/1").text


def test_the_editor_leads_to_the_cases_and_they_go_with_the_step(web: Web) -> None:
    bob = web.as_("bob")
    keep(web, bob)
    assert 'href="/steps/1/cases"' in open_step(bob).html
    assert "No test cases yet" not in bob.get("/steps/1/cases").text
    assert (
        web.house.call("GET", "/steps/order-status", token=web.house.token("manage")).json.keys().isdisjoint({"cases"})
    )
    with web.house.app.app_context(), editing():
        db.session.delete(db.session.get(Step, 1))
    assert stored(web) == [] and bob.get("/steps/1/cases").status_code == 404


@pytest.mark.sqlite_only("run, compared and shown above the database")
def test_values_that_are_too_large_are_not_kept(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "MAX_CASE_CHARACTERS", 200)
    told = keep(web, web.as_("bob"), {"order.id": 42, "text": "x" * 200})
    assert "too large to be kept as a test case" in told and stored(web) == []
