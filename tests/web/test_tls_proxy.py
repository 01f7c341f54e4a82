"""httpstep behind nginx with TLS, set up by the very lines of docs/operating.md: at the root of a host, and below a path."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import trustme

from httpstep_client import Client
from tests.conftest import ABSENT
from tests.house import document
from tests.server import ROOT, Server
from tests.services import Absent, Nginx

EMAIL, PASSWORD = "alice@example.com", "correct horse battery"
LINES = re.findall(r"```nginx\n(.+?)```", (ROOT / "docs/operating.md").read_text(), re.DOTALL)
_PROXY = """
daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {pem}; ssl_certificate_key {pem}; {lines} }}
}}
"""


class Host:
    """A host with TLS. prefix: where httpstep is opened on it. authority: the file that a client has to trust."""

    def __init__(self, port: int, prefix: str, authority: Path) -> None:
        self.url, self.prefix, self.authority = f"https://localhost:{port}{prefix}", prefix, authority
        self.session = requests.Session()
        self.session.trust_env = False  # what it says of authorities would come before this one
        self.session.verify = str(authority)

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.url + path, timeout=30, allow_redirects=False)

    def sign_in(self, **headers: str) -> requests.Response:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/login").text)
        assert found
        form = {"email": EMAIL, "password": PASSWORD, "csrf_token": found[1]}
        return self.session.post(f"{self.url}/login", form, headers=headers, timeout=30, allow_redirects=False)


@contextmanager
def proxied(config: pytest.Config, lines: str, target: int, folder: Path) -> Iterator[Host]:
    authority, prefix = trustme.CA(), (re.match(r"location (\S*)/ {", lines) or [""])[1]
    authority.cert_pem.write_to_path(folder / "authority.pem")
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(folder / "host.pem")
    try:
        nginx = Nginx(_PROXY, pem=folder / "host.pem", lines=lines.replace("127.0.0.1:8080", f"127.0.0.1:{target}"))
    except Absent as absent:
        config.stash[ABSENT]["nginx"] = str(absent)
        pytest.skip("nginx is not here; the summary names it")
    try:
        yield Host(nginx.port, prefix, folder / "authority.pem")
    finally:
        nginx.stop()


def test_the_document_has_both_ways() -> None:
    assert [lines.split(" {")[0] for lines in LINES] == ["location /", "location /bots/http/"]


@pytest.mark.parametrize("lines", LINES, ids=["root", "path"])
def test_people_and_bots_get_there_by_tls(tmp_path: Path, pytestconfig: pytest.Config, lines: str) -> None:
    variables = {"ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD, "PROXY_HOPS": "1"}
    with (
        Server(tmp_path / "data", **variables) as server,
        proxied(pytestconfig, lines, server.port, tmp_path) as host,
    ):
        _by_a_person(host)
        step = document("health", url=f"{server.url}/health", mapping=[{"path": ["status"], "attribute": "is"}])
        (tmp_path / "step.json").write_text(json.dumps(step))
        server.command("step", "import", str(tmp_path / "step.json"))
        token = server.command("key", "create", "--name", "bot")
        trusting = ssl.create_default_context(cafile=str(host.authority))
        answer = Client(host.url, token, tls=trusting).execute("health")
        assert (answer.goes_on, dict(answer.attributes)) == (True, {"is": "ok"})
        distrusting = Client(host.url, token).execute("health")
        assert (distrusting.next, distrusting.outcome, distrusting.status) == ("stop", "no_answer", 0)


def _by_a_person(host: Host) -> None:
    """Signs in, and every address that comes back is the host's own."""
    assert host.sign_in().status_code == 403, "over https a form says where it comes from"
    came = host.sign_in(Referer=f"{host.url}/login")
    assert came.status_code == 303 and came.headers["Location"] == f"{host.prefix}/steps"
    cookies = came.raw.headers.getlist("Set-Cookie")
    assert cookies and all(re.match(r"__Host-\w+=[^;]*;.*Secure;.*Path=/(;|$)", one) for one in cookies), cookies
    page = host.get("/steps")
    addresses = re.findall(r'(?:href|src|action|hx-\w+)="(/[^"]*)"', page.text)
    assert page.status_code == 200 and len(addresses) > 10
    assert [one for one in addresses if not one.startswith(f"{host.prefix}/")] == []
    assert host.get("/api/v1/openapi.json").json()["servers"] == [{"url": host.url}]
    assert f"POST {host.url}/api/v1/flows/" in host.get("/docs/api").text
