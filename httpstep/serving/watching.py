"""The second address that HTTPSTEP_METRICS_LISTEN opens: /metrics is answered there, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from werkzeug.exceptions import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WATCHED: Final = "httpstep.watched"
"""In the WSGI environment of what came by that address. No header becomes such a name."""


class MetricsAddress:
    """Outside of everything that believes a proxy's headers: the port is the socket's own."""

    def __init__(self, application: WSGIApplication, listen: str) -> None:
        self._application = application
        self._port = int(listen.rpartition(":")[2])

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["gunicorn.socket"].getsockname()[1] == self._port:
            if environ.get("PATH_INFO") != "/metrics":
                return NotFound()(environ, start_response)
            environ[WATCHED] = True
        return self._application(environ, start_response)
