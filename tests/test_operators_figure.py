"""The operator's figures, set by page on one process, are in force in every other one with the next call."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from httpstep.extensions import db
from httpstep.storage.database import editing
from httpstep.storage.tables import Log
from tests.fakes import ThirdParty
from tests.house import House, document
from tests.web.conftest import Browser, Web


class TwoProcesses:
    """Two applications on one database: the operator's page is on the one, the bot calls the other."""

    def __init__(self, make_house: Callable[..., House]) -> None:
        there = make_house(ThirdParty())
        self.operator: Browser = Web(there).as_("alice")
        self.here = make_house(ThirdParty())
        self.here.put(document())
        self.limits = f"/settings/accounts/{self.here.account()}"

    def set(self, **figures: Any) -> None:
        form = {"per_minute": "", "in_flight": ""} | {name: str(figure) for name, figure in figures.items()}
        assert self.operator.post(self.limits, form).status_code == 303

    def statuses(self, calls: int) -> list[int]:
        return [self.here.execute().status_code for _ in range(calls)]


@pytest.fixture
def two(make_house: Callable[..., House]) -> TwoProcesses:
    return TwoProcesses(make_house)


def test_calls_a_minute(two: TwoProcesses) -> None:
    two.set(per_minute=2)
    assert two.statuses(3) == [200, 200, 429]
    two.set(per_minute=4)
    assert two.statuses(3) == [200, 200, 429]
    two.set(per_minute=1)
    assert two.statuses(1) == [429]
    two.set()
    assert two.statuses(7) == [200] * 6 + [429], "ten in all: a changed figure begins no new minute"


def test_calls_at_once(two: TwoProcesses) -> None:
    owner = two.here.account()
    with two.here.app.app_context(), editing():
        for _ in range(3):
            row = Log(account_id=owner, request_id="r", source="bot", started_at=time.time(), state="running")
            db.session.add(row)
    assert two.statuses(1) == [200], "the installation's figure is ten"
    two.set(in_flight=3)
    refused = two.here.execute()
    assert (refused.status_code, refused.json["title"]) == (429, "Too Many Calls In Flight")
    two.set(in_flight=4)
    assert two.statuses(1) == [200]
    two.set(in_flight=1)
    assert two.statuses(1) == [429]
