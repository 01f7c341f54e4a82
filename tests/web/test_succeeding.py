"""Counts as success when: rows in the form, taken from the tree or as the answer suggests, saved as the step's members."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Web
from tests.web.screen import open_step

SQLITE_ONLY = "conditions are form state"
NO = answer(200, {"ok": False, "description": "No such order", "order": {"id": 7}})
ROWS = [
    {"path": ["ok"], "is": "equals", "value": True},
    {"path": ["code"], "is": "one_of", "value": [0, "0", "a b"]},
    {"path": ["list"], "is": "one_of", "value": ["a, b", 2]},
    {"jsonpath": "$.errors[*]", "is": "missing"},
    {"path": ["text"], "is": "matches", "value": "1+"},
    {"path": ["text"], "is": "equals", "value": "3"},
    {"path": ["none"], "is": "equals", "value": None},
    {"path": ["n"], "is": "above", "value": 1.5},
]


@pytest.fixture
def web(make_house: Callable[..., House]) -> Web:
    return Web(make_house(ThirdParty(NO)))


def saved(web: Web) -> dict[str, object]:
    return web.house.call("GET", "/steps/order-status").json


def test_every_condition_survives_opening_and_saving(web: Web) -> None:
    members = {
        "success_when": ROWS,
        "error_message": {"path": ["why", 0]},
        "expired_when": [{"path": ["code"], "is": "equals", "value": "expired"}],
        "retry_rejected": True,
    }
    web.house.put(document(**members))
    open_step(web.as_("alice")).press("save")
    assert {name: saved(web)[name] for name in members} == members


def test_rows_are_added_filled_in_and_removed(web: Web) -> None:
    web.house.put(document())
    screen = open_step(web.as_("alice"))
    screen = screen.press("add_condition:").press("add_condition:")
    screen.fill(success_source="$.ok", success_value="true")
    screen.press("remove_condition:1").press("save")
    assert saved(web)["success_when"] == [{"path": ["ok"], "is": "equals", "value": True}]


def test_what_says_that_a_token_has_expired_has_rows_of_its_own(web: Web) -> None:
    auth = {
        "type": "oauth2_client_credentials",
        "token_url": "https://id.example/t",
        "client_id": "a",
        "client_secret": "b",
    }
    web.house.put(document(request={"url": "https://api.example/", "auth": auth}, success_when=ROWS[:1]))
    screen = open_step(web.as_("alice")).press("add_expiry:").press("add_expiry:")
    screen.fill(expired_source="$.code[", expired_value="expired")
    screen = screen.press("remove_expiry:1").press("save")
    assert screen.status == 422 and 'id="at-expired_when-0-path-error"' in screen.html
    screen.fill(expired_source="$.code").press("save")
    assert saved(web)["expired_when"] == [{"path": ["code"], "is": "equals", "value": "expired"}]
    assert saved(web)["success_when"] == ROWS[:1]


def test_what_is_not_right_is_said_at_its_row_and_nothing_is_lost(web: Web) -> None:
    web.house.put(document())
    screen = open_step(web.as_("alice")).press("add_condition:")
    screen.fill(success_source="$.ok[", success_is="above", success_value="many")
    screen = screen.press("save")
    assert "The query is not right" in screen.text
    assert 'value="many"' in screen.html


def test_a_value_of_the_tree_becomes_a_condition_and_the_call_is_rejected(web: Web) -> None:
    web.house.put(document())
    screen = open_step(web.as_("alice")).set("value:order.id", "42").press("test")
    assert "This answer says by itself whether it is a success" in screen.text
    screen = screen.press("suggest_conditions")
    assert "says by itself" not in screen.text
    screen = screen.press("test")
    assert "The API said no: No such order" in screen.text
    screen = screen.press("add_condition:$['order']['id']")
    assert 'name="success_value" value="7"' in screen.html
    screen.press("save")
    assert saved(web)["success_when"] == [
        {"path": ["ok"], "is": "equals", "value": True},
        {"path": ["order", "id"], "is": "equals", "value": 7},
    ]


def test_a_viewer_is_offered_none_of_it(web: Web) -> None:
    web.house.put(document())
    html = web.as_("vera").get("/steps/1").text
    assert "succeeds only if" not in html
    assert "add_condition" not in html


def test_an_answer_that_may_be_an_error_is_no_alarm_and_its_drift_goes_with_the_rule(
    make_house: Callable[..., House],
) -> None:
    good = answer(200, {"ok": True, "id": 7, "status": "shipped"})
    web = Web(make_house(ThirdParty(good, answer(200, {"error": "order not found", "ok": False}))))
    places = [{"path": ["id"], "attribute": "id"}, {"path": ["status"], "attribute": "status"}]
    web.house.put(document(mapping=places, url="https://api.example/orders/9"))
    screen = open_step(web.as_("alice")).press("test").press("save").press("test")
    doubt = "This answer may be an error of the API. JSON Structure Change Detected 2 values are not there any more."
    assert doubt in screen.text and "2 missing" in screen.text
    moved = screen.move("suggest_conditions").text
    assert "JSON Structure" not in moved and "2 missing" not in moved and "not in the answer" not in moved
    for page in (screen.press("suggest_conditions"), screen.press("save"), open_step(web.as_("alice"))):
        assert "JSON Structure Change Detected" not in page.text and "2 missing" not in page.text
