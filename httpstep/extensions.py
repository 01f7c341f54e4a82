"""The Flask extensions. Each application has its own: they keep its storage, and a process may hold several."""

from __future__ import annotations

import sys
from typing import Any, Final, cast

from flask import Flask, current_app
from flask.globals import _cv_app
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_mail import Mail
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from htmx_flask import Htmx
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase
from werkzeug.local import LocalProxy

LIMITER: Final = "httpstep.limiter"


class Base(DeclarativeBase):
    """Named constraints, so that a migration can address them on SQLite too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
"""The one that all applications of a process share: it has the tables, and an engine for each application."""
limiter = cast(Limiter, LocalProxy(lambda: kept(LIMITER)))
csrf = cast(CSRFProtect, LocalProxy(lambda: current_app.extensions["csrf"]))


def kept(name: str) -> Any:
    """What the application at hand keeps under a name; None where it has no such thing. RuntimeError where there is no
    application, as `current_app` has it, which takes ten times as long: a call asks a dozen times."""
    try:
        return _cv_app.get().app.extensions.get(name)
    except LookupError:
        raise RuntimeError("Working outside of application context.") from None


def bind(app: Flask, migrations: str) -> None:
    """Make those of one application. migrations: their folder."""
    db.init_app(app)
    if (found := sys.modules.get("flask_migrate")) is not None:
        # `flask db …`, by which migrations are written, is loaded before the application. A start goes without it.
        found.Migrate(app, db, directory=migrations, render_as_batch=True)
    app.extensions[LIMITER] = _without_hooks(app, Limiter(get_remote_address, strategy="moving-window"))
    Mail(app)
    Htmx(app)
    CSRFProtect(app)


def _without_hooks(app: Flask, made: Limiter) -> Limiter:
    """No route has a decorator of Flask-Limiter's, what is limited asks it by itself: it need not look for limits before
    each request, which took 5 % of a call. An application that has it already gets no hooks."""
    app.extensions.setdefault("limiter", set()).add(made)
    made.init_app(app)
    return made
