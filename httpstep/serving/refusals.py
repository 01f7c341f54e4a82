"""Answers to what never becomes a request of Flask's, because it is no proper HTTP: problems (RFC 9457) as well."""

from __future__ import annotations

import json
import uuid
from typing import Final

from gunicorn.http import errors

BUSY: Final = "Server Busy"
"""The title of a 503 that is nobody's fault: a pool of this process is full."""
NO_PLACE: Final = "Too many requests come slowly just now, so this one was not waited for. Send it again."
RETRY_AFTER: Final = 1
"""Seconds."""


class NoFreeSlot(Exception):
    """A client would have to be waited for, and all places to wait in are taken."""


_REFUSED: Final[dict[type[Exception], tuple[int, str, str]]] = {
    errors.LimitRequestLine: (414, "URI Too Long", "The address is longer than 8 KB."),
    errors.LimitRequestHeaders: (
        431, "Request Header Fields Too Large", "There are more than 100 headers, or one is longer than 8 KB."
    ),
    errors.ExpectationFailed: (417, "Expectation Failed", "The only expectation known here is 100-continue."),
    errors.UnsupportedTransferCoding: (501, "Not Implemented", "The only transfer coding known here is chunked."),
    errors.InvalidResponseHeader: (500, "Internal Error", "httpstep itself failed."),
    errors.InvalidResponseHeaderName: (500, "Internal Error", "httpstep itself failed."),
    errors.ConfigurationProblem: (400, "Bad Request", "The path does not begin with the SCRIPT_NAME that the proxy sends."),
    NoFreeSlot: (503, BUSY, NO_PLACE),
    errors.ParseException: (400, "Bad Request", "This is not a proper HTTP request."),
    Exception: (500, "Internal Error", "httpstep itself failed."),
}  # fmt: skip


def refusal(error: Exception) -> tuple[int, bytes, str]:
    """The status, the whole response that closes the connection, and the id it gave the request."""
    status, title, detail = next(_REFUSED[kind] for kind in type(error).__mro__ if kind in _REFUSED)
    request_id = uuid.uuid4().hex
    members = {"type": "about:blank", "title": title, "status": status, "detail": detail, "request_id": request_id}
    body = json.dumps(members).encode()
    head = (
        f"HTTP/1.1 {status} {title}", "Connection: close", f"X-Request-Id: {request_id}", "Cache-Control: no-store",
        "Content-Type: application/problem+json", f"Content-Length: {len(body)}", "X-Content-Type-Options: nosniff",
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
        *([f"Retry-After: {RETRY_AFTER}"] if status == 503 else []),
    )  # fmt: skip
    return status, "\r\n".join([*head, "", ""]).encode() + body, request_id
