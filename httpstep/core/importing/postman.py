"""A Postman collection (v2.1, and v2.0 where it is alike): https://schema.postman.com/collection/json/v2.1.0/"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus

from httpstep.core import jsontext
from httpstep.core.authentication import Auth
from httpstep.core.importing.bodies import Piece, escaped
from httpstep.core.importing.imported import Ignored, Imported
from httpstep.core.importing.request import FILE_PART, Said, request_of
from httpstep.core.importing.source import MAX_OPERATIONS, UNKNOWN_HOST, Operation, Source
from httpstep.core.jsontext import Json
from httpstep.core.step.spec import Pair, RequestSpec

_VARIABLE: Final = re.compile(r"\{\{([^{}]{1,100})\}\}")
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_.-]")
_LANGUAGES: Final = {
    "json": "application/json",
    "xml": "application/xml",
    "html": "text/html",
    "javascript": "application/javascript",
}
MAX_ROUNDS: Final = 5
MAX_GROWTH: Final = 100_000
"""Variables may hold variables: so often they are filled in, and a text grows by so many characters at most each time."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A request of the collection with the authentication that holds for it."""

    name: str
    request: dict[str, Json]
    auth: Json
    has_scripts: bool


def is_postman(document: Json) -> bool:
    return isinstance(document, dict) and isinstance(document.get("item"), list) and "info" in document


def read(document: dict[str, Json]) -> Source:
    """The requests of a collection. Never raises; what is not as the schema says is left out."""
    items = list(_items(document["item"], document.get("auth"), ""))
    if not items:
        return Source("postman", fault="There is no request in this Postman collection.")
    variables = {
        str(one["key"]): one["value"]
        for one in _objects(document.get("variable"))
        if isinstance(one.get("key"), str)
        and isinstance(one.get("value"), str)
        and one["value"]
        and not one.get("disabled")
    }
    operations = tuple(
        Operation(f"{index + 1}", _method(item.request), _address(item.request), item.name, index)
        for index, item in enumerate(items)
    )
    left = ["The scripts of the collection are not run."] if document.get("event") else []
    if len(items) > MAX_OPERATIONS:
        left.append(f"Only the first {MAX_OPERATIONS} of {len(items)} requests are listed.")
    return Source(
        "postman",
        operations[:MAX_OPERATIONS],
        lambda one: _imported(items[one.number], variables),
        left_out=tuple(left),
    )


def _items(found: Json, auth: Json, path: str) -> Iterator[_Item]:
    waiting = [(found, auth, path)]
    while waiting:
        entries, inherited, where = waiting.pop(0)
        for entry in _objects(entries):
            name = f"{where}{_words(entry.get('name'))}"
            own = entry.get("auth", inherited)
            if isinstance(entry.get("item"), list):
                waiting.append((entry["item"], own, f"{name} / "))
                continue
            request = entry.get("request")
            request = {"url": request} if isinstance(request, str) else request
            if isinstance(request, dict):
                yield _Item(name, request, request.get("auth", own), bool(entry.get("event")))


def _objects(found: Json) -> Sequence[dict[str, Json]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _words(value: Json) -> str:
    return " ".join(str(value).split())[:100] if isinstance(value, str) else ""


def _method(request: dict[str, Json]) -> str:
    method = request.get("method")
    return method.upper()[:20] if isinstance(method, str) and method else "GET"


def _address(request: dict[str, Json]) -> str:
    """As the collection writes it; the parts are put together where there is no `raw`."""
    url = request.get("url")
    if isinstance(url, str):
        return url
    if not isinstance(url, dict):
        return ""
    if isinstance(url.get("raw"), str) and url["raw"]:
        return str(url["raw"])
    host, path = ".".join(_texts(url.get("host"))) or UNKNOWN_HOST, "/".join(_texts(url.get("path")))
    port = f":{port}" if (port := _text(url.get("port"))) else ""
    query = "&".join(f"{_text(one.get('key'))}={_text(one.get('value'))}" for one in _on(url.get("query")))
    scheme = f"{url['protocol']}://" if isinstance(url.get("protocol"), str) else ""
    return f"{scheme}{host}{port}/{path}" + (f"?{query}" if query else "")


def _texts(value: Json) -> list[str]:
    """A host or a path: a text, or a list of texts and of objects with a `value`."""
    if isinstance(value, str):
        return [value]
    parts = value if isinstance(value, list) else []
    return [one if isinstance(one, str) else _text(one.get("value")) if isinstance(one, dict) else "" for one in parts]


def _text(value: Json) -> str:
    return value if isinstance(value, str) else "" if value is None else jsontext.dumps_text(value)


def _on(rows: Json) -> list[dict[str, Json]]:
    return [one for one in _objects(rows) if not one.get("disabled")]


def _imported(item: _Item, variables: dict[str, str]) -> Imported:
    request, samples = item.request, dict[str, Json]()
    said = Said("request", method=_method(request), glob_off=True, url=_address(request))
    for row in _objects(request["url"].get("variable")) if isinstance(request.get("url"), dict) else ():
        if isinstance(row.get("key"), str) and row.get("value") not in (None, ""):
            samples[_name(row["key"])] = row["value"]
    said.headers = list(_headers(said, request.get("header")))
    _note_disabled(said, request)
    _take_body(said, request.get("body"))
    if item.has_scripts:
        said.ignored.append(Ignored("scripts", "they are not run"))
    said = _filled(said, variables)
    spec = request_of(said)
    spec = _with_auth(spec, item.auth, said, variables)
    name = item.name.rpartition(" / ")[2]
    return Imported(spec, tuple(said.ignored), tuple(said.faults), tuple(said.notes), name=name, samples=samples)


def _headers(said: Said, found: Json) -> Iterator[tuple[str, str]]:
    """A list of rows, or a text with a header a line. An empty Authorization is nobody's wish."""
    rows = [(_text(one.get("key")), _text(one.get("value"))) for one in _on(found)]
    if isinstance(found, str):
        rows = [
            (name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in found.splitlines())
        ]
    for name, value in rows:
        if name.lower() == "authorization" and not value.strip():
            said.ignored.append(Ignored(name, "it is empty"))
        else:
            yield name, value


def _note_disabled(said: Said, request: dict[str, Json]) -> None:
    url, body = request.get("url"), request.get("body")
    rows = [*_objects(request.get("header")), *_objects(url.get("query") if isinstance(url, dict) else None)]
    for mode in ("urlencoded", "formdata"):
        rows += _objects(body.get(mode)) if isinstance(body, dict) else []
    for row in rows:
        if row.get("disabled"):
            said.ignored.append(Ignored(_text(row.get("key"))[:60], "switched off in the collection"))


def _take_body(said: Said, body: Json) -> None:
    if not isinstance(body, dict) or body.get("disabled") or not isinstance(body.get("mode"), str):
        return
    mode, content = body["mode"], body.get(body["mode"])
    if mode == "raw":
        options = body.get("options")
        raw = options.get("raw") if isinstance(options, dict) else None
        _take_text(
            said, _text(content), _LANGUAGES.get(_text(raw.get("language")) if isinstance(raw, dict) else "", "")
        )
    elif mode == "urlencoded":
        pairs = (f"{_encoded(one.get('key'))}={_encoded(one.get('value'))}" for one in _on(content))
        _take_text(said, "&".join(pairs), "application/x-www-form-urlencoded")
    elif mode == "formdata":
        for one in _on(content):
            if one.get("type") == "file" or one.get("src"):
                said.ignored.append(Ignored(_text(one.get("key")), FILE_PART))
            else:
                said.form.append(Pair(escaped(_text(one.get("key"))), escaped(_text(one.get("value")))))
    elif mode == "graphql" and isinstance(content, dict):
        said.graphql = _text(content.get("query")), _text(content.get("variables"))
        said.has_body = True
    else:
        said.ignored.append(Ignored(f"body of kind {mode[:20]}", "files are not sent"))


def _encoded(value: Json) -> str:
    return quote_plus(_text(value), safe="{}", errors="replace")


def _take_text(said: Said, text: str, content_type: str) -> None:
    if not text:
        return
    said.data.append(Piece(text))
    if content_type and all(name.lower() != "content-type" for name, _ in said.headers):
        said.headers.append(("Content-Type", content_type))


# ---------------------------------------------------------------- variables, authentication


def _name(key: str) -> str:
    """A name of the collection as the name of an attribute."""
    name = _NOT_IN_NAMES.sub("_", key.strip().lstrip("$"))[:100]
    return name if name[:1].isalpha() or name[:1] == "_" else f"_{name}"


def _resolved(text: str, variables: dict[str, str]) -> str:
    """{{name}} is the value that the collection gives, else an attribute of that name."""

    def one(found: re.Match[str]) -> str:
        return variables.get(found[1].strip(), f"{{{{{_name(found[1])}}}}}")

    for _ in range(MAX_ROUNDS):
        resolved = _VARIABLE.sub(one, text)
        if resolved == text or len(resolved) > len(text) + MAX_GROWTH:
            break
        text = resolved
    return text


def _filled(said: Said, variables: dict[str, str]) -> Said:
    said.url = _resolved(said.url, variables)
    said.headers = [(name, _resolved(value, variables)) for name, value in said.headers if name]
    said.data = [Piece(_resolved(piece.text, variables), piece.json) for piece in said.data]
    said.form = [Pair(_resolved(pair.name, variables), _resolved(pair.value, variables)) for pair in said.form]
    if said.graphql is not None:
        query, written = said.graphql
        said.graphql = _resolved(query, variables), _resolved(written, variables)
    return said


def _with_auth(spec: RequestSpec, auth: Json, said: Said, variables: dict[str, str]) -> RequestSpec:
    kind = auth.get("type") if isinstance(auth, dict) else None
    if kind in (None, "noauth") or spec.auth.type != "none":
        return spec
    rows = auth.get(kind)
    given = (
        {_text(one.get("key")): _text(one.get("value")) for one in _objects(rows)}
        if isinstance(rows, list)
        else {name: _text(value) for name, value in rows.items()}
        if isinstance(rows, dict)
        else {}
    )
    given = {name: _resolved(value, variables) for name, value in given.items()}
    made = _auth(str(kind), given)
    if made is None:
        said.ignored.append(Ignored(f"authentication of kind {str(kind)[:20]}", "it is not supported"))
        return spec
    return RequestSpec(spec.method, spec.url, spec.headers, made, spec.body)


def _auth(kind: str, given: dict[str, str]) -> Auth | None:
    if kind == "basic":
        return Auth("basic", {"username": given.get("username", ""), "password": given.get("password", "")})
    if kind == "bearer":
        return Auth("bearer", {"token": given.get("token") or "{{secret.TOKEN}}"})
    if kind == "apikey" and given.get("key"):
        where = "query" if given.get("in") == "query" else "header"
        return Auth("api_key", {"name": given["key"], "value": given.get("value") or "{{secret.API_KEY}}", "in": where})
    if kind == "oauth2" and given.get("grant_type") == "client_credentials" and given.get("accessTokenUrl"):
        return Auth("oauth2_client_credentials", {
            "token_url": given["accessTokenUrl"], "client_id": given.get("clientId") or "YOUR_CLIENT_ID",
            "client_secret": given.get("clientSecret") or "{{secret.CLIENT_SECRET}}", "scope": given.get("scope", ""),
        })  # fmt: skip
    return Auth("bearer", {"token": given.get("accessToken") or "{{secret.TOKEN}}"}) if kind == "oauth2" else None
