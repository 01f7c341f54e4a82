"""The web floor: read the input, call one thing, render. One module per blueprint."""

from __future__ import annotations

from flask import Flask

from httpstep.web import (
    access,
    faults,
    incoming,
    moments,
    prefix,
    responses,
)
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
from httpstep.web.step import (
    drift,
    picker,
    request_form,
    step_moves,
    steps,
    testing,
)

BLUEPRINTS = (
    health.blueprint,
    api.blueprint,
    manage.blueprint,
    drifting.blueprint,
    manage_flows.blueprint,
    manage_attributes.blueprint,
    manage_secrets.blueprint,
    manage_keys.blueprint,
    auditing.blueprint,
    openapi.blueprint,
    signing_in.blueprint,
    account.blueprint,
    keys.blueprint,
    users.blueprint,
    mailing.blueprint,
    accounts.blueprint,
    attributes.blueprint,
    secrets.blueprint,
    audit.blueprint,
    backup.blueprint,
    about.blueprint,
    steps.blueprint,
    testing.blueprint,
    flows.blueprint,
    step_moves.blueprint,
    drift.blueprint,
    logs.blueprint,
    cases.blueprint,
    picker.blueprint,
    request_form.blueprint,
)


def register(app: Flask) -> None:
    """Bind every blueprint, the error answers and the headers that every response carries."""
    telling.register(app)
    incoming.register(app)
    responses.register(app)
    faults.register(app)
    access.register(app)
    moments.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if app.config["HTTPSTEP"].metrics_token:
        app.register_blueprint(metrics.blueprint)
    prefix.register(app)
