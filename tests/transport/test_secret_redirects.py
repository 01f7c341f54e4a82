"""A redirect takes a stored secret to no other origin, in headers, in the body and by an access token alike."""

from __future__ import annotations

import time
from typing import Any

import pytest

from httpstep.core.authentication import Auth
from httpstep.core.errors import NetworkError
from httpstep.core.request.rendering import render
from httpstep.core.step.spec import (
    Body,
    Pair,
    RequestSpec,
    StepSpec,
)
from httpstep.transport import Transport

VALUE = "s3cr3t-of-the-crm"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize(
    "parts",
    [
        {"headers": (Pair("X-Token", "{{secret.crm}}"),)},
        {"auth": Auth("bearer", {"token": "{{secret.crm}}"})},
        {"auth": Auth("api_key", {"name": "X-Key", "value": "{{secret.crm}}"})},
        {"method": "POST", "body": Body("json", text='{"token": "{{secret.crm}}"}')},
        {"method": "PUT", "body": Body("raw", text="{{secret.crm}}", content_type="text/plain")},
    ],
)
def test_another_origin_gets_nothing_of_it(
    serve: Any, shared_transport: Transport, status: str, parts: dict[str, Any]
) -> None:
    arrived: list[bytes] = []

    def other(peer: Any) -> None:
        while request := peer.read_request():
            arrived.append(request)
            peer.answer(b"{}")

    there = serve(other)

    def first(peer: Any) -> None:
        while peer.read_request():
            peer.answer(b"", status, f"Location: {there.url('/')}\r\n")

    here = serve(first)
    spec = StepSpec(request=RequestSpec(**({"url": here.url("/x")} | parts)))
    request = render(spec, {}, secrets={"crm": VALUE}, hosts={"crm": (here.url("/").rstrip("/"),)})
    try:
        shared_transport.send(request, time.monotonic() + 30)
    except NetworkError as error:
        assert error.reason == "redirects" and not arrived, "a body is not passed on"
    else:
        assert len(arrived) == 1
    assert VALUE.encode() in here.requests[0]
    assert all(VALUE.encode() not in request for request in arrived)
