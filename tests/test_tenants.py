"""No account gets anything of another's: by no route, with any method and their ids, by no name in a step, by no count."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Response
from sqlalchemy import delete, insert, select, update
from werkzeug.routing import Rule

from httpstep.extensions import db
from httpstep.storage import (
    catalogue,
    logs,
    sessions,
    users,
)
from httpstep.storage.database import reading, writing
from httpstep.storage.tables import (
    Account,
    ApiKey,
    BudgetHit,
    Case,
    Log,
    Step,
)
from httpstep.storage.vault import secret_place
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Web
from tests.web.screen import new_step

MARK = "mark-of-the-other-account"
DRAFT = "draft-of-the-other-account"
NAME = "theirs.one"
CASE = f'{{"given": {{"given": "{MARK}"}}, "outcome": "success", "attributes": {{}}, "lost": [], "ignored": []}}'

WITHOUT_OBJECT = {
    "health.health", "openapi.openapi", "static",
    "manage.list_steps", "manage_flows.list_flows", "manage_attributes.list_attributes", "manage_secrets.list_secrets",
    "manage_keys.list_keys", "manage_keys.create_key",
    "auditing.list_audit", "audit.listed", "audit.export", "backup.page", "backup.download", "backup.preview",
    "backup.restore",
    "signing_in.home", "signing_in.login", "signing_in.log_in", "signing_in.logout", "signing_in.setup",
    "signing_in.set_up",
    "account.settings", "account.account", "account.rename", "account.own_sessions", "account.end_other_sessions",
    "account.change_password", "keys.listed", "keys.create", "keys.for_bot", "users.listed", "users.invite",
    "mailing.mail", "mailing.send_test", "mailing.mail_test", "accounts.listed", "accounts.create",
    "attributes.listed", "attributes.add", "secrets.listed", "secrets.add", "secrets.new_secret", "secrets.new_secret_made", "about.about", "about.api",
    "steps.list_steps", "steps.list_part", "steps.hide_checklist", "steps.chosen", "steps.undo", "flows.list_flows", "picker.picker_list", "request_form.import_curl",
}  # fmt: skip
"""Routes that name no object of an account: they act on the caller's own, or on nothing."""

BY_CODE = {
    "signing_in.invitation", "signing_in.accept_invitation", "signing_in.new_password", "signing_in.set_new_password",
}  # fmt: skip
"""Routes whose secret code is the right to use them, whoever holds it."""

MADE = {
    "manage.put_step": (201,), "manage_flows.put_flow": (422,),
    "manage_attributes.put_attribute": (201,), "manage_secrets.put_secret": (201,),
}  # fmt: skip
"""What one may make in the own account under a name that is theirs. A flow needs a step of the own account."""

LEAVES_THE_SESSION = {"signing_in.logout"}
"""Would end the attacker's session, and with it the test."""

OF_THE_OPERATOR = {"accounts.limit", "accounts.delete"}
"""An operator sets the limits of every account, may end it, and sees nothing else of it."""


@dataclass(frozen=True)
class Theirs:
    """What the other account has, by the names that routes give their parameters."""

    account_id: int
    step_id: int
    flow_id: int
    log_id: int
    draft_log_id: int
    user_id: int
    session_id: int
    key_id: int
    code_id: int
    case_id: int

    def values_for(self, rule: Rule) -> list[dict[str, Any]]:
        """Values for the rule's parameters. KeyError: a parameter that nobody has said what it names."""
        known: dict[str, Any] = {
            "ref": self.flow_id if rule.rule.startswith("/flows") else self.step_id, "key": "theirs", "log_id": self.log_id, "key_id": self.key_id, "user_id": self.user_id,
            "session_id": self.session_id, "code_id": self.code_id, "account_id": self.account_id, "name": NAME, "case_id": self.case_id,
        }  # fmt: skip
        found = [{name: known[name] for name in rule.arguments}]
        if "ref" in rule.arguments:
            found.append(found[0] | {"ref": "new"})
        if "log_id" in rule.arguments:
            found.append(found[0] | {"log_id": self.draft_log_id})
        return found

    @property
    def fields(self) -> dict[str, Any]:
        """A form that is right wherever it is sent, and names their logs and their draft."""
        return {
            "tested_log": self.log_id, "accepted_log": self.log_id, "drift_log": self.log_id, "again": self.log_id, "draft_id": DRAFT,
            "name": "Mine", "method": "GET", "url": "https://api.example/x", "options": "1", "role": "viewer",
            "secret_value": "changed", "attribute": "changed", "op": "save", "step": self.step_id, "row": "1",
            "per_minute": "7", "email": "new@example.com", "alert_emails": "a@b.example",
        }  # fmt: skip

    @property
    def query(self) -> str:
        return f"log={self.log_id}&again={self.log_id}&draft_id={DRAFT}&step={self.step_id}&path=[]"


def furnished(house: House, owner: str, email: str) -> Theirs:
    """An account with one of everything, all of it marked."""
    account = house.account(owner)
    token = house.token("manage", owner)
    step = document(
        "theirs", name=MARK, url=f"https://{MARK}.example/", mapping=[{"path": ["a"], "attribute": f"a.{MARK}"}]
    )
    assert house.put(step, token=token).status_code == 201
    assert house.execute("theirs", {"given": MARK}, token=token, headers={"Idempotency-Key": "k"}).status_code == 200
    flow_id = house.flow("theirs", name=MARK, account=owner)
    house.flow("theirs", name="theirs", account=owner)
    with house.app.app_context():
        vault = house.app.extensions["httpstep"].vault
        for name in (NAME, f"n.{MARK}"):
            catalogue.put_secret(
                account, name, vault.encrypt(MARK.encode(), secret_place(owner, name)), hosts=None, now=0, new=True
            )
            catalogue.save(account, catalogue.AttributeEntry(name, f'"{MARK}"', f'"{MARK}"', True))
        users.invite(account, f"{MARK}@example.com", "admin")
        user = users.by_email(email)
        assert user is not None
        sessions.begin(user.id, time.time(), user_agent=MARK, address=MARK)
        with writing() as connection:
            row = {"account_id": account, "draft_id": DRAFT, "request_id": MARK, "source": "test", "state": "done"}
            more = {"started_at": time.time(), "outcome": "success", "message": MARK, "response_body": MARK.encode()}
            draft = connection.execute(insert(Log).values(**row, **more).returning(Log.id)).scalar_one()
        db.session.rollback()
        [kept] = logs.newest(account, step_id=steps_of(account)[0])
        case = Case(account_id=account, step_id=steps_of(account)[0], name=MARK, document=CASE, created_at=0)
        assert logs.keep_case(case)
        return Theirs(
            account_id=account, step_id=steps_of(account)[0], flow_id=flow_id, log_id=kept.id, draft_log_id=draft, user_id=user.id,
            session_id=sessions.listed(user.id, time.time())[0].id, code_id=users.invitations(account)[0].id,
            key_id=db.session.scalars(select(ApiKey.id).where(ApiKey.account_id == account)).first() or 0,
            case_id=logs.cases(account, steps_of(account)[0])[0].id,
        )  # fmt: skip


def steps_of(account: int) -> list[int]:
    return list(db.session.scalars(select(Step.id).where(Step.account_id == account)))


def rows_of(house: House, theirs: Theirs) -> dict[str, list[Any]]:
    """Every row of that account, in every table."""
    found: dict[str, list[Any]] = {}
    owners = {"account_id": theirs.account_id, "step_id": theirs.step_id, "user_id": theirs.user_id}
    with house.app.app_context(), reading() as connection:
        for table in db.metadata.sorted_tables:
            column = next((table.c[name] for name in owners if name in table.c), None)
            if table.name == "accounts":
                column = table.c.id
            if column is not None:
                wanted = owners.get(column.name, theirs.account_id)
                query = select(table).where(column == wanted).order_by(*table.primary_key.columns)
                found[table.name] = [tuple(row) for row in connection.execute(query)]
    return found


def requests_of(rule: Rule, theirs: Theirs, own: Attacker) -> Iterator[tuple[str, str]]:
    """Every (method, path) of a route, with the other's ids; and with an own step where the form names their logs."""
    methods = sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})
    for values in theirs.values_for(rule):
        path = rule.build(values)  # type: ignore[no-untyped-call]
        yield from ((method, path[1]) for method in methods)
    if "ref" in rule.arguments:
        mine = own.flow_id if rule.rule.startswith("/flows") else own.step_id
        values = theirs.values_for(rule)[0] | {"ref": mine}
        yield from ((method, rule.build(values)[1]) for method in methods)  # type: ignore[no-untyped-call]


def body_for(path: str) -> dict[str, Any]:
    """What makes a thing of one's own by PUT; a flow of it names a step of theirs, by a key that is nobody else's."""
    bodies = {
        "flows": {"name": "taken over", "steps": [{"step": "theirs"}]},
        "attributes": {"sample": "taken over"},
        "secrets": {"value": "taken over", "hosts": ["https://api.example"]},
    }
    return bodies.get(path.split("/")[3], document("theirs", name="taken over"))


class Attacker:
    """Somebody of an account with a step of its own; signed in, and with API keys."""

    def __init__(self, web: Web, name: str, account: str) -> None:
        self.house, self.browser = web.house, web.as_(name)
        self.keys = [self.house.token("manage", account), self.house.token("execute", account)]
        self.house.put(document("own"), token=self.keys[0])
        with self.house.app.app_context():
            [self.step_id] = [
                one
                for one in steps_of(self.house.account(account))
                if db.session.get(Step, one).key == "own"  # type: ignore[union-attr]
            ]
        self.flow_id = self.house.flow("own", name="own", account=account)
        self.form = {"csrf_token": self.browser.token()}

    def tries(self, method: str, path: str, theirs: Theirs) -> Iterator[Response]:
        where = f"{path}?{theirs.query}"
        if path.startswith("/api/"):
            for key in self.keys:
                body = body_for(path) if method == "PUT" else {}
                got = self.house.call(method, where.removeprefix("/api/v1"), token=key, json=body)
                yield got
                if got.status_code == 201:  # a thing of one's own under the same name is everybody's right
                    self.house.call("DELETE", path.removeprefix("/api/v1"), token=key)
            return
        data = None if method == "GET" else self.form | theirs.fields
        yield self.browser.client.open(where, method=method, data=data)
        yield self.browser.htmx(method, where, data=data)


def holes(web: Web, attacker: Attacker, theirs: Theirs, *, operator: bool = False, under: str = "/") -> list[str]:
    """What is wrong, a sentence each."""
    found = []
    before = rows_of(web.house, theirs)
    for rule in sorted(web.house.app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ()))):
        if rule.endpoint in BY_CODE | LEAVES_THE_SESSION or (operator and rule.endpoint in OF_THE_OPERATOR):
            continue
        if rule.endpoint == "static" or not rule.rule.startswith(under):
            continue
        if not rule.arguments and rule.endpoint not in WITHOUT_OBJECT:
            found.append(f"{rule.rule} ({rule.endpoint}) names no object: add it to WITHOUT_OBJECT, or give it one")
        try:
            asked = list(requests_of(rule, theirs, attacker))
        except KeyError as unknown:
            found.append(f"{rule.rule}: say what {unknown} names, in Theirs.values_for")
            continue
        for method, path in asked:
            for got in attacker.tries(method, path, theirs):
                found += wrong_in(rule, method, path, got, attacker)
            if (after := rows_of(web.house, theirs)) != before:
                changed = [name for name in after if after[name] != before[name]]
                found.append(f"{method} {path} changed rows of {changed}")
                before = after
    return found


def wrong_in(rule: Rule, method: str, path: str, got: Response, attacker: Attacker) -> Iterator[str]:
    """Refused wherever the address is theirs; an own step is served, a new key may be used, but nothing of theirs shows."""
    own = (
        re.search(rf"/(steps/(new|{attacker.step_id})|flows/(new|{attacker.flow_id}))(/(?!logs/)|$)", path) is not None
    )
    made = got.status_code in MADE.get(rule.endpoint, ())
    if MARK in got.get_data(as_text=True):
        yield f"{method} {path} answers {got.status_code} with something of the other account"
    if rule.arguments and not own and not made and got.status_code not in (403, 404, 405):
        yield f"{method} {path} answers {got.status_code}"
    if got.status_code >= 500:
        yield f"{method} {path} fails with {got.status_code}"


ATTACKS = [
    ("charlie", "charlies", "default", "alice@example.com"),
    ("alice", "default", "charlies", "charlie@example.com"),
]


@pytest.fixture
def web(make_house: Callable[..., House]) -> Web:
    web = Web(make_house(ThirdParty(answer(200, {"a": MARK}), answer(200, {"own": 1}))))
    with web.house.app.app_context(), writing() as connection:
        connection.execute(update(Account).values(per_minute=100_000))
    return web


@pytest.mark.parametrize(("name", "account", "owner", "email"), ATTACKS, ids=["an admin", "an operator"])
@pytest.mark.sqlite_only("the rows are asked for by the same statements, and test_accounts.py deletes on both")
def test_no_route_gives_or_changes_anything_of_another_account(
    web: Web, name: str, account: str, owner: str, email: str
) -> None:
    theirs = furnished(web.house, owner, email)
    attacker = Attacker(web, name, account)
    assert holes(web, attacker, theirs, operator=name == "alice") == []


def test_a_new_route_without_an_owner_check_is_found(web: Web) -> None:
    """The test's own test: three routes as somebody in a hurry would write them."""
    app = web.house.app
    app._got_first_request = False

    @app.get("/hasty/<int:log_id>")
    def hasty(log_id: int) -> str:
        found = db.session.get(Log, log_id)
        return str(found.message or found.response_body) if found is not None else ""

    @app.post("/hasty/<int:log_id>/forget")
    def forget(log_id: int) -> tuple[str, int]:
        with writing() as connection:
            connection.execute(delete(Log).where(Log.id == log_id))
        return "", 404

    @app.get("/hasty")
    def everything() -> str:
        return "".join(str(row.message) for row in db.session.scalars(select(Log)))

    @app.get("/hasty/by/<handle>")
    def by_handle(handle: str) -> str:
        return handle

    theirs = furnished(web.house, "default", "alice@example.com")
    found = "\n".join(holes(web, Attacker(web, "charlie", "charlies"), theirs, under="/hasty"))
    for sentence in (
        f"GET /hasty/{theirs.draft_log_id} answers 200 with something of the other account",
        f"POST /hasty/{theirs.log_id}/forget changed rows of ['logs']",
        "/hasty (everything) names no object",
        "GET /hasty answers 200 with something of the other account",
        "/hasty/by/<handle>: say what 'handle' names",
    ):
        assert sentence in found


def test_another_accounts_draft_of_the_same_name_is_not_trimmed(web: Web) -> None:
    """A draft's name is random, and even one that was seen over a shoulder opens nothing."""
    theirs = furnished(web.house, "default", "alice@example.com")
    attacker = Attacker(web, "charlie", "charlies")
    before = rows_of(web.house, theirs)
    for _ in range(22):
        got = attacker.browser.client.post("/steps/new/test", data=attacker.form | theirs.fields)
        assert got.status_code == 200
    assert rows_of(web.house, theirs) == before


# ---------------------------------------------------------------- what a name in a step stands for, and what is counted


def give(house: House, account: str, secret: str, default: str) -> None:
    """The account's own secret `word` and catalogue default of `city`."""
    owner = house.account(account)
    with house.app.app_context():
        vault = house.app.extensions["httpstep"].vault
        catalogue.put_secret(
            owner, "word", vault.encrypt(secret.encode()), hosts=("https://api.example",), now=0, new=True
        )
        catalogue.save(owner, catalogue.AttributeEntry("city", None, f'"{default}"', True))


ASKING = {
    "secret.word": {"headers": [{"name": "X-Word", "value": "{{secret.word}}"}], "url": "https://api.example/"},
    "city": {"url": "https://api.example/{{city}}"},
}


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize(("mine", "theirs"), [("default", "charlies"), ("charlies", "default")])
def test_a_name_in_a_step_never_stands_for_what_another_account_has(
    make_house: Callable[..., House], name: str, mine: str, theirs: str
) -> None:
    house = make_house(third := ThirdParty())
    give(house, theirs, "their-word", "their-city")
    token = house.token("manage", mine)
    assert house.put(document("own", **ASKING[name]), token=token).status_code == 201
    got = house.execute("own", {}, token=token)
    assert (got.json["outcome"], third.requests) == ("invalid_request", []), "they have it, and we do not"
    assert f"“{name.removeprefix('secret.')}”" in got.json["message"] and "their" not in got.text
    give(house, mine, "own-word", "own-city")
    assert house.execute("own", {}, token=token).json["outcome"] == "success"
    sent = f"{third.requests[0].url} {third.requests[0].headers}"
    assert "own-" in sent and "their" not in sent


@pytest.mark.parametrize("url", ["https://api.example/{{city}}", "https://api.example/{{secret.word}}"])
def test_a_test_in_the_editor_does_not_know_them_either(make_house: Callable[..., House], url: str) -> None:
    web = Web(make_house(third := ThirdParty()))
    give(web.house, "charlies", "their-word", "their-city")
    tested = new_step(web.as_("alice"), url=url).press("test")
    assert third.requests == [] and "their" not in tested.html
    assert new_step(web.as_("charlie"), url=url).press("test").status == 200
    assert third.requests[0].url in ("https://api.example/their-city", "https://api.example/their-word")


def test_the_calls_of_another_account_take_none_of_the_places_in_flight(make_house: Callable[..., House]) -> None:
    house = make_house(ThirdParty(), IN_FLIGHT="2")
    token = house.token("manage", "other")
    house.put(document())
    house.put(document(), token=token)
    with house.app.app_context(), writing() as connection:
        row = {"account_id": house.account("other"), "request_id": "r", "source": "bot", "state": "running"}
        connection.execute(insert(Log), [row | {"started_at": time.time()}] * 2)
    assert house.execute(token=token).json["title"] == "Too Many Calls In Flight"
    assert house.execute().status_code == 200
    with house.app.app_context():
        assert [logs.running(house.account(slug), time.time()) for slug in ("default", "other")] == [0, 2]


def test_a_call_with_the_key_of_anothers_step_spends_nothing_of_anybody(make_house: Callable[..., House]) -> None:
    house = make_house(third := ThirdParty())
    token = house.token("manage", "other")
    house.put(document("theirs"), token=token)
    house.flow("theirs", name="theirs", account="other")
    assert house.execute("theirs", token=token).status_code == 200

    def counted() -> list[tuple[str, float]]:
        with house.app.app_context(), reading() as connection:
            return [tuple(row) for row in connection.execute(select(BudgetHit.key, BudgetHit.at))]

    before = counted()
    assert len(before) == 1
    for _ in range(12):
        assert house.execute("theirs").status_code == 404
        assert house.run_flow("theirs").status_code == 404
    assert (counted(), len(third.requests)) == (before, 1)
