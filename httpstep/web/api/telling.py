"""The canonical lines of requests to the API that `runs` never saw: refused ones, and stored answers that are repeated.

Together with `calls.tell` there is one line for each execution, flow, replay and refusal, whatever refused it.
"""

from __future__ import annotations

from contextlib import suppress

from flask import Flask, Response, g, request

from httpstep.core.outcome.canonical import CanonicalLine, word
from httpstep.core.step.stepkey import is_key
from httpstep.execution import calls
from httpstep.upkeep import audit
from httpstep.web.responses import request_id

_HOMES = {"api.execute": "step", "api.execute_flow": "flow"}


def whose(account: str, key_name: str) -> None:
    """Whose key came with this request, and its name."""
    g.account = account
    audit.acts(f"key {key_name}")


def nobodys() -> None:
    """Take that back: it is to be seen anew whose key it is."""
    g.pop("account", None)


def _told(response: Response) -> Response:
    if "told" in g or not request.path.startswith("/api/"):
        return response
    with suppress(Exception):
        if response.headers.get("Idempotency-Replayed"):
            _tell("replay", response, None)
        elif response.mimetype == "application/problem+json" or response.status_code >= 500:
            _tell("refusal", response, "refused")
    return response


def _tell(event: str, response: Response, outcome: str | None) -> None:
    said = response.get_json(silent=True)
    said = said if isinstance(said, dict) else {}
    key = str((request.view_args or {}).get("key", ""))
    home = {_HOMES.get(request.endpoint or "", "step"): key if is_key(key) else None}
    replayed = said if event == "replay" else {}
    calls.tell(
        CanonicalLine(
            event, request_id(), g.get("account"), home.get("step"), home.get("flow"), "bot",
            outcome or replayed.get("outcome"), word(said.get("title", "internal")) if outcome else None,
            said.get("next"), response.status_code, log_id=replayed.get("log_id"),
        )
    )  # fmt: skip


def register(app: Flask) -> None:
    app.after_request(_told)
