"""Answers to what went wrong outside the line: JSON problems under /api, styled pages elsewhere, fragments for htmx."""

from __future__ import annotations

from flask import Flask, Response, current_app, g, render_template, request
from flask_limiter.errors import RateLimitExceeded
from limits.errors import StorageError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from httpstep.core.jsontext import Json
from httpstep.execution import calls
from httpstep.serving.refusals import BUSY, NO_PLACE, RETRY_AFTER
from httpstep.storage.database import is_unavailable
from httpstep.storage.vault import VaultError
from httpstep.web.access import form_to_send_again, may
from httpstep.web.fragments import asked_by_htmx
from httpstep.web.problems import Problem
from httpstep.web.responses import request_id

_TITLES = {
    400: ("Bad Request", "httpstep could not make sense of this request."),
    403: ("Not Allowed", "You may not do this."),
    404: ("Not Found", "There is nothing at this address."),
    405: ("Method Not Allowed", "This address does not take that method."),
    413: ("Content Too Large", "The request is larger than this address takes."),
    429: ("Too Many Requests", "This was tried too often. Wait a moment and try again."),
    500: ("Internal Error", calls.INTERNAL_MESSAGE),
    503: ("Storage Unavailable", "httpstep cannot reach its storage just now. No call was made. Try again shortly."),
}
_CALLED = "The call was made, but httpstep cannot reach its storage just now and cannot show what came of it. Look at the logs before you call again."
_OWN_WORDS = (403, 404, 429)
"""Statuses whose description, where a view gave one, is a sentence of ours."""


def _is_api() -> bool:
    return f"{request.path}/".startswith(("/api/", "/health/"))


def _answer(status: int, title: str = "", detail: str = "", retry_after: int | None = None) -> Response:
    title, detail = title or _TITLES.get(status, ("Error", ""))[0], detail or _TITLES.get(status, ("", ""))[1]
    answer = Problem(status, title, detail).response() if _is_api() else _shown(status, title, detail, retry_after)
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def _shown(status: int, title: str, text: str, retry_after: int | None) -> Response:
    """A page, or for htmx the fragment (marked X-Fault) that is shown where the answer was expected. Plain text if
    even that fails."""
    reference = request_id() if status >= 500 else ""
    template = "faults/_fault.html" if asked_by_htmx() else "faults/fault.html"
    mark = {"X-Fault": "true"} if asked_by_htmx() else {}
    more = {"reference": reference, "retry_after": retry_after}
    try:
        text = own_fault() if status == 500 else text
        if status == 503 and request.method == "POST" and not mark and not is_call_made() and text != NO_PLACE:
            html = form_to_send_again(title, text, **more)
        else:
            html = render_template(template, title=title, text=text, status=status, **more)
        return Response(html, status, mark, content_type="text/html; charset=utf-8")
    except Exception:
        current_app.logger.exception("the page of a fault could not be drawn")
        return Response(f"{title}\n{text}\n", status, content_type="text/plain; charset=utf-8")


def reason_in_log() -> str:
    """Where the reason of a fault of ours is, for whoever reads it."""
    who = "You find" if may("operator") else "The operator finds"
    return f"{who} the reason in the application's log."


def own_fault() -> str:
    """`INTERNAL_MESSAGE`, for whoever reads it."""
    return f"httpstep itself failed. {reason_in_log()}"


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if isinstance(error, ServiceUnavailable):
        return _answer(503, BUSY, error.description or "", _seconds(error))
    if error.response is not None or status < 400:
        return Response(error.get_body(), status, error.get_headers())
    title, text = _TITLES.get(status, (error.name, error.description or ""))
    given = error.description
    if status in _OWN_WORDS and given and given != type(error).description and not isinstance(error, RateLimitExceeded):
        text = given
    answer = _answer(status, title, text, _seconds(error))
    if status == 405:
        answer.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return answer


def _seconds(error: HTTPException) -> int | None:
    wait = getattr(error, "retry_after", None)
    return wait if isinstance(wait, int) else None


def is_call_made() -> bool:
    """Whether this request must not say that no call was made. A view notes it on `g` itself, in one assignment: there
    nothing can go wrong between the call and the note."""
    return bool(g.get("call_is_made"))


def unavailable(error: Exception, **more: Json) -> Problem | None:
    """The 503 for storage or secrets that cannot be reached just now, None for any other error. more: its members."""
    title, text = _TITLES[503]
    if isinstance(error, VaultError):
        title, text = "Secrets Unavailable", str(error)
        current_app.logger.error("%s", error)
    elif isinstance(error, SQLAlchemyError) and not is_unavailable(error):
        return None
    else:
        text = _CALLED if is_call_made() else text
        current_app.logger.error("storage unavailable, request %s: %s", request_id(), _reason(error))
    return Problem(503, title, text, headers={"Retry-After": "5"}, **more)


def _reason(error: Exception) -> str:
    """What the driver says, in a line: an outage is no fault of the program, so no traceback."""
    said = getattr(error, "orig", None) or getattr(error, "storage_error", None) or error
    return " ".join(f"{type(said).__name__}: {said}".split())[:300]


def _storage(error: Exception) -> Response:
    problem = unavailable(error)
    return _unexpected(error) if problem is None else _answer(503, problem.title, problem.detail, retry_after=5)


def _full(error: calls.ProcessFull) -> Response:
    return _answer(503, BUSY, error.SENTENCE, RETRY_AFTER)


def _unexpected(error: Exception) -> Response:
    current_app.logger.error("%s %s failed, request %s", request.method, request.path, request_id(), exc_info=error)
    return _answer(500)


def register(app: Flask) -> None:
    app.register_error_handler(Problem, lambda problem: problem.response())
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(calls.ProcessFull, _full)
    for kind in (SQLAlchemyError, StorageError, VaultError):
        app.register_error_handler(kind, _storage)
    app.register_error_handler(Exception, _unexpected)
