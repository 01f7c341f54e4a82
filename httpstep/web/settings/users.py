"""/settings/users: who works in the account, in which role, and the invitations that are out."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue

from httpstep.alerts import alerts
from httpstep.storage import users
from httpstep.web.access import access, current_user
from httpstep.web.forms import Form, see_other, sent
from httpstep.web.here import base_url, parts

blueprint = Blueprint("users", __name__, url_prefix="/settings/users")


@blueprint.get("")
@access("admin")
def listed() -> ResponseReturnValue:
    return _list(Form({"role": "editor"}))


def _list(form: Form, *, link: str = "", link_for: str = "", link_days: int = 7, mailed: str = "") -> str:
    account_id = current_user().account_id
    return render_template(
        "users/list.html", users=users.listed(account_id), invitations=users.invitations(account_id), form=form,
        link=link, link_for=link_for, link_days=link_days, mailed=mailed, mail_on=parts().alerts.on,
    )  # fmt: skip


@blueprint.post("/invite")
@access("admin")
def invite() -> ResponseReturnValue:
    """201 with the page that shows the link, this once; mailed too where mail is on."""
    form = sent("email", "role")
    form.require("email", users.email_fault(form["email"]))
    form.require("role", "" if form["role"] in users.ROLES else "Choose a role.")
    if form.is_good:
        try:
            code = users.invite(current_user().account_id, form["email"], form["role"])
            link = f"{base_url()}/invitation/{code}"
            return _list(
                Form({"role": "editor"}), link=link, link_for=form["email"], mailed=_mail(form["email"], link)
            ), 201
        except users.AddressTaken:
            form.require("email", "There is a user with this address already.")
    return _list(form), 422


def _mail(email: str, link: str) -> str:
    """Mail an invitation where mail is on; a sentence on how that went."""
    if not parts().alerts.on:
        return ""
    who, name = current_user().email, current_user().account.name
    body = (
        f"{who} invites you to the account {name} in httpstep.\n\nChoose a password here, within seven days:\n{link}\n"
    )
    wrong = alerts.send(current_app._get_current_object(), [email], "Invitation to httpstep", body)  # type: ignore[attr-defined]
    return f"The mail could not be sent: {wrong[email]}" if wrong else "It was mailed, too."


@blueprint.post("/invitations/<int:code_id>/withdraw")
@access("admin")
def withdraw(code_id: int) -> ResponseReturnValue:
    if not users.withdraw(current_user().account_id, code_id):
        abort(404)
    return see_other("users.listed", "The invitation was withdrawn; its link no longer works.")


@blueprint.post("/<int:user_id>")
@access("admin")
def change(user_id: int) -> ResponseReturnValue:
    """Role and state of a user of the same account."""
    me, form = current_user(), sent("role", "disabled")
    if user_id == me.id:
        return see_other(
            "users.listed", "You cannot change your own role or disable yourself. Another admin can.", "error"
        )
    role, disabled = (form[name] if name in request.form else None for name in ("role", "disabled"))
    if role not in (*users.ROLES, None):
        abort(400)
    _refuse_for_operator(user_id)
    try:
        user = users.change(me.account_id, user_id, role=role, disabled=None if disabled is None else bool(disabled))
    except users.LastAdmin:
        return see_other("users.listed", "The account needs an admin who can sign in.", "error")
    if user is None:
        abort(404)
    state = f"is now {role}" if disabled is None else "is disabled and signed out" if disabled else "can sign in again"
    return see_other("users.listed", f"{user.email} {state}.")


def _refuse_for_operator(user_id: int) -> None:
    """Who may run the installation is not in the hands of an account's admins: 403."""
    user = users.get(current_user().account_id, user_id)
    if user is not None and user.operator and not current_user().operator:
        abort(403, "This user runs the installation. Only an operator can change that user.")


@blueprint.post("/<int:user_id>/password-link")
@access("admin")
def password_link(user_id: int) -> ResponseReturnValue:
    """201 with the page that shows the link to a new password, this once."""
    account_id = current_user().account_id
    _refuse_for_operator(user_id)
    user = users.get(account_id, user_id)
    code = users.password_link(account_id, user_id) if user is not None else None
    if user is None or code is None:
        abort(404)
    link = f"{base_url()}/new-password/{code}"
    return _list(Form({"role": "editor"}), link=link, link_for=user.email, link_days=1), 201
