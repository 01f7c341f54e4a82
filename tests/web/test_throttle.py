"""Whoever guesses is slowed down, by what is guessed and where from, and learns nothing from how long it takes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from limits import RateLimitItem
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from httpstep.extensions import limiter
from httpstep.storage import users
from httpstep.storage.keys import digest
from httpstep.web.settings import account, signing_in
from tests.house import House
from tests.web.conftest import PASSWORD, Browser, Web

SQLITE_ONLY = "how the throttle counts is held on both kinds of database by test_sessions.py and test_budget.py"
NEW = {"password": "a whole new password", "password_again": "a whole new password"}


def used_up(house: House, item: RateLimitItem, *names: str) -> None:
    """As if all tries but one had been made."""
    with house.app.app_context():
        assert limiter.limiter.hit(item, *names, cost=item.amount - 1)


def guesses(browser: Browser, email: str, count: int) -> list[int]:
    return [browser.sign_in(email, f"guess {number}").status_code for number in range(count)]


def assert_throttled(got: TestResponse) -> None:
    assert got.status_code == 429 and 1 <= int(got.headers["Retry-After"]) <= 61
    assert "There were too many tries." in got.text


# ---------------------------------------------------------------- signing in


def test_an_unknown_user_is_throttled_like_a_known_one(web: Web) -> None:
    """Else the 429 would tell which addresses have a user."""
    used_up(web.house, signing_in._PER_PERSON, "login", digest("nobody@example.com"), "127.0.0.1")
    assert guesses(web.browser(), "nobody@example.com", 2) == [422, 429]
    assert guesses(web.browser(), " Nobody@Example.com", 1) == [429], "the same address"
    assert guesses(web.browser(), "nobody-else@example.com", 1) == [422]


def test_a_password_is_hashed_whether_or_not_there_is_a_user(
    make_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    web = Web(make_house(), generate_password_hash(PASSWORD))
    with web.house.app.app_context():
        bob = users.by_email("bob@example.com")
        assert bob is not None
        users.change(bob.account_id, bob.id, role="editor", disabled=True)
    real, work = hashlib.scrypt, []

    def counted(password: bytes, **figures: Any) -> bytes:
        work.append({name: figures[name] for name in ("n", "r", "p")})
        return real(password, **figures)

    monkeypatch.setattr(hashlib, "scrypt", counted)
    done = {}
    for email in ("alice@example.com", "nobody@example.com", "bob@example.com", ""):
        assert web.browser().sign_in(email, "guess").status_code == 422
        done[email] = list(work)
        work.clear()
    assert list(done.values()) == [done["alice@example.com"]] * 4 and len(done["alice@example.com"]) == 1


def test_sixty_sign_ins_a_minute_come_from_one_address(web: Web) -> None:
    used_up(web.house, signing_in._PER_ADDRESS, "login-address", "127.0.0.1")
    assert guesses(web.browser(), "someone@example.com", 1) == [422]
    assert_throttled(web.browser().sign_in("alice@example.com"))
    elsewhere = {"environ_overrides": {"REMOTE_ADDR": "203.0.113.9"}}
    assert web.browser().sign_in("alice@example.com", **elsewhere).status_code == 303


# ---------------------------------------------------------------- whose address counts


def test_behind_one_proxy_the_address_that_it_wrote_counts(make_house: Callable[..., House]) -> None:
    web = Web(make_house(PROXY_HOPS="1"))
    used_up(web.house, signing_in._PER_PERSON, "login", digest("alice@example.com"), "203.0.113.7")

    def guess(forwarded: str, password: str = "a guess") -> int:
        return web.browser().sign_in("alice@example.com", password, headers={"X-Forwarded-For": forwarded}).status_code

    assert guess("198.51.100.1, 203.0.113.7") == 422
    for forged in ("198.51.100.2, 203.0.113.7", "203.0.113.7", "127.0.0.1, 203.0.113.8, 203.0.113.7"):
        assert guess(forged, PASSWORD) == 429, forged
    assert guess("203.0.113.7, 203.0.113.8", PASSWORD) == 303, "the forged one is another's"


def test_without_a_proxy_nobody_is_asked_where_from(make_house: Callable[..., House]) -> None:
    web = Web(make_house(PROXY_HOPS="0"))
    used_up(web.house, signing_in._PER_PERSON, "login", digest("alice@example.com"), "127.0.0.1")
    names = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP", "Client-IP")
    forged = [dict.fromkeys(names, f"203.0.113.{number}") for number in range(3)]
    tries = [web.browser().sign_in("alice@example.com", "guess", headers=one).status_code for one in forged]
    assert tries == [422, 429, 429]


# ---------------------------------------------------------------- what else could be guessed


def test_the_setup_code_can_be_tried_five_times_a_minute(empty: House) -> None:
    browser = Browser(empty)
    form = {"csrf_token": browser.token("/setup"), "code": "0000-0000-0000-0000", "email": "a@example.com"} | NEW
    assert [browser.client.post("/setup", data=form).status_code for _ in range(5)] == [422] * 5
    assert_throttled(browser.client.post("/setup", data=form))
    elsewhere = browser.client.post("/setup", data=form, environ_overrides={"REMOTE_ADDR": "203.0.113.9"})
    assert elsewhere.status_code == 422


@pytest.mark.parametrize("what", ["invitation", "new-password"])
def test_the_code_of_a_link_can_be_tried_sixty_times_a_minute(web: Web, what: str) -> None:
    used_up(web.house, signing_in._PER_ADDRESS, what, "127.0.0.1")
    browser = web.browser()
    form = {"csrf_token": browser.token("/login")} | NEW
    assert browser.client.post(f"/{what}/one-guess", data=form).status_code == 410
    assert_throttled(browser.client.post(f"/{what}/another", data=form))
    assert web.browser().sign_in("alice@example.com").status_code == 303, "nothing else is slower for it"


def test_the_present_password_can_be_tried_five_times_a_minute_by_whoever_holds_the_session(web: Web) -> None:
    bob = web.as_("bob")
    form = {"csrf_token": bob.token(), "current_password": "a guess"} | NEW
    with web.house.app.app_context():
        user = users.by_email("bob@example.com")
    assert user is not None
    used_up(web.house, account._TRIES, "password", str(user.id))
    assert bob.client.post("/settings/password", data=form).status_code == 422
    assert_throttled(bob.client.post("/settings/password", data=form | {"current_password": PASSWORD}))
    assert web.browser().sign_in("bob@example.com").status_code == 303, "it is still the password"
    vera = web.as_("vera")
    assert vera.post("/settings/password", {"current_password": PASSWORD} | NEW).status_code == 303
