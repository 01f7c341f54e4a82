"""What is wrong with a request before any value is known: the faults an editor is told at save."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from httpstep.core.authentication import Auth, empty_members, kind_of
from httpstep.core.inserting import headers, urls
from httpstep.core.inserting.encoders import header_fault
from httpstep.core.inserting.jsonbodies import JsonBodyFault, compile_json
from httpstep.core.inserting.placeholders import (
    Placeholder,
    PlaceholderFault,
    faults_in,
    scan,
)
from httpstep.core.inserting.urlhosts import UrlFault
from httpstep.core.inserting.urls import compile_url
from httpstep.core.masking.redaction import MASK, MASKED_SENTENCE
from httpstep.core.request.bodies import graphql_faults
from httpstep.core.step.spec import (
    METHODS,
    ROW_MODES,
    Body,
    Pair,
    RequestSpec,
)

MAX_FIELDS: Final = 100
MAX_TEXT_CHARACTERS: Final = 1024 * 1024
Found = Iterator[tuple[str, str]]


def check_request(request: RequestSpec) -> list[tuple[str, str]]:
    """All faults as (place, sentence), places as in `errors.StepError`: "url", "headers[2].name", "auth.token".

    What is not sent (the body's text while its mode is `query`, say) is not looked at.
    """
    return [
        *_method(request),
        *_url("url", request.url),
        *_headers(request.headers),
        *_auth(request.auth),
        *_body(request.body),
    ]


def fields_go_in(method: str, mode: str, send_fields_in: str) -> str:
    """Where the rows of a *Query String* or *Form Data* body are sent, "url" or "body"."""
    if mode == "multipart":
        return "body"
    if send_fields_in in ("url", "body"):
        return send_fields_in
    return "body" if method in headers.METHODS_WITH_BODY else "url"


def sent_texts(request: RequestSpec) -> Iterator[tuple[str, str]]:
    """(place, text) of every text that is sent and may hold placeholders, in the order of the form."""
    yield "url", request.url
    for index, pair in enumerate(request.headers):
        yield f"headers[{index}].value", pair.value
    for member in kind_of(request.auth).members:
        if member.takes_values:
            yield f"auth.{member.name}", request.auth[member.name]
    yield from _parameters(request.auth)
    yield from _body_texts(request.body)


def _parameters(auth: Auth) -> Found:
    if kind_of(auth).takes_parameters:
        yield from ((f"auth.parameters[{index}].value", value) for index, (_, value) in enumerate(auth.parameters))


def _body_texts(body: Body) -> Found:
    if body.mode in ROW_MODES:
        for index, pair in enumerate(body.fields):
            yield f"body.fields[{index}].name", pair.name
            yield f"body.fields[{index}].value", pair.value
    if body.mode == "raw" and body.text:
        yield "body.content_type", body.content_type
    if body.mode in ("json", "raw"):
        yield "body.text", body.text
    if body.mode == "graphql":
        yield "body.variables", body.variables


def _method(request: RequestSpec) -> Found:
    if request.method not in METHODS:
        yield "method", f"The method must be one of {', '.join(METHODS)}."


def _url(place: str, text: str) -> Found:
    if len(text) > urls.MAX_URL_CHARACTERS:
        yield place, "The URL is longer than 8 KB."
        return
    try:
        compile_url(text)
    except PlaceholderFault as fault:
        yield from ((place, sentence) for sentence in fault.sentences)
    except UrlFault as fault:
        yield place, fault.sentence


def _headers(rows: tuple[Pair, ...]) -> Found:
    if len(rows) > headers.MAX_ROWS:
        yield "headers", f"At most {headers.MAX_ROWS} headers can be sent; there are {len(rows)}."
        return
    for index, pair in enumerate(rows):
        name = pair.name.strip()
        if not name and not pair.value:
            continue
        if fault := headers.name_fault(name):
            yield f"headers[{index}].name", fault
        if fault := headers.value_fault(name, pair.value):
            yield f"headers[{index}].value", fault
        yield from _header_value(f"headers[{index}].value", pair.value, name)


def _header_value(place: str, value: str, name: str) -> Found:
    if len(value) > headers.MAX_VALUE_CHARACTERS:
        yield place, f"The value of the header “{name}” is longer than 8 KB."
        return
    try:
        pieces = scan(value.strip())
    except PlaceholderFault as fault:
        yield from ((place, sentence) for sentence in fault.sentences)
        return
    typed = "".join(piece.text for piece in pieces if not isinstance(piece, Placeholder))
    if MASK in typed:
        yield place, MASKED_SENTENCE
    elif fault_text := header_fault(typed):
        yield place, f"The value of the header “{name}” {fault_text}."


def _auth(auth: Auth) -> Found:
    kind = kind_of(auth)
    yield from ((f"auth.{member}", sentence) for member, sentence in empty_members(kind, auth))
    yield from ((f"auth.{member}", sentence) for member, sentence in kind.faults(auth))
    for member in kind.members:
        place, text, header = f"auth.{member.name}", auth[member.name], kind.header(auth)
        if member.in_url:
            yield from _url(place, text) if text.strip() else ()
        elif member.secret and header:
            yield from _header_value(place, text, header)
        elif member.takes_values:
            yield from ((place, sentence) for sentence in faults_in(text))
    for place, text in _parameters(auth):
        yield from ((place, sentence) for sentence in faults_in(text))


def _body(body: Body) -> Found:
    if body.mode in ROW_MODES:
        yield from _fields(body.fields)
    elif body.mode in ("json", "raw", "graphql") and len(body.text.encode(errors="replace")) > MAX_TEXT_CHARACTERS:
        yield "body.text", "The body is larger than 1 MB."
    elif body.mode == "json" and body.text.strip():
        yield from _json("body.text", body.text)
    elif body.mode == "graphql":
        yield from graphql_faults(body)
        yield from _json("body.variables", body.variables) if body.variables.strip() else ()
    elif body.mode == "raw":
        yield from _header_value("body.content_type", body.content_type, "Content-Type")
        if body.text and not body.content_type.strip():
            yield "body.content_type", "Give the content type of the body, like text/plain."
        yield from (("body.text", sentence) for sentence in faults_in(body.text))


def _fields(fields: tuple[Pair, ...]) -> Found:
    if len(fields) > MAX_FIELDS:
        yield "body.fields", f"At most {MAX_FIELDS} fields can be sent; there are {len(fields)}."
        return
    for index, pair in enumerate(fields):
        if not pair.name and pair.value:
            yield f"body.fields[{index}].name", "This field has a value but no name."
        for member, text in (("name", pair.name), ("value", pair.value)):
            yield from ((f"body.fields[{index}].{member}", sentence) for sentence in faults_in(text))


def _json(place: str, text: str) -> Found:
    try:
        compile_json(text)
    except PlaceholderFault as fault:
        yield from ((place, sentence) for sentence in fault.sentences)
    except JsonBodyFault as fault:
        yield place, fault.sentence
