"""An OpenAPI document (3.0, 3.1; of Swagger 2.0 what it has in common): its operations, and the request of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus

from httpstep.core import jsontext
from httpstep.core.authentication import Auth
from httpstep.core.importing import openapi_security
from httpstep.core.importing.bodies import Piece, escaped
from httpstep.core.importing.imported import Ignored, Imported
from httpstep.core.importing.request import Said, request_of, with_query
from httpstep.core.importing.source import MAX_OPERATIONS, UNKNOWN_HOST, Operation, Source
from httpstep.core.importing.texts.multiparts import FILE_BODY, FILE_PART
from httpstep.core.importing.texts.references import References
from httpstep.core.importing.texts.schemas import Sampling
from httpstep.core.jsontext import Json
from httpstep.core.regex import regex
from httpstep.core.step.spec import METHODS, Pair, RequestSpec

_HOLE: Final = regex(r"\{([^{}/]{1,100})\}")
_NOT_IN_NAMES: Final = regex(r"[^A-Za-z0-9_.-]")
_TAGS: Final = regex(
    r"</?(?:p|br|b|i|a|em|strong|code|pre|ul|ol|li|div|span|h[1-6]|note|important)(?:\s[^<>]{0,300})?/?>", re.IGNORECASE
)
"""What stands in descriptions that were written for a page."""
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
MAX_NAMED: Final = 10
_WORKED_OUT: Final = frozenset({"accept", "content-type", "authorization"})
"""Header parameters that a document shall not describe (OpenAPI 3.1, 4.8.12.1)."""

Object = dict[str, Json]


def is_openapi(document: Json) -> bool:
    return isinstance(document, dict) and ("openapi" in document or "swagger" in document)


def read(document: Object) -> Source:
    """The operations of the document. Never raises; what is not as the specification says is left out."""
    paths = document.get("paths")
    found = list(_operations(paths, References(document))) if isinstance(paths, dict) else []
    if not found:
        return Source("openapi", fault="There is no operation in this OpenAPI document: its “paths” are empty.")
    left = []
    if len(found) > MAX_OPERATIONS:
        left.append(f"Only the first {MAX_OPERATIONS} of {len(found)} operations are listed.")
    if isinstance(document.get("webhooks"), dict) and document["webhooks"]:
        left.append("Webhooks are calls to you, not by you. They are left out.")
    return Source(
        "openapi", tuple(found[:MAX_OPERATIONS]), lambda one: _Reading(document, one).imported(), left_out=tuple(left)
    )


def _operations(paths: Object, references: References) -> Iterator[Operation]:
    for path, item in paths.items():
        item = references.resolve(item)
        for method in item if isinstance(item, dict) else ():
            described = item[method]
            if method.upper() in METHODS and isinstance(described, dict):
                name = described.get("operationId")
                yield Operation(
                    str(name) if name else f"{method.upper()} {path}", method.upper(), path, _words(described)
                )


class _Reading:
    """Reads one operation."""

    def __init__(self, document: Object, operation: Operation) -> None:
        self._document, self._operation = document, operation
        self._references = References(document)
        self._item: Object = self._references.resolve(document["paths"][operation.address])
        self._described: Object = self._item[operation.method.lower()]
        self._samples: dict[str, Json] = {}
        self._query: list[str] = []
        self._optional: list[str] = []
        self._said = Said("operation", method=operation.method, glob_off=True)

    def imported(self) -> Imported:
        said = self._said
        address, _, fragment = self._operation.address.partition("#")
        path = _HOLE.sub(lambda found: f"{{{{{attribute(found[1])}}}}}", address)
        if fragment:
            said.ignored.append(Ignored(f"#{fragment[:60]}", "what follows a “#” is never sent"))
        for parameter in self._parameters():
            self._take_parameter(parameter)
        self._take_body()
        said.url = with_query(self._server() + path, "&".join(self._query))
        auth = self._auth()
        spec = request_of(said)
        if self._optional:
            said.ignored.append(Ignored(f"optional: {_listed(self._optional)}", "add what you need"))
        said.ignored += [
            Ignored(one[:100], "not in this document, so it is not read") for one in self._references.elsewhere
        ]
        spec = RequestSpec(spec.method, spec.url, spec.headers, auth if auth.type != "none" else spec.auth, spec.body)
        name = self._operation.summary or self._operation.id
        return said.imported(spec, name=name, samples=self._samples)

    # ------------------------------------------------------------ the address

    def _server(self) -> str:
        for place in (self._described, self._item, self._document):
            servers = place.get("servers")
            if isinstance(servers, list) and servers and isinstance(servers[0], dict):
                return self._full(_server_url(servers[0]))
        if isinstance(self._document.get("host"), str):
            schemes = self._document.get("schemes")
            scheme = "https" if not isinstance(schemes, list) or "https" in schemes or not schemes else str(schemes[0])
            base = self._document.get("basePath")
            return self._full(f"{scheme}://{self._document['host']}{base if isinstance(base, str) else ''}")
        base = self._document.get("basePath")
        return self._full(base if isinstance(base, str) else "")

    def _full(self, url: str) -> str:
        if re.match(r"https?://[^/]", url):
            return url.rstrip("/")
        if url.startswith("//"):
            return f"https:{url}".rstrip("/")
        return f"https://{UNKNOWN_HOST}" + ("" if url.startswith("/") or not url else "/") + url.rstrip("/")

    # ------------------------------------------------------------ parameters

    def _parameters(self) -> list[Object]:
        """Those of the operation and of its path; of one name and place the operation's."""
        found: dict[tuple[str, str], Object] = {}
        for place in (self._item, self._described):
            listed = place.get("parameters")
            for one in listed if isinstance(listed, list) else ():
                one = self._references.resolve(one)
                if isinstance(one, dict) and isinstance(one.get("name"), str):
                    found[one["name"], str(one.get("in"))] = one
                elif isinstance(one, dict) and one.get("in") == "body":
                    found["", "body"] = one
        return list(found.values())

    def _take_parameter(self, parameter: Object) -> None:
        name, place = parameter.get("name", ""), parameter.get("in")
        if place not in ("path", "query", "header", "cookie") or (place == "header" and name.lower() in _WORKED_OUT):
            return
        if place != "path" and not parameter.get("required"):
            self._optional.append(name)
            return
        written = attribute(name)
        sample = self._sample_of(parameter)
        if sample is not None:
            self._samples[written] = sample
        if place == "query":
            self._query.append(f"{quote(name, safe='[]')}={{{{{written}}}}}")
        elif place == "header":
            self._said.headers.append((name, f"{{{{{written}}}}}"))
        elif place == "cookie":
            self._said.cookies.append(f"{name}={{{{{written}}}}}")

    def _sample_of(self, holder: Object) -> Json:
        """The example of a parameter or of a media type, else one made from its schema."""
        if "example" in holder:
            return holder["example"]
        examples = holder.get("examples")
        for one in examples.values() if isinstance(examples, dict) else ():
            one = self._references.resolve(one)
            if isinstance(one, dict) and "value" in one:
                return one["value"]
        sampling = Sampling(self._references.resolve)
        sample = sampling.sample(holder.get("schema", holder))
        self._optional += sampling.optional
        return sample

    # ------------------------------------------------------------ the body

    def _take_body(self) -> None:
        media_type, holder = self._media()
        if not media_type:
            return
        sample = self._sample_of(holder)
        if media_type in _FORMS and isinstance(sample, dict):
            self._take_form(media_type, sample, holder)
        elif _is_json(media_type):
            self._said.headers.append(("Content-Type", "application/json" if "*" in media_type else media_type))
            self._said.data.append(Piece(escaped(jsontext.pretty(sample))))
        elif isinstance(sample, str) and not _is_file(self._references.resolve(holder.get("schema"))):
            self._said.headers.append(("Content-Type", media_type))
            self._said.data.append(Piece(sample))
        else:
            why = FILE_BODY if isinstance(sample, str) else "write it yourself"
            self._said.ignored.append(Ignored(f"body of type {media_type[:60]}", why))

    def _media(self) -> tuple[str, Object]:
        """(the media type that is taken, what describes it); ("", {}) where there is no body."""
        body = self._references.resolve(self._described.get("requestBody"))
        content = body.get("content") if isinstance(body, dict) else None
        if isinstance(content, dict) and content:
            taken = min(content, key=_preference)
            others = [one for one in content if one != taken]
            if others:
                self._said.ignored.append(Ignored(f"other types of the body: {_listed(others)}"))
            holder = self._references.resolve(content[taken])
            return str(taken), holder if isinstance(holder, dict) else {}
        return self._media_of_swagger()

    def _media_of_swagger(self) -> tuple[str, Object]:
        consumes = self._described.get("consumes") or self._document.get("consumes")
        types = [one for one in consumes if isinstance(one, str)] if isinstance(consumes, list) else []
        form: Object = {}
        for one in self._parameters():
            if one.get("in") == "body":
                return min(types or ["application/json"], key=_preference), {"schema": one.get("schema")}
            if one.get("in") == "formData":
                form[one["name"]] = {**one, "format": "binary"} if one.get("type") == "file" else one
        required = [name for name, one in form.items() if one.get("required") is True]
        plain = {name: {key: value for key, value in one.items() if key != "required"} for name, one in form.items()}
        media_type = _FORMS[1] if _FORMS[1] in types else _FORMS[0]
        return (
            (media_type, {"schema": {"type": "object", "properties": plain, "required": required}})
            if form
            else ("", {})
        )

    def _take_form(self, media_type: str, sample: Object, holder: Object) -> None:
        schema = self._references.resolve(holder.get("schema"))
        properties = schema.get("properties") if isinstance(schema, dict) else None
        pairs = []
        for name, value in sample.items():
            described = self._references.resolve(properties.get(name)) if isinstance(properties, dict) else None
            if _is_file(described):
                self._said.ignored.append(Ignored(name, FILE_PART))
            else:
                pairs.append((name, value if isinstance(value, str) else jsontext.dumps_text(value)))
        if media_type == _FORMS[1]:
            self._said.has_body = True
            self._said.form += [Pair(escaped(name), escaped(value)) for name, value in pairs]
        else:
            self._said.headers.append(("Content-Type", media_type))
            self._said.data.append(Piece("&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)))

    # ------------------------------------------------------------ authentication

    def _auth(self) -> Auth:
        required = self._described.get("security", self._document.get("security"))
        found = openapi_security.proofs(self._document, required, self._references, self._said.url)
        self._said.ignored += found.ignored
        self._said.headers += found.headers
        return found.auth


def _words(described: Object) -> str:
    """What an operation is for, in one line: its summary, else the first sentence of its description."""
    summary = described.get("summary") or ""
    text = " ".join(_TAGS.sub(" ", str(summary or described.get("description") or "")).split())
    return (text if summary else text.partition(". ")[0])[:100].rstrip()


def _server_url(server: Object) -> str:
    variables = server.get("variables")

    def value(found: re.Match[str]) -> str:
        one = variables.get(found[1]) if isinstance(variables, dict) else None
        default = one.get("default") if isinstance(one, dict) else None
        return str(default) if default not in (None, "") else f"{{{{{attribute(found[1])}}}}}"

    url = server.get("url")
    return _HOLE.sub(value, url) if isinstance(url, str) else ""


def attribute(name: str) -> str:
    """The name of a parameter as the name of an attribute."""
    written = _NOT_IN_NAMES.sub("_", name)[:100].strip("_.-") or "value"
    return written if written[0].isalpha() else f"_{written}"


def _is_file(schema: Json) -> bool:
    return isinstance(schema, dict) and schema.get("format") in ("binary", "base64")


def _is_json(media_type: str) -> bool:
    return re.match(r"(?:application|text)/(?:[\w.+-]+\+)?json\b|\*/\*", media_type) is not None


def _preference(media_type: str) -> int:
    kinds = (media_type == "application/json", _is_json(media_type), media_type == _FORMS[0], media_type == _FORMS[1])
    return next((place for place, is_it in enumerate(kinds) if is_it), len(kinds))


def _listed(names: list[str]) -> str:
    more = len(names) - MAX_NAMED
    return ", ".join(name[:60] for name in names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
