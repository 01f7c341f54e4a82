"""The address line of a call, read once and strictly: what is judged here is what is connected to and sent.

Two parsers that disagree about a URL are the classic way around an address check (`http://good\\@127.0.0.1/`), so
nothing below this module parses the URL again.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Literal, cast
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import idna
from msgspec import Struct

from httpstep.core.errors import Blocked
from httpstep.core.regex import regex

Scheme = Literal["http", "https"]

_URL = regex(r"([a-z][a-z0-9+.-]*):(?://([^/?#]*)([^#]*))?", re.ASCII | re.IGNORECASE)
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = regex(rf"(?:{_LABEL}\.)*{_LABEL}\.?", re.ASCII)
_PORT = regex(r"[0-9]{0,5}", re.ASCII)
_REQUEST_TARGET = regex(r"/[\x21-\x7e]*", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_KEPT_IN_A_REDIRECT = "!\"#$%&'()*+,/:;<=>?@[\\]^_`{|}~"


class Target(Struct, frozen=True):
    """Where a request goes. host: lower case, A-labels (RFC 5890), an IPv6 address without brackets.

    request_target: path and query exactly as sent (RFC 9112, 3.2.1).
    """

    scheme: Scheme
    host: str
    port: int
    request_target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """RFC 6454, 4."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The value of the Host header (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.request_target}"


def parse_target(url: str) -> Target:
    """Raises Blocked (scheme, userinfo, host, port, url). The sentences never quote the path or the query."""
    parts = _URL.match(url)
    if parts is None:
        raise _wrong_url("The URL must begin with http:// or https://.")
    scheme = parts[1].lower()
    if scheme not in _DEFAULT_PORTS:
        raise Blocked(f"Only http and https can be called, not {scheme[:30]}.", reason="scheme", place="url")
    if not parts[2]:
        raise _wrong_url("The URL has no host name.")
    host, port = _host_and_port(parts[2], _DEFAULT_PORTS[scheme])
    request_target = parts[3] if parts[3].startswith("/") else f"/{parts[3]}"
    if not _REQUEST_TARGET.fullmatch(request_target):
        raise _wrong_url("The URL contains a blank, a control character or a character outside ASCII.")
    return Target(cast(Scheme, scheme), host, port, request_target)


def redirect_target(base: Target, location: str) -> Target:
    """Resolve a Location header (RFC 9110, 10.2.2). Raises Blocked (redirect_scheme, or as `parse_target`)."""
    try:
        text = location.encode("latin-1").decode()
    except UnicodeError:
        text = location
    try:
        parts = urlsplit(urljoin(base.url, text.strip()))
    except ValueError:
        raise _wrong_redirect("The server redirects to an address that cannot be read.") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise Blocked(
            "The server redirects to an address that is neither http nor https.",
            reason="redirect_scheme",
            advice=f"It names {parts.scheme}:." if len(parts.scheme) <= 30 else "",
        )
    path, query = (quote(part, safe=_KEPT_IN_A_REDIRECT) for part in (parts.path, parts.query))
    return parse_target(urlunsplit((parts.scheme, parts.netloc, path, query, "")))


def _host_and_port(authority: str, default_port: int) -> tuple[str, int]:
    if "@" in authority:
        raise Blocked(
            "The URL contains a user name or password.",
            reason="userinfo",
            advice="Remove it from the URL and use the step's authentication instead.",
            place="url",
        )
    host, bracket, rest = authority.partition("]") if authority.startswith("[") else ("", "", authority)
    name, _, port = rest.partition(":")
    if (bracket and name) or not _PORT.fullmatch(port):
        raise _wrong_port()
    number = int(port) if port else default_port
    if not 1 <= number <= 65535:
        raise _wrong_port()
    return (_ipv6(host[1:]) if bracket else _name(name)), number


def _ipv6(text: str) -> str:
    try:
        address = IPv6Address(text)
    except AddressValueError:
        raise _wrong_host() from None
    if address.scope_id is not None:
        raise _wrong_host()
    return str(address)


def _name(text: str) -> str:
    host = text.lower()
    if not host.isascii():
        try:
            host = idna.encode(text, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise _wrong_host() from None
    if len(host) > 254 or not _HOST.fullmatch(host):
        raise _wrong_host()
    return host


def _wrong_url(sentence: str) -> Blocked:
    return Blocked(sentence, reason="url", advice="Check the URL of the step.", place="url")


def _wrong_redirect(sentence: str) -> Blocked:
    return Blocked(sentence, reason="url", advice="This is a fault of the server that redirects.")


def _wrong_host() -> Blocked:
    return Blocked("The URL contains a host name that cannot exist.", reason="host", place="url")


def _wrong_port() -> Blocked:
    return Blocked("The port in the URL must be a number from 1 to 65535.", reason="port", place="url")
