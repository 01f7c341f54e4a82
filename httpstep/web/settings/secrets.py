"""/secrets: values that steps use and nobody sees again. They can be added, replaced and deleted, never read.

Where a secret may be sent is asked for with its value and changed only with it: nobody who does not know a value can
send it elsewhere.
"""

from __future__ import annotations

import time

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from httpstep.core.document.entrydocuments import secret_bytes, secret_name_fault, secret_value_fault
from httpstep.core.inserting import secrethosts
from httpstep.core.inserting.placeholders import SECRET_PREFIX
from httpstep.storage import catalogue
from httpstep.storage.vault import secret_place
from httpstep.web.access import access, current_user
from httpstep.web.forms import Form, see_other, sent
from httpstep.web.here import parts

blueprint = Blueprint("secrets", __name__)


@blueprint.get("/secrets")
@access("viewer")
def listed() -> ResponseReturnValue:
    return _list(Form())


def _list(form: Form) -> str:
    return render_template("secrets/list.html", secrets=catalogue.secrets(current_user().account_id), form=form)


@blueprint.post("/secrets")
@access("admin")
def add() -> ResponseReturnValue:
    form = sent("name", "hosts")
    name = form["name"].removeprefix(SECRET_PREFIX)
    form.require("name", secret_name_fault(name))
    value, hosts = _value(form), _hosts(form)
    if form.is_good:
        try:
            _put(name, value, hosts, new=True)
            return see_other("secrets.listed", f"{{{{secret.{name}}}}} was stored. It is not shown again.")
        except catalogue.NameTaken:
            form.require("name", "There is a secret of this name already. Replace its value in the list.")
    form.require("secret_value", "Enter the value again: what was typed is never written into a page.")
    return _list(form), 422


@blueprint.get("/secrets/<name>/replace")
@access("admin")
def replace_form(name: str) -> ResponseReturnValue:
    secret = _secret(name)
    return render_template("secrets/replace.html", secret=secret, form=Form({"hosts": "\n".join(secret.hosts or ())}))


@blueprint.post("/secrets/<name>/replace")
@access("admin")
def replace(name: str) -> ResponseReturnValue:
    secret, form = _secret(name), sent("hosts")
    value, hosts = _value(form), _hosts(form)
    if not form.is_good:
        form.require("secret_value", "Enter the value again: what was typed is never written into a page.")
        return render_template("secrets/replace.html", secret=secret, form=form), 422
    try:
        _put(name, value, hosts, new=False)
    except LookupError:
        abort(404)
    return see_other("secrets.listed", f"{{{{secret.{name}}}}} has its new value, from the next call on.")


@blueprint.post("/secrets/<name>/delete")
@access("admin")
def delete(name: str) -> ResponseReturnValue:
    if not catalogue.remove_secret(current_user().account_id, name):
        abort(404)
    return see_other("secrets.listed", f"{{{{secret.{name}}}}} was deleted.")


def _secret(name: str) -> catalogue.SecretEntry:
    found = next((one for one in catalogue.secrets(current_user().account_id) if one.name == name), None)
    if found is None:
        abort(404)
    return found


def _put(name: str, value: bytes, hosts: tuple[str, ...], *, new: bool) -> None:
    token = parts().vault.encrypt(value, secret_place(current_user().account.slug, name))
    catalogue.put_secret(current_user().account_id, name, token, hosts=hosts, now=time.time(), new=new)


def _hosts(form: Form) -> tuple[str, ...]:
    hosts, fault = secrethosts.read_hosts(form["hosts"])
    form.require("hosts", fault)
    return hosts


def _value(form: Form) -> bytes:
    value = secret_bytes(request.form.get("secret_value", ""))
    form.require("secret_value", secret_value_fault(value))
    return value
