"""Users on the command line: added, and let in again with a new password."""

from __future__ import annotations

from collections.abc import Callable

from httpstep.storage import sessions, users
from httpstep.upkeep import installation
from tests.house import House
from tests.test_storage_commands import run


def test_a_user_is_added_with_a_password_that_is_asked_for(make_house: Callable[..., House]) -> None:
    house = make_house()
    made = run(house, "user", "add", "Ana@example.com", "--role", "editor", text="correct horse\ncorrect horse\n")
    assert made.exit_code == 0 and made.output.endswith("ana@example.com\n") and "correct horse" not in made.output
    with house.app.app_context():
        user = users.authenticated("ana@example.com", "correct horse")
        assert user is not None and user.role == "editor" and not user.operator
        assert installation.new_setup_code() is None
    for arguments in (("ana@example.com",), ("no address",)):
        refused = run(house, "user", "add", *arguments, "--password", "correct horse")
        assert refused.exit_code == 1 and refused.output.startswith("Error: ")
    assert run(house, "user", "add", "b@example.com", "--password", "short").exit_code == 1


def test_a_reset_password_signs_out_everywhere(make_house: Callable[..., House]) -> None:
    house = make_house()
    run(house, "user", "add", "ana@example.com", "--password", "correct horse")
    with house.app.app_context():
        user = users.by_email("ana@example.com")
        assert user is not None
        token = sessions.begin(user.id, 1e12, user_agent="", address="")
    assert run(house, "user", "reset-password", "ana@example.com", "--password", "battery staple").exit_code == 0
    with house.app.app_context():
        assert sessions.find(token, 1e12) is None
        assert users.authenticated("ana@example.com", "correct horse") is None
        assert users.authenticated("ana@example.com", "battery staple") is not None
    again = ("user", "reset-password", "ana@example.com", "--password", "horse battery")
    assert run(house, *again, "--account", "default").exit_code == 0
    house.account("charlies")
    refused = run(house, *again, "--account", "charlies")
    assert refused.exit_code == 1 and 'There is no user ana@example.com in the account "charlies".' in refused.output
    assert 'There is no account "no".' in run(house, *again, "--account", "no").output
    assert run(house, *again).exit_code == 0, "of several accounts the address tells which"
    assert run(house, "user", "reset-password", "nobody@example.com", "--password", "battery staple").exit_code == 1
