"""The web floor: read the input, call one thing, render. One module per blueprint."""

from __future__ import annotations

from flask import Flask

from httpstep.web import api, faults, health, manage, openapi, responses


def register(app: Flask) -> None:
    """Bind every blueprint, the error answers and the headers that every response carries."""
    responses.register(app)
    faults.register(app)
    for blueprint in (health.blueprint, api.blueprint, manage.blueprint, openapi.blueprint):
        app.register_blueprint(blueprint)
