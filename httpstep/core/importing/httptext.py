"""A request as HTTP writes it (RFC 9112, 2): a request line, headers, an empty line, a body."""

from __future__ import annotations

import re
from typing import Final

from httpstep.core.importing.bodies import Piece, fields_of
from httpstep.core.importing.imported import Ignored, Imported
from httpstep.core.importing.request import Said, request_of
from httpstep.core.importing.texts.multiparts import FILE_BODY
from httpstep.core.regex import regex

_LINE: Final = regex(r"([A-Z]{3,10})[ \t]+(\S+)(?:[ \t]+HTTP/[0-9.]+)?[ \t]*")
_HEADER: Final = regex(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*(.*)")
_NEXT: Final = regex(r"^###", re.MULTILINE)
_ABOVE: Final = regex(r"(?:[ \t]*(?:#[^\n]*|//[^\n]*|@([\w.-]{1,100})[ \t]*=[ \t]*([^\n]*))?(?:\n|$))+")
"""Comments and variables that files of requests have above the request line."""
_VARIABLE: Final = regex(r"^[ \t]*@([\w.-]{1,100})[ \t]*=[ \t]*([^\n]*)$", re.MULTILINE)
_GOES_ON: Final = regex(r"\n[ \t]+(?=[?&])")
_BELOW: Final = regex(r"^(?:>>?!?[ \t]*(?:\{%|\S+\.js\b)|<>[ \t]).*", re.MULTILINE | re.DOTALL)
"""What such files do with the answer."""
_FILE: Final = regex(r"<@?[ \t]+(\S[^\n]*)")
_FILE_IN: Final = regex(r"^<@?[ \t]+(\S[^\n]*)$", re.MULTILINE)
_WORKED_OUT: Final = frozenset({"host", "content-length", "connection"})


def looks_like_http(text: str) -> bool:
    first = _without_above(text)[1].partition("\n")[0].strip()
    found = _LINE.fullmatch(first)
    return found is not None and ("HTTP/" in first or found[2].startswith(("/", "http://", "https://", "{{")))


def from_http(text: str) -> Imported:
    """Reads the first request of the text; never raises."""
    above, text = _without_above(text.replace("\r\n", "\n").replace("\r", "\n").strip("\n "))
    first = _NEXT.split(_filled(text, above), maxsplit=1)
    head, _, body = first[0].partition("\n\n")
    line, *rows = _GOES_ON.sub("", head).split("\n")
    found = _LINE.fullmatch(line.strip())
    if found is None:
        return Imported(faults=("This is no HTTP request: it begins with a line like “GET /orders HTTP/1.1”.",))
    said = Said("request", method=found[1], glob_off=True)
    headers = _headers(said, rows)
    said.url = _address(said, found[2], headers.get("host", ""))
    _take_body(said, body)
    if len(first) > 1:
        said.ignored.append(Ignored("###", "only the first request is taken"))
    return said.imported(request_of(said))


def _without_above(text: str) -> tuple[str, str]:
    """(comments and variables above the request line, the text from it on)"""
    found = _ABOVE.match(text.lstrip())
    end = found.end() if found else 0
    return text.lstrip()[:end], text.lstrip()[end:].lstrip("\n")


def _filled(text: str, above: str) -> str:
    """{{name}} is the value that a line above gives, else an attribute."""
    for name, value in _VARIABLE.findall(above)[:MAX_VARIABLES]:
        if text.count(written := f"{{{{{name}}}}}") * len(value) <= MAX_GROWTH:
            text = text.replace(written, value.strip())
    return text


MAX_VARIABLES: Final = 50
MAX_GROWTH: Final = 100_000
"""By so many characters the text grows at most with each of them."""


def _take_body(said: Said, body: str) -> None:
    if script := _BELOW.search(body):
        said.ignored.append(Ignored(script[0].split("\n")[0][:60], "what is done with the answer belongs to the bot"))
        body = body[: script.start()]
    if file := _FILE.fullmatch(body.strip()):
        said.ignored.append(Ignored(f"< {file[1][:60]}", FILE_BODY))
    elif body.strip():
        files = list(dict.fromkeys(_FILE_IN.findall(body)))[:20]
        said.ignored += [
            Ignored(f"< {one[:60]}", "files are not read: this line is sent as it stands") for one in files
        ]
        said.data.append(Piece(body.rstrip("\n")))
        if fields_of(body.strip()) is None:
            said.default_type = "text/plain"


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
