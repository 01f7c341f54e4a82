"""Sessions stand in the database: whoever ends one, it is over at once. So does the throttle of sign-ins."""

from __future__ import annotations

import re

import pytest

from httpstep.storage import sessions, users
from tests.web.conftest import Web


def test_sign_out_ends_the_session_on_the_server_too(web: Web) -> None:
    browser = web.as_("alice")
    cookie = browser.client.get_cookie("httpstep_session")
    assert cookie
    assert browser.get("/logout").status_code == 405
    assert browser.post("/logout").location == "/login"
    browser.client.set_cookie("httpstep_session", cookie.value)
    assert browser.get("/settings/account").status_code == 303


def test_a_disabled_user_is_out_at_once(web: Web) -> None:
    alice, bob = web.as_("alice"), web.as_("bob")
    with web.house.app.app_context():
        found = users.by_email("bob@example.com")
        assert found is not None
    alice.post(f"/settings/users/{found.id}", {"role": "editor", "disabled": "on"})
    assert bob.get("/settings/account").status_code == 303
    assert web.browser().sign_in("bob@example.com").status_code == 422


def test_a_role_chosen_on_an_old_page_lets_no_disabled_user_in_again(web: Web) -> None:
    alice = web.as_("alice")
    with web.house.app.app_context():
        bob = users.by_email("bob@example.com")
        assert bob is not None
    alice.post(f"/settings/users/{bob.id}", {"disabled": "on"})
    alice.post(f"/settings/users/{bob.id}", {"role": "viewer"})
    assert web.browser().sign_in("bob@example.com").status_code == 422
    enabled = alice.post(f"/settings/users/{bob.id}", {"disabled": ""}, follow_redirects=True)
    assert "bob@example.com can sign in again." in enabled.text
    assert web.browser().sign_in("bob@example.com").status_code == 303


def test_an_admin_has_no_hand_on_who_runs_the_installation(web: Web) -> None:
    """A link to a new password of an operator would be the operator's rights."""
    with web.house.app.app_context():
        alice, bob = users.by_email("alice@example.com"), users.by_email("bob@example.com")
        assert alice is not None and bob is not None
        operator, admins = alice.id, bob.id
        users.change(bob.account_id, admins, role="admin")
    admin = web.as_("bob")
    for path, form in (("/password-link", {}), ("", {"disabled": "on"}), ("", {"role": "viewer"})):
        assert admin.post(f"/settings/users/{operator}{path}", form).status_code == 403
    page = admin.get("/settings/users").text
    assert f"/settings/users/{operator}" not in page
    assert web.as_("alice").post(f"/settings/users/{admins}/password-link").status_code == 201


def test_other_sessions_can_be_ended_one_by_one_or_all(web: Web) -> None:
    here, there, third = web.as_("alice"), web.as_("alice"), web.as_("alice")
    page = here.get("/settings/sessions").text
    assert page.count("This browser") == 1
    ends = re.findall(r'action="/settings/sessions/(\d+)/end"', page)
    assert len(ends) == 2
    assert here.post(f"/settings/sessions/{ends[0]}/end").status_code == 303
    assert sorted(one.get("/settings/account").status_code for one in (there, third)) == [200, 303]
    here.post("/settings/sessions/end-others")
    assert [one.get("/settings/account").status_code for one in (here, there, third)] == [200, 303, 303]


def test_nobody_ends_the_session_of_another_user(web: Web) -> None:
    alice, bob = web.as_("alice"), web.as_("bob")
    web.as_("alice")
    foreign = re.findall(r'action="/settings/sessions/(\d+)/end"', alice.get("/settings/sessions").text)[0]
    assert bob.post(f"/settings/sessions/{foreign}/end").status_code == 404


def test_the_sixth_wrong_password_in_a_minute_is_refused_and_locks_nobody_else_out(web: Web) -> None:
    guesser = web.browser()
    tries = [guesser.sign_in("alice@example.com", f"guess number {number}") for number in range(6)]
    assert [one.status_code for one in tries] == [422] * 5 + [429]
    assert 0 < int(tries[-1].headers["Retry-After"]) <= 61
    assert "too many tries" in tries[-1].text
    elsewhere = web.browser().sign_in("alice@example.com", environ_overrides={"REMOTE_ADDR": "203.0.113.9"})
    assert elsewhere.status_code == 303
    assert web.browser().sign_in("bob@example.com").status_code == 303


def test_a_session_ends_after_thirty_days(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "SECONDS", -1)
    assert web.as_("alice").get("/settings/account").status_code == 303
