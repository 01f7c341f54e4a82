"""An account as a file and back: what would change is shown first, nothing is done before it is confirmed, and then all
of it or nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.test_apply import state
from tests.test_export import VALUE, furnish
from tests.web.conftest import Browser, Web

MakeHouse = Callable[..., House]


@pytest.fixture
def web(make_house: MakeHouse) -> Web:
    house = make_house(ThirdParty(answer(200, {"size": 1.50})))
    furnish(house)
    return Web(house)


def downloaded(browser: Browser) -> dict[str, Any]:
    got = browser.get("/settings/backup/account.json")
    assert got.status_code == 200 and VALUE not in got.text
    assert re.fullmatch(r'attachment; filename="httpstep-default-\d{8}\.json"', got.headers["Content-Disposition"])
    return dict(json.loads(got.text))


def upload(browser: Browser, content: bytes | dict[str, Any], **more: str) -> TestResponse:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    parts = [
        f'name="{name}"\r\n\r\n{value}'.encode() for name, value in {"csrf_token": browser.token(), **more}.items()
    ]
    parts.append(b'name="file"; filename="kept.json"\r\n\r\n' + data)
    body = b"".join(b"--edge\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--edge--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    return browser.client.post("/settings/backup/preview", data=body, headers=headers)


def confirmation(page: TestResponse) -> dict[str, str]:
    """The fields of the form that confirms."""
    form = page.text[page.text.index('id="preview"') :].split("</form>")[0]
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)}


def changed_and_more(web: Web) -> None:
    """After a backup: one step edited, one new, one attribute and the flow gone."""
    web.house.put(document("own", headers=[{"name": "X", "value": "new"}], mapping=[], timeout=9))
    web.house.put(document("later"))
    for path in ("/flows/both", "/attributes/city"):
        assert web.house.call("DELETE", path).status_code == 204


@pytest.mark.sqlite_only("decided and shown above the database")
def test_a_preview_says_what_would_be_added_changed_and_removed_and_does_nothing(web: Web) -> None:
    alice = web.as_("alice")
    kept = downloaded(alice)
    changed_and_more(web)
    before = state(web.house)
    page = upload(alice, kept, delete="yes")
    assert page.status_code == 200
    rows = re.findall(r'badge-\w+">(\w+)<.*?"What">(\w+)<.*?<strong>([^<]+)<.*?differ"[^>]*>([^<]+)<', page.text)
    assert sorted(rows) == [
        ("Added", "Attribute", "city", "–"), ("Added", "Flow", "both", "–"),
        ("Changed", "Step", "own", "request, timeout"), ("Removed", "Step", "later", "–"),
    ]  # fmt: skip
    assert "2 added, 1 changed, 1 removed, 1 as they are." in page.text
    assert state(web.house) == before


@pytest.mark.parametrize("delete", [True, False])
def test_a_confirmed_restore_makes_the_account_what_the_file_says(web: Web, delete: bool) -> None:
    alice = web.as_("alice")
    kept = downloaded(alice)
    changed_and_more(web)
    fields = confirmation(upload(alice, kept, **({"delete": "yes"} if delete else {})))
    done = alice.post("/settings/backup/restore", fields)
    assert done.status_code == 303
    said = "2 created, 1 changed, 1 deleted" if delete else "2 created, 1 changed"
    assert f"Restored: {said}." in alice.get("/settings/backup").text
    now = downloaded(alice)
    assert [one["key"] for one in now["steps"]] == (["auto", "own"] if delete else ["auto", "later", "own"])
    assert {name: now[name] for name in ("attributes", "flows", "secrets")} == {
        name: kept[name] for name in ("attributes", "flows", "secrets")
    }
    listed = web.house.call("GET", "/audit").json["entries"]
    assert ("alice@example.com", "backup restored", said) in [
        (one["who"], one["what"], one["detail"]) for one in listed
    ]
    again = upload(alice, now, delete="yes")
    assert "Nothing to do" in again.text and ">Restore<" not in again.text


def test_what_somebody_changed_since_the_preview_is_not_lost(web: Web) -> None:
    """Also where the plan would read the same: the very member that the restore changes was edited once more."""
    alice = web.as_("alice")
    kept = downloaded(alice)
    web.house.put(document("own", mapping=[], timeout=9))
    fields = confirmation(upload(alice, kept))
    web.house.put(document("own", mapping=[], timeout=8))
    before = state(web.house)
    late = alice.post("/settings/backup/restore", fields)
    assert late.status_code == 409 and "Somebody changed the account since the last preview" in late.text
    assert state(web.house) == before
    assert alice.post("/settings/backup/restore", confirmation(late)).status_code == 303
    assert downloaded(alice)["steps"] == kept["steps"]


def test_another_account_is_told_which_secrets_to_set_and_nothing_of_this_ones_is_touched(web: Web) -> None:
    kept, before = downloaded(web.as_("alice")), state(web.house)
    charlie = web.as_("charlie")
    page = upload(charlie, kept, delete="yes")
    assert (
        "Secrets to set afterwards" in page.text and "used by own" in page.text and "https://api.example" in page.text
    )
    assert charlie.post("/settings/backup/restore", confirmation(page)).status_code == 303
    assert state(web.house) == before
    assert [one["key"] for one in charlie.get("/settings/backup/account.json").json["steps"]] == ["auto", "own"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "kept.json: "), (b"{oops", "kept.json: "), (b"[]", "kept.json: "), (b"[" * 500, "kept.json: "),
        (b"\xff\xfe\x00", "kept.json: "), (b'{"format": "httpstep/1"}', "This is no export of an account"),
        (b'{"format": "httpstep-account/1", "steps": [{"key": "<b>"}]}', "kept.json, steps[0]: "),
        (b'{"format": "httpstep-account/1", "flows": [{"key": "f", "name": "f", "steps": [{"step": "gone"}]}]}', "There is no step"),
        (b" " * 2_500_001, "more than 2.5 MB"),
    ],
)  # fmt: skip
@pytest.mark.sqlite_only("refused before anything is written")
def test_a_file_that_is_no_backup_is_a_sentence_and_nothing_is_changed(web: Web, content: bytes, says: str) -> None:
    alice, before = web.as_("alice"), state(web.house)
    refused = upload(alice, content)
    assert refused.status_code == 422 and says in unescape(refused.text) and 'id="preview"' not in refused.text
    told = alice.post("/settings/backup/restore", {"document": content.decode("latin-1"), "seen": "", "delete": "yes"})
    assert told.status_code == 422
    assert state(web.house) == before


@pytest.mark.sqlite_only("decided and shown above the database")
def test_without_a_file_the_page_asks_for_one(web: Web) -> None:
    assert "Choose the file of a backup" in web.as_("alice").post("/settings/backup/preview").text


@pytest.mark.sqlite_only("decided and shown above the database")
def test_a_restore_that_nobody_saw_a_preview_of_is_not_done(web: Web) -> None:
    alice = web.as_("alice")
    kept, before = downloaded(alice), state(web.house)
    kept["steps"] = kept["flows"] = []
    form = {"document": json.dumps(kept), "delete": "yes"}
    assert alice.post("/settings/backup/restore", form).status_code == 409
    assert state(web.house) == before


@pytest.mark.sqlite_only("decided and shown above the database")
def test_only_admins_get_the_page_and_the_file(web: Web) -> None:
    for path in ("/settings/backup", "/settings/backup/account.json"):
        assert [web.as_(name).get(path).status_code for name in ("bob", "vera", "charlie")] == [403, 403, 200]
    assert 'href="/settings/backup"' not in web.as_("bob").get("/settings/account").text
