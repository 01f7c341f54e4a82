"""All places of the process for waiting calls are taken: a 503 that is nobody's fault, before any call and any row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape

from msgspec.structs import replace
from werkzeug.test import TestResponse

from httpstep.core.exchange import HttpResponse, RenderedRequest
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Web
from tests.web.screen import new_step, web_with

MakeHouse = Callable[..., House]


@contextmanager
def full(house: House) -> Iterator[None]:
    """Other calls of this process hold every place."""
    places, taken = house.app.extensions["httpstep"].places, 0
    while places.acquire(blocking=False):
        taken += 1
    try:
        yield
    finally:
        places.release(taken)


def test_a_bot_is_told_to_come_again_and_by_its_fallback_what_to_do(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty())
    house.put(document(fallback="continue"))
    house.flow("order-status")
    with full(house):
        for refused in (house.execute(), house.execute(headers={"Idempotency-Key": "one"}), house.run_flow()):
            assert (refused.status_code, refused.content_type) == (503, "application/problem+json")
            assert (refused.json["title"], refused.headers["Retry-After"]) == ("Server Busy", "1")
            assert "No call was made" in refused.json["detail"] and refused.json["next"] == "continue"
    assert (third.requests, house.logs()) == ([], [])
    assert house.execute(headers={"Idempotency-Key": "one"}).json["outcome"] == "success"


def test_the_accounts_own_figure_is_still_its_own(make_house: MakeHouse) -> None:
    refused: list[TestResponse] = []

    def meanwhile(_: RenderedRequest) -> HttpResponse:
        refused.append(house.execute())
        return answer()

    house = make_house(ThirdParty(meanwhile), IN_FLIGHT="1")
    house.put(document())
    house.execute()
    assert [(one.status_code, one.json["title"]) for one in refused] == [(429, "Too Many Calls In Flight")]


class _Places:
    """A place for the first call, and none for the next."""

    def __init__(self) -> None:
        self.left = 1

    def acquire(self, *, blocking: bool) -> bool:
        self.left -= 1
        return self.left >= 0

    def release(self) -> None:
        """Another process's call has it."""


def test_a_later_step_of_a_flow_ends_by_its_own_fallback(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty())
    house.put(document("find", fallback="continue"))
    house.put(document("greet", fallback="stop"))
    house.flow("find", "greet")
    parts = house.app.extensions["httpstep"]
    house.app.extensions["httpstep"] = replace(parts, places=_Places())
    answered = house.run_flow()
    house.app.extensions["httpstep"] = parts
    assert [(step["step"], step["outcome"]) for step in answered.json["steps"]] == [
        ("find", "success"), ("greet", "rate_limited"),
    ]  # fmt: skip
    assert answered.json["next"] == "stop" and len(third.requests) == 1
    assert answered.json["steps"][1]["message"].startswith("httpstep waits for as many third parties as it can")


def test_a_test_says_so_and_keeps_the_form(make_house: MakeHouse) -> None:
    web: Web = web_with(make_house, third := ThirdParty())
    screen = new_step(web.as_("bob"))
    with full(web.house):
        fragment = screen.fragment("test")
        page = screen.browser.client.post(
            screen.path, data=screen.data(op="test"), headers={"Origin": "http://localhost"}
        )
    for refused in (fragment, page):
        assert (refused.status_code, refused.headers.get("Retry-After")) == (503, "1"), refused.text
        assert "Server Busy" in refused.text and "No call was made" in refused.text
    assert fragment.headers["X-Fault"] == "true", "it takes the place of nothing"
    assert screen.get("url") in unescape(page.text), "the form can be sent again"
    assert third.requests == []
