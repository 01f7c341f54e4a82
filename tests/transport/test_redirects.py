"""Redirects are followed by hand: each hop judged like a first call, little carried along, bodies never read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from httpstep.core.addresses import AddressPolicy
from httpstep.core.errors import Blocked, NetworkError
from httpstep.core.exchange import HttpResponse
from httpstep.transport import Transport

CallIt = Callable[..., HttpResponse]
SECRETS = (
    ("Authorization", "Bearer s3cret"),
    ("Cookie", "session=s3cret"),
    ("X-Api-Key", "s3cret"),
    ("Proxy-Authorization", "s3cret"),
    ("Content-Type", "application/json"),
    ("Accept", "application/json"),
    ("User-Agent", "my bot"),
    ("Accept-Encoding", "identity"),
)


def redirecting(location: str, status: str = "302 Found", body: bytes = b"") -> Callable[[Any], None]:
    """Redirects every path but /end, which answers."""

    def handler(peer: Any) -> None:
        while request := peer.read_request():
            if request.split(b" ")[1].startswith(b"/end"):
                peer.answer(b"arrived")
            else:
                peer.answer(body, status, f"Location: {location}\r\n")

    return handler


def header_names(request: bytes) -> set[str]:
    return {line.split(":")[0].lower() for line in request.decode().split("\r\n")[1:] if ":" in line}


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_followed_and_traced(call: CallIt, serve: Any, status: str) -> None:
    server = serve(redirecting("/end?a=1#fragment", status))
    answer = call(server.url("/start"))
    assert answer.body == b"arrived"
    assert answer.url == server.url("/end?a=1")
    assert [(hop.url, hop.status, hop.location) for hop in answer.trace.hops] == [
        (server.url("/start"), int(status[:3]), "/end?a=1#fragment"),
        (server.url("/end?a=1"), 200, ""),
    ]


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("end", "/a/end"),
        ("../end", "/end"),
        ("?end", "/a/start?end"),
        ("/end/é b", "/end/%C3%A9%20b"),
        ("/end?x=%2F|y", "/end?x=%2F|y"),
        ("//{authority}/end", "/end"),
        ("HTTP://{authority}/end", "/end"),
        ("http://{authority}?end", "/?end"),
    ],
)
def test_a_location_is_resolved_against_the_url(call: CallIt, serve: Any, location: str, path: str) -> None:
    def handler(peer: Any) -> None:
        while request := peer.read_request():
            if request.split(b" ")[1] == path.encode():
                peer.answer(b"arrived")
            else:
                authority = f"127.0.0.1:{peer.server.port}"
                line = f"Location: {location.format(authority=authority)}\r\n".encode()
                peer.send(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n" + line + b"\r\n")

    assert call(serve(handler).url("/a/start")).body == b"arrived"


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://2130706433:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "\\\\127.0.0.1:{port}\\",
        "http:\\\\127.0.0.1:{port}\\",
        "http://good.example@127.0.0.1:{port}/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "javascript:alert(1)",
        "gopher://127.0.0.1:{port}/",
        "http://127.0.0.1:{port}x/",
        "http://[::1",
        "http:///",
    ],
)
def test_a_redirect_to_a_forbidden_place_contacts_the_first_hop_only(
    call: CallIt, serve: Any, peers: Any, make_transport: Callable[..., Transport], location: str
) -> None:
    forbidden = serve(peers.answering(b"internal"))
    target = location.format(port=forbidden.port)
    public = serve(redirecting(target), host="127.0.0.2")
    transport = make_transport(AddressPolicy.parse("127.0.0.2"))
    if target.startswith("\\"):  # a path on the first server to us, as RFC 3986 has it; never another host
        with pytest.raises(NetworkError):
            call(public.url(), transport=transport)
    else:
        with pytest.raises((Blocked, NetworkError)) as raised:
            call(public.url(), transport=transport)
        assert raised.value.trace is not None
        assert raised.value.trace.hops[0].status == 302
    assert forbidden.connections == 0


def test_a_redirect_to_another_scheme_says_so(call: CallIt, serve: Any) -> None:
    with pytest.raises(Blocked, match="neither http nor https") as raised:
        call(serve(redirecting("file:///etc/passwd")).url())
    assert (raised.value.reason, raised.value.advice) == ("redirect_scheme", "It names file:.")


def test_to_another_origin_nothing_goes_that_tells_about_the_caller(call: CallIt, serve: Any, peers: Any) -> None:
    other = serve(peers.answering())
    first = serve(redirecting(other.url("/end")))
    call(first.url(), headers=(*SECRETS, ("Host", "virtual.example")))
    (request,) = other.requests
    assert b"s3cret" not in request
    assert header_names(request) == {"host", "connection", "accept", "accept-encoding", "user-agent"}
    assert b"User-Agent: my bot\r\n" in request
    assert f"Host: 127.0.0.1:{other.port}\r\n".encode() in request


def test_what_was_dropped_does_not_come_back_on_the_way_home(call: CallIt, serve: Any) -> None:
    home_port: list[int] = []

    def away(peer: Any) -> None:
        while peer.read_request():
            peer.answer(b"", "302 Found", f"Location: http://127.0.0.1:{home_port[0]}/end\r\n")

    other = serve(away)
    home = serve(redirecting(other.url()))
    home_port.append(home.port)
    call(home.url(), headers=SECRETS)
    assert b"s3cret" in home.requests[0]
    assert b"s3cret" not in home.requests[1]


@pytest.mark.parametrize("other", ["127.0.0.2", "localhost"])
def test_another_name_for_the_same_server_is_another_origin(call: CallIt, serve: Any, other: str) -> None:
    def handler(peer: Any) -> None:
        while request := peer.read_request():
            if b"/end" in request.split(b"\r\n")[0]:
                peer.answer()
            else:
                peer.answer(b"", "302 Found", f"Location: http://{other}:{peer.server.port}/end\r\n")

    server = serve(handler, host="0.0.0.0")
    call(server.url(host="127.0.0.1"), headers=SECRETS)
    assert b"s3cret" not in server.requests[1]


def test_to_the_same_origin_everything_goes_along(call: CallIt, serve: Any) -> None:
    server = serve(redirecting("/end"))
    call(server.url(), headers=SECRETS)
    assert b"Authorization: Bearer s3cret\r\n" in server.requests[1]
    assert b"X-Api-Key: s3cret\r\n" in server.requests[1]
    assert server.connections == 1


@pytest.mark.parametrize(
    ("method", "status", "then"),
    [
        ("POST", "301 Moved", "GET"),
        ("POST", "302 Found", "GET"),
        ("POST", "303 See Other", "GET"),
        ("POST", "307 Temporary", "POST"),
        ("POST", "308 Permanent", "POST"),
        ("PUT", "301 Moved", "PUT"),
        ("PATCH", "302 Found", "PATCH"),
        ("DELETE", "303 See Other", "GET"),
        ("HEAD", "303 See Other", "HEAD"),
    ],
)
def test_the_method_changes_as_the_standard_says(call: CallIt, serve: Any, method: str, status: str, then: str) -> None:
    server = serve(redirecting("/end", status))
    body = None if method == "HEAD" else b'{"a": 1}'
    call(server.url(), method=method, body=body, headers=(("Content-Type", "application/json"),))
    head, _, sent = server.requests[1].partition(b"\r\n\r\n")
    assert head.startswith(then.encode() + b" /end ")
    assert sent == (body if then == method and body else b"")
    assert (b"Content-Type" in head) == (then == method)


@pytest.mark.parametrize("status", ["307 Temporary", "308 Permanent"])
def test_a_body_never_goes_to_another_origin(call: CallIt, serve: Any, peers: Any, status: str) -> None:
    other = serve(peers.answering())
    with pytest.raises(NetworkError, match="a body is not passed on") as raised:
        call(serve(redirecting(other.url(), status)).url(), method="POST", body=b"s3cret")
    assert raised.value.reason == "redirects"
    assert other.connections == 0


def test_three_redirects_are_followed_and_a_fourth_is_not(call: CallIt, serve: Any) -> None:
    def countdown(peer: Any) -> None:
        while request := peer.read_request():
            left = int(request.split(b" ")[1].strip(b"/"))
            if left:
                peer.answer(b"", "302 Found", f"Location: /{left - 1}\r\n")
            else:
                peer.answer(b"arrived")

    server = serve(countdown)
    assert call(server.url("/3")).body == b"arrived"
    with pytest.raises(NetworkError, match="redirected more than 3 times") as raised:
        call(server.url("/4"))
    assert raised.value.reason == "redirects"
    assert raised.value.trace is not None
    assert len(raised.value.trace.hops) == 4


def test_a_loop_ends(call: CallIt, serve: Any) -> None:
    server = serve(redirecting("/again"))
    with pytest.raises(NetworkError) as raised:
        call(server.url())
    assert raised.value.reason == "redirects"
    assert len(server.requests) == 4


def test_the_body_of_a_redirect_is_never_read(call: CallIt, serve: Any) -> None:
    sent = 0

    def handler(peer: Any) -> None:
        nonlocal sent
        request = peer.read_request()
        if b"/end" in request:
            peer.answer(b"arrived")
            return
        peer.send(b"HTTP/1.1 302 Found\r\nLocation: /end\r\nContent-Length: 400000000\r\n\r\n")
        for _ in range(6000):
            peer.send(bytes(65536))
            sent += 65536

    server = serve(handler)
    answer = call(server.url())
    assert answer.body == b"arrived"
    assert sent < 20_000_000
    assert server.connections == 2


def test_https_never_leads_to_http(
    call: CallIt, serve: Any, peers: Any, make_transport: Callable[..., Transport], server_tls: Any, ca_file: str
) -> None:
    plain = serve(peers.answering())
    secure = serve(redirecting(plain.url()), tls=server_tls("localhost"))
    with pytest.raises(Blocked) as raised:
        call(secure.url(host="localhost"), transport=make_transport(ca_file=ca_file))
    assert raised.value.reason == "redirect_downgrade"
    assert plain.connections == 0


def test_http_may_lead_to_https_without_secrets(
    call: CallIt, serve: Any, peers: Any, make_transport: Callable[..., Transport], server_tls: Any, ca_file: str
) -> None:
    secure = serve(peers.answering(), tls=server_tls("localhost"))
    plain = serve(redirecting(secure.url("/end", host="localhost")))
    call(plain.url(), headers=SECRETS, transport=make_transport(ca_file=ca_file))
    assert b"s3cret" not in secure.requests[0]
