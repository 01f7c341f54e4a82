"""Writes a request as a curl command for a POSIX shell."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from urllib.parse import quote_plus

from httpstep.core.authentication import kind_of
from httpstep.core.exchange import RenderedRequest
from httpstep.core.request.bodies import graphql_text
from httpstep.core.request.requestcheck import fields_go_in
from httpstep.core.step.spec import Pair, RequestSpec

_GLOB = frozenset("[]{}")
_BREAK = " \\\n  "


def to_curl(request: RenderedRequest | RequestSpec) -> str:
    """A command that sends this request. A `RequestSpec` is written as typed, with its `{{placeholders}}`;
    `from_curl` reads it back as the same request."""
    if isinstance(request, RequestSpec):
        return _BREAK.join(("curl", *_typed(request)))
    lines = ["curl", *_first_lines(request.method, request.url, has_body=request.body is not None)]
    lines += [_header(name, value) for name, value in request.headers]
    if request.body is None:
        return _BREAK.join(lines)
    if all(name.lower() != "content-type" for name, _ in request.headers):
        lines.append("-H 'Content-Type:'")
    if _is_plain(request.body):
        return _BREAK.join((*lines, f"--data-raw {quote(request.body.decode())}"))
    return f"printf {quote(_octal(request.body))} | " + _BREAK.join((*lines, "--data-binary @-"))


def _first_lines(method: str, url: str, *, has_body: bool) -> list[str]:
    lines = []
    if method == "HEAD":
        lines.append("--head")
    elif has_body or method != "GET":
        lines.append(f"-X {method}")
    if _GLOB & set(url):
        lines.append("--globoff")
    return [*lines, quote(url)]


def _header(name: str, value: str) -> str:
    return f"-H {quote(f'{name}: {value}' if value else f'{name};')}"


def _is_plain(body: bytes) -> bool:
    """Whether a shell can carry it as an argument: UTF-8 without NUL."""
    try:
        return "\0" not in body.decode()
    except UnicodeDecodeError:
        return False


def _octal(body: bytes) -> str:
    """The format of a printf that writes exactly these bytes."""
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b"%\\" else f"\\{byte:03o}" for byte in body)


# ---------------------------------------------------------------- as typed


def _typed(request: RequestSpec) -> Iterator[str]:
    body, auth = request.body, request.auth
    in_url = body.mode == "query" and fields_go_in(request.method, body) == "url"
    has_body = (body.mode == "query" and bool(body.fields) and not in_url) or (
        body.mode in ("json", "raw", "graphql") and bool(body.text)
    )
    has_body = has_body or (body.mode == "multipart" and bool(body.fields))
    url = request.url
    for name, value in kind_of(auth).typed(auth).query:
        url += f"{'&' if '?' in url else '?'}{quote_plus(name)}={value}"
    yield from _first_lines(request.method, url, has_body=has_body)
    yield from (_header(pair.name, pair.value) for pair in request.headers if pair.name)
    yield from _typed_auth(request)
    if in_url and body.fields:
        yield "--get"
    if body.mode == "query":
        yield from (_field(pair) for pair in body.fields if pair.name)
    elif body.mode == "multipart":
        yield from (f"--form-string {quote(f'{pair.name}={pair.value}')}" for pair in body.fields if pair.name)
    elif has_body:
        yield from _typed_text(request)


def _typed_auth(request: RequestSpec) -> Iterator[str]:
    auth = request.auth
    if auth.type == "basic":
        yield "-u " + quote(f"{auth['username']}:{auth['password']}")
    yield from (_header(name, value) for name, value in kind_of(auth).typed(auth).headers)


def _field(pair: Pair) -> str:
    name = pair.name if "{{" in pair.name else quote_plus(pair.name, errors="replace")
    return f"--data-urlencode {quote(f'{name}={pair.value}')}"


def _typed_text(request: RequestSpec) -> Iterator[str]:
    own_type = any(pair.name.lower() == "content-type" for pair in request.headers)
    if not own_type:
        content_type = request.body.content_type if request.body.mode == "raw" else "application/json"
        yield _header("Content-Type", content_type)
    text = request.body.text
    if request.body.mode == "graphql":
        text = graphql_text(text, request.body.variables.strip())
    yield f"--data-raw {quote(text)}"
