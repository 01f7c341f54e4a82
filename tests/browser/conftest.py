"""One browser for the tests of this folder. Without Debian's chromium they are skipped, and the summary says so by name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import CHROMIUM, one_browser
from tests.conftest import ABSENT


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    if here and not os.access(CHROMIUM, os.X_OK):
        config.stash[ABSENT]["the browser"] = (
            f"{CHROMIUM} is not there (Debian's package chromium, or chromium-headless-shell)"
        )
        for item in here:
            item.add_marker(pytest.mark.skip(reason="chromium is not here; the summary names it"))


@pytest.fixture(scope="package", autouse=True)
def _one_browser() -> Iterator[None]:
    with one_browser():
        yield
