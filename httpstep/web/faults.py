"""Answers to what went wrong outside the line: JSON problems under /api, pages and fragments elsewhere."""

from __future__ import annotations

from flask import Flask, Response, current_app, request
from limits.errors import StorageError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from httpstep.models.database import is_unavailable
from httpstep.vault import VaultError
from httpstep.web.problems import Problem

_TITLES = {
    404: ("Not Found", "There is nothing at this address."),
    405: ("Method Not Allowed", "This address does not take that method."),
    413: ("Content Too Large", "The request is larger than this address takes."),
    500: ("Internal Error", "httpstep itself failed. The operator finds the reason in the application's log."),
    503: ("Storage Unavailable", "httpstep cannot reach its storage just now. No call was made. Try again shortly."),
}


def _is_api() -> bool:
    return request.path.startswith("/api/") or request.path == "/health"


def _answer(status: int, title: str = "", detail: str = "") -> Response:
    title, detail = title or _TITLES.get(status, ("Error", ""))[0], detail or _TITLES.get(status, ("", ""))[1]
    if _is_api():
        return Problem(status, title, detail).response()
    return Response(f"{title}\n{detail}\n", status, content_type="text/plain; charset=utf-8")


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None or status < 400:
        return Response(error.get_body(), status, error.get_headers())
    known = _TITLES.get(status)
    answer = _answer(status, *(known or (error.name, error.description or "")))
    if status == 405:
        answer.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return answer


def _storage(error: Exception) -> Response:
    if isinstance(error, SQLAlchemyError) and not is_unavailable(error):
        return _unexpected(error)
    current_app.logger.error("storage unavailable: %s", type(error).__name__, exc_info=error)
    answer = _answer(503)
    answer.headers["Retry-After"] = "5"
    return answer


def _vault(error: VaultError) -> Response:
    current_app.logger.error("%s", error)
    return _answer(503, "Secrets Unavailable", str(error))


def _unexpected(error: Exception) -> Response:
    current_app.logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return _answer(500)


def register(app: Flask) -> None:
    app.register_error_handler(Problem, lambda problem: problem.response())
    app.register_error_handler(HTTPException, _http)
    for kind in (SQLAlchemyError, StorageError, RedisError):
        app.register_error_handler(kind, _storage)
    app.register_error_handler(VaultError, _vault)
    app.register_error_handler(Exception, _unexpected)
