"""What in a URL as typed is likely not meant so: sentences for the preview and the Test panel."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from httpstep.core import ports
from httpstep.core.inserting.placeholders import Literal, scan
from httpstep.core.inserting.urlhosts import UrlFault
from httpstep.core.regex import regex

_VALUE: Final = "\0"
"""Stands for a placeholder: no URL has it in it."""
_TWICE: Final = regex(r"\s*(https?):/*\s*https?:/", re.IGNORECASE)
_TEMPLATE: Final = regex(
    r"(?<!\{)\{[A-Za-z_][\w.-]*\}(?!\})|(?<=/):[A-Za-z_]\w*(?=[/?&]|\Z)|<[A-Za-z_][\w .-]*>", re.ASCII
)
_PARAMETER: Final = regex(r"&[^=&/\0]+=[^&/\0]*")
_PORT: Final = regex(r"\s*[a-z]+://[^/?#]*:([0-9]{1,5})(?=[/?#\s]|\Z)", re.IGNORECASE)
_SHOWN: Final = 40


def refuse_doubled_scheme(url: str) -> None:
    """Raises UrlFault."""
    if found := _TWICE.match(url):
        raise UrlFault(f"The URL begins with “{found[1].lower()}://” twice. Remove one of the two.")


@lru_cache(maxsize=1024)
def hints(url: str) -> tuple[str, ...]:
    """url: one that `urls.compile_url` takes."""
    before, _, fragment = _marked(url).partition("#")
    found = []
    if fragment:
        after = url.partition("#")[2]
        shown = after if len(after) <= _SHOWN else after[: _SHOWN - 1] + "…"
        found.append(f"“#{shown}” in the URL is never sent. Write %23 where the “#” belongs to a value.")
    if (port := _PORT.match(before)) and (refused := ports.fault(int(port[1]))):
        found.append(f"{refused} The call will be refused unless whoever runs this installation allows the port.")
    if templates := dict.fromkeys(_TEMPLATE.findall(before)):
        places = ", ".join(f"“{one}”" for one in templates)
        found.append(f"{places} in the URL: sent as it stands. If a value goes there, insert an attribute with </>.")
    if "?" not in before and (parameter := _PARAMETER.search(before)):
        found.append(
            f"“{parameter[0]}” in the URL is no parameter: the first one follows a “?”, like ?{parameter[0][1:]}."
        )
    return tuple(found)


def _marked(url: str) -> str:
    return "".join(piece.text if isinstance(piece, Literal) else _VALUE for piece in scan(url.strip()))
