"""How much travels until the editor stands: counted where the browser receives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.chromium import ADMIN, PASSWORD, browsing, sign_in

MAX_REQUESTS, COLD_BYTES, WARM_BYTES = 8, 120_000, 30_000


def travels(page: Page, address: str) -> tuple[list[str], int]:
    """(addresses that were asked for over the network, bytes received with their heads)."""
    session = page.context.new_cdp_session(page)
    asked: dict[str, str] = {}
    sizes: dict[str, int] = {}

    def answered(event: dict[str, Any]) -> None:
        if not event["response"].get("fromDiskCache"):
            asked[event["requestId"]] = event["response"]["url"]

    session.on("Network.responseReceived", answered)
    session.on("Network.requestServedFromCache", lambda event: asked.pop(event["requestId"], None))
    session.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))
    session.send("Network.enable")
    page.goto(address)
    page.wait_for_load_state("networkidle")
    session.detach()
    return list(asked.values()), round(sum(sizes.get(one, 0) for one in asked))


def test_the_editor_is_light_the_first_time_and_lighter_the_next(tmp_path: Path) -> None:
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with browsing(tmp_path / "data", **variables) as (_, page, _complaints):
        sign_in(page, to=None)
        page.context.new_cdp_session(page).send("Network.clearBrowserCache")
        page.goto("about:blank")
        cold, cold_bytes = travels(page, "/steps/new")
        page.goto("about:blank")
        warm, warm_bytes = travels(page, "/steps/new")
        assert len(cold) <= MAX_REQUESTS, cold
        assert 20_000 < cold_bytes <= COLD_BYTES
        assert 0 < warm_bytes <= WARM_BYTES and len(warm) < len(cold)
