"""Addresses and forms before any view reads them: what no column can hold never reaches a query.

PostgreSQL keeps no NUL in a text, and no database a number of more than 64 bits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from io import BytesIO
from typing import IO, Any, Final

from flask import Flask, Request, abort, request
from flask.ctx import RequestContext
from htmx_flask.requests import HtmxAwareRequest
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import IntegerConverter, MapAdapter, Rule


class RowNumber(IntegerConverter):
    """`<int:…>` of an address: a longer number is no row's, so there is nothing there."""

    regex = "[0-9]{1,15}"


class Fields(ImmutableMultiDict[str, Any]):
    """The fields of a query or a form, without NUL."""

    def __init__(self, pairs: Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__([(_plain(name), _plain(value)) for name, value in pairs or ()])


def _plain(value: Any) -> Any:
    return value.replace("\0", "") if isinstance(value, str) else value


_EXECUTE: Final = re.compile(r"/api/v1/(?:steps|flows)/([a-z0-9-]{1,63})/execute")
_RULE: Final = "httpstep.rule"


class Application(Flask):
    """Flask, but a bot's call finds its route without being looked for among all of them, and nothing looks for views that
    are async: there are none. Both took a tenth of what a call costs."""

    def request_context(self, environ: dict[str, Any]) -> RequestContext:
        found = _EXECUTE.fullmatch(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
        if found is None:
            return super().request_context(environ)
        before, after = found.string[: found.start(1)], found.string[found.end(1) :]
        environ[_RULE] = rule = self._rules[f"{before}<key>{after}"]
        context = super().request_context(environ)
        context.request.url_rule, context.request.view_args = rule, {"key": found[1]}
        return context

    @cached_property
    def _rules(self) -> dict[str, Rule]:
        return {rule.rule: rule for rule in self.url_map.iter_rules()}

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """None where the route is known: an answer to a bot has no address of ours in it."""
        return None if request is not None and _RULE in request.environ else super().create_url_adapter(request)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


class Incoming(HtmxAwareRequest):  # type: ignore[misc]  # htmx-flask has no types
    parameter_storage_class = Fields

    def _get_file_stream(self, *_: Any, **__: Any) -> IO[bytes]:
        """A file that is sent stays in memory, for a request has at most 4 MB: there may be no place for it on a disk."""
        return BytesIO()


def _refuse_nul() -> None:
    if "\0" in request.path:
        abort(404)


def register(app: Flask) -> None:
    """Before the routes are bound."""
    app.request_class = Incoming
    app.url_map.converters["int"] = RowNumber
    app.before_request(_refuse_nul)
