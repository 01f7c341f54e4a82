"""Objects whose names are data are marked with one click, in the mapping and in the banner, with and without JavaScript."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import expect
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.browser.chromium import ADMIN, PASSWORD, browsing, look_at_drift, sign_in

SQLITE_ONLY = "what a person does and sees"
BODY = '{\n  "a": 1\n}\n'


def test_mark_in_the_mapping_in_the_banner_and_the_same_bytes_without_javascript(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    rates, sent = {"USD": 1.09, "SEK": 11.2}, []
    shelf = {"oak": {"n": 1, "p": 2}, "elm": {"n": 3, "p": 4}}

    def rated(request: Request) -> Response:
        sent.append(request.get_data())
        return Response(json.dumps({"base": "EUR", "rates": rates, "shelf": shelf}), content_type="application/json")

    httpserver.expect_request("/rates").respond_with_handler(rated)
    url = httpserver.url_for("/rates").replace("localhost", "127.0.0.1")
    variables = {"ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD}
    with browsing(tmp_path / "data", **variables) as (server, page, complaints):
        sign_in(page, to="/steps/new")
        page.locator('[name="name"]').fill("Rates")
        page.locator('[name="method"]').select_option("POST")
        page.locator("#at-request-url").fill(url)
        page.locator("#body-json").check()
        page.locator("#at-request-body-text").fill(BODY)
        page.locator("#test-btn").click()
        expect(page.locator("#dictionaries .suggestion")).to_contain_text("with names like USD, SEK")
        page.keyboard.press("Control+s")
        page.wait_for_url("**/steps/1")

        rates["NOK"] = 11.6
        with page.expect_response("**/test"):
            page.locator("#test-btn").click()
        banner = page.locator("#drift-banner")
        expect(page.locator(".result-line")).to_contain_text("200 OK")
        expect(banner).not_to_contain_text("JSON Structure Change Detected")

        shelf["ash"] = shelf.pop("elm")
        with page.expect_response("**/test"):
            page.locator("#test-btn").click()
        expect(banner).to_contain_text("JSON Structure Change Detected")
        look_at_drift(page)
        expect(banner.get_by_role("heading", name="Names differ from answer to answer")).to_be_visible()
        banner.get_by_role("button", name="Mark shelf").click()
        expect(banner).to_contain_text("The new structure is accepted.")
        expect(page.locator("#at-dictionaries")).to_have_value("$['shelf']")
        page.keyboard.press("Control+s")
        expect(banner).not_to_contain_text("accepted")
        page.locator("#accepted-structures > summary").click()
        expect(page.locator(".structure")).to_have_count(2)
        page.get_by_role("button", name="Use this one again").click()
        expect(page.locator(".structure").nth(1)).to_contain_text("From the next save on")

        assert page.context.browser is not None
        without = page.context.browser.new_context(
            java_script_enabled=False, storage_state=page.context.storage_state(), base_url=server.url
        )
        plain = without.new_page()
        plain.goto("/steps/1")
        plain.locator("#test-btn").click()
        expect(plain.locator(".result-line")).to_contain_text("200 OK")
        assert plain.locator("#at-request-body-text").input_value() == BODY
        without.close()
        assert sent == [BODY.encode()] * 4
        assert complaints == []
