"""The body of a request to the API, and what an execute call asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from flask import Request
from msgspec import Struct
from werkzeug.exceptions import BadRequest, ServiceUnavailable

from httpstep.core import jsontext
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.jsontext import Json
from httpstep.storage import keys
from httpstep.web.api.wishes import Wishes
from httpstep.web.problems import Problem, busy

MAX_BODY_BYTES = 256 * 1024


def json_body(request: Request, **more: Json) -> Json:
    """The request's JSON body. Raises 413, 415 and 400; `more` goes into those problems."""
    environ = request.environ
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise Problem(415, "Unsupported Media Type", "Send the body without Content-Encoding.", **more)
    if environ.get("CONTENT_TYPE") != "application/json" and not request.is_json:
        raise Problem(415, "Unsupported Media Type", "Send JSON with Content-Type: application/json.", **more)
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise Problem(413, "Content Too Large", "The body may have at most 256 KB.", **more)
    try:
        data = request.get_data()
    except ServiceUnavailable as error:
        raise busy(error.description or "", **more) from None
    except BadRequest:
        detail = "The body ended too early, came too slowly or is not proper HTTP."
        raise Problem(400, "Malformed Request", detail, **more) from None
    if len(data) > MAX_BODY_BYTES:
        raise Problem(413, "Content Too Large", "The body may have at most 256 KB.", **more)
    try:
        return jsontext.loads(data)
    except UnreadableAnswer as error:
        raise Problem(400, "Malformed Request", f"The body is not JSON: {error.message}", **more) from None


class Asked(Struct, frozen=True):
    """An execute call: its request, who calls, what the body has, and `next_` for whatever refuses it. gives: the attributes that
    may come of it, where their names are to be flat. wishes: how it wants to be answered."""

    request: Request
    who: keys.Caller
    next_: Literal["continue", "stop"]
    gives: Sequence[str]
    wishes: Wishes
    attributes: dict[str, Json]
    timeout: float | None

    @classmethod
    def read(
        cls,
        request: Request,
        who: keys.Caller,
        next_: Literal["continue", "stop"],
        gives: Sequence[str],
        wishes: Wishes,
    ) -> Asked:
        wishes.require_known(next_)
        body = json_body(request, next=next_)
        if not isinstance(body, dict):
            raise malformed('The body must be an object: {"attributes": {...}}.', next_)
        if (unknown := sorted(set(body) - {"attributes", "timeout"})) and not wishes.ignores_extra:
            raise malformed(
                f'Unknown member "{unknown[0][:100]}". The body has "attributes" and, if wanted, "timeout".', next_
            )
        attributes = body.get("attributes", {})
        if not isinstance(attributes, dict):
            raise malformed('"attributes" must be an object of names and values.', next_)
        timeout = body.get("timeout")
        if timeout is None:
            return cls(request, who, next_, gives, wishes, attributes, None)
        if isinstance(timeout, (bool, str, list, dict)) or not 0 < timeout <= 60 or not float(timeout):
            raise malformed('"timeout" must be a number of seconds above 0 and at most 60.', next_)
        return cls(request, who, next_, gives, wishes, attributes, float(timeout))


def malformed(detail: str, next_: str) -> Problem:
    return Problem(400, "Malformed Request", detail, next=next_)
