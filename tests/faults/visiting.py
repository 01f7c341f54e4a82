"""A person before a real server: signed in, and with the editor's form filled in."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import requests

from tests.server import Server
from tests.web.screen import Screen

EMAIL, PASSWORD = "ana@example.com", "correct horse battery"
SIGN_IN = {"ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD}
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Visitor:
    def __init__(self, server: Server, url: str = "", verify: str | bool = True) -> None:
        """url: of a proxy before the server; verify: the file of the authority that it has its certificate from."""
        self.url = url or server.url
        self._verify = verify  # given with each request: of a session the environment's own authorities come first
        self.session = requests.Session()
        self.session.headers["Origin"] = self.url
        form = {"csrf_token": self.token("/login"), "email": EMAIL, "password": PASSWORD}
        assert self.post("/login", form).status_code == 303

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.session.get(
            self.url + path, headers=headers, timeout=60, allow_redirects=False, verify=self._verify
        )

    def post(self, path: str, data: dict[str, Any], **headers: str) -> requests.Response:
        return self.session.post(
            self.url + path, data=data, headers=headers, timeout=60, allow_redirects=False, verify=self._verify
        )

    def token(self, path: str) -> str:
        found = _TOKEN.search(unescape(self.get(path).text))
        assert found, path
        return found[1]

    def fragment(self, path: str, data: dict[str, Any] | None = None) -> requests.Response:
        """What htmx asks for; it sends the form's token in a header too, which the field says as well."""
        headers = {"HX-Request": "true"}
        return self.get(path, **headers) if data is None else self.post(path, data, **headers)

    def screen(self, path: str) -> Screen:
        return Screen(None, self.get(path), path)  # type: ignore[arg-type]  # only read, never pressed

    def make_step(self, url: str) -> str:
        """A saved step that was tested; returns its page."""
        page = self.screen("/steps/new").fill(name="Order status", url=url)
        saved = self.post("/steps/new", page.data(op="save"))
        assert saved.status_code == 303, saved.text
        path = str(saved.headers["Location"])
        assert self.fragment(f"{path}/test", self.screen(path).data()).status_code == 200
        return path
