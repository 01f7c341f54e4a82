"""The parts of a multipart/form-data body (RFC 7578) that stands in a text, as browsers copy it."""

from __future__ import annotations

from email.message import Message
from typing import Final, NamedTuple

from httpstep.core.regex import regex

_NAMED: Final = regex(r'[;\s](filename|name)\*?=(?:"([^"]*)"|([^;\s]+))')
_WRITTEN: Final = (("%22", '"'), ("%0D", "\r"), ("%0A", "\n"))
"""How a browser writes what a quoted name cannot hold (HTML, 4.10.22.8)."""

FILE_BODY: Final = "the body is a file: files cannot be sent yet"
FILE_PART: Final = "the part is a file: files cannot be sent yet"


class Parts(NamedTuple):
    """(name, value) of the texts, and the names of the files, whose content is not in the text."""

    fields: tuple[tuple[str, str], ...]
    files: tuple[str, ...] = ()


def is_multipart(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


def parts_of(text: str, content_type: str) -> Parts | None:
    """None where rows of names and texts could not say the same: another boundary, a part with a type or headers of
    its own, a file whose content stands in the text, a CRLF inside a value, which a form's field cannot keep."""
    said = Message()
    said["Content-Type"] = content_type
    boundary = str(said.get_param("boundary", ""))
    end = "\r\n" if "\r\n" in text else "\n"
    pieces = f"{end}{text.rstrip()}".split(f"{end}--{boundary}")
    if not boundary or len(pieces) < 3 or pieces[0].strip() or pieces[-1] != "--":
        return None
    fields, files = [], []
    for piece in pieces[1:-1]:
        head, blank, value = piece.partition(end * 2)
        named = _named(head.removeprefix(end).split(end))
        if not blank or not piece.startswith(end) or named is None or "\r" in value or ("filename" in named and value):
            return None
        if "filename" in named:
            files.append(named["name"])
        else:
            fields.append((named["name"], value))
    return Parts(tuple(fields), tuple(files))


def _named(headers: list[str]) -> dict[str, str] | None:
    """`name`, and `filename` of a file; None where the part says more than that."""
    found: dict[str, str] = {}
    for header in headers:
        name, _, value = header.partition(":")
        if name.lower() == "content-disposition" and value.lstrip().lower().startswith("form-data"):
            found |= {key: _plain(quoted or bare) for key, quoted, bare in _NAMED.findall(value)}
        elif name.lower() != "content-type":
            return None
    typed = any(header.lower().startswith("content-type") for header in headers)
    return found if "name" in found and (not typed or "filename" in found) else None


def _plain(text: str) -> str:
    for written, meant in _WRITTEN:
        text = text.replace(written, meant)
    return text
