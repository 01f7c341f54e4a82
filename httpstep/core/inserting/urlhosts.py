"""Host and port of a URL, written as they go out."""

from __future__ import annotations

import ipaddress
from typing import Final

import idna

from httpstep.core.regex import regex

PORT: Final = regex(r"[0-9]{1,5}")
_HOST: Final = regex(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")


class UrlFault(Exception):
    """The URL cannot be called. `sentence` is for a person and never holds a value; reason: "url" or "too_long"."""

    def __init__(self, sentence: str, *, reason: str = "url") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.reason = reason


def ascii_host(host: str) -> str:
    """A host name in lower case, international letters as IDNA (RFC 5891; UTS 46 mapping). Raises UrlFault."""
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except (idna.IDNAError, UnicodeError) as error:
            raise UrlFault("The host of the URL is not a valid name.") from error
    host = host.lower()
    if not _HOST.fullmatch(host) or len(host) > 253:
        raise UrlFault("The host of the URL is not a valid name.")
    return host


def host_and_port(text: str) -> str:
    """The authority of a URL, without a user, as it goes out. Raises UrlFault."""
    host, port = _bracketed(text) if text.startswith("[") else _split_port(text)
    if not host:
        raise UrlFault("The URL has no host.")
    if not port:
        return host
    if not PORT.fullmatch(port) or not 0 < int(port) <= 65535:
        raise UrlFault("The port in the URL must be a number from 1 to 65535.")
    return f"{host}:{int(port)}"


def _split_port(text: str) -> tuple[str, str]:
    host, _, port = text.partition(":")
    return (ascii_host(host) if host else ""), port


def _bracketed(text: str) -> tuple[str, str]:
    """An IPv6 address in brackets (RFC 3986, 3.2.2), without a zone: zones have no meaning outside one machine."""
    inside, closing, port = text[1:].partition("]")
    try:
        address = ipaddress.IPv6Address(inside)
    except ValueError as error:
        raise UrlFault("The address in brackets in the URL is not an IPv6 address.") from error
    if not closing or address.scope_id or (port and not port.startswith(":")):
        raise UrlFault("The address in brackets in the URL is not an IPv6 address.")
    return f"[{address.compressed}]", port[1:]
