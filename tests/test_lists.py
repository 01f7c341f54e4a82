"""Lists stand in one order whatever the database folds or collates, and their search finds the same on each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from httpstep.core.step.naming import in_lists
from httpstep.storage import (
    catalogue,
    flows,
    overview,
    steps,
    users,
)
from httpstep.storage.database import editing
from tests.fakes import ThirdParty
from tests.house import House, document

NAMES = (
    "ähre",
    "apple",
    "Äpfel",
    "apple pie",
    "Éclair",
    "eclair 2",
    "Zebra",
    "zoo",
    "ångström",
    "Зима",
    "зонт",
    "_x",
    "B",
    "a",
)
ORDERED = ["_x", "a", "ähre", "ångström", "Äpfel", "apple", "apple pie", "B", "Éclair", "eclair 2", "Zebra", "zoo", "Зима", "зонт"]  # fmt: skip
PLAIN = ("b_2", "B.1", "_a", "Zebra", "apple", "Apple", "b-1")
PLAIN_ORDERED = ["_a", "Apple", "apple", "b-1", "B.1", "b_2", "Zebra"]


def test_neither_case_nor_accents_count_in_the_order_of_names() -> None:
    assert sorted(NAMES, key=in_lists) == ORDERED
    assert sorted(PLAIN, key=in_lists) == PLAIN_ORDERED
    assert sorted(["STRASSE 2", "Straße 1", "A\u0308pfel 1", "Äpfel 2"], key=in_lists)[:2] == [
        "A\u0308pfel 1",
        "Äpfel 2",
    ]


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    """A house with steps, flows, attributes, secrets, users and invitations of such names."""
    house = make_house(ThirdParty())
    for number, name in enumerate(NAMES):
        house.put(document(f"s{number}", name=name, mapping=[{"path": ["a"], "attribute": f"given.{number}"}]))
        house.flow(f"s{number}", name=name)
    account = house.account()
    with house.app.app_context():
        for name in PLAIN:
            catalogue.save(account, catalogue.AttributeEntry(name, in_bot=True))
            catalogue.put_secret(account, name, b"", hosts=(), now=0, new=True)
        for name in ("b_2", "_a", "apple", "b-1"):
            users.invite(account, f"{name}@example.com", "viewer")
        for name in ("b_2x", "_ax", "b-1x"):
            with editing():
                users.add(account, f"{name}@example.com", "correct horse battery", "viewer")
    return house


def test_every_list_of_names_has_that_order(house: House) -> None:
    account = house.account()
    with house.app.app_context():
        names = overview.names_for(account, None)
        in_order: dict[str, list[Any]] = {
            "steps": [step.name for step in steps.listed(account)],
            "steps of a flow": [step.spec.name for step in steps.load_all(account)],
            "the page of steps": [row.spec.name for row in overview.listed(account, "", may_edit=True)],
            "flows": [row.name for row in flows.listed(account)],
            "steps in the picker": list(names.from_steps),
        }
        plain: dict[str, list[Any]] = {
            "attributes": [one.name for one in catalogue.entries(account) if "given" not in one.name],
            "attributes in the picker": list(names.bot),
            "secrets": [one.name for one in catalogue.secrets(account)],
            "secrets in the picker": list(names.secrets),
        }
        emails = [user.email.partition("@")[0] for user in users.listed(account)]
        invited = [code.email.partition("@")[0] for code in users.invitations(account)]
    assert in_order == dict.fromkeys(in_order, ORDERED)
    assert plain == dict.fromkeys(plain, PLAIN_ORDERED)
    assert emails == ["_ax", "b-1x", "b_2x"]
    assert invited == ["_a", "apple", "b-1", "b_2"]
    assert [step["name"] for step in house.call("GET", "/steps").json["steps"]] == ORDERED


def test_the_search_folds_the_case_of_every_script(house: House) -> None:
    expected = {"ÄPF": ["Äpfel"], "зИМ": ["Зима"], "éclair": ["Éclair"], "A_B%": [], "%": []}
    with house.app.app_context():
        found = {
            typed: [row.spec.name for row in overview.listed(house.account(), typed, may_edit=True)]
            for typed in expected
        }
    assert found == expected
