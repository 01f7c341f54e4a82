"""The key of another installation: what needs a secret says so in words, all else goes on, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from httpstep.extensions import db
from httpstep.storage.tables import BudgetHit, Secret
from httpstep.storage.vault import Vault, new_key
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.test_commands import run
from tests.web.conftest import Browser, Web
from tests.web.screen import open_step, put_secret

SECRET = "sesame-open-7431-wide"
RIGHT, WRONG = new_key(), new_key()
SAID = [{"path": ["said"], "attribute": "said"}]
KEY = {"Idempotency-Key": "order-42"}


@pytest.fixture
def third() -> ThirdParty:
    return ThirdParty(lambda sent: answer(200, {"said": len(dict(sent.headers).get("X-Token", ""))}))


@pytest.fixture
def started(make_house: Callable[..., House], third: ThirdParty) -> Callable[..., House]:
    """started(KEYS): the application on the same data with those keys of the vault."""
    web = Web(make_house(third, VAULT_KEYS=RIGHT))
    put_secret(web, "CRM", SECRET)
    web.house.put(document("open", url="https://api.example/open", mapping=SAID))
    secretive = {
        "url": "https://api.example/closed",
        "headers": [{"name": "X-Token", "value": "{{secret.CRM}}"}],
        "mapping": SAID,
    }
    web.house.put(document("closed", fallback="continue", **secretive))
    web.house.flow("closed", "open", name="closed first")
    web.house.flow("open", "closed", name="open first")
    assert web.house.execute("open", headers=KEY).json["attributes"] == {"said": 0}
    token = web.house.token()

    def start(keys: str) -> House:
        house = make_house(third, VAULT_KEYS=keys)
        house.tokens["default/manage"] = token
        third.requests.clear()
        return house

    return start


def test_what_needs_a_secret_says_in_words_that_it_cannot_be_read(
    started: Callable[..., House], third: ThirdParty
) -> None:
    house = started(WRONG)
    refusals: list[Any] = [
        house.execute("closed"),
        house.run_flow("closed-first"),
        house.execute("open", headers=KEY),
    ]
    for refused, next_ in zip(refusals, ("continue", "continue", "stop"), strict=True):
        assert (refused.status_code, refused.content_type) == (503, "application/problem+json")
        assert (refused.json["title"], refused.json["next"]) == ("Secrets Unavailable", next_)
        assert "Put back the key it was stored with." in refused.json["detail"]
    bob = as_bob(house)
    for shown in (open_step(bob, 2).fragment("test"), bob.post("/steps/2", open_step(bob, 2).data(op="test"))):
        assert shown.status_code == 503 and "Secrets Unavailable" in shown.text
    ran = run(house, "step", "run", "closed", "--attributes", "{}", "--account", "default")
    assert ran.exit_code == 1 and "Error: Secrets Unavailable. A stored value cannot be decrypted" in ran.output
    assert third.requests == [], "no call is made, with or without the value"
    with house.app.app_context():
        assert db.session.query(BudgetHit).where(BudgetHit.key.like("budget/%")).count() == 1, "that of the first call"


def as_bob(house: House) -> Browser:
    browser = Browser(house)
    assert browser.sign_in("bob@example.com").status_code == 303
    return browser


def test_what_needs_none_goes_on(started: Callable[..., House], third: ThirdParty) -> None:
    house = started(WRONG)
    bob = as_bob(house)
    for path in (
        "/steps",
        "/steps/1",
        "/steps/2",
        "/steps/2/logs",
        "/secrets",
        "/attributes",
        "/settings/account",
        "/health",
    ):
        assert bob.get(path).status_code in (200, 204), path
    assert open_step(bob, 1).fragment("test").status_code == 200
    assert house.execute("open").json["outcome"] == "success"
    half = house.run_flow("open-first")
    assert (half.status_code, half.json["outcome"], half.json["next"]) == (200, "invalid_request", "continue")
    assert half.json["message"].startswith("Secrets Unavailable. ")
    assert [one["outcome"] for one in half.json["steps"]] == ["success", "invalid_request"]
    assert len(third.requests) == 3


def test_with_the_right_key_again_all_is_there(started: Callable[..., House], third: ThirdParty) -> None:
    assert started(WRONG).execute("closed").status_code == 503
    house = started(RIGHT)
    assert house.execute("closed").json["attributes"] == {"said": len(SECRET)}
    replayed = house.execute("open", headers=KEY)
    assert (replayed.headers["Idempotency-Replayed"], replayed.json["attributes"]) == ("true", {"said": 0})
    assert len(third.requests) == 1


def test_after_a_rotation_the_stored_answer_is_replayed_and_the_old_key_is_of_no_use(
    started: Callable[..., House], third: ThirdParty
) -> None:
    house = started(WRONG)
    with_neither = run(house, "secret", "rotate")
    assert with_neither.exit_code == 1 and "Put back the key it was stored with." in with_neither.output
    rotated = run(started(f"{WRONG},{RIGHT}"), "secret", "rotate")
    assert rotated.exit_code == 0 and "2 values are encrypted with the newest key." in rotated.output
    house = started(WRONG)
    assert house.execute("open", headers=KEY).headers["Idempotency-Replayed"] == "true"
    assert house.execute("closed").json["attributes"] == {"said": len(SECRET)}
    assert len(third.requests) == 1
    with house.app.app_context():
        token = db.session.query(Secret).one().token
    with pytest.raises(Exception, match="cannot be decrypted"):
        Vault([RIGHT]).decrypt(token)
