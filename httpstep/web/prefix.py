"""The path below which this installation is reached, such as /bots/http; "" at the root of its host.

It is WSGI's SCRIPT_NAME, with which `url_for` begins every address. It comes from the mount in another application,
from X-Forwarded-Prefix or SCRIPT_NAME of a trusted proxy, or else from the path of HTTPSTEP_BASE_URL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import Flask, Request, abort, current_app, has_request_context, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from httpstep.core.regex import regex

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FAULT: Final = "httpstep.prefix_fault"
_PREFIX: Final = regex(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
_API: Final = "/api/"
_ALWAYS_SERVED: Final = ("static", "health.health")


class Prefixed:
    """WSGI middleware that settles SCRIPT_NAME and PATH_INFO.

    A proxy takes the prefix off the path or passes it on: both are understood, but for a prefix that begins like a page
    of ours (`pages`: their first segments), which has to be taken off.
    """

    def __init__(self, application: WSGIApplication, *, hops: int, base_url: str, pages: frozenset[str]) -> None:
        """hops: proxies in front that are trusted. base_url: HTTPSTEP_BASE_URL, "" where it is not set."""
        self._application = application
        self._hops = hops
        self._configured = urlsplit(base_url).path if base_url else None
        self._pages = pages

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        mount, told = environ.get("SCRIPT_NAME", "").rstrip("/"), self._told(environ)
        if fault := self._fault(mount, told):
            environ[FAULT] = fault
        elif not mount:
            environ["SCRIPT_NAME"] = prefix = told or self._configured or ""
            environ["PATH_INFO"] = self._below(prefix, environ.get("PATH_INFO", ""))
        else:
            environ["SCRIPT_NAME"] = told + mount
        environ["PATH_INFO"] = (
            environ.get("PATH_INFO") or "/"
        )  # else werkzeug redirects there, by the request's own host
        return self._application(environ, start_response)

    def _told(self, environ: WSGIEnvironment) -> str:
        """By the outermost proxy that is trusted and says one; each adds its own behind those it was told."""
        values = [one.strip().rstrip("/") for one in environ.get("HTTP_X_FORWARDED_PREFIX", "").split(",")]
        return values[-min(self._hops, len(values))] if self._hops else ""

    def _fault(self, mount: str, told: str) -> str:
        if told and not _PREFIX.fullmatch(told):
            return "The X-Forwarded-Prefix that the proxy in front of httpstep sends is no path such as /bots/http."
        if self._configured is None or (found := told + mount) in ("", self._configured):
            return ""
        return (
            f"This was asked for below “{found}”, but HTTPSTEP_BASE_URL says that httpstep is opened below "
            f"“{self._configured or '/'}”. The operator can mend it: both have to be the same."
        )

    def _below(self, prefix: str, path: str) -> str:
        is_page = prefix[1:].split("/")[0] in self._pages
        return path.removeprefix(prefix) if prefix and not is_page and f"{path}/".startswith(f"{prefix}/") else path


def address_of(path: str) -> str:
    """A path of this application (what `request.path` is) as a browser asks for it."""
    return request.script_root + path


def path_of(address: str) -> str:
    """The reverse of `address_of`; "" for an address that is not below the prefix."""
    root = request.script_root
    return address.removeprefix(root) if f"{address}/".startswith(f"{root}/") else ""


def cookies_are_secure() -> bool:
    """Whether a cookie of ours is for https alone: HTTPSTEP_BASE_URL says so, or the request came by it, as a trusted
    proxy or the host's server tells."""
    return bool(current_app.config["SESSION_COOKIE_SECURE"]) or (has_request_context() and request.is_secure)


def cookie_name(name: str) -> str:
    """The name with `__Host-` where it is for https alone, and with a digest of the prefix: a cookie of ours has `Path=/`,
    which `__Host-` asks for (RFC 6265bis, 4.1.3), and of two installations on one host each must see its own."""
    root = request.script_root if has_request_context() else ""
    whole = f"__Host-{name}" if cookies_are_secure() else name
    return f"{whole}_{hashlib.sha256(root.encode()).hexdigest()[:12]}" if root else whole


class _Session(SecureCookieSessionInterface):
    def get_cookie_name(self, app: Flask) -> str:
        return cookie_name(super().get_cookie_name(app))

    def get_cookie_secure(self, app: Flask) -> bool:
        return cookies_are_secure()

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """None for the API, which knows its callers by their keys: no cookie is read there, and none set."""
        return None if request.path.startswith(_API) else super().open_session(app, request)


def _refuse_other_prefix() -> None:
    if (fault := request.environ.get(FAULT)) and request.endpoint not in _ALWAYS_SERVED:
        abort(404, fault)


def register(app: Flask) -> None:
    """After the routes are bound."""
    settings = app.config["HTTPSTEP"]
    pages = frozenset(rule.rule.split("/")[1] for rule in app.url_map.iter_rules()) - {""}
    wrapped = Prefixed(app.wsgi_app, hops=settings.proxy_hops, base_url=settings.base_url, pages=pages)
    app.wsgi_app = wrapped  # type: ignore[method-assign]
    app.session_interface = _Session()
    app.before_request(_refuse_other_prefix)
