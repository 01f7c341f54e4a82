"""GET /health: for whoever watches the process.

To strangers it says nothing of what is inside; to who is signed in version, schema, disk and mail; to the operator all.
"""

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
from httpstep.web.access import may, visitor_or_none
from httpstep.web.moments import utc_machine
from httpstep.web.problems import json_response

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> Response:
    """200 where the database answers and its file is where it should be, 503 where not."""
    try:
        with reading() as connection:
            connection.execute(select(Account.id).limit(1))
        more = _inside() if visitor_or_none() else {}
    except SQLAlchemyError:
        return json_response({"status": "unavailable"}, 503)
    return json_response({"status": "ok"} | more)


def _inside() -> dict[str, Json]:
    """For who is signed in; what tells of other accounts or of the installation's parts is the operator's."""
    settings = current_app.config["HTTPSTEP"]
    now = condition.condition_of(settings)
    told: dict[str, Json] = {
        "version": __version__,
        "schema": now.schema,
        "disk": {"free_bytes": now.free_bytes, "total_bytes": now.total_bytes},
        "mail": {"on": settings.smtp_url is not None},
    }
    if not may("operator"):
        return told
    return told | {
        "database": {"kind": now.database, "bytes": now.database_bytes},
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
