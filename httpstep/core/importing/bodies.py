"""What the data of a request make: a body of the step, or fields of its URL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import quote_plus, unquote_plus

from httpstep.core import jsontext
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.inserting.encoders import FORM_TYPE
from httpstep.core.inserting.jsonbodies import JsonBodyFault, compile_json
from httpstep.core.inserting.placeholders import PlaceholderFault
from httpstep.core.regex import regex
from httpstep.core.request.bodies import JSON_TYPE, graphql_faults, graphql_text
from httpstep.core.request.requestcheck import MAX_FIELDS
from httpstep.core.step.spec import Body, Pair

_JSON: Final = regex(r"application/(?:[\w.+-]+\+)?json\b", re.IGNORECASE)
_JSON_START: Final = regex(r"\s*[\[{]")


class Piece(NamedTuple):
    """One data option. `text` is what curl would send of it."""

    text: str
    json: bool = False


def urlencoded(value: str) -> str | None:
    """The text of a --data-urlencode: "content", "=content", "name=content"; None where it names a file."""
    name, equals, content = value.partition("=")
    if not equals:
        return None if "@" in value else _encoded(value)
    return f"{name}={_encoded(content)}" if name else _encoded(content)


def _encoded(text: str) -> str:
    return quote_plus(text, errors="replace")


class Made(NamedTuple):
    """`says_type`: whether the body says the content type that was asked for. `note`: a sentence on what was mended."""

    body: Body
    says_type: bool
    note: str = ""


def body_of(pieces: Sequence[Piece], content_type: str, *, fields_in_body: bool) -> Made:
    """The body of these pieces; content_type is "" where none is named.

    Fields where the data are name=value pairs, JSON where they are JSON, else the text as it is.
    """
    is_json = any(piece.json for piece in pieces)
    text = "".join(piece.text for piece in pieces) if is_json else "&".join(piece.text for piece in pieces)
    return text_body(text, content_type, is_json=is_json, fields_in_body=fields_in_body)


def text_body(text: str, content_type: str, *, is_json: bool = False, fields_in_body: bool = False) -> Made:
    """The body that is this text."""
    media_type = content_type.partition(";")[0].strip().lower()
    if _JSON.match(content_type) or (not content_type and (is_json or _JSON_START.match(text))):
        if (graphql := _graphql_of(text)) is not None:
            return Made(graphql, content_type.strip().lower() in ("", JSON_TYPE))
        mended, note = _mended(text)
        if mended is not None:
            return Made(Body("json", text=escaped(mended)), content_type.strip().lower() in ("", JSON_TYPE), note)
        return Made(Body("raw", text=escaped(text), content_type=content_type or JSON_TYPE), True)
    if media_type in ("", FORM_TYPE):
        fields = fields_of(text)
        if fields is not None:
            return Made(
                Body("query", fields, "body" if fields_in_body else "auto"),
                content_type.strip().lower() in ("", FORM_TYPE),
            )
    return Made(Body("raw", text=escaped(text), content_type=content_type or FORM_TYPE), True)


_GRAPHQL: Final = regex(r'\{"query":("(?:[^"\\]|\\.)*+")(?:,"variables":(\{.*\}))?\}', re.DOTALL)
_OPERATION: Final = regex(r"\s*(?:\{|(?:query|mutation|subscription)\b[^{}]*\{|fragment\s+\w+\s+on\b)")


def graphql_body(query: str, variables: str) -> Body | None:
    """None where a step cannot hold it as GraphQL: a placeholder in the query, variables that are no JSON object."""
    body = Body("graphql", text=escaped(query), variables=escaped(variables))
    is_sendable = not next(graphql_faults(body), None) and (not variables.strip() or _is_json(variables))
    return body if is_sendable else None


def _graphql_of(text: str) -> Body | None:
    """A JSON text as GraphQL, where that is sent with the very same bytes."""
    found = _GRAPHQL.fullmatch(text)
    if found is None:
        return None
    try:
        query = str(jsontext.loads(found[1]))
    except UnreadableAnswer:
        return None
    body = graphql_body(query, found[2] or "") if _OPERATION.match(query) else None
    return body if body and graphql_text(body.text, body.variables) == escaped(text) else None


_MENDING: Final = (
    (str.maketrans({"\xa0": " ", "\u202f": " "}), "No-break spaces stood in the JSON. They are spaces now."),
    (
        str.maketrans({"\xa0": " ", "\u202f": " ", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"}),
        "Curly quotes stood in the JSON. They are straight now.",
    ),
)


def _mended(text: str) -> tuple[str | None, str]:
    """(the JSON text, what was mended in it); None where it is no JSON either way."""
    if _is_json(text):
        return text, ""
    for table, note in _MENDING:
        mended = text.translate(table)
        if mended != text and _is_json(mended):
            return mended, note
    for written in ('\\"', '""'):
        unescaped = text.replace(written, '"')
        if unescaped != text and _is_json(unescaped):
            return unescaped, f"The quotes of the JSON were written for the shell, as {written}. They stand alone now."
    return None, ""


_NO_ESCAPE: Final = regex(r"%(?![0-9A-Fa-f]{2})")


def fields_of(text: str) -> tuple[Pair, ...] | None:
    """The pairs of a form; None where rows could not say the same: not only pairs, or not in UTF-8."""
    if not text:
        return ()
    fields: list[Pair] = []
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        if not equals or not name or _NO_ESCAPE.search(part):
            return None
        try:
            pair = unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
        except UnicodeDecodeError:
            return None  # another encoding than UTF-8, such as %E4 for ä: sent as it stands
        fields.append(Pair(escaped(pair[0]), escaped(pair[1])))
    return tuple(fields) if len(fields) <= MAX_FIELDS else None


_BRACES: Final = regex(r"(?<!\\)(\\*)\{\{([ \t]*(?:secret\.)?[A-Za-z_][A-Za-z0-9_.-]{0,99}[ \t]*\}\})?")


def escaped(text: str) -> str:
    r"""A text of a command as a text of a step: `{{name}}` stays a placeholder, every other `{{` becomes `\{{`."""
    return _BRACES.sub(_escaped_braces, text) if "{{" in text else text


def _escaped_braces(found: re.Match[str]) -> str:
    is_escaped = len(found[1]) % 2 == 1
    return found[0] if found[2] or is_escaped else found[1] + "\\{{"


def _is_json(text: str) -> bool:
    try:
        compile_json(escaped(text))
    except (JsonBodyFault, PlaceholderFault):
        return False
    return True
