"""The flow editor as a person without JavaScript has it: rows that are filled in, buttons that are pressed."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from httpstep.storage import flows as stored
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Browser, Web

Make = Callable[..., House]
SECRET = "s3cret-value-of-the-shop"


@pytest.fixture
def shop(make_house: Make) -> tuple[Web, ThirdParty]:
    third = ThirdParty(answer(200, {"id": 7}), answer(200, {"name": "Ada"}))
    web = Web(make_house(third))
    web.house.put(
        document(
            "find", url="https://api.example/{{user.email}}", mapping=[{"path": ["id"], "attribute": "customer.id"}]
        )
    )
    web.house.put(
        document("greet", url="https://api.example/{{customer.id}}", mapping=[{"path": ["name"], "attribute": "name"}])
    )
    return web, third


def form(*rows: tuple[Any, ...], **more: str) -> dict[str, Any]:
    """Each row: step id, when, attribute, value; what is left out is empty."""
    whole = [(*row, *[""] * (4 - len(row))) for row in rows]
    columns = dict(zip(("step", "when", "attribute", "value"), map(list, zip(*whole, strict=True)), strict=True))
    return {"name": "Greet", "op": "save"} | columns | more


def page(browser: Browser, fields: dict[str, Any], ref: str = "new", **more: Any) -> tuple[int, str]:
    got = browser.post(f"/flows/{ref}", fields, **more)
    return got.status_code, unescape(got.text)


def saved(web: Web, key: str = "greet") -> Any:
    with web.house.app.app_context():
        row = stored.find(web.house.account(), key)
        return None if row is None else stored.spec_of(row)


def test_a_flow_is_made_and_run_by_the_line_on_its_page(shop: tuple[Web, ThirdParty]) -> None:
    web, _ = shop
    bob = web.as_("bob")
    assert "No flows yet" in bob.get("/flows").text
    got = bob.post("/flows/new", form((1,), (2, "above", "customer.id", "5")))
    assert (got.status_code, got.headers["Location"]) == (303, "/flows/1")
    opened = unescape(bob.get("/flows/1").text)
    assert '{"attributes":{"user.email":"YOUR_USER_EMAIL"}}' in opened, "the line names what has no value yet"
    assert "/api/v1/flows/greet/execute" in opened and 'value="customer.id"' in opened
    assert "Find → Greet" in unescape(bob.get("/flows").text)
    assert web.house.run_flow("greet", {"user.email": "a@b"}).json["attributes"] == {"customer.id": 7, "name": "Ada"}


@pytest.mark.sqlite_only("the form is drawn above the database")
def test_a_new_form_has_no_faults_before_anybody_typed(shop: tuple[Web, ThirdParty]) -> None:
    web, _ = shop
    html = web.as_("bob").get("/flows/new").text
    assert "Nothing has run yet." in html and "not right" not in html and "Choose a step." not in html
    assert "data-dirty hidden" in html


@pytest.mark.sqlite_only("decided above the database")
def test_only_what_no_earlier_step_gives_is_asked_for(shop: tuple[Web, ThirdParty]) -> None:
    web, _ = shop
    _, html = page(web.as_("bob"), form((1,), (2, "is", "vip", "true"), op="add"))
    assert 'name="value:user.email"' in html and 'name="value:vip"' in html and 'name="value:customer.id"' not in html


@pytest.mark.sqlite_only("decided above the database")
def test_what_a_step_that_may_be_left_out_gives_is_asked_for(shop: tuple[Web, ThirdParty]) -> None:
    web, _ = shop
    web.house.put(document("off", mapping=[{"path": ["id"], "attribute": "name"}], enabled=False))
    _, html = page(web.as_("bob"), form((1, "is", "vip", "true"), (2,), op="add"))
    assert 'name="value:customer.id"' in html


@pytest.mark.sqlite_only("shown above the database")
def test_a_step_of_a_test_leads_to_the_page_of_its_log(shop: tuple[Web, ThirdParty]) -> None:
    web, _ = shop
    bob = web.as_("bob")
    _, html = page(bob, form((1,), op="test") | {"value:user.email": "a@b"})
    assert 'href="/steps/1/logs/1"' in html
    assert "<nav" in bob.get("/steps/1/logs/1").text


@pytest.mark.sqlite_only("refused above the database")
def test_a_save_with_a_fault_says_nothing_of_a_test(shop: tuple[Web, ThirdParty]) -> None:
    web, _ = shop
    bob = web.as_("bob")
    assert "nothing was called" not in page(bob, form(("",), op="save"))[1]
    assert "nothing was called" in page(bob, form(("",), op="test"))[1]


@pytest.mark.sqlite_only("the form is read above the database")
def test_rows_are_added_moved_and_removed_without_losing_what_is_typed(shop: tuple[Web, ThirdParty]) -> None:
    web, _ = shop
    bob = web.as_("bob")
    rows = form((1, "is", "a", "first"), (2, "is", "b", "second"))
    for op, order in (
        ("add", ["first", "second", ""]), ("down:0", ["second", "first"]), ("up:1", ["second", "first"]),
        ("remove:0", ["second"]), ("up:0", ["first", "second"]), ("down:1", ["first", "second"]), ("remove:9", ["first", "second"]),
        ("nonsense", ["first", "second"]),
    ):  # fmt: skip
        _, html = page(bob, rows | {"op": op})
        assert [part.split('"')[0] for part in html.split('name="value" value="')[1:]] == order, op
    fragment = bob.htmx("POST", "/flows/new/move", data=rows | {"op": "add"}, headers={"X-CSRFToken": bob.token()})
    assert fragment.text.count('name="step"') == 3 and "<html" not in fragment.text


@pytest.mark.sqlite_only("refused above the database")
def test_what_is_not_right_comes_back_as_typed_with_a_sentence_at_each_place(shop: tuple[Web, ThirdParty]) -> None:
    web, third = shop
    bob = web.as_("bob")
    wrong = form((1, "above", "7*7", "many"), ("",), (999,), name="", key="No Key")
    for op in ("save", "test"):
        status, html = page(bob, wrong | {"op": op})
        assert status == 422
        assert 'value="7*7"' in html and 'value="many"' in html and 'value="No Key"' in html
        assert html.count("Choose a step.") == 2 and "“many” is not a number." in html
    assert "Give the flow a name." not in html, "a test needs no name"
    assert third.requests == [] and saved(web) is None


def test_two_who_save_at_once_are_told(shop: tuple[Web, ThirdParty]) -> None:
    web, _ = shop
    bob = web.as_("bob")
    bob.post("/flows/new", form((1,)))
    web.as_("alice").post("/flows/1", form((1,), (2,), version="1"))
    status, html = page(bob, form((2,), version="1", name="Mine"), "1")
    assert status == 409 and "Changed by alice@example.com" in html and 'value="Mine"' in html
    assert len(saved(web).places) == 2
    assert page(bob, form((2,), version="1", name="Mine", overwrite="1"), "1")[0] == 303
    assert len(saved(web).places) == 1


def test_a_save_of_a_flow_that_was_deleted_meanwhile_loses_nothing(
    shop: tuple[Web, ThirdParty], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleted before the Save was sent, and between its look at the flow and the lock that saves it."""
    web, _ = shop
    bob = web.as_("bob")
    bob.post("/flows/new", form((1,)))
    bob.post("/flows/1/delete")
    typed = form((1,), (2, "above", "customer.id", "5"), version="1", name="Mine")
    told = "This flow is no longer there: somebody has deleted it. What you typed is still here; Save makes a new flow"
    status, html = page(bob, typed, "1")
    assert status == 404 and told in html and 'value="Mine"' in html and 'action="/flows/new"' in html
    token = {"X-CSRFToken": bob.token()}
    assert told in unescape(bob.htmx("POST", "/flows/1/test", data=typed, headers=token).text)
    assert page(bob, typed)[0] == 303
    whole = stored.save

    def overtaken(*given: Any, **named: Any) -> Any:
        stored.remove(given[0], named["flow_id"])
        return whole(*given, **named)

    monkeypatch.setattr(stored, "save", overtaken)
    status, html = page(bob, typed | {"name": "Again"}, "2")
    assert status == 404 and told in html and 'value="Again"' in html


def test_a_key_that_is_taken_is_told(shop: tuple[Web, ThirdParty]) -> None:
    web, _ = shop
    bob = web.as_("bob")
    bob.post("/flows/new", form((1,)))
    status, html = page(bob, form((1,), key="greet"))
    assert status == 422 and "Another flow has the key “greet”." in html


def test_a_test_runs_the_whole_as_it_is_on_the_screen_and_shows_each_step(shop: tuple[Web, ThirdParty]) -> None:
    web, third = shop
    bob = web.as_("bob")
    fields = form((1,), (2, "below", "customer.id", "5"), **{"op": "test", "value:user.email": "a@b.example"})
    status, html = page(bob, fields)
    assert status == 200 and "Left out" in html and "Its condition did not hold." in html
    assert "customer.id" in html and "your bot would go on" in html and saved(web) is None
    assert [log["actor"] for log in web.house.logs("find")] == ["bob@example.com, flow draft"]
    assert third.requests[0].url.endswith("/a%40b.example")


@pytest.mark.sqlite_only("shown above the database")
def test_a_secret_that_an_api_gives_back_is_not_shown(make_house: Make) -> None:
    web = Web(make_house(ThirdParty(answer(200, {"token": SECRET}))))
    alice = web.as_("alice")
    alice.post("/secrets", {"name": "TOKEN", "secret_value": SECRET, "hosts": "https://api.example"}, page="/secrets")
    web.house.put(
        document(
            "leak",
            headers=[{"name": "X-Key", "value": "{{secret.TOKEN}}"}],
            mapping=[{"path": ["token"], "attribute": "t"}],
        )
    )
    status, html = page(alice, form((1,), **{"op": "test", "value:order.id": "1"}))
    assert status == 200 and "Attributes the bot gets" in html
    assert SECRET not in html


@pytest.mark.sqlite_only("shown above the database")
def test_over_the_budget_nothing_runs_and_it_is_said(shop: tuple[Web, ThirdParty]) -> None:
    web, third = shop
    web.house.limit(1)
    bob = web.as_("bob")
    fields = form((1,), **{"op": "test", "value:user.email": "a"})
    page(bob, fields)
    status, html = page(bob, fields)
    assert status == 429 and "Rate Limit Exceeded" in html and len(third.requests) == 1
    assert "None left for" in html


@pytest.mark.sqlite_only("shown above the database")
def test_viewers_look_and_change_nothing(shop: tuple[Web, ThirdParty]) -> None:
    web, third = shop
    web.as_("bob").post("/flows/new", form((1,)))
    vera = web.as_("vera")
    assert "View only" in vera.get("/flows/1").text
    assert vera.get("/flows/new").status_code == 303
    for path in ("/flows/new", "/flows/1", "/flows/1/delete", "/flows/1/move", "/flows/1/test", "/flows/1/values"):
        assert vera.post(path, form((2,), version="1")).status_code == 403, path
    assert third.requests == []


def test_a_deleted_flow_leaves_its_steps(shop: tuple[Web, ThirdParty]) -> None:
    web, _ = shop
    bob = web.as_("bob")
    bob.post("/flows/new", form((1,)))
    assert "“Greet” is deleted. Its steps stay." in unescape(bob.post("/flows/1/delete", follow_redirects=True).text)
    assert bob.get("/flows/1").status_code == 404 and bob.get("/steps/1").status_code == 200


def test_a_step_of_a_flow_is_kept_and_the_reason_told(shop: tuple[Web, ThirdParty]) -> None:
    web, _ = shop
    bob = web.as_("bob")
    bob.post("/flows/new", form((1,)))
    told = unescape(bob.post("/steps/1/delete", follow_redirects=True).text)
    assert "This step is part of “Greet”. Take it out there before you delete it." in told
    assert bob.get("/steps/1").status_code == 200
