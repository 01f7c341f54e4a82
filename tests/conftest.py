"""Fixtures that every folder uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from httpstep.core.model import Send
from httpstep.extensions import db
from tests.house import House


@pytest.fixture
def make_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """make_house(send, VARIABLE="value"): an application on this test's data folder."""
    made: list[House] = []

    def make(send: Send | None = None, **variables: str) -> House:
        made.append(House(tmp_path / "data", send, **variables))
        return made[-1]

    yield make
    for house in made:
        with house.app.app_context():
            house.app.extensions["httpstep"].alerts.finish()
            db.engine.dispose()
