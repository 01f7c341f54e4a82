"""The `</>` picker: names of the bot, of earlier steps and of secrets, as far as they fit what is typed."""

from __future__ import annotations

import re

import pytest

from tests.house import document
from tests.web.conftest import Web
from tests.web.screen import put_secret

SQLITE_ONLY = "a list of names"


@pytest.fixture
def names(web: Web) -> Web:
    web.as_("alice").post("/attributes", {"name": "user.name", "sample": "Ada"})
    put_secret(web, "CRM_TOKEN", "x" * 20)
    mapping = [{"path": ["a"], "attribute": "order_status"}, {"path": ["b"], "attribute": "switched_off", "on": False}]
    web.house.put(document("one", name="Order status", mapping=mapping))
    return web


def test_it_offers_three_groups(names: Web) -> None:
    page = names.as_("bob").get("/attributes/picker").text
    assert "From your bot" in page and "{{user.name}}" in page
    assert "From the step “Order status”" in page and "{{order_status}}" in page
    assert "Secrets" in page and "{{secret.CRM_TOKEN}}" in page
    assert "x" * 20 not in page and "switched_off" not in page


def test_where_a_credential_is_wanted_the_secrets_come_first(names: Web) -> None:
    bob = names.as_("bob")
    for address, first in (("/attributes/picker", "user.name"), ("/attributes/picker?secret=1", "secret.CRM_TOKEN")):
        offered = re.findall(r'data-name="([^"]+)"', bob.get(address).text)
        assert offered[0] == first


def test_names_that_nobody_added_are_offered_and_marked(names: Web) -> None:
    """Those of other steps, and those of the form on the screen; a name that is known, or no name, is not among them."""
    names.house.put(document("two", url="https://api.example/{{order_number}}/{{user.name}}?k={{secret.CRM_TOKEN}}"))
    bob = names.as_("bob")
    page = bob.get("/attributes/picker").text
    assert "Used in other steps, not among the attributes yet" in page and page.count('data-name="order_number"') == 1
    assert page.count('data-name="user.name"') == 1 and "Used in this step" not in page
    page = bob.get("/attributes/picker?step=2&used=order_number+city+user.name+7*7+secret.X").text
    assert "Used in this step, not among the attributes yet" in page
    for name, times in (("order_number", 1), ("city", 1), ("user.name", 1), ("7*7", 0), ("secret.X", 0)):
        assert page.count(f'data-name="{name}"') == times, name
    names.as_("alice").post("/attributes", {"name": "order_number"})
    page = bob.get("/attributes/picker?used=order_number").text
    assert "Used in this step" not in page and page.count('data-name="order_number"') == 1
    assert 'data-name="order_number"' not in names.as_("charlie").get("/attributes/picker").text


def test_it_searches_without_minding_case_or_braces(names: Web) -> None:
    page = names.as_("bob").get("/attributes/picker?q={{CRM").text
    assert "secret.CRM_TOKEN" in page and "user.name" not in page


def test_a_steps_own_attributes_are_not_offered_to_itself(names: Web) -> None:
    assert "order_status" not in names.as_("bob").get("/attributes/picker?step=1").text


def test_nothing_found_says_how_to_go_on(names: Web) -> None:
    page = names.as_("bob").get("/attributes/picker?q=zzz").text
    assert "your bot sends it with the call" in page and 'data-name="zzz"' in page
    assert "data-name" not in names.as_("bob").get("/attributes/picker?q=7*7").text


def test_it_shows_nothing_of_another_account(names: Web) -> None:
    page = names.as_("charlie").get("/attributes/picker").text
    assert "user.name" not in page and "order_status" not in page and "CRM_TOKEN" not in page
