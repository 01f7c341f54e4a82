"""The server of `make run`: gunicorn with thread workers. `python app.py` prepares the data folder and serves.

Time-outs exceed the 60 s a call may take, so that neither the arbiter nor a restart cuts one short.
"""

from __future__ import annotations

import errno
import gc
import json
import logging
import resource
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import IO, Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from sqlalchemy.exc import SQLAlchemyError

from httpstep.alerts import alerts
from httpstep.alerts.mailserver import SECONDS as MAIL_SECONDS
from httpstep.config import StartError, dangers, misnamed
from httpstep.execution import calls, postponed
from httpstep.extensions import db
from httpstep.serving import upgrading
from httpstep.serving.clients import CheckedBodies
from httpstep.serving.master import Master
from httpstep.serving.memory import bound_arenas
from httpstep.serving.watching import MetricsAddress
from httpstep.serving.worker import Worker
from httpstep.storage.patience import limit_waiting
from httpstep.upkeep import condition, installation, nightly

GRACE = 75
MAX_FILES = 65_536
TO_SPARE = 5
"""Seconds of the grace time that are left to the end itself."""


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured from our own variables and from nothing else."""

    def __init__(self, app: Flask) -> None:
        self._settings = app.config["HTTPSTEP"]
        self._app = app
        self._ended: list[int] = []
        self._lock: IO[bytes] | None = None
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        values = {
            "bind": [one for one in (settings.listen, settings.metrics_listen) if one],
            "workers": settings.workers,
            "worker_class": Worker,
            "threads": settings.threads,
            "timeout": GRACE,
            "graceful_timeout": GRACE,
            "keepalive": 5,
            "control_socket_disable": True,
            "limit_request_line": 8190,
            # Whom X-Forwarded-* may be believed is decided by ProxyFix and web.prefix; gunicorn itself believes loopback.
            "secure_scheme_headers": {},
            "forwarded_allow_ips": "*" if settings.proxy_hops else "",
            "forwarder_headers": "SCRIPT_NAME" if settings.proxy_hops else "",
            "accesslog": None,
            "errorlog": "-",
            "logger_class": _ServerLog,
            "child_exit": self._worker_ended,
            "pre_fork": self._before_fork,
            "post_fork": self._after_fork,
            "post_worker_init": self._worker_began,
            "worker_exit": self._worker_leaves,
            "when_ready": self._ready,
            "proc_name": "httpstep",
        }
        for name, value in values.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application of one worker, which is the master's, shared until either writes to it: made once, it answers
        sooner and takes a third of the memory. A mail that a stop left behind is sent now."""
        app = self._app
        app.wsgi_app = CheckedBodies(app.wsgi_app)  # type: ignore[method-assign]
        if listen := self._settings.metrics_listen:
            app.wsgi_app = MetricsAddress(app.wsgi_app, listen)  # type: ignore[method-assign]
        with app.app_context():
            limit_waiting(db.engine)
        app.extensions["httpstep"].alerts.kick()
        return app

    def _ready(self, _server: Any) -> None:
        logging.getLogger("httpstep").info("listening on http://%s", self._settings.listen)

    def _worker_ended(self, _server: Any, worker: Any) -> None:
        self._ended.append(worker.pid)

    def run(self) -> None:
        bound_arenas()
        with installation.mark_served(self._settings.data) as self._lock:
            Master(self).run()

    def _before_fork(self, _server: Any, worker: Any) -> None:
        """SQLite's descriptors and PostgreSQL's sockets must not be carried over a fork: two processes would speak on
        one connection, and closing a copy of SQLite's file drops the locks that the copy's process holds on it."""
        worker.ended, self._ended = self._ended, []
        _close_connections(self._app)
        gc.collect()
        gc.freeze()  # or the worker's first collection would write to, and so copy, all that it shares with the master

    def _after_fork(self, _server: Any, _worker: Any) -> None:
        """The folder counts as served while a worker lives, so each holds the lock itself, and none the master's."""
        inherited, self._lock = self._lock, installation.mark_served(self._settings.data)
        if inherited is not None:
            inherited.close()

    def _worker_began(self, worker: Any) -> None:
        """A worker that was killed leaves its calls behind; they read as interrupted from now on.

        The next worker says so, and beside its requests: the master must replace workers whatever the database does.
        """
        nightly.watch(worker.wsgi)
        parts: calls.Parts = worker.wsgi.extensions["httpstep"]
        worker.may_leave = _does_nothing_else
        for pid in worker.ended:
            parts.postponed.later(partial(installation.mark_interrupted, worker.wsgi, pid))

    def _worker_leaves(self, _server: Any, worker: Any) -> None:
        """A worker that is stopped waits for the mail under way, which would be sent a second time, and for what waits
        for the database, with what is left of the grace time, before the master would kill it."""
        if not worker.booted:
            return
        parts: calls.Parts = worker.wsgi.extensions["httpstep"]
        ends = (worker.stopped_at or time.monotonic()) + GRACE - TO_SPARE
        with worker.wsgi.app_context():
            calls.write_refusals(parts)
        parts.alerts.finish(max(0.0, min(MAIL_SECONDS + 1, ends - time.monotonic())))
        if lost := parts.postponed.finish(max(0.0, ends - time.monotonic())):
            logging.getLogger("httpstep").error("%d writes that waited for the database were lost at the end", lost)


def _does_nothing_else() -> bool:
    """Whether this process sends no mail, writes nothing that waited for the database and makes no backup just now."""
    busy = {alerts.THREAD, postponed.THREAD}.intersection(thread.name for thread in threading.enumerate())
    return not busy and not nightly.is_making()


class _ServerLog(Logger):  # type: ignore[misc]
    """gunicorn's lines in the form that all others have."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for ours in logging.getLogger().handlers[:1]:
            for handler in self.error_log.handlers:
                handler.setFormatter(ours.formatter)


class TextLines(logging.Formatter):
    """A line for a person, with the time in UTC."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"


class JsonLines(logging.Formatter):
    """One JSON object a line, for log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{moment}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (canonical := getattr(record, "canonical", None)) is not None:
            line |= {"message": canonical.event} | canonical.members()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logging(form: str) -> None:
    """Records without what no line of ours says, as Python's logging how-to has it under "Optimization"."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    handler = logging.StreamHandler(sys.stderr)
    text = TextLines("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if form == "json" else text)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def serve(create_app: Callable[[], Flask]) -> None:
    """Prepare the data folder, say where to go, and serve until SIGTERM, which lets running calls finish."""
    app = create_app()
    settings = app.config["HTTPSTEP"]
    set_up_logging(settings.log_format)
    log = logging.getLogger("httpstep")
    try:
        _require_port("LISTEN", settings.listen)
        if settings.metrics_listen:
            _require_port("METRICS_LISTEN", settings.metrics_listen)
        _prepare(app, log)
    except StartError as error:
        sys.exit(f"httpstep cannot start. {error}")
    except SQLAlchemyError as error:
        sys.exit(f"httpstep cannot start. {installation.start_error(error)}")
    except OSError as error:
        sys.exit(f"httpstep cannot start. {error.filename}: {error.strerror}")
    _raise_limit_of_files()
    Server(app).run()


def _raise_limit_of_files() -> None:
    """A process has 1,000 clients, its calls to others and its files at once; shells give 1,024 of all to begin with."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _require_port(name: str, listen: str) -> None:
    """Raise StartError where gunicorn would try for seconds and then say less. Who is ending may need a moment."""
    host, _, port = listen.rpartition(":")
    family, ends = socket.AF_INET6 if host.startswith("[") else socket.AF_INET, time.monotonic() + 2
    while True:
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host.strip("[]"), int(port)))
                return
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > ends:
                raise StartError(_cannot_listen(name, listen, error)) from None
        time.sleep(0.1)


def _cannot_listen(name: str, listen: str, error: OSError) -> str:
    why = {
        errno.EADDRINUSE: "another program, perhaps another httpstep, listens there already",
        errno.EADDRNOTAVAIL: "this machine has no such address",
        errno.EACCES: "ports below 1024 need the right to use them",
    }.get(error.errno or 0, error.strerror or "the name is not known")
    return f"HTTPSTEP_{name}: {listen} cannot be listened on: {why}."


def _prepare(app: Flask, log: logging.Logger) -> None:
    with upgrading.answered(app):
        installation.prepare(app)
    if left := _interrupted_before(app):
        log.warning("calls that were interrupted when httpstep last stopped: %d", left)
    with app.app_context():
        _announce(log, app)
    _close_connections(app)


def _close_connections(app: Flask) -> None:
    """All of this process to the database. In a context of its own: what the session of another one holds goes back
    into its pool when that one ends, and no sooner."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _interrupted_before(app: Flask) -> int:
    """Close what the last run left. Another server of the same folder, which may be ending, still has its calls."""
    ends = time.monotonic() + 2
    while installation.is_served(app.config["HTTPSTEP"].data):
        if time.monotonic() > ends:
            return 0
        time.sleep(0.05)
    return installation.mark_interrupted(app)


def _announce(log: logging.Logger, app: Flask) -> None:
    settings = app.config["HTTPSTEP"]
    here = settings.listen.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:")  # no browser opens "everywhere"
    address = settings.base_url or f"http://{here}"
    log.info("data folder: %s", settings.data)
    if code := installation.new_setup_code():
        log.info("no user yet: open %s/setup and enter the one-time code %s", address, code)
        if said := misnamed():
            log.warning("%s", said)
    if not settings.base_url.startswith("https://") and not settings.listen.startswith(("127.", "localhost", "[::1]")):
        log.warning("serving plain HTTP beyond this machine: put a proxy with HTTPS in front and set HTTPSTEP_BASE_URL")
    for danger in dangers(settings):
        log.warning("%s", danger)
    if away := condition.warning_at_start():
        log.warning("%s", away)
    if settings.smtp_url is None:
        log.info("mail is off: HTTPSTEP_SMTP_URL is not set")
