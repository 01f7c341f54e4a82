"""The contract names every route of the API, and what the API answers fits it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from httpstep.core.document.flow import Condition
from tests.fakes import ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]
TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


def misfits(value: Any, schema: dict[str, Any], root: dict[str, Any], place: str = "$") -> list[str]:
    """Where a value does not fit a schema; knows the keywords the contract uses."""
    if "$ref" in schema:
        return misfits(value, root["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], root, place)
    found = []
    types = schema.get("type")
    types = [types] if isinstance(types, str) else types
    if types and not any(
        value is None if kind == "null" else isinstance(value, TYPES[kind]) and (kind == "boolean" or value is not True)
        for kind in types
    ):
        found.append(f"{place} is not {types}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{place} is not one of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{place} is not {schema['const']}")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        found += [f"{place} lacks {name}" for name in schema.get("required", []) if name not in value]
        for name, item in value.items():
            if name in properties:
                found += misfits(item, properties[name], root, f"{place}.{name}")
            elif schema.get("additionalProperties") is False:
                found.append(f"{place} has {name}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += misfits(item, schema.get("items", {}), root, f"{place}[{index}]")
    return found


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
        ("GET", "/attributes", "", None), ("PUT", "/secrets/{name}", "token", secret),
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
        if method == "GET" and got.status_code == 200 and path != "/flows/{key}":
            assert next(iter(got.json.values())), f"nothing was listed by {path}"


ANSWER_MEMBERS = {
    "success_when": [{"path": ["ok"], "is": "equals", "value": True}, {"jsonpath": "$.error", "is": "missing"}],
    "error_message": {"path": ["error", "message"]},
    "expired_when": [{"path": ["code"], "is": "one_of", "value": [17, "expired"]}],
    "retry_rejected": True,
}


def test_the_step_schema_takes_what_a_get_gives(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    house.put(document(mapping=[{"path": ["a"], "attribute": "a"}], alert_emails=["a@b.example"], **ANSWER_MEMBERS))
    contract = house.client.get("/api/v1/openapi.json").json
    assert misfits(house.call("GET", "/steps/order-status").json, {"$ref": "#/components/schemas/Step"}, contract) == []
