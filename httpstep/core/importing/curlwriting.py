"""Writes a request as a curl command for a POSIX shell."""

from __future__ import annotations

from shlex import quote

from httpstep.core.exchange import RenderedRequest

_GLOB = frozenset("[]{}")
_BREAK = " \\\n  "


def to_curl(request: RenderedRequest) -> str:
    """A command that sends this request."""
    lines = ["curl", *_first_lines(request.method, request.url, has_body=request.body is not None)]
    lines += [_header(name, value) for name, value in request.headers]
    if request.body is None:
        return _BREAK.join(lines)
    if all(name.lower() != "content-type" for name, _ in request.headers):
        lines.append("-H 'Content-Type:'")
    if _is_plain(request.body):
        return _BREAK.join((*lines, f"--data-raw {quote(request.body.decode())}"))
    return f"printf {quote(_octal(request.body))} | " + _BREAK.join((*lines, "--data-binary @-"))


def _first_lines(method: str, url: str, *, has_body: bool) -> list[str]:
    lines = []
    if method == "HEAD":
        lines.append("--head")
    elif has_body or method != "GET":
        lines.append(f"-X {method}")
    if _GLOB & set(url):
        lines.append("--globoff")
    return [*lines, quote(url)]


def _header(name: str, value: str) -> str:
    return f"-H {quote(f'{name}: {value}' if value else f'{name};')}"


def _is_plain(body: bytes) -> bool:
    """Whether a shell can carry it as an argument: UTF-8 without NUL."""
    try:
        return "\0" not in body.decode()
    except UnicodeDecodeError:
        return False


def _octal(body: bytes) -> str:
    """The format of a printf that writes exactly these bytes."""
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b"%\\" else f"\\{byte:03o}" for byte in body)
