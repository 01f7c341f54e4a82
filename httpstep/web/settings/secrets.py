"""/secrets: values that steps use and nobody sees again. They can be added, replaced and deleted, never read.

Where a secret may be sent is asked for with its value and changed only with it: nobody who does not know a value can
send it elsewhere.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Collection, Mapping, Sequence
from itertools import chain, count

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from httpstep.core.document.entrydocuments import secret_bytes, secret_name_fault, secret_value_fault
from httpstep.core.importing.credentials import Names
from httpstep.core.inserting import secrethosts
from httpstep.core.inserting.placeholders import SECRET_PREFIX
from httpstep.core.step.naming import in_lists
from httpstep.storage import catalogue, users
from httpstep.storage.tables import Secret
from httpstep.storage.vault import secret_place
from httpstep.web.access import access, current_user, may
from httpstep.web.forms import Form, see_other, sent
from httpstep.web.fragments import open_modal, respond, toast
from httpstep.web.here import parts, secret_value

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
    if (name := _added(form)) is not None:
        return see_other("secrets.listed", f"{{{{secret.{name}}}}} was stored. It is not shown again.")
    form.require("secret_value", "Enter the value again: what was typed is never written into a page.")
    return _list(form), 422


def _added(form: Form) -> str | None:
    """The name of the secret that was stored, without `secret.`; None where something is wrong, and noted."""
    name = form.values["name"] = form["name"].removeprefix(SECRET_PREFIX)
    form.require("name", secret_name_fault(name))
    value, hosts = _value(form), _hosts(form)
    if not form.is_good:
        return None
    try:
        _put(name, value, hosts, new=True)
    except catalogue.NameTaken:
        form.require("name", "There is a secret of this name already. Replace its value under Secrets.")
        return None
    return name


@blueprint.post("/secrets/dialog")
@access("editor")
def new_secret() -> Response:
    """The dialog of the step editor in which an admin makes a secret, and whoever is none learns whom to ask. The
    addresses of the form that are written out are where it may be sent; into: a field takes what is kept already, too.
    secret_value: what is typed there. Whether it is kept is told to admins alone: it is no place to guess values."""
    typed = [request.form.get(name, "") for name in ("url", "auth_token_url")]
    origins = dict.fromkeys(filter(None, map(secrethosts.literal_origin, filter(None, typed))))
    kept = catalogue.stored_secrets(current_user().account_id)
    name = _free(_suggested(request.form.get("name", "")[:100], typed[0]), kept)
    form = Form({"name": name, "hosts": "\n".join(origins)})
    offered = _offered(kept)
    same = _same(kept) if offered and may("admin") else ""
    return respond(_dialog(form, offered, same), trigger=open_modal())


def _offered(kept: Collection[str]) -> list[str]:
    """The names that may go into the field instead, [] where no field asks."""
    return sorted(kept, key=in_lists) if request.form.get("into") else []


def _suggested(name: str, url: str) -> str:
    """Of a field's key or token: after the host, so that it is recognised later. A name that a step asks for is as it is."""
    return Names(url).next(name) if name and request.form.get("into") else name


def _free(name: str, taken: Collection[str]) -> str:
    """That name, or with a number where a secret has it."""
    return next(one for one in chain([name], (f"{name}_{number}" for number in count(2))) if one not in taken)


def _same(kept: Mapping[str, Secret]) -> str:
    """The secret that has the typed value, "" where none has."""
    typed = secret_bytes(request.form.get("secret_value", ""))
    if not typed:
        return ""
    values = ((name, secret_value(name, one.token).encode()) for name, one in kept.items())
    return next((name for name, value in values if hmac.compare_digest(value, typed)), "")


@blueprint.post("/secrets/dialog/made")
@access("admin")
def new_secret_made() -> Response:
    """Make it. 422: the dialog's form with what is wrong; its value stays in the browser and is never sent back."""
    form = sent("name", "hosts")
    if _added(form) is None:
        return respond(_dialog(form, _offered(catalogue.stored_secrets(current_user().account_id))), 422)
    said = f"Stored as {{{{secret.{form['name']}}}}}. Its value is not shown again."
    return respond(trigger={"secret:made": {"name": form["name"]}, **toast(said)}, stays=True)


def _dialog(form: Form, offered: Sequence[str] = (), same: str = "") -> str:
    able = (one for one in users.listed(current_user().account_id) if one.role == "admin" and one.disabled_at is None)
    admins = [] if may("admin") else [one.email for one in able]
    return render_template("secrets/_new_secret.html", form=form, admins=admins, offered=offered, same=same)


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
