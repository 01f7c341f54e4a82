"""A whole account out and in again: to another account, another installation, and from SQLite to PostgreSQL."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from httpstep.storage import flows, steps
from httpstep.upkeep import documentfiles
from tests.conftest import _closed
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.test_apply import state
from tests.test_commands import run

MakeHouse = Callable[..., House]
VALUE = "s3cr3t-value-of-the-test"
WHEN = {"attribute": "plan", "is": "one_of", "value": "free, pro"}


def furnish(house: House) -> None:
    """An account with everything, a mapping that was made by itself included."""
    secret = {"value": VALUE, "hosts": ["https://api.example"]}
    attribute = '{"sample": 1.10, "default": null, "in_bot": false}'
    house.put(document("auto", name="Größe  €", url="https://api.example/{{city}}"))
    house.put(document("own", headers=[{"name": "X", "value": "{{secret.token}}"}], mapping=[], timeout=2.50))
    house.execute("auto", {"city": "Bern"})
    flow = {"name": "Both", "steps": [{"step": "auto"}, {"step": "own", "when": WHEN}]}
    for path, body in (("/flows/both", flow), ("/secrets/token", secret), ("/secrets/spare", secret)):
        assert house.call("PUT", path, json=body).status_code == 201
    put = house.call("PUT", "/attributes/city", data=attribute, content_type="application/json")
    assert put.status_code == 201


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    house = make_house(ThirdParty(answer(200, {"size": 1.50})))
    furnish(house)
    return house


def exported(house: House, file: Path, *more: str) -> dict[str, Any]:
    done = run(house, "export", *more)
    assert done.exit_code == 0 and VALUE not in done.output
    file.write_text(done.output)
    return dict(json.loads(done.output))


@pytest.mark.sqlite_only("what is read and written is made above the database")
def test_an_export_says_everything_but_the_values_of_secrets(house: House, tmp_path: Path) -> None:
    whole = exported(house, tmp_path / "account.json")
    assert list(whole) == ["format", "account", "attributes", "steps", "flows", "secrets"]
    assert whole["account"] == {"slug": "default", "name": "Default"}
    assert whole["secrets"] == [{"name": name, "hosts": ["https://api.example"]} for name in ("spare", "token")]
    assert [one["key"] for one in whole["steps"]] == ["auto", "own"]
    assert whole["steps"][0]["mapping"][0]["attribute"] == "size", "the mapping in force comes along"
    assert whole["flows"][0]["steps"][1] == {"step": "own", "when": WHEN}
    text = (tmp_path / "account.json").read_text()
    assert '"sample": 1.10' in text and '"timeout": 2.5' in text, "numbers keep their digits"


def test_importing_an_export_into_its_own_account_changes_nothing(house: House, tmp_path: Path) -> None:
    exported(house, tmp_path / "account.json")
    before = state(house)
    done = run(house, "import", str(tmp_path / "account.json"))
    assert done.output == "Nothing to do: 4 unchanged.\n"
    assert state(house) == before


def test_another_account_is_made_the_same_and_told_which_secrets_to_set(house: House, tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    whole = exported(house, file, "--account", "default")
    run(house, "account", "create", "second")
    planned = run(house, "import", str(file), "--account", "second", "--plan")
    assert "create  flow       both" in planned.stdout and "Done" not in planned.stdout
    assert run(house, "step", "export", "--account", "second").output == "[]\n"
    done = run(house, "import", str(file), "--account", "second")
    assert done.exit_code == 0 and done.stdout.endswith("Done: 4 created.\n")
    assert done.stderr.splitlines() == [
        "The secret spare has to be set, no document has its value; it may be sent to https://api.example.",
        "The secret token has to be set, no document has its value; it may be sent to https://api.example; used by own.",
    ]
    again = exported(house, tmp_path / "again.json", "--account", "second")
    assert {name: again[name] for name in ("attributes", "steps", "flows")} == {
        name: whole[name] for name in ("attributes", "steps", "flows")
    }
    token = house.token(account="second")
    assert [one["step"] for one in house.run_flow("both", token=token).json["steps"]] == ["auto", "own"]


def test_what_the_account_has_beside_the_export_stays_and_where_a_secret_may_be_sent_too(
    house: House, tmp_path: Path
) -> None:
    whole = exported(house, tmp_path / "account.json")
    whole["secrets"][1]["hosts"] = ["https://evil.example"]
    (tmp_path / "account.json").write_text(json.dumps(whole))
    house.put(document("more"))
    assert run(house, "import", str(tmp_path / "account.json")).exit_code == 0
    assert [one["hosts"] for one in house.call("GET", "/secrets").json["secrets"]] == [["https://api.example"]] * 2
    assert house.call("GET", "/steps/more").status_code == 200


def test_a_folder_that_was_exported_is_what_apply_reads(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    done = run(house, "export", "--folder", str(folder))
    assert done.output.splitlines() == ["attributes.json", "steps/auto.json", "steps/own.json", "flows/both.json"]
    assert run(house, "apply", str(folder), "--delete").output == "Nothing to do: 4 unchanged.\n"
    refused = run(house, "export", "--folder", str(folder))
    assert refused.exit_code == 1 and "is not empty. Name a new folder." in refused.output
    refused = run(house, "export", "--folder", str(folder / "attributes.json"))
    assert refused.exit_code == 1 and "attributes.json: " in refused.output


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": "httpstep/1"}, "account.json: This is no export of an account: its “format” is not httpstep-account/1."),
        ({"steps": {}}, "account.json: steps: “steps” must be a list, not an object."),
        ({"stepz": []}, 'account.json: stepz: Unknown member "stepz" in the account.'),
        ({"secrets": [{"name": "x", "value": "y"}]}, 'Unknown member "value" in secrets[0].'),
        ({"secrets": [{"name": "x\ny"}]}, "secrets[0].name: A name begins with"),
        ({"secrets": [{"name": "x", "hosts": ["\x1b[2J"]}]}, "secrets[0].hosts: “hosts” must be a list of hosts"),
        ({"secrets": [{"name": "x", "hosts": {}}]}, "secrets[0].hosts: “hosts” must be a list of hosts"),
        ({"steps": [document("a"), document("a")]}, "account.json, steps[1]: The step “a” is in account.json, steps[0] already."),
        ({"steps": [document("a", timeout=99)]}, "steps[0]: timeout: The timeout must be"),
        ({"flows": [document("a")]}, "flows[0]: format: This is not a document of format httpstep-flow/1."),
        ({"flows": [{"key": "f", "name": "f", "steps": [{"step": "gone"}]}]}, "flows[0]: steps[0].step: There is no step"),
        ({"attributes": ["x"]}, "attributes[0]: An attribute must be an object, not a text."),
        ({"attributes": [{"name": "a"}] * 6000}, "There are more than 5,000 documents."),
    ],
)  # fmt: skip
@pytest.mark.sqlite_only("refused before anything is written")
def test_a_broken_export_is_a_sentence_with_its_place_and_nothing_is_imported(
    house: House, tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    before, file = state(house), tmp_path / "account.json"
    file.write_text(json.dumps(exported(house, file) | change))
    refused = run(house, "import", str(file))
    assert refused.exit_code == 1 and "Nothing was imported." in refused.output and says in refused.output
    assert state(house) == before


@pytest.mark.parametrize(
    "content", [b"{oops", b"[]", b"", b"null", b"[" * 500, b"\x00\x01", b'{"format": "httpstep-account/1", "steps": [']
)
@pytest.mark.sqlite_only("refused before anything is written")
def test_a_file_that_is_no_export_is_a_sentence(house: House, tmp_path: Path, content: bytes) -> None:
    before, file = state(house), tmp_path / "account.json"
    file.write_bytes(content)
    refused = run(house, "import", str(file))
    assert refused.exit_code == 1 and refused.output.startswith("Error: Nothing was imported.\naccount.json: ")
    assert state(house) == before


@pytest.mark.sqlite_only("what is read and written is made above the database")
def test_a_file_that_does_not_end_or_is_too_much_is_a_sentence(house: House, tmp_path: Path) -> None:
    before, huge, pipe = state(house), tmp_path / "huge.json", tmp_path / "pipe.json"
    with huge.open("wb") as file:
        file.truncate(documentfiles.MAX_EXPORT_BYTES + 1)
    os.mkfifo(pipe)
    for file, says in ((huge, "huge.json: This is too much: "), (pipe, "pipe.json: This is no file.")):
        refused = run(house, "import", str(file))
        assert refused.exit_code == 1 and refused.output.startswith(f"Error: Nothing was imported.\n{says}")
    assert state(house) == before


def test_an_account_goes_from_sqlite_to_postgresql(postgresql: Any, tmp_path: Path) -> None:
    """As docs/scaling.md says it."""
    if postgresql is None:
        pytest.skip("PostgreSQL is not here; the summary names it")
    third = ThirdParty(answer(200, {"size": 1.50}))
    old, new = House(tmp_path / "old", third), House(tmp_path / "new", third, DATABASE_URL=postgresql.new_database())
    furnish(old)
    file = tmp_path / "account.json"
    whole = exported(old, file)
    done = run(new, "import", str(file))
    assert done.exit_code == 0 and "Done: 4 created." in done.stdout and "The secret token has to be set" in done.stderr
    assert exported(new, tmp_path / "new.json") == whole | {"secrets": []}
    assert run(new, "import", str(file)).stdout == "Nothing to do: 4 unchanged.\n"
    for name in ("token", "spare"):
        secret = {"value": VALUE, "hosts": ["https://api.example"]}
        assert new.call("PUT", f"/secrets/{name}", json=secret).status_code == 201
    assert exported(new, tmp_path / "new.json") == whole
    answers = [house.run_flow("both", {"city": "Bern", "plan": "pro", "order.id": 1}).json for house in (old, new)]
    assert answers[0]["attributes"] == answers[1]["attributes"] == {"size": 1.5}
    assert [one["outcome"] for one in answers[1]["steps"]] == ["success", "success"]
    for house in (old, new):
        _closed(house)


@pytest.mark.parametrize("at", ["load_all", "listed"])
def test_an_export_is_of_one_moment_whatever_is_edited_in_the_middle_of_it(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Between its reads a flow goes with its step, or one comes with its step."""
    place: Any = steps if at == "load_all" else flows
    read, token = getattr(place, at), house.token()

    def edit() -> None:
        client, bearer = house.app.test_client(), {"Authorization": f"Bearer {token}"}
        if at == "load_all":
            for path in ("flows/both", "steps/auto", "steps/own"):
                assert client.delete(f"/api/v1/{path}", headers=bearer).status_code == 204
        else:
            flow = {"name": "New", "steps": [{"step": "new"}]}
            for path, body in (("steps/new", document("new")), ("flows/new", flow)):
                assert client.put(f"/api/v1/{path}", json=body, headers=bearer).status_code == 201

    def edited_before(*of: Any) -> Any:
        if not edits:
            edits.append(threading.Thread(target=edit))
            edits[0].start()
            edits[0].join()
        return read(*of)

    edits: list[threading.Thread] = []
    with monkeypatch.context() as patched:
        patched.setattr(place, at, edited_before)
        whole = exported(house, tmp_path / "account.json")
    assert edits, "nothing was edited"
    assert {one["key"] for one in whole["steps"]} == {"auto", "own"} and [one["key"] for one in whole["flows"]] == [
        "both"
    ]
    run(house, "account", "create", "second")
    assert run(house, "import", str(tmp_path / "account.json"), "--account", "second").exit_code == 0
