"""Where a request is: its account, what the application is made of, and the address that people and bots open."""

from __future__ import annotations

from urllib.parse import quote

from flask import current_app, request

from httpstep.execution import calls
from httpstep.extensions import kept
from httpstep.web.access import current_user


def parts() -> calls.Parts:
    found: calls.Parts = kept("httpstep")
    return found


def account_id() -> int:
    """Of the user who is signed in."""
    return current_user().account_id


def tenant() -> calls.Tenant:
    """The account of the user who is signed in, with its limits."""
    account = current_user().account
    return calls.Tenant(account.id, account.per_minute, account.in_flight, account.slug)


def secret_value(name: str, token: bytes) -> str:
    """Of a secret of the account of the user who is signed in. Raises VaultError."""
    return parts().vault.secret(current_user().account.slug, name, token)


def base_url() -> str:
    """The address people and bots use, without a slash at its end."""
    configured: str = current_app.config["HTTPSTEP"].base_url
    return configured or f"{request.host_url.rstrip('/')}{quote(request.script_root)}"
