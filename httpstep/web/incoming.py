"""Addresses and forms before any view reads them: what no column can hold never reaches a query.

PostgreSQL keeps no NUL in a text, and no database a number of more than 64 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, cached_property, partial
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, Final

from flask import Flask, Request, Response, abort, request
from flask.ctx import RequestContext
from flask.globals import _cv_request
from htmx_flask.requests import HtmxAwareRequest
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import IntegerConverter, MapAdapter, Rule

from httpstep.core.regex import regex
from httpstep.web.prefix import FAULT

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


class RowNumber(IntegerConverter):
    """`<int:…>` of an address: a longer number is no row's, so there is nothing there."""

    regex = "[0-9]{1,15}"


class Route(Rule):
    """What writes its addresses is compiled with the first one: Werkzeug compiles two texts for each of a hundred routes,
    a thirtieth of a start, and a process writes the addresses of few."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = cache(partial(super()._compile_builder, append_unknown))
        return lambda rule, **values: compiled()(rule, **values)


class Fields(ImmutableMultiDict[str, Any]):
    """The fields of a query or a form, without NUL."""

    def __init__(self, pairs: Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__([(_plain(name), _plain(value)) for name, value in pairs or ()])


def _plain(value: Any) -> Any:
    return value.replace("\0", "") if isinstance(value, str) else value


_EXECUTE: Final = regex(r"/api/v1/(?:steps|flows)/([a-z0-9-]{1,63})/execute")
_STEP: Final = regex(r"/api/v1/steps/([a-z0-9-]{1,63})/execute")
_RULE: Final = "httpstep.rule"


class Application(Flask):
    """Flask, but a bot's call of a step is tried before it: what Flask does around a view is a tenth of all that the call
    costs. Whatever else comes of it than an answer goes Flask's way, as every other request.

    There it finds its route without being looked for among all of them, and nothing looks for views that are async.
    """

    url_rule_class = Route
    at_once: Callable[[Request, str], Response | None]
    """What may answer it. None where Flask is to do it, and nothing was done."""

    def wsgi_app(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        found = _STEP.fullmatch(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
        if found is None or FAULT in environ:
            return super().wsgi_app(environ, start_response)
        context = self.request_context(environ)
        with self.app_context():
            # What pushing the context does besides is for pages: sessions, and hooks before and after.
            token = _cv_request.set(context)
            try:
                answer = self.at_once(context.request, found[1])
            finally:
                _cv_request.reset(token)
            if answer is None:
                return super().wsgi_app(environ, start_response)
            if answer.status_code != 200:
                with context:
                    answer = self.process_response(answer)
            answer.headers.setdefault("Cache-Control", "no-store")
            return answer(environ, start_response)

    def request_context(self, environ: dict[str, Any]) -> RequestContext:
        found = _EXECUTE.fullmatch(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
        if found is None:
            return super().request_context(environ)
        before, after = found.string[: found.start(1)], found.string[found.end(1) :]
        environ[_RULE] = rule = self._rules[f"{before}<key>{after}"]
        tried = environ.get("werkzeug.request")  # which has read the body
        context = RequestContext(self, environ, tried if isinstance(tried, self.request_class) else None)
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
