"""Attributes in a query: {{name}} becomes a literal of RFC 9535 and can be nothing else, whatever the value is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from httpstep.core import jsontext
from httpstep.core.conversion import CannotConvert, convert
from httpstep.core.inserting.encoders import encodable, text_of
from httpstep.core.inserting.placeholders import NOT_FOUND, Literal, NotFound, Placeholder, PlaceholderFault, scan
from httpstep.core.jsontext import Json
from httpstep.core.query.jsonpath_comparison import QueryRefused
from httpstep.core.regex import regex

ValueOf = Callable[[Placeholder], Json | NotFound]
SAMPLE: Final = "\ue000"
"""Stands for a value that is not known, where a query is only looked at."""
_QUOTE_OR_ESCAPE: Final = regex(r"\\.|['\"]", re.DOTALL)


def filled(query: str, value_of: ValueOf) -> str:
    """The query with its values. Inside quotes a value is a part of that text, elsewhere a text, a number, true, false
    or null. Raises QueryRefused. What is no placeholder stays as it is."""
    try:
        pieces = scan(query) if "{{" in query else ()
    except PlaceholderFault:
        return query
    texts, quote = [], ""
    for piece in pieces:
        if isinstance(piece, Literal):
            text = piece.source[:-3] + "{{" if piece.source.endswith("\\{{") else piece.source
            texts.append(text)
            quote = _quote_after(text, quote)
        else:
            texts.append(_literal(piece, _value(piece, value_of), quote))
    return "".join(texts) if pieces else query


def sampled(query: str) -> str:
    """The query as it is checked while no value is known."""
    return filled(query, lambda placeholder: SAMPLE)


def _value(placeholder: Placeholder, value_of: ValueOf) -> Json:
    if placeholder.secret is not None:
        raise QueryRefused("A secret cannot stand in a query.")
    value = value_of(placeholder)
    if value is NOT_FOUND or isinstance(value, NotFound):
        raise QueryRefused(f"The attribute “{placeholder.name}” is not there, and the query needs it.")
    if value == SAMPLE or not placeholder.conversion:
        return value
    try:
        return convert(value, placeholder.conversion)
    except CannotConvert as error:
        raise QueryRefused(f"The attribute “{placeholder.name}” cannot be inserted into the query: {error}") from None


def _literal(placeholder: Placeholder, value: Json, quote: str) -> str:
    if quote:
        return _escaped(text_of(value), quote)
    if isinstance(value, str):
        return f"'{_escaped(value, chr(39))}'"
    if isinstance(value, (list, dict)):
        raise QueryRefused(f"The attribute “{placeholder.name}” is a list or an object; a query takes one value.")
    return jsontext.dumps_text(value)


def _escaped(text: str, quote: str) -> str:
    """Inside a string literal (RFC 9535, 2.3.1.1)."""
    inside = jsontext.dumps_text(encodable(text))[1:-1]
    return inside if quote == '"' else inside.replace('\\"', '"').replace("'", "\\'")


def _quote_after(text: str, quote: str) -> str:
    for found in _QUOTE_OR_ESCAPE.finditer(text):
        if found[0] == quote:
            quote = ""
        elif not quote and found[0] in "'\"":
            quote = found[0]
    return quote
