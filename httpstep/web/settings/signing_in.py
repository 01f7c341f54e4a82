"""/setup, /login, /logout and invitations: how somebody gets in, and out."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from limits import RateLimitItemPerMinute
from werkzeug import Response
from werkzeug.exceptions import TooManyRequests

from httpstep.extensions import limiter
from httpstep.storage import users
from httpstep.storage.keys import digest
from httpstep.upkeep import installation
from httpstep.web.access import access, anyone, local_path, sign_in, sign_out, visitor_or_none
from httpstep.web.forms import Form, sent
from httpstep.web.fragments import asked_by_htmx, respond
from httpstep.web.prefix import address_of
from httpstep.web.throttle import count_try

blueprint = Blueprint("signing_in", __name__)

_PER_PERSON: Final = RateLimitItemPerMinute(5)
_PER_ADDRESS: Final = RateLimitItemPerMinute(60)
"""Sign-ins from one address in all: high enough for an office, low enough that hashing cannot be used to wear us out."""
_WRONG: Final = "E-mail address and password do not match."
_BAD_CODE: Final = (
    "This code is not the one in the log, or it was used already. Each start of httpstep prints a new one: "
    "ask whoever started it."
)


@blueprint.get("/")
@anyone
def home() -> ResponseReturnValue:
    return redirect(url_for("steps.list_steps" if installation.has_users() else "signing_in.setup"), 303)


# ---------------------------------------------------------------- signing in and out


@blueprint.get("/login")
@anyone
def login() -> ResponseReturnValue:
    if visitor_or_none() is not None:
        return redirect(address_of(local_path(request.args.get("next"))), 303)
    if not installation.has_users():
        return redirect(url_for("signing_in.setup"), 303)
    return _login_page(Form())


@blueprint.post("/login")
@anyone
def log_in() -> ResponseReturnValue:
    form = sent("email", "password")
    who = (digest(form["email"].lower()), request.remote_addr or "")
    try:
        count_try(_PER_ADDRESS, "login-address", request.remote_addr or "")
        count_try(_PER_PERSON, "login", *who)
    except TooManyRequests as error:
        return _throttled(form, error)
    user = users.authenticated(form["email"], form["password"])
    if user is None:
        current_app.logger.warning("a sign-in from %s was refused", request.remote_addr)
        form.require("", _WRONG)
        return _login_page(form), 422
    limiter.limiter.clear(_PER_PERSON, "login", *who)
    return _signed_in(user.id, redirect(address_of(local_path(request.args.get("next"))), 303))


def _throttled(form: Form, error: TooManyRequests) -> ResponseReturnValue:
    """429, and the form as it was typed but for the password."""
    wait = error.retry_after if isinstance(error.retry_after, int) else 60
    form.require("", error.description or "")
    return _login_page(form, wait), 429, {"Retry-After": str(wait)}


def _login_page(form: Form, wait: int = 0) -> str:
    return render_template(
        "signing_in/login.html", form=form, next=request.args.get("next", ""), wait=wait,
        ended=request.method == "GET" and "ended" in request.args, unsaved="unsaved" in request.args,
    )  # fmt: skip


def _signed_in(user_id: int, response: Response, notice: str = "") -> Response:
    """The notice is kept in the session, which signing in empties: it comes after."""
    signed_in = sign_in(user_id, response)
    if notice:
        flash(notice, "success")
    return signed_in


@blueprint.post("/logout")
@access("viewer")
def logout() -> ResponseReturnValue:
    response = sign_out(redirect(url_for("signing_in.login"), 303))
    flash("You are signed out.", "info")
    return response


# ---------------------------------------------------------------- the first user


@blueprint.get("/setup")
@anyone
def setup() -> ResponseReturnValue:
    _only_without_users()
    return render_template("signing_in/setup.html", form=Form({"code": request.args.get("code", "")}))


@blueprint.post("/setup")
@anyone
def set_up() -> ResponseReturnValue:
    _only_without_users()
    count_try(_PER_PERSON, "setup", request.remote_addr or "")
    form = sent("code", "email", "password", "password_again")
    form.require("code", "" if form["code"] else "Enter the one-time code that httpstep printed when it started.")
    form.require("email", users.email_fault(form["email"]))
    users.check_new_password(form.require, form["password"], form["password_again"])
    user = users.set_up(form["code"], form["email"], form["password"]) if form.is_good else None
    if user is None:
        form.require("code", "" if form.errors else _BAD_CODE)
        return render_template(f"signing_in/{'_setup_form' if asked_by_htmx() else 'setup'}.html", form=form), 422
    path = url_for("steps.list_steps")
    response = respond(redirect=path) if asked_by_htmx() else redirect(path, 303)
    return _signed_in(user.id, response, "Welcome. This is where your steps will be.")


def _only_without_users() -> None:
    if installation.has_users():
        abort(404)


# ---------------------------------------------------------------- invitations


@blueprint.get("/invitation/<code>")
@anyone
def invitation(code: str) -> ResponseReturnValue:
    found = users.invitation(code)
    if found is None:
        return render_template("signing_in/invitation_gone.html"), 410
    return render_template("signing_in/invitation.html", form=Form(), email=found.email, role=found.role)


@blueprint.post("/invitation/<code>")
@anyone
def accept_invitation(code: str) -> ResponseReturnValue:
    count_try(_PER_ADDRESS, "invitation", request.remote_addr or "")
    found = users.invitation(code)
    if found is None:
        return render_template("signing_in/invitation_gone.html"), 410
    email, role = found.email, found.role
    form = sent("password", "password_again")
    users.check_new_password(form.require, form["password"], form["password_again"])
    if not form.is_good:
        return render_template("signing_in/invitation.html", form=form, email=email, role=role), 422
    try:
        user = users.accept(code, form["password"])
    except users.AddressTaken:
        user = None
    if user is None:
        return render_template("signing_in/invitation_gone.html"), 410
    return _signed_in(user.id, redirect(url_for("steps.list_steps"), 303), "Welcome. You are signed in.")


# ---------------------------------------------------------------- a new password, by a link from an admin


@blueprint.get("/new-password/<code>")
@anyone
def new_password(code: str) -> ResponseReturnValue:
    user = users.reset_asked(code)
    if user is None:
        return render_template("signing_in/link_gone.html"), 410
    return render_template("signing_in/new_password.html", form=Form(), email=user.email)


@blueprint.post("/new-password/<code>")
@anyone
def set_new_password(code: str) -> ResponseReturnValue:
    count_try(_PER_ADDRESS, "new-password", request.remote_addr or "")
    user = users.reset_asked(code)
    if user is None:
        return render_template("signing_in/link_gone.html"), 410
    form, email = sent("password", "password_again"), user.email
    users.check_new_password(form.require, form["password"], form["password_again"])
    if not form.is_good:
        return render_template("signing_in/new_password.html", form=form, email=email), 422
    user_id = users.reset(code, form["password"])
    if user_id is None:
        return render_template("signing_in/link_gone.html"), 410
    notice = "Your password was changed. You are signed in here and nowhere else."
    return _signed_in(user_id, redirect(url_for("steps.list_steps"), 303), notice)
