"""XML with values in it: whatever a value holds, it stays the text of one element, one attribute or one CDATA section."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from httpstep.core.inserting.encoders import encodable
from httpstep.core.inserting.placeholders import Literal, Placeholder, scan
from httpstep.core.regex import regex

_MARKUP: Final = regex(r"<!\[CDATA\[|\]\]>|[<>]")
_AFTER: Final = {"<": "tag", ">": "text", "<![CDATA[": "cdata", "]]>": "text"}
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\r": "&#13;"})
_IN_TAG: Final = str.maketrans({"\t": "&#9;", "\n": "&#10;"})
"""A reader of XML makes blanks of these inside an attribute, and a line feed of CR (XML 1.0, 2.11 and 3.3.3)."""
_NO_CHARACTER: Final = regex(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def is_xml(content_type: str) -> bool:
    """Whether that is a media type of XML (RFC 7303, 4.2)."""
    return re.fullmatch(r"[^/]+/(?:[^/]+\+)?xml", content_type.partition(";")[0].strip().lower()) is not None


def places(text: str) -> Iterator[tuple[str | Placeholder, str]]:
    """Each piece, and for a placeholder where it stands: in "text", a "tag" or "cdata". Raises PlaceholderFault."""
    state = "text"
    for piece in scan(text):
        if isinstance(piece, Literal):
            for found in _MARKUP.finditer(piece.text):
                if state != "cdata" or found[0] == "]]>":
                    state = _AFTER[found[0]]
            yield piece.text, state
        else:
            yield piece, state


def escaped(value: str, place: str) -> str:
    """The value as it is written there. What no XML can hold (XML 1.0, 2.2) becomes U+FFFD, as an unpaired surrogate."""
    text = _NO_CHARACTER.sub("\ufffd", encodable(value))
    if place == "cdata":
        return text.replace("]]>", "]]]]><![CDATA[>")
    text = text.translate(_ESCAPES)
    return text.translate(_IN_TAG) if place == "tag" else text
