"""Where a secret may be sent: the origins an admin listed for it, against the address that is really called.

An origin is scheme, host and port (RFC 6454, 4), written as in an address: https://api.example.com, with the port where
it is not the scheme's own. There are no wildcards: `*.example.com` is whoever can get a name under it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from httpstep.core.errors import InvalidRequest
from httpstep.core.inserting.placeholders import PlaceholderFault
from httpstep.core.inserting.urlhosts import UrlFault
from httpstep.core.inserting.urls import compile_url
from httpstep.core.inserting.values import Position
from httpstep.core.regex import regex

Hosts = tuple[str, ...] | None
"""Origins, each once; () is nowhere. None: any, as it was before there were lists, until an admin decides."""

MAX_HOSTS: Final = 20
_ANY: Final = "*"
REASON: Final = "secret_host"

_ORIGIN: Final = regex(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?(?=[/?]|\Z)")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_OTHER_SCHEME: Final = regex(r"[A-Za-z][A-Za-z0-9+.-]*:(?![0-9])")
_HOW: Final = "Write one host a line, like https://api.example.com."


def origin_of(url: str) -> str | None:
    """The origin of a rendered URL; None where it is not written as `urls.build_url` writes one.

    The dot that ends a full name (RFC 1034, 3.1) makes no other host of it.
    """
    found = _ORIGIN.match(url)
    if found is None:
        return None
    scheme, host, port = found.groups()
    return f"{scheme}://{host.removesuffix('.')}" + (f":{port}" if port and port != _DEFAULT_PORTS[scheme] else "")


def may_be_sent(hosts: Hosts, url: str) -> bool:
    """Whether a secret with that list may be in a request to `url`."""
    return hosts is None or origin_of(url) in hosts


def require(url: str, carried: Mapping[str, str], hosts: Mapping[str, Hosts], template: str, place: Position) -> None:
    """Raise InvalidRequest for the first of `carried` that may not be sent to `url`; one that is not in `hosts` may not.

    carried: names of secrets, each with the words for what carries it. template: the URL as it is typed, because a
    host that a secret gives is not named.
    """
    for name, words in carried.items():
        if not may_be_sent(hosts.get(name, ()), url):
            raise InvalidRequest(
                f"{words} may not be sent to {_host_words(url, template)}; an admin can allow it under Secrets.",
                reason=REASON,
                advice="Correct the address in the step, or let an admin add its host at “May be sent to”.",
                place=place.path,
            )


def _host_words(url: str, template: str) -> str:
    given = secrets_before_path(template)
    return f"the host that the secret “{given[0]}” gives" if given else origin_of(url) or "this address"


def secrets_before_path(template: str) -> list[str]:
    """The secrets that make scheme, host or port of a URL as typed; [] where it is not right."""
    try:
        return [one.secret for one in compile_url(template).before_path if one.secret is not None]
    except (UrlFault, PlaceholderFault):
        return []


# ---------------------------------------------------------------- the list, as it is typed and as it is stored


def read_hosts(text: str) -> tuple[tuple[str, ...], str]:
    """(the origins, what is wrong in one sentence or ""). A line or a comma parts them; of a whole address its origin
    is taken; without a scheme https is meant."""
    found: dict[str, None] = {}
    for typed in re.split(r"[\s,;]+", text.strip()):
        origin, fault = _read_host(typed) if typed else (None, "")
        if fault:
            return (), fault
        if origin is not None:
            found[origin] = None
    if not found:
        return (), f"Say where this secret may be sent. {_HOW}"
    return (tuple(found), "") if len(found) <= MAX_HOSTS else ((), f"At most {MAX_HOSTS} hosts can be listed.")


def _read_host(typed: str) -> tuple[str | None, str]:
    short = typed if len(typed) <= 60 else f"{typed[:57]}…"
    if "*" in typed or "{{" in typed:
        return None, f"“{short}”: each host is written out; “*” and attributes cannot stand for one."
    if "@" in re.split(r"[/?#]", typed.partition("://")[2] or typed)[0]:
        return None, f"“{short}” has a user name in it. {_HOW}"
    origin = literal_origin(typed if _OTHER_SCHEME.match(typed) else f"https://{typed}")
    return origin, "" if origin else f"“{short}” is not a host that can be called. {_HOW}"


def literal_origin(template: str) -> str | None:
    """The origin of a URL as typed; None where it varies or is not right."""
    try:
        return origin_of(compile_url(template).origin)
    except (UrlFault, PlaceholderFault):
        return None


def dump(hosts: Hosts) -> str:
    """As a column holds it: one a line, "" for nowhere, "*" for any."""
    return _ANY if hosts is None else "\n".join(hosts)


def load(text: str) -> Hosts:
    return None if text == _ANY else tuple(text.split())
