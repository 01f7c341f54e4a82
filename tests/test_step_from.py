"""`step from`: documents on standard output, what was left out on standard error, 2 and a sentence for nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.fakes import ThirdParty
from tests.house import House

SQLITE_ONLY = "nothing of it is in the database"

MakeHouse = Callable[..., House]

OPENAPI = """
openapi: 3.1.0
servers: [{url: "https://api.shop.example"}]
paths:
  /a/{id}: {get: {operationId: getA, parameters: [{name: id, in: path, example: 7}, {name: page, in: query}]}}
  /b: {post: {}}
"""


@pytest.fixture
def command(make_house: MakeHouse) -> Any:
    house = make_house(ThirdParty())

    def run(text: str | bytes, *arguments: str) -> Result:
        return house.app.test_cli_runner().invoke(args=["step", "from", *arguments, "-"], input=text)

    return run


def test_a_command_is_a_document_that_import_takes(make_house: MakeHouse, tmp_path: Path) -> None:
    runner = make_house(ThirdParty()).app.test_cli_runner()
    (file := tmp_path / "command.txt").write_text(
        "curl -k https://api.shop.example/x -H 'Authorization: Bearer real-1'"
    )
    ran = runner.invoke(args=["step", "from", str(file)])
    assert ran.exit_code == 0 and "real-1" not in ran.output
    assert "-k (certificates are always checked)" in ran.stderr and "SHOP_TOKEN" in ran.stderr
    assert json.loads(ran.stdout)["request"]["auth"] == {"type": "bearer", "token": "{{secret.SHOP_TOKEN}}"}
    (made := tmp_path / "step.json").write_text(ran.stdout)
    assert runner.invoke(args=["step", "import", str(made)]).stdout == "get-https-api-shop-example-x\n"


def test_a_document_is_a_list_or_the_operation_that_was_named(command: Any) -> None:
    whole = command(OPENAPI)
    assert [one["request"]["url"] for one in json.loads(whole.stdout)] == [
        "https://api.shop.example/a/{{id}}", "https://api.shop.example/b",
    ]  # fmt: skip
    assert "GET /a/{id}: Left out: optional: page" in whole.stderr and "Sample value: id = 7" in whole.stderr
    for wanted in ("getA", "GET /a/{id}"):
        assert json.loads(command(OPENAPI, "--operation", wanted).stdout)["name"] == "getA"


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        ("hello", [], "There is no curl command here."),
        ("", [], "There is no curl command here."),
        (b"\xff\xfe\x00", [], "There is no curl command here."),
        (OPENAPI, ["--operation", "none"], 'There is no operation "none". The first ones: getA, POST /b'),
        (OPENAPI, ["--format", "postman"], "This is no Postman collection."),
        ("curl https://a.example", ["--format", "openapi"], "This is no OpenAPI document."),
        ("openapi: 3.0.0\npaths: [", [], "at line 3"),
        ("openapi: " + "x" * 6 * 1024 * 1024, [], "larger than 5 MB"),
    ],
)  # fmt: skip
def test_where_nothing_is_understood_it_is_a_sentence_and_two(
    command: Any, text: Any, arguments: list[str], words: str
) -> None:
    ran = command(text, *arguments)
    assert ran.exit_code == 2 and ran.stdout == "" and words in ran.stderr


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        ("curl", "curl https://api.shop.example/x"),
        ("fetch", "fetch('https://api.shop.example/x')"),
        ("http", "GET https://api.shop.example/x"),
        ("postman", '{"info": {}, "item": [{"request": "https://api.shop.example/x"}]}'),
        (
            "openapi",
            '{"openapi": "3.0.0", "servers": [{"url": "https://api.shop.example"}], "paths": {"/x": {"get": {}}}}',
        ),
    ],
)
def test_the_format_may_be_said(command: Any, format_: str, text: str) -> None:
    ran = command(text, "--format", format_)
    assert json.loads(ran.stdout)["request"]["url"] == "https://api.shop.example/x"
