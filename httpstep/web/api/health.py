"""GET /health: for whoever watches the process. Says nothing of what is inside, but to the operator who is signed in."""

from __future__ import annotations

from flask import Blueprint, Response, current_app
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from httpstep import __version__
from httpstep.config import Config
from httpstep.core.jsontext import Json
from httpstep.storage.database import reading
from httpstep.storage.tables import Account
from httpstep.upkeep import condition, nightly
from httpstep.web.access import may
from httpstep.web.moments import utc_machine
from httpstep.web.problems import json_response

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> Response:
    """200 where the database answers and its file is where it should be, 503 where not."""
    try:
        with reading() as connection:
            connection.execute(select(Account.id).limit(1))
        more = _inside() if may("operator") else {}
    except SQLAlchemyError:
        return json_response({"status": "unavailable"}, 503)
    return json_response({"status": "ok"} | more)


def _inside() -> dict[str, Json]:
    settings = current_app.config["HTTPSTEP"]
    now = condition.condition_of(settings)
    return {
        "version": __version__,
        "schema": now.schema,
        "database": {"kind": now.database, "bytes": now.database_bytes},
        "disk": {"free_bytes": now.free_bytes, "total_bytes": now.total_bytes},
        "mail": {"on": settings.smtp_url is not None, "waiting": now.mails_waiting, "failed": now.mails_failed},
        "budget": {
            "kept_in": "Redis" if settings.ratelimit_url != "database" else "database",
            "answers": condition.is_counting(),
        },
        "backup": _backup(settings),
    }


def _backup(settings: Config) -> Json:
    """Of every night. failed: why there is none since, or null."""
    if settings.backup_at == "off":
        return {"on": False}
    made, failed = nightly.kept(settings), nightly.unmended(current_app)
    last = {"at": utc_machine(made[0].at), "bytes": made[0].size} if made else None
    told = {"on": True, "kept": len(made), "last": last, "failed": failed.why if failed else None}
    elsewhere = nightly.made_elsewhere(current_app)
    return told | ({"elsewhere": utc_machine(elsewhere)} if elsewhere else {})
