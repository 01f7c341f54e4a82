"""What python-jsonpath reads of a query, strictly by RFC 9535, as what evaluates it.

The library is read with the first query, and most installations have none: it takes 60 ms.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from jsonpath import JSONPathEnvironment
from jsonpath.exceptions import JSONPathError
from jsonpath.filter import BaseExpression, FilterExpressionLiteral
from jsonpath.parse import Parser
from jsonpath.path import JSONPath
from jsonpath.segments import JSONPathRecursiveDescentSegment, JSONPathSegment
from jsonpath.selectors import IndexSelector, NameSelector
from jsonpath.stream import TokenStream
from jsonpath.token import TOKEN_SINGLE_QUOTE_STRING, Token
from jsonpath.unescape import unescape_string

from httpstep.core.query.jsonpath_comparison import QueryRefused
from httpstep.core.query.jsonpath_evaluation import selection
from httpstep.core.query.jsonpath_hints import spelling
from httpstep.core.query.jsonpath_selectors import Query
from httpstep.core.regex import regex


class _ExactParser(Parser):
    r"""Reads the numbers of a filter digit for digit, which its parent takes through float, and knows \u0000 to \u001f."""

    def parse_integer_literal(self, stream: TokenStream) -> BaseExpression:
        return _number(stream)

    def parse_float_literal(self, stream: TokenStream) -> BaseExpression:
        return _number(stream)

    def _decode_string_literal(self, token: Token) -> str:
        quote = "'" if token.kind == TOKEN_SINGLE_QUOTE_STRING else '"'
        pieces = _CONTROL_ESCAPE.split(token.value)
        return "".join(
            _unescaped_control(piece) if number % 2 else unescape_string(piece, token, quote)
            for number, piece in enumerate(pieces)
        )


_CONTROL_ESCAPE: Final = regex(r"(\\\\|\\u00[01][0-9A-Fa-f])")


def _unescaped_control(escape: str) -> str:
    return "\\" if escape == "\\\\" else chr(int(escape[2:], 16))


_NUMBER: Final = regex(r"-?(0|[1-9]\d{0,999})(\.\d{1,999})?([eE][+-]?\d{1,3})?", re.ASCII)


def _number(stream: TokenStream) -> FilterExpressionLiteral[int | Decimal]:
    text = stream.next().value
    if not _NUMBER.fullmatch(text):
        raise QueryRefused(f"“{text[:20]}” is not a number as JSON writes it.")
    return FilterExpressionLiteral(value=int(text) if text.lstrip("-").isdigit() else Decimal(text))


class _Environment(JSONPathEnvironment):
    parser_class = _ExactParser


_environment = _Environment(strict=True)


def parsed(query: str) -> Query:
    """Raises QueryRefused, with a sentence."""
    try:
        path = _environment.compile(query)
        if not isinstance(path, JSONPath):
            raise QueryRefused("A query is one path; “|” and “&” between paths are not known.")
        return Query(tuple(map(_only, path.segments)), selection(path.segments))
    except JSONPathError as error:
        raise QueryRefused(_sentence(error, query)) from None
    except (RecursionError, ValueError, ArithmeticError) as error:
        if isinstance(error, QueryRefused):
            raise
        raise QueryRefused("The query cannot be read.") from None


def _only(segment: JSONPathSegment) -> str | int | None:
    if isinstance(segment, JSONPathRecursiveDescentSegment) or len(segment.selectors) != 1:
        return None
    selector = segment.selectors[0]
    if isinstance(selector, NameSelector):
        return selector.name
    return selector.index if isinstance(selector, IndexSelector) and selector.index >= 0 else None


def _sentence(error: JSONPathError, query: str) -> str:
    what = _plain(str(error.args[0])) if error.args else "it cannot be read"
    place = f" at character {error.token.index + 1}" if error.token is not None and error.token.index >= 0 else ""
    return f"The query is not right{place}: {what}. {spelling(query)}".rstrip()


def _plain(what: str) -> str:
    """The parser's reason without its own words for the parts of a query."""
    if "TOKEN_" in what:
        return "something else is expected here"
    return re.sub(r"\b(?:shorthand )?selector(s?)\b", r"name\1", what).replace("token ", "")
