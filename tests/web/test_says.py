"""What your bot says: a sentence is filled in with what the mapping gives, without saving and without a call."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House
from tests.web.conftest import Web
from tests.web.screen import ORDER, Screen, new_step, web_with

SQLITE_ONLY = "the sentence is form state"


@pytest.fixture
def api() -> ThirdParty:
    return ThirdParty(answer(200, ORDER))


@pytest.fixture
def web(make_house: Callable[..., House], api: ThirdParty) -> Web:
    return web_with(make_house, api)


@pytest.fixture
def screen(web: Web) -> Screen:
    """A new step after its first test."""
    return new_step(web.as_("bob")).press("test")


def bubble(screen: Screen) -> str:
    return screen.html.partition('<p id="bubble"')[2].partition("</p>")[0].partition(">")[2]


def test_it_shows_an_example_and_fills_in_what_is_typed(screen: Screen, api: ThirdParty) -> None:
    assert 'Your status is <b title="status">shipped</b>.' in bubble(screen)
    assert (
        "What your bot says a try-out" in " ".join(screen.text.split())
        and "go into your bot’s own builder" in screen.text
    )
    calls = len(api.requests)
    screen.set("says", "Order {{id}} of <{{order.id}}> is {{status}}, {{gone}}.").press("says")
    assert bubble(screen).startswith('Order <b title="id">4711</b> of &lt;<b title="order.id">')
    assert 'is <b title="status">shipped</b>, <span class="name-unknown"' in bubble(screen)
    assert screen.get("says") == "Order {{id}} of <{{order.id}}> is {{status}}, {{gone}}."
    assert len(api.requests) == calls


def test_a_row_that_is_renamed_or_off_counts_at_once_and_nothing_is_saved_of_the_sentence(screen: Screen) -> None:
    screen.set(f"rule-{screen.rule('status')}-attribute", "order_status").set("says", "{{status}} {{order_status}}")
    screen.press("says")
    assert bubble(screen).count("name-unknown") == 1 and '<b title="order_status">shipped</b>' in bubble(screen)
    screen.set(f"rule-{screen.rule('order_status')}-on", None).press("says")
    assert bubble(screen).count("name-unknown") == 2
    screen.press("save").press("test")
    assert screen.get("says") == ""


def test_a_value_that_is_empty_is_a_gap_that_is_seen_and_what_the_bot_gets_then_is_said(
    web: Web, api: ThirdParty, screen: Screen
) -> None:
    assert "If a value is empty in another answer" in screen.text and "your bot gets null" in screen.text
    api.answers = [answer(200, {"data": {**ORDER["data"], "status": None}})]
    screen.set("says", "Order {{id}} is {{status}}.").press("test")
    assert bubble(screen).startswith('Order <b title="id">4711</b> is <span class="gap" title="status is empty')
    assert ">(empty)</span>." in bubble(screen)


def test_a_failed_call_fills_in_nothing(web: Web, api: ThirdParty, screen: Screen) -> None:
    api.answers = [answer(500, {"data": {"status": "broken"}})]
    screen.set("says", "{{status}}").press("test")
    assert "a try-out" not in screen.html
    screen.press("says")
    assert "broken" not in bubble(screen)
