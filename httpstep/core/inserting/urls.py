"""URLs: what an editor typed, taken apart once; put together for each call so that no value can leave its place.

A value in the path is one segment or a part of one, in the query a part of a name or value (both percent-encoded), in
the host letters, digits, `.`, `-` and `_` only. A placeholder at the very start (`{{base}}/orders`) stands for scheme,
host and perhaps a path, taken as they are; alone (`{{url}}`) it may carry a query too. Fragments are never sent.
The result is a fixed point of urllib3's own normalisation: what is shown is what goes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from httpstep.core.inserting.encoders import percent, typed_url_text
from httpstep.core.inserting.placeholders import (
    Literal,
    Piece,
    Placeholder,
    scan,
)
from httpstep.core.inserting.urlhosts import PORT, UrlFault, host_and_port
from httpstep.core.inserting.values import (
    OverLimit,
    Part,
    Position,
    Values,
    joined,
)
from httpstep.core.regex import regex

MAX_URL_CHARACTERS: Final = 8 * 1024

_SCHEME: Final = regex(r"([A-Za-z][A-Za-z0-9+.-]*):")
_CONTROL: Final = regex(r"[\x00-\x1f\x7f]")
_HOST_VALUE: Final = regex(r"[A-Za-z0-9._-]+")
_DOT_SEGMENT: Final = regex(r"/(?:\.|%2E){1,2}(?=/|$)", re.IGNORECASE)

_NO_SCHEME: Final = "An address starts with https:// (or http://) and a host, like https://api.example.com/orders."
_ROWS: Final = "Add further parameters as fields: Body, Query String, sent in the URL."
_DOTS: Final = "The path of the URL has a part that is only “.” or “..”, which would lead to another place."


class UrlTemplate(Struct, frozen=True):
    """A URL as typed. `origin` is ready where nothing in scheme and host varies; else `base` or `scheme` and `authority`
    make it. `path` and `query` are encoded, placeholders apart."""

    origin: str = ""
    base: Placeholder | None = None
    scheme: Part = ""
    authority: tuple[Piece, ...] = ()
    path: tuple[Part, ...] = ()
    query: tuple[Part, ...] = ()

    @property
    def placeholders(self) -> list[Placeholder]:
        """Those that are needed, in order; the fragment's are not."""
        parts = (self.base, self.scheme, *self.authority, *self.path, *self.query)
        return [part for part in parts if isinstance(part, Placeholder)]

    @property
    def before_path(self) -> list[Placeholder]:
        """Those that make scheme, host and port."""
        return [part for part in (self.base, self.scheme, *self.authority) if isinstance(part, Placeholder)]


@lru_cache(maxsize=1024)
def compile_url(text: str) -> UrlTemplate:
    """Raises UrlFault and PlaceholderFault."""
    return _compile(scan(text.strip()))


def build_url(
    template: UrlTemplate, values: Values, rows: Iterable[tuple[str, str]], place: Position
) -> tuple[str, list[str]]:
    """The URL with `rows` (texts, not yet encoded) added to its query, and warnings for the preview.

    Raises UrlFault and InvalidRequest.
    """
    warnings: list[str] = []

    def encode(placeholder: Placeholder) -> str:
        return percent(values.text(placeholder, place))

    def encode_segment(placeholder: Placeholder) -> str:
        encoded = encode(placeholder)
        if not encoded:
            warnings.append(f"The value of “{placeholder.name}” in the path of the URL is empty.")
        return encoded

    if template.base is not None:
        template = _with_base(template, template.base, values, place)
    origin = template.origin or _origin(template, values, place)
    try:
        path = joined(template.path, encode_segment, MAX_URL_CHARACTERS) or "/"
        query = joined(template.query, encode, MAX_URL_CHARACTERS)
    except OverLimit:
        raise _too_long() from None
    if "/." in path or "/%" in path:
        _refuse_dot_segments(path)
    return _assembled(origin + path, query, rows), warnings


def _assembled(address: str, query: str, rows: Iterable[tuple[str, str]]) -> str:
    length = len(address) + len(query)
    fields: list[str] = []
    for name, value in rows:
        field = f"{percent(name)}={percent(value)}"
        length += len(field) + 1
        if length > MAX_URL_CHARACTERS:
            break
        fields.append(field)
    if length > MAX_URL_CHARACTERS:
        raise _too_long()
    if fields:
        query += ("&" if query and not query.endswith("&") else "") + "&".join(fields)
    return f"{address}?{query}" if query else address


def _too_long() -> UrlFault:
    return UrlFault("The URL is longer than 8 KB with its values in it.", reason="too_long")


def _refuse_dot_segments(path: str) -> None:
    if _DOT_SEGMENT.search(path):
        raise UrlFault(_DOTS)


# ---------------------------------------------------------------- taking apart


def _compile(pieces: tuple[Piece, ...]) -> UrlTemplate:
    if any(isinstance(piece, Literal) and _CONTROL.search(piece.text) for piece in pieces):
        raise UrlFault("The URL has a line break or another control character in it.")
    address, _, _ = _cut(pieces, "#")
    address, _, query = _cut(address, "?")
    if not address:
        raise UrlFault("Write the address of the API here, like https://api.example.com/orders.")
    first = address[0]
    if isinstance(first, Literal):
        template = _from_scheme(first.text, address[1:])
    elif len(address) > 1 and isinstance(address[1], Literal) and address[1].text.startswith("://"):
        after = _literal(address[1].text[3:])
        template = _from_authority(first, (*after, *address[2:]))
    else:
        template = UrlTemplate(base=first, path=_encoded(address[1:]))
    _refuse_dot_segments("".join(part if isinstance(part, str) else "x" for part in template.path))
    return replace(template, query=_encoded(query))


def _from_scheme(text: str, rest: tuple[Piece, ...]) -> UrlTemplate:
    found = _SCHEME.match(text)
    if not found or text[found.end() :][:1].isdigit():
        raise UrlFault(_NO_SCHEME)
    scheme = found[1].lower()
    if scheme not in ("http", "https"):
        raise UrlFault(f"Only http and https addresses can be called, not “{scheme[:20]}”.")
    if not text.startswith("://", found.end() - 1):
        raise UrlFault(_NO_SCHEME)
    return _from_authority(scheme, (*_literal(text[found.end() + 2 :]), *rest))


def _from_authority(scheme: Part, pieces: tuple[Piece, ...]) -> UrlTemplate:
    authority, delimiter, path = _cut(pieces, "/\\")
    if delimiter == "\\":
        raise UrlFault("The host of the URL has a “\\” in it; write “/”.")
    for piece in authority:
        if isinstance(piece, Literal) and "@" in piece.text:
            raise UrlFault("Put user name and password under Authentication, not into the URL.")
    encoded = _encoded((Literal("/", "/"), *path)) if delimiter else ()
    host = host_and_port(_with_samples(authority))
    if isinstance(scheme, str) and all(isinstance(piece, Literal) for piece in authority):
        return UrlTemplate(origin=f"{scheme}://{host}", path=encoded)
    return UrlTemplate(scheme=scheme, authority=authority, path=encoded)


def _with_samples(authority: tuple[Piece, ...]) -> str:
    """The authority with "1" for each placeholder, good in a host and in a port: what else is wrong shows at save."""
    return "".join(piece.text if isinstance(piece, Literal) else "1" for piece in authority)


def _cut(pieces: tuple[Piece, ...], delimiters: str) -> tuple[tuple[Piece, ...], str, tuple[Piece, ...]]:
    """Pieces before the first delimiter in a literal, that delimiter, pieces after it."""
    for index, piece in enumerate(pieces):
        if isinstance(piece, Placeholder):
            continue
        places = [at for at in map(piece.text.find, delimiters) if at >= 0]
        if places:
            at = min(places)
            before, after = _literal(piece.text[:at]), _literal(piece.text[at + 1 :])
            return (*pieces[:index], *before), piece.text[at], (*after, *pieces[index + 1 :])
    return pieces, "", ()


def _literal(text: str) -> tuple[Piece, ...]:
    return (Literal(text, text),) if text else ()


def _encoded(pieces: tuple[Piece, ...]) -> tuple[Part, ...]:
    return tuple(typed_url_text(piece.text) if isinstance(piece, Literal) else piece for piece in pieces)


# ---------------------------------------------------------------- what values make


def _origin(template: UrlTemplate, values: Values, place: Position) -> str:
    """Scheme, host and port with values in them; a value can bring no delimiter, so it stays in its part."""
    scheme = template.scheme
    if isinstance(scheme, Placeholder):
        name, scheme = scheme.name, values.text(scheme, place).strip().lower()
        if scheme not in ("http", "https"):
            raise UrlFault(f"The value of “{name}” at the start of the URL must be http or https.")
    texts: list[str] = []
    in_port = False
    for piece in template.authority:
        if isinstance(piece, Literal):
            in_port = in_port or ":" in piece.text
            texts.append(piece.text)
        else:
            texts.append(_host_value(piece, values, place, PORT if in_port else _HOST_VALUE))
    return f"{scheme}://{host_and_port(''.join(texts))}"


def _host_value(placeholder: Placeholder, values: Values, place: Position, allowed: re.Pattern[str]) -> str:
    text = values.text(placeholder, place)
    if _SCHEME.match(text) and "//" in text:
        raise UrlFault(
            f"The value of “{placeholder.name}” is a whole address. Remove what stands before it in the URL."
        )
    if not allowed.fullmatch(text):
        what = "a number" if allowed is PORT else "letters, digits, “.”, “-” and “_” only"
        raise UrlFault(f"The value of “{placeholder.name}” cannot stand there in the URL: it must be {what}.")
    values.derived(placeholder, text.lower())
    return text


def _with_base(template: UrlTemplate, base: Placeholder, values: Values, place: Position) -> UrlTemplate:
    """The template with its base's value in it, and no base left."""
    text = values.text(base, place).strip()
    try:
        start = _compile(_literal(text)) if len(text) <= MAX_URL_CHARACTERS else None
    except UrlFault:
        start = None
    if start is None:
        raise UrlFault(f"The value of “{base.name}” is not the start of an address: {_NO_SCHEME}")
    if start.query and (template.path or template.query):
        raise UrlFault(f"The value of “{base.name}” has a query already, so nothing can follow it in the URL. {_ROWS}")
    path = "".join(part for part in start.path if isinstance(part, str))
    follows = template.path[0] if template.path else ""
    if isinstance(follows, str) and follows.startswith("/"):
        path = path.removesuffix("/")
    elif follows and not path:
        raise UrlFault(f"Put a “/” after “{{{{{base.name}}}}}” in the URL.")
    values.derived(base, start.origin + path)
    return UrlTemplate(origin=start.origin, path=(path, *template.path), query=start.query or template.query)
