"""The first save of a step: one step of one draft, whatever is sent again, late or at the same moment, and its tests with it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import update

from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.storage import logs, steps
from httpstep.storage.database import writing
from httpstep.storage.tables import Log
from tests.fakes import ThirdParty, answer
from tests.house import House
from tests.web.conftest import Web
from tests.web.screen import ORDER, Screen, new_step, open_step, web_with


@pytest.fixture
def web(make_house: Callable[..., House]) -> Web:
    return web_with(make_house, ThirdParty(answer(200, ORDER)))


def names(web: Web) -> list[str]:
    with web.house.app.app_context():
        return [step.name for step in steps.listed(web.house.account())]


def kept_tests(web: Web, step_id: int = 1) -> int:
    with web.house.app.app_context():
        return len(logs.newest(web.house.account(), step_id=step_id))


@pytest.mark.sqlite_only("what the page is told is made above the database")
def test_the_page_stays_and_is_told_its_new_address(web: Web) -> None:
    screen = new_step(web.as_("bob")).press("test")
    saved = screen.fragment("save")
    assert (saved.status_code, saved.headers["HX-Reswap"]) == (200, "none") and "HX-Redirect" not in saved.headers
    told = json.loads(saved.headers["HX-Trigger"])
    assert told["step:saved"]["address"] == "/steps/1" and told["toast"]["text"].startswith("Saved. Your bot can use")
    changed = {one["name"]: one["now"] for one in told["step:saved"]["changed"]}
    assert (changed["version"], changed["draft_id"], changed["key"]) == ("1", "", "order-status")
    for part in ('id="more"', 'id="usage"', 'id="logs"', 'id="mail-status"'):
        assert part in saved.text
    assert 'id="step-form"' not in saved.text and "/steps/new" not in saved.text


def test_what_is_said_of_it_says_what_is_missing(web: Web) -> None:
    said = json.loads(new_step(web.as_("bob")).fragment("save").headers["HX-Trigger"])["toast"]["text"]
    assert said == "Saved. Not tested yet: press Test to see what your bot gets."
    screen = new_step(web.as_("bob")).press("test")
    for row in screen.all("rule"):
        screen.set(f"rule-{row}-on", None)
    said = json.loads(screen.fragment("save").headers["HX-Trigger"])["toast"]["text"]
    assert said == "Saved. No value of the answer is ticked: your bot gets nothing."


def test_the_same_once_more_is_the_same_step_in_the_same_version(web: Web) -> None:
    screen = new_step(web.as_("bob"))
    assert [screen.fragment("save").status_code for _ in range(3)] == [200, 200, 200]
    assert names(web) == ["Order status"]
    assert open_step(web.as_("bob")).get("version") == "1"


def test_another_text_of_the_draft_makes_no_second_step_and_overwrites_nothing_unasked(web: Web) -> None:
    screen = new_step(web.as_("bob"))
    screen.fragment("save")
    late = screen.fill(name="Typed later").fragment("save")
    assert late.status_code == 409 and "Changed by bob" in late.text and "/steps/1/save" in late.text
    assert names(web) == ["Order status"]
    shown = Screen(screen.browser, late, "/steps/1")
    assert (shown.get("name"), shown.get("version")) == ("Typed later", "0")
    assert shown.fragment("save").status_code == 409
    assert shown.fragment("save", overwrite="1").status_code == 200
    assert names(web) == ["Typed later"]


def test_the_plain_form_sent_twice_leads_to_the_one_step(web: Web) -> None:
    first = new_step(web.as_("bob"))
    again = Screen(first.browser, first.answer, "/steps/new").fill(name="Order status", url=first.get("url"))
    assert [first.press("save").path, again.press("save").path] == ["/steps/1", "/steps/1"]
    assert names(web) == ["Order status"]


def test_two_drafts_are_two_steps(web: Web) -> None:
    bob = web.as_("bob")
    one, other = new_step(bob), new_step(bob)
    assert [one.fragment("save").status_code, other.fragment("save").status_code] == [200, 200]
    assert names(web) == ["Order status", "Order status"]


def test_a_draft_whose_step_was_deleted_makes_a_new_one(web: Web) -> None:
    screen = new_step(web.as_("bob"))
    screen.fragment("save")
    screen.browser.post("/steps/1/delete")
    assert screen.fragment("save").status_code == 200
    assert names(web) == ["Order status"]
    assert web.as_("bob").get("/steps/1").status_code == 404


@pytest.mark.sqlite_only("what the page is told is made above the database")
def test_a_credential_of_a_pasted_text_is_kept_once(web: Web) -> None:
    screen = new_step(web.as_("alice"), url="https://api.example/a")
    screen.fill(auth_type="bearer", auth_token="typed-token-4711", pasted="1", keep_secrets="1")
    told = json.loads(screen.fragment("save").headers["HX-Trigger"])
    assert "Stored under Secrets" in told["toast"]["text"] and told["toast"]["stays"]
    assert screen.fragment("save").status_code == 200
    assert "Stored under Secrets" not in screen.browser.get("/steps/1").text


class SavesMeanwhile:
    """A third party during whose answer the draft is saved."""

    def __init__(self) -> None:
        self.save: Callable[[], object] | None = None

    def __call__(self, _: RenderedRequest) -> HttpResponse:
        if self.save is not None:
            self.save()
        return answer(200, ORDER)


def while_it_is_tested(make_house: Callable[..., House], also: Callable[[Web], object]) -> tuple[Web, Screen, str]:
    third = SavesMeanwhile()
    web = web_with(make_house, ThirdParty(third))
    screen = new_step(web.as_("bob"))
    third.save = lambda: (screen.fragment("save"), also(web))
    return web, screen, screen.fragment("test").text


def test_a_test_that_runs_meanwhile_is_shown_and_is_the_steps(make_house: Callable[..., House]) -> None:
    web, _, shown = while_it_is_tested(make_house, lambda _: None)
    assert "could not be kept" not in shown and "shipped" in shown and "/steps/1/" in shown
    assert kept_tests(web) == 1


def test_a_test_that_began_beside_the_save_is_the_steps(make_house: Callable[..., House]) -> None:
    """Its row was written after the draft's tests became the step's."""

    def homeless(web: Web) -> None:
        with web.house.app.app_context(), writing() as connection:
            connection.execute(update(Log).values(step_id=None))

    web, screen, shown = while_it_is_tested(make_house, homeless)
    assert "could not be kept" not in shown and "shipped" in shown
    assert kept_tests(web) == 1
    assert "View" in screen.browser.get("/steps/1").text


def test_what_still_asks_for_the_draft_gets_the_steps(web: Web) -> None:
    screen = new_step(web.as_("bob"))
    screen.fragment("test")
    screen.fragment("save")
    listed = screen.browser.get(f"/steps/new/logs?draft_id={screen.get('draft_id')}").text
    assert "View" in listed and "/steps/1/logs" in listed
    assert screen.fragment("test").status_code == 200 and kept_tests(web) == 2
