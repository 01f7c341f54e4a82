"""htmx, wrapped once: is it asking, and an answer with its headers. Events travel by HX-Trigger only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal

from flask import Response, make_response
from htmx_flask import request

from httpstep.core.jsontext import Json

ToastKind = Literal["success", "info", "warning", "error"]


def asked_by_htmx() -> bool:
    """Whether htmx made this request. Decides how a refusal is told, never which content an address has."""
    return bool(request.htmx)


def toast(text: str, kind: ToastKind = "success", *, stays: bool = False, undo: str = "") -> dict[str, Json]:
    """The event that shows a short notice; errors stay until they are closed, and others where asked to. undo: it has a
    button whose press is told to the page as `toast:undo` with this. Merge into `trigger` of `respond`."""
    return {"toast": {"text": text, "kind": kind, "stays": stays, "undo": undo}}


def open_modal() -> dict[str, Json]:
    """The event that opens the dialog `#modal`, whose `#modal-body` this answer fills."""
    return {"modal:open": "#modal"}


def respond(
    html: str = "",
    status: int = 200,
    *,
    trigger: Mapping[str, Json] | None = None,
    redirect: str | None = None,
    retarget: str | None = None,
    stays: bool = False,
) -> Response:
    """A fragment and its headers. trigger: event name -> detail. redirect: a local address the browser goes to.
    stays: the target keeps what it has; only parts beside it are swapped."""
    response = make_response(html, status)
    if trigger:
        response.headers["HX-Trigger"] = json.dumps(trigger)
    if redirect:
        response.headers["HX-Redirect"] = redirect
    if retarget:
        response.headers["HX-Retarget"] = retarget
    if stays:
        response.headers["HX-Reswap"] = "none"
    return response
