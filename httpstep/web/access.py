"""Who is signed in, and what they may do. Every view says so in one line: @access("viewer") and so on, or @anyone.

Both check, for methods that change something, the form's CSRF token and which page it comes from, so there is no
third way to write a view.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, Literal, ParamSpec
from urllib.parse import urlsplit

import flask_login
from flask import Flask, Request, current_app, g, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, generate_csrf
from sqlalchemy.exc import SQLAlchemyError
from werkzeug import Response
from werkzeug.exceptions import Forbidden

from httpstep.extensions import csrf
from httpstep.serving.clients import CALLER
from httpstep.storage import sessions
from httpstep.storage.tables import User
from httpstep.storage.users import ROLES
from httpstep.upkeep import audit
from httpstep.web.fragments import asked_by_htmx, respond
from httpstep.web.prefix import address_of, cookie_name, cookies_are_secure, path_of

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]
Role = Literal["viewer", "editor", "admin", "operator"]

HOME: Final = "/steps"
_PRIVATE_FIELDS: Final = frozenset(("password", "password_again", "current_password", "secret_value", "code"))
"""Fields whose content is never written into a page, not even for the one who typed it."""
_MAX_RESENT_BYTES: Final = 200_000
_FOREIGN: Final = (
    "This came from a page at another address than this one, so nothing was changed. If you pressed a button of "
    "httpstep, {} mend it: HTTPSTEP_BASE_URL has to be the address that your browser shows."
)
_EXPIRED: Final = "This page was open too long, so its form could not be checked. Nothing was changed."


class Visitor:
    """What Flask-Login knows a signed-in browser as."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, visit: sessions.Visit) -> None:
        self.visit = visit

    def get_id(self) -> str:
        return str(self.visit.user.id)


def register(app: Flask) -> None:
    manager = flask_login.LoginManager()
    manager.session_protection = None
    manager.request_loader(_load)
    manager.init_app(app, add_context_processor=False)  # ours draws fault pages too
    app.context_processor(lambda: {"visitor": visitor_or_none(), "may": may})


# ---------------------------------------------------------------- who


def current_user() -> User:
    """The signed-in user with the account, both detached from the request's transaction. Views behind @access only."""
    return current_visit().user


def current_visit() -> sessions.Visit:
    visit = _visit()
    if visit is None:
        raise RuntimeError("no user is signed in: the view lacks @access")
    return visit


def visitor_or_none() -> User | None:
    """The signed-in user, if any; also None where the database cannot tell, so that a fault page can be drawn."""
    if g.get("visitor_unknown"):
        return None
    try:
        visit = _visit()
    except SQLAlchemyError:
        return None
    return visit.user if visit else None


def may(role: Role) -> bool:
    """Whether the signed-in user has that role or a higher one. Templates have it too."""
    user = visitor_or_none()
    if user is None:
        return False
    if role == "operator":
        return user.operator
    return user.role in ROLES and ROLES.index(user.role) >= ROLES.index(role)


def _visit() -> sessions.Visit | None:
    found = flask_login.current_user
    try:
        return found.visit if found.is_authenticated else None
    except SQLAlchemyError:
        # Not asked again for each part of the fault's page: a database that stands still takes seconds each time.
        g.visitor_unknown = True
        raise


def _load(asked: Request) -> Visitor | None:
    token = asked.cookies.get(_cookie_name(), "")
    visit = sessions.find(token, time.time()) if token else None
    if visit is None:
        return None
    asked.environ[CALLER] = f"user {visit.user.id}"
    audit.acts(visit.user.email)
    return Visitor(visit)


# ---------------------------------------------------------------- signing in and out


def _cookie_name() -> str:
    return cookie_name("httpstep_session")


def sign_in(user_id: int, response: Response) -> Response:
    """Give this browser a new session; one it had before ends, and so do the tokens of its open forms."""
    before = _visit()
    if before is not None:
        sessions.end(before.id, before.user.id)
    agent = request.headers.get("User-Agent", "")
    token = sessions.begin(user_id, time.time(), user_agent=agent, address=request.remote_addr or "")
    session.clear()
    response.set_cookie(
        _cookie_name(),
        token,
        max_age=sessions.SECONDS,
        path="/",
        secure=cookies_are_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


def sign_out(response: Response) -> Response:
    visit = current_visit()
    sessions.end(visit.id, visit.user.id)
    session.clear()
    response.delete_cookie(_cookie_name(), path="/", secure=cookies_are_secure(), httponly=True, samesite="Lax")
    return response


def local_path(wanted: str | None) -> str:
    """`wanted` if it is a path of this application, else the list of steps: nobody is sent elsewhere by ?next=."""
    text = wanted or ""
    if not text.startswith("/") or text.startswith(("//", "/\\")) or "\\" in text:
        return HOME
    if any(char <= " " or char == "\x7f" for char in text):
        return HOME
    try:
        parts = urlsplit(text)
    except ValueError:
        return HOME
    return HOME if parts.scheme or parts.netloc else text


def _here() -> str:
    """The page this request belongs to, as a path to come back to."""
    if request.method == "GET" and not asked_by_htmx():
        return local_path(request.full_path.rstrip("?"))
    page = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    path = path_of(page.path) + (f"?{page.query}" if page.query else "")
    return local_path(path if page.netloc == request.host else "")


# ---------------------------------------------------------------- the two decorators


def access(role: Role) -> Callable[[View[P]], View[P]]:
    """The view is for users with that role or a higher one; operator: for who runs the installation.

    Signed out: the sign-in page, which leads back (for htmx 401 with HX-Redirect). Role too low: 403.
    A form whose token is not good: 400, and the form can be sent again. One of another site's page: 403.
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if _visit() is None:
                return sign_in_first()
            if not may(role):
                raise Forbidden(_too_low(role))
            return _checked(view, *args, **kwargs)

        return guarded

    return guard


def anyone(view: View[P]) -> View[P]:
    """The view needs no sign-in; its forms are checked all the same."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        return _checked(view, *args, **kwargs)

    return guarded


def sign_in_first() -> Response:
    """The sign-in page. `ended` tells it that there was a session, for this is its cookie, or a request of a page that
    was open in it; and `unsaved` that a form was sent, which nobody took."""
    unsaved = request.method == "POST"
    ended = unsaved or asked_by_htmx() or _cookie_name() in request.cookies
    address = url_for("signing_in.login", next=_here(), ended=1 if ended else None, unsaved=1 if unsaved else None)
    if asked_by_htmx():
        return respond(status=401, redirect=address)
    return redirect(address, 303)


def _too_low(role: Role) -> str:
    if role == "operator":
        return "This page is for the operator of this installation."
    return f"This needs the role {role}; yours is {current_user().role}. An admin of your account can change it."


def _checked(view: Callable[..., ResponseReturnValue], *args: Any, **kwargs: Any) -> ResponseReturnValue:
    try:
        csrf.protect()
    except CSRFError:
        return _form_expired()
    if request.method in current_app.config["WTF_CSRF_METHODS"] and not _comes_from_here():
        raise Forbidden(_FOREIGN.format("you can" if may("operator") else "the operator can"))
    return view(*args, **kwargs)


def _comes_from_here() -> bool:
    """Whether every header that tells the page's address names this host, or the address that people open.

    Over plain http one that is not sent tells nothing: there the scheme is not compared either, since a proxy may speak
    https for us. Over https every browser sends one of them. Flask-WTF's own look at the Referer knows neither case.
    """
    hosts = {request.host.lower(), urlsplit(current_app.config["HTTPSTEP"].base_url).netloc.lower()} - {""}
    told = [page for page in (request.headers.get("Origin"), request.headers.get("Referer")) if page]
    if request.is_secure and not told:
        return False
    return all(_is_page_of(hosts, page) for page in told)


def _is_page_of(hosts: set[str], page: str) -> bool:
    try:
        split = urlsplit(page)
    except ValueError:
        return False
    return split.netloc.lower() in hosts and (split.scheme == "https" or not request.is_secure)


def _form_expired() -> Response:
    """400 with a fresh token. htmx: the page stays as it is and takes the token; a plain form is offered again."""
    g.pop("csrf_token", None)
    token = generate_csrf()
    if asked_by_htmx():
        text = render_template(
            "faults/_fault.html", title="Please try once more", text=f"{_EXPIRED} Press the button again: all is still here.",
            retry_after=None, reference="",
        )  # fmt: skip
        response = respond(text, 400, trigger={"csrf:fresh": {"token": token}})
        response.headers["X-Fault"] = "true"
        return response
    return make_response(form_to_send_again("Please try once more", _EXPIRED), 400)


def form_to_send_again(title: str, text: str, **more: object) -> str:
    """The page of a form that was refused for a reason outside it, with a button that sends it again as it was typed."""
    fields, action = _fields_to_send_again(), address_of(request.full_path.rstrip("?"))
    return render_template("faults/unsent_form.html", title=title, text=text, fields=fields, action=action, **more)


def _fields_to_send_again() -> list[tuple[str, str]] | None:
    """What was typed, for a form of our own pages that holds no password; None: it has to be typed again."""
    told = request.headers.get("Origin") or request.referrer
    if not told or not _comes_from_here() or request.method != "POST":
        return None
    fields = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    private = any(name in _PRIVATE_FIELDS for name, _ in fields)
    too_much = sum(len(name) + len(value) for name, value in fields) > _MAX_RESENT_BYTES
    return None if private or too_much else fields
