"""/settings/keys: the API keys of an account. A token is shown once, where it is made."""

from __future__ import annotations

import time

from flask import Blueprint, abort, make_response, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from httpstep.core.document.entrydocuments import key_name_fault
from httpstep.extensions import db
from httpstep.storage import keys
from httpstep.storage.database import editing
from httpstep.storage.tables import ApiKey
from httpstep.web.access import access, current_user
from httpstep.web.editor.shellcommand import TOKEN, example
from httpstep.web.forms import Form, see_other, sent
from httpstep.web.fragments import respond, toast
from httpstep.web.here import base_url

blueprint = Blueprint("keys", __name__, url_prefix="/settings/keys")


@blueprint.get("")
@access("admin")
def listed() -> ResponseReturnValue:
    return _list(Form({"scope": "execute"}))


def _list(form: Form, made: ApiKey | None = None, token: str = TOKEN) -> str:
    account_id = current_user().account_id
    query = (
        select(ApiKey).where(ApiKey.account_id == account_id).order_by(ApiKey.revoked_at.is_not(None), ApiKey.id.desc())
    )
    return render_template(
        "keys/list.html", keys=list(db.session.scalars(query)), form=form, made=made, token=token,
        example=example(base_url(), account_id, token),
    )  # fmt: skip


@blueprint.post("")
@access("admin")
def create() -> ResponseReturnValue:
    """201 with the page that shows the token, this once. made_for: the name where the page of a step asks for a key."""
    form = sent("name", "scope", "made_for")
    form.values["name"] = form["name"] or form["made_for"]
    form.require("name", key_name_fault(form["name"]))
    form.require("scope", "" if form["scope"] in keys.SCOPES else "Choose what the key may do.")
    if not form.is_good:
        return _list(form), 422
    with editing():
        made, token = keys.create(current_user().account_id, form["name"], form["scope"], time.time())
    return make_response(_list(Form({"scope": "execute"}), made, token), 201)


@blueprint.post("/for-bot")
@access("admin")
def for_bot() -> ResponseReturnValue:
    """A key that may execute, made where a step says how a bot calls it: 201 with the token, this once. Without scripts
    the same form goes to `create`."""
    name = sent("made_for")["made_for"]
    if key_name_fault(name):
        abort(400)
    with editing():
        made, token = keys.create(current_user().account_id, name, "execute", time.time())
    html = render_template("keys/_bot_key.html", made=made, token=token)
    return respond(html, 201, trigger=toast(f"The key “{made.name}” is ready: copy it now."))


@blueprint.post("/<int:key_id>/revoke")
@access("admin")
def revoke(key_id: int) -> ResponseReturnValue:
    if not keys.revoke(current_user().account_id, key_id, time.time()):
        abort(404)
    return see_other("keys.listed", "The key was revoked. Calls with it are refused from now on.")
