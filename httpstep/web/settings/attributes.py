"""/attributes: the names and values a bot knows, where they come from and which steps use them."""

from __future__ import annotations

import time

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from httpstep.core import jsontext
from httpstep.core.document.entrydocuments import MAX_VALUE_CHARACTERS, attribute_name_fault
from httpstep.core.errors import UnreadableAnswer
from httpstep.storage import catalogue
from httpstep.web.access import access, current_user
from httpstep.web.forms import Form, see_other, sent

blueprint = Blueprint("attributes", __name__)


@blueprint.get("/attributes")
@access("viewer")
def listed() -> ResponseReturnValue:
    return _list(Form({"in_bot": "on"}))


def _list(form: Form) -> str:
    search = request.args.get("q", "").strip()
    found = catalogue.entries(current_user().account_id)
    shown = [one for one in found if search.casefold() in one.name.casefold()]
    return render_template("attributes/list.html", entries=shown, total=len(found), search=search, form=form)


@blueprint.post("/attributes")
@access("editor")
def add() -> ResponseReturnValue:
    form, new = _read()
    if new is not None:
        try:
            catalogue.save(current_user().account_id, new)
            return see_other("attributes.listed", f"{{{{{new.name}}}}} was added. Every step can use it now.")
        except catalogue.NameTaken:
            form.require("name", _TAKEN)
    return _list(form), 422


_TAKEN = "There is an attribute of this name already."


@blueprint.get("/attributes/<name>/edit")
@access("viewer")
def edit(name: str) -> ResponseReturnValue:
    one = _entry(name)
    values = {"name": name, "sample": typed(one.sample), "default": typed(one.default)}
    return _edit_page(one, Form(values | ({"in_bot": "on"} if one.in_bot else {})))


def _edit_page(one: catalogue.AttributeEntry, form: Form) -> str:
    return render_template("attributes/edit.html", entry=one, form=form)


@blueprint.post("/attributes/<name>/edit")
@access("editor")
def change(name: str) -> ResponseReturnValue:
    """Save values and, where the name was changed, rename it in every step."""
    one, user = _entry(name), current_user()
    form, new = _read()
    if new is None:
        return _edit_page(one, form), 422
    try:
        changed = catalogue.save(user.account_id, new, old=name, by=user.email, now=time.time())
    except catalogue.NameTaken:
        form.require("name", _TAKEN)
        return _edit_page(one, form), 422
    where = f" It was renamed in {changed} {'step' if changed == 1 else 'steps'}." if new.name != name else ""
    return see_other("attributes.listed", f"{{{{{new.name}}}}} was saved.{where}")


@blueprint.post("/attributes/<name>/delete")
@access("editor")
def delete(name: str) -> ResponseReturnValue:
    if not catalogue.remove(current_user().account_id, name):
        abort(404)
    return see_other("attributes.listed", f"{{{{{name}}}}} was deleted.")


def _entry(name: str) -> catalogue.AttributeEntry:
    one = catalogue.entry(current_user().account_id, name)
    if one is None:
        abort(404)
    return one


def _read() -> tuple[Form, catalogue.AttributeEntry | None]:
    form = sent("name", "sample", "default", "in_bot")
    form.require("name", attribute_name_fault(form["name"]))
    for member in ("sample", "default"):
        if len(form[member]) > MAX_VALUE_CHARACTERS:
            form.require(member, f"At most {MAX_VALUE_CHARACTERS:,} characters.")
    if not form.is_good:
        return form, None
    new = catalogue.AttributeEntry(
        form["name"], read(form["sample"]), read(form["default"]), in_bot=bool(form["in_bot"])
    )
    return form, new


def read(text: str) -> str | None:
    """The JSON text of a value as it was typed: JSON where it reads as JSON, else a text. None: nothing was typed."""
    if not text:
        return None
    try:
        return jsontext.dumps_text(jsontext.loads(text))
    except UnreadableAnswer:
        return jsontext.dumps_text(text)


def typed(stored: str | None) -> str:
    """How somebody would type a stored value: a text without its quotes, unless it would then be read otherwise."""
    if stored is None:
        return ""
    value = jsontext.read_back(stored)
    return value if isinstance(value, str) and value and read(value) == stored else stored
