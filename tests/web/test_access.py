"""Who may do what: every route asks, roles differ, accounts do not see each other, forms are checked."""

from __future__ import annotations

import re

import pytest
from werkzeug.routing import Rule

from tests.house import document
from tests.web.conftest import PASSWORD, Browser, Web

SQLITE_ONLY = "what is asked, refused and shown is decided above the database"
OPEN = {
    "static", "health.health", "signing_in.home", "signing_in.login", "signing_in.log_in", "signing_in.setup",
    "signing_in.set_up", "signing_in.invitation", "signing_in.accept_invitation", "signing_in.new_password",
    "signing_in.set_new_password",
}  # fmt: skip
ADMIN_ONLY = [
    "/settings/keys",
    "/settings/users",
    "/settings/mail",
    "/settings/audit",
    "/settings/audit.csv",
    "/secrets/CRM/replace",
]


def pages(web: Web) -> list[tuple[str, str]]:
    """(method, path) of every route that people use, with 1 or "x" where a path varies."""
    found = []
    for rule in web.house.app.url_map.iter_rules():
        if rule.endpoint in OPEN or rule.rule.startswith("/api/"):
            continue
        found += [
            (method, _path(rule)) for method in (rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}
        ]
    assert len(found) > 30
    return sorted(found)


def _path(rule: Rule) -> str:
    return re.sub(r"<(int:)?[^>]+>", lambda match: "1" if match[1] else "x", rule.rule)


def test_every_route_asks_who_is_there(web: Web) -> None:
    answers = {(method, path): web.house.app.test_client().open(path, method=method) for method, path in pages(web)}
    let_in = {
        place: answer.status_code
        for place, answer in answers.items()
        if answer.status_code != 303 or not str(answer.location).startswith("/login?next=")
    }
    assert let_in == {}


def test_every_changing_route_refuses_a_form_without_its_token(web: Web) -> None:
    alice = web.as_("alice")
    wrong = {}
    for method, path in pages(web):
        if method != "GET" and (status := alice.client.open(path, method=method).status_code) != 400:
            wrong[method, path] = status
    assert wrong == {}


def test_another_sessions_token_is_refused(web: Web) -> None:
    alice, bob = web.as_("alice"), web.as_("bob")
    form = {"csrf_token": bob.token(), "name": "stolen"}
    assert alice.client.post("/attributes", data=form).status_code == 400
    assert "stolen" not in alice.get("/attributes").text


def test_htmx_sends_its_token_in_a_header(web: Web) -> None:
    alice = web.as_("alice")
    headers = {"X-CSRFToken": alice.token()}
    assert alice.client.post("/attributes", data={"name": "order.id"}, headers=headers).status_code == 303


def test_an_expired_form_is_offered_again_as_it_was_typed(web: Web) -> None:
    alice = web.as_("alice")
    form = {"csrf_token": "old", "name": "order.id", "sample": '"><b>x'}
    answer = alice.client.post("/attributes", data=form, headers={"Origin": "http://localhost"})
    assert answer.status_code == 400
    assert "What you typed is kept" in answer.text
    assert "&#34;&gt;&lt;b&gt;x" in answer.text and "<b>x" not in answer.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', answer.text.split("expired", 1)[-1])
    assert token


def test_a_form_of_another_site_is_not_offered_again_and_a_password_never_is(web: Web) -> None:
    alice = web.as_("alice")
    foreign = alice.client.post("/attributes", data={"name": "order.id"}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 400 and "order.id" not in foreign.text
    private = alice.client.post(
        "/settings/password", data={"current_password": PASSWORD}, headers={"Origin": "http://localhost"}
    )
    assert private.status_code == 400 and PASSWORD not in private.text


def test_an_expired_form_by_htmx_gets_a_fresh_token_and_loses_nothing(web: Web) -> None:
    alice = web.as_("alice")
    answer = alice.htmx("POST", "/settings/mail/test/result", data={"address": "a@example.com"})
    assert answer.status_code == 400
    fresh = answer.headers["HX-Trigger"]
    assert "csrf:fresh" in fresh and "Press the button again" in answer.text
    token = re.search(r'"token": "([^"]+)"', fresh)
    assert token
    again = alice.htmx(
        "POST", "/settings/mail/test/result", data={"address": "a@example.com"}, headers={"X-CSRFToken": token[1]}
    )
    assert again.status_code == 200


def test_signed_out_htmx_is_led_to_the_sign_in_page_of_the_page_it_was_on(web: Web) -> None:
    answer = web.browser().htmx(
        "POST", "/settings/mail/test/result", headers={"HX-Current-URL": "http://localhost/settings/mail?a=1"}
    )
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login?next=/settings/mail?a%3D1&ended=1&unsaved=1"
    foreign = web.browser().htmx("GET", "/settings/mail", headers={"HX-Current-URL": "https://evil.example/x"})
    assert foreign.headers["HX-Redirect"] == "/login?next=/steps&ended=1"


@pytest.mark.parametrize("path", ADMIN_ONLY)
def test_only_admins_manage_keys_users_mail_and_secrets(web: Web, path: str) -> None:
    assert web.as_("bob").get(path).status_code == 403
    assert web.as_("alice").get(path).status_code in (200, 404)


def test_viewers_see_and_change_nothing(web: Web) -> None:
    vera = web.as_("vera")
    for path in ("/attributes", "/secrets", "/settings/account", "/settings/sessions", "/about", "/docs/api"):
        assert vera.get(path).status_code == 200, path
    refused = vera.post("/attributes", {"name": "order.id"})
    assert refused.status_code == 403
    assert "This needs the role editor; yours is viewer." in refused.text
    assert "Add the attribute" not in vera.get("/attributes").text


def test_a_refusal_by_htmx_is_a_fragment(web: Web) -> None:
    vera = web.as_("vera")
    refused = vera.htmx("POST", "/attributes", data={"name": "x"}, headers={"X-CSRFToken": vera.token()})
    assert refused.status_code == 403
    assert "<html" not in refused.text and "data-fault" in refused.text


def test_operators_see_accounts_and_others_do_not(web: Web) -> None:
    assert web.as_("alice").get("/settings/accounts").status_code == 200
    assert web.as_("charlie").get("/settings/accounts").status_code == 403


def test_what_is_another_accounts_is_not_found(web: Web) -> None:
    alice, charlie = web.as_("alice"), web.as_("charlie")
    _furnish(alice)
    with web.house.app.app_context():
        from httpstep.storage import users

        bob = users.by_email("bob@example.com")
        assert bob is not None
    invited = re.search(r"/settings/users/invitations/(\d+)/withdraw", alice.get("/settings/users").text)
    key = re.search(r"/settings/keys/(\d+)/revoke", alice.get("/settings/keys").text)
    assert invited and key
    for path in ("/attributes/order.id/edit", "/secrets/CRM/replace"):
        assert charlie.get(path).status_code == 404, path
    for path, form in (
        ("/attributes/order.id/edit", {"name": "mine"}), ("/attributes/order.id/delete", {}), ("/secrets/CRM/delete", {}),
        ("/secrets/CRM/replace", {"secret_value": "x"}), (f"/settings/users/{bob.id}", {"role": "viewer"}),
        (f"/settings/users/{bob.id}/password-link", {}), (f"/settings/users/invitations/{invited[1]}/withdraw", {}),
        (f"/settings/keys/{key[1]}/revoke", {}),
    ):  # fmt: skip
        assert charlie.post(path, form).status_code == 404, path
    for path in ("/attributes", "/secrets", "/settings/users", "/settings/keys"):
        seen = charlie.get(path).text
        assert not any(word in seen for word in ("order.id<", "secret.CRM}}", "bob@", "dora@", "Alices bot")), path


def _furnish(alice: Browser) -> None:
    for path, form in (
        ("/attributes", {"name": "order.id", "in_bot": "on"}),
        ("/secrets", {"name": "CRM", "secret_value": "sesame", "hosts": "https://api.example"}),
    ):
        assert alice.post(path, form).status_code == 303
    assert alice.post("/settings/keys", {"name": "Alices bot", "scope": "execute"}).status_code == 201
    assert alice.post("/settings/users/invite", {"email": "dora@example.com", "role": "viewer"}).status_code == 201


def test_names_are_inert(web: Web) -> None:
    alice = web.as_("alice")
    evil = '"><svg onload=alert(1)><b hx-get="/x">'
    web.house.put(document(name=evil[:90], headers=[{"name": "Authorization", "value": "{{secret.CRM}} {{order.id}}"}]))
    _furnish(alice)
    alice.post("/settings/keys", {"name": evil, "scope": "execute"})
    alice.post("/settings/account", {"name": evil})
    for path in (
        "/attributes",
        "/attributes/order.id/edit",
        "/secrets",
        "/settings/keys",
        "/settings/account",
        "/settings/accounts",
    ):
        page = alice.get(path).text
        assert "<svg onload" not in page and "<b hx-get" not in page, path
    assert "&lt;svg onload" in alice.get("/settings/keys").text


def test_a_page_that_is_not_there_says_so(web: Web) -> None:
    answer = web.as_("alice").get("/nothing")
    assert answer.status_code == 404
    assert "There is nothing at this address." in answer.text and "Sign out" in answer.text
    assert web.as_("alice").htmx("GET", "/nothing").text.lstrip().startswith('<div id="fault"')
    assert web.browser().get("/api/nothing").content_type == "application/problem+json"
