"""https is verified, always; and what is wrong with a certificate is said."""

from __future__ import annotations

import datetime
import inspect
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from httpstep.core.addresses import AddressPolicy
from httpstep.core.errors import NetworkError
from httpstep.core.exchange import HttpResponse
from httpstep.transport import Transport

CallIt = Callable[..., HttpResponse]
YEAR = datetime.timedelta(days=365)
NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture
def trusting(make_transport: Callable[..., Transport], ca_file: str) -> Transport:
    return make_transport(ca_file=ca_file)


def failing(call: CallIt, server: Any, transport: Transport, host: str = "localhost") -> NetworkError:
    with pytest.raises(NetworkError) as raised:
        call(server.url("/?token=s3cret", host=host), transport=transport)
    assert server.requests == []
    assert raised.value.advice
    assert host in raised.value.message
    return raised.value


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_valid_certificate_is_accepted_and_the_connection_kept(
    call: CallIt, serve: Any, peers: Any, server_tls: Any, trusting: Transport, host: str
) -> None:
    server = serve(peers.answering(b"x" * 100_000), tls=server_tls("localhost", "127.0.0.1"))
    for _ in range(3):
        answer = call(server.url(host=host), transport=trusting, method="POST", body=b"y" * 100_000)
    assert answer.body == b"x" * 100_000
    assert server.connections == 1
    assert answer.trace.timings.tls_ms is None


def test_the_handshake_is_timed(call: CallIt, serve: Any, peers: Any, server_tls: Any, trusting: Transport) -> None:
    server = serve(peers.answering(), tls=server_tls("localhost"))
    timings = call(server.url(host="localhost"), transport=trusting).trace.timings
    assert timings.tls_ms is not None
    assert timings.tls_ms > 0


def test_an_expired_certificate_is_refused(
    call: CallIt, serve: Any, peers: Any, server_tls: Any, trusting: Transport
) -> None:
    tls = server_tls("localhost", not_before=NOW - YEAR, not_after=NOW - datetime.timedelta(days=1))
    failure = failing(call, serve(peers.answering(), tls=tls), trusting)
    assert failure.reason == "tls_expired"
    assert failure.message == "The certificate of localhost has expired."


def test_a_certificate_of_the_future_is_refused(
    call: CallIt, serve: Any, peers: Any, server_tls: Any, trusting: Transport
) -> None:
    tls = server_tls("localhost", not_before=NOW + datetime.timedelta(days=1), not_after=NOW + YEAR)
    assert failing(call, serve(peers.answering(), tls=tls), trusting).reason == "tls_expired"


@pytest.mark.parametrize(
    ("names", "host"),
    [
        (("other.example",), "localhost"),
        (("localhost",), "127.0.0.1"),
        (("*.example",), "localhost"),
        (("127.0.0.2",), "127.0.0.1"),
    ],
)
def test_a_certificate_for_another_name_is_refused(
    call: CallIt, serve: Any, peers: Any, server_tls: Any, trusting: Transport, names: tuple[str, ...], host: str
) -> None:
    assert failing(call, serve(peers.answering(), tls=server_tls(*names)), trusting, host).reason == "tls_name"


def test_the_common_name_does_not_count(
    call: CallIt, serve: Any, peers: Any, make_transport: Callable[..., Transport], tmp_path: Path
) -> None:
    """RFC 9525, 6.3: only the alternative names are names. This certificate has none."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - YEAR, NOW + YEAR)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "server.pem").write_bytes(private + certificate)
    (tmp_path / "trusted.pem").write_bytes(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    transport = make_transport(ca_file=str(tmp_path / "trusted.pem"))
    assert failing(call, serve(peers.answering(), tls=context), transport).reason == "tls_name"


def test_an_unknown_authority_is_refused(
    call: CallIt, serve: Any, peers: Any, server_tls: Any, make_transport: Callable[..., Transport]
) -> None:
    failure = failing(call, serve(peers.answering(), tls=server_tls("localhost")), make_transport())
    assert failure.reason == "tls_issuer"
    assert "HTTPSTEP_CA_FILE" in failure.advice


def test_a_certificate_of_another_authority_is_refused(
    call: CallIt, serve: Any, peers: Any, trusting: Transport
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    assert failing(call, serve(peers.answering(), tls=context), trusting).reason == "tls_issuer"


def test_a_servers_own_certificate_can_be_trusted(
    call: CallIt, serve: Any, peers: Any, make_transport: Callable[..., Transport], tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = trustme.CA().issue_cert("localhost")
    certificate.configure_cert(context)
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "own.pem"))
    transport = make_transport(ca_file=str(tmp_path / "own.pem"))
    assert call(serve(peers.answering(), tls=context).url(host="localhost"), transport=transport).status == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_tls_before_1_2_is_refused(call: CallIt, serve: Any, peers: Any, server_tls: Any, trusting: Transport) -> None:
    old = server_tls("localhost")
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    failure = failing(call, serve(peers.answering(), tls=old), trusting)
    assert failure.reason == "tls"
    assert "outdated version of TLS" in failure.message


def test_tls_1_2_is_accepted(call: CallIt, serve: Any, peers: Any, server_tls: Any, trusting: Transport) -> None:
    context = server_tls("localhost")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert call(serve(peers.answering(), tls=context).url(host="localhost"), transport=trusting).status == 200


def test_a_server_without_tls_is_named_as_such(call: CallIt, serve: Any) -> None:
    def handler(peer: Any) -> None:
        peer.sock.recv(65536)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = serve(handler)
    with pytest.raises(NetworkError, match="does not speak TLS") as raised:
        call(server.url().replace("http:", "https:"))
    assert raised.value.reason == "tls"


def test_a_handshake_that_is_broken_off_is_a_tls_failure(call: CallIt, serve: Any) -> None:
    with pytest.raises(NetworkError) as raised:
        call(serve(lambda peer: peer.sock.recv(100)).url().replace("http:", "https:"))
    assert raised.value.reason == "tls"


def test_a_server_that_wants_a_client_certificate_is_a_tls_failure(
    call: CallIt, serve: Any, peers: Any, server_tls: Any, trusting: Transport, ca_file: str
) -> None:
    context = server_tls("localhost")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca_file)
    failure = failing(call, serve(peers.answering(), tls=context), trusting)
    assert failure.reason in ("tls", "broken_answer")


def test_a_body_cut_off_inside_tls_is_incomplete(
    call: CallIt, serve: Any, peers: Any, server_tls: Any, trusting: Transport
) -> None:
    server = serve(peers.saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"), tls=server_tls("localhost"))
    with pytest.raises(NetworkError) as raised:
        call(server.url(host="localhost"), transport=trusting)
    assert raised.value.reason == "incomplete"


@pytest.mark.parametrize("content", [None, b"", b"this is no certificate"])
def test_a_bad_ca_file_stops_the_start_with_its_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"ca\.pem cannot be read as certificates"):
        Transport(AddressPolicy(), ca_file=str(path))


def test_there_is_no_switch_to_turn_verification_off() -> None:
    names = {*inspect.signature(Transport.__init__).parameters, *inspect.signature(Transport.send).parameters}
    assert not [name for name in names if "verif" in name or "insecure" in name]
