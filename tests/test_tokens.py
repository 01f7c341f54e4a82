"""What is made of a token address's answer."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import pytest

from httpstep.core.authentication import Auth
from httpstep.core.authentication.oauth2_client_credentials import token_request
from httpstep.core.errors import HttpStatusError, TimedOut
from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.execution.tokens import TokenCache
from httpstep.storage.accesstokens import StoredTokens
from httpstep.storage.vault import Vault, new_key
from tests.fakes import ThirdParty, answer
from tests.house import House

SECRET = "s3cr3t-of-the-client"
OAUTH = Auth(
    "oauth2_client_credentials", {"token_url": "https://id.example/", "client_id": "me", "client_secret": SECRET}
)
REQUEST = token_request(OAUTH, {}, secrets={})


def fetched(*said: Any, seconds_later: float = 0) -> int:
    """How many tokens are fetched for two calls that many seconds apart."""
    now = [1000.0]
    cache, third = TokenCache(lambda: now[0]), ThirdParty(*said)
    for _ in range(2):
        assert cache.get("1", REQUEST, 0, third) == "abc"
        now[0] += seconds_later
    return len(third.requests)


@pytest.mark.parametrize(
    "expires_in",
    ["9" * 400, "-" + "9" * 400, '"' + "9" * 400 + '"', '"NaN"', '"-inf"', '"soon"', "[]", "{}", "true", "null"],
)
def test_an_expires_in_that_is_no_figure_counts_as_not_stated(expires_in: str) -> None:
    said = answer(200, text=f'{{"access_token": "abc", "expires_in": {expires_in}}}')
    assert fetched(said, seconds_later=250) == 1
    assert fetched(said, seconds_later=280) == 2


@pytest.mark.parametrize("expires_in", ["-1", "0", '"-5"', "30", "0.5"])
def test_a_token_that_expires_at_once_is_used_once(expires_in: str) -> None:
    assert fetched(answer(200, text=f'{{"access_token": "abc", "expires_in": {expires_in}}}')) == 2


@pytest.mark.parametrize("expires_in", ["3600", '"3600"', "3600.5"])
def test_a_token_is_used_again_until_shortly_before_its_end(expires_in: str) -> None:
    said = answer(200, text=f'{{"access_token": "abc", "expires_in": {expires_in}}}')
    assert (fetched(said, seconds_later=3500), fetched(said, seconds_later=3600)) == (1, 2)


@pytest.mark.parametrize("before", [0, 270, 280, 290, 299])
def test_the_reason_a_token_address_gives_has_no_part_of_a_secret_in_it(before: int) -> None:
    def echo(request: RenderedRequest) -> HttpResponse:
        credential = dict(request.headers)["Authorization"].removeprefix("Basic ")
        said = f"{'.' * before}{base64.b64decode(credential).decode()} {credential} {SECRET}"
        return answer(401, {"error_description": said})

    with pytest.raises(HttpStatusError) as raised:
        TokenCache().get("1", REQUEST, 0, ThirdParty(echo))
    assert "The token address answered 401: " in raised.value.message
    assert SECRET[:3] not in raised.value.message and base64.b64encode(b"me:")[:3].decode() not in raised.value.message


# ---------------------------------------------------------------- dialects of token servers

ODD = OAUTH.having(client_id="my client", client_secret="p@ss/w+rd=~")


def token_server(*, decodes: bool = True, in_body: bool = False, status: int = 200) -> ThirdParty:
    """One that takes the client in one way only."""

    def reply(request: RenderedRequest) -> HttpResponse:
        fields = dict(parse_qsl((request.body or b"").decode()))
        basic = dict(request.headers).get("Authorization", "").removeprefix("Basic ")
        client, _, secret = base64.b64decode(basic).decode().partition(":")
        if decodes:
            client, secret = unquote_plus(client), unquote_plus(secret)
        if in_body:
            client, secret = fields.get("client_id", ""), fields.get("client_secret", "")
        if (client, secret) != (ODD["client_id"], ODD["client_secret"]):
            return answer(401, {"error": "invalid_client"})
        return answer(status, {"access_token": "abc", "expires_in": 3600})

    return ThirdParty(reply)


@pytest.mark.parametrize(
    ("auth", "server", "asked"),
    [
        (ODD, token_server(), 1),
        (ODD, token_server(decodes=False), 2),
        (ODD.having(client_auth="body"), token_server(in_body=True), 1),
        (ODD, token_server(status=201), 1),
        (ODD.having(client_id=" my client\n", client_secret="\u200bp@ss/w+rd=~\r\n"), token_server(), 1),
    ],
)
def test_each_dialect_gives_a_token(auth: Auth, server: ThirdParty, asked: int) -> None:
    assert TokenCache().get("1", token_request(auth, {}, secrets={}), 0, server) == "abc"
    assert len(server.requests) == asked


def test_in_the_body_there_is_no_second_credential_and_nothing_is_tried_twice() -> None:
    request = token_request(ODD.having(client_auth="body"), {}, secrets={})
    assert "Authorization" not in dict(request.headers) and request.otherwise is None
    assert REQUEST.otherwise is None, "it is spelt the same either way"
    server = ThirdParty(answer(401, {"error": "invalid_client"}))
    with pytest.raises(HttpStatusError):
        TokenCache().get("1", token_request(ODD, {}, secrets={}), 0, server)
    assert len(server.requests) == 2


def test_a_server_that_is_down_is_not_asked_twice() -> None:
    server = ThirdParty(answer(503))
    with pytest.raises(HttpStatusError):
        TokenCache().get("1", token_request(ODD, {}, secrets={}), 0, server)
    assert len(server.requests) == 1


def test_further_fields_are_sent_and_take_the_place_of_ours() -> None:
    rows = (("audience", "https://api.example/{{t}}"), ("resource", "a"), ("resource", "b"), ("empty", ""))
    request = token_request(Auth(OAUTH.type, OAUTH.texts, rows), {"t": "x y"}, secrets={})
    assert parse_qsl((request.body or b"").decode()) == [
        ("grant_type", "client_credentials"), ("audience", "https://api.example/x y"), ("resource", "a"), ("resource", "b"),
    ]  # fmt: skip
    other = Auth(OAUTH.type, OAUTH.texts, (("grant_type", "account_credentials"), ("client_assertion_secret", "k")))
    request = token_request(other, {}, secrets={})
    assert parse_qsl((request.body or b"").decode())[0] == ("grant_type", "account_credentials")
    assert "k" in request.secrets


# ---------------------------------------------------------------- one token for all processes

MakeHouse = Callable[..., House]
GOOD = answer(200, {"access_token": "abc", "expires_in": 3600})


def at_once(house: House, caches: list[TokenCache], third: ThirdParty, deadline: float) -> list[str]:
    """What each of the caches gets, all asked at the same time."""
    got: list[str] = []

    def ask(cache: TokenCache) -> None:
        with house.app.app_context():
            try:
                got.append(cache.get("1", REQUEST, deadline, third))
            except (TimedOut, HttpStatusError) as error:
                got.append(type(error).__name__)

    threads = [threading.Thread(target=ask, args=(cache,)) for cache in caches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return got


def test_processes_that_need_a_token_at_once_fetch_one(make_house: MakeHouse) -> None:
    house, vault = make_house(), Vault([new_key()])

    def slowly(_: RenderedRequest) -> HttpResponse:
        time.sleep(0.5)
        return GOOD

    third = ThirdParty(slowly)
    caches = [TokenCache(store=StoredTokens(vault)) for _ in range(6)]
    assert at_once(house, caches, third, time.monotonic() + 30) == ["abc"] * 6
    assert len(third.requests) == 1
    with house.app.app_context():
        assert (
            TokenCache(store=StoredTokens(Vault([new_key()]))).get("1", REQUEST, time.monotonic() + 9, third) == "abc"
        )
    assert len(third.requests) == 2, "what another key sealed is no token"


def test_a_refused_token_is_fetched_again_by_one_and_taken_by_the_others(make_house: MakeHouse) -> None:
    house, vault = make_house(), Vault([new_key()])
    third = ThirdParty(answer(200, {"access_token": "old"}), answer(200, {"access_token": "new"}), answer(500))
    first, second = (TokenCache(store=StoredTokens(vault)) for _ in range(2))
    deadline = time.monotonic() + 30
    with house.app.app_context():
        assert [cache.get("1", REQUEST, deadline, third) for cache in (first, second)] == ["old", "old"]
        assert [cache.get("1", REQUEST, deadline, third, refused="old") for cache in (first, second)] == ["new", "new"]
    assert len(third.requests) == 2


def test_one_that_fails_leaves_the_place_to_the_next(make_house: MakeHouse) -> None:
    house, vault = make_house(), Vault([new_key()])
    third = ThirdParty(answer(500), GOOD)
    caches = [TokenCache(store=StoredTokens(vault)) for _ in range(3)]
    assert sorted(at_once(house, caches, third, time.monotonic() + 30)) == ["HttpStatusError", "abc", "abc"]
    assert len(third.requests) == 2


def test_whoever_waits_for_another_ends_with_its_own_time(make_house: MakeHouse) -> None:
    house, store = make_house(), StoredTokens(Vault([new_key()]))
    with house.app.app_context():
        now = time.time()
        cache = TokenCache(store=store)
        cache.get("1", REQUEST, time.monotonic() + 9, ThirdParty(answer(200, {"access_token": "abc", "expires_in": 0})))
        name = next(iter(cache._kept))
        assert store.claim(1, name, now + 100, now + 200) and not store.claim(1, name, now + 101, now + 300)
        with pytest.raises(TimedOut):
            cache.get("1", REQUEST, time.monotonic() + 0.2, ThirdParty(GOOD))
