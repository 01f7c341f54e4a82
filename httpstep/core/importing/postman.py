"""A Postman collection (v2.1, and v2.0 where it is alike): https://schema.postman.com/collection/json/v2.1.0/"""

from __future__ import annotations

from collections import ChainMap, deque
from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from httpstep.core.importing.bodies import Piece, escaped
from httpstep.core.importing.imported import Ignored, Imported
from httpstep.core.importing.request import Said, request_of
from httpstep.core.importing.source import MAX_OPERATIONS, UNKNOWN_HOST, Operation, Source
from httpstep.core.importing.texts import postman_auth, postman_bodies
from httpstep.core.importing.texts.postman_values import (
    OFF,
    address,
    given,
    name_of,
    objects,
    resolved,
    switched_on,
    text,
    with_path_variables,
    worked_out,
)
from httpstep.core.jsontext import Json
from httpstep.core.step.spec import Pair, RequestSpec


class _Scope(Struct, frozen=True):
    """What a folder gives to all that is in it."""

    path: str
    auth: Json
    variables: ChainMap[str, str]
    has_scripts: bool = False


class _Item(Struct, frozen=True):
    """A request of the collection with what holds for it."""

    name: str
    request: dict[str, Json]
    scope: _Scope
    behavior: Json


def unwrapped(document: Json) -> Json:
    """Postman's API hands a collection out as {"collection": {…}}."""
    inner = document.get("collection") if isinstance(document, dict) else None
    return inner if is_postman(inner) else document


def is_postman(document: Json) -> bool:
    return isinstance(document, dict) and isinstance(document.get("item"), list) and "info" in document


def read(document: dict[str, Json]) -> Source:
    """The requests of a collection. Never raises; what is not as the schema says is left out."""
    without: list[str] = []
    items = list(_items(document["item"], _Scope("", document.get("auth"), ChainMap(_variables(document))), without))
    if not items:
        return Source("postman", fault="There is no request in this Postman collection.")
    operations = tuple(
        Operation(f"{index + 1}", _method(item.request), _address(item.request), item.name, index)
        for index, item in enumerate(items)
    )
    left = ["The scripts of the collection are not run."] if _has_scripts(document) else []
    if without:
        left.append(f"Without a request, and not listed: {', '.join(without[:20])}{' …' if without[20:] else ''}.")
    if len(items) > MAX_OPERATIONS:
        left.append(f"Only the first {MAX_OPERATIONS} of {len(items)} requests are listed.")
    return Source(
        "postman", operations[:MAX_OPERATIONS], lambda one: _imported(items[one.number]), left_out=tuple(left)
    )


def _items(found: Json, scope: _Scope, without: list[str]) -> Iterator[_Item]:
    """The names of entries that have no request are added to `without`."""
    waiting = deque([(found, scope)])
    while waiting:
        entries, outer = waiting.popleft()
        for entry in objects(entries):
            inner = _inner(outer, entry)
            if isinstance(entry.get("item"), list):
                waiting.append((entry["item"], replace(inner, path=f"{inner.path} / ")))
                continue
            request = entry.get("request")
            request = {"url": request} if isinstance(request, str) else request
            if not isinstance(request, dict):
                without.append(inner.path or "an entry without a name")
                continue
            inner = replace(inner, auth=request.get("auth") or inner.auth)
            yield _Item(inner.path, request, inner, entry.get("protocolProfileBehavior"))


def _inner(outer: _Scope, entry: dict[str, Json]) -> _Scope:
    """Authentication that is null is that of the folder around."""
    return _Scope(
        f"{outer.path}{_words(entry.get('name'))}",
        entry.get("auth") or outer.auth,
        ChainMap(own, *outer.variables.maps) if (own := _variables(entry)) else outer.variables,
        outer.has_scripts or _has_scripts(entry),
    )


def _variables(entry: dict[str, Json]) -> dict[str, str]:
    rows = [*given(entry.get("variables")), *given(entry.get("variable"))]
    return {name: value for name, value in rows if value}


def _has_scripts(entry: dict[str, Json]) -> bool:
    """Postman writes empty ones too."""
    scripts = [one.get("script", "written elsewhere") for one in switched_on(entry.get("event"))]
    return any(_is_written(one) for one in scripts)


def _is_written(script: Json) -> bool:
    lines = script.get("exec") or script.get("src") if isinstance(script, dict) else script
    return any(text(line).strip() for line in (lines if isinstance(lines, list) else [lines]))


def _words(value: Json) -> str:
    return " ".join(str(value).split())[:100] if isinstance(value, str) else ""


def _method(request: dict[str, Json]) -> str:
    method = request.get("method")
    return method.upper()[:20] if isinstance(method, str) and method else "GET"


def _address(request: dict[str, Json]) -> str:
    return address(request.get("url"), UNKNOWN_HOST)


def _imported(item: _Item) -> Imported:
    request, variables = item.request, item.scope.variables
    said = Said("request", method=_method(request), glob_off=True, url=_address(request))
    said.headers = list(_headers(said, request.get("header")))
    _note_disabled(said, request)
    _take_body(said, item)
    _note_others(said, item)
    said = _filled(said, variables)
    samples = _take_path_variables(said, request.get("url"), variables)
    spec = _with_auth(said, item.scope.auth, variables)
    name = item.name.rpartition(" / ")[2]
    return said.imported(spec, name=name, samples=samples)


def _take_path_variables(said: Said, url: Json, variables: Mapping[str, str]) -> dict[str, Json]:
    """The sample values of the attributes that they become."""
    rows = (
        {key: resolved(value, variables) for key, value in given(url.get("variable"))} if isinstance(url, dict) else {}
    )
    said.url = with_path_variables(said.url, rows)
    return {name_of(key): value for key, value in rows.items() if key and value and "{{" not in value}


def _headers(said: Said, found: Json) -> Iterator[tuple[str, str]]:
    """A list of rows or lines, or a text with a header a line. An empty Authorization is nobody's wish."""
    lines = found.splitlines() if isinstance(found, str) else found if isinstance(found, list) else []
    for line in lines:
        if isinstance(line, str):
            name, _, value = (part.strip() for part in line.partition(":"))
        elif isinstance(line, dict) and not line.get("disabled"):
            name, value = text(line.get("key")), text(line.get("value"))
        else:
            continue
        if not name and value:
            said.ignored.append(Ignored(value[:60], "a header without a name is not sent"))
        elif name.lower() == "authorization" and not value.strip():
            said.ignored.append(Ignored(name, "it is empty"))
        elif name:
            yield name, value


def _note_disabled(said: Said, request: dict[str, Json]) -> None:
    url, body = request.get("url"), request.get("body")
    rows = [*objects(request.get("header"))]
    for name in ("query", "variable"):
        rows += objects(url.get(name) if isinstance(url, dict) else None)
    for mode in ("urlencoded", "formdata"):
        rows += objects(body.get(mode)) if isinstance(body, dict) else []
    said.ignored += [Ignored(text(row.get("key"))[:60] or "a row", OFF) for row in rows if row.get("disabled")]


def _take_body(said: Said, item: _Item) -> None:
    keeps = isinstance(item.behavior, dict) and item.behavior.get("disableBodyPruning") is True
    found = postman_bodies.read(item.request.get("body"), item.request.get("data"), said.method, keeps=keeps)
    said.ignored += [Ignored(what, why) for what, why in found.left_out]
    said.graphql, said.has_body = found.graphql, found.graphql is not None
    said.form = [Pair(escaped(name), escaped(value)) for name, value in found.form]
    if found.text:
        said.data.append(Piece(found.text))
        if found.content_type and all(name.lower() != "content-type" for name, _ in said.headers):
            said.headers.append(("Content-Type", found.content_type))


def _note_others(said: Said, item: _Item) -> None:
    if item.scope.has_scripts:
        said.ignored.append(Ignored("scripts", "they are not run"))
    for name, why in (("proxy", "httpstep uses no proxies"), ("certificate", "client certificates are not supported")):
        if (found := item.request.get(name)) and not (isinstance(found, dict) and found.get("disabled")):
            said.ignored.append(Ignored(name, why))
    behavior = item.behavior if isinstance(item.behavior, dict) else {}
    for name, value in behavior.items():
        if name != "disableBodyPruning":
            said.ignored.append(Ignored(f"{name[:40]}: {text(value)[:40]}", "see the options of the step"))
    texts = [
        said.url,
        *(value for _, value in said.headers),
        *(piece.text for piece in said.data),
        *(said.graphql or ()),
    ]
    texts += [pair.value for pair in said.form]
    for name in dict.fromkeys(name for one in texts for name in worked_out(one)):
        said.notes.append(f"Postman works out {name[:60]} itself. Here it is the attribute {name_of(name)}.")


# ---------------------------------------------------------------- variables, authentication


def _filled(said: Said, variables: Mapping[str, str]) -> Said:
    said.url = resolved(said.url, variables)
    said.headers = [(_known(name, variables), resolved(value, variables)) for name, value in said.headers]
    said.data = [Piece(resolved(piece.text, variables), piece.json) for piece in said.data]
    said.form = [Pair(resolved(pair.name, variables), resolved(pair.value, variables)) for pair in said.form]
    if said.graphql is not None:
        query, written = said.graphql
        said.graphql = resolved(query, variables), resolved(written, variables)
    return said


def _known(name: str, variables: Mapping[str, str]) -> str:
    """A header's name has no placeholder in a step."""
    return name if "{{" in (filled := resolved(name, variables)) else filled


def _with_auth(said: Said, auth: Json, variables: Mapping[str, str]) -> RequestSpec:
    """As Postman has it: authentication takes the place of a header of its name, unless it is empty."""
    kind = text(auth.get("type")) if isinstance(auth, dict) else ""
    rows = given(auth.get(kind)) if isinstance(auth, dict) else ()
    found = postman_auth.read(kind, {name: resolved(value, variables) for name, value in rows})
    said.ignored += [Ignored(what, why) for what, why in found.left_out]
    there = [name for name, _ in said.headers if name.lower() == found.replaces]
    if there and found.is_asked:
        return request_of(said)
    said.ignored += [Ignored(name, "the authentication takes its place") for name in there]
    said.headers = [row for row in said.headers if row[0].lower() != found.replaces]
    said.headers += [found.header] if found.header else []
    spec = request_of(said)
    if found.auth.type == "none":
        return spec
    if spec.auth.type != "none":
        said.ignored.append(Ignored(f"authentication of kind {kind}", "the address has credentials of its own"))
        return spec
    return replace(spec, auth=found.auth)
