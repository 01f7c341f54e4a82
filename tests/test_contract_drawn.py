"""Requests drawn from the contract, and near it: every answer is one that the contract describes, and none is a fault of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.sweeps import Sweep

SQLITE_ONLY = "what is answered is the same on either database"
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
KEYS = {"steps": "order-status", "flows": "order-flow"}
DRAWN = settings(
    deadline=None, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    """With a step and a flow that are there, a log, and no limit that a test reaches."""
    found = make_house(ThirdParty(answer(200, {"a": [1, None], "b": "x"}), answer(200, {"a": 1}), answer(500)))
    found.put(document(mapping=[{"path": ["a"], "attribute": "a.list"}, {"path": ["b"], "attribute": "a_list"}]))
    found.flow("order-status")
    found.limit(1_000_000)
    found.execute()
    return found


def operations(house: House) -> Iterator[Any]:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", house.app)
    for found in schema.get_all_operations():
        yield found.ok()


def draw(house: House, operation: Any, mode: GenerationMode, most: int, drawn: dict[str, set[int]]) -> None:
    """Of keys that are there, so that the draws reach what is behind the 404; to delete, of keys that are drawn."""
    headers = {"Authorization": f"Bearer {house.token()}"}
    part = operation.path.split("/")[3]

    @settings(DRAWN, max_examples=most)
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        if operation.method != "delete" and "key" in (case.path_parameters or {}) and part in KEYS:
            case.path_parameters["key"] = KEYS[part]
        response = case.call(headers=headers)
        drawn.setdefault(operation.label, set()).add(response.status_code)
        case.validate_response(response, checks=CHECKS)
        assert response.status_code != 500, "a fault of ours; 502 and 504 are asked for with errors=http"

    one()


def test_every_answer_is_one_that_the_contract_describes(house: House, sweep: Sweep) -> None:
    drawn: dict[str, set[int]] = {}
    most = sweep.count(5, 25)  # of each operation, right and wrong
    for operation in operations(house):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            draw(house, operation, mode, most, drawn)
    assert drawn["POST /api/v1/steps/{key}/execute"] >= {200, 400}
    assert drawn["PUT /api/v1/steps/{key}"] >= {422}
    assert drawn["GET /api/v1/steps/{key}/drift"] >= {200}
