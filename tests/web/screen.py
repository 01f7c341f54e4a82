"""The step editor as a person without JavaScript has it: fields that are filled in, buttons that are pressed."""

from __future__ import annotations

import re
import time
from functools import cached_property
from html.parser import HTMLParser
from typing import Any

from werkzeug.test import TestResponse

from httpstep.core.exchange import Send
from httpstep.core.inserting.secrethosts import Hosts
from httpstep.extensions import db
from httpstep.storage.database import editing
from httpstep.storage.tables import Account
from httpstep.upkeep import installation
from tests.web.conftest import Browser, Web

ORDER = {
    "data": {
        "id": 4711,
        "status": "shipped",
        "customer": {"name": "Ada Lovelace", "email": "ada@shop.example"},
        "items": [{"sku": "A-1"}, {"sku": "B-2"}],
    }
}
CHANGED = {
    "data": {
        "id": "4711",
        "state": "new",
        "buyer": {"name": "Ada Lovelace", "email": "ada@shop.example"},
        "items": [{"sku": "A-1"}],
    }
}
URL = "https://api.example/orders/{{order.id}}"


_BESIDE = re.compile(r"<(?!/?(?:form|template|fieldset|button|input|select|option|textarea)\b)[^<>]*>")
"""Every tag that says nothing of a form: nine of ten in a page, and Python's parser takes as long for each."""


class _Form(HTMLParser):
    """The fields of #step-form in document order, inside it or tied to it, as a browser would send them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.fields: list[tuple[str, str]] = []
        self.buttons: list[dict[str, str]] = []
        self._inside = False
        self._template = 0
        self._disabled = False
        self._select: tuple[str, list[str], list[str]] | None = None
        self._textarea: str | None = None
        self._text = ""
        self._option: str | None = None

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in pairs}
        if tag == "form" and at.get("id") == "step-form":
            self._inside = True
        if tag == "template":
            self._template += 1
        if tag == "fieldset" and "disabled" in at and self._inside:
            self._disabled = True
        mine = (self._inside and at.get("form", "step-form") == "step-form") or at.get("form") == "step-form"
        if not mine or self._template or self._disabled:
            if tag == "option" and self._select is not None:
                self._choose(at)
            return
        if tag == "button":
            self.buttons.append(at)
        elif tag == "input" and at.get("name"):
            if at.get("type") not in ("checkbox", "radio") or "checked" in at:
                self.fields.append((at["name"], at.get("value", "")))
        elif tag == "select":
            self._select = (at["name"], [], [])
        elif tag == "option":
            self._choose(at)
        elif tag == "textarea":
            self._textarea, self._text = at["name"], ""

    def _choose(self, at: dict[str, str]) -> None:
        if self._select is not None:
            self._select[1].append(at.get("value", "\0"))
            if "selected" in at:
                self._select[2].append(at.get("value", "\0"))
            self._option = at.get("value")

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self._text += data
        elif self._select is not None and self._option is None and data.strip():
            for values in self._select[1:]:
                if values and values[-1] == "\0":
                    values[-1] = data.strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "template":
            self._template -= 1
        elif tag == "textarea" and self._textarea is not None:
            self.fields.append((self._textarea, self._text.removeprefix("\n")))
            self._textarea = None
        elif tag == "select" and self._select is not None:
            name, options, chosen = self._select
            if options:
                self.fields.append((name, (chosen or options)[-1 if chosen else 0]))
            self._select = None


class Screen:
    """One page of the editor. `press` sends the form as the button does and shows what comes."""

    def __init__(self, browser: Browser, answer: TestResponse, path: str) -> None:
        self.browser = browser
        self.show(answer, path)

    def show(self, answer: TestResponse, path: str) -> None:
        self.answer = answer
        self.status = answer.status_code
        self.html = answer.text
        self.path = path
        self.__dict__.pop("_form", None)

    @cached_property
    def _form(self) -> _Form:
        """Read when something is typed or pressed: of most pages only the text is looked at."""
        form = _Form()
        form.feed(_BESIDE.sub("", self.html))
        return form

    @property
    def fields(self) -> list[tuple[str, str]]:
        return self._form.fields

    @property
    def buttons(self) -> list[dict[str, str]]:
        return self._form.buttons

    @property
    def text(self) -> str:
        """The page as it is read: no tags, single spaces."""
        parser = _Words()
        parser.feed(self.html)
        return re.sub(r"\s+", " ", " ".join(parser.words))

    def get(self, name: str) -> str:
        return next((value for field, value in self.fields if field == name), "")

    def all(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field == name]

    def fill(self, **values: str) -> Screen:
        """Type into fields; two underscores stand for a colon (value__order = "value:order")."""
        for name, value in values.items():
            self.set(name.replace("__", ":"), value)
        return self

    def set(self, name: str, value: str | None) -> Screen:
        """Type into one field, or (None) leave its box unticked."""
        places = [place for place, (field, _) in enumerate(self.fields) if field == name]
        if places:
            place = places[0]
            self.fields[place : place + 1] = [] if value is None else [(name, value)]
        elif value is not None:
            self.fields.append((name, value))
        return self

    def add(self, name: str, value: str) -> Screen:
        self.fields.append((name, value))
        return self

    def data(self, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in self.fields:
            found.setdefault(name, []).append(value)
        return found | more

    def press(self, op: str) -> Screen:
        """Press a button of the plain form. A redirect is followed."""
        answer = self.browser.client.post(self.path, data=self.data(op=op))
        path = self.path
        if answer.status_code == 303:
            path = str(answer.location)
            answer = self.browser.get(path)
        self.show(answer, path)
        return self

    def fragment(self, what: str, **more: Any) -> TestResponse:
        """What htmx would get: POST to the address below the step's."""
        return self.browser.htmx("POST", f"{self.path}/{what}", data=self.data(**more))

    def move(self, op: str) -> TestResponse:
        """What htmx would get for the button with that value."""
        return self.fragment("move", op=op)

    def rules(self) -> dict[str, str]:
        """attribute -> source, as the rows of the mapping say."""
        ids = self.all("rule")
        return {self.get(f"rule-{one}-attribute"): self.get(f"rule-{one}-source") for one in ids}

    def rule(self, attribute: str) -> str:
        return next(one for one in self.all("rule") if self.get(f"rule-{one}-attribute") == attribute)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._quiet = 0

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self._quiet += tag in ("template", "script", "style", "textarea", "select")

    def handle_endtag(self, tag: str) -> None:
        self._quiet -= tag in ("template", "script", "style", "textarea", "select")

    def handle_data(self, data: str) -> None:
        if not self._quiet:
            self.words.append(data)


def new_step(browser: Browser, *, url: str = URL, name: str = "Order status") -> Screen:
    """The editor of a new step with its name and address typed in."""
    screen = Screen(browser, browser.get("/steps/new"), "/steps/new")
    screen.fill(name=name, url=url)
    return screen.set("value:order.id", "42") if "{{order.id}}" in url else screen


def open_step(browser: Browser, step_id: int = 1) -> Screen:
    path = f"/steps/{step_id}"
    return Screen(browser, browser.get(path), path)


def web_with(make_house: Any, send: Send, **variables: str) -> Web:
    return Web(make_house(send, **variables))


def limit(web: Web, per_minute: int) -> None:
    owner = web.house.account()
    with web.house.app.app_context(), editing():
        found = db.session.get(Account, owner)
        assert found is not None
        found.per_minute = per_minute


def put_secret(web: Web, name: str, value: str, hosts: Hosts = None) -> None:
    owner = web.house.account()
    with web.house.app.app_context(), editing():
        installation.put_secret(
            web.house.app.extensions["httpstep"].vault, owner, name, value, time.time(), hosts=hosts
        )
