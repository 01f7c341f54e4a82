"""What the options of a curl command said, and the request that makes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from httpstep.core.authentication import Auth
from httpstep.core.importing.curlbody import (
    Piece,
    body_of,
    escaped,
    fields_of,
)
from httpstep.core.inserting.headers import OWN, name_fault
from httpstep.core.step.spec import (
    METHODS,
    Body,
    Pair,
    RequestSpec,
)

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|\{\{")
_USER_IN_URL: Final = re.compile(r"([A-Za-z]+://)([^/?#@]*)@")
_BRACED: Final = re.compile(r"(?<!\{)\{([A-Za-z_][A-Za-z0-9_.-]{0,99})\}(?!\})")
_METHODS_WITH_BODY: Final = ("POST", "PUT", "PATCH")


@dataclass(frozen=True)
class Ignored:
    """An option that was not taken over; `option` as typed ("-k"), `why` a phrase, may be empty."""

    option: str
    why: str = ""

    def __str__(self) -> str:
        return self.option


@dataclass
class Said:
    """Filled option by option. `form` holds the simple parts of a multipart form; `faults` and `ignored` grow here."""

    method: str = ""
    url: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    data: list[Piece] = field(default_factory=list)
    query: list[str] = field(default_factory=list)
    form: list[Pair] = field(default_factory=list)
    user: str | None = None
    bearer: str = ""
    get: bool = False
    head: bool = False
    glob_off: bool = False
    faults: list[str] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)


def request_of(said: Said) -> RequestSpec:
    """The request; what cannot be taken over is added to `said.faults` and `said.ignored`."""
    method = _method(said)
    url, auth = _url_and_auth(said)
    headers, content_type = _headers(said)
    url = _with_query(url, "&".join(said.query))
    body, extra_query, type_is_said = _body(said, method, content_type)
    if content_type and not type_is_said:
        headers.append(Pair("Content-Type", escaped(content_type)))
    auth, headers = _lifted(auth, headers)
    return RequestSpec(method, _with_query(url, extra_query), tuple(headers), auth, body)


def _method(said: Said) -> str:
    has_data = bool(said.data or said.form)
    method = said.method or ("HEAD" if said.head else "POST" if has_data and not said.get else "GET")
    if method in METHODS:
        return method
    said.faults.append(f"The method “{method[:20]}” cannot be sent. It must be one of {', '.join(METHODS)}.")
    return "POST" if has_data else "GET"


def _url_and_auth(said: Said) -> tuple[str, Auth]:
    url, user = said.url, said.user
    if not url:
        said.faults.append("There is no address in this command.")
    elif not _SCHEME.match(url):
        url = f"http://{url}"
    if found := _USER_IN_URL.match(url):
        url = found[1] + url[found.end() :]
        user = user if user is not None else unquote(found[2])
    if not said.glob_off:
        url = _BRACED.sub(r"{{\1}}", url)
    if said.bearer:
        return escaped(url), Auth("bearer", {"token": escaped(said.bearer)})
    if user is None:
        return escaped(url), Auth()
    name, _, password = user.partition(":")
    return escaped(url), Auth("basic", {"username": escaped(name), "password": escaped(password)})


def _headers(said: Said) -> tuple[list[Pair], str]:
    """The headers that may be sent, and the content type, which is not among them."""
    kept: list[Pair] = []
    content_type = ""
    for name, value in said.headers:
        if name.lower() == "content-type":
            content_type = value
        elif name.lower() in OWN or name_fault(name):
            said.ignored.append(Ignored(f"-H {name[:60]}", "httpstep sends this itself or not at all"))
        else:
            kept.append(Pair(name, escaped(value)))
    if any(piece.json for piece in said.data) and all(pair.name.lower() != "accept" for pair in kept):
        kept.append(Pair("Accept", "application/json"))
    return kept, content_type


def _body(said: Said, method: str, content_type: str) -> tuple[Body, str, bool]:
    """The body, what goes to the URL's query instead, and whether the body says the content type."""
    with_body = method in _METHODS_WITH_BODY
    if said.form and not said.data:
        type_is_said = content_type.lower().startswith(("multipart/form-data", "application/x-www-form-urlencoded"))
        return Body("query", tuple(said.form), "auto" if with_body else "body"), "", type_is_said
    if not any(piece.text for piece in said.data):
        return Body(), "", False
    if said.get or (said.head and not said.method):
        text = "&".join(piece.text for piece in said.data)
        fields = fields_of(text)
        if fields is None:
            return Body(), text, False
        return Body("query", fields, "url" if with_body else "auto"), "", False
    body, type_is_said = body_of(said.data, content_type, fields_in_body=not with_body)
    return body, "", type_is_said


def _with_query(url: str, query: str) -> str:
    if not query:
        return url
    address, _, fragment = url.partition("#")
    separator = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    return f"{address}{separator}{escaped(query)}" + (f"#{fragment}" if fragment else "")


def _lifted(auth: Auth, headers: Sequence[Pair]) -> tuple[Auth, list[Pair]]:
    """A Bearer or Basic header as the step's authentication, where the command has no other."""
    rows = [pair for pair in headers if pair.name.lower() == "authorization"]
    if auth.type != "none" or len(rows) != 1:
        return auth, list(headers)
    scheme, _, rest = rows[0].value.partition(" ")
    lifted: Auth | None = None
    if scheme.lower() == "bearer" and rest.strip():
        lifted = Auth("bearer", {"token": rest.strip()})
    elif scheme.lower() == "basic":
        lifted = _from_basic(rest.strip())
    if lifted is None:
        return auth, list(headers)
    return lifted, [pair for pair in headers if pair is not rows[0]]


def _from_basic(credential: str) -> Auth | None:
    try:
        user, colon, password = base64.b64decode(credential, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    if not colon or not (user + password).isprintable():
        return None
    return Auth("basic", {"username": escaped(user), "password": escaped(password)})
