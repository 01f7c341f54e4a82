"""Which header rows may be sent, and what two rows of one name mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from httpstep import __version__
from httpstep.core.exchange import HttpResponse
from httpstep.core.masking.redaction import is_credential_header
from httpstep.core.regex import regex

MAX_VALUE_CHARACTERS: Final = 8 * 1024
MAX_ROWS: Final = 50

_TOKEN: Final = regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_FRAMING: Final = "is worked out by httpstep when it sends the request; remove this row."
_CONNECTION: Final = "is about the connection, which httpstep keeps itself; remove this row."
_METADATA: Final = "is for a cloud's metadata service, which steps never call; remove this row."
_REFUSED: Final = {
    "host": "comes from the URL; remove this row.",
    "content-length": _FRAMING,
    "transfer-encoding": _FRAMING,
    "trailer": _FRAMING,
    "expect": _FRAMING,
    "connection": _CONNECTION,
    "keep-alive": _CONNECTION,
    "te": _CONNECTION,
    "upgrade": _CONNECTION,
    "http2-settings": _CONNECTION,
    "metadata-flavor": _METADATA,
    "x-google-metadata-request": _METADATA,
    "x-aws-ec2-metadata-token": _METADATA,
    "x-aws-ec2-metadata-token-ttl-seconds": _METADATA,
    "x-aliyun-ecs-metadata-token": _METADATA,
    "x-aliyun-ecs-metadata-token-ttl-seconds": _METADATA,
    "proxy-connection": "is for proxies, which httpstep does not use; remove this row.",
    "proxy-authorization": "is for proxies, which httpstep does not use; remove this row.",
    "proxy-authenticate": "is for proxies, which httpstep does not use; remove this row.",
}
"""Framing and hop-by-hop fields (RFC 9110, 7.6.1; RFC 9112, 6): typed in, they could make one request into two."""

_OPENS: Final = {"metadata": "true", "authorization": "bearer oracle"}
"""Headers that open such a service with one value alone: Azure's, and Oracle's."""

OWN: Final = frozenset({"accept-encoding"})
"""What httpstep sends itself because it must be able to read the answer: a row of that name is left out."""


def name_fault(name: str) -> str | None:
    """Why a header cannot have this name, as a sentence; None if it can. Names are tokens (RFC 9110, 5.1 and 5.6.2)."""
    if not name:
        return "This header has a value but no name."
    if "{{" in name:
        return "Attributes can stand in a header's value, not in its name."
    if name.endswith(":") and _TOKEN.fullmatch(name[:-1]):
        return f"Write the header's name without the colon: “{name[:-1]}”."
    if not _TOKEN.fullmatch(name):
        return "A header's name has letters, digits and “-”, no spaces and no accents."
    if reason := _REFUSED.get(name.lower()):
        return f"“{name}” {reason}"
    return None


def value_fault(name: str, value: str) -> str | None:
    """Why a header of this name cannot have this value, as a sentence: it would open a cloud's metadata service."""
    opens = _OPENS.get(name.lower())
    if opens is not None and " ".join(value.lower().split()) == opens:
        return f"“{name}: {value.strip()}” {_METADATA}"
    return None


_ONE_VALUE: Final = frozenset(
    [
        "authorization",
        "content-type",
        "content-location",
        "content-range",
        "content-language",
        "date",
        "from",
        "if-modified-since",
        "if-unmodified-since",
        "if-range",
        "max-forwards",
        "origin",
        "referer",
        "user-agent",
    ]
)


def one_of_each(rows: Sequence[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[str]]:
    """One row for each name, names compared without case, in the first one's position; and the warnings that say so.

    Several rows are sent as one with commas between, which means the same (RFC 9110, 5.3), cookies with semicolons
    (RFC 6265, 5.4). Of a header that has one value, or proves who calls, the last row wins.
    """
    if len({name.lower() for name, _ in rows}) == len(rows):
        return list(rows), []
    found: dict[str, list[tuple[str, str]]] = {}
    for name, value in rows:
        found.setdefault(name.lower(), []).append((name, value))
    kept, warnings = [], []
    for key, same in found.items():
        name, value = same[-1]
        if len(same) > 1:
            alone = key in _ONE_VALUE or (key != "cookie" and is_credential_header(key))
            what = "only the last one is sent" if alone else "its values are sent in one, one after the other"
            warnings.append(f"The header “{name}” is there more than once; {what}.")
            value = value if alone else ("; " if key == "cookie" else ", ").join(text for _, text in same)
        kept.append((name, value))
    return kept, warnings


METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


def completed(
    method: str, authority: str, headers: Iterable[tuple[str, str]], length: int | None
) -> tuple[tuple[str, str], ...]:
    """All headers of a request as they go out: first httpstep's own that the step did not set, then the step's untouched.

    authority: host, and port where it is not the scheme's own (RFC 9110, 7.2). length: bytes of the body, None without one.
    """
    rows = tuple(headers)
    present = {name.lower() for name, _ in rows}
    ours = [] if "host" in present else [("Host", authority)]
    ours += [row for name, row in _OURS if name not in present]
    if (length is not None or method in METHODS_WITH_BODY) and "content-length" not in present:
        ours.append(("Content-Length", str(length or 0)))
    return (*ours, *rows)


_OURS: Final = (
    ("user-agent", ("User-Agent", f"httpstep/{__version__}")),
    ("accept", ("Accept", "*/*")),
    ("accept-encoding", ("Accept-Encoding", "gzip")),
    ("connection", ("Connection", "keep-alive")),
)
"""By their names in small letters."""


def authority_of(url: str) -> str:
    """The authority of a rendered URL, the scheme's own port left out."""
    parts = urlsplit(url)
    return parts.netloc.removesuffix({"http": ":80", "https": ":443"}.get(parts.scheme, ""))


def retry_after(response: HttpResponse, now: float) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3), given as seconds or as a date; None where there is none."""
    value = (response.header("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.fromtimestamp(now, UTC)).total_seconds())
