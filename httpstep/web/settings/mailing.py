"""/settings/mail: whether mail is on, and a test that shows what the mail server says."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue
from limits import RateLimitItemPerMinute
from msgspec import Struct

from httpstep.alerts import alerts, mailserver
from httpstep.storage import users
from httpstep.web.access import access, current_user
from httpstep.web.forms import Form, sent
from httpstep.web.fragments import respond
from httpstep.web.throttle import count_try

blueprint = Blueprint("mailing", __name__, url_prefix="/settings/mail")

_TESTS = RateLimitItemPerMinute(5)


class MailTest(Struct, frozen=True):
    """What came of a test. error: what the server said, or why it said nothing; "" where it took the mail, and took is
    what it said then."""

    address: str
    error: str
    took: str = ""

    @property
    def answered(self) -> bool:
        return mailserver.answered(self.error)


@blueprint.get("")
@access("admin")
def mail() -> ResponseReturnValue:
    return _page(Form({"address": current_user().email}))


def _page(form: Form, test: MailTest | None = None) -> str:
    return render_template("mailing/mail.html", settings=current_app.config["HTTPSTEP"], form=form, test=test)


@blueprint.post("/test")
@access("admin")
def send_test() -> ResponseReturnValue:
    """The whole page, for browsers without JavaScript."""
    form, test = _test()
    return _page(form, test), 422 if test is None else 200


@blueprint.post("/test/result")
@access("admin")
def mail_test() -> ResponseReturnValue:
    """The part of the page with form and result."""
    form, test = _test()
    html = render_template("mailing/_mail_test.html", settings=current_app.config["HTTPSTEP"], form=form, test=test)
    return respond(html, 422 if test is None else 200)


def _test() -> tuple[Form, MailTest | None]:
    form = sent("address")
    form.require("address", users.email_fault(form["address"]))
    if not form.is_good:
        return form, None
    count_try(_TESTS, "mail-test", str(current_user().account_id))
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    text = "This is the test of httpstep's mail settings. Alerts of failed calls will look like it.\n"
    address, heard = form["address"], dict[str, str]()
    wrong = alerts.send(app, [address], "Test mail from httpstep", text, heard=heard)
    return form, MailTest(address, wrong.get(address, ""), heard.get(address, ""))
