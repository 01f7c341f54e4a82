"""Whom we trust, and what went wrong when we could not."""

from __future__ import annotations

import ssl
from concurrent.futures import Future, ThreadPoolExecutor

import certifi

from httpstep.core.errors import NetworkError

# X509_V_ERR_… of OpenSSL's x509_vfy.h
_NOT_YET_VALID = 9
_EXPIRED = 10
_WRONG_NAME = (62, 63, 64)
_UNKNOWN_ISSUER = (2, 18, 19, 20, 21, 27)


_read_ahead: list[Future[ssl.SSLContext]] = []


def read_ahead() -> None:
    """Begin to read the authorities that are trusted, for the context that is asked for next: OpenSSL takes 0.1 s for
    it, in which the interpreter is free for others."""
    thread = ThreadPoolExecutor(1)
    _read_ahead.append(thread.submit(_trusting_authorities))
    thread.shutdown(wait=False)


def trusting_context(ca_file: str | None, socket_class: type[ssl.SSLSocket]) -> ssl.SSLContext:
    """TLS 1.2 or later; the system's authorities, certifi's, and those of `ca_file`. There is no way to switch it off.

    One context serves all connections. Raises ValueError with a sentence for a bad file.
    """
    context = _read_ahead.pop().result() if _read_ahead else _trusting_authorities()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    # An operator may trust a server's own certificate or an intermediate, not only a root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError:
            raise ValueError(f"{ca_file} cannot be read as certificates in PEM form.") from None
    context.sslsocket_class = socket_class
    return context


def _trusting_authorities() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def tls_failure(error: OSError, host: str) -> NetworkError:
    """The sentence for a handshake or a TLS connection that failed."""
    # Only errors that OpenSSL itself made have these attributes.
    code = getattr(error, "verify_code", 0)
    if code:
        return _certificate_failure(code, getattr(error, "verify_message", ""), host)
    reason: str = getattr(error, "reason", None) or ""
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"):
        return NetworkError(
            f"{host} does not speak TLS on this port.",
            reason="tls",
            advice="Check the port, and whether the URL should begin with http:// instead of https://.",
        )
    if reason in ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE"):
        return NetworkError(
            f"{host} offers only an outdated version of TLS.",
            reason="tls",
            advice="TLS 1.2 or later is needed; the operator of that server has to switch it on.",
        )
    detail = f" ({reason.replace('_', ' ').lower()})" if reason else ""
    return NetworkError(
        f"No secure connection to {host} could be made{detail}.",
        reason="tls",
        advice="The server broke off the TLS handshake; its operator can tell why.",
    )


def _certificate_failure(code: int, text: str, host: str) -> NetworkError:
    if code == _EXPIRED:
        return NetworkError(
            f"The certificate of {host} has expired.",
            reason="tls_expired",
            advice="The operator of that server has to renew it.",
        )
    if code == _NOT_YET_VALID:
        return NetworkError(
            f"The certificate of {host} is not valid yet.",
            reason="tls_expired",
            advice="Check the clock of this machine, or ask the operator of that server.",
        )
    if code in _WRONG_NAME:
        return NetworkError(
            f"The certificate of {host} was issued for another name.",
            reason="tls_name",
            advice="Check the host name in the URL; an IP address rarely has a certificate.",
        )
    if code in _UNKNOWN_ISSUER:
        return NetworkError(
            f"The certificate of {host} comes from an authority that is not trusted here.",
            reason="tls_issuer",
            advice="If it is your own authority, whoever runs this installation can add it with HTTPSTEP_CA_FILE.",
        )
    return NetworkError(
        f"The certificate of {host} is not valid: {text}.",
        reason="tls",
        advice="The operator of that server has to repair it.",
    )
