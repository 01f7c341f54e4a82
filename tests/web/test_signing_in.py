"""Getting in: setup, sign-in, the cookie and the way back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.security import generate_password_hash

from httpstep.storage import users
from httpstep.upkeep import installation
from httpstep.web.access import local_path
from tests.house import House
from tests.web.conftest import PASSWORD, Browser, Web


def setup_form(house: House, **changed: str) -> dict[str, str]:
    with house.app.app_context():
        code = installation.new_setup_code() or ""
    form = {"code": code, "email": "Ana@Example.com", "password": PASSWORD, "password_again": PASSWORD}
    return form | changed


def test_the_first_user_is_made_with_the_one_time_code_and_is_signed_in(empty: House) -> None:
    browser = Browser(empty)
    assert browser.get("/").location == "/setup"
    answer = browser.post("/setup", setup_form(empty), page="/setup")
    assert (answer.status_code, answer.location) == (303, "/steps")
    assert "Welcome. This is where your steps will be." in browser.get("/steps").text
    assert "ana@example.com" in browser.get("/settings/users").text
    assert browser.get("/settings/accounts").status_code == 200
    assert browser.get("/setup").status_code == 404
    assert Browser(empty).client.post("/setup", data={}).status_code in (400, 404)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"code": "0000-0000-0000-0000"}, "This code is not the one in the log"),
        ({"email": "ana"}, "This is not an e-mail address"),
        ({"password": "short", "password_again": "short"}, "at least 10 characters"),
        ({"password_again": "another password"}, "The two passwords are not the same"),
    ],
)
@pytest.mark.sqlite_only("refused above the database")
def test_a_wrong_setup_says_what_is_wrong_and_keeps_the_rest(
    empty: House, changed: dict[str, str], sentence: str
) -> None:
    answer = Browser(empty).post("/setup", setup_form(empty, **changed), page="/setup")
    assert answer.status_code == 422
    assert sentence in answer.text and 'aria-invalid="true"' in answer.text
    assert PASSWORD not in answer.text
    with empty.app.app_context():
        assert not installation.has_users()


@pytest.mark.sqlite_only("refused above the database")
def test_a_wrong_setup_code_is_told_in_the_form_alone_and_a_right_one_leads_on(empty: House) -> None:
    browser = Browser(empty)
    page = browser.get("/setup").text
    form = setup_form(empty) | {"csrf_token": browser.token("/setup")}
    refused = browser.htmx("POST", "/setup", data=form | {"code": "0000-0000-0000-0000"})
    assert refused.status_code == 422 and refused.text.startswith('<form id="setup-form"')
    assert "This code is not the one in the log" in refused.text and PASSWORD not in refused.text
    assert 'action="/setup"' in page and 'method="post"' in page
    done = browser.htmx("POST", "/setup", data=form)
    assert (done.status_code, done.headers["HX-Redirect"], done.text) == (200, "/steps", "")
    assert "Welcome. This is where your steps will be." in browser.get("/steps").text
    assert "ana@example.com" in browser.get("/settings/users").text


def test_a_setup_code_works_once(empty: House) -> None:
    form = setup_form(empty)
    with empty.app.app_context():
        assert users.set_up(form["code"], "a@example.com", PASSWORD) is not None
        assert users.set_up(form["code"], "b@example.com", PASSWORD) is None


@pytest.mark.parametrize(
    "written", [str.upper, lambda code: code.replace("-", ""), lambda code: f" {code.replace('-', ' ')} "]
)
def test_how_a_setup_code_is_written_does_not_matter(empty: House, written: Callable[[str], str]) -> None:
    form = setup_form(empty)
    with empty.app.app_context():
        assert users.set_up(written(form["code"]), "a@example.com", PASSWORD) is not None


@pytest.mark.sqlite_only("cookies and addresses are made above the database")
def test_signing_in_leads_back_to_the_page_that_was_asked_for(web: Web) -> None:
    browser = web.browser()
    asked = browser.get("/settings/keys?x=1")
    assert (asked.status_code, asked.location) == (303, "/login?next=/settings/keys?x%3D1")
    answer = browser.post(asked.location, {"email": "alice@example.com", "password": PASSWORD}, page=asked.location)
    assert answer.location == "/settings/keys?x=1"


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example", "javascript:alert(1)", "/\\evil.example", "\\\\evil", "/\t/evil.example",
     "/ /evil", "evil", "", None, "/a\\b", "///evil.example", "/\x00"],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(wanted: str | None) -> None:
    assert local_path(wanted) == "/steps"


@pytest.mark.parametrize("wanted", ["//evil.test", "/\\evil.test", "https://evil.test/", "javascript:alert(1)"])
@pytest.mark.sqlite_only("decided above the database")
def test_a_sign_in_leads_nowhere_else_whatever_its_address_says(web: Web, wanted: str) -> None:
    path = f"/login?{urlencode({'next': wanted})}"
    stranger, alice = web.browser(), web.as_("alice")
    form = {"email": "alice@example.com", "password": PASSWORD}
    signed_in = stranger.post(path, form, page=path)
    assert (signed_in.status_code, signed_in.location) == (303, "/steps")
    there_already = alice.get(path)
    assert (there_already.status_code, there_already.location) == (303, "/steps")


def test_a_local_path_is_kept() -> None:
    assert local_path("/steps/7?tab=logs#x") == "/steps/7?tab=logs#x"


def test_wrong_password_unknown_user_and_disabled_user_get_the_same_answer(web: Web) -> None:
    with web.house.app.app_context():
        bob = users.by_email("bob@example.com")
        assert bob is not None
        users.change(bob.account_id, bob.id, role="editor", disabled=True)
    answers = [
        web.browser().sign_in(email, password)
        for email, password in (
            ("alice@example.com", "not her password"), ("nobody@example.com", PASSWORD), ("bob@example.com", PASSWORD),
        )
    ]  # fmt: skip
    plain = [re.sub(r'value="[^"]*"|X-CSRFToken.*', "", one.text) for one in answers]
    assert [one.status_code for one in answers] == [422, 422, 422]
    assert plain[0] == plain[1] == plain[2]
    assert "E-mail address and password do not match." in plain[0]


def test_a_throttled_sign_in_keeps_the_form_the_address_and_the_way_back(web: Web) -> None:
    guesser, path = web.browser(), "/login?next=/steps/7"
    form = {"email": "alice@example.com", "password": "wrong one"}
    for _ in range(6):
        refused = guesser.post(path, form, page=path)
    assert refused.status_code == 429 and 1 <= int(refused.headers["Retry-After"]) <= 61
    assert "There were too many tries." in refused.text and "data-countdown" in refused.text
    assert 'value="alice@example.com"' in refused.text and 'action="/login?next=/steps/7"' in refused.text
    assert "wrong one" not in refused.text


@pytest.mark.sqlite_only("cookies and addresses are made above the database")
def test_a_session_that_ended_says_so_and_that_the_draft_is_kept(web: Web) -> None:
    bob, ended = web.as_("bob"), "Your session has ended"
    bob.client.set_cookie("httpstep_session", "of-a-session-that-is-gone")
    led = bob.htmx("POST", "/steps/1/save", headers={"HX-Current-URL": "http://localhost/steps/1"})
    page = bob.get(led.headers["HX-Redirect"]).text
    assert (
        ended in page
        and "What you typed into the step and did not save is kept in this tab, passwords and tokens apart." in page
    )
    elsewhere = bob.get(bob.get("/attributes").location).text
    assert ended in elsewhere and "kept in this tab" not in elsewhere and "was not saved" not in elsewhere
    lost = bob.post("/attributes", {"name": "plan"}, page="/login", headers={"Referer": "http://localhost/attributes"})
    assert "What you asked for just now was not done: do it again then." in bob.get(lost.location).text
    flow = bob.get(bob.get("/flows/1").location).text
    assert "What you typed into the flow and did not save is kept in this tab." in flow
    stranger = web.browser()
    assert ended not in stranger.get(stranger.get("/steps/1").location).text, "there never was one"


def test_good_sign_ins_do_not_use_up_the_tries(web: Web) -> None:
    assert [web.browser().sign_in("alice@example.com").status_code for _ in range(8)] == [303] * 8


def cookies_set(answer: Any) -> dict[str, str]:
    return {line.split("=", 1)[0]: line for line in answer.headers.getlist("Set-Cookie")}


@pytest.mark.sqlite_only("cookies and addresses are made above the database")
def test_the_cookie_is_closed_to_scripts_and_to_other_sites(web: Web) -> None:
    cookie = cookies_set(web.browser().sign_in("alice@example.com"))["httpstep_session"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Secure" not in cookie


@pytest.mark.sqlite_only("cookies and addresses are made above the database")
def test_over_https_the_cookie_is_bound_to_the_host(make_house: Callable[..., House]) -> None:
    web = Web(make_house(BASE_URL="https://steps.example.com"))
    browser = web.browser()
    where = {"base_url": "https://steps.example.com", "headers": {"Referer": "https://steps.example.com/login"}}
    page = browser.get("/login", **where)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    form = {"csrf_token": token[1], "email": "alice@example.com", "password": PASSWORD}
    cookie = cookies_set(browser.client.post("/login", data=form, **where))["__Host-httpstep_session"]
    assert "Secure" in cookie and "HttpOnly" in cookie and "Path=/" in cookie and "Domain" not in cookie


def test_each_sign_in_has_its_own_session_and_the_database_holds_only_a_hash(web: Web, tmp_path: Path) -> None:
    browser = web.as_("alice")
    first = browser.client.get_cookie("httpstep_session")
    browser.client.post(
        "/login", data={"csrf_token": browser.token(), "email": "alice@example.com", "password": PASSWORD}
    )
    second = browser.client.get_cookie("httpstep_session")
    assert first and second and first.value != second.value
    other = web.browser()
    other.client.set_cookie("httpstep_session", first.value)
    assert other.get("/settings/account").status_code == 303
    stored = b"".join(file.read_bytes() for file in (tmp_path / "data").iterdir() if file.is_file())
    assert second.value.encode() not in stored


def test_a_new_password_needs_the_present_one_and_ends_other_sessions(web: Web) -> None:
    here, there = web.as_("bob"), web.as_("bob")
    new = {"password": "a whole new password", "password_again": "a whole new password"}
    wrong = here.post("/settings/password", {"current_password": "guess"} | new)
    assert wrong.status_code == 422 and "This is not your password." in wrong.text
    assert here.post("/settings/password", {"current_password": PASSWORD} | new).status_code == 303
    assert here.get("/settings/account").status_code == 200
    assert there.get("/settings/account").status_code == 303
    assert web.browser().sign_in("bob@example.com").status_code == 422
    assert web.browser().sign_in("bob@example.com", "a whole new password").status_code == 303


def test_the_hash_for_unknown_users_is_of_the_kind_of_the_others() -> None:
    assert users._SPARE_HASH.split("$")[0] == generate_password_hash("x").split("$")[0]
