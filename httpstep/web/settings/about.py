"""/about and /docs/api: what this installation is, and the contract as prose."""

from __future__ import annotations

from functools import cache
from importlib import metadata

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from httpstep import __version__
from httpstep.core.errors import FailureKind
from httpstep.execution import calls
from httpstep.extensions import db
from httpstep.storage import catalogue, flows
from httpstep.storage.database import reading
from httpstep.web.access import access, current_user, may
from httpstep.web.contract import reference
from httpstep.web.contract.openapi import contract
from httpstep.web.editor.shellcommand import example
from httpstep.web.here import base_url

blueprint = Blueprint("about", __name__)

_LIBRARIES = (
    "flask", "werkzeug", "jinja2", "sqlalchemy", "flask-sqlalchemy", "flask-migrate", "alembic", "flask-login", "flask-wtf",
    "flask-limiter", "limits", "flask-mail", "htmx-flask", "requests", "urllib3", "msgspec", "python-jsonpath",
    "cryptography", "gunicorn", "psycopg", "redis", "email-validator", "pyyaml",
)  # fmt: skip


class Library(Struct, frozen=True):
    name: str
    version: str
    licence: str


@blueprint.get("/about")
@access("viewer")
def about() -> ResponseReturnValue:
    settings = current_app.config["HTTPSTEP"]
    return render_template(
        "about/about.html", version=__version__, healthy=_is_healthy(), libraries=_libraries(),
        data=str(settings.data) if may("operator") else None, database=db.engine.dialect.name,
        mail_on=settings.smtp_url is not None,
    )  # fmt: skip


def _is_healthy() -> bool:
    try:
        with reading() as connection:
            connection.exec_driver_sql("SELECT 1")
    except SQLAlchemyError:
        return False
    return True


@cache
def _libraries() -> tuple[Library, ...]:
    """What is installed stays so for as long as the process runs; reading it takes 4 ms of each page."""
    found = []
    for name in _LIBRARIES:
        try:
            about_it = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue
        found.append(Library(about_it["Name"], about_it["Version"], _licence(about_it)))
    return tuple(found)


def _licence(about_it: metadata.PackageMetadata) -> str:
    marks = [
        line.rpartition(" :: ")[2] for line in about_it.get_all("Classifier") or () if line.startswith("License ::")
    ]
    named = (about_it.get_all("License-Expression") or []) + marks[-1:] + (about_it.get_all("License") or [])
    return named[0].splitlines()[0][:60] if named and named[0] else "see its page"


@blueprint.get("/api-docs")
@blueprint.get("/docs/api")
@access("viewer")
def api() -> ResponseReturnValue:
    account_id = current_user().account_id
    first, described = example(base_url(), account_id, "$HTTPSTEP_KEY"), contract(base_url())
    return render_template(
        "about/api.html", base_url=base_url(), example=first, step_key=first.key,
        operations=reference.operations(described, _own(account_id, first.key)), shapes=reference.shapes(described),
        outcomes=["success", *(kind.value for kind in FailureKind)], meanings=_MEANINGS, internal=calls.INTERNAL_MESSAGE,
    )  # fmt: skip


def _own(account_id: int, step_key: str) -> dict[str, str]:
    """What the account has for the variable parts of the contract's paths, likely names where it has nothing."""
    flow = next((row.key for row in flows.listed(account_id)), "order-flow")
    attribute = next((one.name for one in catalogue.documents(account_id)), "order.id")
    secret = next((one.name for one in catalogue.secrets(account_id)), "token")
    return {
        "steps/{key}": f"steps/{step_key}", "flows/{key}": f"flows/{flow}", "attributes/{name}": f"attributes/{attribute}",
        "secrets/{name}": f"secrets/{secret}", "{log_id}": "17", "{key_id}": "1",
    }  # fmt: skip


_MEANINGS = {
    "success": "The API answered as the step expects, and the attributes are there.",
    "http_error": "The API answered with a status outside the step's success rule.",
    "rejected": "The status was good, and the answer itself says that the API refused: the message has its words.",
    "timeout": "The API did not answer within the time allowed.",
    "network_error": "The API could not be reached: name, connection, TLS or a broken answer.",
    "blocked": "The address is not allowed, such as a private one.",
    "too_large": "The answer was larger than 1 MB.",
    "not_json": "The step has mapping rules and the answer was not JSON.",
    "invalid_request": "The request could not be built, for instance because an attribute was missing.",
    "cancelled": "The caller hung up, or Cancel was pressed.",
    "disabled": "The step is switched off. No call was made.",
    "rate_limited": "Inside a flow: the account's budget was used up, or too many calls were waiting.",
    "internal": "httpstep itself failed. The answer has the status 500.",
}
