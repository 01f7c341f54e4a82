"""Addresses and forms before any view reads them: what no column can hold never reaches a query.

PostgreSQL keeps no NUL in a text, and no database a number of more than 64 bits.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import IO, Any

from flask import Flask, abort, request
from htmx_flask.requests import HtmxAwareRequest
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import IntegerConverter


class RowNumber(IntegerConverter):
    """`<int:…>` of an address: a longer number is no row's, so there is nothing there."""

    regex = "[0-9]{1,15}"


class Fields(ImmutableMultiDict[str, Any]):
    """The fields of a query or a form, without NUL."""

    def __init__(self, pairs: Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__([(_plain(name), _plain(value)) for name, value in pairs or ()])


def _plain(value: Any) -> Any:
    return value.replace("\0", "") if isinstance(value, str) else value


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
