"""/settings/account, /settings/sessions and the password: what somebody has and where they are signed in."""

from __future__ import annotations

import time

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from limits import RateLimitItemPerMinute
from werkzeug.security import check_password_hash

from httpstep.execution.budget import ratelimit
from httpstep.extensions import db
from httpstep.storage import logs, sessions, users
from httpstep.storage.database import editing
from httpstep.storage.tables import Account
from httpstep.web.access import access, current_user, current_visit
from httpstep.web.forms import Form, see_other, sent
from httpstep.web.here import account_id, parts
from httpstep.web.throttle import count_try

blueprint = Blueprint("account", __name__, url_prefix="/settings")

_TRIES = RateLimitItemPerMinute(5)
MAX_NAME_CHARACTERS = 100


@blueprint.get("/")
@access("viewer")
def settings() -> ResponseReturnValue:
    return redirect(url_for("account.account"), 303)


@blueprint.get("/account")
@access("viewer")
def account() -> ResponseReturnValue:
    return _account_page(Form({"name": current_user().account.name}))


def _account_page(form: Form) -> str:
    mine = current_user().account
    return render_template(
        "account/account.html", form=form, account=mine, budget=ratelimit.budget_of(mine.id, mine.per_minute),
        running=logs.running(mine.id, time.time()), most_running=mine.in_flight or parts().in_flight,
    )  # fmt: skip


@blueprint.post("/account")
@access("admin")
def rename() -> ResponseReturnValue:
    form = sent("name")
    form.require("name", "" if form["name"] else "Give the account a name.")
    form.require(
        "name", "" if len(form["name"]) <= MAX_NAME_CHARACTERS else f"At most {MAX_NAME_CHARACTERS} characters."
    )
    if not form.is_good:
        return _account_page(form), 422
    with editing():
        db.session.get_one(Account, account_id()).name = " ".join(form["name"].split())
    return see_other("account.account", "The account has its new name.")


# ---------------------------------------------------------------- sessions and password


@blueprint.get("/sessions")
@access("viewer")
def own_sessions() -> ResponseReturnValue:
    return _sessions_page(Form())


def _sessions_page(form: Form) -> str:
    visit = current_visit()
    found = sessions.listed(visit.user.id, time.time())
    return render_template("account/sessions.html", sessions=found, current=visit.id, form=form)


@blueprint.post("/sessions/<int:session_id>/end")
@access("viewer")
def end_session(session_id: int) -> ResponseReturnValue:
    if not sessions.end(session_id, current_user().id):
        abort(404)
    return see_other("account.own_sessions", "That browser is signed out.")


@blueprint.post("/sessions/end-others")
@access("viewer")
def end_other_sessions() -> ResponseReturnValue:
    visit = current_visit()
    ended = sessions.end_all(visit.user.id, but=visit.id)
    others = "No other browser was" if not ended else "One other browser was" if ended == 1 else f"{ended} others were"
    return see_other("account.own_sessions", f"{others} signed out.")


@blueprint.post("/password")
@access("viewer")
def change_password() -> ResponseReturnValue:
    """A new password for oneself; every other browser is signed out."""
    visit = current_visit()
    count_try(_TRIES, "password", str(visit.user.id))
    form = sent("current_password", "password", "password_again")
    if not check_password_hash(visit.user.password_hash, form["current_password"][: users.MAX_PASSWORD_CHARACTERS]):
        form.require("current_password", "This is not your password.")
    users.check_new_password(form.require, form["password"], form["password_again"])
    if not form.is_good:
        return _sessions_page(form), 422
    users.set_password(visit.user.id, form["password"], keep_session=visit.id)
    return see_other("account.own_sessions", "Your password was changed, and every other browser was signed out.")


@blueprint.app_template_filter("described")
def described(user_agent: str) -> str:
    """ "Firefox on Linux" out of a User-Agent, or what it says where it says neither."""
    browsers = (
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    )
    systems = (
        ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    )  # fmt: skip
    browser = next((name for mark, name in browsers if mark in user_agent), "")
    system = next((name for mark, name in systems if mark in user_agent), "")
    return " on ".join(part for part in (browser, system) if part) or user_agent[:60] or "Unknown browser"
