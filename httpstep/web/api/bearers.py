"""Who calls the API: the bearer token of a request (RFC 6750, 2.1), and the account of its key."""

from __future__ import annotations

import time

from flask import Request, request

from httpstep.execution import starting
from httpstep.execution.gathering import GatheredAccount
from httpstep.serving.clients import CALLER
from httpstep.storage import keys
from httpstep.web.api import telling
from httpstep.web.here import parts
from httpstep.web.problems import Problem

IDEMPOTENCY_KEY = "HTTP_IDEMPOTENCY_KEY"
"""The header, as WSGI has it."""

Bearer = tuple[keys.Caller, GatheredAccount]


def caller() -> keys.Caller:
    """Who calls. Raises the 401, the same for every reason."""
    return authenticated(request)[0]


def authenticated(asked: Request) -> Bearer:
    """The same with the account as this process keeps it."""
    found = parts().accounts.authenticate(_token(asked), time.time())
    if found is None:
        raise Problem(
            401, "Unauthorized", "Send a valid API key: Authorization: Bearer <api key>.",
            headers={"WWW-Authenticate": "Bearer"},
        )  # fmt: skip
    return _known(asked, found)


def believed(asked: Request) -> Bearer | None:
    """The same without a look whether it is still so, where the statement that begins the call looks."""
    if IDEMPOTENCY_KEY in asked.environ or not starting.may_believe():
        return None
    made = parts()
    found = made.accounts.believed(_token(asked), time.time())
    return _known(asked, found) if found and made.refused.is_clear(found[0].account_id) else None


def _token(asked: Request) -> str:
    scheme, _, token = asked.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _known(asked: Request, found: Bearer) -> Bearer:
    asked.environ[CALLER] = f"key {found[0].key_id}"
    telling.whose(found[0].account, found[0].key_name)
    return found
