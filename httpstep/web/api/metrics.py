"""GET /metrics, for Prometheus: what is counted in the database, so that every process and host tells the same.

There is no such address unless the operator has set HTTPSTEP_METRICS_TOKEN, or by HTTPSTEP_METRICS_LISTEN another one
for nothing else.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterator

from flask import Blueprint, Response, abort, current_app, request

from httpstep import __version__
from httpstep.execution import calls
from httpstep.serving.watching import WATCHED
from httpstep.storage import overview
from httpstep.storage.logs import MAX_CALL_SECONDS
from httpstep.upkeep import condition
from httpstep.web.api.exposition import CONTENT_TYPE, Metric, text
from httpstep.web.here import parts
from httpstep.web.problems import Problem

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> Response:
    """The counts. 401 without the token where one is set, 404 where none is and this is not their own address, 503 where the database is away."""
    _require_token()
    calls.write_refusals(parts())
    return Response(text(_metrics()), content_type=CONTENT_TYPE)


def _require_token() -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted: str = current_app.config["HTTPSTEP"].metrics_token
    if not wanted and WATCHED in request.environ:
        return
    if not wanted:
        abort(404)
    sent = token.strip() if scheme.lower() == "bearer" else ""
    if not hmac.compare_digest(sent.encode(), wanted.encode()):
        raise Problem(
            401, "Unauthorized", "Send HTTPSTEP_METRICS_TOKEN: Authorization: Bearer <token>.",
            headers={"WWW-Authenticate": "Bearer"},
        )  # fmt: skip


def _metrics() -> Iterator[Metric]:
    counted, now = overview.counts(), condition.condition_of(current_app.config["HTTPSTEP"])
    ended = [one for one in counted if one.kind == "execution"]
    labels = [{"account": one.account, "source": one.source, "outcome": one.outcome} for one in ended]
    yield Metric(
        "httpstep_info", "gauge", "The version, and the revision of the data.",
        (({"version": __version__, "schema": now.schema, "database": now.database}, 1),),
    )  # fmt: skip
    yield Metric(
        "httpstep_executions_total", "counter", "Executions that ended, by what came of them.",
        tuple((label, one.calls) for label, one in zip(labels, ended, strict=True)),
    )  # fmt: skip
    yield Metric(
        "httpstep_execution_seconds_total", "counter", "How long they took together, from start to end.",
        tuple((label, one.milliseconds / 1000) for label, one in zip(labels, ended, strict=True)),
    )  # fmt: skip
    yield Metric(
        "httpstep_refusals_total", "counter", "Requests that became no call, by the reason.",
        tuple(({"account": one.account, "reason": one.outcome}, one.calls) for one in counted if one.kind == "refusal"),
    )  # fmt: skip
    yield Metric(
        "httpstep_calls_in_flight", "gauge", "Calls that wait for third parties just now.",
        tuple(({"account": slug}, count) for slug, count in overview.in_flight(time.time() - MAX_CALL_SECONDS)),
    )  # fmt: skip
    yield Metric(
        "httpstep_mails_waiting", "gauge", "Alert mails that are due and not delivered yet.", (({}, now.mails_waiting),)
    )
    yield Metric("httpstep_database_bytes", "gauge", "Size of the database.", (({}, now.database_bytes),))
    yield Metric("httpstep_disk_free_bytes", "gauge", "Free on the disk of the data folder.", (({}, now.free_bytes),))
