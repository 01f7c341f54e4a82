"""Who may change what, by a table of every route that changes something: a new one has to be written into it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from httpstep.extensions import db
from httpstep.storage import users
from httpstep.storage.database import editing
from httpstep.storage.tables import ApiKey, OneTimeCode, User
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Browser, Web
from tests.web.test_forged_requests import rows

SQLITE_ONLY = "who may do what is decided above the database"

PEOPLE: Final = {"nobody": "", "viewer": "vera", "editor": "bob", "admin": "ada", "operator": "alice"}
"""Each may do what the ones before may: the operator here is an admin as well, and the admin is no operator."""
TABLE: Final[Mapping[str, tuple[str, ...]]] = {
    # by a code or a password, not by a role
    "nobody": ("POST /login", "POST /setup", "POST /invitation/<code>", "POST /new-password/<code>"),
    # one's own password and sessions; and the form as it is typed, shown in another way
    "viewer": (
        "POST /logout", "POST /settings/password", "POST /settings/sessions/<int:session_id>/end",
        "POST /settings/sessions/end-others", "POST /steps/<ref>/drift", "POST /steps/<ref>/usage",
        "POST /steps/<ref>/values", "POST /step-list/checklist", "POST /step-list/chosen",
    ),
    # steps, attributes, mappings and tests
    "editor": (
        "POST /attributes", "POST /attributes/<name>/edit", "POST /attributes/<name>/delete",
        "POST /steps/<ref>", "POST /steps/<ref>/save", "POST /steps/<ref>/delete", "POST /steps/<ref>/duplicate", "POST /steps/<ref>/switch",
        "POST /steps/<ref>/test", "POST /steps/<ref>/budget", "POST /steps/<ref>/move",
        "POST /flows/<ref>", "POST /flows/<ref>/move", "POST /flows/<ref>/values", "POST /flows/<ref>/test",
        "POST /flows/<ref>/delete", "POST /step-list/undo", "POST /logs/<int:log_id>/keep", "POST /steps/<ref>/cases/run",
        "POST /cases/<int:case_id>", "POST /cases/<int:case_id>/delete", "POST /secrets/dialog",
    ),
    # users, keys, secrets and addresses
    "admin": (
        "POST /settings/account", "POST /settings/keys", "POST /settings/keys/for-bot", "POST /settings/keys/<int:key_id>/revoke",
        "POST /settings/users/invite", "POST /settings/users/<int:user_id>",
        "POST /settings/users/<int:user_id>/password-link",
        "POST /settings/users/invitations/<int:code_id>/withdraw", "POST /settings/mail/test",
        "POST /settings/mail/test/result", "POST /secrets", "POST /secrets/<name>/replace",
        "POST /secrets/<name>/delete", "POST /secrets/dialog/made", "POST /settings/backup/preview", "POST /settings/backup/restore",
    ),
    # accounts and their limits
    "operator": (
        "POST /settings/accounts", "POST /settings/accounts/<int:account_id>",
        "POST /settings/accounts/<int:account_id>/first-admin", "POST /settings/accounts/<int:account_id>/delete",
    ),
    # by the scope of an API key
    "execute": ("POST /api/v1/steps/<key>/execute", "POST /api/v1/flows/<key>/execute"),
    "manage": (
        "PUT /api/v1/steps/<key>", "DELETE /api/v1/steps/<key>", "PUT /api/v1/flows/<key>", "DELETE /api/v1/flows/<key>",
        "PUT /api/v1/attributes/<name>", "DELETE /api/v1/attributes/<name>", "PUT /api/v1/secrets/<name>",
        "DELETE /api/v1/secrets/<name>", "POST /api/v1/keys", "DELETE /api/v1/keys/<int:key_id>",
        "POST /api/v1/steps/<key>/drift/accept",
    ),
}  # fmt: skip
FORM: Final = {
    "name": "changed", "made_for": "changed", "slug": "changed", "email": "changed@example.com", "role": "viewer", "scope": "manage",
    "secret_value": "changed", "hosts": "https://api.example", "address": "changed@example.com", "per_minute": "7", "in_flight": "7", "method": "GET",
    "url": "https://api.example/changed", "op": "save", "attribute": "changed", "command": "curl https://a.example/",
}  # fmt: skip
"""Right wherever it is sent, but for the codes, passwords and ids that it lacks."""


def table_of(web: Web) -> list[str]:
    """ "METHOD /rule" of every route that may change something."""
    looks = {"GET", "HEAD", "OPTIONS"}
    return [
        f"{method} {rule.rule}"
        for rule in web.house.app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - looks)
    ]


class Scene:
    """One of everything, and somebody of each role."""

    def __init__(self, web: Web) -> None:
        self.web, house, owner = web, web.house, web.house.account()
        house.put(document("x"))
        house.execute("x")
        flow = house.flow("x", name="x")
        alice = web.as_("alice")
        alice.post("/logs/1/keep")
        alice.post("/attributes", {"name": "x"})
        alice.post("/secrets", {"name": "x", "secret_value": "y", "hosts": "https://api.example"})
        with house.app.app_context():
            users.invite(owner, "dora@example.com", "viewer")
            made = {"password_hash": "-", "account_id": owner, "created_at": time.time()}
            with editing():
                db.session.add(User(email="ada@example.com", role="admin", operator=False, **made))
                db.session.add(other := User(email="eve@example.com", role="viewer", operator=False, **made))
            places = {
                "<key>": "x", "<name>": "x", "<code>": "x", "<ref>": 1, "<int:session_id>": 999, "<int:user_id>": other.id,
                "<int:code_id>": db.session.scalars(select(OneTimeCode.id)).one(), "<int:account_id>": house.account("charlies"),
                "<int:key_id>": db.session.scalars(select(ApiKey.id)).first(), "<int:log_id>": 1, "<int:case_id>": 1,
            }  # fmt: skip
        assert flow == 1
        self.browsers: dict[str, tuple[Browser, str]] = {}
        self.places = {name: str(value) for name, value in places.items()}

    def path(self, rule: str) -> str:
        for name, value in self.places.items():
            rule = rule.replace(name, value)
        return rule

    def ask(self, who: str, route: str) -> TestResponse:
        """What the route answers to somebody of that role."""
        method, rule = route.split(" ")
        if who not in self.browsers or rule == "/logout":
            browser = self.web.as_(PEOPLE[who]) if PEOPLE[who] else self.web.browser()
            self.browsers[who] = browser, browser.token()
        browser, token = self.browsers[who]
        got = browser.client.open(self.path(rule), method=method, data=FORM | {"csrf_token": token})
        if rule == "/logout":
            del self.browsers[who]
        return got

    def call(self, token: str, route: str) -> TestResponse:
        method, rule = route.split(" ")
        path = self.path(rule).removeprefix("/api/v1")
        return self.web.house.call(method, path, token=token, json=document("x") if method == "PUT" else {})


@pytest.fixture
def scene(make_house: Callable[..., House]) -> Scene:
    return Scene(Web(make_house(ThirdParty(answer(200, {"a": 1})))))


def refused(got: TestResponse) -> bool:
    return got.status_code in (401, 403) or (got.location or "").startswith("/login?")


def wrong(scene: Scene, table: Mapping[str, tuple[str, ...]], *, under: str = "/") -> Iterator[str]:
    """A sentence for each route that is not as the table says. First who must not, then who may."""
    written = {route: role for role, routes in table.items() for route in routes if f" {under}" in route}
    there = [route for route in table_of(scene.web) if f" {under}" in route]
    yield from (f"{route} is in no row of the table" for route in there if route not in written)
    yield from (f"{route} is in the table only" for route in written if route not in there)
    roles, before = list(PEOPLE), rows(scene.web)
    places = [(route, roles.index(written[route])) for route in there if written.get(route) in PEOPLE]
    for route, place in places:
        for who in roles[:place]:
            if not refused(got := scene.ask(who, route)):
                yield f"{route} answers {got.status_code} to {who}"
    if rows(scene.web) != before:
        yield "a request that was refused changed something"
    for route in (route for route, role in written.items() if role == "viewer"):
        scene.ask("viewer", route)
    if rows(scene.web) != before:
        yield "a viewer changed something"
    for route, place in places:
        for who in roles[place:] if place else ():
            if refused(got := scene.ask(who, route)) or got.status_code >= 500:
                yield f"{route} answers {got.status_code} to {who}"


def test_every_role_may_change_what_the_table_says_and_nothing_else(scene: Scene) -> None:
    assert list(wrong(scene, TABLE)) == []


def test_a_key_may_do_what_its_scope_says(scene: Scene) -> None:
    execute, manage = (scene.web.house.token(scope) for scope in ("execute", "manage"))
    for route in TABLE["execute"] + TABLE["manage"]:
        assert scene.call("hs_00000000_x", route).status_code == 401, route
        by_browser = scene.ask("operator", route)
        assert by_browser.status_code == 401, "a session is no key"
    for route in TABLE["manage"]:
        assert scene.call(execute, route).status_code == 403, route
    for route in TABLE["execute"] + TABLE["manage"]:
        assert not refused(scene.call(manage, route)), route


def test_to_run_the_installation_gives_no_more_of_an_account(scene: Scene) -> None:
    """An operator may be a viewer of the account; the accounts are the operator's all the same."""
    with scene.web.house.app.app_context(), editing():
        alice = users.by_email("alice@example.com")
        assert alice is not None
        alice.role = "viewer"
    assert {scene.ask("operator", route).status_code for route in TABLE["admin"] + TABLE["editor"]} == {403}
    assert not any(refused(scene.ask("operator", route)) for route in TABLE["operator"])


def test_a_new_route_that_says_no_role_is_found(scene: Scene) -> None:
    """The test's own test: two routes as somebody in a hurry would write them, one of them written into the table."""
    app = scene.web.house.app
    app._got_first_request = False
    app.add_url_rule("/hasty", "hasty", lambda: "", methods=["POST"])
    app.add_url_rule("/hasty/<name>", "forget", lambda name: name, methods=["DELETE"])
    table = {"editor": ("DELETE /hasty/<name>", "POST /hasty/gone")}
    assert list(wrong(scene, table, under="/hasty")) == [
        "POST /hasty is in no row of the table",
        "POST /hasty/gone is in the table only",
        "DELETE /hasty/<name> answers 200 to nobody",
        "DELETE /hasty/<name> answers 200 to viewer",
    ]
