"""A redirect to another site is said wherever the call is seen: the credentials did not go along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.house import House, document
from tests.transport.conftest import Peer
from tests.web.conftest import Web
from tests.web.screen import new_step

SQLITE_ONLY = "what is said of a call is decided above the database"
Make = Callable[..., House]


def web_near(make_house: Make) -> Web:
    return Web(make_house(ALLOW_NETWORKS="127.0.0.0/8"))


def redirecting(location: str) -> Callable[[Peer], None]:
    def handler(peer: Peer) -> None:
        while peer.read_request():
            peer.answer(b"", "307 Temporary Redirect", f"Location: {location}\r\n")

    return handler


def answering(status: str) -> Callable[[Peer], None]:
    def handler(peer: Peer) -> None:
        while peer.read_request():
            peer.answer(b'{"a": 1}', status)

    return handler


AUTHS: dict[str, Any] = {
    "bearer": {"type": "bearer", "token": "abc"},
    "api_key": {"type": "api_key", "name": "X-Mine", "value": "abc", "in": "header"},
}


@pytest.mark.parametrize("kind", AUTHS)
@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found"])
def test_a_failure_says_that_the_credentials_were_left_behind(
    make_house: Make, serve: Any, kind: str, status: str
) -> None:
    second = serve(answering(status))
    site = second.url("").replace("127.0.0.1", "localhost").rstrip("/")
    first, web = serve(redirecting(f"{site}/end?token=x")), web_near(make_house)
    web.house.put(document(request={"method": "GET", "url": first.url("/orders"), "auth": AUTHS[kind]}))
    said = web.house.execute().json["message"]
    assert f"It redirected to {site}, and your credentials were left behind." in said and status[:3] in said
    assert "?token" not in said
    (log,) = web.house.logs()
    assert log["notes"] == [
        f"The API redirected to {site}, your credentials were left behind; use that address in the URL of the step."
    ]


def test_the_test_panel_shows_each_hop_and_what_to_do(make_house: Make, serve: Any) -> None:
    second = serve(answering("401 Unauthorized"))
    site = second.url("").replace("127.0.0.1", "localhost").rstrip("/")
    first, web = serve(redirecting(f"{site}/end")), web_near(make_house)
    screen = new_step(web.as_("bob"), url=first.url("/orders")).fill(auth_type="bearer", auth_token="abc").press("test")
    assert f"Use that address in the URL of the step: it begins with {site}." in screen.text
    assert f"GET {first.url('/orders')} → 307" in screen.text and f"GET {site}/end → 401" in screen.text


@pytest.mark.parametrize(("location", "auth"), [("/end", "bearer"), ("http://localhost:{port}/end", "none")])
def test_without_credentials_or_to_the_same_site_nothing_is_said_of_them(
    make_house: Make, serve: Any, location: str, auth: str
) -> None:
    second = serve(answering("401 Unauthorized"))

    def handler(peer: Peer) -> None:
        while request := peer.read_request():
            if request.split(b" ")[1] == b"/end":
                peer.answer(b"{}", "401 Unauthorized")
            else:
                peer.answer(b"", "302 Found", f"Location: {location.format(port=second.port)}\r\n")

    first, web = serve(handler), web_near(make_house)
    request = {"method": "GET", "url": first.url("/orders"), "auth": AUTHS.get(auth, {"type": "none"})}
    web.house.put(document(request=request))
    assert "left behind" not in web.house.execute().json["message"]
    (log,) = web.house.logs()
    assert [("localhost" in note) for note in log["notes"]] == ([True] if auth == "none" else [])
