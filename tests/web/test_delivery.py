"""How pages and static files travel: compressed where that gives nothing away, and kept by the browser where it can."""

from __future__ import annotations

import gzip
import re
from html import unescape
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from httpstep.web.responses import BUNDLES, Fingerprints
from tests.house import House, document
from tests.web.conftest import Web

SQLITE_ONLY = "what is sent is decided above the database"
GZIP = {"Accept-Encoding": "gzip, deflate, br"}
FOREVER = "public, max-age=31536000, immutable"
STATIC = re.compile(r'(?:href|src)="([^"#]*/static/[^"#]+)')


def is_compressed(answer: TestResponse) -> bool:
    return answer.headers.get("Content-Encoding") == "gzip"


def text_of(answer: TestResponse) -> str:
    """A page as a browser reads it."""
    return (gzip.decompress(answer.data) if is_compressed(answer) else answer.data).decode()


def test_a_page_and_a_fragment_are_compressed_for_a_browser_that_takes_it(web: Web) -> None:
    web.house.put(document())
    browser = web.as_("alice")
    for path in ("/steps", "/steps/1", "/steps/list"):
        page, plain = browser.get(path, headers=GZIP), browser.get(path)
        assert is_compressed(page) and not is_compressed(plain)
        assert "Order-status" in text_of(page) and int(page.headers["Content-Length"]) == len(page.data)
        assert len(page.data) < len(plain.data) / 2
        assert "Accept-Encoding" in page.headers["Vary"] and "Accept-Encoding" in plain.headers["Vary"]
        assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("refused", ["", "identity", "br", "gzip;q=0", "gzip;q=0, *;q=0.5"])
def test_a_browser_that_does_not_take_it_gets_it_plain(web: Web, refused: str) -> None:
    assert not is_compressed(web.as_("alice").get("/steps", headers={"Accept-Encoding": refused}))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "no word"])
def test_a_page_that_another_site_made_the_browser_ask_for_tells_nothing_by_its_size(web: Web, site: str) -> None:
    browser = web.as_("alice")
    assert not is_compressed(browser.get("/steps?q=guess", headers=GZIP | {"Sec-Fetch-Site": site}))
    for own in ("same-origin", "none"):
        assert is_compressed(browser.get("/steps?q=mine", headers=GZIP | {"Sec-Fetch-Site": own}))


def test_over_https_a_browser_that_does_not_say_who_asks_gets_it_plain(empty: House) -> None:
    client = empty.app.test_client()
    ask = {"path": "/setup", "base_url": "https://bot.example"}
    assert not is_compressed(client.get(**ask, headers=GZIP))
    assert is_compressed(client.get(**ask, headers=GZIP | {"Sec-Fetch-Site": "none"}))


def test_no_answer_of_the_api_is_compressed(web: Web) -> None:
    web.house.put(document())
    web.house.execute()
    for method, path in (
        ("GET", "/steps"), ("GET", "/steps/order-status"), ("GET", "/steps/order-status/logs"),
        ("POST", "/steps/order-status/execute"), ("GET", "/openapi.json"), ("GET", "/steps/nothing"),
    ):  # fmt: skip
        answer = web.house.call(
            method, path, headers=GZIP, **({"json": {"attributes": {}}} if method == "POST" else {})
        )
        assert not is_compressed(answer), path
        assert "Accept-Encoding" not in answer.headers.get("Vary", "")


def test_what_is_short_or_empty_is_left_as_it_is(web: Web) -> None:
    browser = web.as_("alice")
    for path in ("/static/icon.svg", "/"):
        answer = browser.get(path, headers=GZIP, buffered=True)
        assert answer.status_code in (200, 302, 303) and not is_compressed(answer)


def test_a_static_file_has_a_fingerprint_in_its_address_and_is_kept_for_ever(web: Web) -> None:
    browser = web.as_("alice")
    addresses = {
        unescape(one)
        for path in ("/steps", "/steps/new", "/flows/new")
        for one in STATIC.findall(browser.get(path).text)
    }
    assert len(addresses) > 8
    for address in addresses:
        assert re.search(r"\?v=[0-9a-f]{12}$", address), address
        answer = browser.get(address, headers=GZIP, buffered=True)
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == FOREVER
        name = address.partition("/static/")[2].partition("?")[0]
        files = [Path(web.house.app.static_folder or "") / one for one in BUNDLES.get(name, (name,))]
        lines = "\n;\n".join(file.read_text(encoding="utf-8") for file in files).split("\n")
        assert text_of(answer) == "\n".join(
            line for line in lines if name not in BUNDLES or not line.lstrip(" ").startswith("//")
        )
        assert is_compressed(answer) == (sum(file.stat().st_size for file in files) >= 1000)


def test_no_text_of_a_script_is_over_several_lines(web: Web) -> None:
    """One of its lines might look like a comment, which do not travel."""
    for file in Path(web.house.app.static_folder or "").glob("*.js"):
        for line in re.sub(r'"[^"\n]*"', "", file.read_text(encoding="utf-8")).split("\n"):
            assert line.count("`") % 2 == 0, f"{file.name}: {line}"
            assert "/*" not in line or "*/" in line, f"{file.name}: {line}"


def test_an_address_of_another_version_is_not_kept_for_ever(web: Web) -> None:
    browser = web.browser()
    for address in ("/static/app.css", "/static/app.css?v=000000000000", "/static/app.css?v=", "/static/none.css?v="):
        assert "immutable" not in browser.get(address, buffered=True).headers.get("Cache-Control", "")


def test_another_content_has_another_address(tmp_path: Path) -> None:
    def fingerprint(content: str) -> str:
        (tmp_path / "a.css").write_text(content)
        values = {"filename": "a.css"}
        Fingerprints(tmp_path, {}).add("static", values)
        return values["v"]

    assert fingerprint("one") == fingerprint("one") != fingerprint("two")


def test_a_kept_file_is_known_again_in_both_codings(web: Web) -> None:
    browser = web.browser()

    def get(**headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return browser.get("/static/app.css", headers=named, buffered=True)

    plain, packed = get(), get(Accept_Encoding="gzip")
    for tag in (plain.headers["ETag"], packed.headers["ETag"]):
        assert get(If_None_Match=tag).status_code == get(If_None_Match=tag, Accept_Encoding="gzip").status_code == 304
    assert packed.headers["ETag"].startswith("W/") and not plain.headers["ETag"].startswith("W/")
    part = get(Accept_Encoding="gzip", Range="bytes=0-1999")
    assert part.status_code == 206 and len(part.data) == 2000 and not is_compressed(part)


def test_the_api_reads_no_cookie_and_sets_none(web: Web) -> None:
    web.house.put(document())
    browser = web.as_("alice")
    assert browser.get("/steps").headers.getlist("Set-Cookie") or browser.client.get_cookie("httpstep_form")
    answer = browser.get("/api/v1/steps", headers={"Authorization": f"Bearer {web.house.token()}"})
    assert answer.status_code == 200 and not answer.headers.getlist("Set-Cookie")
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert browser.get("/api/v1/steps").status_code == 401


def test_nothing_is_looked_up_before_a_request_for_limits_that_no_route_has(web: Web) -> None:
    for hooks in (web.house.app.before_request_funcs, web.house.app.after_request_funcs):
        assert not [one for found in hooks.values() for one in found if "flask_limiter" in repr(one)]
