"""One browser for the tests of this folder. Without Debian's chromium they are skipped, and the summary says so by name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.chromium import ADMIN, CHROMIUM, PASSWORD, OrderApi, browsing, one_browser, order_api, sign_in
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


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Page, OrderApi]]:
    """A new step on the screen, and an API to call. The browser may complain of forms that were refused, else of nothing."""
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with order_api() as api, browsing(tmp_path / "data", **variables) as (_, page, complaints):
        sign_in(page, to="/steps/new")
        yield page, api
        page.evaluate("sessionStorage.clear()")
        assert [text for text in complaints if "422" not in text] == []
