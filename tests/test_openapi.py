"""The contract names every route of the API, and what the API answers fits it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import openapi_spec_validator
from jsonschema import Draft202012Validator, FormatChecker
from pytest_httpserver import HTTPServer

from httpstep.core.authentication import KINDS
from httpstep.core.document import stepdocument
from httpstep.core.document.flow import Condition
from httpstep.core.errors import TimedOut
from tests.fakes import ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]


def misfits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> list[str]:
    """Where a value does not fit a schema of the contract."""
    checker = Draft202012Validator({"components": root["components"], **schema}, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}"[:300] for error in checker.iter_errors(value)]


def named(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def fits(contract: dict[str, Any], path: str, method: str, response: Any) -> None:
    described = contract["paths"][path][method]["responses"]
    assert str(response.status_code) in described, response.status_code
    content = described[str(response.status_code)].get("content", {})
    if not content:
        return
    ((media_type, body),) = content.items()
    assert response.content_type == media_type
    assert misfits(response.json, body["schema"], contract) == []


def test_every_route_is_in_the_contract_and_every_operation_is_a_route(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in house.app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }
    contract = house.client.get("/api/v1/openapi.json").json
    assert routes == {(path, method) for path, operations in contract["paths"].items() for method in operations}


def test_limits_accounts_and_users_are_nothing_that_a_key_reaches(make_house: MakeHouse) -> None:
    """They are operators' and admins'; keys of scope manage are too (test_manage_entries.py)."""
    contract = make_house(ThirdParty()).client.get("/api/v1/openapi.json").json
    parts = {path.removeprefix("/api/v1/").partition("/")[0] for path in contract["paths"]}
    assert parts == {"steps", "flows", "attributes", "secrets", "keys", "audit", "openapi.json"}


def test_the_answers_fit_the_contract(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(200, {"a": 1.5}), answer(500)))
    contract = house.client.get("/api/v1/openapi.json").json
    step, execute, logs = "/api/v1/steps/{key}", "/api/v1/steps/{key}/execute", "/api/v1/steps/{key}/logs"
    fits(contract, step, "put", house.put(document()))
    fits(contract, step, "put", house.put(document()))
    fits(contract, step, "put", house.put(document(timeout=99)))
    fits(contract, step, "get", house.call("GET", "/steps/order-status"))
    fits(contract, step, "get", house.call("GET", "/steps/nothing"))
    fits(contract, "/api/v1/steps", "get", house.call("GET", "/steps"))
    fits(contract, execute, "post", house.execute())
    fits(contract, execute, "post", house.execute())
    fits(contract, execute, "post", house.execute(query="?errors=http"))
    fits(contract, execute, "post", house.execute("nothing"))
    fits(contract, execute, "post", house.execute(token="wrong"))
    fits(contract, execute, "post", house.execute(body={"timeout": "x"}))
    house.limit(1)
    fits(contract, execute, "post", house.execute())
    fits(contract, logs, "get", house.call("GET", "/steps/order-status/logs"))
    log = house.logs()[0]["id"]
    fits(contract, f"{logs}/{{log_id}}", "get", house.call("GET", f"/steps/order-status/logs/{log}"))
    fits(contract, f"{logs}/{{log_id}}", "get", house.call("GET", "/steps/order-status/logs/999"))
    flow = "/api/v1/flows/{key}/execute"
    fits(contract, flow, "post", house.run_flow())
    house.flow(("order-status", Condition("never", "there")), "order-status")
    fits(contract, flow, "post", house.run_flow())
    fits(contract, step, "delete", house.call("DELETE", "/steps/order-status"))
    house.limit(100)
    fits(contract, flow, "post", house.run_flow())
    fits(contract, flow, "post", house.run_flow(query="?errors=http"))
    house.put(document("alone"))
    fits(contract, step, "delete", house.call("DELETE", "/steps/alone"))


def test_the_answers_about_flows_attributes_secrets_and_keys_fit_the_contract(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    contract = house.client.get("/api/v1/openapi.json").json
    house.put(document(headers=[{"name": "X", "value": "{{secret.token}}"}]))
    flow = {"name": "F", "steps": [{"step": "order-status", "when": {"attribute": "a", "is": "equals", "value": "b"}}]}
    secret = {"value": "v", "hosts": ["api.example"]}
    for method, path, named, body in (
        ("PUT", "/flows/{key}", "f", flow), ("PUT", "/flows/{key}", "f", flow), ("PUT", "/flows/{key}", "g", {"name": "G"}),
        ("GET", "/flows/{key}", "f", None), ("GET", "/flows/{key}", "g", None), ("GET", "/flows", "", None),
        ("PUT", "/attributes/{name}", "city", {"sample": [1.50], "default": None}),
        ("PUT", "/attributes/{name}", "city", {"in_bot": False}), ("PUT", "/attributes/{name}", "1", {}),
        ("GET", "/attributes", "", None), ("GET", "/attributes/{name}", "city", None), ("GET", "/attributes/{name}", "x", None),
        ("PUT", "/secrets/{name}", "token", secret), ("GET", "/secrets/{name}", "token", None), ("GET", "/secrets/{name}", "x", None),
        ("PUT", "/secrets/{name}", "token", secret), ("PUT", "/secrets/{name}", "token", {}),
        ("GET", "/secrets", "", None), ("POST", "/keys", "", {"name": "bot"}), ("POST", "/keys", "", {}),
        ("POST", "/keys", "", {"name": "m", "scope": "manage"}), ("GET", "/keys", "", None),
        ("DELETE", "/keys/{key_id}", "2", None), ("DELETE", "/keys/{key_id}", "2", None),
        ("DELETE", "/flows/{key}", "f", None), ("DELETE", "/flows/{key}", "f", None),
        ("DELETE", "/attributes/{name}", "city", None), ("DELETE", "/attributes/{name}", "city", None),
        ("DELETE", "/secrets/{name}", "token", None), ("DELETE", "/secrets/{name}", "token", None),
    ):  # fmt: skip
        got = house.call(method, re.sub(r"{\w+}", named, path), json=body)
        fits(contract, f"/api/v1{path}", method.lower(), got)
        if method == "GET" and got.status_code == 200 and "{" not in path:
            assert next(iter(got.json.values())), f"nothing was listed by {path}"


ANSWER_MEMBERS: dict[str, Any] = {
    "success_when": [{"path": ["ok"], "is": "equals", "value": True}, {"jsonpath": "$.error", "is": "missing"}],
    "error_message": {"path": ["error", "message"]},
    "expired_when": [{"path": ["code"], "is": "one_of", "value": [17, "expired"]}],
    "retry_rejected": True,
}


KEPT = {"token": "kept from another kind"}
AUTHS: list[dict[str, Any]] = [
    {"type": "none"},
    {"type": "none"} | KEPT,
    {"type": "basic", "username": "ana", "password": ""} | KEPT,
    {"type": "bearer", "token": "{{secret.T}}", "in": "query"},
    {"type": "api_key", "name": "X-Key", "value": "{{secret.T}}", "in": "header"},
    {
        "type": "oauth2_client_credentials", "token_url": "https://login.example/token", "client_id": "a",
        "client_secret": "{{secret.T}}", "scope": "", "client_auth": "body",
        "parameters": [{"name": "audience", "value": "orders"}],
    },
]  # fmt: skip
RULES: list[dict[str, Any]] = [
    {"path": ["a", 0], "attribute": "a", "default": None},
    {"jsonpath": "$.b[?@.c==1].d", "attribute": "b", "take": "all", "convert": "join", "separator": "; "},
    {"call": "header:X-Total", "attribute": "c", "convert": "integer", "default": 0, "on": False},
]


def test_the_step_schema_takes_what_a_get_gives(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    contract = house.client.get("/api/v1/openapi.json").json
    body = {"mode": "query", "fields": [{"name": "q", "value": "", "when_empty": "leave_out"}], "lists": "brackets"}
    more = {"mapping": RULES, "alert_emails": ["a@b.example"], "timeout": 2.5, "dictionaries": [["a", "b"]]}
    for auth in AUTHS:
        written = document(auth=auth, body=body, **more, **ANSWER_MEMBERS)
        assert misfits(written, named("Step"), contract) == []
        assert house.put(written).status_code in (200, 201)
        assert misfits(house.call("GET", "/steps/order-status").json, named("Step"), contract) == []
    assert {one["type"] for one in AUTHS} == set(KINDS)


WRONG: list[dict[str, Any]] = [
    {"auth": {"type": "bearer"}}, {"auth": {"type": "hmac", "token": "a"}},
    {"auth": {"type": "basic", "user": "ana"}}, {"auth": {"type": "api_key", "name": "a", "value": "b", "in": "c"}},
    {"mapping": [{"attribute": "a"}]}, {"mapping": [{"attribute": "a", "path": ["a"], "call": "status"}]},
    {"mapping": [{"attribute": "a", "path": [-1]}]}, {"mapping": [{"attribute": "a", "path": ["a"], "take": "x"}]},
    {"mapping": [{"path": ["a"]}]}, {"fallback": "go"}, {"success_when": [{"path": ["ok"]}]},
    {"success_when": [{"path": ["a"], "jsonpath": "$.a", "is": "exists"}]}, {"error_message": {}},
    {"timeout": 61}, {"retries": 1.5}, {"alert_emails": "a@b.example"}, {"dictionaries": ["a"]}, {"nothing": 1},
]  # fmt: skip


def test_the_step_schema_refuses_what_a_put_refuses(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    contract = house.client.get("/api/v1/openapi.json").json
    for wrong in WRONG:
        written = document(**wrong)
        refused = house.put(written)
        assert misfits(written, named("Step"), contract) != [], wrong
        assert refused.status_code == 422, wrong
        assert misfits(refused.json, named("Problem"), contract) == []


def fitting_logs(house: House) -> list[dict[str, Any]]:
    """All logs of the step, each with its bodies, once they were held against the contract."""
    contract = house.client.get("/api/v1/openapi.json").json
    listed = house.call("GET", "/steps/order-status/logs").json
    assert misfits(listed, named("Logs"), contract) == []
    whole = [house.call("GET", f"/steps/order-status/logs/{log['id']}").json for log in listed["logs"]]
    assert [misfits(log, named("Log"), contract) for log in whole] == [[] for _ in whole]
    return whole


def test_logs_of_every_kind_fit_the_contract(make_house: MakeHouse) -> None:
    """Closed schemas: a member that is in a log and not in the contract is found."""
    answers = (answer(200, {"a": 1, "b": {"c": 1}}), answer(200, {"a": "x", "d": None}), answer(500, {"e": 1}))
    silence = TimedOut("No answer in time.", reason="timeout_waiting")
    house = make_house(ThirdParty(*answers, silence, answer(200, text="no JSON")))
    house.put(document(mapping=[{"path": ["a"], "attribute": "a"}], method="POST", body={"mode": "json", "text": "[]"}))
    for attributes in ({"order.id": 1},) * 5 + ({},):
        house.execute(attributes=attributes)
    logs = fitting_logs(house)
    outcomes = {log["outcome"] for log in logs}
    assert {"success", "http_error", "not_json", "timeout", "invalid_request"} <= outcomes
    assert any(log["drift"] for log in logs)


def test_the_log_of_a_call_over_a_real_connection_fits_the_contract(
    make_house: MakeHouse, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/a").respond_with_data(status=302, headers={"Location": "/b"})
    httpserver.expect_request("/b").respond_with_json({"ok": False})
    house = make_house(None, ALLOW_NETWORKS="127.0.0.0/8")
    house.put(document(url=f"http://127.0.0.1:{httpserver.port}/a", retries=1, **ANSWER_MEMBERS))
    assert house.execute().json["outcome"] == "rejected"
    (log,) = fitting_logs(house)
    assert len(log["tries"]) == 2
    assert len(log["tries"][0]["hops"]) == 2


def test_the_contract_is_openapi(make_house: MakeHouse) -> None:
    openapi_spec_validator.validate(make_house(ThirdParty()).client.get("/api/v1/openapi.json").json)


def test_the_examples_are_what_they_are_examples_of(make_house: MakeHouse) -> None:
    contract = make_house(ThirdParty()).client.get("/api/v1/openapi.json").json
    schemas = contract["components"]["schemas"]
    examples = [(name, example) for name, schema in schemas.items() for example in schema.get("examples", [])]
    assert {"Execute", "Answer", "FlowAnswer", "Problem", "Step", "AcceptDrift"} <= {name for name, _ in examples}
    assert [(name, misfits(example, named(name), contract)) for name, example in examples] == [
        (name, []) for name, _ in examples
    ]
    stepdocument.parse(schemas["Step"]["examples"][0])


def test_nothing_that_is_sent_or_comes_back_is_left_untyped(make_house: MakeHouse) -> None:
    """An object without properties is what a generated client cannot read; only these hold names that nobody knows."""
    contract = make_house(ThirdParty()).client.get("/api/v1/openapi.json").json
    free = {"attributes", "apply"}
    found: list[str] = []

    def look(schema: Any, name: str, place: str) -> None:
        if isinstance(schema, dict):
            untyped = schema.get("type") == "object" and "properties" not in schema and name not in free
            listed = schema.get("type") == "array" and "items" not in schema
            found.extend([place] if untyped or listed else [])
        for key, value in (
            schema.items() if isinstance(schema, dict) else enumerate(schema if isinstance(schema, list) else ())
        ):
            look(value, key if isinstance(key, str) and key not in ("oneOf", "anyOf") else name, f"{place}/{key}")

    look({key: value for key, value in contract.items() if key != "info"}, "", "")
    assert [place for place in found if "/examples/" not in place] == []
