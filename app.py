"""The composition root: the only file that sees every floor. `flask --app app` and the server both start here."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from httpstep import config, transport, web
from httpstep.alerts import alerts
from httpstep.commands import accounts as commands_accounts
from httpstep.commands import steps as commands
from httpstep.commands import storage as commands_storage
from httpstep.commands import users as commands_users
from httpstep.core.exchange import HttpResponse, RenderedRequest, Send
from httpstep.execution import calls, ratelimit
from httpstep.execution.postponed import Postponed
from httpstep.execution.tokens import TokenCache
from httpstep.extensions import csrf, db, htmx, limiter, login_manager, mail, migrate
from httpstep.serving import demo, server
from httpstep.storage import database, vault
from httpstep.storage.accesstokens import StoredTokens

ROOT = Path(__file__).resolve().parent
MOST_FRAMES = 5000
"""Python's own limit is 1,000. A JSON answer may have 200 levels, its structure has 400, and what walks or draws them
takes several frames a level. A thread's 8 MB of stack bear ten times as many."""
KEPT_FOR_PAGES = 8
"""Threads of a process that never wait for third parties, so that pages and /health always find one."""


def create_app(settings: config.Config | None = None, *, send: Send | None = None) -> Flask:
    """The application. settings: read from the environment unless given; send: stands in for the guarded call in tests.

    A wrong setting or a database of a newer version ends the process with a sentence on standard error.
    """
    sys.setrecursionlimit(max(sys.getrecursionlimit(), MOST_FRAMES))
    settings = settings or _settings_or_exit()
    app = Flask("httpstep", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    _refuse_debug(app)
    app.url_map.merge_slashes = False  # an empty key in an address is no other address
    _configure(app, settings)
    _bind_extensions(app)
    app.extensions["httpstep"] = _parts(app, settings, send)
    web.register(app)
    for part in (commands, commands_accounts, commands_users, commands_storage):
        part.register(app)
    with app.app_context():
        database.prepare_engine(db.engine)
        _refuse_other_data()
    return app


def _settings_or_exit() -> config.Config:
    try:
        return config.load()
    except config.ConfigError as error:
        sys.exit(f"httpstep cannot start. {error}")


def _refuse_debug(app: Flask) -> None:
    """Debug mode shows the program's inside, and Werkzeug's console runs whatever is typed into it."""
    if app.debug:
        sys.exit("httpstep cannot start. Debug mode is on: unset FLASK_DEBUG and leave --debug out.")


def _refuse_other_data() -> None:
    try:
        database.refuse_other_schema()
    except database.SchemaError as error:
        db.engine.dispose()
        sys.exit(f"httpstep cannot start. {error}")


def _configure(app: Flask, settings: config.Config) -> None:
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    secure = settings.base_url.startswith("https://")
    app.config.update(
        HTTPSTEP=settings,
        SECRET_KEY=settings.secret_key or vault.read_or_create(settings.data / "session.key"),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        RATELIMIT_STORAGE_URI=_storage_uri(settings),
        MAIL_SUPPRESS_SEND=False,
        MAX_CONTENT_LENGTH=4 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=3 * 1024 * 1024,
        MAX_FORM_PARTS=2000,
        SESSION_COOKIE_NAME="__Host-httpstep_form" if secure else "httpstep_form",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_SSL_STRICT=False,  # web.access looks at the Referer itself
    )
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def _engine_options(settings: config.Config) -> dict[str, object]:
    most = settings.threads + 4
    return {
        "pool_size": min(most, 20),
        "max_overflow": most,
        "pool_timeout": 5,
        "hide_parameters": True,  # what is written is a customer's, and an error's text goes into the application's log
        "pool_pre_ping": "postgres" in settings.database_url,
    }


def _storage_uri(settings: config.Config) -> str:
    if settings.ratelimit_url == "database":
        return f"{ratelimit.SqlStorage.STORAGE_SCHEME[0]}://"
    return f"httpstep-{settings.ratelimit_url}"


def _bind_extensions(app: Flask) -> None:
    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"), render_as_batch=True)
    limiter.init_app(app)
    mail.init_app(app)
    htmx.init_app(app)
    login_manager.init_app(app, add_context_processor=False)  # ours (web/access.py) draws fault pages too
    csrf.init_app(app)


def _parts(app: Flask, settings: config.Config, send: Send | None) -> calls.Parts:
    keys = settings.vault_keys or vault.read_keys(settings.data / "vault.key")
    return calls.Parts(
        send=_guarded(settings) if send is None else _standing_in(send),
        wait=transport.wait,
        vault=vault.Vault(keys),
        alerts=alerts.Sender(app),
        instance=vault.read_or_create(settings.data / "instance"),
        in_flight=settings.in_flight,
        postponed=Postponed(app),
        tokens=TokenCache(store=StoredTokens(vault.Vault(keys))),
        places=threading.BoundedSemaphore(max(1, settings.threads - KEPT_FOR_PAGES)),
        base_url=settings.base_url or f"http://{settings.listen}",
    )


def _guarded(settings: config.Config) -> Callable[..., HttpResponse]:
    return transport.Transport(settings.allow_networks, ca_file=settings.ca_file or None).send


def _standing_in(send: Send) -> Callable[..., HttpResponse]:
    def standing_in(
        request: RenderedRequest, deadline: float, *, account: str, hangup: int | None, seconds: float | None
    ) -> HttpResponse:
        return send(request, deadline)

    return standing_in


def main(arguments: list[str]) -> None:
    """`python app.py` serves; `python app.py --demo [API PORT]` serves beside the order API of the demo."""
    if arguments[:1] == ["--demo"]:
        demo.serve(create_app, *(int(port) for port in arguments[1:2]))
    else:
        server.serve(create_app)


if __name__ == "__main__":
    main(sys.argv[1:])
