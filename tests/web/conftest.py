"""An application seen by its people: Alice (admin and operator), Bob (editor), Vera (viewer), and Charlie of another account."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import cache
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from httpstep.extensions import db
from httpstep.storage import sessions, users
from httpstep.storage.database import editing
from httpstep.storage.tables import User
from tests.fakes import ThirdParty
from tests.house import House

PASSWORD = "correct horse battery"
PEOPLE = {
    "alice@example.com": ("default", "admin", True),
    "bob@example.com": ("default", "editor", False),
    "vera@example.com": ("default", "viewer", False),
    "charlie@example.com": ("charlies", "admin", False),
}
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"|"X-CSRFToken": "([^"]+)"')


class Browser:
    """One browser: cookies, and the token of the page it saw last."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.client: FlaskClient = house.app.test_client()

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def token(self, page: str = "/about") -> str:
        found = _TOKEN.search(unescape(self.get(page, follow_redirects=True).text))
        assert found, f"{page} has no token"
        return found[1] or found[2]

    def post(self, path: str, data: dict[str, Any] | None = None, *, page: str = "/about", **more: Any) -> TestResponse:
        """A plain form, sent with the token of `page`."""
        form = {"csrf_token": self.token(page)} | (data or {})
        return self.client.post(path, data=form, **more)

    def htmx(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = {"HX-Request": "true"} | more.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, **more)

    def sign_in(self, email: str, password: str = PASSWORD, **more: Any) -> TestResponse:
        return self.post("/login", {"email": email, "password": password}, page="/login", **more)


@cache
def _hashed() -> str:
    """One round in the place of the product's 60 ms: signing in is a way to a page in most tests, not what they test."""
    return generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")


class Web:
    """The house with its people in it; `hashed` is PASSWORD as the product would hash it, for a test of just that."""

    def __init__(self, house: House, hashed: str | None = None) -> None:
        self.house = house
        accounts = {account: house.account(account) for account, _, _ in PEOPLE.values()}
        with house.app.app_context(), editing():
            for email, (account, role, operator) in PEOPLE.items():
                row = {"email": email, "password_hash": hashed or _hashed(), "role": role, "operator": operator}
                db.session.add(User(account_id=accounts[account], created_at=time.time(), **row))

    def browser(self) -> Browser:
        return Browser(self.house)

    def as_(self, name: str) -> Browser:
        """A browser in which "alice", "bob", "vera" or "charlie" is signed in."""
        browser = self.browser()
        with self.house.app.app_context():
            user = users.by_email(f"{name}@example.com")
            assert user is not None
            token = sessions.begin(user.id, time.time(), user_agent="Firefox/140.0 Linux", address="127.0.0.1")
        browser.client.set_cookie("httpstep_session", token)
        return browser


@pytest.fixture
def web(make_house: Callable[..., House]) -> Web:
    return Web(make_house(ThirdParty()))


@pytest.fixture
def empty(make_house: Callable[..., House]) -> House:
    """A house without users."""
    return make_house(ThirdParty())
