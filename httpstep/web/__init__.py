"""The web floor: read the input, call one thing, render. One module per blueprint."""

from __future__ import annotations

from flask import Flask

from httpstep.web import (
    about,
    access,
    account,
    accounts,
    api,
    attributes,
    drift,
    faults,
    flows,
    health,
    incoming,
    keys,
    logs,
    mailing,
    manage,
    moments,
    openapi,
    picker,
    request_form,
    responses,
    secrets,
    signing_in,
    step_moves,
    steps,
    testing,
    users,
)

BLUEPRINTS = (
    health.blueprint,
    api.blueprint,
    manage.blueprint,
    openapi.blueprint,
    signing_in.blueprint,
    account.blueprint,
    keys.blueprint,
    users.blueprint,
    mailing.blueprint,
    accounts.blueprint,
    attributes.blueprint,
    secrets.blueprint,
    about.blueprint,
    steps.blueprint,
    testing.blueprint,
    flows.blueprint,
    step_moves.blueprint,
    drift.blueprint,
    logs.blueprint,
    picker.blueprint,
    request_form.blueprint,
)


def register(app: Flask) -> None:
    """Bind every blueprint, the error answers and the headers that every response carries."""
    incoming.register(app)
    responses.register(app)
    faults.register(app)
    access.register(app)
    moments.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
