"""Step -> curl -> a real shell running the real curl -> the request that arrives, beside the one the step itself sends; and
commands as documentations print them, run by the real curl and read as steps."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from httpstep.core.addresses import AddressPolicy
from httpstep.core.authentication import Auth
from httpstep.core.importing.curl import from_curl
from httpstep.core.importing.curlwriting import to_curl
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


def filled(spec: RequestSpec, httpserver: HTTPServer) -> RequestSpec:
    return replace(spec, url=spec.url.replace("{base}", httpserver.url_for("").rstrip("/")))


COMMANDS = r"""
curl {base}/a
curl '{base}/a?x=1&y=b%20c' -H 'X-A: it'"'"'s' -H "X-B: \"q\" \$x" -H 'X-C;'
curl -X POST {base}/j -H 'Content-Type: application/json' -d '{"a": "é", "n": 1.10}'
curl {base}/j --json '{"a": 1}'
curl {base}/j --json '{"a": 1,' --json '"b": 2}'
curl -X PUT {base}/j -H 'Content-Type: application/json; charset=utf-8' --data-binary $'{⏎  "a": "it\'s"⏎}'
curl -X PATCH {base}/j -H 'Content-Type: application/json-patch+json' -d '[{"op": "remove"}]'
curl {base}/f -d a=1 -d 'b=x+y' -d c=%2B1
curl {base}/f --data-urlencode 'a=x & y' --data-urlencode 'b=+49'
curl {base}/f -d 'q=r%E4kki&c=66'
curl {base}/f -d 'a=100%&b=1'
curl {base}/f -d 'just a text'
curl {base}/f -d 'a=1' -H 'Content-Type: text/plain'
curl {base}/f --data-raw '@no-file'
curl -G {base}/q?x=1 -d a=1 -d 'b=2'
curl -X DELETE {base}/d/7
curl -X DELETE {base}/d -d a=1
curl -I {base}/h
curl -X OPTIONS {base}/o
curl -X POST {base}/e
curl -u user:pa:ss {base}/u
curl -u 'me@shop.example:p w' {base}/u
curl {base}/u -H 'Authorization: Bearer abc.def-ghi'
curl --oauth2-bearer abc {base}/u
curl {base}/u -H 'Authorization: Token abc' -u a:b
curl {base}/c -b 'a=1; b=2' -b c=3
curl {base}/c -H 'Cookie: a=1' -A 'agent 1' -e https://ref.example/ -r 0-5
curl {base}/x -H 'Content-Type: text/xml' -d '<a>&amp;</a>'
curl {base}/g -H 'Content-Type: application/json' -d '{"query":"{ a(id: 1) { b } }"}'
curl {base}/p -F a=1 -F 'b=x y' -F 'c="q;z"' --form-string 'd=@e;f'
echo '{"a":1}' | curl {base}/i -H 'Content-Type: application/json' -d @-
curl {base}/i -H 'Content-Type: text/csv' --data-binary @- <<'EOF'⏎one,$TWO⏎⏎"three"⏎EOF
NAME=Ada; curl {base}/i --json @- <<EOF⏎{"a": "$NAME", "b": "\$x", "c": "\""}⏎EOF
curl {base}/i --data-binary @- -H 'Content-Type: a/b' <<-EOF⏎→one⏎→ two⏎→EOF
curl {base}/i -H 'Content-Type: application/json' -d "$(cat <<'EOF'⏎{"a": 1}⏎EOF⏎)"
ID=7 ; curl "{base}/v/${ID}/${OTHER:-8}" -H "X-A: $ID"
curl \⏎  -sSLX POST \⏎  {base}/s -da=1 -HX-A:b
(curl {base}/b -H 'X-A: (1)')
X=$(curl -s {base}/b -H 'X-A: 1'); echo "$X"
curl {base}/b | cat > out.txt 2>&1
curl {base}/b?a=1\&b=2 --compressed -k
curl {base}/t#top
"""
"""One a line; ⏎ is a line break in it and → a tab."""


@pytest.mark.parametrize("line", COMMANDS.strip().split("\n"))
def test_a_command_of_a_documentation_is_sent_as_curl_sends_it(
    line: str, httpserver: HTTPServer, arrived: list[Any], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Byte by byte, but for what the two programs say of themselves and the boundary that each makes up."""
    if shutil.which("curl") is None or shutil.which("bash") is None:
        pytestconfig.stash[ABSENT]["the real curl"] = "it is not there (Debian's packages curl and bash)"
        pytest.skip("curl is not here; the summary names it")
    command = line.replace("⏎", "\n").replace("→", "\t").replace("{base}", httpserver.url_for("").rstrip("/"))
    subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, timeout=90, check=False
    )
    found = from_curl(command)
    assert found.faults == ()
    transport = Transport(AddressPolicy.parse("127.0.0.1, localhost"))
    transport.send(render(StepSpec(request=found.spec), {}, secrets={}), time.monotonic() + 60)
    transport.close()
    by_curl, by_step = (without_boundary(one) for one in arrived)
    assert by_step == by_curl


def without_boundary(request: tuple[Any, ...]) -> tuple[Any, ...]:
    method, uri, headers, body = request
    made = re.search(r"boundary=(\S+)", dict(headers).get("Content-Type", ""))
    if made is None:
        return request
    plain = [(name, value.replace(made[1], "")) for name, value in headers]
    return method, uri, plain, body.replace(made[1].encode(), b"")
