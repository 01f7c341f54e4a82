"""Step -> curl -> a real shell running the real curl -> the request that arrives, beside the one the step itself sends."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from httpstep.core.addresses import AddressPolicy
from httpstep.core.authentication import Auth
from httpstep.core.importing.curl import from_curl, to_curl
from httpstep.core.request.rendering import render
from httpstep.core.step.spec import (
    Body,
    Pair,
    RequestSpec,
    StepSpec,
)
from httpstep.transport import Transport
from tests.conftest import ABSENT

ATTRIBUTES: dict[str, Any] = {
    "id": "4/2 ä'\"", "n": 3, "text": "it's a \"quote\"\\ $HOME `x` !!\n%s {{no}} \t€😀", "list": [1, "two", None],
}  # fmt: skip
STEPS = {
    "get": RequestSpec(url="{base}/orders/{{id}}?q={{text}}"),
    "glob": RequestSpec(url="{base}/a[1-3]/{x,y}?z=[{{n}}]"),
    "head": RequestSpec("HEAD", "{base}/h"),
    "delete": RequestSpec("DELETE", "{base}/d", headers=(Pair("X-Note", "{{n}} 'quoted' \"twice\" $HOME"),)),
    "options": RequestSpec("OPTIONS", "{base}/o"),
    "json": RequestSpec("POST", "{base}/j", body=Body("json", text='{"t": "{{text}}", "n": {{n}}, "l": {{list}}}')),
    "form": RequestSpec("POST", "{base}/f", body=Body("query", (Pair("a b", "{{text}}"), Pair("a b", "&=+ {{id}}")))),
    "query": RequestSpec("GET", "{base}/q", body=Body("query", (Pair("a b", "{{text}}"),))),
    "raw": RequestSpec("PUT", "{base}/r", body=Body("raw", text="@file {{text}}\n", content_type="text/csv")),
    "parts": RequestSpec(
        "POST", "{base}/p", body=Body("multipart", (Pair("a b", "{{text}}"), Pair("@f", "@x;type=a/b")))
    ),
    "graphql": RequestSpec(
        "POST", "{base}/g", body=Body("graphql", text="query ($n: Int) {\n a(n: $n) }", variables='{"n": {{n}}}')
    ),
    "empty": RequestSpec("POST", "{base}/e"),
    "basic": RequestSpec("PATCH", "{base}/b", auth=Auth("basic", {"username": "u", "password": "p\"$w'"})),
    "bearer": RequestSpec(url="{base}/t", auth=Auth("bearer", {"token": "abc.def-ghi"})),
}
DIFFERS = {"User-Agent", "Accept-Encoding", "Accept", "Connection", "Host", "Content-Length"}
"""What the two programs say of themselves. The body itself is compared, so its length need not be."""


@pytest.fixture
def arrived(httpserver: HTTPServer) -> Iterator[list[tuple[Any, ...]]]:
    seen: list[tuple[Any, ...]] = []

    def note(request: Request) -> Response:
        headers = sorted((name, value) for name, value in request.headers.items() if name not in DIFFERS)
        seen.append((request.method, request.environ["REQUEST_URI"], headers, request.get_data()))
        return Response("{}", content_type="application/json")

    httpserver.expect_request(re.compile(".*")).respond_with_handler(note)
    yield seen


@pytest.mark.parametrize("name", STEPS)
def test_the_curl_line_sends_what_the_step_sends(
    name: str, httpserver: HTTPServer, arrived: list[Any], pytestconfig: pytest.Config
) -> None:
    if shutil.which("curl") is None:
        pytestconfig.stash[ABSENT]["the real curl"] = "it is not there (Debian's package curl)"
        pytest.skip("curl is not here; the summary names it")
    spec = filled(STEPS[name], httpserver)
    request = render(StepSpec(request=spec), ATTRIBUTES, secrets={})
    transport = Transport(AddressPolicy.parse("127.0.0.1, localhost"))
    transport.send(request, time.monotonic() + 60)
    transport.close()
    line = to_curl(request)
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, timeout=90, check=False)
    assert done.returncode == 0, (line, done.stderr)
    by_step, by_curl = arrived
    assert by_curl == by_step, line


@pytest.mark.parametrize("name", STEPS)
def test_the_line_of_a_step_as_typed_reads_back_as_the_same_step(name: str, httpserver: HTTPServer) -> None:
    spec = filled(STEPS[name], httpserver)
    again = from_curl(to_curl(spec)).spec
    assert render(StepSpec(request=again), ATTRIBUTES, secrets={}) == render(
        StepSpec(request=spec), ATTRIBUTES, secrets={}
    )


def filled(spec: RequestSpec, httpserver: HTTPServer) -> RequestSpec:
    return replace(spec, url=spec.url.replace("{base}", httpserver.url_for("").rstrip("/")))
