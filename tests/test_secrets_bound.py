"""A stored value is read where it was stored and nowhere else, and what was stored before goes on working."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from httpstep.core.inserting import secrethosts
from httpstep.extensions import db
from httpstep.storage.database import writing
from httpstep.storage.tables import AccessToken, Idempotency, Secret
from httpstep.storage.vault import BOUND, Vault, VaultError, new_key, secret_place
from httpstep.upkeep import installation
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.test_commands import run

ONE, TWO = "sesame-of-one-7431", "sesame-of-two-9942"
MakeHouse = Callable[..., House]


def using(name: str, key: str = "uses") -> dict[str, Any]:
    headers = [{"name": "X-Token", "value": f"{{{{secret.{name}}}}}"}]
    return document(key, url="https://api.example/", headers=headers, mapping=[])


def put(house: House, name: str, value: str, account: str = "default") -> None:
    vault, owner = house.app.extensions["httpstep"].vault, house.account(account)
    with house.app.app_context():
        installation.put_secret(vault, owner, name, value, time.time(), hosts=("https://api.example",))
        db.session.commit()


def tokens(house: House) -> dict[tuple[int, str], bytes]:
    with house.app.app_context():
        rows = db.session.execute(select(Secret.account_id, Secret.name, Secret.token))
        return {(owner, name): bytes(token) for owner, name, token in rows}


def write(house: House, owner: int, name: str, token: bytes) -> None:
    with house.app.app_context(), writing() as connection:
        mine = Secret.account_id == owner, Secret.name == name
        connection.execute(update(Secret).where(*mine).values(token=token))


def sent(house: House, third: ThirdParty, **more: Any) -> str | None:
    """What the step sends as its secret; None where it is refused and nothing was sent."""
    before = len(third.requests)
    got = house.execute("uses", **more)
    if got.status_code == 503:
        assert (got.json["title"], len(third.requests)) == ("Secrets Unavailable", before)
        return None
    return dict(third.requests[-1].headers)["X-Token"]


@pytest.fixture
def third() -> ThirdParty:
    return ThirdParty(answer(200, {"a": 1}))


@pytest.fixture
def house(make_house: MakeHouse, third: ThirdParty) -> House:
    house = make_house(third)
    house.put(using("mine"))
    house.put(using("theirs"), token=house.token(account="other"))
    put(house, "mine", ONE)
    put(house, "spare", TWO)
    put(house, "theirs", TWO, "other")
    put(house, "mine", TWO, "other")
    return house


def test_a_value_is_read_where_it_was_stored(house: House, third: ThirdParty) -> None:
    assert sent(house, third) == ONE
    assert sent(house, third, token=house.token(account="other")) == TWO
    assert all(token.startswith(BOUND) for token in tokens(house).values())
    assert not any(value.encode() in token for token in tokens(house).values() for value in (ONE, TWO))


@pytest.mark.parametrize("kept", [slice(None), slice(len(BOUND), None)], ids=["as it is", "without its mark"])
@pytest.mark.parametrize("source", ["other account", "other account, same name", "other name"])
def test_a_ciphertext_that_was_copied_is_of_no_use(
    house: House, third: ThirdParty, make_house: MakeHouse, source: str, kept: slice
) -> None:
    mine, other = house.account(), house.account("other")
    found = tokens(house)
    copied = {
        "other account": found[other, "theirs"],
        "other account, same name": found[other, "mine"],
        "other name": found[mine, "spare"],
    }[source]
    write(house, mine, "mine", copied[kept])
    assert sent(house, third) is None
    again = make_house(third)  # a start binds nothing that is bound elsewhere
    again.tokens = house.tokens
    assert sent(again, third) is None
    assert tokens(again)[mine, "mine"] == copied[kept]
    run(again, "secret", "rotate")
    last = make_house(third)
    last.tokens = house.tokens
    assert sent(last, third) is None
    assert sent(last, third, token=house.token(account="other")) == TWO


def test_a_value_that_was_read_in_its_place_is_still_read_in_no_other() -> None:
    vault = Vault([new_key()])
    token = vault.encrypt(ONE.encode(), secret_place("default", "mine"))
    for _ in range(2):
        assert vault.secret("default", "mine", token) == ONE
        for account, name in (("other", "mine"), ("default", "spare")):
            with pytest.raises(VaultError, match="copied"):
                vault.secret(account, name, token)


def test_what_was_stored_before_works_and_is_bound_by_the_next_start(
    house: House, third: ThirdParty, make_house: MakeHouse
) -> None:
    vault: Vault = house.app.extensions["httpstep"].vault
    write(house, house.account(), "mine", vault.encrypt(ONE.encode()))
    assert sent(house, third) == ONE
    again = make_house(third)
    again.tokens = house.tokens
    assert sent(again, third) == ONE
    token = tokens(again)[house.account(), "mine"]
    assert token.startswith(BOUND)
    write(again, house.account(), "spare", token)
    with pytest.raises(VaultError, match="copied"):
        vault.decrypt(token, secret_place("default", "spare"))
    assert vault.secret("default", "mine", token) == ONE


def test_where_it_may_be_sent_and_when_it_was_changed_stay(
    house: House, make_house: MakeHouse, third: ThirdParty
) -> None:
    vault: Vault = house.app.extensions["httpstep"].vault
    write(house, house.account(), "mine", vault.encrypt(ONE.encode()))

    def row(house: House) -> tuple[float, Any]:
        with house.app.app_context():
            found = db.session.scalars(select(Secret).where(Secret.name == "mine").order_by(Secret.id)).first()
            assert found is not None
            return found.updated_at, secrethosts.load(found.hosts)

    before = row(house)
    assert row(make_house(third)) == before


def test_a_start_with_another_key_leaves_them_as_they_are(tmp_path: Path) -> None:
    right, wrong = new_key(), new_key()
    house = House(tmp_path / "data", ThirdParty(), VAULT_KEYS=right)
    put(house, "mine", ONE)
    unbound = Vault([right]).encrypt(ONE.encode())
    write(house, house.account(), "mine", unbound)
    assert tokens(House(tmp_path / "data", ThirdParty(), VAULT_KEYS=wrong))[house.account(), "mine"] == unbound


def test_a_rotation_keeps_each_in_its_place(make_house: MakeHouse, third: ThirdParty) -> None:
    old, new = new_key(), new_key()
    house = make_house(third, VAULT_KEYS=old)
    house.put(using("mine"))
    put(house, "mine", ONE)
    put(house, "spare", TWO)
    assert run(make_house(third, VAULT_KEYS=f"{new},{old}"), "secret", "rotate").exit_code == 0
    again = make_house(third, VAULT_KEYS=new)
    again.tokens = house.tokens
    assert sent(again, third) == ONE
    write(again, house.account(), "mine", tokens(again)[house.account(), "spare"])
    assert sent(again, third) is None


def test_the_stored_answer_of_another_account_is_not_given(house: House, third: ThirdParty) -> None:
    other = house.token(account="other")
    for token in (None, other):
        assert house.execute("uses", headers={"Idempotency-Key": "k"}, token=token).status_code == 200
    with house.app.app_context(), writing() as connection:
        theirs = connection.execute(select(Idempotency.answer).order_by(Idempotency.id.desc())).scalars().first()
        connection.execute(update(Idempotency).values(answer=theirs))
    replayed = house.execute("uses", headers={"Idempotency-Key": "k"}, token=other)
    assert replayed.headers["Idempotency-Replayed"] == "true"
    assert house.execute("uses", headers={"Idempotency-Key": "k"}).status_code == 503


def test_a_secret_copied_to_where_an_access_token_lies_is_not_sent(make_house: MakeHouse) -> None:
    third = ThirdParty(answer(200, {"access_token": "good-token", "expires_in": 3600}))
    house = make_house(third)
    put(house, "mine", ONE)
    auth = {
        "type": "oauth2_client_credentials", "token_url": "https://id.example/t", "client_id": "me", "client_secret": "x",
    }  # fmt: skip
    house.put(document("uses", url="https://api.example/", auth=auth, mapping=[]))
    house.execute("uses")
    with house.app.app_context(), writing() as connection:
        connection.execute(update(AccessToken).values(token=next(iter(tokens(house).values()))))
    again = make_house(third)
    again.tokens = house.tokens
    again.execute("uses")
    assert ONE not in str(third.requests[-1].headers)


def test_no_text_can_pass_for_a_place() -> None:
    vault = Vault([new_key()])
    for text in ("p.", '["secret", "a", "b"]', "\ufffdx", "p.\xff[]\xff"):
        for place in (None, secret_place("a", "b")):
            assert vault.decrypt(vault.encrypt(text.encode(), place), place).decode() == text
    with pytest.raises(VaultError):
        vault.decrypt(vault.encrypt(b"x", secret_place("a", "b")), secret_place("a", 'b"]'))
