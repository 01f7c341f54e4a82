"""Links that let somebody in: to this installation's address, for as long as they say, and for one person."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from httpstep.extensions import db
from httpstep.storage import sessions, users
from httpstep.storage.database import writing
from httpstep.storage.tables import OneTimeCode, User
from httpstep.upkeep import installation
from tests.house import House
from tests.web.conftest import PASSWORD, Browser, Web

DAY = 24 * 3600
NEW = {"password": PASSWORD, "password_again": PASSWORD}
LINK = re.compile(r'id="the-link"[^>]*>(https?://[^/<]+)(/[^<]+)<')


def id_of(web: Web, email: str) -> int:
    with web.house.app.app_context():
        found = users.by_email(email)
        assert found is not None
        return found.id


WHAT = ["invitation", "new-password", "account", "first-admin"]


def made(web: Web, what: str, *, host: str = "localhost", **headers: str) -> tuple[str, str]:
    """The address and the path of a link of that kind, made by Alice in a browser that asks for `host`."""
    paths = {
        "invitation": ("/settings/users/invite", {"email": "dora@example.com", "role": "viewer"}),
        "new-password": (f"/settings/users/{id_of(web, 'bob@example.com')}/password-link", {}),
        "account": ("/settings/accounts", {"slug": "inn", "email": "eva@example.com"}),
        "first-admin": (f"/settings/accounts/{web.house.account('shop')}/first-admin", {"email": "eva@example.com"}),
    }
    alice, (path, form) = web.as_("alice"), paths[what]
    held = alice.client.get_cookie("httpstep_session")
    assert held
    alice.client.set_cookie(held.key, held.value, domain=host)
    asked = {"base_url": f"http://{host}", "headers": headers}
    form["csrf_token"] = alice.get("/about", **asked).text.split('"X-CSRFToken": "')[1].split('"')[0]
    page = alice.client.post(path, data=form, **asked)
    found = LINK.search(page.text)
    assert page.status_code == 201 and found, page.text
    return found[1], found[2]


# ---------------------------------------------------------------- where they lead


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.sqlite_only("the address is made above the database")
def test_a_link_leads_to_the_configured_address_whatever_the_request_says(
    make_house: Callable[..., House], what: str
) -> None:
    web = Web(make_house(BASE_URL="http://steps.example.com"))
    forged = {"X-Forwarded-Host": "evil.test", "Forwarded": "host=evil.test", "X-Original-Host": "evil.test"}
    assert made(web, what, host="evil.test", **forged)[0] == "http://steps.example.com"


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.sqlite_only("the address is made above the database")
def test_without_one_it_is_the_address_that_was_asked_for(web: Web, what: str) -> None:
    """Which is in the address line of who made it, who is signed in there. docs/operating.md says so."""
    assert made(web, what, **{"X-Forwarded-Host": "evil.test"})[0] == "http://localhost"


# ---------------------------------------------------------------- how long they last


def grow_older(web: Web, seconds: float) -> None:
    """Every code there is, by so much."""
    with web.house.app.app_context(), writing() as connection:
        connection.execute(update(OneTimeCode).values(expires_at=OneTimeCode.expires_at - seconds))


@pytest.mark.parametrize(("what", "days"), [("invitation", 7), ("new-password", 1)])
def test_a_link_lasts_for_the_days_it_says_and_no_longer(web: Web, what: str, days: int) -> None:
    _, path = made(web, what)
    stranger = web.browser()
    grow_older(web, days * DAY - 300)
    assert stranger.get(path).status_code == 200
    grow_older(web, 300)
    assert stranger.get(path).status_code == 410
    refused = stranger.post(path, NEW, page="/login")
    assert refused.status_code == 410 and "Set-Cookie" not in refused.headers
    with web.house.app.app_context():
        assert users.by_email("dora@example.com") is None
        assert all(code.used_at is None for code in db.session.scalars(select(OneTimeCode)))
    assert "dora@example.com" not in web.as_("alice").get("/settings/users").text


# ---------------------------------------------------------------- how many they let in


def at_once(house: House, path: str, forms: list[dict[str, str]], page: str) -> list[TestResponse]:
    """What each gets who sends a form at the same moment, every one in a browser of their own."""
    browsers = [Browser(house) for _ in forms]
    tokens = [browser.token(page) for browser in browsers]
    start, got = threading.Barrier(len(forms)), []

    def send(browser: Browser, form: dict[str, str]) -> None:
        start.wait()
        got.append(browser.client.post(path, data=form))

    threads = [
        threading.Thread(target=send, args=(browser, form | {"csrf_token": token}))
        for browser, form, token in zip(browsers, forms, tokens, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def statuses(answers: list[TestResponse]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def test_of_many_who_accept_an_invitation_at_once_one_gets_in(web: Web) -> None:
    _, path = made(web, "invitation")
    assert statuses(at_once(web.house, path, [NEW] * 4, path)) == [303, 410, 410, 410]
    with web.house.app.app_context():
        made_users = select(func.count()).select_from(User).where(User.email == "dora@example.com")
        assert db.session.scalar(made_users) == 1


def test_of_many_who_choose_a_new_password_at_once_one_does(web: Web) -> None:
    _, path = made(web, "new-password")
    chosen = [f"the password number {number}" for number in range(4)]
    forms = [{"password": one, "password_again": one} for one in chosen]
    assert statuses(at_once(web.house, path, forms, path)) == [303, 410, 410, 410]
    let_in = [web.browser().sign_in("bob@example.com", one).status_code for one in chosen]
    assert sorted(let_in) == [303, 422, 422, 422]


def test_a_new_password_and_the_end_of_the_other_sessions_are_one(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database goes away between the two: the link is not used up, and the old password still lets in."""
    chosen = "another good password"
    form = {"password": chosen, "password_again": chosen}
    _, path = made(web, "new-password")
    whole = sessions.end_all

    def failing(*_: Any, **__: Any) -> int:
        raise OperationalError("DELETE", {}, Exception("database is locked"))

    monkeypatch.setattr(sessions, "end_all", failing)
    assert web.browser().post(path, form, page=path).status_code == 503
    assert web.browser().sign_in("bob@example.com").status_code == 303
    monkeypatch.setattr(sessions, "end_all", whole)
    assert web.browser().post(path, form, page=path).status_code == 303
    assert web.browser().sign_in("bob@example.com", chosen).status_code == 303


def test_of_many_who_have_the_setup_code_at_once_one_is_the_first_user(empty: House) -> None:
    with empty.app.app_context():
        code = installation.new_setup_code() or ""
    forms = [{"code": code, "email": f"ana{number}@example.com"} | NEW for number in range(4)]
    answers = at_once(empty, "/setup", forms, "/setup")
    assert statuses(answers)[0] == 303 and {one.status_code for one in answers} <= {303, 404, 422}
    assert statuses(answers).count(303) == 1
    with empty.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(User)) == 1
