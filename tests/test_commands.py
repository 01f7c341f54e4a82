"""The commands of an operator: what was asked for on standard output, a refusal as a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]


def run(house: House, *arguments: str) -> Any:
    return house.app.test_cli_runner().invoke(args=list(arguments))


@pytest.mark.sqlite_only("what a command reads and prints is made above the database")
def test_a_flow_runs_as_a_bot_would(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty(answer(200, {"a": 1}), answer(500, {"message": "no"})))
    house.put(document("first", mapping=[{"path": ["a"], "attribute": "a"}]))
    house.put(document("second"))
    house.flow("first", "second")
    assert run(house, "flow", "list").output == "order-flow  Order flow\n"
    printed = run(house, "flow", "run", "order-flow", "--attributes", '{"order.id": 1}')
    told = json.loads(printed.stdout)
    assert (printed.exit_code, told["outcome"], told["attributes"]) == (0, "http_error", {"a": 1})
    assert [one["outcome"] for one in told["steps"]] == ["success", "http_error"] and len(third.requests) == 2
    assert [log["actor"] for log in house.logs("first")] == ["command line, flow order-flow"]
    missing = run(house, "flow", "run", "nothing")
    assert (missing.exit_code, missing.stderr) == (1, 'Error: There is no flow with the key "nothing".\n')
    house.limit(2)
    refused = run(house, "flow", "run", "order-flow")
    assert refused.exit_code == 1 and refused.stderr.startswith("Error: Rate Limit Exceeded. Try again in ")
    assert len(third.requests) == 2


def test_import_takes_a_list_and_saves_all_or_none(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house(ThirdParty())
    file = tmp_path / "steps.json"
    file.write_text(json.dumps([document("a"), document("b", urll="x")]))
    refused = run(house, "step", "import", str(file))
    assert refused.exit_code == 1
    assert 'Unknown member "urll"' in refused.output
    assert house.call("GET", "/steps").json["steps"] == []
    file.write_text(json.dumps([document("a"), document("b")]))
    assert run(house, "step", "import", str(file)).output == "a\nb\n"


@pytest.mark.sqlite_only("what a command reads and prints is made above the database")
def test_a_file_that_is_not_json_is_a_sentence(make_house: MakeHouse, tmp_path: Path) -> None:
    file = tmp_path / "steps.json"
    file.write_text("{oops")
    refused = run(make_house(ThirdParty()), "step", "import", str(file))
    assert refused.exit_code == 1
    assert "is not JSON" in refused.output


@pytest.mark.sqlite_only("what a command reads and prints is made above the database")
def test_export_gives_what_import_takes(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house(ThirdParty())
    house.put(document(mapping=[{"path": ["a"], "attribute": "a"}]))
    exported = run(house, "step", "export").output
    file = tmp_path / "all.json"
    file.write_text(exported)
    assert run(house, "step", "import", str(file)).exit_code == 0
    assert run(house, "step", "export").output == exported
    assert json.loads(run(house, "step", "export", "order-status").output) == json.loads(exported)[0]
    assert run(house, "step", "export", "nothing").exit_code == 1


@pytest.mark.sqlite_only("what a command reads and prints is made above the database")
def test_run_prints_the_answer_of_execute(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(200, {"a": 1})))
    house.put(document())
    printed = run(house, "step", "run", "order-status", "--attributes", '{"order.id": 1}')
    assert json.loads(printed.output)["attributes"] == {"a": 1}
    assert house.logs()[0]["actor"] == "command line"
    assert "not JSON" in run(house, "step", "run", "order-status", "--attributes", "{").output


@pytest.mark.sqlite_only("what a command reads and prints is made above the database")
def test_a_key_is_printed_alone(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    house.put(document())
    token = run(house, "key", "create", "--name", "bot").output.strip()
    assert "\n" not in token
    assert house.execute(token=token).status_code == 200
    assert token not in run(house, "key", "list").output


@pytest.mark.sqlite_only("what a command reads and prints is made above the database")
def test_a_key_has_a_name(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    for name in ("", "  "):
        refused = run(house, "key", "create", "--name", name)
        assert (refused.exit_code, refused.output) == (1, "Error: A key needs a name that says what it is for.\n")
    assert run(house, "key", "list").output == ""


def test_with_several_accounts_one_must_be_named(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    assert run(house, "account", "create", "second").output == "second\n"
    refused = run(house, "key", "create", "--name", "bot")
    assert refused.exit_code == 1 and "--account" in refused.output
    assert run(house, "key", "create", "--name", "bot", "--account", "second").exit_code == 0
    assert run(house, "account", "create", "Not A Slug").exit_code == 1
    assert run(house, "account", "limit", "second", "0").exit_code == 2


@pytest.mark.sqlite_only("what a command reads and prints is made above the database")
def test_config_show_names_every_variable(make_house: MakeHouse) -> None:
    output = run(make_house(ThirdParty()), "config", "show").output
    assert "HTTPSTEP_LISTEN=127.0.0.1:8080  # default" in output


def test_a_secret_is_set_from_standard_input_listed_without_it_and_deleted(make_house: MakeHouse) -> None:
    house = make_house(third := ThirdParty())
    house.put(document(headers=[{"name": "X-Token", "value": "{{secret.token}}"}]))
    cli = house.app.test_cli_runner()
    hosts = ("--host", "api.example", "--host", "https://other.example/x")
    for value in ("first", "s3cr3t-value\r\n"):
        done = cli.invoke(args=["secret", "set", "token", *hosts], input=value)
        assert (done.exit_code, done.output) == (0, "token\n")
    assert run(house, "secret", "list").output == "token  https://api.example, https://other.example\n"
    house.execute()
    assert dict(third.requests[0].headers)["X-Token"] == "s3cr3t-value"
    assert run(house, "secret", "delete", "token").exit_code == 0
    assert 'no secret "token"' in run(house, "secret", "delete", "token").output


@pytest.mark.sqlite_only("what a command reads and prints is made above the database")
def test_a_secret_that_cannot_be_is_a_sentence_without_its_value(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    cli = house.app.test_cli_runner()
    for arguments, value, says in (
        (("token", "--host", "*"), "s3cr3t", "each host is written out"), (("1", "--host", "a.example"), "s3cr3t", "A name begins"),
        (("token", "--host", "a.example"), "\n", "Enter the value."), (("token", "--host", "a.example"), "s3cr3t" * 9999, "at most 16 KB"),
        (("token",), "s3cr3t", "--host"), (("token", "--host", "a.example"), b"s3cr3t\xff", "no text in UTF-8"),
    ):  # fmt: skip
        done = cli.invoke(args=["secret", "set", *arguments], input=value)
        assert done.exit_code != 0 and says in done.output and "s3cr3t" not in done.output, done.output
    assert run(house, "secret", "list").output == ""
