"""What answers while the schema is upgraded: a 503 that says so, in the place of a connection that is refused.

It is up before the application serves and gone before the server listens. It reads nothing of a request but its line,
its headers and what fits into `MAX_BODY_BYTES` of its body, so that whoever sends one gets the answer.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from socket import AF_INET6
from typing import Any, Final

from flask import Flask

from httpstep.storage import schema

RETRY_AFTER: Final = 5
"""Seconds. The page asks again by itself after as many."""
MAX_BODY_BYTES: Final = 64 * 1024
_DETAIL: Final = "httpstep is being upgraded. Nothing was done; send this again in a moment."
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">{refresh}<title>Being upgraded · httpstep</title></head>
<body><h1>httpstep is being upgraded</h1><p>{text}</p></body></html>
"""
_COMES_BACK: Final = "This page opens by itself when it is done."
_SENT: Final = "What you sent was not taken, and nothing was changed. Go back, wait a moment and send it again."


@contextmanager
def answered(app: Flask) -> Iterator[None]:
    """Inside, whoever asks is told, where the data is of an earlier version. Where the port is taken nobody is."""
    with app.app_context():
        is_needed = schema.needs_upgrade()
    server = _listening(app.config["HTTPSTEP"].listen) if is_needed else None
    try:
        yield
    finally:
        if server is not None:
            server.shutdown()
            server.server_close()


def _listening(listen: str) -> HTTPServer | None:
    host, _, port = listen.rpartition(":")
    with suppress(OSError):
        server = (_Server6 if host.startswith("[") else _Server)((host.strip("[]"), int(port)), _Upgrading)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server
    return None


class _Server(ThreadingHTTPServer):
    """Its threads are not waited for: a client that sends slowly must not hold up the start."""

    block_on_close = False

    def server_bind(self) -> None:
        """As any TCP server: that of HTTP looks up the name of its address, which may take seconds."""
        super(HTTPServer, self).server_bind()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off is nobody's fault."""


class _Server6(_Server):
    address_family = AF_INET6


class _Upgrading(BaseHTTPRequestHandler):
    timeout = 5
    server_version = "httpstep"
    sys_version = ""

    def _tell(self) -> None:
        length = self.headers.get("Content-Length", "")
        self.rfile.read(min(int(length), MAX_BODY_BYTES) if length.isdigit() else 0)
        kind, body = self._answer()
        self.send_response(503)
        for name, value in (
            ("Retry-After", str(RETRY_AFTER)), ("Content-Type", kind), ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("Connection", "close"),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ):  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _tell

    def _answer(self) -> tuple[str, bytes]:
        path = self.path.partition("?")[0]
        if path.endswith("/health"):
            return "application/json", json.dumps({"status": "upgrading"}).encode()
        if "/api/v1/" in path or path.endswith("/metrics"):
            problem = {"type": "about:blank", "title": "Being Upgraded", "status": 503, "detail": _DETAIL}
            return "application/problem+json", json.dumps(problem).encode()
        looks = self.command in ("GET", "HEAD")
        refresh = f'<meta http-equiv="refresh" content="{RETRY_AFTER}">' if looks else ""
        return "text/html; charset=utf-8", _PAGE.format(refresh=refresh, text=_COMES_BACK if looks else _SENT).encode()

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged, as later."""
