"""The recipe for Rasa in a real action server of rasa-sdk, asked as Rasa asks it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from httpstep.web.recipes.platforms import TOKEN, recipes
from tests.environments import environment, served
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.server import ROOT, free_port

SQLITE_ONLY = "the action server asks a server"
SDK = "rasa-sdk==3.21.1"


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    return environment(tmp_path_factory.mktemp("rasa"), pytestconfig, "an action server of rasa-sdk", SDK)


@contextmanager
def action_server(programs: Path, folder: Path) -> Iterator[Callable[[dict[str, Any]], requests.Response]]:
    """`actions.py` of the folder, served; called with the slots of a conversation."""
    port = free_port()
    environ = os.environ | {"PYTHONPATH": f"{folder}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1", "SANIC_WORKERS": "1"}
    command = [programs / "python", "-m", "rasa_sdk", "--actions", "actions", "-p", str(port)]
    with (folder / "rasa.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", process)
            yield lambda slots: requests.post(f"http://127.0.0.1:{port}/webhook", json=_asked(slots), timeout=30)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:  # how Rasa stops is not ours to test
                process.kill()
                process.wait(30)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends and process.poll() is None:
        with suppress(requests.RequestException):
            if requests.get(url, timeout=2).status_code == 200:
                return
        time.sleep(0.2)
    raise AssertionError("the action server did not start")


def _asked(slots: dict[str, Any]) -> dict[str, Any]:
    tracker = {"sender_id": "1", "slots": slots, "latest_message": {}, "events": [], "active_loop": {}}
    return {"next_action": "action_order_status", "sender_id": "1", "tracker": tracker, "domain": {}, "version": "3.6"}


@pytest.mark.timeout(400)
def test_an_action_gives_slots_or_says_that_it_cannot(
    make_house: Callable[..., House], sdk: Path, tmp_path: Path
) -> None:
    house = make_house(ThirdParty(answer(200, {"status": "shipped"}), answer(500)))
    house.put(document(mapping=[{"path": ["status"], "attribute": "order.status"}]))
    with served(house.app) as address:
        (rasa,) = (
            one for one in recipes(address, "order-status", {"order.id": 42}, ["order.status"]) if one.id == "rasa"
        )
        (tmp_path / "actions.py").write_text(rasa.blocks[0].text.replace(TOKEN, house.token("execute")))
        with action_server(sdk, tmp_path) as call:
            first, second = call({"order_id": "42"}).json(), call({"order_id": "42"}).json()
    assert [(event["name"], event["value"]) for event in first["events"]] == [("order_status", "shipped")]
    assert (first["responses"], second["events"]) == ([], [])
    assert [one["text"] for one in second["responses"]] == ["I cannot do that just now."]
