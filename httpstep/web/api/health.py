"""GET /health: for whoever watches the process. Says nothing of what is inside."""

from __future__ import annotations

from flask import Blueprint, Response
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from httpstep.storage.database import reading
from httpstep.storage.tables import Account
from httpstep.web.problems import json_response

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> Response:
    """200 where the database answers and its file is where it should be, 503 where not."""
    try:
        with reading() as connection:
            connection.execute(select(Account.id).limit(1))
    except SQLAlchemyError:
        return json_response({"status": "unavailable"}, 503)
    return json_response({"status": "ok"})
