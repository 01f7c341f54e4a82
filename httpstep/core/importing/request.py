"""What a text said of a request, part by part, and the request that makes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import unquote

from msgspec import Struct, field

from httpstep.core import jsontext
from httpstep.core.authentication import Auth
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.importing.bodies import Piece, body_of, escaped, fields_of, graphql_body
from httpstep.core.importing.credentials import is_placeholder
from httpstep.core.importing.imported import Ignored, Imported
from httpstep.core.importing.texts.multiparts import FILE_PART, is_multipart, parts_of
from httpstep.core.inserting.headers import METHODS_WITH_BODY, OWN, name_fault
from httpstep.core.jsontext import Json
from httpstep.core.masking.redaction import is_credential_header
from httpstep.core.regex import regex
from httpstep.core.request.bodies import JSON_TYPE
from httpstep.core.request.requestcheck import MAX_FIELDS
from httpstep.core.step.spec import METHODS, Body, Pair, RequestSpec

_SCHEME: Final = regex(r"[A-Za-z][A-Za-z0-9+.-]*://|\{\{")
_USER_IN_URL: Final = regex(r"([A-Za-z]+://)([^/?#@]*)@")
_BRACED: Final = regex(r"(?<!\{)\{([A-Za-z_][A-Za-z0-9_.-]{0,99})\}(?!\})")
_COLON: Final = regex(r"(?<=[^:/]/):([A-Za-z_]\w{0,99})(?=[/?#]|$)")
_ANGLED: Final = regex(r"<([A-Za-z][\w .-]{0,60})>")
_BRACKETED: Final = regex(r"(?<=[/=])\[([A-Za-z][A-Za-z_ -]{1,60})\](?=[/?&#]|$)")
_ADDED: Final = frozenset({"user-agent", "accept", "content-type"})
"""Headers that httpstep sends where the step has none of its own."""


class Said(Struct):
    """Filled part by part. `what`: the word for the text. `form` holds the simple parts of a multipart form; `graphql`: a query and
    its variables; `default_type`: of data that are no JSON, where no type is named, "" for a form or as curl has it; `lone`: headers that an option of
    their own gave, the last one wins; `dropped`: headers that the command takes away; `has_body`: a body was given,
    whether or not it can be taken. `faults`, `notes` and `ignored` grow here."""

    what: str = "command"
    default_type: str = ""
    method: str = ""
    url: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    lone: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    data: list[Piece] = field(default_factory=list)
    query: list[str] = field(default_factory=list)
    form: list[Pair] = field(default_factory=list)
    graphql: tuple[str, str] | None = None
    has_body: bool = False
    uploads: bool = False
    user: str | None = None
    bearer: str = ""
    get: bool = False
    head: bool = False
    glob_off: bool = False
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)

    def imported(self, spec: RequestSpec, **more: Any) -> Imported:
        """more: `timeout`, `name` and `samples`, where the text has them."""
        return Imported(spec, tuple(self.ignored), tuple(self.faults), tuple(self.notes), **more)


def request_of(said: Said) -> RequestSpec:
    """The request; what cannot be taken over is added to `said.faults`, `said.notes` and `said.ignored`."""
    method = _method(said)
    url, auth = _url_and_auth(said)
    headers, content_type = _headers(said)
    url = with_query(url, "&".join(said.query))
    body, extra_query, type_is_said = _body(said, method, content_type)
    if content_type and not type_is_said:
        headers.append(Pair("Content-Type", escaped(content_type)))
    _note_dropped(said, body, headers)
    auth, headers = lifted(auth, headers)
    return RequestSpec(method, with_query(url, extra_query), tuple(headers), auth, body)


def _method(said: Said) -> str:
    has_data = bool(said.data or said.form or said.has_body)
    default = "HEAD" if said.head else "PUT" if said.uploads else "POST" if has_data and not said.get else "GET"
    method = said.method or default
    if method in METHODS:
        return method
    said.faults.append(f"The method “{method[:20]}” cannot be sent. It must be one of {', '.join(METHODS)}.")
    return "POST" if has_data else "GET"


def _url_and_auth(said: Said) -> tuple[str, Auth]:
    url, user = said.url, said.user
    if not url:
        said.faults.append(f"There is no address in this {said.what}.")
    elif not _SCHEME.match(url):
        url = f"http://{url}"
    if found := _USER_IN_URL.match(url):
        url = found[1] + url[found.end() :]
        user = user if user is not None else unquote(found[2])
    url = with_attributes(url, braces=not said.glob_off)
    if any(name.lower() == "authorization" for name, _ in said.headers):
        if user is not None or said.bearer:
            said.notes.append(
                "The Authorization header is sent. The credentials given beside it (-u) are not, as by curl."
            )
        return url, Auth()
    if said.bearer:
        return url, Auth("bearer", {"token": escaped(said.bearer)})
    if user is None:
        return url, Auth()
    name, _, password = user.partition(":")
    return url, Auth("basic", {"username": escaped(name), "password": escaped(password)})


def with_attributes(url: str, *, braces: bool = True) -> str:
    """An address with the holes of a documentation as placeholders: {id}, /:id, /[id] and <USER ID>, which is {{USER_ID}}."""
    if braces:
        url = _BRACED.sub(r"{{\1}}", url)
    url = _BRACKETED.sub(r"<\1>", url)
    url = _ANGLED.sub(lambda found: f"{{{{{re.sub(r'[ .-]', '_', found[1])}}}}}", url)
    return escaped(_COLON.sub(r"{{\1}}", url))


def _headers(said: Said) -> tuple[list[Pair], str]:
    """The headers that may be sent, and the content type, which is not among them. Of a name once: rows are joined."""
    kept: dict[str, tuple[str, list[str]]] = {}
    types: list[str] = []
    given = {name.lower() for name, _ in said.headers}
    rows = [*said.headers, *((name, value) for name, value in said.lone.items() if name.lower() not in given)]
    if said.cookies:
        rows.append(("Cookie", ";".join(said.cookies)))
    for name, value in rows:
        place = name.lower()
        if place == "content-type":
            types.append(value)
        elif place in OWN or name_fault(name):
            said.ignored.append(Ignored(f"-H {name[:60]}", "httpstep sends this itself or not at all"))
        else:
            kept.setdefault(place, (name, []))[1].append(value)
    if any(piece.json for piece in said.data):
        kept.setdefault("accept", ("Accept", ["application/json"]))
    said.notes += [
        f"{name[:60]} stands here more than once. It is sent once, with all its values."
        for name, values in kept.values()
        if len(values) > 1
    ]
    if len(set(types)) > 1:
        said.notes.append("Content-Type stands here more than once. The last one is sent.")
    return [_pair(name, values) for name, values in kept.values()], types[-1] if types else ""


def _pair(name: str, values: Sequence[str]) -> Pair:
    """Rows of one name as one row."""
    if len(values) == 1:
        return Pair(name, _value(name, values[0]))
    return Pair(name, ("; " if name.lower() == "cookie" else ", ").join(escaped(value) for value in values))


def _value(name: str, value: str) -> str:
    hole = _ANGLED.fullmatch(value) or _BRACED.fullmatch(value)
    return escaped(value) if hole is None or is_credential_header(name) else with_attributes(value)


def _note_dropped(said: Said, body: Body, headers: Sequence[Pair]) -> None:
    there = {pair.name.lower() for pair in headers} | (set() if body.mode != "none" else {"content-type"})
    for name in said.dropped:
        if name.lower() in _ADDED - there:
            said.notes.append(f"The {said.what} takes {name} away. It is sent all the same.")


def _body(said: Said, method: str, content_type: str) -> tuple[Body, str, bool]:
    """The body, what goes to the URL's query instead, and whether the body says the content type."""
    with_body = method in METHODS_WITH_BODY
    if said.graphql is not None and (graphql := graphql_body(*said.graphql)) is not None:
        return graphql, "", content_type.strip().lower() in ("", JSON_TYPE)
    if said.graphql is not None:
        said.data.append(Piece(_graphql_json(said, *said.graphql)))
    if said.form and not said.data:
        return _form_body(said, content_type)
    if said.form:
        said.ignored.append(Ignored("the parts of a form (-F)", "a request has one body, and other data are there too"))
    if (parts := _parts(said, content_type)) is not None:
        return parts, "", True
    if not any(piece.text for piece in said.data):
        return Body(), "", False
    if said.get or (said.head and not said.method):
        text = "&".join(piece.text for piece in said.data)
        fields = fields_of(text)
        if fields is None:
            return Body(), text, False
        return Body("query", fields, "url" if with_body else "auto"), "", False
    return _data_body(said, content_type, fields_in_body=not with_body)


def _data_body(said: Said, content_type: str, *, fields_in_body: bool) -> tuple[Body, str, bool]:
    is_told = bool(content_type) or said.data[0].json or said.graphql is not None
    if not content_type and not said.data[0].text.lstrip().startswith(("{", "[")):
        content_type = said.default_type
    made = body_of(said.data, content_type, fields_in_body=fields_in_body)
    is_json = made.body.mode in ("json", "graphql") or (made.body.mode, made.body.content_type) == ("raw", JSON_TYPE)
    if is_json and not is_told:
        said.notes.append(JSON_UNTOLD.replace("command", said.what))
    if made.note:
        said.notes.append(made.note)
    return made.body, "", made.says_type


def _form_body(said: Said, content_type: str) -> tuple[Body, str, bool]:
    """multipart/form-data, whatever type is named beside it: the boundary is in no header that somebody types."""
    if content_type and not is_multipart(content_type):
        said.notes.append(f"The form is sent as multipart/form-data, not as the {content_type[:60]} that stands there.")
    return Body("multipart", tuple(said.form)), "", True


def _parts(said: Said, content_type: str) -> Body | None:
    """The rows of a body that is written out with its boundaries; None where it is sent as it stands."""
    if not is_multipart(content_type) or not said.data:
        return None
    found = parts_of("&".join(piece.text for piece in said.data), content_type)
    if found is None or len(found.fields) > MAX_FIELDS:
        return None
    said.ignored += [Ignored(name[:60], FILE_PART) for name in found.files]
    return Body("multipart", tuple(Pair(escaped(name), escaped(value)) for name, value in found.fields))


def _graphql_json(said: Said, query: str, variables: str) -> str:
    """As a JSON body, which may have placeholders in the query."""
    body: dict[str, Json] = {"query": query}
    try:
        body |= {"variables": jsontext.loads(variables)} if variables.strip() else {}
    except UnreadableAnswer:
        said.ignored.append(Ignored("GraphQL variables", "they are no JSON"))
    return jsontext.pretty(body)


JSON_UNTOLD: Final = "The command does not say what the data are. They are JSON, and are sent as application/json."


def with_query(url: str, query: str) -> str:
    if not query:
        return url
    address, _, fragment = url.partition("#")
    separator = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    return f"{address}{separator}{escaped(query)}" + (f"#{fragment}" if fragment else "")


def lifted(auth: Auth, headers: Sequence[Pair]) -> tuple[Auth, list[Pair]]:
    """A Bearer or Basic header as the step's authentication, where there is no other."""
    rows = [pair for pair in headers if pair.name.lower() == "authorization"]
    if auth.type != "none" or len(rows) != 1:
        return auth, list(headers)
    scheme, _, rest = rows[0].value.partition(" ")
    found: Auth | None = None
    if scheme.lower() == "bearer" and rest.strip():
        found = Auth("bearer", {"token": rest.strip()})
    elif scheme.lower() == "basic" and not is_placeholder(rest):
        found = _from_basic(rest.strip())
    if found is None:
        return auth, list(headers)
    return found, [pair for pair in headers if pair is not rows[0]]


def _from_basic(credential: str) -> Auth | None:
    try:
        user, colon, password = base64.b64decode(credential, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    if not colon or not user or not (user + password).isprintable():
        return None
    return Auth("basic", {"username": escaped(user), "password": escaped(password)})
