"""/settings/accounts, for the operator: accounts and their limits, never their steps."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue
from msgspec import Struct
from sqlalchemy import func, select

from httpstep.core.step.stepkey import is_key
from httpstep.execution.budget import ratelimit
from httpstep.extensions import db
from httpstep.storage import users
from httpstep.storage.database import editing, end_transaction
from httpstep.storage.tables import Account, User
from httpstep.upkeep import accounts
from httpstep.web import stepform
from httpstep.web.access import access, current_user
from httpstep.web.forms import Form, see_other, sent
from httpstep.web.here import base_url, parts

blueprint = Blueprint("accounts", __name__, url_prefix="/settings/accounts")

MAX_PER_MINUTE = 100_000
MAX_IN_FLIGHT = 1000


class AccountLine(Struct, frozen=True):
    """A line of the list. invited: to whom the last link of an account without users went, "" where not known."""

    account: Account
    users: int
    budget: ratelimit.Budget
    invited: str


@blueprint.get("")
@access("operator")
def listed() -> ResponseReturnValue:
    return _list(Form())


def _list(form: Form, **more: Any) -> str:
    """more: link, link_for of a link that is shown this once; limits: a Form and whose it is; invite, removal: likewise."""
    count = select(User.account_id, func.count()).group_by(User.account_id)
    many: dict[int, int] = {row[0]: row[1] for row in db.session.execute(count)}
    found = db.session.scalars(select(Account).order_by(Account.id))
    rows = [
        AccountLine(
            one, many.get(one.id, 0), ratelimit.budget_of(one.id, one.per_minute),
            "" if many.get(one.id) else users.last_invited(one.id),
        )
        for one in found
    ]  # fmt: skip
    values = {"link": "", "link_for": "", "limits": {}, "invite": {}, "removal": {}} | more
    return render_template(
        "accounts/list.html",
        rows=rows,
        form=form,
        own=current_user().account_id,
        usual=ratelimit.PER_MINUTE,
        usual_in_flight=parts().in_flight,
        **values,
    )


@blueprint.post("")
@access("operator")
def create() -> ResponseReturnValue:
    """201 with the page that shows the link for the account's first admin, this once."""
    form = sent("slug", "name", "email")
    form.require("slug", "" if is_key(form["slug"]) else "1 to 63 of a-z, 0-9 and -, beginning with a letter or digit.")
    _require_free_address(form)
    form.require("slug", "There is an account of this name already." if _by_slug(form["slug"]) else "")
    if not form.is_good:
        return _list(form), 422
    with editing():
        made = Account(slug=form["slug"], name=form["name"] or form["slug"], created_at=time.time())
        db.session.add(made)
    return _invited(made.id, form["email"])


def _require_free_address(form: Form) -> None:
    form.require("email", users.email_fault(form["email"]))
    form.require("email", "There is a user with this address already." if users.by_email(form["email"]) else "")


def _invited(account_id: int, email: str) -> ResponseReturnValue:
    link = f"{base_url()}/invitation/{users.invite(account_id, email, 'admin')}"
    return _list(Form(), link=link, link_for=email), 201


def _by_slug(slug: str) -> Account | None:
    return db.session.scalar(select(Account).where(Account.slug == slug))


@blueprint.post("/<int:account_id>/first-admin")
@access("operator")
def first_admin(account_id: int) -> ResponseReturnValue:
    """201 with the page that shows another link, for an account that nobody has come into yet. Earlier ones end."""
    if db.session.get(Account, account_id) is None or users.listed(account_id):
        abort(404)
    form = sent("email")
    _require_free_address(form)
    if not form.is_good:
        return _list(Form(), invite={account_id: form}), 422
    for one in users.invitations(account_id):
        users.withdraw(account_id, one.id)
    return _invited(account_id, form["email"])


@blueprint.post("/<int:account_id>")
@access("operator")
def limit(account_id: int) -> ResponseReturnValue:
    """Calls a minute and calls at once; an empty field means the installation's figure."""
    form = sent("per_minute", "in_flight")
    per_minute = _figure(form, "per_minute", MAX_PER_MINUTE)
    in_flight = _figure(form, "in_flight", MAX_IN_FLIGHT)
    if not form.is_good:
        return _list(Form(), limits={account_id: form}), 422
    with editing():
        account = db.session.get(Account, account_id)
        if account is None:
            abort(404)
        account.per_minute, account.in_flight = per_minute, in_flight
    return see_other("accounts.listed", f"The limits of {account.slug} are in force.")


def _figure(form: Form, name: str, limit: int) -> int | None:
    text = form[name]
    if not text:
        return None
    figure = stepform.whole_number(text)
    if figure is not None and 1 <= figure <= limit:
        return figure
    form.require(name, f"A limit is a whole number from 1 to {limit:,}, or empty for the usual one.")
    return None


@blueprint.post("/<int:account_id>/delete")
@access("operator")
def delete(account_id: int) -> ResponseReturnValue:
    """Delete another account with all it has; its short name, typed, is the confirmation."""
    if account_id == current_user().account_id:
        abort(403, "You are signed in to this account. An operator of another one can delete it.")
    account = db.session.get(Account, account_id)
    if account is None:
        abort(404)
    form, slug = sent("typed"), account.slug
    form.require("typed", "" if form["typed"] == slug else f"Type “{slug}” to delete this account.")
    if form.is_good:
        end_transaction()
        try:
            accounts.remove(account_id)
        except accounts.Needed as error:
            form.require("typed", str(error))
    if not form.is_good:
        return _list(Form(), removal={account_id: form}), 422
    return see_other("accounts.listed", f"The account {slug} was deleted with all it had.")
