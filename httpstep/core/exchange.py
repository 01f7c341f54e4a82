"""One HTTP exchange as values: the request exactly as it goes out, and its answer, wholly read."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from httpstep.core.private import Private


class RenderedRequest(Private, frozen=True):
    """The request exactly as it goes out. `url` is ASCII and carries the query; the bytes of `body` are the body.

    `secrets`: every secret value that went in, raw; `core.masking.masking.redaction` masks them (and their encoded forms)
    wherever this request is shown. `warnings`: sentences for the preview.
    `filled_empty`: attributes that were not there and were sent empty.
    `otherwise`: of a token request, the same with another spelling of the client's credential.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None = None
    follow_redirects: bool = True
    secrets: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()
    filled_empty: tuple[str, ...] = ()
    otherwise: RenderedRequest | None = None


class Hop(Struct, frozen=True):
    """One exchange of a call: the request line, where it went (`address`, "203.0.113.7:443"), and the status that came."""

    method: str
    url: str
    address: str = ""
    status: int | None = None
    location: str = ""


class Timings(Struct, frozen=True):
    """Milliseconds, summed over the hops of one try; None where the phase did not happen (a reused connection)."""

    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    total_ms: float = 0.0


class Trace(Struct, frozen=True):
    """What one try saw on the way, however it ended. notes: sentences on what was not in order and was put up with.

    left_behind: the origin that a redirect led to without the credentials; "" where none did.
    """

    hops: tuple[Hop, ...] = ()
    timings: Timings = Timings()
    notes: tuple[str, ...] = ()
    left_behind: str = ""


class HttpResponse(Private, frozen=True):
    """An answer, wholly read. `body` is decoded (gzip undone); header names as they came; `url` after redirects."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    url: str = ""
    trace: Trace = Trace()

    def header(self, name: str) -> str | None:
        """The first header of that name, names compared without case (RFC 9110, 5.1)."""
        wanted = name.lower()
        for key, value in self.headers:
            if key.lower() == wanted:
                return value
        return None


Send = Callable[[RenderedRequest, float], HttpResponse]
"""send(request, deadline): deadline in seconds of `time.monotonic()`. Raises SendError only."""
