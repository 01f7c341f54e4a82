"""What may not be called is not connected to: counted at the listener, over every way to write an address."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable
from typing import Any

import pytest

from httpstep.core.addresses import AddressPolicy
from httpstep.core.errors import Blocked, NetworkError
from httpstep.core.exchange import HttpResponse
from httpstep.transport import Transport

CallIt = Callable[..., HttpResponse]
NOTHING = AddressPolicy()


@pytest.fixture
def forbidden(serve: Any, peers: Any) -> Any:
    return serve(peers.answering())


@pytest.fixture(scope="module")
def strict() -> Transport:
    return Transport(NOTHING)


FORMS = [
    "127.0.0.1",
    "localhost",
    "LOCALHOST",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "127.255.255.254",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fec0::1]",
    "[fe80::1]",
    "10.0.0.5",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "168.63.129.16",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
]


@pytest.mark.parametrize("host", FORMS)
def test_no_form_of_a_special_address_reaches_the_listener(
    call: CallIt, strict: Transport, forbidden: Any, host: str
) -> None:
    with pytest.raises(Blocked) as raised:
        call(forbidden.url(host=host), transport=strict, timeout=2)
    assert raised.value.message.startswith("Address not allowed: ")
    assert forbidden.connections == 0


def test_the_sentence_names_the_address_and_the_way_out(call: CallIt, strict: Transport) -> None:
    with pytest.raises(Blocked) as raised:
        call("http://10.0.0.5/?token=s3cret", transport=strict)
    assert raised.value.message == "Address not allowed: 10.0.0.5 is private."
    assert raised.value.advice.startswith("Add it to HTTPSTEP_ALLOW_NETWORKS")
    assert raised.value.reason == "private"
    assert raised.value.trace is not None
    assert raised.value.trace.hops[0].address == ""


@pytest.mark.parametrize("host", ["169.254.169.254", "100.100.100.200", "168.63.129.16", "[fd00:ec2::254]"])
def test_metadata_is_refused_even_where_everything_is_allowed(
    call: CallIt, make_transport: Callable[..., Transport], host: str
) -> None:
    with pytest.raises(Blocked) as raised:
        call(f"http://{host}/latest", transport=make_transport(AddressPolicy.parse("0.0.0.0/0, ::/0")))
    assert raised.value.reason == "metadata"
    assert "HTTPSTEP_ALLOW_NETWORKS" not in raised.value.advice


def test_a_name_with_one_private_address_is_refused_as_a_whole(
    call: CallIt, make_transport: Callable[..., Transport], resolving: Any, forbidden: Any
) -> None:
    for addresses in itertools.permutations(["93.184.216.34", "127.0.0.1", "2606:4700::1"]):
        transport = make_transport(NOTHING, getaddrinfo=resolving({"mixed.example": list(addresses)}))
        with pytest.raises(Blocked, match=r"127\.0\.0\.1 \(mixed\.example\)"):
            call(forbidden.url(host="mixed.example"), transport=transport)
    assert forbidden.connections == 0


def two_on_one_port(serve: Any, peers: Any) -> tuple[Any, socket.socket]:
    """A server on 127.0.0.2 and a listener on 127.0.0.1, on a port that happens to be free on both."""
    for _ in range(20):
        server = serve(peers.answering(), host="127.0.0.2")
        try:
            listener = socket.create_server(("127.0.0.1", server.port))
        except OSError:
            continue
        listener.settimeout(0.05)
        return server, listener
    raise AssertionError("no port is free on both addresses")


def test_a_name_that_changes_its_answer_never_reaches_the_forbidden_listener(
    call: CallIt, make_transport: Callable[..., Transport], serve: Any, peers: Any
) -> None:
    # 127.0.0.2 stands for the public address; the policy allows it and refuses 127.0.0.1.
    public, forbidden = two_on_one_port(serve, peers)
    answers = itertools.cycle(["127.0.0.2", "127.0.0.1"])

    def rebinding(host: str, port: int, *_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    allowed = refused = 0
    transport = make_transport(AddressPolicy.parse("127.0.0.2"), getaddrinfo=rebinding)
    for _ in range(40):
        transport.close()
        try:
            call(public.url(host="rebinding.example"), transport=transport)
            allowed += 1
        except Blocked:
            refused += 1
    assert (allowed, refused) == (20, 20)
    assert public.connections == 20
    with pytest.raises(TimeoutError):
        forbidden.accept()
    forbidden.close()


def test_a_connection_that_ends_elsewhere_than_it_was_sent_carries_no_request(
    call: CallIt, make_transport: Callable[..., Transport], serve: Any, peers: Any
) -> None:
    # The system connects 0.0.0.0 to 127.0.0.1, which this policy does not allow.
    server = serve(peers.answering())
    with pytest.raises(Blocked, match=r"127\.0\.0\.1 \(0\.0\.0\.0\) is the loopback"):
        call(server.url(host="0.0.0.0"), transport=make_transport(AddressPolicy.parse("0.0.0.0")))
    assert server.requests == []


def test_one_look_up_is_made_per_connection(
    call: CallIt, make_transport: Callable[..., Transport], serve: Any, peers: Any
) -> None:
    server = serve(peers.answering())
    asked: list[str] = []

    def counting(host: str, port: int, *_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    transport = make_transport(AddressPolicy.parse("api.example"), getaddrinfo=counting)
    for _ in range(3):
        answer = call(server.url(host="api.example"), transport=transport)
    assert asked == ["api.example"]
    assert answer.trace.hops[0].address == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://8.8.8.8/",
        "gopher://8.8.8.8/",
        "data:text/plain,x",
        "javascript:alert(1)",
        "unix:/run/x.sock",
        "FILE:///etc/passwd",
    ],
)
def test_only_http_and_https_are_called(call: CallIt, url: str) -> None:
    with pytest.raises(Blocked) as raised:
        call(url)
    assert raised.value.reason == "scheme"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "url"),
        ("//127.0.0.1/", "url"),
        ("127.0.0.1", "url"),
        ("http:", "url"),
        ("http://", "url"),
        ("http:///path", "url"),
        ("http://127.0.0.1/a b", "url"),
        ("http://127.0.0.1/\r\nX: y", "url"),
        ("http://127.0.0.1/é", "url"),
        ("http://user:pass@127.0.0.1/", "userinfo"),
        ("http://good.example\\@127.0.0.1/", "userinfo"),
        ("http://127.0.0.1:80@8.8.8.8/", "userinfo"),
        ("http://127.0.0.1\\.evil.example/", "host"),
        ("http://127.0.0.1%00.example/", "host"),
        ("http://127.0.0.1%2eexample/", "host"),
        ("http://[fe80::1%25lo]/", "host"),
        ("http://[::1", "host"),
        ("http://[127.0.0.1]/", "host"),
        ("http://a..b/", "host"),
        (f"http://{'a' * 64}.example/", "host"),
        (f"http://{'a.' * 128}example/", "host"),
        ("http://-a.example/", "host"),
        ("http://127.0.0.1:0/", "port"),
        ("http://127.0.0.1:65536/", "port"),
        ("http://127.0.0.1:8x/", "port"),
        ("http://127.0.0.1:+80/", "port"),
        ("http://127.0.0.1:٨٠/", "port"),
        ("http://[::1]80/", "port"),
    ],
)
def test_a_url_that_two_parsers_could_read_differently_is_refused(call: CallIt, url: str, reason: str) -> None:
    with pytest.raises(Blocked) as raised:
        call(url)
    assert raised.value.reason == reason
    assert "pass" not in raised.value.message.replace("password", "")


def no_such_name(*_: Any) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def server_failure(*_: Any) -> Any:
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def bad_label(host: str, *_: Any) -> Any:
    raise UnicodeError("label empty or too long")


@pytest.mark.parametrize(
    "resolver",
    [
        no_such_name,
        server_failure,
        bad_label,
        lambda *_: [],
        lambda *_: None,
        lambda *_: [()],
        lambda *_: ["127.0.0.1"],
        lambda *_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ())],
        lambda *_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("not an address", 80))],
        lambda *_: [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", (28, b"\x00" * 14))],
        lambda *_: [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", "/run/x.sock")],
    ],
)
def test_a_malformed_or_empty_answer_of_the_resolver_is_a_dns_failure(
    call: CallIt, make_transport: Callable[..., Transport], resolver: Any
) -> None:
    with pytest.raises(NetworkError) as raised:
        call("http://odd.example/", transport=make_transport(getaddrinfo=resolver))
    assert raised.value.reason == "dns"
    assert "odd.example" in raised.value.message
    assert raised.value.advice


def test_a_name_of_the_policy_may_be_private(
    call: CallIt, make_transport: Callable[..., Transport], serve: Any, peers: Any, resolving: Any
) -> None:
    server = serve(peers.answering())
    names = resolving({"crm.internal": ["127.0.0.1"], "other.internal": ["127.0.0.1"]})
    transport = make_transport(AddressPolicy.parse("crm.internal"), getaddrinfo=names)
    assert call(server.url(host="crm.internal"), transport=transport).status == 200
    with pytest.raises(Blocked):
        call(server.url(host="other.internal"), transport=transport)


def test_a_port_nobody_listens_on_is_refused_in_a_sentence(call: CallIt) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NetworkError) as raised:
        call(f"http://127.0.0.1:{port}/")
    assert raised.value.reason == "refused"
    assert raised.value.message == "127.0.0.1 refused the connection."


def test_it_takes_the_next_address_when_the_first_refuses(
    call: CallIt, make_transport: Callable[..., Transport], serve: Any, peers: Any, resolving: Any
) -> None:
    server = serve(peers.answering(), host="127.0.0.2")
    transport = make_transport(getaddrinfo=resolving({"two.example": ["127.0.0.1", "127.0.0.2"]}))
    assert call(server.url(host="two.example"), transport=transport).trace.hops[0].address.startswith("127.0.0.2:")


def test_it_does_not_wait_for_an_address_that_never_answers(
    call: CallIt, make_transport: Callable[..., Transport], serve: Any, peers: Any, resolving: Any
) -> None:
    server, silent = two_on_one_port(serve, peers)
    silent.listen(0)
    fillers = [socket.socket() for _ in range(3)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", server.port))
    took: list[int] = []
    while len(took) < 4 and not any(one < 1500 for one in took):  # a machine that stood still delays one
        transport = make_transport(getaddrinfo=resolving({"two.example": ["127.0.0.1", "127.0.0.2"]}))
        answer = call(server.url(host="two.example"), transport=transport, timeout=20)
        assert answer.trace.hops[0].address.startswith("127.0.0.2:")
        took.append(answer.trace.timings.total_ms)
    assert min(took) < 1500, took
    for sock in (silent, *fillers):
        sock.close()
