"""Who changed what and when: written by each way of changing it, seen by admins of the account, safe in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from httpstep.extensions import db
from httpstep.storage import users
from httpstep.storage.database import writing
from httpstep.storage.tables import AuditEntry
from httpstep.upkeep import audit
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.test_commands import run
from tests.web.conftest import Web
from tests.web.screen import open_step

VALUE = "sesame-open-7431-wide"
MakeHouse = Callable[..., House]


@pytest.fixture
def web(make_house: MakeHouse) -> Web:
    return Web(make_house(ThirdParty(answer(200, {"a": 1}))))


def entries(web: Web, account: str = "default") -> list[tuple[str, str, str, str]]:
    """(who, what, name, detail), oldest first."""
    owner = web.house.account(account)
    with web.house.app.app_context():
        return [(one.actor, one.what, one.name, one.detail) for one in reversed(audit.entries(owner))]


def since(web: Web, before: list[tuple[str, str, str, str]]) -> list[tuple[str, str, str, str]]:
    return entries(web)[len(before) :]


def test_steps_by_api_and_by_page(web: Web) -> None:
    web.house.token()
    before = entries(web)
    web.house.put(document(url="https://api.example/"))
    web.house.put(document(url="https://api.example/2"))
    bob = web.as_("bob")
    screen = open_step(bob, 1)
    assert bob.post("/steps/1", screen.data(op="save", name="Other name")).status_code in (200, 303)
    web.house.call("DELETE", "/steps/order-status")
    assert since(web, before) == [
        ("key default/manage", "step created", "order-status", "Order-status"),
        ("key default/manage", "step saved", "order-status", "version 2"),
        ("bob@example.com", "step saved", "order-status", "version 3"),
        ("key default/manage", "step deleted", "order-status", "Other name"),
    ]


def test_a_step_that_is_deleted_and_brought_back(web: Web) -> None:
    web.house.put(document())
    bob, before = web.as_("bob"), entries(web)
    assert bob.post("/step-list/chosen", {"op": "delete", "step": "1"}).status_code in (200, 303)
    assert bob.post("/step-list/undo", {"step": "1"}).status_code in (200, 303)
    assert [one[:3] for one in since(web, before)] == [
        ("bob@example.com", "step deleted", "order-status"),
        ("bob@example.com", "step restored", "order-status"),
    ]


@pytest.mark.sqlite_only("what is an entry is decided above the database")
def test_secrets_by_their_names_alone(web: Web) -> None:
    alice, before = web.as_("alice"), entries(web)
    alice.post("/secrets", {"name": "CRM", "secret_value": VALUE, "hosts": "https://api.example"})
    alice.post("/secrets/CRM/replace", {"secret_value": VALUE + "2", "hosts": "https://api.example"})
    alice.post("/secrets/CRM/delete")
    assert since(web, before) == [
        ("alice@example.com", f"secret {what}", "CRM", "") for what in ("stored", "replaced", "deleted")
    ]
    with web.house.app.app_context():
        assert VALUE not in str(db.session.execute(select(AuditEntry)).scalars().all())
    assert VALUE not in alice.get("/settings/audit").text


def test_keys_users_and_limits(web: Web) -> None:
    alice, before = web.as_("alice"), entries(web)
    alice.post("/settings/keys", {"name": "Bot", "scope": "execute"})
    alice.post("/settings/keys/1/revoke")
    alice.post("/settings/users/invite", {"email": "new@example.com", "role": "viewer"})
    with web.house.app.app_context():
        bob = users.by_email("bob@example.com")
        assert bob is not None
    alice.post(f"/settings/users/{bob.id}", {"role": "viewer"})
    alice.post("/settings/accounts/1", {"per_minute": "20", "in_flight": ""})
    found = since(web, before)
    assert [one[0] for one in found] == ["alice@example.com"] * len(found)
    assert [one[1:] for one in found] == [
        ("key created", "Bot", "execute"),
        ("key revoked", "Bot", found[1][3]),
        ("user invited", "new@example.com", "viewer"),
        ("role changed", "bob@example.com", "editor to viewer"),
        ("limit changed", "calls a minute", "the usual figure to 20"),
    ]


@pytest.mark.sqlite_only("what is an entry is decided above the database")
def test_attributes_by_page_and_by_api(web: Web) -> None:
    web.house.token()
    alice, before = web.as_("alice"), entries(web)
    alice.post("/attributes", {"name": "order.id", "sample": f'"{VALUE}"', "in_bot": "1"})
    alice.post("/attributes/order.id/edit", {"name": "order.number", "sample": f'"{VALUE}"', "in_bot": "1"})
    alice.post("/attributes/order.number/delete")
    for default in ("a", "b", "b"):
        assert web.house.call("PUT", "/attributes/city", json={"default": VALUE + default}).status_code in (200, 201)
    web.house.call("DELETE", "/attributes/city")
    web.house.call("DELETE", "/attributes/city")
    assert since(web, before) == [
        ("alice@example.com", "attribute created", "order.id", ""),
        ("alice@example.com", "attribute saved", "order.number", "was order.id"),
        ("alice@example.com", "attribute deleted", "order.number", ""),
        ("key default/manage", "attribute created", "city", ""),
        ("key default/manage", "attribute saved", "city", ""),
        ("key default/manage", "attribute deleted", "city", ""),
    ]
    assert VALUE not in str(entries(web))


def test_what_a_folder_of_documents_changes(web: Web, tmp_path: Path) -> None:
    before = entries(web)
    for value in ("a", "b", "b"):
        written = {"format": "httpstep-attribute/1", "name": "city", "default": value}
        (tmp_path / "city.json").write_text(json.dumps(written))
        assert run(web.house, "apply", str(tmp_path), "--yes", "--account", "default").exit_code == 0
    (tmp_path / "city.json").write_text("[]")
    assert run(web.house, "apply", str(tmp_path), "--yes", "--delete", "--account", "default").exit_code == 0
    assert since(web, before) == [
        ("command line", f"attribute {what}", "city", "") for what in ("created", "saved", "deleted")
    ]


def test_an_invitation_that_is_withdrawn_and_the_name_of_the_account(web: Web) -> None:
    alice = web.as_("alice")
    alice.post("/settings/users/invite", {"email": "new@example.com", "role": "viewer"})
    with web.house.app.app_context():
        [code] = users.invitations(web.house.account())
    before = entries(web)
    assert alice.post(f"/settings/users/invitations/{code.id}/withdraw").status_code == 303
    assert alice.post(f"/settings/users/invitations/{code.id}/withdraw").status_code == 404
    for _ in range(2):
        assert alice.post("/settings/account", {"name": "The Shop"}).status_code == 303
    found = since(web, before)
    assert [one[:3] for one in found] == [
        ("alice@example.com", "invitation withdrawn", "new@example.com"),
        ("alice@example.com", "account renamed", "The Shop"),
    ]


@pytest.mark.sqlite_only("what is an entry is decided above the database")
def test_what_is_made_in_a_dialog_is_listed_too(web: Web) -> None:
    alice, before = web.as_("alice"), entries(web)
    made = {"name": "CRM", "secret_value": VALUE, "hosts": "https://api.example"}
    assert alice.post("/secrets/dialog/made", made).status_code == 200
    assert alice.post("/settings/keys/for-bot", {"made_for": "Shop bot"}).status_code == 201
    found = since(web, before)
    assert [one[:2] for one in found] == [
        ("alice@example.com", "secret stored"), ("alice@example.com", "key created"),
    ]  # fmt: skip
    assert VALUE not in str(found)


@pytest.mark.sqlite_only("what is an entry is decided above the database")
def test_the_command_line_says_so(web: Web) -> None:
    before = entries(web)
    run(web.house, "key", "create", "--name", "cron", "--account", "default")
    run(web.house, "account", "limit", "default", "30")
    assert [one[:3] for one in since(web, before)] == [
        ("command line", "key created", "cron"), ("command line", "limit changed", "calls a minute"),
    ]  # fmt: skip


@pytest.mark.sqlite_only("what is an entry is decided above the database")
def test_what_was_not_changed_is_not_listed(web: Web) -> None:
    web.house.put(document(url="https://api.example/", mapping=[]))
    before = entries(web)
    web.house.execute()
    bob = web.as_("bob")
    open_step(bob, 1).fragment("test")
    alice = web.as_("alice")
    alice.post("/settings/accounts/1", {"per_minute": "", "in_flight": ""})
    alice.post("/secrets", {"name": "", "secret_value": "x", "hosts": ""})
    assert since(web, before) == []


@pytest.mark.sqlite_only("what is an entry is decided above the database")
def test_only_admins_of_the_account_see_it(web: Web) -> None:
    web.house.put(document("mine"))
    web.house.put(document("theirs"), token=web.house.token(account="charlies"))
    alice, charlie = web.as_("alice").get("/settings/audit"), web.as_("charlie").get("/settings/audit")
    assert "mine" in alice.text and "theirs" not in alice.text
    assert "theirs" in charlie.text and ">mine<" not in charlie.text
    for path in ("/settings/audit", "/settings/audit.csv"):
        assert web.as_("bob").get(path).status_code == web.as_("vera").get(path).status_code == 403
        assert web.browser().get(path).status_code == 303


def test_the_api_gives_it_to_keys_that_manage(web: Web) -> None:
    web.house.put(document("mine"))
    web.house.put(document("theirs"), token=web.house.token(account="charlies"))
    got = web.house.call("GET", "/audit")
    assert got.status_code == 200
    newest = got.json["entries"][0]
    assert (newest["who"], newest["what"], newest["name"]) == ("key default/manage", "step created", "mine")
    assert newest["at"].endswith("Z") and "theirs" not in got.text
    older = web.house.call("GET", f"/audit?before={newest['id']}").json["entries"]
    assert newest not in older and older == got.json["entries"][1:]
    assert web.house.call("GET", "/audit", token=web.house.token("execute")).status_code == 403


def test_a_page_has_a_hundred_and_leads_to_older_ones(web: Web) -> None:
    owner = web.house.account()
    row = {"account_id": owner, "actor": "a", "what": "step saved", "detail": ""}
    with web.house.app.app_context(), writing() as connection:
        rows = [row | {"at": time.time(), "name": f"n{number}-"} for number in range(150)]
        connection.execute(insert(AuditEntry), rows)
    page = web.as_("alice").get("/settings/audit").text
    assert "n149-" in page and "n50-" in page and "n49-" not in page
    link = page.split('href="/settings/audit?before=')[1].split('"')[0]
    assert "n49-" in web.as_("alice").get(f"/settings/audit?before={link}").text


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1+1", 'a"b,c\nd', "plain"])
@pytest.mark.sqlite_only("the file is written above the database")
def test_no_spreadsheet_runs_what_is_in_the_csv(web: Web, name: str) -> None:
    owner = web.house.account()
    with web.house.app.app_context(), writing() as connection:
        row = {"account_id": owner, "at": time.time(), "actor": name, "what": name, "name": name, "detail": name}
        connection.execute(insert(AuditEntry).values(**row))
    got = web.as_("alice").get("/settings/audit.csv")
    assert got.content_type == "text/csv; charset=utf-8" and "attachment" in got.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(got.get_data(as_text=True).lstrip("\ufeff"), newline="")))
    assert rows[0] == ["when", "who", "what", "name", "detail"]
    for cell in rows[1][1:]:
        assert cell.lstrip(" ")[:1] not in ("=", "+", "-", "@", "\t", "\r", "＝") and cell.removeprefix("'") == name


def test_it_is_kept_for_a_year(web: Web) -> None:
    web.house.put(document("old"))
    with web.house.app.app_context(), writing() as connection:
        old = AuditEntry.what == "step created"
        connection.execute(update(AuditEntry).where(old).values(at=time.time() - 367 * 86400))
    assert "old" not in [one[2] for one in entries(web)]
    web.house.put(document("new"))
    with web.house.app.app_context():
        assert "old" not in list(db.session.scalars(select(AuditEntry.name)))


@pytest.mark.sqlite_only("what is an entry is decided above the database")
def test_a_change_that_is_undone_leaves_nothing(web: Web) -> None:
    before = entries(web)
    bad = document("second", url="ftp://x/")
    assert web.house.put(bad).status_code == 422
    alice = web.as_("alice")
    with web.house.app.app_context():
        me = users.by_email("alice@example.com")
        assert me is not None
    alice.post(f"/settings/users/{me.id}", {"role": "viewer"})  # the last admin
    assert [one for one in since(web, before) if one[1] != "key created"] == []
