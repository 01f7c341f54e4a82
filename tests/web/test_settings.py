"""Account, API keys, users and their invitations, mail, accounts, about: the pages behind Settings."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from httpstep.alerts import alerts
from httpstep.execution.budget import ratelimit
from httpstep.storage import users
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.mailbox import Inbox
from tests.web.conftest import PASSWORD, Web


@pytest.mark.sqlite_only("shown or mailed above the database")
def test_the_account_page_shows_what_is_used_of_the_budget(make_house: Callable[..., House]) -> None:
    web = Web(make_house(ThirdParty(answer(200, {"a": 1}), answer(200, {"a": 1}))))
    web.house.put(document())
    web.house.execute()
    web.house.execute()
    page = web.as_("vera").get("/settings/account").text
    assert re.search(r'class="figure">2 <small>of 10<', page)
    assert re.search(r'class="figure">0 <small>of 10 at once<', page)


@pytest.mark.sqlite_only("shown or mailed above the database")
def test_a_used_up_budget_says_when_it_goes_on(web: Web) -> None:
    with web.house.app.app_context():
        for _ in range(10):
            ratelimit.spend(web.house.account(), None)
    page = web.as_("vera").get("/settings/account").text
    assert "Rate Limit Exceeded" in page and "data-countdown" in page


def test_admins_name_the_account_and_others_read_it(web: Web) -> None:
    assert web.as_("alice").post("/settings/account", {"name": "  Support   team "}).status_code == 303
    assert "Support team" in web.as_("vera").get("/settings/account").text
    assert web.as_("bob").post("/settings/account", {"name": "Mine"}).status_code == 403
    assert web.as_("alice").post("/settings/account", {"name": " "}).status_code == 422


# ---------------------------------------------------------------- keys


def test_a_key_is_shown_once_and_works(make_house: Callable[..., House]) -> None:
    web = Web(make_house(ThirdParty(answer(200, {"a": 1}))))
    web.house.put(document())
    alice = web.as_("alice")
    made = alice.post("/settings/keys", {"name": "Support bot", "scope": "execute"})
    assert made.status_code == 201
    token = re.search(r'id="new-token"[^>]*>(hs_[^<]+)<', made.text)
    assert token
    assert "/api/v1/steps/order-status/execute" in unescape(made.text)
    assert f"Bearer {token[1]}" in unescape(made.text)
    assert token[1] not in alice.get("/settings/keys").text
    assert token[1][:11] in alice.get("/settings/keys").text
    assert web.house.execute(token=token[1]).status_code == 200
    assert web.house.call("GET", "/steps", token=token[1]).status_code == 403


def test_a_revoked_key_is_refused_at_once(web: Web) -> None:
    alice = web.as_("alice")
    made = alice.post("/settings/keys", {"name": "bot", "scope": "manage"})
    token = re.search(r'id="new-token"[^>]*>(hs_[^<]+)<', made.text)
    revoke = re.search(r'action="(/settings/keys/\d+/revoke)"', made.text)
    assert token and revoke
    assert web.house.call("GET", "/steps", token=token[1]).status_code == 200
    assert alice.post(revoke[1]).status_code == 303
    assert web.house.call("GET", "/steps", token=token[1]).status_code == 401
    assert "Revoked" in alice.get("/settings/keys").text
    assert alice.post(revoke[1]).status_code == 404


@pytest.mark.parametrize(
    "form", [{"name": "", "scope": "execute"}, {"name": "x" * 101, "scope": "execute"}, {"name": "x", "scope": "all"}]
)
@pytest.mark.sqlite_only("refused above the database")
def test_a_key_needs_a_name_and_a_scope(web: Web, form: dict[str, str]) -> None:
    refused = web.as_("alice").post("/settings/keys", form)
    assert refused.status_code == 422
    assert "field-error" in refused.text and "hs_" not in refused.text.split("No API keys yet")[0]


# ---------------------------------------------------------------- users


def link_in(page: str) -> str:
    found = re.search(r'id="the-link"[^>]*>http://localhost(/[^<]+)<', page)
    assert found
    return found[1]


def test_an_invitation_works_once(web: Web) -> None:
    alice = web.as_("alice")
    made = alice.post("/settings/users/invite", {"email": "Dora@example.com", "role": "editor"})
    assert made.status_code == 201
    link = link_in(made.text)
    assert link not in alice.get("/settings/users").text
    dora = web.browser()
    assert "dora@example.com" in dora.get(link).text
    new = {"password": PASSWORD, "password_again": PASSWORD}
    assert dora.post(link, {"password": "short", "password_again": "short"}, page=link).status_code == 422
    assert dora.post(link, new, page=link).location == "/steps"
    assert "Welcome. You are signed in." in dora.get("/steps").text
    assert "dora@example.com" in dora.get("/settings/account").text
    assert dora.get("/settings/users").status_code == 403
    again = web.browser()
    assert again.get(link).status_code == 410
    assert again.post(link, new, page="/login").status_code == 410


def test_a_withdrawn_or_replaced_invitation_is_gone(web: Web) -> None:
    alice, stranger = web.as_("alice"), web.browser()
    first = link_in(alice.post("/settings/users/invite", {"email": "d@example.com", "role": "viewer"}).text)
    second = link_in(alice.post("/settings/users/invite", {"email": "d@example.com", "role": "viewer"}).text)
    assert [stranger.get(first).status_code, stranger.get(second).status_code] == [410, 200]
    withdraw = re.search(r'action="(/settings/users/invitations/\d+/withdraw)"', alice.get("/settings/users").text)
    assert withdraw
    alice.post(withdraw[1])
    assert stranger.get(second).status_code == 410


def test_nobody_is_invited_twice_or_into_two_accounts(web: Web) -> None:
    for email in ("bob@example.com", "charlie@example.com"):
        refused = web.as_("alice").post("/settings/users/invite", {"email": email, "role": "viewer"})
        assert refused.status_code == 422 and "There is a user with this address already." in refused.text


@pytest.mark.sqlite_only("shown or mailed above the database")
def test_an_invitation_is_mailed_where_mail_is_on(
    make_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[Any, ...]] = []

    def send(_app: Any, *mail: Any) -> dict[str, str]:
        sent.append(mail)
        return {}

    monkeypatch.setattr(alerts, "send", send)
    web = Web(make_house(SMTP_URL="smtp://127.0.0.1:9", MAIL_FROM="httpstep@example.com"))
    made = web.as_("alice").post("/settings/users/invite", {"email": "dora@example.com", "role": "viewer"})
    assert "It was mailed, too." in made.text
    assert sent[0][0] == ["dora@example.com"] and link_in(made.text) in sent[0][2]


def id_of(web: Web, email: str) -> int:
    with web.house.app.app_context():
        found = users.by_email(email)
        assert found is not None
        return found.id


def test_a_changed_role_is_in_force_at_once(web: Web) -> None:
    bob, alice = web.as_("bob"), web.as_("alice")
    assert bob.get("/settings/keys").status_code == 403
    alice.post(f"/settings/users/{id_of(web, 'bob@example.com')}", {"role": "admin"})
    assert bob.get("/settings/keys").status_code == 200


def test_an_account_keeps_an_admin_who_can_sign_in(web: Web) -> None:
    alice_id = id_of(web, "alice@example.com")
    page = web.as_("alice").post(f"/settings/users/{alice_id}", {"role": "viewer"}, follow_redirects=True).text
    assert "You cannot change your own role" in page
    with web.house.app.app_context(), pytest.raises(users.LastAdmin):
        users.change(web.house.account(), alice_id, role="viewer", disabled=False)
    with web.house.app.app_context(), pytest.raises(users.LastAdmin):
        users.change(web.house.account(), alice_id, role="admin", disabled=True)
    assert web.as_("alice").get("/settings/users").status_code == 200


def test_a_password_link_works_once_and_signs_out_everywhere(web: Web) -> None:
    bob = web.as_("bob")
    made = web.as_("alice").post(f"/settings/users/{id_of(web, 'bob@example.com')}/password-link")
    link = link_in(made.text)
    fresh = web.browser()
    new = {"password": "a whole new password", "password_again": "a whole new password"}
    assert fresh.post(link, new, page=link).location == "/steps"
    assert "Your password was changed. You are signed in here and nowhere else." in fresh.get("/steps").text
    assert fresh.get("/settings/account").status_code == 200
    assert bob.get("/settings/account").status_code == 303
    assert web.browser().get(link).status_code == 410


# ---------------------------------------------------------------- mail, accounts, about


@pytest.mark.sqlite_only("decided above the database")
def test_mail_that_is_off_says_how_to_turn_it_on(web: Web) -> None:
    page = web.as_("alice").get("/settings/mail").text
    assert "Mail is off" in page and "HTTPSTEP_SMTP_URL" in page and "/settings/mail/test" not in page
    tested = web.as_("alice").post("/settings/mail/test", {"address": "a@example.com"})
    assert "Mail is off" in tested.text and "took the mail" not in tested.text


@pytest.mark.sqlite_only("the mail server's answer is not stored")
def test_a_test_mail_shows_what_the_mail_server_said(make_house: Callable[..., House]) -> None:
    web = Web(make_house(SMTP_URL="smtp://user:hidden-password@127.0.0.1:9?tls=none", MAIL_FROM="httpstep@example.com"))
    alice = web.as_("alice")
    headers = {"X-CSRFToken": alice.token()}
    part = alice.htmx("POST", "/settings/mail/test/result", data={"address": "a@example.com"}, headers=headers)
    assert part.status_code == 200 and "<html" not in part.text
    assert "The mail server refused the connection." in part.text
    assert "Errno" not in part.text and "The mail server&#39;s answer" not in part.text, "there was none"
    assert "hidden-password" not in part.text + alice.get("/settings/mail").text
    wrong = alice.htmx("POST", "/settings/mail/test/result", data={"address": "a@b\nBcc: c@d.example"}, headers=headers)
    assert wrong.status_code == 422 and "This is not an e-mail address" in wrong.text


@pytest.mark.sqlite_only("the mail server's answer is not stored")
def test_an_answer_of_the_mail_server_is_called_so(make_house: Callable[..., House], inbox: Inbox) -> None:
    inbox.refuse = "550 no such user"
    web = Web(make_house(SMTP_URL=f"smtp://127.0.0.1:{inbox.port}", MAIL_FROM="httpstep@example.com"))
    page = web.as_("alice").post("/settings/mail/test", {"address": "a@example.com"}).text
    assert "The mail server&#39;s answer:" in page and "550 no such user." in page


@pytest.mark.sqlite_only("the mail server's answer is not stored")
def test_a_mail_that_was_taken_is_told_with_the_servers_answer(make_house: Callable[..., House], inbox: Inbox) -> None:
    inbox.takes = "250 2.0.0 Ok: queued as <b>4F1</b>"
    web = Web(make_house(SMTP_URL=f"smtp://127.0.0.1:{inbox.port}", MAIL_FROM="httpstep@example.com"))
    page = web.as_("alice").post("/settings/mail/test", {"address": "a@example.com"}).text
    told = "The mail server took the mail for a@example.com. Its answer: 250 2.0.0 Ok: queued as <b>4F1</b>. If it does"
    assert told in unescape(page) and "<b>4F1" not in page


def test_test_mails_are_few(web: Web) -> None:
    alice = web.as_("alice")
    token = alice.token()
    statuses = [
        alice.client.post("/settings/mail/test", data={"address": "a@example.com", "csrf_token": token}).status_code
        for _ in range(6)
    ]
    assert statuses == [200] * 5 + [429]


def test_the_operator_creates_accounts_and_sets_their_limits(web: Web) -> None:
    alice = web.as_("alice")
    made = alice.post("/settings/accounts", {"slug": "shop", "name": "Shop", "email": "eva@example.com"})
    assert made.status_code == 201
    link = link_in(made.text)
    eva = web.browser()
    eva.post(link, {"password": PASSWORD, "password_again": PASSWORD}, page=link)
    assert "Shop" in eva.get("/settings/account").text
    shop = web.house.account("shop")
    assert alice.post(f"/settings/accounts/{shop}", {"per_minute": "25", "in_flight": ""}).status_code == 303
    assert "of 25" in eva.get("/settings/account").text
    for wrong in ("0", "-1", "many", "١", "999999999999", "000000000005999999", "0000000000019999999999999999999"):
        refused = alice.post(f"/settings/accounts/{shop}", {"per_minute": wrong, "in_flight": "7"})
        assert refused.status_code == 422 and "A limit is a whole number" in refused.text, wrong
        [field, other] = re.findall(
            r'<input class="input" name="(?:per_minute|in_flight)"[^>]*of shop"[^>]*>', refused.text
        )
        assert f'value="{wrong}"' in field and 'aria-invalid="true"' in field, "as typed, and marked"
        assert 'value="7"' in other and "aria-invalid" not in other
    assert "of 25" in eva.get("/settings/account").text
    assert alice.post("/settings/accounts", {"slug": "shop", "email": "f@example.com"}).status_code == 422
    assert alice.post("/settings/accounts", {"slug": "Not A Slug", "email": "f@example.com"}).status_code == 422


def test_the_operator_makes_another_link_for_an_account_that_nobody_came_into(web: Web) -> None:
    alice = web.as_("alice")
    first = link_in(alice.post("/settings/accounts", {"slug": "shop", "email": "eva@example.com"}).text)
    shop = f"/settings/accounts/{web.house.account('shop')}/first-admin"
    assert 'value="eva@example.com"' in alice.get("/settings/accounts").text, "whom the first link was for"
    refused = alice.post(shop, {"email": "bob@example.com"})
    assert refused.status_code == 422 and "There is a user with this address already." in refused.text
    assert web.browser().get(first).status_code == 200, "a refusal ends no link"
    made = alice.post(shop, {"email": "eve@example.com"})
    second = link_in(made.text)
    assert made.status_code == 201 and web.browser().get(first).status_code == 410
    eve = web.browser()
    eve.post(second, {"password": PASSWORD, "password_again": PASSWORD}, page=second)
    assert "eve@example.com" in eve.get("/settings/users").text
    assert alice.post(shop, {"email": "f@example.com"}).status_code == 404, "it has an admin now, who invites"
    assert "first-admin" not in alice.get("/settings/accounts").text
    assert web.as_("charlie").post(shop, {"email": "f@example.com"}).status_code == 403


@pytest.mark.sqlite_only("the text is made above the database")
def test_about_and_the_contract_are_there_for_everybody(web: Web) -> None:
    vera = web.as_("vera")
    about = vera.get("/about").text
    assert "Healthy" in about and "0BSD" in about and "Data folder" not in about
    assert "Data folder" in web.as_("alice").get("/about").text
    contract = unescape(vera.get("/docs/api").text)
    assert "http://localhost/api/v1/steps/order-status/execute" in contract and "/api/v1/openapi.json" in contract
    for word in ("not_json", "Rate Limit Exceeded", "Idempotency-Key"):
        assert word in contract


@pytest.mark.sqlite_only("the text is made above the database")
def test_the_page_of_the_contract_has_every_address_and_every_shape(web: Web) -> None:
    web.house.put(document())
    web.house.flow("order-status", name="Parcel flow")
    web.house.call("PUT", "/attributes/parcel", json={})
    web.house.call("PUT", "/secrets/crm", json={"value": "x", "hosts": ["https://api.example"]})
    own = {
        "steps/{key}": "steps/order-status",
        "flows/{key}": "flows/parcel-flow",
        "attributes/{name}": "attributes/parcel",
    }
    own |= {"secrets/{name}": "secrets/crm", "{log_id}": "17", "{key_id}": "1"}
    vera = web.as_("vera")
    assert vera.get("/api-docs").status_code == 200
    assert 'href="/docs/api"' in vera.get("/about").text
    shown, contract = unescape(vera.get("/docs/api").text), vera.get("/api/v1/openapi.json").json
    for path, methods in contract["paths"].items():
        address = path
        for part, value in own.items():
            address = address.replace(part, value)
        for method in methods:
            assert f"{method.upper()} {path}</code>" in shown
            assert f"{method.upper()} http://localhost{address}</pre>" in shown
    for name, schema in contract["components"]["schemas"].items():
        part = shown.partition(f'id="shape-{name}">')[2].partition("</details>")[0]
        assert all(f"<code>{member}</code>" in part for member in schema.get("properties", {})), name
        assert part
    links = set(re.findall(r'href="#([^"]+)"', shown))
    assert {"shape-Step", "shape-Auth", "shape-Log", "shape-AuthBearer", "answer", "refusals", "addresses"} <= links
    assert all(f'id="{link}"' in shown for link in links)
