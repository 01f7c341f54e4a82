"""What goes out at one hop: the request as it was rendered, completed by what HTTP needs; and the next hop's."""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace

from httpstep.core.errors import Blocked, NetworkError
from httpstep.core.exchange import RenderedRequest
from httpstep.core.inserting.headers import completed
from httpstep.core.regex import regex
from httpstep.core.step.spec import METHODS
from httpstep.transport.targets import Target, parse_target, redirect_target

Headers = tuple[tuple[str, str], ...]

REDIRECTS = frozenset({301, 302, 303, 307, 308})

_HEADER_NAME = regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_HEADER_VALUE = regex("[\t\x20-\x7e\x80-\xff]*")
_ABOUT_THE_BODY = frozenset(
    {"content-type", "content-length", "content-encoding", "content-language", "content-location"}
)
_FIT_FOR_OTHERS = frozenset({"accept", "accept-encoding", "user-agent"})


class Outgoing(Struct, frozen=True):
    """One hop. `headers` are the caller's; `wire_headers` are what is sent."""

    method: str
    target: Target
    headers: Headers
    body: bytes | None

    @property
    def wire_headers(self) -> Headers:
        """The caller's headers untouched, after those of ours that the caller did not set."""
        length = None if self.body is None else len(self.body)
        return completed(self.method, self.target.authority, self.headers, length)


def first_hop(request: RenderedRequest) -> Outgoing:
    """Raises Blocked for what must not go out, whoever rendered it."""
    if request.method not in METHODS:
        raise Blocked("This method cannot be used.", reason="method", place="method")
    for index, (name, value) in enumerate(request.headers):
        _check_header(name, value, f"headers[{index}]", len(request.body or b""))
    return Outgoing(request.method, parse_target(request.url), request.headers, request.body)


def next_hop(hop: Outgoing, status: int, location: str) -> Outgoing:
    """The request that a redirect asks for (RFC 9110, 15.4), or Blocked, or NetworkError (redirects).

    To another origin (scheme, host or port) go only the headers that say nothing about the caller, and never a body.
    """
    target = redirect_target(hop.target, location)
    if hop.target.scheme == "https" and target.scheme == "http":
        raise Blocked(
            "The server redirects from https to http, which would send the call unencrypted.",
            reason="redirect_downgrade",
            advice="Check whether the URL of the step is still right.",
        )
    moved = _as_get(hop) if _becomes_get(hop.method, status) else hop
    if target.origin == hop.target.origin:
        return replace(moved, target=target)
    if moved.body is not None:
        raise NetworkError(
            f"The server redirects this request to another site ({target.host}), and a body is not passed on.",
            reason="redirects",
            advice="If that site is right, use its URL in the step.",
        )
    kept = tuple((name, value) for name, value in moved.headers if name.lower() in _FIT_FOR_OTHERS)
    return replace(moved, target=target, headers=kept)


def _becomes_get(method: str, status: int) -> bool:
    if status == 303:
        return method != "HEAD"
    return status in (301, 302) and method == "POST"


def _as_get(hop: Outgoing) -> Outgoing:
    headers = tuple((name, value) for name, value in hop.headers if name.lower() not in _ABOUT_THE_BODY)
    return replace(hop, method="GET", headers=headers, body=None)


def _check_header(name: str, value: str, place: str, length: int) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise Blocked("A header has a name that HTTP does not allow.", reason="header", place=f"{place}.name")
    if not _HEADER_VALUE.fullmatch(value):
        raise Blocked(
            f"The value of the header {name} contains a line break or a character that HTTP does not allow.",
            reason="header",
            place=f"{place}.value",
        )
    # Two opinions about where a request ends are what request smuggling is made of (RFC 9112, 11.2).
    framing = name.lower()
    if framing == "transfer-encoding" or (framing == "content-length" and value.strip() != str(length)):
        raise Blocked(
            f"The header {name} is set by httpstep itself.", reason="header", advice="Remove it.", place=place
        )
