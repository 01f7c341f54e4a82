"""What is a customer's is written nowhere: not by itself, and not as a part of what is written."""

from __future__ import annotations

import pickle

import pytest
from msgspec.structs import replace

from httpstep import config
from httpstep.core.authentication import Auth
from httpstep.core.document.entrydocuments import SecretDocument
from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.core.outcome.record import Record
from httpstep.core.private import Private
from httpstep.core.step.execution import Execution
from httpstep.core.step.spec import RequestSpec, StepSpec

SECRET = "sk_live_51H8xT2eZvKYlo2C"
AUTH = Auth("bearer", {"token": SECRET})


@pytest.mark.parametrize(
    "value",
    [
        AUTH,
        RequestSpec(auth=AUTH),
        StepSpec(request=RequestSpec(auth=AUTH)),
        RenderedRequest("GET", "https://shop.example", (), body=SECRET.encode(), secrets=frozenset({SECRET})),
        HttpResponse(200, "OK", (), SECRET.encode()),
        SecretDocument(SECRET, ("shop.example",)),
        config.load({"HTTPSTEP_METRICS_TOKEN": SECRET, "HTTPSTEP_DATA": "."}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_value_is_written_with_what_is_private(value: object) -> None:
    assert SECRET in str(pickle.dumps(value)), "it holds the secret"
    assert SECRET not in f"{value!r} {value} {[value]} {(value,)!s}"


def test_none_of_them_writes_itself_otherwise() -> None:
    kinds = Private.__subclasses__()
    assert {Auth, RenderedRequest, HttpResponse, Execution, Record, SecretDocument, config.Config} <= set(kinds)
    assert [kind for kind in kinds if kind.__repr__ is not Private.__repr__] == []


def test_private_values_are_values() -> None:
    assert Auth("bearer", {"token": SECRET}) == AUTH != Auth("bearer", {"token": "another"})
    assert replace(AUTH, type="basic") == Auth("basic", {"token": SECRET})
    with pytest.raises(AttributeError):
        AUTH.type = "none"  # type: ignore[misc]
