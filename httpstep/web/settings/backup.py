"""/settings/backup: an account as a file, and back again with a preview. Nothing is changed before it is confirmed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from msgspec import Struct

from httpstep.config import Config
from httpstep.core import jsontext
from httpstep.core.document import documents
from httpstep.core.document.documents import Document, Named, SecretNote, Unusable
from httpstep.core.document.planning import Plan
from httpstep.core.errors import UnreadableAnswer
from httpstep.storage.database import end_transaction
from httpstep.upkeep import applying, nightly
from httpstep.web.access import access, current_user, may
from httpstep.web.forms import Form, see_other
from httpstep.web.here import account_id

blueprint = Blueprint("backup", __name__, url_prefix="/settings/backup")

MAX_BYTES: Final = 2_500_000
"""Of a file: it goes to the browser and back with the preview, since no host keeps it meanwhile, and a form has 3 MB."""
_MAX_SENTENCES: Final = 20
_TOO_LARGE: Final = "The file has more than 2.5 MB. The command “httpstep import FILE --plan” takes up to 64 MB."
_NOTHING: Final = "Choose the file of a backup: what “Download” on this page gave."


class Missing(Struct, frozen=True):
    """A secret that has to be set again. hosts: where the backup says it could be sent; steps: their keys."""

    name: str
    hosts: str
    steps: str


class Preview(Struct, frozen=True):
    """What a restore would do. document: the backup's text, which comes back with the confirmation.

    seen: of the account that the plan was made for (`applying.digest`). is_late: the last preview was overtaken.
    """

    plan: Plan
    document: str
    delete: bool
    seen: str
    missing: list[Missing]
    is_late: bool = False


class Nights(Struct, frozen=True):
    """The nightly backups of the whole installation, for its operator: what is there, never what is in it."""

    settings: Config
    kept: tuple[nightly.Kept, ...]
    failure: nightly.Failure | None
    elsewhere: float | None
    """When another host made one that is newer."""

    @property
    def is_sqlite(self) -> bool:
        return self.settings.database_url.startswith("sqlite")


@blueprint.get("")
@access("admin")
def page() -> ResponseReturnValue:
    return _page()


def _page(preview: Preview | None = None, sentences: tuple[str, ...] = (), *, delete: bool = False) -> str:
    shown = [*sentences[:_MAX_SENTENCES]]
    if more := len(sentences) - len(shown):
        shown.append(f"And {more:,} more.")
    form = Form({"delete": "yes" if delete else ""})
    nights = _nights() if may("operator") else None
    return render_template("backup/backup.html", preview=preview, sentences=shown, form=form, nights=nights)


def _nights() -> Nights:
    settings = current_app.config["HTTPSTEP"]
    return Nights(
        settings, tuple(nightly.kept(settings)), nightly.unmended(current_app), nightly.made_elsewhere(current_app)
    )


@blueprint.get("/account.json")
@access("admin")
def download() -> Response:
    """The export of the account, which has no value of a secret."""
    owner = current_user().account
    found = documents.write_account(owner.slug, owner.name, *applying.exported(owner.id))
    name = f"httpstep-{owner.slug}-{time.strftime('%Y%m%d', time.gmtime())}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(jsontext.pretty(found) + "\n", 200, headers, content_type="application/json")


@blueprint.post("/preview")
@access("admin")
def preview() -> ResponseReturnValue:
    """The page with what a restore would do. 422 with sentences where the file is none."""
    delete = bool(request.form.get("delete"))
    try:
        name, text = _sent_file()
        wanted, notes = _read(name, text)
        return _page(_preview(wanted, notes, text, delete=delete))
    except Unusable as error:
        return _page(sentences=error.sentences, delete=delete), 422


@blueprint.post("/restore")
@access("admin")
def restore() -> ResponseReturnValue:
    """Do what the preview said, all of it or nothing. 409 with a new preview where the account was changed since."""
    delete, text = bool(request.form.get("delete")), request.form.get("document", "")
    try:
        wanted, notes = _read("The backup", text)
        plan = applying.plan(account_id(), wanted, delete=delete)
        applying.restore(
            account_id(), wanted, plan, delete=delete, seen=request.form.get("seen", ""), by=current_user().email,
            now=time.time(),
        )  # fmt: skip
    except Unusable as error:
        return _page(sentences=error.sentences, delete=delete), 422
    except applying.Overtaken:
        return _page(_preview(wanted, notes, text, delete=delete, is_late=True)), 409
    return see_other(
        "backup.page", f"Restored: {applying.told(plan)}." if plan.changes else "There was nothing to restore."
    )


def _sent_file() -> tuple[str, str]:
    """Its name and its text: of the file, or of the field `document` where no file is sent. Raises Unusable."""
    file = request.files.get("file")
    if file is None or not file.filename:
        if text := request.form.get("document", ""):
            return "The backup", text
        raise Unusable([_NOTHING])
    data = file.stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Unusable([_TOO_LARGE])
    try:
        return file.filename, jsontext.dumps_text(jsontext.loads(data))
    except UnreadableAnswer as error:
        raise Unusable([f"{file.filename}: {error.message}"]) from None


def _read(name: str, text: str) -> tuple[dict[Named, Document], list[SecretNote]]:
    """Raises Unusable."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise Unusable([_TOO_LARGE])
    try:
        return documents.read_account(name, jsontext.loads(text))
    except UnreadableAnswer as error:
        raise Unusable([f"{name}: {error.message}"]) from None


def _preview(
    wanted: Mapping[Named, Document], notes: list[SecretNote], text: str, *, delete: bool, is_late: bool = False
) -> Preview:
    """Raises Unusable."""
    mine = account_id()
    seen = applying.digest(mine)  # before the plan: an edit in between then shows in the confirmation
    plan = applying.plan(mine, wanted, delete=delete)
    missing = _missing(applying.missing_secrets(mine, wanted), notes)
    end_transaction()
    return Preview(plan, text, delete, seen, missing, is_late)


def _missing(needed: Mapping[str, list[str]], notes: list[SecretNote]) -> list[Missing]:
    """Of the backup's secrets and those its steps need, the ones that the account does not have."""
    there = {one.name for one in applying.secret_notes(account_id())}
    hosts = {one.name: ", ".join(one.hosts or ()) for one in notes if one.name not in there}
    return [Missing(name, hosts.get(name, ""), ", ".join(needed.get(name, ()))) for name in sorted({*needed, *hosts})]
