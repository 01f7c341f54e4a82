"""Which values the answer on the screen is of: those of its call, whatever stands in the fields for the next test."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House
from tests.web.conftest import Web
from tests.web.screen import Screen, limit, new_step, open_step, web_with

SQLITE_ONLY = "what is said of a kept answer"


@pytest.fixture
def api() -> ThirdParty:
    """Order 1042 is shipped, every other is new."""
    return ThirdParty(lambda sent: answer(200, {"status": "shipped" if sent.url.endswith("/1042") else "new"}))


@pytest.fixture
def web(make_house: Callable[..., House], api: ThirdParty) -> Web:
    return web_with(make_house, api)


@pytest.fixture
def screen(web: Web) -> Screen:
    """A step that was saved with the answer of order 1042."""
    return new_step(web.as_("bob")).set("value:order.id", "1042").press("test").press("save")


def test_an_accepted_answer_says_the_values_it_came_with(web: Web, screen: Screen) -> None:
    assert "The accepted answer, with order.id=1042 . Press Test" in open_step(web.as_("bob")).text
    screen.set("value:order.id", "7").press("test")
    assert "200 OK" in screen.text
    again = open_step(web.as_("bob"))
    assert again.get("value:order.id") == "7", "as it was last"
    assert "The accepted answer, with order.id=1042 . Press Test" in again.text and "shipped" in again.html


def test_the_example_of_a_sentence_is_of_the_answer(web: Web, screen: Screen) -> None:
    assert screen.set("value:order.id", "a-7").press("test").html.count("For example:") == 1
    assert 'Your status is <b title="status">new</b>.' in screen.html


def test_what_the_bot_says_is_never_of_two_calls(web: Web, screen: Screen) -> None:
    screen.set("value:order.id", "7").press("test")
    again = open_step(web.as_("bob")).set("says", "{{order.id}}: {{status}}").press("says")
    assert '<b title="order.id">1042</b>: <b title="status">shipped</b>' in again.html
    again.set("value:order.id", "7").press("test").set("says", "{{order.id}}: {{status}}").press("says")
    assert '<b title="order.id">7</b>: <b title="status">new</b>' in again.html


def test_an_answer_whose_call_is_not_kept_any_more_says_so(web: Web, screen: Screen) -> None:
    limit(web, 100)
    for number in range(20):
        screen.set("value:order.id", str(number)).press("test")
    again = open_step(web.as_("bob"))
    assert "The accepted answer, perhaps of other values. Press Test" in again.text
    assert "The accepted answer. Press Test" in open_step(web.as_("vera")).text, "who has no values for test"


def test_a_test_says_its_values_once_others_are_typed(screen: Screen) -> None:
    screen.set("value:order.id", "1042").press("test")
    assert "before your last changes ( order.id=1042 )" in screen.text, "which the page shows then"
