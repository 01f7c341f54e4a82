"""A client that a generator makes of the contract reads a step, saves it and runs it, and loses nothing on the way."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.environments import environment, served
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.test_openapi import ANSWER_MEMBERS, AUTHS, RULES

SQLITE_ONLY = "the client asks a server"
GENERATOR = "openapi-python-client==0.29.1"
PROGRAM = Path(__file__).with_name("generated_client.py")


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    return environment(tmp_path_factory.mktemp("generator"), pytestconfig, "a generated client", GENERATOR)


def steps() -> list[dict[str, Any]]:
    body = {"mode": "multipart", "fields": [{"name": "q", "value": "{{q}}", "when_empty": "leave_out"}]}
    more = {"mapping": RULES, "alert_emails": ["a@b.example"], "dictionaries": [["a", 0]], "timeout": 2.5}
    every = [document(f"step-{at}", auth=auth, body=body, **more, **ANSWER_MEMBERS) for at, auth in enumerate(AUTHS)]
    return [document(mapping=RULES), document("plain"), *every]


@pytest.mark.timeout(400)
def test_a_generated_client_loses_nothing_of_a_step(
    make_house: Callable[..., House], generator: Path, tmp_path: Path
) -> None:
    house = make_house(ThirdParty(answer(200, {"a": ["x"], "b": []}), answer(500, {"error": "no"})))
    for one in steps():
        assert house.put(one).status_code == 201
    (tmp_path / "openapi.json").write_bytes(house.client.get("/api/v1/openapi.json").data)
    command = [generator / "openapi-python-client", "generate", "--path", "openapi.json", "--meta", "none"]
    made = subprocess.run(
        [*command, "--output-path", "client"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    assert "WARNING" not in made.stdout and "Unable" not in made.stdout, made.stdout
    with served(house.app) as address:
        ran = subprocess.run(
            [generator / "python", PROGRAM, address, house.token()],
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False, env={"PYTHONPATH": str(tmp_path)},
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["answers"] == [["success", "x"], ["http_error", None]]
    assert found["refused"] == [404, "Not Found"]
    assert found["logs"] == ["http_error", "success"]
    for key, copy in found["copies"].items():
        kept = house.call("GET", f"/steps/{key}").json
        assert house.call("GET", f"/steps/{copy}").json == kept | {"key": copy}
    assert len(found["copies"]) == len(steps())
