"""What every response carries: the security headers and the request's id; and how pages and static files travel."""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Request, Response, request, send_from_directory

from httpstep.core.regex import regex

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_MIN_COMPRESSED_BYTES: Final = 1000
_COMPRESSED_TYPES: Final = frozenset(
    ("text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml")
)
_FOREVER: Final = "public, max-age=31536000, immutable"
_REQUEST_ID = regex(r"[A-Za-z0-9._:-]{1,100}")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def request_id(asked: Request = request) -> str:
    """The caller's X-Request-Id where it is a plain word of at most 100 characters, else one of our own."""
    return _id_of(asked.environ)


def _id_of(environ: WSGIEnvironment) -> str:
    known: str | None = environ.get(_ID)
    if known is None:
        asked = environ.get("HTTP_X_REQUEST_ID", "")
        known = environ[_ID] = asked if _REQUEST_ID.fullmatch(asked) else f"{random.getrandbits(128):032x}"
    return known


_ID: Final = "httpstep.request_id"
_ALWAYS: Final = [
    ("Content-Security-Policy", CSP),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
]


class Guarded:
    """WSGI middleware: the security headers of every response, and its request's id. Werkzeug would look at each three
    times on its way."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            return start_response(status, [*headers, ("X-Request-Id", _id_of(environ)), *_ALWAYS], error)

        return self._application(environ, start)


def _is_asked_by_others() -> bool:
    """Whether a page elsewhere may have made the browser ask, so that the size of the answer would tell it, byte by byte,
    what else is in there than its own guess (BREACH). Over https, and on the machine itself, every browser says so."""
    return request.headers.get("Sec-Fetch-Site", "" if request.is_secure else "none") not in ("same-origin", "none")


def _compressed(response: Response) -> Response:
    """Pages, fragments and static files as gzip, where the browser takes it."""
    if response.mimetype not in _COMPRESSED_TYPES:
        return response
    response.vary.add("Accept-Encoding")
    is_static = request.endpoint == "static"
    is_wanted = request.accept_encodings["gzip"] > 0 and (is_static or not _is_asked_by_others())
    if not is_wanted or response.status_code in (204, 206, 304) or "Content-Encoding" in response.headers:
        return response
    response.direct_passthrough = False  # a static file is not read yet
    if len(body := response.get_data()) >= _MIN_COMPRESSED_BYTES:
        response.set_data(gzip.compress(body, compresslevel=6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        response.headers.pop("Accept-Ranges", None)
        if (tag := response.get_etag()[0]) is not None:
            response.set_etag(tag, weak=True)  # a strong one is of these very bytes (RFC 9110, 8.8.3)
    return response


BUNDLES: Final = {
    "page.js": ("vendor/htmx-2.0.11.min.js", "app.js", "swaps.js", "typed.js", "passwords.js", "help.js"),
    "step.js": (
        "picker.js", "first.js", "drafts.js", "waiting.js", "progress.js", "calls.js", "editor.js", "answer.js", "pasting.js", "says.js", "rules.js", "tree.js",
        "wide.js", "variable.js", "varying.js", "conditions.js", "earlier.js", "address.js", "secrets.js",
        "jsontext.js", "colours.js", "usage.js", "drift.js",
    ),
}  # fmt: skip
"""Scripts that a page needs together travel as one file: short files are for readers, and each costs a request."""
# Lines that are comments are for readers too: a tenth of what would travel.
_COMMENTS: Final = regex(rb"(?m)^[ \t]*//.*\n")


class Fingerprints:
    """`url_for("static", …)` with a digest of the file, so that a browser keeps it for ever and still gets the next one."""

    def __init__(self, folder: Path, bundles: Mapping[str, Sequence[str]] = BUNDLES) -> None:
        self._folder = folder
        self._bundles = {
            name: b"\n;\n".join(_COMMENTS.sub(b"", (folder / file).read_bytes()) for file in files)
            for name, files in bundles.items()
        }
        self._of = {
            file.relative_to(folder).as_posix(): _digest(file.read_bytes())
            for file in folder.rglob("*")
            if file.is_file()
        } | {name: _digest(whole) for name, whole in self._bundles.items()}

    def serve(self, filename: str) -> Response:
        """A file, or one of the bundles."""
        if filename not in self._bundles:
            return send_from_directory(self._folder, filename)
        response = Response(self._bundles[filename], mimetype="text/javascript")
        response.set_etag(self._of[filename])
        response.make_conditional(request)
        return response

    def add(self, endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and values.get("filename") in self._of:
            values.setdefault("v", self._of[values["filename"]])

    def finished(self, response: Response) -> Response:
        """How what Flask answers is kept and travels."""
        path = request.path
        if not path.startswith("/api/") and request.endpoint == "static":
            return _compressed(self.keep(response))
        response.headers.setdefault("Cache-Control", "no-store")
        if path.startswith("/api/"):
            return response
        response.vary.add("HX-Request")
        return _compressed(response)

    def keep(self, response: Response) -> Response:
        """For ever, where the address is of what this process has."""
        told = request.args.get("v") if response.status_code in (200, 206, 304) else None
        if told is not None and told == self._of.get((request.view_args or {}).get("filename", "")):
            response.headers["Cache-Control"] = _FOREVER
        return response


def register(app: Flask) -> None:
    static = Fingerprints(Path(app.static_folder or ""))
    app.url_defaults(static.add)
    app.view_functions["static"] = static.serve
    app.after_request(static.finished)
    app.wsgi_app = Guarded(app.wsgi_app)  # type: ignore[method-assign]
