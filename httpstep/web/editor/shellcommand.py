"""Lines to copy: a call of ours as cURL, Python and JavaScript, and a request as it was sent as cURL."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from msgspec import Struct

from httpstep.core import jsontext
from httpstep.core.exchange import RenderedRequest
from httpstep.core.importing.curlwriting import to_curl
from httpstep.core.jsontext import Json
from httpstep.core.request import rendering
from httpstep.storage import overview, steps
from httpstep.web.editor.entries import LogView

TOKEN = "YOUR_API_KEY"
_CURLS_OWN = {"host", "connection", "content-length", "accept-encoding", "user-agent"}
"""What curl sets itself, or cannot undo: it would print a compressed answer as it came."""


# A bot goes on only where `next` says so, whatever the status: a refusal carries the step's fallback where the step is
# known. Everything else stops: another status, silence, no connection, a proxy's page of HTML. The limit is a little
# above the 60 s within which an answer comes. `# go on` is where the bot's own lines go (tests/web/test_examples.py).
# The values are those of the last test, so that the lines work at once, and a remark says that they are to be replaced.
# The token stands in double quotes, so that a shell variable may be in its place. jq 1.6 says 0 to an empty input
# unless it is read by `input`, and it would change long numbers in what it prints.
_SHELL: Final = """\
{note}if answer=$(curl -sS --max-time 65 -X POST {url} \\
  -H "Authorization: Bearer {token}" \\
  -H 'Content-Type: application/json' \\
  -d {body}) &&
  printf '%s' "$answer" | jq -ne 'input.next == "continue"' > /dev/null
then
  printf '%s\\n' "$answer"
  # go on: the attributes are in "$answer"
else
  echo "stop: $answer" >&2
fi"""
_PYTHON: Final = """\
import requests

status, answer = "no answer", {{}}
try:
    response = requests.post(
        "{url}",
        headers={{"Authorization": "Bearer {token}", "Content-Type": "application/json"}},
{note}        data={body},
        timeout=65,
    )
    status = response.status_code
    answer = response.json()
except requests.RequestException:
    pass  # no connection, silence for 65 seconds, or no JSON
if answer.get("next") != "continue":
    raise RuntimeError(f"stop: {{status}} {{answer.get('title') or answer.get('message')}}")
attributes = answer.get("attributes", {{}})
# go on: put these attributes beside the ones the bot has
"""
_JAVASCRIPT: Final = """\
let status = "no answer", answer = {{}};
try {{
  const response = await fetch("{url}", {{
    method: "POST",
    headers: {{ "Authorization": "Bearer {token}", "Content-Type": "application/json" }},
{note}    body: JSON.stringify({body}),
    signal: AbortSignal.timeout(65_000),
  }});
  status = response.status;
  answer = await response.json();
}} catch {{
  // no connection, silence for 65 seconds, or no JSON
}}
if (answer?.next !== "continue") throw new Error(`stop: ${{status}} ${{answer?.title ?? answer?.message}}`);
const attributes = answer.attributes ?? {{}};
// go on: put these attributes beside the ones the bot has
"""


_NOTE: Final = "example values: your bot sends its own\n"


class Usage(Struct, frozen=True):
    """How a bot runs a step: lines that go on only after `next: continue`."""

    key: str
    url: str
    curl: str
    python: str
    javascript: str
    body: str
    has_examples: bool


def usage(
    base: str, key: str, attributes: dict[str, Json], token: str = TOKEN, part: Literal["steps", "flows"] = "steps"
) -> Usage:
    """The lines for one step or flow, with the attributes of `examples_for`."""
    url = f"{base}/api/v1/{part}/{key}/execute"
    body = jsontext.dumps_text({"attributes": attributes})

    def note(sign: str) -> str:
        return sign + _NOTE if attributes else ""

    return Usage(
        key, url, _SHELL.format(url=shlex.quote(url), token=token, body=shlex.quote(body), note=note("# ")),
        _PYTHON.format(url=url, token=token, body=_python_text(body), note=note("        # ")),
        _JAVASCRIPT.format(url=url, token=token, body=body, note=note("    // ")),
        body, bool(attributes),
    )  # fmt: skip


def examples_for(wanted: Iterable[str], given: Mapping[str, Json], names: overview.Names) -> dict[str, Json]:
    """What the lines send of all that a step asks for: what was given for the test, else the default that the account
    keeps, else the sample, else a name to put a value in the place of ("YOUR_ORDER_ID")."""
    kept = {name: jsontext.read_back(text) for name, text in (names.samples | names.defaults).items()}
    return {name: given[name] if name in given else kept.get(name, _placeholder(name)) for name in wanted}


def _placeholder(name: str) -> str:
    return "YOUR_" + re.sub(r"[.-]", "_", name).upper()


def example(base: str, account_id: int, token: str = TOKEN) -> Usage:
    """Lines that can be run as they are: a step that only reads, if there is one, with the samples it needs."""
    found = [(step.key, steps.document_of(step)) for step in steps.listed(account_id)]
    if not found:
        return usage(base, "order-status", {"order.id": 42}, token)
    key, spec = min(found, key=lambda one: one[1].request.method not in ("GET", "HEAD"))
    names = overview.names_for(account_id, None)
    return usage(base, key, examples_for(rendering.attributes_used(spec), {}, names), token)


def _python_text(body: str) -> str:
    """A Python literal of a JSON text: a string, so that no number changes on the way. UTF-8 by encode()."""
    return f"{body!r}.encode()"


def curl_of(entry: LogView) -> str:
    """The request as it was sent, secrets masked; "" where none was."""
    sent = entry.detail.get("request")
    if not sent:
        return ""
    headers = tuple((name, value) for name, value in sent["headers"] if name.lower() not in _CURLS_OWN)
    return to_curl(RenderedRequest(sent["method"], sent["url"], headers, entry.body))
