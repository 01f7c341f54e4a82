"""nginx and Caddy, each as the documents set it up, before a running server: pages, forms, bots, and what callers forge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import requests

from tests.conftest import ABSENT
from tests.faults.visiting import SIGN_IN, Visitor
from tests.server import ROOT, Server
from tests.services import Absent, Caddy, Nginx
from tests.test_operating_commands import blocks

STEP = {"format": "httpstep/1", "name": "Off", "enabled": False, "fallback": "continue"} | {
    "request": {"method": "GET", "url": "https://api.example/"}
}
_NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; {location} }}
}}
"""


class Site(NamedTuple):
    server: Server
    url: str
    verify: str | bool
    token: str


def nginx_at(port: int) -> Nginx:
    """The first block of docs/operating.md for it."""
    block = blocks("nginx")[0]
    assert block.count("127.0.0.1:8080") == 1
    return Nginx(_NGINX, location=block.replace("8080", str(port)))


@pytest.fixture(scope="module", params=["nginx", "Caddy"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("behind")
    with Server(folder / "data", PROXY_HOPS="1", **SIGN_IN) as server:
        try:
            proxy = nginx_at(server.port) if request.param == "nginx" else Caddy(server.port)
        except Absent as absent:
            pytestconfig.stash[ABSENT][request.param] = str(absent)
            pytest.skip(f"{request.param} is not here; the summary names it")
        token = server.command("key", "create", "--name", "bot", "--scope", "manage")
        try:
            if isinstance(proxy, Caddy):
                yield Site(server, proxy.url, str(proxy.authority), token)
            else:
                yield Site(server, proxy.url("").rstrip("/"), True, token)
        finally:
            proxy.stop()


def ask(site: Site, method: str, path: str, **more: object) -> requests.Response:
    headers = {"Authorization": f"Bearer {site.token}"} | dict(more.pop("headers", {}))  # type: ignore[call-overload]
    return requests.request(  # type: ignore[arg-type]
        method, f"{site.url}{path}", headers=headers, verify=site.verify, timeout=60, allow_redirects=False, **more
    )


def test_somebody_signs_in_and_saves_and_a_bot_executes(site: Site) -> None:
    visitor = Visitor(site.server, site.url, site.verify)
    page = visitor.screen("/steps/new").fill(name="Of a page", url="https://api.example/")
    saved = visitor.post("/steps/new", page.data(op="save"))
    assert saved.status_code == 303, saved.text
    assert all(cookie.secure == site.url.startswith("https:") for cookie in visitor.session.cookies)
    assert ask(site, "PUT", "/api/v1/steps/off", json=STEP).status_code in (200, 201)
    for _ in range(3):
        said = ask(site, "POST", "/api/v1/steps/off/execute", json={"attributes": {}}).json()
        assert (said["outcome"], said["next"]) == ("disabled", "continue")


def test_what_a_caller_says_of_prefix_and_host_is_not_believed(site: Site) -> None:
    forged = {"X-Forwarded-Prefix": "/evil", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    page = ask(site, "GET", "/login", headers=forged)
    assert page.status_code == 200 and "evil" not in page.text
    assert "evil" not in ask(site, "GET", "/", headers=forged).headers["Location"]


def test_of_addresses_the_one_that_the_proxy_wrote_counts(site: Site) -> None:
    """Whoever tries to sign in as somebody from ever other addresses is slowed down as one."""
    statuses = []
    for number in range(6):
        page = ask(site, "GET", "/login")
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert token
        answer = ask(
            site, "POST", "/login", data={"csrf_token": token[1], "email": "n@b.example", "password": "x" * 12},
            headers={"X-Forwarded-For": f"203.0.113.{number}", "Origin": site.url}, cookies=page.cookies,
        )  # fmt: skip
        statuses.append(answer.status_code)
    assert statuses == [422] * 5 + [429]


def test_a_body_that_is_too_large_is_a_413(site: Site) -> None:
    answer = ask(site, "POST", "/api/v1/steps/off/execute", json={"attributes": {"a": "x" * 5_000_000}})
    assert answer.status_code == 413
    assert ask(site, "GET", "/health").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api/v1/steps"])
def test_what_the_api_says_comes_whole(site: Site, path: str) -> None:
    direct = requests.get(f"{site.server.url}{path}", headers={"Authorization": f"Bearer {site.token}"}, timeout=60)
    assert ask(site, "GET", path).json().keys() == direct.json().keys()


def test_both_leave_a_call_the_time_that_it_may_take() -> None:
    assert "proxy_read_timeout 75s" in blocks("nginx")[0]
    assert "response_header_timeout 75s" in (ROOT / "packaging/Caddyfile").read_text(encoding="utf-8")
