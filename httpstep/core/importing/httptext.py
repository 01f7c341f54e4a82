"""A request as HTTP writes it (RFC 9112, 2): a request line, headers, an empty line, a body."""

from __future__ import annotations

import re
from typing import Final

from httpstep.core.importing.bodies import Piece
from httpstep.core.importing.imported import Ignored, Imported
from httpstep.core.importing.request import Said, request_of

_LINE: Final = re.compile(r"([A-Z]{3,10})[ \t]+(\S+)(?:[ \t]+HTTP/[0-9.]+)?[ \t]*")
_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*(.*)")
_NEXT: Final = re.compile(r"^###", re.MULTILINE)
_WORKED_OUT: Final = frozenset({"host", "content-length", "connection"})


def looks_like_http(text: str) -> bool:
    first = text.lstrip().partition("\n")[0].strip()
    found = _LINE.fullmatch(first)
    return found is not None and ("HTTP/" in first or found[2].startswith(("/", "http://", "https://", "{{")))


def from_http(text: str) -> Imported:
    """Reads the first request of the text; never raises."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n ")
    text = "\n".join(text.split("\n")[1:]).lstrip("\n") if text.startswith("###") else text
    first = _NEXT.split(text, maxsplit=1)
    head, _, body = first[0].partition("\n\n")
    line, *rows = head.split("\n")
    found = _LINE.fullmatch(line.strip())
    if found is None:
        return Imported(faults=("This is no HTTP request: it begins with a line like “GET /orders HTTP/1.1”.",))
    said = Said("request", method=found[1], glob_off=True)
    headers = _headers(said, rows)
    said.url = _address(said, found[2], headers.get("host", ""))
    if body.strip():
        said.data.append(Piece(body.rstrip("\n")))
    if len(first) > 1:
        said.ignored.append(Ignored("###", "only the first request is taken"))
    spec = request_of(said)
    return Imported(spec, tuple(said.ignored), tuple(said.faults), tuple(said.notes))


def _headers(said: Said, rows: list[str]) -> dict[str, str]:
    """All headers by their names in small letters; those that are sent go to `said`."""
    found: dict[str, str] = {}
    for row in rows:
        header = _HEADER.fullmatch(row.strip())
        if header is None:
            said.ignored.append(Ignored(row[:60], "no header: a name and a colon are missing"))
            continue
        found[header[1].lower()] = header[2].strip()
        if header[1].lower() not in _WORKED_OUT and header[2].strip():
            said.headers.append((header[1], header[2].strip()))
    return found


def _address(said: Said, target: str, host: str) -> str:
    if not target.startswith("/"):
        return target
    if not host:
        said.faults.append("There is no Host header, so nothing says whom to call.")
        return ""
    scheme = "http" if host.endswith(":80") else "https"
    said.notes.append(f"The request does not say the scheme. {scheme}:// is taken.")
    return f"{scheme}://{host}{target}"
