"""What is made of a token address's answer."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from httpstep.core.authentication import Auth
from httpstep.core.authentication.oauth2_client_credentials import token_request
from httpstep.core.errors import HttpStatusError
from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.execution.tokens import TokenCache
from tests.fakes import ThirdParty, answer

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
