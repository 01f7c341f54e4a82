"""Two hosts, each with its own data folder, on one PostgreSQL and one Redis: to a bot they are one httpstep."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import requests
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from httpstep.storage.vault import new_key
from tests.mailbox import Inbox, open_inbox
from tests.server import Server
from tests.services import PostgreSQL, Redis

Hosts = tuple[Server, Server, Inbox, str]
"""Both, the mail server of both, and an API key."""


@dataclass
class Pair:
    first: Server
    second: Server
    token: str
    third: HTTPServer

    def put(self, server: Server, key: str, path: str, **members: Any) -> None:
        request = {"method": "POST", "url": self.third.url_for(path)} | members.pop("request", {})
        step = {"format": "httpstep/1", "key": key, "name": key, "request": request} | members
        put = self.ask(server, "PUT", f"/steps/{key}", json=step)
        assert put.status_code in (200, 201), put.text

    def ask(self, server: Server, method: str, path: str, **more: Any) -> requests.Response:
        bearer = {"Authorization": f"Bearer {more.pop('token', self.token)}"} | more.pop("headers", {})
        return requests.request(method, f"{server.url}/api/v1{path}", headers=bearer, timeout=60, **more)

    def calls_of(self, path: str) -> int:
        return [request.path for request, _ in self.third.log].count(path)


@pytest.fixture(scope="module")
def servers(
    postgresql: PostgreSQL | None, redis_server: Redis | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hosts]:
    if postgresql is None or redis_server is None:
        pytest.skip("PostgreSQL or Redis is not here; the summary names it")
    with open_inbox() as inbox:
        shared = {
            "DATABASE_URL": postgresql.new_database(), "RATELIMIT_URL": redis_server.url, "VAULT_KEYS": new_key(),
            "SECRET_KEY": "the same on both hosts, 7431", "SMTP_URL": f"smtp://127.0.0.1:{inbox.port}",
            "MAIL_FROM": "a@b.example", "ADMIN_EMAIL": "ana@example.com", "ADMIN_PASSWORD": "correct horse",
            "WORKERS": "1",
        }  # fmt: skip
        folders = [tmp_path_factory.mktemp("host") / "data" for _ in range(2)]
        with Server(folders[0], **shared) as first, Server(folders[1], **shared) as second:
            first.command("account", "limit", "default", "1000")
            yield first, second, inbox, first.command("key", "create", "--name", "bot", "--scope", "manage")


@pytest.fixture
def pair(servers: Hosts, httpserver: HTTPServer) -> Pair:
    first, second, _, token = servers
    httpserver.expect_request("/a").respond_with_json({"a": 1})
    httpserver.expect_request("/b").respond_with_json({"b": 2})
    httpserver.expect_request("/broken").respond_with_json({}, status=500)
    return Pair(first, second, token, httpserver)


def statuses(answers: list[requests.Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def at_once(*calls: Any) -> list[requests.Response]:
    """What each call answers, all made at the same moment."""
    got: list[requests.Response] = []
    threads = [threading.Thread(target=lambda call=call: got.append(call())) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def test_an_edit_on_one_host_is_in_force_on_the_other_at_once(pair: Pair) -> None:
    pair.put(pair.first, "edited", "/a")
    assert pair.second.execute("edited", {}, pair.token).json()["attributes"] == {"a": 1}
    pair.put(pair.first, "edited", "/b")
    assert pair.second.execute("edited", {}, pair.token).json()["attributes"] == {}
    assert pair.calls_of("/b") == 1
    assert pair.ask(pair.first, "DELETE", "/steps/edited").status_code == 204
    assert pair.second.execute("edited", {}, pair.token).status_code == 404


def test_a_key_revoked_on_one_host_is_refused_by_the_other_at_once(pair: Pair) -> None:
    pair.put(pair.first, "keyed", "/a")
    token = pair.first.command("key", "create", "--name", "short-lived")
    assert pair.second.execute("keyed", {}, token).status_code == 200
    pair.first.command("key", "revoke", "short-lived")
    assert pair.second.execute("keyed", {}, token).status_code == 401


def test_ten_at_once_with_one_key_over_both_hosts_are_one_call(pair: Pair) -> None:
    pair.put(pair.first, "once", "/slow")
    others_refused, got = threading.Event(), list[requests.Response]()

    def slow(_request: Request) -> Response:
        others_refused.wait(30)
        return Response('{"a": 1}', content_type="application/json")

    pair.third.expect_request("/slow").respond_with_handler(slow)
    key = {"Idempotency-Key": "order-42"}
    hosts = (pair.first, pair.second) * 5

    def call(host: Server) -> None:
        got.append(host.execute("once", {}, pair.token, headers=key))
        if len(got) == 9:
            others_refused.set()

    at_once(*(partial(call, host) for host in hosts))
    assert statuses(got) == [200] + [409] * 9
    assert pair.calls_of("/slow") == 1
    replayed = [host.execute("once", {}, pair.token, headers=key) for host in (pair.first, pair.second)]
    assert [answer.headers["Idempotency-Replayed"] for answer in replayed] == ["true", "true"]
    assert pair.calls_of("/slow") == 1


def test_the_calls_in_flight_are_counted_over_both_hosts(pair: Pair) -> None:
    """Ten at once per account: of twelve that wait, two are refused, whichever host they came to."""
    waiting, go = threading.Semaphore(0), threading.Event()

    def wait(_request: Request) -> Response:
        waiting.release()
        go.wait(40)
        return Response("{}", content_type="application/json")

    pair.third.expect_request("/wait").respond_with_handler(wait)
    pair.put(pair.first, "waiting", "/wait", mapping=[])
    got: list[requests.Response] = []
    hosts = (pair.first, pair.second) * 6

    def call(host: Server) -> None:
        got.append(host.execute("waiting", {}, pair.token))
        if len(got) == 2:
            go.set()

    threads = [threading.Thread(target=call, args=(host,)) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses(got) == [200] * 10 + [429] * 2
    assert {answer.json()["title"] for answer in got if answer.status_code == 429} == {"Too Many Calls In Flight"}
    rows = pair.first.logs("waiting", pair.token)
    assert rows == pair.second.logs("waiting", pair.token)
    assert len(rows) == 10


def test_exactly_twenty_logs_remain_of_calls_on_both(pair: Pair) -> None:
    pair.put(pair.first, "logged", "/a")

    def five(host: Server) -> None:
        for _ in range(5):
            host.execute("logged", {}, pair.token)

    threads = [threading.Thread(target=five, args=(host,)) for host in (pair.first, pair.second) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [int(row["id"]) for row in pair.second.logs("logged", pair.token)]
    assert len(ids) == 20 and ids == sorted(ids, reverse=True)


def test_failures_on_both_hosts_are_one_mail(pair: Pair, servers: Hosts) -> None:
    inbox = servers[2]
    pair.put(pair.first, "failing", "/broken", alert_emails=["ops@shop.example"])
    at_once(*(lambda host=host: host.execute("failing", {}, pair.token) for host in (pair.first, pair.second) * 4))
    for _ in range(600):
        if inbox.to:
            break
        threading.Event().wait(0.05)
    threading.Event().wait(0.2)
    assert inbox.to == ["ops@shop.example"]


def test_a_session_of_one_host_is_good_on_the_other_and_ended_on_both(pair: Pair) -> None:
    browser = requests.Session()
    page = browser.get(f"{pair.first.url}/login", timeout=30)
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"csrf_token": token, "email": "ana@example.com", "password": "correct horse"}
    signed_in = browser.post(f"{pair.second.url}/login", data=form, timeout=30, allow_redirects=False)
    assert signed_in.status_code == 303, "a form of one host is good at the other"
    for host in (pair.first, pair.second):
        assert browser.get(f"{host.url}/settings/account", timeout=30, allow_redirects=False).status_code == 200
    pair.first.command("user", "reset-password", "ana@example.com", "--password", "battery staple")
    for host in (pair.first, pair.second):
        assert browser.get(f"{host.url}/settings/account", timeout=30, allow_redirects=False).status_code == 303


def test_a_host_that_starts_leaves_the_others_calls_alone(pair: Pair) -> None:
    arrived, go = threading.Event(), threading.Event()

    def wait(_request: Request) -> Response:
        arrived.set()
        go.wait(40)
        return Response('{"a": 1}', content_type="application/json")

    pair.third.expect_request("/long").respond_with_handler(wait)
    pair.put(pair.first, "long", "/long", mapping=[{"path": ["a"], "attribute": "a"}])
    got: list[requests.Response] = []
    call = threading.Thread(target=lambda: got.append(pair.first.execute("long", {}, pair.token)))
    call.start()
    assert arrived.wait(60)
    pair.second.stop()
    pair.second.start()
    assert [row["state"] for row in pair.second.logs("long", pair.token)] == ["running"]
    go.set()
    call.join()
    assert got[0].json()["attributes"] == {"a": 1}
    assert [row["outcome"] for row in pair.second.logs("long", pair.token)] == ["success"]


def test_the_budget_is_one_for_both(pair: Pair) -> None:
    """Twenty-four at once over two hosts are ten calls."""
    pair.first.command("account", "create", "small")
    token = pair.first.command("key", "create", "--name", "small", "--scope", "manage", "--account", "small")
    small = Pair(pair.first, pair.second, token, pair.third)
    small.put(pair.first, "counted", "/b", mapping=[])
    hosts = (pair.first, pair.second) * 12
    got = at_once(*(lambda host=host: host.execute("counted", {}, token) for host in hosts))
    refused = [answer.json()["title"] for answer in got if answer.status_code == 429]
    while (left := 10 - statuses(got).count(200)) > 0 and "Too Many Calls In Flight" in refused:
        got += [pair.second.execute("counted", {}, token) for _ in range(left)]
    assert statuses(got).count(200) == 10 == pair.calls_of("/b")
    assert [host.execute("counted", {}, token).json()["title"] for host in (pair.first, pair.second)] == [
        "Rate Limit Exceeded"
    ] * 2
    pair.second.command("account", "limit", "small", "11")
    assert [host.execute("counted", {}, token).status_code for host in (pair.first, pair.second)] == [200, 429]


def test_both_hosts_call_with_one_access_token(pair: Pair) -> None:
    def token(_: Request) -> Response:
        return Response('{"access_token": "abc", "expires_in": "3600"}', 201, content_type="application/json")

    pair.third.expect_request("/token").respond_with_handler(token)
    pair.third.expect_request("/with-token", headers={"Authorization": "Bearer abc"}).respond_with_json({"a": 1})
    auth = {
        "type": "oauth2_client_credentials",
        "token_url": pair.third.url_for("/token"),
        "client_id": "me",
        "client_secret": "s",
    }
    pair.put(pair.first, "with-token", "/with-token", request={"auth": auth})
    for server in (pair.first, pair.second, pair.first):
        answer = server.execute("with-token", {}, pair.token)
        assert answer.json()["outcome"] == "success", answer.text
    assert pair.calls_of("/token") == 1
