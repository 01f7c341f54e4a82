"""Refusals of the API: application/problem+json (RFC 9457), carrying `next` wherever the step is known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Response

from httpstep.core import jsontext
from httpstep.core.jsontext import Json
from httpstep.serving.refusals import BUSY, RETRY_AFTER
from httpstep.web.responses import request_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Problem(Exception):
    """A refusal. title: a few fixed words; detail: a sentence for a person; more: further members."""

    def __init__(
        self, status: int, title: str, detail: str, *, headers: dict[str, str] | None = None, **more: Json
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = headers or {}
        self.more: dict[str, Any] = more

    def response(self) -> Response:
        body = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        body |= {"request_id": request_id()} | self.more
        answer = Response(jsontext.dumps(body), self.status, content_type="application/problem+json")
        answer.headers.extend(self.headers)
        return answer


def busy(detail: str, **more: Json) -> Problem:
    """The 503 for a pool of this process that is full, which is no fault of the caller's."""
    return Problem(503, BUSY, detail, headers={"Retry-After": str(RETRY_AFTER)}, **more)


class _Complete(Response):
    """Its bytes and headers are what goes out. Werkzeug would copy the headers, look at each and wrap the bytes."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(self.status, self.headers.to_wsgi_list())
        return () if environ["REQUEST_METHOD"] == "HEAD" else self.iter_encoded()


def json_response(value: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer written by the one writer that keeps the digits of numbers."""
    return _Complete(jsontext.dumps(value), status, headers, content_type="application/json")
