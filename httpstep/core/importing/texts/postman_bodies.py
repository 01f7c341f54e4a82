"""The body of a request of a Postman collection (the `body` of its published schema of v2.1)."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote_plus

from msgspec import Struct, field

from httpstep.core import jsontext
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.importing.texts.multiparts import FILE_BODY, FILE_PART
from httpstep.core.importing.texts.postman_values import OFF, objects, switched_on, text
from httpstep.core.jsontext import Json

_LANGUAGES: Final = {
    "json": "application/json",
    "xml": "application/xml",
    "html": "text/html",
    "javascript": "application/javascript",
    "text": "text/plain",
}
_PRUNED: Final = ("GET", "HEAD", "COPY", "PURGE", "UNLOCK")
"""Methods with which Postman sends a body only where the collection says so (disableBodyPruning)."""


class Content(Struct):
    """`form`: (name, value) of the texts of a multipart form. `graphql`: a query and its variables. left_out: (what, why)."""

    text: str = ""
    content_type: str = ""
    form: list[tuple[str, str]] = field(default_factory=list)
    graphql: tuple[str, str] | None = None
    left_out: list[tuple[str, str]] = field(default_factory=list)


def read(body: Json, data: Json, method: str, *, keeps: bool) -> Content:
    """data: where collections had it before v2.1, its text in `content`. keeps: sent whatever the method is."""
    made, old = Content(), not body
    body = data if old else body
    if not isinstance(body, dict) or not body:
        return made
    mode = text(body.get("mode"))
    content = body.get(mode, body.get("content") if old else None) if mode else body.get("raw")
    if not content:
        return made
    if body.get("disabled"):
        made.left_out.append((_named(content), OFF))
    elif method in _PRUNED and not keeps:
        made.left_out.append((_named(content), f"Postman sends none with {method}"))
    else:
        _take(made, mode, content, body.get("options"))
    return made


def _named(content: Json) -> str:
    """A body that is not sent, by the names of its rows or its beginning."""
    names = ", ".join(text(one.get("key")) for one in objects(content))
    return f"body {names[:500] or ' '.join(text(content)[:60].split())}".strip()


def _take(made: Content, mode: str, content: Json, options: Json) -> None:
    if mode == "raw":
        made.text, made.content_type = text(content), _type(text(content), options)
    elif mode == "urlencoded":
        made.text = content if isinstance(content, str) else "&".join(_row(one) for one in switched_on(content))
        made.content_type = "application/x-www-form-urlencoded"
    elif mode == "formdata":
        _take_parts(made, content)
    elif mode == "graphql" and isinstance(content, dict):
        _take_graphql(made, content)
    else:
        source = content.get("src") or content.get("content") if isinstance(content, dict) else content
        what = f"body of kind {mode[:20]} {text(source)[:60]}"
        made.left_out.append((" ".join(what.split()), FILE_BODY if mode == "file" else "it is not known"))


def _type(content: str, options: Json) -> str:
    """Without a language it is text, unless it is JSON."""
    raw = options.get("raw") if isinstance(options, dict) else None
    language = text(raw.get("language")) if isinstance(raw, dict) else ""
    return _LANGUAGES.get(language, "" if content.lstrip()[:1] in ("{", "[") else "text/plain")


def _row(one: dict[str, Json]) -> str:
    name, value = (quote_plus(text(one.get(member)), safe="{}", errors="replace") for member in ("key", "value"))
    return f"{name}={value}"


def _take_parts(made: Content, rows: Json) -> None:
    for one in switched_on(rows):
        name, kind = text(one.get("key")), text(one.get("contentType"))
        if one.get("type") == "file" or one.get("src"):
            made.left_out.append(((name or text(one.get("src")))[:60], FILE_PART))
            continue
        made.form.append((name, text(one.get("value"))))
        if kind:
            made.left_out.append((f"{name[:60]}: {kind[:60]}", "a part of a form is sent without a type of its own"))


def _take_graphql(made: Content, content: dict[str, Json]) -> None:
    """As JSON where an operation is named, for which a step's GraphQL has no place."""
    query, variables, operation = (text(content.get(name)) for name in ("query", "variables", "operationName"))
    made.graphql = query, variables
    if not operation:
        return
    body: dict[str, Json] = {"query": query, "operationName": operation}
    try:
        body |= {"variables": jsontext.loads(variables)} if variables.strip() else {}
    except UnreadableAnswer:
        made.left_out.append((f"operationName {operation[:60]}", "the variables are no JSON"))
        return
    made.graphql, made.text, made.content_type = None, jsontext.pretty(body), "application/json"
