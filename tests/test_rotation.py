"""A new key for the vault: everything encrypted is under it afterwards, or nothing has changed."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from httpstep.extensions import db
from httpstep.storage import catalogue
from httpstep.storage.tables import Secret
from httpstep.storage.vault import Vault, VaultError, new_key
from tests.fakes import ThirdParty, answer
from tests.house import House
from tests.test_storage_commands import VALUE, furnish, run, sent_token

KEY = {"Idempotency-Key": "a"}


def test_a_rotation_puts_every_secret_under_a_new_key(make_house: Callable[..., House], tmp_path: Path) -> None:
    house = make_house(ThirdParty())
    furnish(house)
    house.execute(headers=KEY)
    key_file = tmp_path / "data" / "vault.key"
    old = key_file.read_text().strip()
    rotated = run(house, "secret", "rotate")
    assert rotated.output == "2 values are encrypted with the newest key.\n"
    new = key_file.read_text().strip()
    assert new != old and stat.S_IMODE(key_file.stat().st_mode) == 0o600
    with house.app.app_context():
        token = db.session.scalars(select(Secret.token)).one()
    assert Vault([new]).decrypt(token).decode() == VALUE
    with pytest.raises(VaultError):
        Vault([old]).decrypt(token)
    again = make_house(third := ThirdParty())
    again.tokens = house.tokens
    assert again.execute(headers=KEY).headers["Idempotency-Replayed"] == "true" and third.requests == []


def test_keys_of_the_operator_are_rotated_to_the_newest(make_house: Callable[..., House]) -> None:
    old, new = new_key(), new_key()
    furnish(make_house(ThirdParty(), VAULT_KEYS=old))
    third = ThirdParty(answer(200, {"a": 1}))
    assert run(make_house(VAULT_KEYS=f"{new},{old}"), "secret", "rotate").exit_code == 0
    assert sent_token(make_house(third, VAULT_KEYS=new), third) == VALUE


def test_a_secret_that_is_stored_during_a_rotation_is_not_put_back(
    make_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = new_key(), new_key()
    furnish(house := make_house(ThirdParty(), VAULT_KEYS=f"{new},{old}"))
    rotate, vault, owner = Vault.rotate, Vault([new]), house.account()

    def store() -> None:
        with house.app.app_context():
            [name] = db.session.scalars(select(Secret.name))
            catalogue.put_secret(owner, name, vault.encrypt(b"the newer value"), hosts=None, now=2.0, new=False)

    storing = threading.Thread(target=store)

    def slow(self: Vault, token: bytes) -> bytes:
        storing.start()
        storing.join(0.5)
        return rotate(self, token)

    monkeypatch.setattr(Vault, "rotate", slow)
    assert run(house, "secret", "rotate").exit_code == 0
    storing.join(20)
    with house.app.app_context():
        assert vault.decrypt(db.session.scalars(select(Secret.token)).one()) == b"the newer value"


def test_a_rotation_without_the_right_key_changes_nothing(make_house: Callable[..., House]) -> None:
    old = new_key()
    furnish(make_house(ThirdParty(), VAULT_KEYS=old))
    refused = run(make_house(VAULT_KEYS=new_key()), "secret", "rotate")
    assert refused.exit_code == 1 and "cannot be decrypted" in refused.output
    third = ThirdParty(answer(200, {"a": 1}))
    assert sent_token(make_house(third, VAULT_KEYS=old), third) == VALUE
