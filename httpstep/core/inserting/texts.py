"""One text of a request with its values in it, for all places but the JSON body."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from httpstep.core.errors import InvalidRequest
from httpstep.core.inserting.encoders import header_fault
from httpstep.core.inserting.headers import MAX_VALUE_CHARACTERS, value_fault
from httpstep.core.inserting.placeholders import CACHED_LENGTH, Placeholder, PlaceholderFault, scan
from httpstep.core.inserting.urlhints import hints, refuse_doubled_scheme
from httpstep.core.inserting.urlhosts import UrlFault
from httpstep.core.inserting.urls import build_url, compile_url
from httpstep.core.inserting.values import (
    OverLimit,
    Part,
    Position,
    Values,
    joined,
)

MAX_BODY_BYTES: Final = 1024 * 1024


def filled(template: str, values: Values, place: Position, limit: int = MAX_VALUE_CHARACTERS) -> str:
    """A template with its values in it, nothing encoded; `limit` in characters. Raises InvalidRequest."""
    try:
        return joined(_parts(template), lambda placeholder: values.text(placeholder, place), limit)
    except PlaceholderFault as fault:
        raise InvalidRequest(fault.sentences[0], reason="placeholder", place=place.path) from None
    except OverLimit:
        raise (too_large(place.path) if limit == MAX_BODY_BYTES else too_long(place)) from None


def filled_url(
    template: str, values: Values, rows: Iterable[tuple[str, str]], place: Position
) -> tuple[str, list[str]]:
    """`urls.build_url` with its faults as InvalidRequest."""
    try:
        refuse_doubled_scheme(template)
        url, warnings = build_url(compile_url(template), values, rows, place)
        return url, [*hints(template), *warnings]
    except PlaceholderFault as fault:
        raise InvalidRequest(fault.sentences[0], reason="placeholder", place=place.path) from None
    except UrlFault as fault:
        raise InvalidRequest(fault.sentence, reason=fault.reason, place=place.path) from None


def filled_header(name: str, template: str, values: Values, path: str) -> str:
    """The value of the header `name`, or InvalidRequest if a header cannot carry it."""
    place = Position(path, f"the header “{name}”")
    return header_value(name, filled(template, values, place), path)


def header_value(name: str, value: str, path: str) -> str:
    """The value without white space around it (RFC 9110, 5.5). Raises InvalidRequest."""
    value = value.strip(" \t\r\n")
    if len(value) > MAX_VALUE_CHARACTERS:
        raise too_long(Position(path, f"the header “{name}”"))
    if fault := header_fault(value):
        raise InvalidRequest(f"The value of the header “{name}” {fault}.", reason="header", place=path)
    if fault := value_fault(name, value):
        raise InvalidRequest(fault, reason="header", place=path)
    return value


def body_bytes(text: str, place: str) -> bytes:
    """The body as UTF-8. Raises InvalidRequest."""
    data = text.encode(errors="replace")
    if len(data) > MAX_BODY_BYTES:
        raise too_large(place)
    return data


def too_long(place: Position) -> InvalidRequest:
    sentence = f"{place.words[0].upper()}{place.words[1:]} is longer than 8 KB with its values in it."
    return InvalidRequest(sentence, reason="too_long", place=place.path)


def too_large(path: str) -> InvalidRequest:
    return InvalidRequest("The body is larger than 1 MB with its values in it.", reason="too_large", place=path)


def _parts(template: str) -> tuple[Part, ...]:
    """Raises PlaceholderFault."""
    if "{{" not in template:
        return (template,)
    return _scanned(template) if len(template) <= CACHED_LENGTH else _scan(template)


def _scan(template: str) -> tuple[Part, ...]:
    return tuple([piece if isinstance(piece, Placeholder) else piece.text for piece in scan(template)])


_scanned: Final = lru_cache(maxsize=1024)(_scan)
