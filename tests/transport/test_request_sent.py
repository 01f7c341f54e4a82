"""The preview is the request: what was rendered goes out byte for byte, with nothing from the environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from httpstep import __version__
from httpstep.core.errors import Blocked
from httpstep.core.exchange import HttpResponse
from httpstep.transport import Transport

CallIt = Callable[..., HttpResponse]


def test_a_bare_request_gets_what_http_needs_and_nothing_else(call: CallIt, serve: Any, peers: Any) -> None:
    server = serve(peers.answering())
    call(server.url("/path"))
    assert server.requests == [
        (
            "GET /path HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{server.port}\r\n"
            f"User-Agent: httpstep/{__version__}\r\n"
            "Accept: */*\r\n"
            "Accept-Encoding: gzip\r\n"
            "Connection: keep-alive\r\n"
            "\r\n"
        ).encode()
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/a//b/../c/./d",
        "/?",
        "/a?b=1&b=2&&c",
        "/%7Ea%2fb%2F",
        '/x?f[name]=y|z^w`{}\\"<>',
        "/a;b=c,d:e@f!$'()*+",
        "/?q=http://x/?y#not-sent",
    ],
)
def test_the_path_and_query_go_out_as_rendered(call: CallIt, serve: Any, peers: Any, path: str) -> None:
    server = serve(peers.answering())
    call(server.url(path))
    assert server.requests[0].split(b" ")[1] == path.split("#")[0].encode()


def test_a_url_without_path_asks_for_the_root(call: CallIt, serve: Any, peers: Any) -> None:
    server = serve(peers.answering())
    call(server.url(""))
    call(server.url("?x=1"))
    assert [request.split(b" ")[1] for request in server.requests] == [b"/", b"/?x=1"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_every_method_goes_out(call: CallIt, serve: Any, peers: Any, method: str) -> None:
    server = serve(peers.answering())
    assert call(server.url(), method=method).status == 200
    assert server.requests[0].startswith(method.encode() + b" / ")
    has_length = b"Content-Length: 0\r\n" in server.requests[0]
    assert has_length == (method in ("POST", "PUT", "PATCH"))


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_the_body_is_sent_as_it_is(call: CallIt, serve: Any, peers: Any, method: str) -> None:
    server = serve(peers.answering())
    body = bytes(range(256)) * 100
    call(server.url(), method=method, body=body)
    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert sent == body
    assert b"\r\nContent-Length: 25600" in head
    assert b"Content-Type" not in head


def test_headers_keep_their_case_order_bytes_and_repetitions(call: CallIt, serve: Any, peers: Any) -> None:
    server = serve(peers.answering())
    headers = (("x-MiXed", "1"), ("X-Latin", "caf\xe9"), ("X-Tab", "a\tb"), ("X-Empty", ""), ("Accept", "text/html"),
               ("ACCEPT-ENCODING", "identity"), ("user-agent", "bot"), ("Host", "virtual.example"),
               ("X-Twice", "1"), ("X-Twice", "2"), ("Cookie", "a=b"))  # fmt: skip
    call(server.url(), headers=headers)
    lines = server.requests[0].decode("latin-1").split("\r\n")[1:-2]
    assert lines == ["Connection: keep-alive", *(f"{name}: {value}" for name, value in headers)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "b\r\nX-Injected: yes"),
        ("X-A", "b\nX-Injected: yes"),
        ("X-A", "b\rX-Injected: yes"),
        ("X-A", "b\r\n\r\nGET /second HTTP/1.1"),
        ("X-A", "b\r\n folded"),
        ("X-A", "b\x00"),
        ("X-A", "Привет"),
        ("X-A", "🙂"),
        ("X-A: y\r\nX-Injected", "yes"),
        ("", "empty"),
        ("X A", "blank"),
        ("X-Ä", "name"),
        ("Transfer-Encoding", "chunked"),
        ("transfer-encoding", "identity"),
        ("Content-Length", "5"),
        ("Content-Length", "0, 5"),
    ],
)
def test_a_header_that_would_break_the_request_is_refused_without_a_connection(
    call: CallIt, serve: Any, peers: Any, name: str, value: str
) -> None:
    server = serve(peers.answering())
    with pytest.raises(Blocked) as raised:
        call(server.url(), headers=(("X-First", "1"), (name, value)))
    assert raised.value.reason == "header"
    assert raised.value.place.startswith("headers[1]")
    assert server.connections == 0


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "get", "GET /x HTTP/1.1\r\nX: y\r\n\r\n", ""])
def test_another_method_is_refused(call: CallIt, serve: Any, peers: Any, method: str) -> None:
    server = serve(peers.answering())
    with pytest.raises(Blocked):
        call(server.url(), method=method)
    assert server.connections == 0


def test_an_international_host_name_is_looked_up_and_sent_in_ascii(
    call: CallIt, serve: Any, peers: Any, make_transport: Callable[..., Transport], resolving: Any
) -> None:
    server = serve(peers.answering())
    transport = make_transport(getaddrinfo=resolving({"xn--bcher-kva.example": ["127.0.0.1"]}))
    call(server.url(host="Bücher.example"), transport=transport)
    call(server.url(host="XN--BCHER-KVA.example"), transport=transport)
    assert all(f"Host: xn--bcher-kva.example:{server.port}\r\n".encode() in request for request in server.requests)
    assert len(server.requests) == 2


def test_an_ipv6_address_can_be_called(call: CallIt, serve: Any, peers: Any) -> None:
    server = serve(peers.answering(), host="::1")
    answer = call(server.url())
    assert f"Host: [::1]:{server.port}\r\n".encode() in server.requests[0]
    assert answer.trace.hops[0].address == f"[::1]:{server.port}"


def test_the_default_port_is_not_in_the_host_header(call: CallIt, make_transport: Callable[..., Transport]) -> None:
    from httpstep.transport.targets import parse_target

    assert parse_target("http://a.example:80/").authority == "a.example"
    assert parse_target("https://a.example:443/").authority == "a.example"
    assert parse_target("https://a.example:80/").authority == "a.example:80"
    assert parse_target("http://a.example:/").port == 80


# ---------------------------------------------------------------- nothing from the environment


@pytest.mark.parametrize("lower", [False, True])
def test_proxies_of_the_environment_are_ignored(
    call: CallIt, serve: Any, peers: Any, monkeypatch: pytest.MonkeyPatch, lower: bool
) -> None:
    proxy = serve(peers.answering(b"from the proxy"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name.lower() if lower else name, proxy.url())
    monkeypatch.setenv("NO_PROXY", "")
    server = serve(peers.answering(b"from the server"))
    assert call(server.url(), headers=(("Authorization", "Bearer s3cret"),)).body == b"from the server"
    assert proxy.connections == 0


def test_netrc_is_ignored(
    call: CallIt, serve: Any, peers: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login root password s3cret\ndefault login root password s3cret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(peers.answering())
    call(server.url())
    call(server.url(), headers=(("Authorization", "Bearer mine"),))
    assert b"authorization" not in server.requests[0].lower()
    assert b"Authorization: Bearer mine\r\n" in server.requests[1]


def test_an_authority_of_the_environment_is_not_trusted(
    call: CallIt, serve: Any, peers: Any, server_tls: Any, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, ca_file)
    server = serve(peers.answering(), tls=server_tls("localhost"))
    with pytest.raises(Exception, match="not trusted here"):
        call(server.url(host="localhost"))
    assert server.requests == []


def test_cookies_are_never_kept(call: CallIt, serve: Any) -> None:
    def handler(peer: Any) -> None:
        while request := peer.read_request():
            status = "302 Found" if b"/start" in request else "200 OK"
            peer.answer(b"{}", status, "Set-Cookie: session=s3cret; Path=/\r\nLocation: /end\r\n")

    server = serve(handler)
    assert call(server.url("/start")).header("Set-Cookie") == "session=s3cret; Path=/"
    call(server.url("/later"))
    call(server.url("/later"), account="another")
    assert len(server.requests) == 4
    assert not [request for request in server.requests if b"cookie" in request.lower()]
