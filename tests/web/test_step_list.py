"""The list of steps as a dashboard: what a row says, what is shown, sorted, ticked, deleted and brought back."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import pytest

from httpstep.extensions import db
from httpstep.storage import deleting, steps
from httpstep.storage.tables import Log, Step
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Browser, Web
from tests.web.screen import Screen, new_step
from tests.web.test_audit import entries


def rows(page: str) -> list[str]:
    """The names in the table, in their order."""
    return re.findall(r'class="step-name"[^>]*>([^<]*)<', page)


def dots(page: str) -> list[str]:
    """What the dots of each row say."""
    return re.findall(r'role="img" aria-label="([^"]*(?:call|Never)[^"]*)"', page)


def drawn(page: str) -> dict[str, list[str]]:
    """How each call of the first row ended, and where its dot is, from the left."""
    row = page.split("</tr>")[1].split("</tr>")[0]
    return {tone: re.findall(r"M([0-9.]+)", path) for tone, path in re.findall(r'<path class="(\w+)" d="([^"]+)"', row)}


def called(
    web: Web, step_id: int, *outcomes: tuple[str, int | None, int], at: float | None = None, source: str = "bot"
) -> None:
    """Ended calls of a step, oldest first: outcome, status, milliseconds."""
    with web.house.app.app_context():
        for outcome, status, ms in outcomes:
            row = Log(account_id=1, step_id=step_id, request_id="r", source=source, state="done", outcome=outcome)
            row.status, row.duration_ms, row.started_at = status, ms, time.time() if at is None else at
            db.session.add(row)
        db.session.commit()


def test_a_row_tells_host_last_calls_median_and_mapping(web: Web) -> None:
    web.house.put(document(name="Order status", mapping=[{"call": "status", "attribute": "code"}]))
    bob = web.as_("bob")
    page = bob.get("/steps").text
    assert dots(page) == ["Never called"] and "never" in page and "–" in page
    called(web, 1, ("success", 200, 100), ("http_error", 404, 300), ("timeout", None, 60000), ("success", 200, 200))
    page = bob.get("/steps").text
    assert dots(page) == ["Last 4 calls, newest at the right: 2 good, 1 refused by the API, 1 failed"]
    assert drawn(page) == {"ok": ["172", "203.5"], "warn": ["182.5"], "bad": ["193"]}
    assert "250 ms" in page and "1 value<" in page and "api.example" in page


def test_a_call_under_way_or_cancelled_is_no_result(web: Web) -> None:
    web.house.put(document())
    called(web, 1, ("cancelled", None, 5))
    bob = web.as_("bob")
    assert dots(bob.get("/steps").text) == ["One call: without a result"]
    called(web, 1, ("success", 200, 5))
    with web.house.app.app_context():
        db.session.query(Log).order_by(Log.id.desc()).first().state = "running"  # type: ignore[union-attr]
        db.session.commit()
    assert dots(bob.get("/steps").text) == ["Last 2 calls, newest at the right: 2 without a result"]


def test_tests_are_seen_as_tests_and_say_nothing_of_the_state(web: Web) -> None:
    """Also of an address that is not saved; the state is that of the last call of a bot."""
    web.house.put(document(name="Order status"))
    bob = web.as_("bob")
    broken = (("network_error", None, 60000), ("rejected", 200, 60000), ("http_error", 404, 60000))
    called(web, 1, *broken, source="test")
    page = bob.get("/steps").text
    assert dots(page) == ["Last 3 calls, newest at the right: 3 tests"] and "Failing</span>" not in page
    assert drawn(page).keys() == {"test"}
    assert " Test, No connection\n" in page and "never" in page and "–" in page
    assert rows(bob.get("/steps?show=failing").text) == [] and rows(bob.get("/steps?show=unused").text)

    called(web, 1, ("success", 200, 100))
    called(web, 1, *broken, source="test")
    page = bob.get("/steps").text
    assert dots(page) == ["Last 7 calls, newest at the right: 1 good, 6 tests"] and "100 ms" in page
    assert rows(bob.get("/steps?show=failing").text) == rows(bob.get("/steps?show=unused").text) == []

    called(web, 1, ("rejected", 200, 100))
    called(web, 1, ("success", 200, 5), source="test")
    page = bob.get("/steps").text
    assert dots(page) == ["Last 9 calls, newest at the right: 1 good, 1 refused by the API, 7 tests"]
    assert rows(bob.get("/steps?show=failing").text) == ["Order status"]


@pytest.mark.sqlite_only("what a row says is made above the database")
def test_a_mapping_that_found_nothing_is_told(make_house: Callable[..., House]) -> None:
    web = Web(make_house(ThirdParty(answer(200, {"other": 1}))))
    web.house.put(document(mapping=[{"path": ["a"], "attribute": "order.status"}]))
    web.house.execute()
    page = web.as_("bob").get("/steps").text
    assert "1 missing" in page and "Not in the last good answer: order.status" in page


@pytest.mark.sqlite_only("what a row says is made above the database")
def test_calls_that_were_refused_are_said_for_an_hour(make_house: Callable[..., House]) -> None:
    """No log has them, so nobody would know why the bot was silent."""
    web = Web(make_house(ThirdParty(answer(200, {"a": 1}), answer(200, {"a": 1}))))
    web.house.put(document())
    web.house.limit(1)
    bob = web.as_("bob")

    def page() -> str:
        return bob.get("/steps").get_data(as_text=True)

    assert "Calls were refused" not in page()
    web.house.app.extensions["httpstep"].refused._written_at -= 60  # as after a minute without any
    assert [web.house.execute().status_code for _ in range(2)] == [200, 429]
    assert "more than 1 came within a minute. No log has them" in page()
    with web.house.app.app_context():
        db.session.execute(db.text("UPDATE call_counts SET last_at = last_at - 3601"))
        db.session.commit()
    assert "Calls were refused" not in page()


def test_the_whole_address_is_in_the_title(web: Web) -> None:
    url = "https://api.example/v1/customers/{{customer.id}}/orders/{{order.id}}/lines?expand=all"
    web.house.put(document("long", url=url))
    web.house.put(document("bare", url="https://crm.example/"))
    web.house.put(document("query", url="https://q.example?a=/b"))
    page = web.as_("bob").get("/steps").text
    assert f'title="GET {url}"' in page
    assert 'crm.example<span class="muted"></span>' in page and 'q.example<span class="muted">?a=/b</span>' in page


@pytest.fixture
def several(web: Web) -> Browser:
    for key, name in (("a", "Alpha"), ("b", "Beta"), ("c", "Gamma")):
        web.house.put(document(key, name=name))
    web.house.put(document("d", name="Delta") | {"enabled": False})
    now = time.time()
    called(web, 1, ("success", 200, 900), at=now - 60)
    called(web, 2, ("success", 200, 10), ("http_error", 500, 20), at=now - 30)
    called(web, 3, ("success", 200, 5), at=now - 40 * 86400)
    return web.as_("bob")


@pytest.mark.parametrize(
    ("show", "names"),
    [
        ("all", ["Alpha", "Beta", "Delta", "Gamma"]),
        ("failing", ["Beta"]),
        ("changed", []),
        ("off", ["Delta"]),
        ("unused", ["Delta", "Gamma"]),
        ("nonsense", ["Alpha", "Beta", "Delta", "Gamma"]),
    ],
)
def test_the_list_shows_what_is_asked_for(several: Browser, show: str, names: list[str]) -> None:
    page = several.get(f"/steps?show={show}").text
    assert rows(page) == names
    assert names or "None of them" in page
    assert "Beta</a>, whose last call failed" in page


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["Alpha", "Beta", "Delta", "Gamma"]),
        ("called", ["Beta", "Alpha", "Gamma", "Delta"]),
        ("slow", ["Alpha", "Beta", "Gamma", "Delta"]),
        ("failing", ["Beta", "Alpha", "Delta", "Gamma"]),
    ],
)
def test_the_list_is_sorted(several: Browser, sort: str, names: list[str]) -> None:
    assert rows(several.get(f"/steps/list?sort={sort}").text) == names


def test_fifty_steps_are_a_page(web: Web) -> None:
    for number in range(53):
        web.house.put(document(f"s{number:03}", name=f"Step {number:03}"))
    bob = web.as_("bob")
    first, second = bob.get("/steps?sort=name").text, bob.get("/steps?page=2&q=step").text
    assert (len(rows(first)), len(rows(second))) == (50, 3)
    assert "1 to 50 of 53" in first and "51 to 53 of 53" in second
    assert "page=2" in first and "page=1" in second and "q=step" in second
    for odd in ("0", "-1", "99", "x", "9" * 400):
        assert rows(bob.get(f"/steps?page={odd}").text)


# ---------------------------------------------------------------- deleting, and undoing it


def test_a_deleted_step_comes_back_with_its_logs_and_its_key(make_house: Callable[..., House]) -> None:
    web = Web(make_house(ThirdParty(answer(200, {"a": 1}), answer(200, {"a": 1}))))
    web.house.put(document("order-status", name="Order status"))
    web.house.execute()
    bob = web.as_("bob")
    assert bob.post("/steps/1/delete").location == "/steps"
    assert web.house.execute().status_code == 404
    page = bob.get("/steps").text
    assert "“Order status” is deleted." in page and "Undo" in page and rows(page) == []
    assert "Undo" not in bob.get("/steps").text
    assert bob.post("/step-list/undo", data={"step": "1"}).location == "/steps"
    assert web.house.execute().status_code == 200
    page = bob.get("/steps").text
    assert "“Order status” is back." in page
    assert dots(page) == ["Last 2 calls, newest at the right: 2 good"]


def test_what_was_deleted_stays_in_reach_below_the_list_for_an_hour(several: Browser, web: Web) -> None:
    assert "Deleted in the last hour" not in several.get("/steps").text
    several.post("/steps/1/delete")
    several.post("/step-list/chosen", data={"op": "delete", "step": ["2", "3", "4"]})
    several.get("/attributes")
    several.get("/steps")
    page = several.get("/steps").text
    assert rows(page) == [] and "Undo" not in page
    assert re.findall(r"“(\w+)” <button[^>]*>Bring back<", page) == ["Beta", "Gamma", "Delta", "Alpha"]
    assert "Deleted in the last hour" not in web.as_("vera").get("/steps").text
    with web.house.app.app_context():
        db.session.get_one(Step, 2).deleted_at = time.time() - deleting.UNDO_SECONDS - 1
        db.session.commit()
    several.post("/step-list/undo", data={"step": "1"})
    page = several.get("/steps").text
    assert rows(page) == ["Alpha"]
    assert re.findall(r"“(\w+)” <button[^>]*>Bring back<", page) == ["Gamma", "Delta"]


def test_what_another_account_deleted_is_not_offered(web: Web) -> None:
    web.house.put(document("theirs", name="Theirs"))
    bob = web.as_("bob")
    bob.post("/steps/1/delete")
    with web.house.app.app_context():
        assert deleting.set_aside_now(1, time.time()) == [(1, "Theirs")]
        assert deleting.set_aside_now(2, time.time()) == []


def test_a_key_that_was_taken_meanwhile_gets_a_number(web: Web) -> None:
    web.house.put(document("order-status", name="Order status"))
    bob = web.as_("bob")
    bob.post("/steps/1/delete")
    web.house.put(document("order-status", name="Another"))
    bob.post("/step-list/undo", data={"step": "1"})
    assert "“Order status” is back with the key order-status-2." in bob.get("/steps").text
    with web.house.app.app_context():
        found = {row.name: (row.key, steps.document_of(row).key) for row in steps.listed(1)}
    assert found["Another"] == ("order-status", "order-status")
    assert found["Order status"] == ("order-status-2", "order-status-2")


def test_what_was_deleted_more_than_an_hour_ago_is_gone(web: Web) -> None:
    for key in ("a", "b"):
        web.house.put(document(key))
    bob = web.as_("bob")
    bob.post("/steps/1/delete")
    with web.house.app.app_context():
        db.session.get_one(Step, 1).deleted_at = time.time() - deleting.UNDO_SECONDS - 1
        db.session.commit()
    bob.post("/step-list/undo", data={"step": "1"})
    assert "gone: an hour has passed" in bob.get("/steps").text
    bob.post("/steps/2/delete")
    with web.house.app.app_context():
        assert db.session.get(Step, 1) is None and db.session.get(Step, 2) is not None


def test_it_goes_for_good_with_the_next_test_of_a_draft_too(make_house: Callable[..., House]) -> None:
    web = Web(make_house(ThirdParty(answer(200, {"a": 1}))))
    web.house.put(document("a"))
    bob = web.as_("bob")
    bob.post("/steps/1/delete")
    with web.house.app.app_context():
        db.session.get_one(Step, 1).deleted_at = time.time() - deleting.UNDO_SECONDS - 1
        db.session.commit()
    assert new_step(bob).fragment("test").status_code == 200
    with web.house.app.app_context():
        assert db.session.get(Step, 1) is None


def test_a_deleted_step_is_in_no_list(web: Web) -> None:
    web.house.put(document("a", name="Alpha", mapping=[{"path": ["x"], "attribute": "only.alpha"}]))
    bob = web.as_("bob")
    bob.post("/steps/1/delete")
    for address in ("/steps", "/attributes/picker", "/attributes", "/flows/new", "/steps/new"):
        bob.get("/steps")
        assert "only.alpha" not in bob.get(address).text and ">Alpha<" not in bob.get(address).text
    assert web.house.call("GET", "/steps").json["steps"] == []


@pytest.mark.sqlite_only("what a row says is made above the database")
def test_what_wants_a_look_leads_to_the_call_that_failed(several: Browser, web: Web) -> None:
    """Not to a test that came after it."""
    with web.house.app.app_context():
        failed = db.session.query(Log).filter_by(step_id=2, outcome="http_error").one().id
    called(web, 2, ("success", 200, 5), source="test")
    wants = several.get("/steps").text.split("Want a look:")[1].split("</p>")[0]
    assert f'<a href="/steps/2/logs/{failed}">Beta</a>, whose last call failed' in wants


# ---------------------------------------------------------------- switching off and on


def test_a_step_is_switched_off_and_on_from_the_menu_of_its_row(make_house: Callable[..., House]) -> None:
    web = Web(make_house(ThirdParty(answer(200, {"a": 1}))))
    web.house.put(document("order-status", name="Order status"))
    bob = web.as_("bob")
    menu = bob.get("/steps").text.split('aria-label="More for Order status"')[1].split("</details>")[0]
    assert ">Order status</p>" in menu and ">Switch off<" in menu
    assert 'formaction="/steps/1/switch" name="op" value="off"' in menu

    assert bob.post("/steps/1/switch", data={"op": "off"}).location == "/steps"
    page = bob.get("/steps").text
    assert "“Order status” is switched off" in page and ">Switch on<" in page and ">Off</span>" in page
    assert web.house.execute().json["outcome"] == "disabled"
    with web.house.app.app_context():
        row = db.session.get_one(Step, 1)
        assert (row.version, row.updated_by) == (2, "bob@example.com")
    bob.post("/steps/1/switch", data={"op": "off"})  # once more changes nothing
    bob.post("/steps/1/switch", data={"op": "on"})
    assert web.house.execute().json["outcome"] == "success"
    with web.house.app.app_context():
        assert db.session.get_one(Step, 1).version == 3
    saved = [entry for entry in entries(web) if entry[1] == "step saved" and entry[0] == "bob@example.com"]
    assert len(saved) == 2


def test_the_page_of_a_step_says_that_it_is_off(several: Browser) -> None:
    assert re.search(r'id="step-off"[^>]*hidden', several.get("/steps/1").text)
    page = several.get("/steps/4").text
    assert 'id="step-off"' in page and not re.search(r'id="step-off"[^>]*hidden', page)


def test_a_form_that_is_open_meanwhile_meets_a_conflict(web: Web) -> None:
    web.house.put(document(name="Order status"))
    bob = web.as_("bob")
    screen = Screen(bob, bob.get("/steps/1"), "/steps/1")
    bob.post("/steps/1/switch", data={"op": "off"})
    assert screen.fragment("save", name="Typed").status_code == 409


def test_a_viewer_switches_nothing(several: Browser, web: Web) -> None:
    vera = web.as_("vera")
    assert vera.post("/steps/1/switch", data={"op": "off"}).status_code == 403
    assert "Switch off" not in vera.get("/steps").text


# ---------------------------------------------------------------- ticked steps


def test_ticked_steps_are_exported_and_deleted_together(several: Browser, web: Web) -> None:
    exported = several.post("/step-list/chosen", data={"op": "export", "step": ["1", "3", "x", "99"]})
    assert [one["name"] for one in json.loads(exported.text)] == ["Alpha", "Gamma"]
    assert exported.headers["Content-Disposition"] == 'attachment; filename="steps.json"'
    several.post("/step-list/chosen", data={"op": "delete", "step": ["1", "3"]})
    page = several.get("/steps").text
    assert "2 steps are deleted." in page and rows(page) == ["Beta", "Delta"]
    several.post("/step-list/undo", data={"step": ["1", "3"]})
    assert rows(several.get("/steps").text) == ["Alpha", "Beta", "Delta", "Gamma"]
    several.post("/step-list/chosen", data={"op": "export"})
    assert "Tick the steps first." in several.get("/steps").text


@pytest.mark.sqlite_only("what a row says is made above the database")
def test_a_viewer_exports_and_deletes_nothing(several: Browser, web: Web) -> None:
    vera = web.as_("vera")
    assert vera.post("/step-list/chosen", data={"op": "delete", "step": "1"}).status_code == 403
    assert vera.post("/step-list/undo", data={"step": "1"}).status_code == 403
    assert vera.post("/step-list/chosen", data={"op": "export", "step": "1"}).status_code == 200
    page = vera.get("/steps").text
    assert 'value="delete"' not in page and "Duplicate" not in page and len(rows(page)) == 4


# ---------------------------------------------------------------- the first steps


@pytest.mark.sqlite_only("what a row says is made above the database")
def test_the_first_steps_go_when_they_are_done_or_hidden(make_house: Callable[..., House]) -> None:
    web = Web(make_house(ThirdParty(answer(200, {"a": 1}))))
    bob = web.as_("bob")
    assert bob.get("/steps").text.count('aria-label="To do"') == 4
    web.house.put(document())
    web.house.execute()
    assert bob.get("/steps").text.count('aria-label="To do"') == 1
    called(web, 1, ("success", 200, 1))
    with web.house.app.app_context():
        db.session.query(Log).first().source = "test"  # type: ignore[union-attr]
        db.session.commit()
    assert "From nothing to your bot" not in bob.get("/steps").text


def test_whoever_hides_the_first_steps_does_not_see_them_again(web: Web) -> None:
    bob = web.as_("bob")
    assert "From nothing to your bot" in bob.get("/steps").text
    assert bob.post("/step-list/checklist").location == "/steps"
    assert "From nothing to your bot" not in bob.get("/steps").text
