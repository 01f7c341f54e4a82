"""What `</>` offers: the bot's attributes, what earlier steps give, and the secrets."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from flask import Blueprint, Response, render_template, request

from httpstep.core.answer.transliteration import in_ascii
from httpstep.core.inserting.placeholders import SECRET_PREFIX, is_name
from httpstep.storage.overview import names_for
from httpstep.web import stepform
from httpstep.web.access import access
from httpstep.web.fragments import respond
from httpstep.web.here import account_id

blueprint = Blueprint("picker", __name__)

MAX_SHOWN = 60


@blueprint.get("/attributes/picker")
@access("viewer")
def picker_list() -> Response:
    """The names that contain `q`, in groups, and `q` itself as a new one. step: the id of the step that is edited, whose
    own names are left out; used: names that its form asks for, saved or not; secret: given where the field is for
    a credential, so that secrets come first."""
    names = names_for(account_id(), stepform.whole_number(request.args.get("step", "")))
    here = _not_known(request.args.get("used", "").split(), names.attributes)
    groups = [("From your bot", list(names.bot))]
    groups += [(f"From the step “{step}”", list(found)) for step, found in names.from_steps.items()]
    groups.append((f"Used in this step, {_NOT_KEPT}", here))
    groups.append((f"Used in other steps, {_NOT_KEPT}", _not_known(names.used, here)))
    secrets = ("Secrets", [f"secret.{name}" for name in names.secrets])
    groups.insert(0 if request.args.get("secret") else len(groups), secrets)
    typed = request.args.get("q", "").strip().strip("{}").strip()
    wanted = typed.casefold()
    left, shown = MAX_SHOWN, []
    for title, found in groups:
        fitting = [name for name in found if wanted in name.casefold()][:left]
        left -= len(fitting)
        if fitting:
            shown.append((title, fitting))
    offered = name_of(typed)
    if any(offered in names for _, names in shown):
        offered = ""
    return respond(
        render_template("picker/_picker_list.html", groups=shown, typed=typed, wanted=wanted, offered=offered)
    )


_NOT_KEPT = "not among the attributes yet"


def _not_known(found: Iterable[str], known: Collection[str]) -> list[str]:
    return [name for name in dict.fromkeys(found) if name not in known and name_of(name) == name]


def name_of(typed: str) -> str:
    """What was typed as the name of an attribute: "order number" is order_number; "" where it can be none."""
    name = "_".join(in_ascii(typed).split())
    return name if is_name(name) and not name.startswith(SECRET_PREFIX) else ""
