"""The end of an account: everything of it goes, whatever table it is in, and nothing of anybody else's."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from httpstep.execution.budget import ratelimit
from httpstep.extensions import db
from httpstep.storage import users
from httpstep.storage.database import editing, reading, writing
from httpstep.storage.tables import AccessToken, Account, Alert, User
from tests.fakes import ThirdParty, answer
from tests.house import House
from tests.test_commands import run
from tests.test_tenants import MARK, Theirs, furnished
from tests.web.conftest import Web


@pytest.fixture
def web(make_house: Callable[..., House]) -> Web:
    return Web(make_house(ThirdParty(answer(200, {"a": MARK}))))


def everything(house: House) -> dict[str, list[Any]]:
    """Every row of every table."""
    with house.app.app_context(), reading() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns)).all()
            ]
            for table in db.metadata.sorted_tables
        }


def furnish(house: House, slug: str, email: str) -> Theirs:
    """An account with a row in every table there is."""
    theirs = furnished(house, slug, email)
    with house.app.app_context():
        users.password_link(theirs.account_id, theirs.user_id)
        with writing() as connection:
            mail = {"subject": MARK, "body": MARK, "recipients": "a@b.example", "due_at": 1e12, "created_at": 1.0}
            connection.execute(insert(Alert).values(step_id=theirs.step_id, **mail))
            token = {"name": slug, "good_until": 1.0, "claimed_until": 1e12}
            connection.execute(insert(AccessToken).values(account_id=theirs.account_id, **token))
    return theirs


def person(house: House, slug: str, email: str, *, operator: bool = False) -> None:
    owner = house.account(slug)
    with house.app.app_context(), editing():
        row = {"password_hash": "x", "role": "admin", "operator": operator, "created_at": time.time()}
        db.session.add(User(account_id=owner, email=email, **row))


def test_all_of_an_account_goes_and_nothing_of_another(web: Web) -> None:
    house = web.house
    person(house, "shop", "eva@example.com")
    empty = everything(house)
    furnish(house, "charlies", "charlie@example.com")
    before = everything(house)
    theirs = furnish(house, "shop", "eva@example.com")
    full = everything(house)
    no_row_more = ("accounts", "users", "editions", "nightly_backups")  # the last is of the whole installation
    bare = {name for name in full if name not in no_row_more and len(full[name]) <= len(before[name])}
    assert bare == set(), "give the account a row in the new table (furnish), so that it is seen to go"
    assert len(before["logs"]) > len(empty["logs"])
    asked = run(house, "account", "delete", "shop")
    assert asked.exit_code == 1 and everything(house) == full
    assert 'The account "shop" has 1 user, 1 step, 2 logs, 2 flows, 2 attributes, 2 secrets, 1 API key.' in asked.output
    assert "Nothing was deleted: add --yes" in asked.output
    done = run(house, "account", "delete", "shop", "--yes")
    assert (done.exit_code, done.output) == (0, "shop\n"), done.output
    gone = before | {
        "audit_entries": [row for row in full["audit_entries"] if row[1] != theirs.account_id],
        "editions": [row for row in full["editions"] if row[0] != theirs.account_id],
        "accounts": [row for row in full["accounts"] if row[0] != theirs.account_id],
        "users": [row for row in full["users"] if row[0] != theirs.user_id],
    }
    left = everything(house)
    *others, end = left["audit_entries"]
    assert end[1] == house.account("default") and end[3:] == ("command line", "account deleted", "shop", "")
    assert left | {"audit_entries": others} == gone
    assert house.execute("theirs", token=house.token("manage", "shop")).status_code == 401
    assert house.execute("theirs", token=house.token("manage", "charlies")).status_code == 200


def test_an_account_that_is_needed_stays_and_a_sentence_says_why(make_house: Callable[..., House]) -> None:
    house = make_house(ThirdParty())
    person(house, "default", "ana@example.com", operator=True)
    only = run(house, "account", "delete", "default", "--yes")
    assert only.exit_code == 1 and "“default” is the only account, and httpstep needs one." in only.output
    assert run(house, "account", "delete", "default").output == only.output, "--yes is no way past it"
    person(house, "shop", "eva@example.com", operator=True)
    with house.app.app_context(), writing() as connection:
        connection.execute(update(User).where(User.email == "eva@example.com").values(disabled_at=1.0))
    before = everything(house)
    last = run(house, "account", "delete", "default", "--yes")
    assert last.exit_code == 1 and "“default” has the only operator who can sign in." in last.output
    assert run(house, "account", "delete", "default").output == last.output, "--yes is no way past it"
    assert everything(house) == before
    assert "There is no account" in run(house, "account", "delete", "nobody", "--yes").output
    assert run(house, "account", "delete", "shop", "--yes").output == "shop\n"
    with house.app.app_context():
        assert list(db.session.scalars(select(Account.slug))) == ["default"]


def test_on_the_page_the_typed_name_is_the_confirmation(web: Web) -> None:
    house, alice = web.house, web.as_("alice")
    person(house, "shop", "eva@example.com")
    shop, own = (f"/settings/accounts/{house.account(slug)}/delete" for slug in ("shop", "default"))
    before, page = everything(house), alice.get("/settings/accounts").text
    assert f'action="{shop}"' in page and own not in page, "one's own is not offered"
    for typed in ("", "Shop", "charlies"):
        refused = alice.post(shop, {"typed": typed})
        assert refused.status_code == 422 and "Type “shop” to delete this account." in refused.text
    refused = alice.post(own, {"typed": "default"})
    assert refused.status_code == 403 and "You are signed in to this account." in refused.text
    assert web.as_("charlie").post(shop, {"typed": "shop"}).status_code == 403
    after = everything(house)
    assert {name: after[name] for name in ("accounts", "users")} == {
        name: before[name] for name in ("accounts", "users")
    }
    deleted = alice.post(shop, {"typed": " shop "}, follow_redirects=True)
    assert "The account shop was deleted with all it had." in deleted.text and f'action="{shop}"' not in deleted.text
    assert alice.post(shop, {"typed": "shop"}).status_code == 404
    _, home, _, *end = everything(house)["audit_entries"][-1]
    assert (home, end) == (house.account("default"), ["alice@example.com", "account deleted", "shop", ""])


def test_its_budget_goes_wherever_it_is_counted(make_house: Callable[..., House], needed_redis: Any) -> None:
    house = make_house(RATELIMIT_URL=needed_redis.url)
    shop = house.account("shop")
    with house.app.app_context():
        ratelimit.spend(shop, 1000)  # another test of this minute may have spent ten of it
    assert run(house, "account", "delete", "shop", "--yes").exit_code == 0
    with house.app.app_context():
        assert ratelimit.budget_of(shop, None).remaining == ratelimit.PER_MINUTE
