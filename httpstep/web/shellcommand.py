"""Lines to copy: a call of ours as cURL, Python and JavaScript, and a request as it was sent as cURL."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Literal

from httpstep.core import jsontext, rendering
from httpstep.core.curl import to_curl
from httpstep.core.model import Json, RenderedRequest
from httpstep.models import overview, steps
from httpstep.web.entries import Entry

TOKEN = "YOUR_API_KEY"
_CURLS_OWN = {"host", "connection", "content-length", "accept-encoding", "user-agent"}
"""What curl sets itself, or cannot undo: it would print a compressed answer as it came."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How a bot runs a step."""

    key: str
    url: str
    curl: str
    python: str
    javascript: str


def usage(
    base: str, key: str, attributes: dict[str, Json], token: str = TOKEN, part: Literal["steps", "flows"] = "steps"
) -> Usage:
    """The lines for one step or flow; the attributes as they are filled in for the test."""
    url = f"{base}/api/v1/{part}/{key}/execute"
    body = jsontext.dumps_text({"attributes": attributes})
    # In double quotes, so that a shell variable may stand in the token's place.
    header = f'"Authorization: Bearer {token}"'
    curl = (
        f"curl -X POST {shlex.quote(url)} \\\n  -H {header} \\\n"
        f"  -H 'Content-Type: application/json' \\\n  -d {shlex.quote(body)}"
    )
    python = (
        f'import requests\n\nanswer = requests.post(\n    "{url}",\n'
        f'    headers={{"Authorization": "Bearer {token}", "Content-Type": "application/json"}},\n'
        f"    data={_python_text(body)},\n    timeout=65,\n).json()\n"
        'if answer["next"] == "stop":\n    ...  # end this flow\n'
    )
    javascript = (
        f'const answer = await fetch("{url}", {{\n  method: "POST",\n'
        f'  headers: {{ "Authorization": "Bearer {token}", "Content-Type": "application/json" }},\n'
        f"  body: JSON.stringify({jsontext.dumps_text({'attributes': attributes})}),\n}}).then((r) => r.json());\n"
        'if (answer.next === "stop") { /* end this flow */ }\n'
    )
    return Usage(key, url, curl, python, javascript)


def example(base: str, account_id: int, token: str = TOKEN) -> Usage:
    """Lines that can be run as they are: a step that only reads, if there is one, with the samples it needs."""
    found = [(step.key, steps.document_of(step)) for step in steps.listed(account_id)]
    if not found:
        return usage(base, "order-status", {"order.id": 42}, token)
    key, spec = min(found, key=lambda one: one[1].request.method not in ("GET", "HEAD"))
    samples = overview.names_for(account_id, None).samples
    used = rendering.attributes_used(spec)
    return usage(base, key, {name: jsontext.read_back(samples.get(name, '""')) for name in used}, token)


def _python_text(body: str) -> str:
    """A Python literal of a JSON text: a string, so that no number changes on the way. UTF-8 by encode()."""
    return f"{json.dumps(body, ensure_ascii=False)}.encode()"


def curl_of(entry: Entry) -> str:
    """The request as it was sent, secrets masked; "" where none was."""
    sent = entry.detail.get("request")
    if not sent:
        return ""
    headers = tuple((name, value) for name, value in sent["headers"] if name.lower() not in _CURLS_OWN)
    return to_curl(RenderedRequest(sent["method"], sent["url"], headers, entry.log.request_body))
