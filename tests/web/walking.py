"""Somebody who opens every page and fragment below a prefix and presses every button, as the addresses in them say.

Each answer is looked through; the first address in it that leaves the prefix ends the walk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

Sent = Mapping[str, Any] | str
Ask = Callable[[str, str, Sent, Mapping[str, str]], "Answer"]
"""(method, path and query, form, headers) -> what came, with no redirect followed."""
TYPED = {"value", "placeholder", "aria-label", "title", "data-text", "content", "data-sent-to"}
"""Attributes that hold what people wrote, and no address of ours."""
_UNSET, _IN_TEXT = "\0unset", "\0in the text"
"""Values of a select: before its first option, and of an option whose text is its value."""
SENDING = {"action": "POST", "formaction": "POST", "hx-post": "POST", "hx-get": "GET"}


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    text: str

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass
class Sending:
    """A form, or an element that htmx sends: to where, and the id of the form whose fields go with it."""

    method: str
    address: str
    form: int


@dataclass
class Page(HTMLParser):
    """The addresses of a page, its forms, and their fields as a browser would send them."""

    html: str
    addresses: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    """Those of them that a browser may ask for by itself."""
    sendings: list[Sending] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: dict[int, list[tuple[str, str]]] = {0: []}
        self._ids: dict[str, int] = {}
        self._form = 0
        self._open: list[str] | None = None
        self.feed(self.html)

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in pairs}
        if tag == "form":
            self._form = len(self.forms)
            self.forms[self._form] = []
            if at.get("id"):
                self._ids[at["id"]] = self._form
        self.addresses += [value for name, value in at.items() if value.startswith("/") and name not in TYPED]
        asked = ("href", "src") if tag == "form" else ("href", "src", "hx-get")  # a form is sent with its fields
        self.links += [at[name] for name in asked if at.get(name, "").startswith("/")]
        for name, method in SENDING.items():
            if name in at:
                method = at.get("method", "post").upper() if name == "action" else method
                self.sendings.append(Sending(method, at[name], self._included(at)))
        if tag == "input" and (at.get("type") not in ("checkbox", "radio", "submit") or "checked" in at):
            self._add(at, at.get("value", ""))
        elif tag in ("textarea", "select"):
            self._open = self._add(at, "" if tag == "textarea" else _UNSET)
        elif tag == "option" and self._open is not None and ("selected" in at or self._open[1] == _UNSET):
            self._open[1] = at.get("value", _IN_TEXT)

    def _included(self, at: Mapping[str, str]) -> int:
        named = at.get("hx-include", "").removeprefix("#")
        return self._ids.get(named or at.get("form", ""), self._form)

    def _add(self, at: Mapping[str, str], value: str) -> list[str]:
        one = [at.get("name", ""), value]
        if one[0] and "disabled" not in at:
            self.forms[self._ids.get(at.get("form", ""), self._form)].append(one)  # type: ignore[arg-type]
        return one

    def handle_data(self, data: str) -> None:
        if self._open is not None and self.lasttag == "textarea":
            self._open[1] += data
        elif self._open is not None and self._open[1] == _IN_TEXT:
            self._open[1] = data.strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = 0
        if tag in ("textarea", "select"):
            self._open = None


class Walker:
    def __init__(self, ask: Ask, routes: Map, *, host: str, prefix: str) -> None:
        """routes: of the application. host: scheme and authority that the walker asks."""
        self._ask, self._routes = ask, routes.bind("walker")
        self._host, self._prefix = host, prefix
        self.visited: set[str] = set()
        self.endpoints = {str(rule.endpoint) for rule in routes.iter_rules()}
        self._pages: dict[str, Page] = {}
        self._token = ""

    def open(
        self, address: str, *, method: str = "GET", form: Any = None, htmx: bool = False, **headers: str
    ) -> Answer:
        """Ask, look through the answer, and follow where it leads. address: as it stands in a page."""
        path = self._below(address)
        self.visited.add(self._endpoint(path, method) or "nothing")
        if htmx:
            headers |= {"HX-Request": "true", "X-CSRFToken": self._token}
        headers = {"Referer": f"{self._host}{self._prefix}/", **headers}
        asked = address.partition("#")[0]
        if method == "GET" and form:
            asked, form = f"{asked}?{urlencode(form, doseq=True)}", None
        answer = self._ask(method, asked, form or {}, headers)
        assert answer.status < 400 or answer.status == 422, (method, address, answer.status, answer.text[-900:])
        self._look_through(address, answer, htmx)
        leads = answer.header("Location") or answer.header("HX-Redirect")
        return self.open(urljoin(address, leads)) if leads else answer

    def _below(self, address: str) -> str:
        path = urlsplit(address).path
        assert f"{path}/".startswith(f"{self._prefix}/"), f"{address} leaves {self._prefix}"
        return path.removeprefix(self._prefix) or "/"

    def _endpoint(self, path: str, method: str) -> str | None:
        try:
            return str(self._routes.match(path, method=method)[0])
        except HTTPException:
            return None

    def _look_through(self, address: str, answer: Answer, htmx: bool) -> None:
        for name in ("Location", "HX-Redirect"):
            if leads := answer.header(name):
                self._below(leads.removeprefix(self._host))
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                assert re.match(r"(__Host-)?httpstep_(form|session)_[0-9a-f]{12}=", value) and "Path=/;" in value + ";"
        for found in re.findall(re.escape(self._host) + r"(/[^\s\"'<&]*)", answer.text):
            self._below(found)
        if "html" in answer.header("Content-Type"):
            page = Page(answer.text)
            for one in page.addresses:
                self._below(one)
                assert self._endpoint(self._below(one), "GET") or self._endpoint(self._below(one), "POST"), one
            if not answer.header("Location"):
                self._pages.pop(address, None)
                self._pages[address] = page
            if token := re.search(r'"X-CSRFToken": "([^"]+)"', answer.text):
                self._token = token[1]
        elif "json" in answer.header("Content-Type"):
            told = json.loads(answer.text)
            servers = told.get("servers", []) if isinstance(told, dict) else []
            assert [one["url"] for one in servers] in ([], [self._host + self._prefix])

    def submit(self, endpoint: str, form: Mapping[str, Any] | None = None, *, at: int = -1) -> Answer:
        """Send a form, or what htmx would, whose address belongs to that endpoint: the one of the page seen last."""
        found = [
            (page, one)
            for page in self._pages.values()
            for one in page.sendings
            if self._endpoint(self._below(urlsplit(one.address).path), one.method) == endpoint
        ]
        assert found, f"no page sends anything to {endpoint}"
        page, one = found[at]
        fields: dict[str, Any] = {}
        for name, value in page.forms[one.form]:
            fields.setdefault(name, []).append(value)
        fields = fields | {"csrf_token": self._token} | dict(form or {})
        return self.open(one.address, method=one.method, form=fields, htmx=endpoint in HTMX)

    def crawl(self) -> None:
        """Everything that the pages seen so far lead to."""
        seen: set[str] = set()
        while True:
            asked = {address for page in self._pages.values() for address in page.links} - seen
            if not asked:
                return
            for address in sorted(asked):
                seen.add(address)
                self.open(address)

    def leave(self) -> None:
        """What was seen so far is on the screen no more: what it led to may be gone."""
        self._pages.clear()

    def follow(self, answer: Answer, link: str) -> Answer:
        """The page that a link made for somebody leads to."""
        found = re.search(re.escape(self._host) + rf"(\S*/{link}/[\w-]+)", answer.text)
        assert found, answer.text[-900:]
        page = self.open(found[1])
        self._pages[found[1]].sendings.append(Sending("POST", found[1], 1))
        return page


HTMX = {
    "steps.step_form", "testing.test_result", "testing.budget", "step_moves.move", "request_form.test_values",
    "request_form.bot_lines", "flows.move", "flows.flow_values", "flows.flow_result", "mailing.mail_test", "drift.banner", "cases.keep",
    "secrets.new_secret_made", "keys.for_bot",
}  # fmt: skip
