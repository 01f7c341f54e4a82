"""What a bot developer can do: the real server, the real commands, a real third party."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from pytest_httpserver import HTTPServer

from tests.server import Server, free_port

ORDER = {"data": {"id": 42, "status": "shipped", "total": 19.5}}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data") as running:
        yield running


def written(folder: Path, httpserver: HTTPServer) -> Path:
    file = folder / "order-status.json"
    request = {
        "method": "POST",
        "url": httpserver.url_for("/orders/{{order.id}}").replace("%7B", "{").replace("%7D", "}"),
        "headers": [{"name": "X-Channel", "value": "{{channel}}"}],
        "body": {"mode": "json", "text": '{"note": "{{note}}", "count": {{count}}}'},
    }
    file.write_text(json.dumps({"format": "httpstep/1", "key": "order-status", "name": "Order", "request": request}))
    return file


def test_a_bot_developer_imports_a_step_makes_a_key_and_gets_attributes(
    server: Server, tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(
        "/orders/4%2F2", method="POST", headers={"X-Channel": "web"}, json={"note": 'say "hi"\n', "count": 3}
    ).respond_with_json(ORDER)
    httpserver.expect_request("/orders/4/2", method="POST").respond_with_json(ORDER)
    assert server.command("step", "import", str(written(tmp_path, httpserver))) == "order-status"
    token = server.command("key", "create", "--name", "bot", "--scope", "manage")
    given = {"order.id": "4/2", "channel": "web", "note": 'say "hi"\n', "count": 3}

    answer = server.execute("order-status", given, token, headers={"X-Request-Id": "r-1"})

    assert answer.status_code == 200
    body = answer.json()
    assert body["attributes"] == {"id": 42, "status": "shipped", "total": 19.5}
    assert (body["next"], body["outcome"], body["request_id"]) == ("continue", "success", "r-1")
    sent = httpserver.log[0][0]
    assert sent.environ["RAW_URI" if "RAW_URI" in sent.environ else "REQUEST_URI"].endswith("/orders/4%2F2")
    assert json.loads(sent.data) == {"note": 'say "hi"\n', "count": 3}

    assert server.logs("order-status", token)[0]["id"] == body["log_id"]
    log = server.log_of("order-status", body["log_id"], token)
    assert log["request"]["url"].endswith("/orders/4%2F2")
    assert json.loads(log["response"]["body"]) == ORDER
    assert (log["outcome"], log["next"]) == ("success", "continue")


def test_the_same_by_put_and_the_mapping_made_once_stays(server: Server, httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request("/a").respond_with_json({"first": 1})
    httpserver.expect_ordered_request("/a").respond_with_json({"first": 2, "second": 3})
    token = server.command("key", "create", "--name", "bot", "--scope", "manage")
    step = {"format": "httpstep/1", "name": "A", "request": {"method": "GET", "url": httpserver.url_for("/a")}}
    put = requests.put(
        f"{server.url}/api/v1/steps/a", json=step, headers={"Authorization": f"Bearer {token}"}, timeout=30
    )
    assert put.status_code == 201, put.text
    assert server.execute("a", {}, token).json()["attributes"] == {"first": 1}
    second = server.execute("a", {}, token).json()
    assert (second["attributes"], second["structure_changed"]) == ({"first": 2}, True)


def test_the_logs_keep_the_last_twenty(server: Server, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_json({"n": 1})
    token = server.command("key", "create", "--name", "bot", "--scope", "manage")
    server.command("account", "limit", "default", "100")
    step = {"format": "httpstep/1", "name": "A", "request": {"method": "GET", "url": httpserver.url_for("/a")}}
    requests.put(f"{server.url}/api/v1/steps/a", json=step, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    ids = [server.execute("a", {}, token).json()["log_id"] for _ in range(23)]
    assert [row["id"] for row in server.logs("a", token)] == ids[:2:-1]


def test_the_budget_is_ten_a_minute_and_survives_a_restart(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_json({"n": 1})
    with Server(tmp_path / "data") as server:
        token = server.command("key", "create", "--name", "bot", "--scope", "manage")
        step = {"format": "httpstep/1", "name": "A", "request": {"method": "GET", "url": httpserver.url_for("/a")}}
        bearer = {"Authorization": f"Bearer {token}"}
        requests.put(f"{server.url}/api/v1/steps/a", json=step, headers=bearer, timeout=30)
        assert [server.execute("a", {}, token).status_code for _ in range(10)] == [200] * 10
        assert server.stop() == 0
        server.start()
        refused = server.execute("a", {}, token)
    assert refused.status_code == 429
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert (refused.json()["title"], refused.json()["next"]) == ("Rate Limit Exceeded", "stop")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert len(httpserver.log) == 10


def test_the_demo_is_ready_to_play_with(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--demo", str(free_port())) as demo:
        lines = demo.log.read_text()
        token = lines.split("API key of the demo:")[1].split()[0]
        assert f"curl --fail-with-body --max-time 65 {demo.url}/api/v1/steps/order-status/execute" in lines
        order = demo.execute("order-status", {"order.id": 1001}, token).json()
        customer = demo.execute("customer", {"customer.id": 7}, token).json()
        person = {"user.name": "A", "user.email": "a@b.c", "user.message": "hi"}
        contact = demo.execute("create-contact", person, token).json()
    assert order["attributes"]["status"] == "packed"
    assert customer["attributes"]["tier"] == "gold"
    assert contact["outcome"] == "success", contact
