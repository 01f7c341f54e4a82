"""Secrets go in and never come out."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Web

SQLITE_ONLY = "the files of the data folder are looked into"
VALUE = "sesame-open-7431"
HOSTS = {"hosts": "https://api.example"}


def step(**more: str) -> dict[str, object]:
    return document(headers=[{"name": "X-Token", "value": "{{secret.CRM_TOKEN}}"}], **more)


def test_a_secret_is_stored_encrypted_and_never_shown(make_house: Callable[..., House], tmp_path: Path) -> None:
    third = ThirdParty(answer(200, {"a": 1}), answer(200, {"a": 1}))
    web = Web(make_house(third))
    alice = web.as_("alice")
    assert "No secrets yet" in alice.get("/secrets").text
    stored = alice.post(
        "/secrets", {"name": "CRM_TOKEN", "secret_value": VALUE + "\r\n", **HOSTS}, follow_redirects=True
    )
    assert "{{secret.CRM_TOKEN}}" in unescape(stored.text)
    web.house.put(step(name="Order status"))
    assert web.house.execute().json["outcome"] == "success"
    assert third.requests[0].headers[0] == ("X-Token", VALUE)
    shown = "".join(alice.get(path).text for path in ("/secrets", "/secrets/CRM_TOKEN/replace", "/attributes"))
    assert VALUE not in shown and "Order status" in shown
    files = b"".join(file.read_bytes() for file in (tmp_path / "data").rglob("*") if file.is_file())
    assert VALUE.encode() not in files
    replaced = alice.post("/secrets/CRM_TOKEN/replace", {"secret_value": "another value", **HOSTS})
    assert replaced.status_code == 303
    web.house.execute()
    assert third.requests[1].headers[0] == ("X-Token", "another value")


def test_a_wrong_secret_says_what_is_wrong_without_repeating_the_value(web: Web) -> None:
    alice = web.as_("alice")
    for form, sentence in (
        ({"name": "", "secret_value": VALUE}, "Give the secret a name."),
        ({"name": "a b", "secret_value": VALUE}, "begins with a letter"),
        ({"name": "X", "secret_value": ""}, "Enter the value."),
        ({"name": "X", "secret_value": "x" * 20_000}, "at most 16 KB"),
    ):
        refused = alice.post("/secrets", form | HOSTS)
        assert refused.status_code == 422 and sentence in refused.text
        assert VALUE not in refused.text
        assert f'value="{form["name"]}"' in refused.text, "the name comes back"
        if form["secret_value"] == VALUE:
            assert "Enter the value again: what was typed is never written into a page." in unescape(refused.text)
    assert alice.post("/secrets", {"name": "secret.X", "secret_value": VALUE, **HOSTS}).status_code == 303
    again = alice.post("/secrets", {"name": "X", "secret_value": "y", **HOSTS})
    assert "There is a secret of this name already." in again.text


def test_deleting_a_used_secret_says_so_first(web: Web) -> None:
    alice = web.as_("alice")
    alice.post("/secrets", {"name": "CRM_TOKEN", "secret_value": VALUE, **HOSTS})
    web.house.put(step())
    assert "1 step uses it." in alice.get("/secrets").text
    assert alice.post("/secrets/CRM_TOKEN/delete").status_code == 303
    assert "No secrets yet" in alice.get("/secrets").text
    assert alice.post("/secrets/CRM_TOKEN/delete").status_code == 404


def test_editors_see_names_and_cannot_change_them(web: Web) -> None:
    web.as_("alice").post("/secrets", {"name": "CRM_TOKEN", "secret_value": VALUE, **HOSTS})
    bob = web.as_("bob")
    assert "secret.CRM_TOKEN" in bob.get("/secrets").text
    assert bob.post("/secrets", {"name": "MINE", "secret_value": "x"}).status_code == 403
    assert bob.post("/secrets/CRM_TOKEN/delete").status_code == 403


def test_a_secret_is_made_beside_the_step_and_its_value_is_never_sent_back(web: Web) -> None:
    alice = web.as_("alice")
    asked = alice.post("/secrets/dialog", {"name": "CRM_TOKEN", "url": "https://api.example/orders/{{order.id}}"})
    assert "modal:open" in asked.headers["HX-Trigger"]
    assert 'value="CRM_TOKEN"' in asked.text and "\nhttps://api.example</textarea>" in asked.text
    bad = alice.post("/secrets/dialog/made", {"name": "no name", "secret_value": VALUE, **HOSTS})
    assert bad.status_code == 422 and "A name begins with a letter" in bad.text and VALUE not in bad.text
    nowhere = alice.post("/secrets/dialog/made", {"name": "CRM_TOKEN", "secret_value": VALUE, "hosts": ""})
    assert nowhere.status_code == 422 and "Say where this secret may be sent." in nowhere.text
    made = alice.post("/secrets/dialog/made", {"name": "secret.CRM_TOKEN", "secret_value": VALUE, **HOSTS})
    assert made.status_code == 200 and '"secret:made": {"name": "CRM_TOKEN"}' in made.headers["HX-Trigger"]
    assert VALUE not in made.text + str(made.headers)
    assert "{{secret.CRM_TOKEN}}" in unescape(alice.get("/secrets").text)
    again = alice.post("/secrets/dialog/made", {"name": "CRM_TOKEN", "secret_value": VALUE, **HOSTS})
    assert again.status_code == 422 and "There is a secret of this name already." in again.text


def test_only_hosts_that_are_written_out_are_filled_in(web: Web) -> None:
    alice = web.as_("alice")
    varies = alice.post("/secrets/dialog", {"name": "A", "url": "https://{{shop}}.example/orders"}).text
    assert "https://{{shop}}" not in varies and '<textarea class="textarea mono" id="f-hosts"' in varies
    token = {"auth_token_url": "https://login.example/token", "url": "https://api.example/x"}
    assert "\nhttps://api.example\nhttps://login.example</textarea>" in alice.post("/secrets/dialog", token).text


def test_what_is_kept_already_is_offered_and_no_name_that_is_taken(web: Web) -> None:
    alice, bob = web.as_("alice"), web.as_("bob")
    field = {"name": "TOKEN", "url": "https://api.example/", "into": "1", "secret_value": VALUE}
    assert 'value="API_TOKEN"' in alice.post("/secrets/dialog", field).text
    assert "kept-secret" not in alice.post("/secrets/dialog", field).text, "there is none"
    alice.post("/secrets", {"name": "API_TOKEN", "secret_value": VALUE, **HOSTS})
    alice.post("/secrets", {"name": "API_TOKEN_2", "secret_value": "another", **HOSTS})
    same = alice.post("/secrets/dialog", field).text
    assert "This value is kept already" in same and 'data-use-secret="API_TOKEN"' in same and VALUE not in same
    assert "new-secret-value" not in same
    other = alice.post("/secrets/dialog", field | {"secret_value": "a third"}).text
    assert 'value="API_TOKEN_3"' in other and "a third" not in other
    both = "<option>API_TOKEN</option><option>API_TOKEN_2</option>"
    assert both in other and '<input type="hidden" name="into" value="1">' in other
    refused = alice.post("/secrets/dialog/made", {"name": "no name", "secret_value": "a third", "into": "1", **HOSTS})
    assert refused.status_code == 422 and both in refused.text, "what was refused leaves the choice"
    told = bob.post("/secrets/dialog", field).text
    assert "<option>API_TOKEN</option>" in told and "This value is kept already" not in told, (
        "nobody may guess values here"
    )
    assert "kept-secret" not in alice.post("/secrets/dialog", {"name": "NEW", "url": ""}).text, "no field asks"
    assert "kept-secret" not in web.as_("charlie").post("/secrets/dialog", field | {"name": "A"}).text


@pytest.mark.parametrize(
    ("name", "url", "suggested"),
    [
        ("API_KEY", "https://api.corner-shop.example/orders", "CORNER_SHOP_API_KEY"),
        ("TOKEN", "https://crm.co.uk/", "CRM_TOKEN"),
        ("STRIPE_KEY", "https://api.stripe.com/v1", "STRIPE_KEY"),
        ("API_KEY", "http://localhost:9000/", "API_KEY"),
        ("KEY", "http://10.0.0.1/?key=a", "API_KEY"),
        ("TOKEN", "https://{{shop}}.example/", "API_TOKEN"),
    ],
)
def test_a_name_is_suggested_that_says_later_what_it_is_for(web: Web, name: str, url: str, suggested: str) -> None:
    field = {"name": name, "url": url, "into": "1", "secret_value": VALUE}
    assert f'value="{suggested}"' in web.as_("alice").post("/secrets/dialog", field).text


def test_an_editor_learns_who_can_make_one_and_makes_none(web: Web) -> None:
    bob = web.as_("bob")
    told = bob.post("/secrets/dialog", {"name": "A", "url": "https://api.example/"}).text
    assert "alice@" in told and "secret_value" not in told
    assert bob.post("/secrets/dialog/made", {"name": "A", "secret_value": VALUE, **HOSTS}).status_code == 403
