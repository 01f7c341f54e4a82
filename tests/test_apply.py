"""`apply FOLDER`: an account becomes what a folder of documents says, all of it or nothing, and a second time there is nothing to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from httpstep.core.document import documents
from httpstep.extensions import db
from httpstep.storage import catalogue, deleting, flows, steps
from httpstep.storage.tables import Step
from httpstep.upkeep import applying, documentfiles, writing
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.server import ROOT
from tests.test_commands import run

MakeHouse = Callable[..., House]
CITY = {"format": "httpstep-attribute/1", "name": "city", "default": "Bern"}


def flow(*keys: str, key: str = "both", **more: Any) -> dict[str, Any]:
    steps_ = [{"step": one} for one in keys]
    return {"format": "httpstep-flow/1", "key": key, "name": key, "steps": steps_} | more


def write(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, (str, bytes)) else json.dumps(content)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two steps, a flow of them and an attribute, in no order that could be written as it stands."""
    files = {
        "a-flow.json": flow("one", "two"),
        "steps/one.json": document("one"),
        "steps/two.json": document("two"),
        "z.json": [CITY],
    }
    return write(tmp_path / "documents", files)


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    return make_house(ThirdParty(answer(200, {"a": 1})))


def state(house: House) -> list[Any]:
    """All that stands in the account, versions included."""
    with house.app.app_context():
        owner = house.account()
        found = [one.written for one in applying.documents(owner)]
        return found + [(row.key, row.version) for row in (*steps.listed(owner), *flows.listed(owner))]


def test_a_folder_is_applied_and_a_second_time_there_is_nothing_to_do(house: House, folder: Path) -> None:
    first = run(house, "apply", str(folder))
    assert first.exit_code == 0 and first.output.splitlines() == [
        "create  attribute  city", "create  step       one", "create  step       two", "create  flow       both",
        "0 unchanged.", "Done: 4 created.",
    ], first.output  # fmt: skip
    assert [one["step"] for one in house.run_flow("both").json["steps"]] == ["one", "two"]
    before = state(house)
    assert run(house, "apply", str(folder)).output == "Nothing to do: 4 unchanged.\n"
    assert state(house) == before


@pytest.mark.sqlite_only("the plan is made and said above the database")
def test_what_changes_is_said_with_its_members_and_nothing_else_is_touched(house: House, folder: Path) -> None:
    run(house, "apply", str(folder))
    write(
        folder,
        {"steps/one.json": document("one", url="https://api.example/new", timeout=2.50), "more.json": document("more")},
    )
    done = run(house, "apply", str(folder))
    assert done.output.splitlines() == [
        "create  step       more", "change  step       one  (request, timeout)", "3 unchanged.", "Done: 1 created, 1 changed.",
    ]  # fmt: skip
    assert [step["version"] for step in house.call("GET", "/steps").json["steps"]] == [1, 2, 1]


def test_the_next_call_is_of_what_was_applied(make_house: MakeHouse, folder: Path) -> None:
    """What a process keeps of an account is dropped by an apply of another one, too."""
    house = make_house(third := ThirdParty(answer(200, {"a": 1})))
    write(folder, {"steps/one.json": document("one", url="https://api.example/{{city}}")})
    run(house, "apply", str(folder))
    house.execute("one", {})
    write(
        folder,
        {
            "steps/one.json": document("one", url="https://api.example/new/{{city}}"),
            "z.json": [CITY | {"default": "Genf"}],
        },
    )
    assert "change  attribute  city  (default)" in run(house, "apply", str(folder)).output
    house.execute("one", {})
    write(folder, {"z.json": [{"format": CITY["format"], "name": "city"}]})
    run(house, "apply", str(folder))
    assert house.execute("one", {}).json["outcome"] == "invalid_request"
    assert [one.url for one in third.requests] == ["https://api.example/Bern", "https://api.example/new/Genf"]


@pytest.mark.sqlite_only("the plan is made and said above the database")
def test_plan_says_it_and_does_nothing(house: House, folder: Path) -> None:
    done = run(house, "apply", str(folder), "--plan", "--delete")
    assert done.exit_code == 0 and "create  step       one" in done.output and "Done" not in done.output
    assert state(house) == []


def test_only_with_delete_goes_what_the_folder_does_not_say(house: House, folder: Path) -> None:
    house.put(document("old"))
    house.flow("old", name="Old flow")
    house.call("PUT", "/attributes/gone", json={})
    run(house, "apply", str(folder))
    assert len(house.call("GET", "/steps").json["steps"]) == 3
    done = run(house, "apply", str(folder), "--delete")
    assert done.output.splitlines() == [
        "delete  flow       old-flow", "delete  step       old", "delete  attribute  gone", "4 unchanged.", "Done: 3 deleted.",
    ]  # fmt: skip
    assert house.call("GET", "/steps/old").status_code == house.call("GET", "/flows/old-flow").status_code == 404
    assert run(house, "apply", str(folder), "--delete").output == "Nothing to do: 4 unchanged.\n"
    with house.app.app_context():
        [kept] = db.session.query(Step).filter(Step.deleted_at.is_not(None)).all()
        assert deleting.bring_back(house.account(), [kept.id], time.time())[0][1], "for an hour it can be undone"


@pytest.mark.sqlite_only("the plan is made and said above the database")
def test_an_empty_folder_deletes_nothing(house: House, folder: Path, tmp_path: Path) -> None:
    run(house, "apply", str(folder))
    (tmp_path / "empty").mkdir()
    refused = run(house, "apply", str(tmp_path / "empty"), "--delete", "--yes")
    assert refused.exit_code == 1 and "There is no document (*.json)" in refused.output
    assert len(state(house)) == 7


@pytest.mark.sqlite_only("the plan is made and said above the database")
def test_a_mapping_that_was_made_by_itself_stays_and_is_no_difference(house: House, folder: Path) -> None:
    run(house, "apply", str(folder))
    assert house.execute("one").json["attributes"] == {"a": 1}
    assert run(house, "apply", str(folder)).output == "Nothing to do: 4 unchanged.\n"
    got = house.call("GET", "/steps/one").json
    assert got["mapping"]
    write(folder, {"steps/one.json": got})
    assert run(house, "apply", str(folder)).output == "Nothing to do: 4 unchanged.\n"


@pytest.mark.sqlite_only("the plan is made and said above the database")
def test_a_secret_that_steps_need_is_named(house: House, folder: Path) -> None:
    write(folder, {"s.json": document("s", headers=[{"name": "X", "value": "{{secret.token}}"}])})
    done = run(house, "apply", str(folder))
    assert done.exit_code == 0 and "The secret token has to be set" in done.stderr and "used by s." in done.stderr


BROKEN: list[tuple[str, Any, str]] = [
    ("x.json", "{oops", "x.json: This is not valid JSON: at line 1, column 2"),
    ("x.json", "", "x.json: There is nothing to read"),
    ("x.json", b"\xff\xfe\xfa", "x.json: The characters of this JSON text cannot be read."),
    ("x.json", '{"a": NaN}', "x.json: "),
    ("x.json", "[" * 300 + "]" * 300, "x.json: The JSON is nested deeper than 200 levels."),
    ("x.json", "7", "x.json: A step must be an object, not a number."),
    ("x.json", [document("x"), "y"], "x.json, document 2: A step must be an object, not a text."),
    ("deep/er/x.json", document("x", urll="y"), 'deep/er/x.json: urll: Unknown member "urll" in the step.'),
    ("x.json", document("x", timeout=99), "x.json: timeout: The timeout must be"),
    ("steps/x.json", document("one"), "x.json: The step “one” is in steps/one.json already."),
    ("x.json", document("", name="X"), "x.json: key: Give it a key"),
    ("x.json", document("../../etc"), "x.json: key: A key has small letters"),
    ("x.json", document("x", auth={"type": "bearer", "token": "••••"}), "x.json: request.auth.token"),
    ("x.json", flow("one", "gone", key="x"), 'x.json: steps[1].step: There is no step with the key "gone"'),
    ("x.json", flow(key="x"), "x.json: steps: Add at least one step."),
    ("x.json", CITY | {"name": "secret.x"}, "x.json: name: Names that begin with"),
    ("x.json", CITY | {"name": "x", "defualt": 1}, 'Unknown member "defualt" in the attribute.'),
    ("x.json", {"format": "httpstep-account/1"}, "x.json: format: This is the export of an account"),
    ("x.json", {"format": "other/1"}, "x.json: format: “format” must be one of: httpstep-attribute/1, httpstep/1, httpstep-flow/1"),
    ("x.json", {"format": {}}, "x.json: format: “format” must be one of"),
    ("x.json", b" " * (4 * 1024 * 1024 + 1), "x.json: This is too much"),
    ("x.json", '{"format": "httpstep-attribute/1", "name": "x", "default": 1e999999}', "x.json: The number 1e999999 is"),
    ("x.json", CITY | {"default": "x" * 3_000_000}, "x.json: default: At most 10,000 characters."),
    ("x.json", document("x", name="n" * 3_000_000), "x.json: name: The name has 3000000 characters"),
    ("x.json", document("x", headers=[{"name": "X", "value": "y"}] * 50_000), "x.json: request.headers: “headers” has 50000"),
    ("x.json", document("x", headers=[{"name": "X", "value": "y\r\nEvil: 1"}]), "x.json: request.headers[0].value: The value"),
    ("x.json", document("x", mapping=[{"jsonpath": "$" + "[?" * 3000, "attribute": "a"}]), "A query has at most 2,000"),
    ("x.json", document("x", body={"mode": "json", "text": "[" * 100_000}), "request.body.text: The JSON is nested deeper"),
    ("x.json", flow(*["one"] * 50_000, key="x"), "x.json: steps: “steps” has 50000 items; at most 20 are allowed."),
    ("x.json", "[" + "7," * 6000 + "7]", "There are more than 5,000 documents."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "says"), BROKEN, ids=range(len(BROKEN)))
@pytest.mark.sqlite_only("refused before anything is written")
def test_one_broken_document_is_a_sentence_with_its_file_and_nothing_is_done(
    house: House, folder: Path, name: str, content: Any, says: str
) -> None:
    house.put(document("two", name="As it was"))
    before = state(house)
    write(folder, {name: content})
    refused = run(house, "apply", str(folder), "--delete")
    assert refused.exit_code == 1 and "Nothing was done." in refused.output and says in refused.output, refused.output
    assert "Traceback" not in refused.output and len(refused.output) < 6000
    assert state(house) == before


@pytest.mark.sqlite_only("the plan is made and said above the database")
def test_what_cannot_be_read_is_a_sentence(house: House, folder: Path) -> None:
    os.mkfifo(folder / "pipe.json")
    (folder / "nowhere.json").symlink_to("gone")
    (folder / "steps" / "folder.json").mkdir()
    (folder / "steps" / "round").symlink_to(folder)
    write(folder, {".git/x.json": "{", "notes.md": "{", ".hidden.json": "{"})
    refused = run(house, "apply", str(folder))
    assert refused.output.splitlines()[1:] == ["nowhere.json: This is no file.", "pipe.json: This is no file."]
    for name in ("pipe.json", "nowhere.json"):
        (folder / name).unlink()
    assert run(house, "apply", str(folder)).exit_code == 0


@pytest.mark.sqlite_only("the plan is made and said above the database")
def test_what_a_document_says_is_not_obeyed_by_a_terminal(house: House, folder: Path) -> None:
    write(folder, {"x\x1b[2J.json": {"\x1b]0;owned\x07": 1, "key": "x"}})
    refused = run(house, "apply", str(folder))
    assert refused.exit_code == 1 and "\x1b" not in refused.output and "\x07" not in refused.output


@pytest.mark.parametrize(
    "failing",
    [(writing, "write_flows"), (deleting, "set_aside"), (catalogue, "remove")],
    ids=["flows", "steps", "attributes"],
)
def test_a_write_that_fails_half_way_leaves_nothing(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch, failing: tuple[Any, str]
) -> None:
    write(folder, {"gone.json": [document("gone"), CITY | {"name": "gone"}, flow("gone", key="gone")]})
    run(house, "apply", str(folder))
    (folder / "gone.json").unlink()
    before = state(house)
    write(
        folder,
        {
            "steps/one.json": document("one", timeout=3),
            "more.json": [document("more"), CITY | {"name": "b"}, flow("one", key="late")],
        },
    )

    def fail(*_: Any) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(*failing, fail)
    failed = run(house, "apply", str(folder), "--delete")
    assert isinstance(failed.exception, RuntimeError) and "change  step       one" in failed.output
    assert state(house) == before
    monkeypatch.undo()
    assert run(house, "apply", str(folder), "--delete").output.endswith("Done: 3 created, 1 changed, 3 deleted.\n")


def test_an_account_that_was_changed_after_the_plan_is_not_written_over(house: House, folder: Path) -> None:
    wanted = documents.read_all(documentfiles.read_folder(folder))
    with house.app.app_context():
        owner = house.account()
        shown = applying.plan(owner, wanted, delete=False)
        steps.save_all(owner, [wanted["step", "one"].value], by="ana", now=1.0)
        with pytest.raises(applying.Overtaken):
            applying.apply(owner, wanted, shown, delete=False, by="x", now=2.0)
    assert [step["key"] for step in house.call("GET", "/steps").json["steps"]] == ["one"]


def test_it_is_one_account_that_changes(house: House, folder: Path) -> None:
    house.account("second")
    assert "--account" in run(house, "apply", str(folder)).output
    assert run(house, "apply", str(folder), "--account", "second").exit_code == 0
    assert state(house) == []
    assert len(house.call("GET", "/steps", token=house.token(account="second")).json["steps"]) == 2


def at_a_terminal(data: Path, folder: Path, typed: bytes) -> tuple[int, str]:
    """The exit status and what is read there of `httpstep apply`, run by itself with `typed` typed into it."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("HTTPSTEP_", "FLASK_"))}
    master, terminal = os.openpty()
    try:
        done = subprocess.Popen(
            [sys.executable, "-m", "httpstep", "apply", str(folder)], cwd=ROOT, stdin=terminal, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=environ | {"HTTPSTEP_DATA": str(data)},
        )  # fmt: skip
        os.write(master, typed)
        output = done.communicate(timeout=120)[0].decode()
        return done.returncode, output
    finally:
        os.close(master)
        os.close(terminal)


def test_at_a_terminal_it_asks_before_it_does_anything(tmp_path: Path, folder: Path) -> None:
    status, output = at_a_terminal(tmp_path / "data", folder, b"n\n")
    assert status == 1 and "create  step       one" in output and "Do this? [y/N]" in output and "Done" not in output
    status, output = at_a_terminal(tmp_path / "data", folder, b"y\n")
    assert status == 0 and output.endswith("Done: 4 created.\n")
