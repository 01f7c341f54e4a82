"""The web floor: read the input, call one thing, render. One module per blueprint."""

from __future__ import annotations

from httpstep.web import access, faults, incoming, moments, prefix, responses
from httpstep.web.api import (
    api,
    auditing,
    drifting,
    health,
    manage,
    manage_attributes,
    manage_flows,
    manage_keys,
    manage_secrets,
    metrics,
    telling,
)
from httpstep.web.contract import openapi
from httpstep.web.flows import flows
from httpstep.web.logs import cases, logs
from httpstep.web.settings import (
    about,
    account,
    accounts,
    attributes,
    audit,
    backup,
    keys,
    mailing,
    secrets,
    signing_in,
    users,
)
from httpstep.web.step import drift, picker, request_form, step_moves, steps, testing

_MODULES = (
    health, api, manage, drifting, manage_flows, manage_attributes, manage_secrets, manage_keys, auditing, openapi,
    signing_in, account, keys, users, mailing, accounts, attributes, secrets, audit, backup, about,
    steps, testing, flows, step_moves, drift, logs, cases, picker, request_form,
)  # fmt: skip


def register(app: incoming.Application) -> None:
    """Bind every blueprint, the error answers and the headers that every response carries."""
    for part in (telling, incoming, responses, faults, access, moments):
        part.register(app)
    for module in _MODULES:
        app.register_blueprint(module.blueprint)
    if app.config["HTTPSTEP"].metrics_token or app.config["HTTPSTEP"].metrics_listen:
        app.register_blueprint(metrics.blueprint)
    prefix.register(app)
    app.at_once = api.execute_at_once
