"""httpstep below a path of its host, such as /bots/http/: behind a proxy, mounted, and by HTTPSTEP_BASE_URL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.routing import Map
from werkzeug.test import Client, TestResponse

from app import create_app
from httpstep import config
from httpstep.upkeep import installation
from tests.conftest import ABSENT
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.server import ROOT, Server
from tests.services import Absent, Nginx
from tests.web.walking import Answer, Sent, Walker

SQLITE_ONLY = "where a page lies is decided above the database"
PREFIX = "/bots/http"
BOT = "http://bot.example"
PASSWORD = {"password": "correct horse battery", "password_again": "correct horse battery"}
_PROXY = """
daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off; default_type application/json; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port}; absolute_redirect off;
    location /bots/http/ {{
      proxy_pass http://127.0.0.1:{target}/; proxy_set_header X-Forwarded-Prefix /bots/http;
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;
    }}
    location / {{ return 404 'this left the prefix'; }}
  }}
  server {{ listen 127.0.0.2:{port}; location / {{ return 200 '{answer}'; }} }}
}}
"""


def _make_entries(walker: Walker, api: str) -> str:
    """Returns the token of a key."""
    walker.crawl()
    walker.submit("secrets.add", {"name": "token", "secret_value": "s3cr3t", "hosts": api})
    walker.submit("attributes.add", {"name": "order.id", "sample": "42"})
    walker.open(f"{PREFIX}/attributes/order.id/edit")
    walker.submit("attributes.change")
    walker.open(f"{PREFIX}/secrets/token/replace")
    walker.submit("secrets.replace", {"secret_value": "another", "hosts": api})
    found = re.search(r"\bhs_[\w-]{20,}", walker.submit("keys.create", {"name": "bot", "scope": "manage"}).text)
    assert found
    return found[0]


def _use_a_step(walker: Walker, api: str) -> None:
    walker.open(f"{PREFIX}/steps/new")
    typed = {"name": "Order status", "url": f"{api}/orders/{{{{order.id}}}}", "value:order.id": "42"}
    walker.submit("testing.test_result", typed)
    saved = walker.submit("steps.step_form", typed)
    walker.leave()  # the logs of the draft have moved to the step
    page = walker.open(json.loads(saved.header("HX-Trigger"))["step:saved"]["address"])  # which the page takes over
    asks = re.search(r'data-secrets="([^"]+)"', page.text)
    assert asks
    walker.open(asks[1], method="POST", htmx=True)
    walker.submit("secrets.new_secret_made", {"name": "beside", "secret_value": "s3cr3t", "hosts": api})
    walker.submit("keys.for_bot")
    for fragment in ("request_form.test_values", "request_form.bot_lines", "drift.banner"):
        walker.submit(fragment)
    walker.submit("testing.test_result", {"value:order.id": "43"})
    walker.submit("testing.budget")
    walker.submit("step_moves.move", {"op": "preview"})
    walker.submit("steps.submit", {"op": "save"})
    walker.submit("steps.duplicate")
    walker.open(f"{PREFIX}/steps")
    walker.submit("steps.hide_checklist")
    walker.open(f"{PREFIX}/steps")
    walker.submit("steps.chosen", {"op": "export", "step": "1"})
    walker.submit("steps.list_steps", {"q": "order"})
    walker.submit("steps.list_part", {"q": "order"})
    walker.crawl()


def _use_a_flow(walker: Walker) -> None:
    walker.open(f"{PREFIX}/flows/new")
    walker.submit("flows.move", {"op": "add"})
    walker.submit("flows.flow_values", {"step": "1"})
    walker.submit("flows.submit", {"name": "Order flow", "step": "1", "op": "save"})
    walker.submit("flows.flow_result", {"value:order.id": "42"})
    walker.crawl()
    compared = walker.open(f"{PREFIX}/logs/1/compare?with=1").text
    page = re.search(r"/steps/\w+/logs/1", compared)
    assert page
    walker.open(f"{PREFIX}{page[0]}/compare?with=1")


def _settings(walker: Walker) -> None:
    walker.open(f"{PREFIX}/settings/")
    walker.submit("account.rename")
    walker.submit("accounts.create", {"slug": "inn", "name": "Inn", "email": "eva@example.com"})
    walker.open(f"{PREFIX}/settings/accounts")
    walker.submit("accounts.limit")
    walker.submit("accounts.first_admin", {"email": "eva@example.com"})
    walker.submit("mailing.send_test", {"address": "alice@example.com"})
    walker.submit("mailing.mail_test", {"address": "alice@example.com"})
    _restore(walker)
    walker.submit("users.invite", {"email": "bob@example.com", "role": "editor"})
    walker.open(f"{PREFIX}/settings/users")
    walker.submit("users.withdraw")
    made = walker.submit("users.invite", {"email": "bob@example.com", "role": "editor"})
    walker.follow(made, "invitation")


def _restore(walker: Walker) -> None:
    kept = json.loads(walker.open(f"{PREFIX}/settings/backup/account.json").text)
    kept["attributes"].append({"format": "httpstep-attribute/1", "name": "kept.one"})
    walker.open(f"{PREFIX}/settings/backup")
    walker.submit("backup.preview", {"document": json.dumps(kept)})
    walker.submit("backup.restore")


def _people(walker: Walker, browser: Callable[[], Walker]) -> None:
    """Bob accepts his invitation, gets a link for a new password, and Alice looks where she is signed in."""
    walker.submit("signing_in.accept_invitation", PASSWORD)
    _change_to_alice(walker)
    walker.open(f"{PREFIX}/settings/users")
    walker.follow(walker.submit("users.password_link"), "new-password")
    walker.submit("signing_in.set_new_password", PASSWORD)
    for other in (browser(), browser()):
        _sign_in(other)
    _change_to_alice(walker)
    walker.open(f"{PREFIX}/settings/users")
    walker.submit("users.change")
    walker.open(f"{PREFIX}/settings/sessions")
    walker.submit("account.end_session")
    walker.submit("account.end_other_sessions")
    walker.submit("account.change_password", {"current_password": PASSWORD["password"], **PASSWORD})


def _change_to_alice(walker: Walker) -> None:
    walker.submit("signing_in.logout")
    _sign_in(walker)


def _sign_in(walker: Walker) -> None:
    walker.open(f"{PREFIX}/flows")  # which leads to the sign-in page, and that back
    came = walker.submit("signing_in.log_in", {"email": "alice@example.com", "password": PASSWORD["password"]})
    assert "Order flow" in came.text


def _take_away(walker: Walker) -> None:
    for page, endpoint in (
        ("settings/keys", "keys.revoke"), ("attributes/order.id/edit", "attributes.delete"),
        ("secrets", "secrets.delete"), ("flows/1", "flows.delete"), ("steps", "steps.delete"),
        ("settings/accounts", "accounts.delete"),
    ):  # fmt: skip
        walker.open(f"{PREFIX}/{page}")
        if endpoint == "steps.delete":
            walker.submit("steps.switch")
        walker.submit(endpoint, {"slug": "inn"})
        if endpoint == "steps.delete":
            walker.submit("steps.undo")


def _api(walker: Walker, token: str) -> None:
    contract = json.loads(walker.open(f"{PREFIX}/api/v1/openapi.json").text)
    base = urlsplit(contract["servers"][0]["url"]).path
    bearer = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    log = ""
    body = json.dumps({"attributes": {"order.id": 42}})
    made = json.dumps(document("made", url="https://api.example/"))
    for method, path, sent in (
        ("PUT", "steps/made", made), ("GET", "steps", ""), ("GET", "steps/made", ""), ("DELETE", "steps/made", ""),
        ("POST", "steps/order-status/execute", body), ("POST", "flows/order-flow/execute", body),
        *_MANAGED, ("GET", "steps/order-status/drift", ""), ("POST", "steps/order-status/drift/accept", '{"apply": "none"}'),
        ("GET", "steps/order-status/logs", ""), ("GET", "steps/order-status/logs/{log}", ""), ("GET", "audit", ""),
    ):  # fmt: skip
        address = f"{base}/api/v1/{path}".replace("{log}", log)
        log = json.loads(walker.open(address, method=method, form=sent, **bearer).text or "{}").get("log_id") or log


def _use_cases(walker: Walker) -> None:
    found = re.search(r'hx-get="([^"]*/logs/\d+)"', walker.open(f"{PREFIX}/steps/1/logs").text)
    assert found
    walker.open(found[1])
    walker.submit("cases.keep")
    walker.open(f"{PREFIX}/steps/1/cases")
    walker.submit("cases.run")
    walker.submit("cases.change", {"name": "Kept"})
    walker.submit("cases.delete")


_MANAGED = [
    ("GET", "flows", ""), ("PUT", "flows/made", '{"name": "Made", "steps": [{"step": "order-status"}]}'),
    ("GET", "flows/made", ""), ("DELETE", "flows/made", ""), ("GET", "attributes", ""), ("PUT", "attributes/made", "{}"),
    ("GET", "attributes/made", ""), ("DELETE", "attributes/made", ""), ("GET", "secrets", ""),
    ("PUT", "secrets/made", '{"value": "x", "hosts": ["api.example"]}'), ("GET", "secrets/made", ""),
    ("DELETE", "secrets/made", ""),
    ("GET", "keys", ""), ("POST", "keys", '{"name": "made"}'), ("DELETE", "keys/2", ""),
]  # fmt: skip


def walk(browser: Callable[[], Walker], code: str, api: str) -> None:
    """All of it, in the order of a first day. code: for /setup. api: where steps may call."""
    walker = browser()
    walker.open(f"{PREFIX}/")
    walker.submit("signing_in.set_up", {"code": code, "email": "alice@example.com", **PASSWORD})
    token = _make_entries(walker, api)
    _use_a_step(walker, api)
    _use_a_flow(walker)
    _api(walker, token)
    _use_cases(walker)
    _settings(walker)
    _people(walker, browser)
    _take_away(walker)
    assert walker.endpoints - walker.visited == set(), "no page leads there"


def _routes(folder: Path) -> Map:
    return create_app(config.load({"HTTPSTEP_DATA": str(folder)})).url_map


@contextmanager
def _nginx(pytestconfig: pytest.Config, target: int) -> Iterator[Nginx]:
    try:
        proxy = Nginx(_PROXY, target=target, answer=json.dumps(ANSWER, separators=(",", ":")))
    except Absent as absent:
        pytestconfig.stash[ABSENT]["nginx"] = str(absent)
        pytest.skip("nginx is not here; the summary names it")
    try:
        yield proxy
    finally:
        proxy.stop()


ANSWER = {"data": {"id": 4711, "status": "shipped", "lines": [list(range(99))] * 8}}
"""So large that some of its branches are fetched when they are opened."""


def test_nothing_leaves_the_path_it_is_mounted_at(make_house: Callable[..., House]) -> None:
    house = make_house(ThirdParty(answer(200, ANSWER)), SMTP_URL="smtp://127.0.0.1:1", MAIL_FROM="a@example.com")
    mounted = DispatcherMiddleware(Flask("bot"), {PREFIX: house.app})
    with house.app.app_context():
        code = installation.new_setup_code() or ""

    def browser() -> Walker:
        client = Client(mounted)

        def ask(method: str, address: str, sent: Sent, headers: Mapping[str, str]) -> Answer:
            # Buffered: of an answer that is not, werkzeug's client leaves the file open.
            came = client.open(address, method=method, data=sent, headers=headers, base_url=BOT, buffered=True)
            return Answer(came.status_code, list(came.headers), came.text)

        return Walker(ask, house.app.url_map, host=BOT, prefix=PREFIX)

    walk(browser, code, "https://api.example")


def test_nothing_leaves_the_path_that_nginx_serves_it_at(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    mail = {"SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "a@example.com"}
    server = Server(tmp_path / "data", PROXY_HOPS="1", ALLOW_NETWORKS="127.0.0.0/8", **mail)
    with server, _nginx(pytestconfig, server.port) as proxy:
        host, routes = proxy.url(""), _routes(tmp_path / "other")

        def browser() -> Walker:
            session = requests.Session()

            def ask(method: str, address: str, sent: Sent, headers: Mapping[str, str]) -> Answer:
                came = session.request(
                    method, host + address, data=sent, headers=headers, timeout=60, allow_redirects=False
                )
                cookies = [("Set-Cookie", one) for one in came.raw.headers.getlist("Set-Cookie")]
                others = [one for one in came.headers.items() if one[0] != "Set-Cookie"]
                return Answer(came.status_code, others + cookies, came.text)

            return Walker(ask, routes, host=host, prefix=PREFIX)

        found = re.search(r"one-time code (\S+)", server.log.read_text())
        assert found
        walk(browser, found[1], host.replace("127.0.0.1", "127.0.0.2"))


def asked(house: House, path: str, *, script_name: str = "", secure: bool = False, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    base = {"base_url": ("https" if secure else "http") + "://bot.example"}
    return house.app.test_client().get(path, headers=named, environ_overrides={"SCRIPT_NAME": script_name}, **base)


def prefix_of(answer: TestResponse) -> str:
    found = re.search(r'href="([^"]*)/static/icon\.svg\?v=\w+"', answer.text)
    assert found, answer.text
    return found[1]


def test_only_a_trusted_proxy_says_the_prefix(make_house: Callable[..., House]) -> None:
    untrusted, trusted = make_house(), make_house(PROXY_HOPS="1")
    assert prefix_of(asked(untrusted, "/setup", X_Forwarded_Prefix=PREFIX)) == ""
    assert prefix_of(asked(trusted, "/setup", X_Forwarded_Prefix=f"/of-the-caller, {PREFIX}/")) == PREFIX
    assert prefix_of(asked(trusted, "/setup", X_Forwarded_Prefix="/")) == ""
    assert prefix_of(asked(trusted, "/setup", script_name="/steps", X_Forwarded_Prefix="/bots")) == "/bots/steps"


@pytest.mark.parametrize("told", ["//evil.test", "https://evil.test", "/a/../b", "/a b", '/"><b>', "/a//b", "a", "/ä"])
def test_a_prefix_that_is_no_path_is_refused_with_a_sentence(make_house: Callable[..., House], told: str) -> None:
    house = make_house(PROXY_HOPS="1")
    page, api = (asked(house, path, X_Forwarded_Prefix=told) for path in ("/setup", "/api/v1/steps"))
    assert (page.status_code, api.status_code) == (404, 404) and prefix_of(page) == ""
    assert "is no path such as /bots/http." in page.text and "is no path such as" in api.json["detail"]
    assert asked(house, "/health", X_Forwarded_Prefix=told).status_code == 200


def test_the_path_of_the_base_url_is_the_prefix_whether_the_proxy_takes_it_off_or_not(
    make_house: Callable[..., House],
) -> None:
    house = make_house(BASE_URL=f"https://bot.example{PREFIX}/", PROXY_HOPS="1")
    for path in ("/setup", f"{PREFIX}/setup"):
        for headers in ({}, {"X_Forwarded_Prefix": PREFIX}):
            assert prefix_of(asked(house, path, **headers)) == PREFIX
    assert asked(house, f"{PREFIX}/api/v1/openapi.json").json["servers"] == [{"url": f"https://bot.example{PREFIX}"}]
    assert asked(house, "/health").status_code == asked(house, f"{PREFIX}/health").status_code == 200
    assert asked(house, PREFIX).location == f"{PREFIX}/setup"
    assert asked(house, f"{PREFIX}x/setup").status_code == 404


def test_another_prefix_than_that_of_the_base_url_is_refused_with_a_sentence(make_house: Callable[..., House]) -> None:
    below, root = make_house(BASE_URL=f"http://bot.example{PREFIX}"), make_house(BASE_URL="http://bot.example")
    for house, opened in ((below, PREFIX), (root, "/")):
        page = asked(house, "/setup", script_name="/other")
        assert page.status_code == 404 and "below “/other”, but HTTPSTEP_BASE_URL says" in page.text
        assert f"is opened below “{opened}”" in page.text
    assert asked(below, "/setup", script_name=PREFIX).status_code == 200


def test_a_prefix_like_a_page_of_ours_has_to_be_taken_off(make_house: Callable[..., House]) -> None:
    house = make_house(BASE_URL="http://bot.example/steps")
    assert asked(house, "/setup").status_code == 200 and asked(house, "/steps").location == "/steps/login?next=/steps"


def test_cookies_have_the_name_of_their_prefix_and_the_path_that_host_cookies_need(
    make_house: Callable[..., House],
) -> None:
    house = make_house(BASE_URL="https://bot.example/a", PROXY_HOPS="1")
    other = make_house(BASE_URL="https://bot.example", PROXY_HOPS="1")
    [cookie] = asked(house, "/setup", secure=True).headers.getlist("Set-Cookie")
    assert re.match(r"__Host-httpstep_form_[0-9a-f]{12}=\S+; Secure; HttpOnly; Path=/;", cookie), cookie
    [cookie] = asked(other, "/setup", secure=True).headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-httpstep_form=")


def test_the_server_believes_script_name_of_a_trusted_proxy_alone(tmp_path: Path) -> None:
    for hops, path, status in (("0", "/setup", 200), ("1", f"{PREFIX}/setup", 200), ("1", "/setup", 400)):
        with Server(tmp_path / f"{hops}{status}", PROXY_HOPS=hops) as server:
            got = requests.get(f"{server.url}{path}", headers={"SCRIPT_NAME": PREFIX}, timeout=30)
        assert got.status_code == status, got.text
        assert (f'href="{PREFIX}/static/icon.svg?v=' in got.text) == (hops == "1" and status == 200)


def test_no_address_of_ours_is_written_out() -> None:
    """In a page it is `url_for`, in a view too: what is written out has no prefix."""
    pages = [
        *(ROOT / "templates").rglob("*.html"),
        *(ROOT / "static").glob("*.js"),
        *(ROOT / "httpstep/web").rglob("*.py"),
    ]
    written = re.compile(
        r"""(?:(?:href|src|action|hx-\w+)=["']/|redirect\(f?["']/|`/\$?\w|["']/(?:steps|flows)/["'] ~)"""
    )
    found = {f"{page.name}: {line[0]}" for page in pages for line in written.finditer(page.read_text(encoding="utf-8"))}
    assert found == set()
