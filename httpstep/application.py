"""The composition root: the only file that sees every floor. The server, the commands and hosts all start here.

`create_app` is for hosts, applications that mount this one: all is prepared, and what is wrong is an exception.
"""

from __future__ import annotations

import os
import sys
import threading
from datetime import timedelta
from functools import partial

from flask import Flask
from flask.helpers import get_debug_flag
from msgspec.structs import replace
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import configure_mappers
from werkzeug.middleware.proxy_fix import ProxyFix

from httpstep import config, extensions, transport, web
from httpstep.alerts import alerts
from httpstep.commands import Commands
from httpstep.core.exchange import Send
from httpstep.execution import calls
from httpstep.execution.budget import hits
from httpstep.execution.postponed import Postponed
from httpstep.execution.tokens import TokenCache
from httpstep.extensions import db
from httpstep.serving import demo, server
from httpstep.storage import database, vault
from httpstep.storage.accesstokens import StoredTokens
from httpstep.upkeep import installation
from httpstep.web.incoming import Application

MAX_FRAMES = 5000
"""Python's own limit is 1,000. A JSON answer may have 200 levels, its structure has 400, and what walks or draws them
takes several frames a level. A thread's 8 MB of stack bear ten times as many."""
RESERVED_FOR_PAGES = 8
"""Threads of a process that never wait for third parties, so that pages and /health always find one."""


def create_app(settings: config.Config | None = None, *, send: Send | None = None, **variables: object) -> Flask:
    """The application for a host to mount, with its schema, its keys and its first account made.

    variables: those of .env.example in small letters and without HTTPSTEP_; they and `settings` come before the
    environment. Raises config.StartError, a sentence, where something does not fit; the process of the host goes on.
    """
    app = assemble(settings or config.load(config.overridden(os.environ, variables)), send=send)
    app.debug = False  # whatever the host has: debug mode shows the program's inside
    with app.app_context():
        try:
            installation.prepare_mounted(app)
        except SQLAlchemyError as error:
            raise installation.start_error(error) from error
        except OSError as error:
            raise config.StartError(f"{error.filename}: {error.strerror}") from error
        finally:  # a host may fork, and no connection may be carried over
            db.session.remove()
            db.engine.dispose()
    return app


def assemble(settings: config.Config, *, send: Send | None = None) -> Flask:
    """The application, whose data folder is prepared by whoever uses it. send: stands in for the guarded call in tests.

    Raises config.StartError, a sentence, where the data does not fit.
    """
    sys.setrecursionlimit(max(sys.getrecursionlimit(), MAX_FRAMES))
    templates, static = (str(config.folder_of(name)) for name in ("templates", "static"))
    app = Application("httpstep", template_folder=templates, static_folder=static)
    app.url_map.merge_slashes = False  # an empty key in an address is no other address
    _configure(app, settings)
    extensions.bind(app, str(config.folder_of("migrations")))
    web.register(app)
    app.cli = Commands(app)
    with app.app_context():
        configure_mappers()  # as the first query would, after the certificates
        database.prepare_engine(db.engine)
        try:
            database.refuse_other_schema()
        except config.StartError:
            db.engine.dispose()
            raise
    app.extensions["httpstep"] = _parts(app, settings, _sending(settings, send))
    return app


def assemble_or_exit(settings: config.Config | None = None, *, send: Send | None = None) -> Flask:
    """For the server and the commands: what is wrong ends the process with a sentence on standard error."""
    try:
        if get_debug_flag():  # it shows the program's inside, and Werkzeug's console runs whatever is typed into it
            raise config.StartError("Debug mode is on: unset FLASK_DEBUG and leave --debug out.")
        return assemble(settings or config.load(config.with_env_file(os.environ)), send=send)
    except config.StartError as error:
        sys.exit(f"httpstep cannot start. {error}")
    except OSError as error:
        sys.exit(f"httpstep cannot start. {error.filename}: {error.strerror}")


def _configure(app: Flask, settings: config.Config) -> None:
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    app.config.update(
        HTTPSTEP=settings,
        SECRET_KEY=settings.secret_key or vault.read_signing_key(settings.data / "session.key"),
        SQLALCHEMY_DATABASE_URI=_database_uri(settings),
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        RATELIMIT_STORAGE_URI=_storage_uri(settings),
        MAIL_SUPPRESS_SEND=False,
        MAX_CONTENT_LENGTH=4 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=3 * 1024 * 1024,
        MAX_FORM_PARTS=2000,
        SESSION_COOKIE_NAME="httpstep_form",  # web.prefix has the rest of the name, and what is secure beside this
        SESSION_COOKIE_SECURE=settings.base_url.startswith("https://"),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        REMEMBER_COOKIE_NAME="httpstep_remember",  # never set; by its own name Flask-Login takes a host's cookie for ours
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_SSL_STRICT=False,  # web.access looks at the Referer itself
    )
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def _database_uri(settings: config.Config) -> str | URL:
    """Not as a text where it lies in the data folder, whose name may have a "?"."""
    ours = "HTTPSTEP_DATABASE_URL" not in settings.given
    return URL.create("sqlite", database=str(settings.data / "httpstep.db")) if ours else settings.database_url


def _engine_options(settings: config.Config) -> dict[str, object]:
    limit = settings.threads + 4
    return {
        "pool_size": min(limit, 20),
        "max_overflow": limit,
        "pool_timeout": 5,
        "pool_use_lifo": True,
        "hide_parameters": True,  # what is written is a customer's, and an error's text goes into the application's log
        "pool_pre_ping": settings.database_url.startswith("postgresql"),
    }


def _storage_uri(settings: config.Config) -> str:
    if settings.ratelimit_url == "database":
        return f"{hits.SqlStorage.STORAGE_SCHEME[0]}://"
    return f"httpstep-{settings.ratelimit_url}"


def _parts(app: Flask, settings: config.Config, send_for: calls.SendFor) -> calls.Parts:
    keys = settings.vault_keys or vault.read_keys(settings.data / "vault.key")
    instance, postponed = vault.read_or_create(settings.data / "instance"), Postponed(app)
    return calls.Parts(
        send_for=send_for,
        wait=transport.wait,
        vault=vault.Vault(keys),
        alerts=alerts.Sender(app, instance, postponed.write),
        instance=instance,
        in_flight=settings.in_flight,
        postponed=postponed,
        tokens=TokenCache(store=StoredTokens(vault.Vault(keys))),
        places=threading.BoundedSemaphore(max(1, settings.threads - RESERVED_FOR_PAGES)),
        allow_ports=settings.allow_ports,
        base_url=settings.base_url or f"http://{settings.listen}",
    )


def _sending(settings: config.Config, send: Send | None) -> calls.SendFor:
    if send is not None:
        return lambda **_: send
    policy = replace(settings.allow_networks, ports=settings.allow_ports)
    guarded = transport.Transport(policy, ca_file=settings.ca_file or None).send
    return lambda **call: partial(guarded, **call)


def main(arguments: list[str]) -> None:
    """Serve; with `--demo [API PORT]` beside the order API of the demo."""
    if arguments[:1] == ["--demo"]:
        demo.serve(assemble_or_exit, *(int(port) for port in arguments[1:2]))
    else:
        server.serve(assemble_or_exit)
