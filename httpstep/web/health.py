"""GET /health: for whoever watches the process. Says nothing of what is inside."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from httpstep.models.database import reading
from httpstep.models.tables import Account
from httpstep.web.problems import json_response

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> Response:
    """200 where the database answers and is where it should be, 503 where not."""
    try:
        with reading() as connection:
            connection.execute(select(Account.id).limit(1))
            is_there = _is_in_its_place(connection)
    except SQLAlchemyError:
        is_there = False
    return json_response({"status": "ok"}) if is_there else json_response({"status": "unavailable"}, 503)


def _is_in_its_place(connection: Connection) -> bool:
    """An open SQLite file goes on answering when it was deleted or moved away: what is written then is lost."""
    if connection.dialect.name != "sqlite":
        return True
    files = {name: file for _, name, file in connection.exec_driver_sql("PRAGMA database_list")}
    return Path(files["main"]).is_file()
